//! Bytes of a shard as JavaScript strings and buffers, without a copy if the runtime supports it.
//!
//! V8 never writes to the text of an external string. The buffers are only for V8's deserialiser, which only
//! reads. They must never reach a program, because their memory is mapped read-only.
#![allow(unsafe_code)]

use super::lending::{external_memory, release};
use napi::sys;
use std::ffi::{CStr, c_char, c_void};
use std::ptr;
use std::sync::OnceLock;
use warmshard_core::stores::program::Bytes;

/// `node_api_create_external_string_latin1`, or the same for UTF-16, which differs only in the type of the text.
type CreateExternal = unsafe extern "C" fn(
    sys::napi_env,
    *mut c_void,
    usize,
    sys::napi_finalize,
    *mut c_void,
    *mut sys::napi_value,
    *mut bool,
) -> sys::napi_status;

/// Texts with fewer bytes are copied, because an external string would take more memory.
const MIN_EXTERNAL: usize = 1024;

/// The functions for Latin-1 and UTF-16. Looked up at run time, because the oldest supported runtime lacks them.
fn creators() -> &'static [Option<CreateExternal>; 2] {
    static CREATORS: OnceLock<[Option<CreateExternal>; 2]> = OnceLock::new();
    let find = |name: &CStr| {
        // SAFETY: a constant name; if the process has this symbol, it is the Node-API function of this type.
        unsafe {
            let symbol = libc::dlsym(libc::RTLD_DEFAULT, name.as_ptr());
            (!symbol.is_null()).then(|| std::mem::transmute::<*mut c_void, CreateExternal>(symbol))
        }
    };
    CREATORS.get_or_init(|| {
        [find(c"node_api_create_external_string_latin1"), find(c"node_api_create_external_string_utf16")]
    })
}

/// A string from Latin-1 or, if `wide`, from UTF-16 in the machine's byte order.
pub fn text(env: sys::napi_env, bytes: Bytes, wide: bool) -> Option<sys::napi_value> {
    let slice = bytes.as_slice();
    let (data, len) = (slice.as_ptr(), if wide { slice.len() / 2 } else { slice.len() });
    let aligned = !wide || data.cast::<u16>().is_aligned();
    let [narrow_creator, wide_creator] = creators();
    let mut value = ptr::null_mut();
    if slice.len() >= MIN_EXTERNAL
        && aligned
        && let Some(create) = if wide { wide_creator } else { narrow_creator }
    {
        let owner = Box::into_raw(Box::new(bytes)).cast::<c_void>();
        let mut copied = false;
        // SAFETY: the text has this length, is aligned and never written to. It lives until `release` drops
        // its owner, which the runtime calls once, immediately if it has copied the text.
        let status = unsafe {
            create(env, data.cast_mut().cast(), len, Some(release::<Bytes>), owner, &mut value, &mut copied)
        };
        if status == sys::Status::napi_ok {
            return Some(value);
        }
        // After a failure we cannot tell whether the runtime has kept the pointer, so the owner is leaked.
        return None;
    }
    let len = isize::try_from(len).ok()?;
    // SAFETY: the text has this length.
    let status = unsafe {
        if !wide {
            sys::napi_create_string_latin1(env, data.cast::<c_char>(), len, &mut value)
        } else if aligned {
            sys::napi_create_string_utf16(env, data.cast(), len, &mut value)
        } else {
            let units: Vec<u16> =
                slice.as_chunks::<2>().0.iter().map(|unit| u16::from_ne_bytes(*unit)).collect();
            sys::napi_create_string_utf16(env, units.as_ptr(), len, &mut value)
        }
    };
    (status == sys::Status::napi_ok).then_some(value)
}

/// Bytes as a view for V8's deserialiser; a copy if the runtime forbids external memory.
pub fn code(env: sys::napi_env, bytes: Bytes) -> Option<sys::napi_value> {
    let (data, len) = (bytes.as_slice().as_ptr(), bytes.as_slice().len());
    let mut view = ptr::null_mut();
    // SAFETY: the memory belongs to `bytes` and does not move with it; it is only read (see the module's head).
    let lent = unsafe { external_memory(env, data.cast_mut().cast(), len, bytes) };
    // SAFETY: a buffer of this environment and length, or bytes that live until they are copied.
    let status = unsafe {
        match &lent {
            Ok(buffer) => {
                sys::napi_create_typedarray(env, sys::TypedarrayType::uint8_array, len, *buffer, 0, &mut view)
            }
            Err(bytes) => {
                let from = bytes.as_slice().as_ptr().cast();
                sys::napi_create_buffer_copy(env, len, from, ptr::null_mut(), &mut view)
            }
        }
    };
    (status == sys::Status::napi_ok).then_some(view)
}
