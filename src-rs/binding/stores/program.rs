//! The program cache: what `warmshard/register` calls.
#![allow(unsafe_code)]

use crate::binding::callbacks::{Arguments, Made, callbacks};
use crate::binding::code::pick_up;
use crate::binding::errors::raise;
use crate::binding::exchange::Exchange;
use crate::binding::external;
use crate::binding::guard::guarded;
use crate::binding::last_words;
use crate::binding::loading;
use crate::binding::raw::{KeyBuffer, bytes, is_undefined};
use crate::binding::shard::Functions;
use crate::binding::stores::loaded::{self, Kept};
use napi::bindgen_prelude::{JsValue, Object};
use napi::{Env, sys};
use napi_derive::napi;
use std::cell::RefCell;
use std::path::Path;
use std::ptr;
use std::rc::Rc;
use warmshard_core::kind::Kind;
use warmshard_core::limits::MAX_KEY_BYTES;
use warmshard_core::storage::trust::Trust;
use warmshard_core::stores::program::{Bytes, PARTS, Programs, Request, Search, Text, Wrap};
use warmshard_core::{Error, Options, Shard};

/// A program cache and its shard.
pub struct ProgramHandle {
    /// `None` once closed.
    inner: RefCell<Option<(Programs, Shard)>>,
    /// The block in which `load` describes a module.
    pub(super) told: Exchange,
    /// Parts of modules that JavaScript may ask for later, also after `close`.
    pub(super) kept: RefCell<Kept>,
}

impl ProgramHandle {
    pub(super) fn with<T>(
        &self,
        run: impl FnOnce(&mut Programs, &mut Shard) -> Result<T, Error>,
    ) -> Result<T, Error> {
        match self.inner.try_borrow_mut().as_deref_mut() {
            Ok(Some((programs, shard))) => run(programs, shard),
            _ => {
                Err(Error::InvalidArg("the program cache is closed, or in the middle of another call".into()))
            }
        }
    }

    /// Closes the shard. Texts and bytecode that JavaScript has stay valid.
    fn close(&self) {
        if let Ok(Some((_, shard))) = self.inner.try_borrow_mut().map(|mut inner| inner.take()) {
            shard.close();
        }
    }
}

callbacks! {
    /// Every callback, by its JavaScript name.
    CALLBACKS: ProgramHandle;
    resolve "resolve" => resolve_request;
    load "load" => loaded::load;
    code "code" => loaded::code;
    map "map" => loaded::map;
    read "read" => read_source;
    read_module "readModule" => read_module_source;
    replace_text "replaceText" => replace_source_text;
    record "record" => record_module;
    improve "improve" => improve_module;
    record_resolution "recordResolution" => record_request;
    record_search "recordSearch" => record_answer;
    noted "noted" => noted_text;
    note "note" => note_text;
    settle "settle" => |it, _, []| it.with(|programs, _| { programs.settle(); Ok(0) });
    close "close" => |it, _, []| { it.close(); Ok(0) };
    watch_end "watchEnd" => |_, env, [write, among]| last_words::watch(env, write, number(env, among)).map(|()| 0);
    ignore_end "ignoreEnd" => |_, _, []| { last_words::ignore(); Ok(0) };
    is_loading "isLoading" => |_, _, []| { loading::begins(); Ok(0) };
    publish "publish" => |it, _, []| it.with(|programs, shard| Ok(i32::try_from(programs.publish(shard)?).unwrap_or(i32::MAX)));
}

/// The table `program`.
pub const FUNCTIONS: Functions = &[("open", open_c_callback)];

pub(super) const UNDEFINED: Made = Made(ptr::null_mut());

/// Reads a string of at most `MAX_KEY_BYTES`.
pub(super) fn name(
    env: sys::napi_env,
    value: sys::napi_value,
    buffer: &mut KeyBuffer,
) -> Result<&[u8], Error> {
    // SAFETY: `env` and all values are those of the running callback.
    let name = unsafe { buffer.read(env, value)? };
    if name.len() > MAX_KEY_BYTES {
        return Err(Error::InvalidKey(format!("may be {MAX_KEY_BYTES} bytes long")));
    }
    Ok(name)
}

pub(super) fn number(env: sys::napi_env, value: sys::napi_value) -> u32 {
    let mut number = 0;
    // SAFETY: `env` and all values are those of the running callback; if it is not a number, zero stays.
    unsafe { sys::napi_get_value_uint32(env, value, &mut number) };
    number
}

/// Whether a text is to be wrapped as a CommonJS module.
fn wrap_of(env: sys::napi_env, value: sys::napi_value) -> Wrap {
    if number(env, value) == 0 { Wrap::Bare } else { Wrap::Lines }
}

/// A string of any length as UTF-8.
fn long_text(env: sys::napi_env, value: sys::napi_value) -> Result<Vec<u8>, Error> {
    let mut len = 0;
    // SAFETY: `env` and all values are those of the running callback; without a buffer only the length is
    // written.
    let status = unsafe { sys::napi_get_value_string_utf8(env, value, ptr::null_mut(), 0, &mut len) };
    if status != sys::Status::napi_ok {
        return Err(Error::InvalidArg("a text must be a string".into()));
    }
    let mut out = vec![0u8; len.saturating_add(1)];
    // SAFETY: the buffer has this length.
    unsafe { sys::napi_get_value_string_utf8(env, value, out.as_mut_ptr().cast(), out.len(), &mut len) };
    out.truncate(len);
    Ok(out)
}

fn string(env: sys::napi_env, text: &[u8]) -> Made {
    let mut value = ptr::null_mut();
    let len = isize::try_from(text.len()).unwrap_or(0);
    // SAFETY: the text has this length; a plain out-parameter.
    unsafe {
        if text.is_ascii() {
            sys::napi_create_string_latin1(env, text.as_ptr().cast(), len, &mut value);
        } else if std::str::from_utf8(text).is_ok() {
            sys::napi_create_string_utf8(env, text.as_ptr().cast(), len, &mut value);
        }
    }
    Made(value)
}

/// `resolve(folder, request, paths)`: the canonical path, if it is known.
fn resolve_request(
    it: &ProgramHandle,
    env: sys::napi_env,
    [folder, request, paths, ..]: Arguments,
) -> Result<Made, Error> {
    let (mut first, mut second) = (KeyBuffer::new(), KeyBuffer::new());
    let request = Request {
        folder: name(env, folder, &mut first)?,
        request: name(env, request, &mut second)?,
        paths: number(env, paths),
    };
    it.with(|programs, shard| {
        Ok(programs.resolve(shard, &request)?.map_or(UNDEFINED, |real| string(env, &real)))
    })
}

pub(super) fn int(env: sys::napi_env, number: i32) -> sys::napi_value {
    let mut value = ptr::null_mut();
    // SAFETY: plain out-parameter.
    unsafe { sys::napi_create_int32(env, number, &mut value) };
    value
}

fn made_text(env: sys::napi_env, text: Option<Text>) -> Made {
    let value = text.and_then(|text| external::text(env, Bytes::Shared(text.bytes), text.wide));
    Made(value.unwrap_or(ptr::null_mut()))
}

/// `read(path, wrap)`: the text of a source, or undefined.
fn read_source(it: &ProgramHandle, env: sys::napi_env, [path, wrap, ..]: Arguments) -> Result<Made, Error> {
    let mut buffer = KeyBuffer::new();
    let path = name(env, path, &mut buffer)?;
    let wrap = wrap_of(env, wrap);
    let text = it.with(|programs, _| Ok(programs.read(path, wrap)))?;
    Ok(made_text(env, text))
}

/// `readModule(path)`: the text of a source, wrapped so that V8 reports the positions of the source, and its
/// traits as bits (see register/recording/compiler.ts); or undefined.
fn read_module_source(it: &ProgramHandle, env: sys::napi_env, [path, ..]: Arguments) -> Result<Made, Error> {
    let mut buffer = KeyBuffer::new();
    let path = name(env, path, &mut buffer)?;
    let Some(text) = it.with(|programs, _| Ok(programs.read(path, Wrap::Fitting)))? else {
        return Ok(UNDEFINED);
    };
    let traits = text.traits;
    let bits =
        [traits.may_end, traits.imports, traits.names_itself, traits.makes_code, text.bare, traits.is_asm];
    let bits = bits.iter().zip(0u32..).fold(0, |all, (is, bit)| all | (i32::from(*is) << bit));
    let mut array = ptr::null_mut();
    // SAFETY: plain out-parameter; the values are of the running callback.
    unsafe {
        sys::napi_create_array_with_length(env, 2, &mut array);
        for (i, value) in (0u32..).zip([made_text(env, Some(text)).0, int(env, bits)]) {
            sys::napi_set_element(env, array, i, value);
        }
    }
    Ok(Made(array))
}

/// `replaceText(path, text, wrap)`: sets the text that is compiled instead of the source, and returns it as
/// V8 needs it.
fn replace_source_text(
    it: &ProgramHandle,
    env: sys::napi_env,
    [path, text, wrap, ..]: Arguments,
) -> Result<Made, Error> {
    let mut buffer = KeyBuffer::new();
    let path = name(env, path, &mut buffer)?;
    let (text, wrap) = (long_text(env, text)?, wrap_of(env, wrap));
    let text = it.with(|programs, _| Ok(programs.replace_text(path, &text, wrap)))?;
    Ok(made_text(env, Some(text)))
}

/// Splits a text into strings, which are separated by zero bytes.
fn strings(text: &[u8]) -> impl Iterator<Item = &[u8]> {
    text.split(|b| *b == 0)
}

/// Parses facts: each is a character for the kind, followed by a path.
fn facts<'a>(strings: impl Iterator<Item = &'a [u8]>) -> Vec<(u8, &'a [u8])> {
    strings.filter_map(|fact| fact.split_first().map(|(kind, path)| (*kind, path))).collect()
}

/// Bytecode to be recorded: a view, or the number under which the shim has stored it (`binding/code.rs`).
fn code_of(env: sys::napi_env, value: sys::napi_value) -> Option<Vec<u8>> {
    match pick_up(number(env, value)) {
        Some(Bytes::Copied(code)) => Some(code),
        // SAFETY: `env` and all values are those of the running callback; no JavaScript runs while the bytes
        // are copied.
        _ => unsafe { bytes(env, value) }.map(<[u8]>::to_vec),
    }
}

/// `record(path, told, code?, map?)`: 1 if it will be written. `told` are strings: flags, then facts.
fn record_module(
    it: &ProgramHandle,
    env: sys::napi_env,
    [path, told, code, map]: Arguments,
) -> Result<i32, Error> {
    let mut buffer = KeyBuffer::new();
    let path = name(env, path, &mut buffer)?;
    let told = long_text(env, told)?;
    let mut told = strings(&told);
    let flags = told.next().and_then(|flags| std::str::from_utf8(flags).ok()?.parse().ok()).unwrap_or(0);
    let facts = facts(told);
    let code = code_of(env, code);
    // SAFETY: `env` and all values are those of the running callback.
    let has_map = unsafe { !is_undefined(env, map) };
    // `load` lends the map as Latin-1, so one that is not ASCII is dropped. JSON can always be written in ASCII.
    let map = if has_map { long_text(env, map)? } else { Vec::new() };
    let map = if map.is_ascii() { map } else { Vec::new() };
    it.with(|programs, _| Ok(i32::from(programs.record(path, flags, code, &map, &facts))))
}

/// `improve(path, code, always)`: 1 if the code will be written, because it covers more functions, or
/// `always` is set.
fn improve_module(
    it: &ProgramHandle,
    env: sys::napi_env,
    [path, code, always, ..]: Arguments,
) -> Result<i32, Error> {
    let mut buffer = KeyBuffer::new();
    let path = name(env, path, &mut buffer)?;
    let always = number(env, always) != 0;
    let code = code_of(env, code).unwrap_or_default();
    it.with(|programs, shard| programs.improve(shard, path, code, always).map(i32::from))
}

/// `recordResolution(folder, request, paths, told)`: 1 if it will be written. `told` are strings: the path
/// that was found, its canonical path, then facts.
fn record_request(
    it: &ProgramHandle,
    env: sys::napi_env,
    [folder, request, paths, told]: Arguments,
) -> Result<i32, Error> {
    let (mut first, mut second) = (KeyBuffer::new(), KeyBuffer::new());
    let request = Request {
        folder: name(env, folder, &mut first)?,
        request: name(env, request, &mut second)?,
        paths: number(env, paths),
    };
    let told = long_text(env, told)?;
    let mut told = strings(&told);
    let (found, real) = (told.next().unwrap_or_default(), told.next().unwrap_or_default());
    let facts = facts(told);
    it.with(|programs, _| Ok(i32::from(programs.record_resolution(&request, found, real, &facts))))
}

/// `recordSearch(folder, identity, asked, told)`: 1 if it will be written, -1 if it never can be. `asked` are
/// strings: the request, then the folders of packages. `told` are strings: how many of these folders count,
/// the canonical path, the extensions, then further facts.
fn record_answer(
    it: &ProgramHandle,
    env: sys::napi_env,
    [folder, identity, asked, told]: Arguments,
) -> Result<i32, Error> {
    let (mut first, mut second) = (KeyBuffer::new(), KeyBuffer::new());
    let (asked, told) = (long_text(env, asked)?, long_text(env, told)?);
    let folder = name(env, folder, &mut first)?;
    let (mut asked, mut told) = (strings(&asked), strings(&told));
    let paths = told.next().and_then(|count| std::str::from_utf8(count).ok()?.parse().ok()).unwrap_or(0);
    let request = Request { folder, request: name(env, identity, &mut second)?, paths };
    let real = told.next().unwrap_or_default();
    let extensions: Vec<_> = told.next().unwrap_or_default().split(|byte| *byte == b',').collect();
    let wanted = asked.next().unwrap_or_default();
    let places: Vec<_> = asked.filter(|place| !place.is_empty()).collect();
    let search = Search { request: wanted, folder, places: &places, extensions: &extensions, real };
    let facts = facts(told);
    it.with(|programs, _| Ok(programs.record_search(&request, &search, &facts).map_or(-1, i32::from)))
}

/// `noted(name)`: a text, or undefined.
fn noted_text(it: &ProgramHandle, env: sys::napi_env, [key, ..]: Arguments) -> Result<Made, Error> {
    let mut buffer = KeyBuffer::new();
    let key = name(env, key, &mut buffer)?;
    let text = it.with(|programs, shard| programs.noted(shard, key))?;
    Ok(text.map_or(UNDEFINED, |text| string(env, &text)))
}

/// `note(name, text)`: 1 if it will be written.
fn note_text(it: &ProgramHandle, env: sys::napi_env, [key, text, ..]: Arguments) -> Result<i32, Error> {
    let mut buffer = KeyBuffer::new();
    let key = name(env, key, &mut buffer)?;
    let text = long_text(env, text)?;
    it.with(|programs, _| Ok(i32::from(programs.note(key, &text))))
}

/// The options of a program cache.
#[napi(object)]
pub struct NativeProgramOptions {
    /// Everything that makes the same source compile to other bytes, or the same request lead to another file.
    pub profile: String,
    pub read_only: bool,
    pub max_bytes: Option<f64>,
    pub root: Option<String>,
    pub trust: Option<String>,
    /// Whether modules are compiled to functions, by the shim.
    pub functions: Option<bool>,
}

/// Opens a program cache and puts its callbacks on `target`.
#[napi(no_export)]
pub fn open(env: Env, path: String, options: NativeProgramOptions, target: Object<'_>) -> napi::Result<()> {
    let opened = guarded(|| {
        let default = Options::default();
        let max_bytes = options.max_bytes.map_or(default.max_bytes, |v| v as u64);
        let shard = Shard::open(
            Path::new(&path),
            Options {
                kind: Kind::Program,
                part_count: PARTS,
                read_only: options.read_only,
                max_bytes,
                trust: options.trust.as_deref().and_then(Trust::named).unwrap_or_default(),
                ..default
            },
        )?;
        let root = options.root.as_deref().unwrap_or_default().as_bytes();
        let programs = Programs::new(options.profile.as_bytes(), root);
        Ok((if options.functions == Some(true) { programs.of_functions() } else { programs }, shard))
    });
    let inner = RefCell::new(Some(opened.map_err(|e| raise(&env, &e))?));
    let (told, block) = Exchange::new(env.raw())
        .ok_or_else(|| raise(&env, &Error::InvalidArg("there is no memory for a program cache".into())))?;
    // SAFETY: both are values of the running callback.
    unsafe { sys::napi_set_named_property(env.raw(), target.raw(), c"told".as_ptr(), block) };
    let shared = Rc::new(ProgramHandle { inner, told, kept: RefCell::default() });
    CALLBACKS.attach(env.raw(), target.raw(), &shared);
    Ok(())
}
