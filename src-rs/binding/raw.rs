//! The few Node-API calls that the raw callbacks make, wrapped in safe or narrowly unsafe functions.
#![allow(unsafe_code)]

use napi::sys;
use std::ffi::CStr;
use std::mem::MaybeUninit;
use std::ptr;
use warmshard_core::limits::MAX_KEY_BYTES;
use warmshard_core::{Error, key};

/// Room for the longest key, a byte more to detect longer ones, and the terminator.
const KEY_BUFFER: usize = MAX_KEY_BYTES + 4;

/// A key's bytes on the stack.
pub struct KeyBuffer {
    bytes: [MaybeUninit<u8>; KEY_BUFFER],
    len: usize,
}

impl KeyBuffer {
    pub fn new() -> Self {
        KeyBuffer { bytes: [const { MaybeUninit::uninit() }; KEY_BUFFER], len: 0 }
    }

    /// Reads a JavaScript string as UTF-8.
    ///
    /// # Safety
    /// `env` and `value` are those of the running callback.
    #[inline(always)]
    pub unsafe fn read(&mut self, env: sys::napi_env, value: sys::napi_value) -> Result<&[u8], Error> {
        let mut len = 0;
        // SAFETY: the buffer has KEY_BUFFER bytes; Node-API writes at most these, terminator included.
        let status = unsafe {
            sys::napi_get_value_string_utf8(env, value, self.bytes.as_mut_ptr().cast(), KEY_BUFFER, &mut len)
        };
        if status != sys::Status::napi_ok {
            // SAFETY: the caller's promise.
            return Err(unsafe { not_a_string(env, value) });
        }
        self.len = len.min(KEY_BUFFER);
        // SAFETY: Node-API has written `len` bytes.
        let key = unsafe { std::slice::from_raw_parts(self.bytes.as_ptr().cast::<u8>(), self.len) };
        if !key::is_ascii(key) {
            // SAFETY: as above.
            unsafe { look_for_lone_surrogates(env, value, key)? };
        }
        Ok(key)
    }
}

/// The error for a key that is not a string.
///
/// # Safety
/// As `is_of`.
#[cold]
unsafe fn not_a_string(env: sys::napi_env, value: sys::napi_value) -> Error {
    // SAFETY: the caller's promise.
    let kind = unsafe { kind_of(env, value) };
    Error::InvalidKey(format!("must be a string, not {kind}"))
}

/// The name of a source file as a C string, on the stack.
pub struct SourceBuffer(KeyBuffer);

impl SourceBuffer {
    pub fn new() -> Self {
        SourceBuffer(KeyBuffer::new())
    }

    /// Reads a JavaScript string. `None` if it cannot be the name of a file, because it is longer than any
    /// path, or contains a zero byte or a lone surrogate.
    ///
    /// # Safety
    /// As `KeyBuffer::read`.
    #[inline]
    pub unsafe fn read(
        &mut self,
        env: sys::napi_env,
        value: sys::napi_value,
    ) -> Result<Option<&CStr>, Error> {
        // SAFETY: the caller's promise.
        let len = match unsafe { self.0.read(env, value) } {
            Ok(name) => name.len(),
            // SAFETY: as above.
            Err(_) if unsafe { is_string(env, value) } => return Ok(None),
            Err(_) => {
                // SAFETY: as above.
                let kind = unsafe { kind_of(env, value) };
                return Err(Error::InvalidArg(format!("a source must be the path of a file, not {kind}")));
            }
        };
        if len > MAX_KEY_BYTES {
            return Ok(None);
        }
        // SAFETY: Node-API has written `len` bytes and a terminator.
        let bytes =
            unsafe { std::slice::from_raw_parts(self.0.bytes.as_ptr().cast::<u8>(), len.saturating_add(1)) };
        Ok(CStr::from_bytes_with_nul(bytes).ok())
    }
}

/// Whether a value has a type.
///
/// # Safety
/// `env` and `value` are those of the running callback.
unsafe fn is_of(env: sys::napi_env, value: sys::napi_value, wanted: sys::napi_valuetype) -> bool {
    let mut kind = 0;
    // SAFETY: plain out-parameter.
    let status = unsafe { sys::napi_typeof(env, value, &mut kind) };
    status == sys::Status::napi_ok && kind == wanted
}

/// The type of a value, in words for an error message.
///
/// # Safety
/// As `is_of`.
#[cold]
pub unsafe fn kind_of(env: sys::napi_env, value: sys::napi_value) -> &'static str {
    let mut kind = sys::ValueType::napi_undefined;
    // SAFETY: plain out-parameter.
    unsafe { sys::napi_typeof(env, value, &mut kind) };
    match kind {
        sys::ValueType::napi_undefined => "undefined",
        sys::ValueType::napi_null => "null",
        sys::ValueType::napi_boolean => "a boolean",
        sys::ValueType::napi_number => "a number",
        sys::ValueType::napi_string => "a string",
        sys::ValueType::napi_symbol => "a symbol",
        sys::ValueType::napi_function => "a function",
        sys::ValueType::napi_bigint => "a bigint",
        _ => "an object",
    }
}

/// Whether a value is a string.
///
/// # Safety
/// As `is_of`.
unsafe fn is_string(env: sys::napi_env, value: sys::napi_value) -> bool {
    // SAFETY: the caller's promise.
    unsafe { is_of(env, value, sys::ValueType::napi_string) }
}

/// Refuses a lone surrogate. It arrives as U+FFFD, which the string may also contain itself, so that only a
/// key with this character has to be read again as UTF-16.
#[inline(never)]
unsafe fn look_for_lone_surrogates(
    env: sys::napi_env,
    value: sys::napi_value,
    key: &[u8],
) -> Result<(), Error> {
    if key.windows(3).any(|w| w == "\u{FFFD}".as_bytes()) {
        // SAFETY: the caller's promise.
        unsafe { refuse_lone_surrogates(env, value)? };
    }
    Ok(())
}

#[cold]
unsafe fn refuse_lone_surrogates(env: sys::napi_env, value: sys::napi_value) -> Result<(), Error> {
    let mut units = vec![0u16; KEY_BUFFER];
    let mut len = 0;
    // SAFETY: Node-API writes at most `units.len()` units.
    let status =
        unsafe { sys::napi_get_value_string_utf16(env, value, units.as_mut_ptr(), units.len(), &mut len) };
    let units = units.get(..len).unwrap_or_default();
    if status != sys::Status::napi_ok || char::decode_utf16(units.iter().copied()).any(|c| c.is_err()) {
        return Err(Error::InvalidKey(
            "holds a lone surrogate, which UTF-8 cannot tell from another one".into(),
        ));
    }
    Ok(())
}

/// The bytes of a `Uint8Array` or any other view. `None` if its memory was transferred: it would look like an
/// empty value.
///
/// # Safety
/// `env` and `value` are those of the running callback. No JavaScript may run while the slice is in
/// use, because it could detach or resize the memory.
#[inline]
pub unsafe fn bytes<'a>(env: sys::napi_env, value: sys::napi_value) -> Option<&'a [u8]> {
    let (mut data, mut len, mut is_view) = (ptr::null_mut(), 0, false);
    // SAFETY: plain out-parameters.
    unsafe {
        // In Node.js this is true for every view; elsewhere at least for every Uint8Array.
        if sys::napi_is_buffer(env, value, &mut is_view) != sys::Status::napi_ok || !is_view {
            return None;
        }
        if sys::napi_get_buffer_info(env, value, &mut data, &mut len) != sys::Status::napi_ok {
            return None;
        }
    }
    if len == 0 || data.is_null() {
        // SAFETY: `env` and all values are those of the running callback.
        return (!unsafe { is_detached(env, value) }).then_some(&[]);
    }
    // SAFETY: Node-API guarantees the memory until JavaScript runs again.
    Some(unsafe { std::slice::from_raw_parts(data.cast::<u8>(), len) })
}

/// Whether the memory of a view was transferred away.
///
/// # Safety
/// As `bytes`.
#[cold]
pub unsafe fn is_detached(env: sys::napi_env, view: sys::napi_value) -> bool {
    let (mut kind, mut len, mut data, mut offset) = (0, 0, ptr::null_mut(), 0);
    let (mut buffer, mut detached) = (ptr::null_mut(), false);
    // SAFETY: plain out-parameters.
    unsafe {
        sys::napi_get_typedarray_info(env, view, &mut kind, &mut len, &mut data, &mut buffer, &mut offset)
            == sys::Status::napi_ok
            && sys::napi_is_detached_arraybuffer(env, buffer, &mut detached) == sys::Status::napi_ok
            && detached
    }
}

/// The same as `bytes`, writable.
///
/// # Safety
/// As `bytes`; and no other slice of this memory is alive.
#[inline]
pub unsafe fn bytes_mut<'a>(env: sys::napi_env, value: sys::napi_value) -> Option<&'a mut [u8]> {
    // SAFETY: the caller's promise.
    let bytes = unsafe { bytes(env, value)? };
    if bytes.is_empty() {
        return Some(&mut []);
    }
    // SAFETY: the memory belongs to a JavaScript buffer, which is writable, and by the caller's promise
    // this is the only slice of it.
    Some(unsafe { std::slice::from_raw_parts_mut(bytes.as_ptr().cast_mut(), bytes.len()) })
}

/// The length of a JavaScript array; `None` if the value is not an array.
///
/// # Safety
/// `env` and `value` are those of the running callback.
pub unsafe fn array_len(env: sys::napi_env, value: sys::napi_value) -> Option<u32> {
    let (mut is_array, mut len) = (false, 0);
    // SAFETY: plain out-parameters.
    unsafe {
        if sys::napi_is_array(env, value, &mut is_array) != sys::Status::napi_ok || !is_array {
            return None;
        }
        (sys::napi_get_array_length(env, value, &mut len) == sys::Status::napi_ok).then_some(len)
    }
}

/// One element of a JavaScript array.
///
/// # Safety
/// As `array_len`; the facade has made the array, so that reading it runs no user code.
pub unsafe fn element(env: sys::napi_env, array: sys::napi_value, index: u32) -> Option<sys::napi_value> {
    let mut value = ptr::null_mut();
    // SAFETY: plain out-parameter.
    (unsafe { sys::napi_get_element(env, array, index, &mut value) } == sys::Status::napi_ok).then_some(value)
}

/// The bytes of each element of an array of views; `None` if an element is not a view, or its memory was
/// transferred.
///
/// # Safety
/// As `bytes` and `element`.
pub unsafe fn all_bytes<'a>(env: sys::napi_env, array: sys::napi_value) -> Option<Vec<&'a [u8]>> {
    // SAFETY: the caller's promise.
    unsafe {
        let len = array_len(env, array)?;
        (0..len).map(|i| element(env, array, i).and_then(|view| bytes(env, view))).collect()
    }
}

/// Whether a value is `undefined`.
///
/// # Safety
/// As `is_of`.
pub unsafe fn is_undefined(env: sys::napi_env, value: sys::napi_value) -> bool {
    // SAFETY: the caller's promise.
    unsafe { is_of(env, value, sys::ValueType::napi_undefined) }
}

/// Writes a string as UTF-8 with a terminator, as much as there is room for. Returns the number of bytes
/// without the terminator; `None` if the value is not a string.
///
/// # Safety
/// `env` and `value` are those of the running callback.
#[inline]
pub unsafe fn utf8(env: sys::napi_env, value: sys::napi_value, to: &mut [u8]) -> Option<usize> {
    let mut len = 0;
    // SAFETY: Node-API writes at most `to.len()` bytes, terminator included.
    let status =
        unsafe { sys::napi_get_value_string_utf8(env, value, to.as_mut_ptr().cast(), to.len(), &mut len) };
    (status == sys::Status::napi_ok && !to.is_empty()).then_some(len)
}

/// Calls one of the facade's functions. An exception is discarded: it only means that the call had no effect.
///
/// # Errors
/// `ERR_ABORTED` if JavaScript was terminated during the call: its worker thread, or a script with a time
/// limit. Node-API clears the termination, and V8 would go on running. Therefore the caller must stop and
/// return the error.
///
/// # Safety
/// As `array_len`.
pub unsafe fn call(
    env: sys::napi_env,
    function: sys::napi_value,
    argument: sys::napi_value,
) -> Result<(), Error> {
    let (mut this, mut result, mut thrown) = (ptr::null_mut(), ptr::null_mut(), ptr::null_mut());
    // SAFETY: plain out-parameters, and one argument.
    unsafe {
        sys::napi_get_undefined(env, &mut this);
        if sys::napi_call_function(env, this, function, 1, &argument, &mut result) != sys::Status::napi_ok {
            sys::napi_get_and_clear_last_exception(env, &mut thrown);
            // A termination is not an exception object.
            if !is_of(env, thrown, sys::ValueType::napi_object) {
                return Err(Error::Aborted);
            }
        }
    }
    Ok(())
}

/// A scope for the handles that one iteration of a long loop makes.
pub struct Scope {
    env: sys::napi_env,
    scope: sys::napi_handle_scope,
}

impl Scope {
    /// # Safety
    /// `env` is that of the running callback, and the scope is dropped before it returns.
    pub unsafe fn open(env: sys::napi_env) -> Self {
        let mut scope = ptr::null_mut();
        // SAFETY: plain out-parameter.
        unsafe { sys::napi_open_handle_scope(env, &mut scope) };
        Scope { env, scope }
    }
}

impl Drop for Scope {
    fn drop(&mut self) {
        if !self.scope.is_null() {
            // SAFETY: opened by `open`, in the same callback.
            unsafe { sys::napi_close_handle_scope(self.env, self.scope) };
        }
    }
}

/// The callback's arguments and its data.
///
/// # Safety
/// `env` and `info` are those of the running callback.
#[inline]
pub unsafe fn arguments<const N: usize>(
    env: sys::napi_env,
    info: sys::napi_callback_info,
) -> ([sys::napi_value; N], *mut std::ffi::c_void) {
    let mut args = [ptr::null_mut(); N];
    let (mut count, mut data) = (N, ptr::null_mut());
    // SAFETY: there is room for N arguments; Node-API fills missing ones with undefined.
    unsafe { sys::napi_get_cb_info(env, info, &mut count, args.as_mut_ptr(), ptr::null_mut(), &mut data) };
    (args, data)
}
