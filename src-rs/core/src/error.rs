//! What can go wrong, with a frozen code for each case.
//!
//! Absent, stale, foreign and corrupt are not errors: they read as "not there". Only the caller's
//! mistakes and the system's refusals are.

use rustix::io::Errno;
use std::fmt::Display;
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
        /// What was too large, of what the caller gave.
        what: &'static str,
        /// Its size, in bytes.
        size: u64,
        /// The limit, in bytes.
        limit: u64,
        /// What the caller can do.
        remedy: &'static str,
    },
    /// See [`Code::TooLarge`]: more of something than there may be.
    #[error("there are {count} {what}, more than the {limit} allowed; {remedy}")]
    TooMany {
        /// What there is too much of, in the plural.
        what: &'static str,
        /// How many there are.
        count: usize,
        /// How many there may be.
        limit: usize,
        /// What the caller can do.
        remedy: &'static str,
    },
    /// See [`Code::TooLarge`]: the file has no room for what the caller gave.
    #[error("the shard would be {size} bytes, more than the {limit} allowed; compact it, or lower maxBytes")]
    Full {
        /// How large it would be, in bytes.
        size: u64,
        /// The limit, in bytes.
        limit: u64,
    },
    /// What is wrong with one of many that the caller gave.
    #[error("{which}: {error}")]
    OneOf {
        /// Which of them.
        which: String,
        /// What is wrong with it.
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
        /// How long we waited, in milliseconds.
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
    /// A mistake of ours, which the caller can do nothing about. There is no code for that: [`Code::Io`] is nearest, for a
    /// cache never stops its host, and the stores that do their best skip and count what fails with it.
    #[error("internal error in warmshard ({0}): please report it, with what was called")]
    Internal(String),
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

    /// The same, said of one of many, if it is about what the caller gave.
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

    /// The same answer of the system, about this file.
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

/// What the caller can do about an answer of the system.
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
    fn a_refusal_can_be_told_of_the_file_it_is_about() {
        let error = Error::io("getrandom", Path::new(""), Errno::NOSYS.into()).about(Path::new("/a.shard"));
        assert!(error.to_string().starts_with("getrandom failed on /a.shard: "), "{error}");
        assert_eq!(error.path(), Some(Path::new("/a.shard")));
    }

    #[test]
    fn a_mistake_of_ours_is_none_of_the_callers() {
        let error = Error::Internal("index out of bounds".into());
        assert_eq!(error.code().as_str(), "ERR_IO");
        assert!(error.to_string().contains("(index out of bounds): please report it"), "{error}");
        assert!(error.system().is_none() && error.path().is_none());
        // It is not said of what the caller gave, either.
        assert!(matches!(error.of("entry 1"), Error::Internal(_)));
    }

    #[test]
    fn every_refusal_tells_the_file_and_a_remedy() {
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
