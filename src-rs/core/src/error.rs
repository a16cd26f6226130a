//! Errors, with a frozen code for each kind.
//!
//! Absent, stale, foreign and corrupt entries are not errors; they read as "not there". Errors are
//! only mistakes of the caller and failures of the system.

use rustix::io::Errno;
use std::fmt::Display;
use std::io;
use std::path::{Path, PathBuf};

/// The result of every fallible operation of the engine.
pub type Result<T> = std::result::Result<T, Error>;

/// The frozen code of a kind of failure. The codes never change; messages may.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Code {
    /// The key is empty, too long or not valid Unicode.
    InvalidKey,
    /// An argument has the wrong type or a value out of range.
    InvalidArg,
    /// An entry or a file would exceed its limit.
    TooLarge,
    /// The lock could not be taken within `lockTimeout`.
    LockTimeout,
    /// The shard was opened for reading only.
    ReadOnly,
    /// The shard was closed.
    Closed,
    /// The file is a symbolic link, not a regular file, owned by another user, or writable by others.
    UntrustedFile,
    /// A system call failed.
    Io,
    /// No space or quota is left.
    NoSpace,
    /// The caller cancelled the work.
    Aborted,
}

impl Code {
    /// The code as a string, as users see it.
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

/// An error. Its message names what it is about and what the caller can do.
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
        /// What is too large, as the message names it: "the entry", for example.
        what: &'static str,
        /// Its size, in bytes.
        size: u64,
        /// The limit, in bytes.
        limit: u64,
        /// What the caller can do.
        remedy: &'static str,
    },
    /// See [`Code::TooLarge`]: too many of something.
    #[error("there are {count} {what}, more than the {limit} allowed; {remedy}")]
    TooMany {
        /// What there are too many of, in the plural.
        what: &'static str,
        /// How many there are.
        count: usize,
        /// The limit.
        limit: usize,
        /// What the caller can do.
        remedy: &'static str,
    },
    /// See [`Code::TooLarge`]: the file would become longer than a shard can be.
    #[error("the shard would be {size} bytes, more than the {limit} allowed; compact it, or lower maxBytes")]
    Full {
        /// The length that the file would have, in bytes.
        size: u64,
        /// The limit, in bytes.
        limit: u64,
    },
    /// A mistake in one of several entries or keys that the caller gave. It has the code of that mistake.
    #[error("{which}: {error}")]
    OneOf {
        /// Which of them, as the message names it: "entry 1", for example.
        which: String,
        /// The mistake.
        error: Box<Error>,
    },
    /// See [`Code::LockTimeout`].
    #[error(
        "another process held the lock {} for longer than {waited_ms} ms; try again, or raise lockTimeout",
        path.display()
    )]
    LockTimeout {
        /// The sidecar.
        path: PathBuf,
        /// The call's `lockTimeout`, in milliseconds.
        waited_ms: u64,
    },
    /// See [`Code::ReadOnly`].
    #[error("{} was opened with readOnly; open it without readOnly to change it", .0.display())]
    ReadOnly(PathBuf),
    /// See [`Code::Closed`].
    #[error("{} is closed; open it again to use it", .0.display())]
    Closed(PathBuf),
    /// See [`Code::UntrustedFile`].
    #[error("{} is not trusted: it {reason}", path.display())]
    UntrustedFile {
        /// The file.
        path: PathBuf,
        /// What is wrong with it, and what to do about it.
        reason: String,
    },
    /// See [`Code::Io`].
    #[error("{syscall} failed on {}: {source}; {}", path.display(), remedy(source))]
    Io {
        /// The system call, or the closest name for it.
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
    /// A bug in warmshard. It has the code [`Code::Io`], because a cache must not stop its host: the best-effort stores
    /// skip and count what fails with that code.
    #[error("internal error in warmshard ({0}): please report it, with what was called")]
    Internal(String),
    /// See [`Code::Aborted`].
    #[error("the operation was aborted; nothing of it was published")]
    Aborted,
}

impl Error {
    /// The error for a failed system call: `NoSpace` if a disk, quota or file-size limit was reached, otherwise `Io`.
    pub fn io(syscall: &'static str, path: &Path, source: io::Error) -> Self {
        let path = path.to_path_buf();
        match source.kind() {
            io::ErrorKind::StorageFull | io::ErrorKind::QuotaExceeded | io::ErrorKind::FileTooLarge => {
                Error::NoSpace { syscall, path, source }
            }
            _ => Error::Io { syscall, path, source },
        }
    }

    /// Adds which of several entries or keys the error is about, if it is a mistake in what the caller gave.
    #[cold]
    #[must_use]
    pub fn of(self, which: impl Display) -> Self {
        match self {
            Error::InvalidKey(_) | Error::InvalidArg(_) | Error::TooLarge { .. } | Error::TooMany { .. } => {
                Error::OneOf { which: which.to_string(), error: Box::new(self) }
            }
            other => other,
        }
    }

    /// The same `Io` error about another file: for calls that did not know the path.
    #[must_use]
    pub fn about(self, path: &Path) -> Self {
        match self {
            Error::Io { syscall, source, .. } => Error::io(syscall, path, source),
            other => other,
        }
    }

    /// The frozen code.
    #[must_use]
    pub fn code(&self) -> Code {
        match self {
            Error::InvalidKey(_) => Code::InvalidKey,
            Error::InvalidArg(_) => Code::InvalidArg,
            Error::TooLarge { .. } | Error::TooMany { .. } | Error::Full { .. } => Code::TooLarge,
            Error::OneOf { error, .. } => error.code(),
            Error::LockTimeout { .. } => Code::LockTimeout,
            Error::ReadOnly(_) => Code::ReadOnly,
            Error::Closed(_) => Code::Closed,
            Error::UntrustedFile { .. } => Code::UntrustedFile,
            Error::Io { .. } | Error::Internal(_) => Code::Io,
            Error::NoSpace { .. } => Code::NoSpace,
            Error::Aborted => Code::Aborted,
        }
    }

    /// The system call, its error number and the file, if a system call failed.
    #[must_use]
    pub fn system(&self) -> Option<(&'static str, Option<i32>, &Path)> {
        match self {
            Error::Io { syscall, path, source } | Error::NoSpace { syscall, path, source } => {
                Some((syscall, source.raw_os_error(), path))
            }
            _ => None,
        }
    }

    /// The file that the error is about, if it is about one.
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

/// What the caller can do about a failed system call.
fn remedy(source: &io::Error) -> &'static str {
    use io::ErrorKind;
    let errno = source.raw_os_error().map(Errno::from_raw_os_error);
    match (source.kind(), errno) {
        (ErrorKind::NotFound, _) => "choose a path in a folder that exists and in which files can be made",
        (ErrorKind::PermissionDenied, _) => {
            "choose a path that this user may use, or change the owner or mode of the file and its folder"
        }
        (ErrorKind::NotADirectory, _) => "a part of the path is a file, not a folder: choose another path",
        (ErrorKind::IsADirectory, _) => "there is a folder at that path: choose another one",
        (ErrorKind::ReadOnlyFilesystem, _) => {
            "open it with readOnly, or choose a path that can be written to"
        }
        (ErrorKind::InvalidFilename, _) => "choose a shorter path",
        (_, Some(Errno::LOOP)) => "its symbolic links lead in a circle: choose another path",
        (_, Some(Errno::MFILE | Errno::NFILE)) => {
            "too many files are open: close some, or raise the limit (ulimit -n)"
        }
        (ErrorKind::OutOfMemory, _) => "free some memory, or open it with access: 'read'",
        (ErrorKind::InvalidData, _) | (_, Some(Errno::IO)) => {
            "the disk or its file system fails: look into the system's log, or choose another path"
        }
        (ErrorKind::Unsupported, _) | (_, Some(Errno::NODEV | Errno::INVAL)) => {
            "the file system there cannot do this: choose a path on a local disk"
        }
        _ => "try again, or choose another path",
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn told(errno: Errno) -> String {
        Error::io("open", Path::new("/some/file"), errno.into()).to_string()
    }

    #[test]
    fn an_io_error_without_a_path_gets_one_from_about() {
        let error = Error::io("getrandom", Path::new(""), Errno::NOSYS.into()).about(Path::new("/a.shard"));
        assert!(error.to_string().starts_with("getrandom failed on /a.shard: "), "{error}");
        assert_eq!(error.path(), Some(Path::new("/a.shard")));
    }

    #[test]
    fn an_internal_error_asks_for_a_report_and_has_the_code_of_io() {
        let error = Error::Internal("index out of bounds".into());
        assert_eq!(error.code().as_str(), "ERR_IO");
        assert!(error.to_string().contains("(index out of bounds): please report it"), "{error}");
        assert!(error.system().is_none() && error.path().is_none());
        // It is not a mistake in what the caller gave, so `of` leaves it alone.
        assert!(matches!(error.of("entry 1"), Error::Internal(_)));
    }

    #[test]
    fn every_failed_system_call_names_the_file_and_a_remedy() {
        let remedies = [
            (Errno::NOENT, "in a folder that exists"),
            (Errno::ACCESS, "owner or mode"),
            (Errno::PERM, "owner or mode"),
            (Errno::NOTDIR, "a part of the path is a file"),
            (Errno::ISDIR, "there is a folder"),
            (Errno::ROFS, "readOnly"),
            (Errno::NAMETOOLONG, "a shorter path"),
            (Errno::LOOP, "in a circle"),
            (Errno::MFILE, "ulimit -n"),
            (Errno::NOMEM, "access: 'read'"),
            (Errno::IO, "the system's log"),
            (Errno::OPNOTSUPP, "a local disk"),
            (Errno::STALE, "try again"),
            (Errno::NOSPC, "lower maxBytes"),
            (Errno::DQUOT, "lower maxBytes"),
        ];
        for (errno, remedy) in remedies {
            let told = told(errno);
            assert!(told.contains("/some/file") && told.contains(remedy), "{told}");
        }
    }
}
