//! What a shard file is used for: the store that it belongs to.

/// What a file is used for. A file of another kind reads as empty: what one store keeps under a key means
/// nothing to the others.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Kind {
    /// Whatever the caller keeps.
    #[default]
    Shard,
    /// Artifacts of scripts, by canonical path.
    Script,
    /// Artifacts of functions, by name.
    Autoload,
    /// The index of an artifact store.
    Artifact,
    /// Modules and resolutions of programs.
    Program,
}

impl Kind {
    const ALL: [Kind; 5] = [Kind::Shard, Kind::Script, Kind::Autoload, Kind::Artifact, Kind::Program];

    /// Its name, as it stands in the file.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Kind::Shard => "shard",
            Kind::Script => "script",
            Kind::Autoload => "autoload",
            Kind::Artifact => "artifact",
            Kind::Program => "program",
        }
    }

    /// The kind of that name.
    #[must_use]
    pub fn named(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|kind| kind.name() == name)
    }

    /// Its name, padded with zeros.
    #[must_use]
    pub fn encode(self) -> [u8; 16] {
        let mut bytes = [0; 16];
        for (to, from) in bytes.iter_mut().zip(self.name().bytes()) {
            *to = from;
        }
        bytes
    }

    /// The kind of a padded name; `None` for one of a later version, or damage.
    #[must_use]
    pub fn decode(bytes: &[u8; 16]) -> Option<Self> {
        Self::ALL.into_iter().find(|kind| kind.encode() == *bytes)
    }
}
