//! A moment to write for a process that a signal ends.
//!
//! A listener in JavaScript would show, and a process that is too busy to hear it would not end any more. So the handler is
//! the system's: it wakes a thread of ours, which asks JavaScript to write, waits no longer than `LAST_WORDS`, puts back what
//! was there before us (Node.js has a handler of its own, which looks after the terminal), and sends the signal once more.
//! The handler takes itself away when it is called: a second signal ends the process at once. Signals that are ignored are
//! left alone, and so, by the caller, are those that the program listens for. A program that sends itself the signal goes
//! on with nothing behind it, and nothing is written.
#![allow(unsafe_code)]

use napi::bindgen_prelude::{FromNapiValue, Function};
use napi::sys;
use napi::threadsafe_function::{ThreadsafeFunction, ThreadsafeFunctionCallMode};
use std::ffi::c_int;
use std::io::{PipeReader, Read, pipe};
use std::os::fd::IntoRawFd;
use std::ptr;
use std::sync::atomic::{AtomicI32, Ordering};
use std::sync::mpsc::sync_channel;
use std::sync::{Mutex, OnceLock, PoisonError};
use std::time::Duration;
use warmshard_core::Error;

/// Longest time by which the end of a process is put off.
const LAST_WORDS: Duration = Duration::from_millis(300);

/// Signals that end a process which does not handle them, and that are sent to tell it so.
const SIGNALS: [c_int; 3] = [libc::SIGTERM, libc::SIGINT, libc::SIGHUP];

/// Gives `undefined` at once; called with nothing, and keeps no event loop alive.
type Writing = ThreadsafeFunction<(), (), (), napi::Status, false, true, 1>;

/// Where the handler tells which signal came. Never closed: a handler may hold the number.
static TOLD: AtomicI32 = AtomicI32::new(-1);
static WRITING: Mutex<Option<Writing>> = Mutex::new(None);
/// Whether the thread that listens could be started. It stays for as long as the process.
static LISTENS: OnceLock<bool> = OnceLock::new();

extern "C" fn tell(signal: c_int, info: *mut libc::siginfo_t, _: *mut libc::c_void) {
    // SAFETY: the system gives a handler with `SA_SIGINFO` what it knows of the signal; a plain system call.
    if unsafe { !info.is_null() && (*info).si_pid() == libc::getpid() } {
        return end_now(signal);
    }
    let byte = u8::try_from(signal).unwrap_or(0);
    // SAFETY: `write` may be called by a handler. The pipe never fills: each signal is told once until it is watched again.
    unsafe { libc::write(TOLD.load(Ordering::Relaxed), ptr::from_ref(&byte).cast(), 1) };
}

/// Ends a process that has sent itself a signal, when the handler returns: whoever does so counts on it.
fn end_now(signal: c_int) {
    // The system has put back its own way of ending; Node.js', before us, looks after the terminal. A handler waits for nobody.
    if let Ok(before) = BEFORE.try_lock()
        && let Some(at) = SIGNALS.iter().position(|known| *known == signal)
        && let Some(before) = before.get(at).and_then(Option::as_ref)
    {
        set(signal, before);
    }
    // SAFETY: the signal that was sent to this process, once more. It waits until its handler, which we are, has returned.
    unsafe { libc::kill(libc::getpid(), signal) };
}

/// What signals did before, by their place in `SIGNALS`.
static BEFORE: Mutex<[Option<libc::sigaction>; SIGNALS.len()]> = Mutex::new([None; SIGNALS.len()]);

/// What a signal does; `None` where the system does not tell.
fn action(signal: c_int) -> Option<libc::sigaction> {
    // SAFETY: all zeros are a value of it; a plain out-parameter.
    unsafe {
        let mut action = std::mem::zeroed::<libc::sigaction>();
        (libc::sigaction(signal, ptr::null(), &raw mut action) == 0).then_some(action)
    }
}

/// Sets what a signal does.
fn set(signal: c_int, action: &libc::sigaction) {
    // SAFETY: an action that was in place before, or one of `tell`.
    unsafe { libc::sigaction(signal, action, ptr::null_mut()) };
}

fn ours() -> libc::sigaction {
    // SAFETY: all zeros are a value of it.
    let mut action = unsafe { std::mem::zeroed::<libc::sigaction>() };
    let tell = tell as extern "C" fn(c_int, *mut libc::siginfo_t, *mut libc::c_void);
    action.sa_sigaction = tell as libc::sighandler_t;
    action.sa_flags = libc::SA_RESETHAND | libc::SA_RESTART | libc::SA_SIGINFO;
    action
}

/// Puts back what was there before us, where nobody has put something else there since. `called`: the signal whose handler
/// has taken itself away.
fn put_back(called: Option<c_int>) {
    let mut before = BEFORE.lock().unwrap_or_else(PoisonError::into_inner);
    for (signal, before) in SIGNALS.into_iter().zip(before.iter_mut()) {
        let now = action(signal).map(|action| action.sa_sigaction);
        let expected = if called == Some(signal) { libc::SIG_DFL } else { ours().sa_sigaction };
        if let Some(before) = before.take().filter(|_| now == Some(expected)) {
            set(signal, &before);
        }
    }
}

/// The thread: waits for signals, has JavaScript write, and lets the process end.
fn listen(mut told: PipeReader) {
    let mut byte = [0u8];
    while told.read_exact(&mut byte).is_ok() {
        let (written, wait) = sync_channel(1);
        if let Some(writing) = &*WRITING.lock().unwrap_or_else(PoisonError::into_inner) {
            writing.call_with_return_value((), ThreadsafeFunctionCallMode::NonBlocking, move |_, _| {
                // Nobody waits any more where it took too long.
                let _ = written.try_send(());
                Ok(())
            });
        }
        // Without the mutex, which `ignore` takes. Where the call was refused the channel is closed: nothing is waited for.
        let _ = wait.recv_timeout(LAST_WORDS);
        let signal = c_int::from(byte[0]);
        put_back(Some(signal));
        // SAFETY: the signal that was sent to this process, once more.
        unsafe { libc::kill(libc::getpid(), signal) };
    }
}

fn listens() -> bool {
    *LISTENS.get_or_init(|| {
        let Ok((reader, writer)) = pipe() else { return false };
        TOLD.store(writer.into_raw_fd(), Ordering::Relaxed);
        std::thread::Builder::new().name("warmshard-end".into()).spawn(|| listen(reader)).is_ok()
    })
}

/// Has a function called before a signal ends the process, until `ignore` is called.
///
/// `among`: a bit for each of `SIGNALS` that the program does not listen for.
///
/// # Errors
/// `ERR_INVALID_ARG` where it is no function.
pub fn watch(env: sys::napi_env, function: sys::napi_value, among: u32) -> Result<(), Error> {
    let no_function = |_| Error::InvalidArg("what to call before the end must be a function".into());
    // SAFETY: those of the running callback.
    let function = unsafe { Function::<'_, (), ()>::from_napi_value(env, function) }.map_err(no_function)?;
    let writing = function
        .build_threadsafe_function::<()>()
        .weak::<true>()
        .max_queue_size::<1>()
        .build()
        .map_err(no_function)?;
    if !listens() {
        return Ok(());
    }
    *WRITING.lock().unwrap_or_else(PoisonError::into_inner) = Some(writing);
    let mut before = BEFORE.lock().unwrap_or_else(PoisonError::into_inner);
    for ((bit, signal), before) in SIGNALS.into_iter().enumerate().zip(before.iter_mut()) {
        *before = action(signal).filter(|action| {
            among & (1 << bit) != 0 && ![libc::SIG_IGN, ours().sa_sigaction].contains(&action.sa_sigaction)
        });
        if before.is_some() {
            set(signal, &ours());
        }
    }
    Ok(())
}

/// From now on signals do what they did before.
pub fn ignore() {
    put_back(None);
    WRITING.lock().unwrap_or_else(PoisonError::into_inner).take();
}
