//! Which files are trusted. Artifacts are executed, so whoever can write to a shard can run code.

use rustix::fs::{FileType, Mode, Stat};

/// Which owners and modes of a file are accepted.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Trust {
    /// Owned by this process' user, and writable by nobody else.
    #[default]
    Private,
    /// As `Private`, but the file's group may also write.
    Group,
    /// As `Private`, but the owner may also be root: for a system-wide read-only shard.
    System,
}

impl Trust {
    /// The value with this name, as users write it in the option.
    #[must_use]
    pub fn named(name: &str) -> Option<Self> {
        match name {
            "private" => Some(Trust::Private),
            "group" => Some(Trust::Group),
            "system" => Some(Trust::System),
            _ => None,
        }
    }

    /// `None` if the file is trusted; otherwise why not, and what the user can do about it.
    #[must_use]
    pub fn objection(self, stat: &Stat) -> Option<String> {
        if FileType::from_raw_mode(stat.st_mode) != FileType::RegularFile {
            return Some("is not a regular file; choose another path".into());
        }
        let me = rustix::process::geteuid().as_raw();
        if stat.st_uid != me && !(self == Trust::System && stat.st_uid == 0) {
            return Some(format!(
                "belongs to user {}, not to {me}; choose a path of your own, or see the option trust",
                stat.st_uid
            ));
        }
        let mode = Mode::from_raw_mode(stat.st_mode);
        let forbidden = if self == Trust::Group { Mode::WOTH } else { Mode::WGRP | Mode::WOTH };
        if mode.intersects(forbidden) {
            return Some(format!(
                "can be written by others (mode {:o}); choose a path that only you can write to, correct the mode, \
                 or see the option trust",
                mode.bits()
            ));
        }
        None
    }
}
