//! Passes a module that was found to JavaScript: its text as a value, everything else as numbers in a block
//! of memory, because making a value through Node-API takes longer than the look-up. What is rarely needed is
//! made on request.

use super::program::{ProgramHandle, UNDEFINED, int, name, number};
use crate::binding::callbacks::{Arguments, Made};
use crate::binding::code::put_down;
use crate::binding::external;
use crate::binding::raw::KeyBuffer;
use napi::sys;
use warmshard_core::Error;
use warmshard_core::stores::program::{Bytes, Loaded, WIDE};

/// Answers of `load` other than a text.
const ABSENT: i32 = -1;
const CHANGED: i32 = -2;

/// A flag in addition to those of the entry: something is waiting to be written, for example because a file
/// was touched.
const WAITING: u32 = 1 << 8;

/// Parts of modules that JavaScript may ask for later, also after the shard is closed.
#[derive(Default)]
pub struct Kept {
    /// Bytecode of the last module, if it is a script.
    code: Option<Bytes>,
    /// Source maps; their numbers start at one.
    maps: Vec<Bytes>,
}

/// Words of the block that `load` fills: the flags; the number of the bytecode, or 0 (if modules are
/// functions, it is that of `binding/code.rs`, for `compile` of the shim); the number of the source map, or
/// 0.
const FLAGS: usize = 0;
const CODE: usize = 1;
const MAP: usize = 2;

/// `load(path)`: the text, or a negative number. The rest is in the block.
pub fn load(it: &ProgramHandle, env: sys::napi_env, [path, ..]: Arguments) -> Result<Made, Error> {
    let mut buffer = KeyBuffer::new();
    let path = name(env, path, &mut buffer)?;
    let (loaded, waiting, are_functions) = it.with(|programs, shard| {
        Ok((programs.load(shard, path)?, programs.is_waiting(), programs.are_functions()))
    })?;
    let (flags, [text, code, map]) = match loaded {
        Loaded::Hit { flags, parts, .. } => (flags, parts),
        Loaded::Absent => return Ok(Made(int(env, ABSENT))),
        Loaded::Changed => return Ok(Made(int(env, CHANGED))),
    };
    let Some(text) = external::text(env, text, flags & WIDE != 0) else {
        return Ok(Made(int(env, ABSENT)));
    };
    it.told.set(FLAGS, u32::from(flags) | if waiting { WAITING } else { 0 });
    let Ok(mut kept) = it.kept.try_borrow_mut() else { return Ok(Made(int(env, ABSENT))) };
    let has_code = !code.as_slice().is_empty();
    kept.code = None;
    it.told.set(
        CODE,
        match (has_code, are_functions) {
            (false, _) => 0,
            (true, true) => put_down(code),
            (true, false) => {
                kept.code = Some(code);
                1
            }
        },
    );
    let has_map = !map.as_slice().is_empty();
    if has_map {
        kept.maps.push(map);
    }
    it.told.set(MAP, if has_map { u32::try_from(kept.maps.len()).unwrap_or(0) } else { 0 });
    Ok(Made(text))
}

/// `code()`: takes out the bytecode of the last module, as a view; or undefined.
pub fn code(it: &ProgramHandle, env: sys::napi_env, _: Arguments) -> Result<Made, Error> {
    let last = it.kept.try_borrow_mut().ok().and_then(|mut kept| kept.code.take());
    Ok(Made(last.and_then(|code| external::code(env, code)).unwrap_or(UNDEFINED.0)))
}

/// `map(number)`: takes out the source map of a module that was loaded; or undefined.
pub fn map(it: &ProgramHandle, env: sys::napi_env, [of, ..]: Arguments) -> Result<Made, Error> {
    let place = usize::try_from(number(env, of)).ok().and_then(|of| of.checked_sub(1));
    let taken =
        it.kept.try_borrow_mut().ok().and_then(|mut kept| {
            Some(std::mem::replace(kept.maps.get_mut(place?)?, Bytes::Copied(Vec::new())))
        });
    Ok(Made(taken.and_then(|map| external::text(env, map, false)).unwrap_or(UNDEFINED.0)))
}
