//! What can go wrong, with a frozen code for each case.
//!
//! Absent, stale, foreign and corrupt are not errors: they read as "not there". Only the caller's
//! mistakes and the system's refusals are.

use std::io;
use std::path::{Path, PathBuf};

/// The result of every fallible operation of the engine.
pub type Result<T> = std::result::Result<T, Error>;

/// A frozen name for a kind of failure. The strings never change; messages may.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Code {
    /// The key is empty, too long or not valid Unicode.
    InvalidKey,
    /// An argument has the wrong type or a value out of range.
    InvalidArg,
    /// An entry or a file would exceed its limit.
    TooLarge,
    /// The lock was not to be had in time.
    LockTimeout,
    /// The shard was opened for reading only.
    ReadOnly,
    /// The shard was closed.
    Closed,
    /// The file is a link, not a regular file, or others may write to it.
    UntrustedFile,
    /// The system refused an operation.
    Io,
    /// No space or quota is left.
    NoSpace,
    /// The caller cancelled the work.
    Aborted,
}

impl Code {
    /// The code as users see it.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Code::InvalidKey => "ERR_INVALID_KEY",
            Code::InvalidArg => "ERR_INVALID_ARG",
            Code::TooLarge => "ERR_TOO_LARGE",
            Code::LockTimeout => "ERR_LOCK_TIMEOUT",
            Code::ReadOnly => "ERR_READ_ONLY",
            Code::Closed => "ERR_CLOSED",
            Code::UntrustedFile => "ERR_UNTRUSTED_FILE",
            Code::Io => "ERR_IO",
            Code::NoSpace => "ERR_NO_SPACE",
            Code::Aborted => "ERR_ABORTED",
        }
    }
}

/// A failure, with what it happened to and what to do about it.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// See [`Code::InvalidKey`].
    #[error("the key {0}")]
    InvalidKey(String),
    /// See [`Code::InvalidArg`].
    #[error("{0}")]
    InvalidArg(String),
    /// See [`Code::TooLarge`].
    #[error("{what} is {size} bytes, more than the {limit} allowed; {remedy}")]
    TooLarge {
        /// What was too large.
        what: &'static str,
        /// Its size, in bytes.
        size: u64,
        /// The limit, in bytes.
        limit: u64,
        /// What the caller can do.
        remedy: &'static str,
    },
    /// See [`Code::LockTimeout`].
    #[error(
        "another process held the lock {} for longer than {waited_ms} ms; try again, or raise lockTimeout",
        path.display()
    )]
    LockTimeout {
        /// The sidecar.
        path: PathBuf,
        /// How long we waited, in milliseconds.
        waited_ms: u64,
    },
    /// See [`Code::ReadOnly`].
    #[error("{} was opened with readOnly; open it without to change it", .0.display())]
    ReadOnly(PathBuf),
    /// See [`Code::Closed`].
    #[error("{} is closed; open it again to use it", .0.display())]
    Closed(PathBuf),
    /// See [`Code::UntrustedFile`].
    #[error("{} is not trusted: it {reason}; remove it, or choose a path that only you can write to", path.display())]
    UntrustedFile {
        /// The file.
        path: PathBuf,
        /// What is wrong with it.
        reason: String,
    },
    /// See [`Code::Io`].
    #[error("{syscall} failed on {}: {source}", path.display())]
    Io {
        /// The system call, or the nearest name for it.
        syscall: &'static str,
        /// The file.
        path: PathBuf,
        /// The system's answer.
        source: io::Error,
    },
    /// See [`Code::NoSpace`].
    #[error("no space left for {} ({syscall}: {source}); free some, or lower maxBytes", path.display())]
    NoSpace {
        /// The system call.
        syscall: &'static str,
        /// The file.
        path: PathBuf,
        /// The system's answer.
        source: io::Error,
    },
    /// See [`Code::Aborted`].
    #[error("the operation was aborted; nothing of it was published")]
    Aborted,
}

impl Error {
    /// Wraps an answer of the system.
    pub fn io(syscall: &'static str, path: &Path, source: io::Error) -> Self {
        let path = path.to_path_buf();
        match source.kind() {
            io::ErrorKind::StorageFull | io::ErrorKind::QuotaExceeded | io::ErrorKind::FileTooLarge => {
                Error::NoSpace { syscall, path, source }
            }
            _ => Error::Io { syscall, path, source },
        }
    }

    /// The frozen code.
    #[must_use]
    pub fn code(&self) -> Code {
        match self {
            Error::InvalidKey(_) => Code::InvalidKey,
            Error::InvalidArg(_) => Code::InvalidArg,
            Error::TooLarge { .. } => Code::TooLarge,
            Error::LockTimeout { .. } => Code::LockTimeout,
            Error::ReadOnly(_) => Code::ReadOnly,
            Error::Closed(_) => Code::Closed,
            Error::UntrustedFile { .. } => Code::UntrustedFile,
            Error::Io { .. } => Code::Io,
            Error::NoSpace { .. } => Code::NoSpace,
            Error::Aborted => Code::Aborted,
        }
    }

    /// The system call, error number and file, where the system refused something.
    #[must_use]
    pub fn system(&self) -> Option<(&'static str, Option<i32>, &Path)> {
        match self {
            Error::Io { syscall, path, source } | Error::NoSpace { syscall, path, source } => {
                Some((syscall, source.raw_os_error(), path))
            }
            _ => None,
        }
    }

    /// The file that the error is about, where there is one.
    #[must_use]
    pub fn path(&self) -> Option<&Path> {
        match self {
            Error::LockTimeout { path, .. }
            | Error::ReadOnly(path)
            | Error::Closed(path)
            | Error::UntrustedFile { path, .. }
            | Error::Io { path, .. }
            | Error::NoSpace { path, .. } => Some(path),
            _ => None,
        }
    }
}
