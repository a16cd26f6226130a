//! The kind of a shard file: which store it belongs to.

/// Which store a file belongs to. A file of another kind reads as empty, because stores keep different things
/// under the same keys.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Kind {
    /// A plain shard, with whatever the caller stores.
    #[default]
    Shard,
    /// A script cache: artifacts of scripts, by canonical path.
    Script,
    /// An autoload cache: artifacts of functions, by name.
    Autoload,
    /// The index of an artifact store.
    Artifact,
    /// A program cache: modules and resolutions.
    Program,
}

impl Kind {
    const ALL: [Kind; 5] = [Kind::Shard, Kind::Script, Kind::Autoload, Kind::Artifact, Kind::Program];

    /// Its name, as it is stored in the file.
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

    /// The kind with this name.
    #[must_use]
    pub fn named(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|kind| kind.name() == name)
    }

    /// Its name, padded with zeros, as it is stored in a header.
    #[must_use]
    pub fn encode(self) -> [u8; 16] {
        let mut bytes = [0; 16];
        for (to, from) in bytes.iter_mut().zip(self.name().bytes()) {
            *to = from;
        }
        bytes
    }

    /// The kind with this padded name. `None` if the name is unknown: the file is of a later version, or damaged.
    #[must_use]
    pub fn decode(bytes: &[u8; 16]) -> Option<Self> {
        Self::ALL.into_iter().find(|kind| kind.encode() == *bytes)
    }
}
