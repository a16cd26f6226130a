//! Lets a process write before a signal ends it.
//!
//! A listener in JavaScript would be visible to the program, and a busy process would no longer end. So this
//! is a signal handler of the system. It wakes a thread, which asks JavaScript to write, waits for at most
//! `LAST_WORDS`, restores the former handler (Node.js has one that resets the terminal), and sends the signal
//! again. The handler removes itself when it is called, so that a second signal ends the process at once.
//! Signals that are ignored are left alone; the caller leaves out those that the program listens for. If the
//! program has sent itself the signal, nothing is written: the process must end before the program's next
//! statement.
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

/// Longest time by which the end of a process is delayed.
const LAST_WORDS: Duration = Duration::from_millis(300);

/// Signals that ask a process to end.
const SIGNALS: [c_int; 3] = [libc::SIGTERM, libc::SIGINT, libc::SIGHUP];

/// The function that writes: without arguments or result; does not keep the event loop alive.
type Writing = ThreadsafeFunction<(), (), (), napi::Status, false, true, 1>;

/// The pipe into which the handler writes the signal's number. Never closed, because a handler may be using it.
static TOLD: AtomicI32 = AtomicI32::new(-1);
static WRITING: Mutex<Option<Writing>> = Mutex::new(None);
/// Whether the listening thread could be started. It runs until the process ends.
static LISTENS: OnceLock<bool> = OnceLock::new();

extern "C" fn tell(signal: c_int, info: *mut libc::siginfo_t, _: *mut libc::c_void) {
    // SAFETY: with `SA_SIGINFO` the system passes a valid `siginfo_t`; a plain system call.
    if unsafe { !info.is_null() && (*info).si_pid() == libc::getpid() } {
        return end_now(signal);
    }
    let byte = u8::try_from(signal).unwrap_or(0);
    // SAFETY: `write` is async-signal-safe. The pipe never fills, because `SA_RESETHAND` lets each signal be
    // written only once until it is watched again.
    unsafe { libc::write(TOLD.load(Ordering::Relaxed), ptr::from_ref(&byte).cast(), 1) };
}

/// Ends a process that has sent itself a signal, as soon as the handler returns.
fn end_now(signal: c_int) {
    // The system has restored the default action. Node.js' handler, which was there before, resets the
    // terminal. A handler must not block, so without the lock it stays at the default.
    if let Ok(before) = BEFORE.try_lock()
        && let Some(at) = SIGNALS.iter().position(|known| *known == signal)
        && let Some(before) = before.get(at).and_then(Option::as_ref)
    {
        set(signal, before);
    }
    // SAFETY: sends this process the same signal again, which stays blocked until this handler returns.
    unsafe { libc::kill(libc::getpid(), signal) };
}

/// The former actions of the signals, in the order of `SIGNALS`.
static BEFORE: Mutex<[Option<libc::sigaction>; SIGNALS.len()]> = Mutex::new([None; SIGNALS.len()]);

/// The action of a signal; `None` if the system call fails.
fn action(signal: c_int) -> Option<libc::sigaction> {
    // SAFETY: all zeros are a valid `sigaction`; a plain out-parameter.
    unsafe {
        let mut action = std::mem::zeroed::<libc::sigaction>();
        (libc::sigaction(signal, ptr::null(), &raw mut action) == 0).then_some(action)
    }
}

/// Sets the action of a signal.
fn set(signal: c_int, action: &libc::sigaction) {
    // SAFETY: an action that was in place before, or that of `ours`.
    unsafe { libc::sigaction(signal, action, ptr::null_mut()) };
}

fn ours() -> libc::sigaction {
    // SAFETY: all zeros are a valid `sigaction`.
    let mut action = unsafe { std::mem::zeroed::<libc::sigaction>() };
    let tell = tell as extern "C" fn(c_int, *mut libc::siginfo_t, *mut libc::c_void);
    action.sa_sigaction = tell as libc::sighandler_t;
    action.sa_flags = libc::SA_RESETHAND | libc::SA_RESTART | libc::SA_SIGINFO;
    action
}

/// Restores the former actions, except where another one has been set in the meantime. `called` is the signal
/// whose handler has removed itself.
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

/// The thread: waits for signals, lets JavaScript write, and ends the process.
fn listen(mut told: PipeReader) {
    let mut byte = [0u8];
    while told.read_exact(&mut byte).is_ok() {
        let (written, wait) = sync_channel(1);
        if let Some(writing) = &*WRITING.lock().unwrap_or_else(PoisonError::into_inner) {
            writing.call_with_return_value((), ThreadsafeFunctionCallMode::NonBlocking, move |_, _| {
                // If it took too long, the thread no longer waits.
                let _ = written.try_send(());
                Ok(())
            });
        }
        // Waits without holding the mutex, because `ignore` takes it. If the call was refused, the channel is
        // closed and this returns at once.
        let _ = wait.recv_timeout(LAST_WORDS);
        let signal = c_int::from(byte[0]);
        put_back(Some(signal));
        // SAFETY: sends this process the same signal again.
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

/// Lets a function be called before a signal ends the process, until `ignore` is called.
///
/// `among` has a bit for each of `SIGNALS` that the program does not listen for.
///
/// # Errors
/// `ERR_INVALID_ARG` if it is not a function.
pub fn watch(env: sys::napi_env, function: sys::napi_value, among: u32) -> Result<(), Error> {
    let no_function = |_| Error::InvalidArg("what to call before the end must be a function".into());
    // SAFETY: `env` and all values are those of the running callback.
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

/// Restores the former actions of the signals.
pub fn ignore() {
    put_back(None);
    WRITING.lock().unwrap_or_else(PoisonError::into_inner).take();
}
