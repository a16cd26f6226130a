//! The entries of a batch, read from the facade's arrays.
#![allow(unsafe_code)]

use super::hot::Parts;
use super::raw::{KeyBuffer, Scope, array_len, bytes, element, is_undefined, prefetch};
use napi::sys;
use std::ptr;
use warmshard_core::Error;

/// Three arrays of the facade's: keys, values, and metadata blocks or `undefined`. No blocks at all mean that no
/// entry has any.
pub struct Entries {
    pub env: sys::napi_env,
    pub keys: sys::napi_value,
    pub values: sys::napi_value,
    pub metas: sys::napi_value,
}

/// Entries whose values are looked up before the first of them is taken: their bytes are on the way to the processor
/// meanwhile.
const GROUP: usize = 16;

impl Entries {
    /// Hands out each entry: key, parts, and block.
    pub fn each(
        &self,
        mut take: impl FnMut(&[u8], &[&[u8]], Option<&[u8]>) -> Result<(), Error>,
    ) -> Result<(), Error> {
        let env = self.env;
        let mut buffer = KeyBuffer::new();
        let wrong = |i: u32| Error::InvalidArg(format!("entry {i} of the batch is not a key and a value"));
        // SAFETY: values of the running callback. The arrays are the facade's own plain ones, so that no
        // user code runs between here and the end of `take`, which must not call into JavaScript. They hold
        // the views whose memory `group` refers to.
        unsafe {
            let len = array_len(env, self.keys).unwrap_or(0);
            let has_metas = array_len(env, self.metas).is_some_and(|len| len > 0);
            for from in (0..len).step_by(GROUP) {
                let indices = from..len;
                let _scope = Scope::open(env);
                let mut group = [(ptr::null_mut(), None); GROUP];
                for (i, slot) in indices.clone().zip(&mut group) {
                    let value = element(env, self.values, i).ok_or_else(|| wrong(i))?;
                    let view = bytes(env, value);
                    prefetch(view.unwrap_or_default());
                    *slot = (value, view);
                }
                for (i, (value, view)) in indices.zip(&group) {
                    let key = element(env, self.keys, i).ok_or_else(|| wrong(i))?;
                    let key = buffer.read(env, key)?;
                    let meta = if has_metas { element(env, self.metas, i) } else { None };
                    let meta = meta.filter(|m| !is_undefined(env, *m)).and_then(|m| bytes(env, m));
                    match view {
                        Some(view) => take(key, std::slice::from_ref(view), meta)?,
                        None => take(key, Parts::read(env, *value)?.as_slice(), meta)?,
                    }
                }
            }
        }
        Ok(())
    }
}
