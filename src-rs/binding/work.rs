//! Long work off the event loop.
//!
//! It runs on a thread of Node.js' pool with its own handle, so that the shard that JavaScript has open
//! stays usable; this one sees the result in the same way as changes by other processes.

use super::errors::raise;
use super::guard::guarded;
use super::shard::Functions;
use napi::bindgen_prelude::{External, ToNapiValue, TypeName};
use napi::{Env, Task};
use napi_derive::napi;
use std::sync::Arc;
use warmshard_core::{Error, Job};

/// The table `work`.
pub const FUNCTIONS: Functions =
    &[("begin", begin_c_callback), ("abort", abort_c_callback), ("progress", progress_c_callback)];

/// Shows the progress of some work, and can abort it.
pub struct NativeJob {
    pub(super) job: Arc<Job>,
}

/// A job of which nothing is done yet.
#[napi(no_export)]
pub fn begin() -> External<NativeJob> {
    External::new(NativeJob { job: Arc::new(Job::default()) })
}

/// Asks the work to stop early.
#[napi(no_export)]
pub fn abort(job: &External<NativeJob>) {
    job.job.abort();
}

/// The number of steps done, and of those expected.
#[napi(no_export)]
pub fn progress(job: &External<NativeJob>) -> Vec<f64> {
    let (done, total) = job.job.progress();
    vec![done as f64, total as f64]
}

type Run<T> = Box<dyn FnOnce() -> Result<T, Error> + Send>;

/// One piece of work.
pub struct Work<T> {
    run: Option<Run<T>>,
    error: Option<Error>,
}

impl<T> Work<T> {
    pub fn new(run: impl FnOnce() -> Result<T, Error> + Send + 'static) -> Self {
        Work { run: Some(Box::new(run)), error: None }
    }
}

impl<T: Send + ToNapiValue + TypeName + 'static> Task for Work<T> {
    type Output = T;
    type JsValue = T;

    fn compute(&mut self) -> napi::Result<T> {
        let Some(run) = self.run.take() else {
            return Err(napi::Error::from_reason("the work is done already"));
        };
        let result = guarded(run);
        result.map_err(|error| {
            let reason = error.to_string();
            self.error = Some(error);
            napi::Error::from_reason(reason)
        })
    }

    fn resolve(&mut self, _: Env, output: T) -> napi::Result<T> {
        Ok(output)
    }

    fn reject(&mut self, env: Env, plain: napi::Error) -> napi::Result<T> {
        Err(self.error.take().map_or(plain, |error| raise(&env, &error)))
    }
}
