//! What is found of a module, on its way to JavaScript: its text as a value, all else as numbers in a block of memory, for a
//! value of Node-API takes longer to make than the look-up. What is seldom needed is made when it is asked for.

use super::program::{ProgramHandle, UNDEFINED, int, name, number};
use crate::binding::callbacks::{Arguments, Made};
use crate::binding::code::put_down;
use crate::binding::external;
use crate::binding::raw::KeyBuffer;
use napi::sys;
use warmshard_core::Error;
use warmshard_core::stores::program::{Bytes, Loaded, WIDE};

/// Answers of `load` beside a text.
const ABSENT: i32 = -1;
const CHANGED: i32 = -2;

/// Beside the flags of an entry: something waits to be written, because a file was touched, say.
const WAITING: u32 = 1 << 8;

/// Parts of modules that JavaScript may ask for later. They outlive the use of the shard.
#[derive(Default)]
pub struct Kept {
    /// Bytecode of the last module, where it is a script.
    code: Option<Bytes>,
    /// Maps, by their number less one.
    maps: Vec<Bytes>,
}

/// Words of the block in which `load` tells of a module: its flags; the number of its bytecode, by which `compile` of the
/// shim gets at it where modules are functions, or 0; the number of its map, or 0.
const FLAGS: usize = 0;
const CODE: usize = 1;
const MAP: usize = 2;

/// `load(path)`: the text, or a negative number. The rest is told in the block.
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

/// `code()`: the bytecode of the last module as a view, once; or undefined.
pub fn code(it: &ProgramHandle, env: sys::napi_env, _: Arguments) -> Result<Made, Error> {
    let last = it.kept.try_borrow_mut().ok().and_then(|mut kept| kept.code.take());
    Ok(Made(last.and_then(|code| external::code(env, code)).unwrap_or(UNDEFINED.0)))
}

/// `map(number)`: the map of a module that was loaded, once; or undefined.
pub fn map(it: &ProgramHandle, env: sys::napi_env, [of, ..]: Arguments) -> Result<Made, Error> {
    let place = usize::try_from(number(env, of)).ok().and_then(|of| of.checked_sub(1));
    let taken =
        it.kept.try_borrow_mut().ok().and_then(|mut kept| {
            Some(std::mem::replace(kept.maps.get_mut(place?)?, Bytes::Copied(Vec::new())))
        });
    Ok(Made(taken.and_then(|map| external::text(env, map, false)).unwrap_or(UNDEFINED.0)))
}
