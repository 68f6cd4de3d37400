//! The parts of a key, and how they are kept to say later why another key is
//! another.
//!
//! What is kept is a byte or a name for each part and half of its digest: that
//! is enough to see whether two parts differ, and nothing can be read from it.

use std::fmt;
use std::sync::Arc;

use crate::digest::Digest;

/// What a result is made of.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Part {
    /// The declaration of its step.
    Signature,
    /// The program that carries it out.
    Implementation,
    /// An argument.
    Input(Arc<str>),
    /// What stands for the type parameter.
    Type,
    /// The type of the result.
    Result,
    /// The seed.
    Seed,
    /// What a model consists of, by its name.
    Model(Arc<str>),
    /// A variable of the environment.
    Environment(Arc<str>),
}

impl Part {
    /// Returns the first word of its name, and the second.
    pub(super) fn words(&self) -> (&'static str, &str) {
        match self {
            Self::Signature => ("signature", ""),
            Self::Implementation => ("implementation", ""),
            Self::Input(name) => ("input ", name),
            Self::Type => ("type", ""),
            Self::Result => ("result", ""),
            Self::Seed => ("seed", ""),
            Self::Model(name) => ("model ", name),
            Self::Environment(name) => ("environment ", name),
        }
    }

    fn code(&self) -> u8 {
        match self {
            Self::Signature => 1,
            Self::Implementation => 2,
            Self::Input(_) => 3,
            Self::Type => 4,
            Self::Result => 5,
            Self::Seed => 6,
            Self::Model(_) => 7,
            Self::Environment(_) => 8,
        }
    }
}

impl fmt::Display for Part {
    /// Writes `input prompt`.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (first, second) = self.words();
        write!(f, "{first}{second}")
    }
}

/// How much of a digest is kept.
const HALF: usize = 16;

/// The version of the kept form.
const VERSION: u8 = 1;

/// The parts of a key as they are kept.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct KeptParts(Vec<(Part, [u8; HALF])>);

/// A part in which two keys differ.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct Difference {
    /// The part.
    pub part: Part,
    /// In which way.
    pub way: Way,
}

/// How a part of a key differs from that of an earlier one.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Way {
    /// It is another.
    Other,
    /// The earlier key has no such part.
    New,
    /// Only the earlier key has it.
    Gone,
}

impl KeptParts {
    /// Takes what is kept of parts.
    pub fn of(parts: &[(Part, Digest)]) -> Self {
        let half = |digest: &Digest| {
            let mut half = [0; HALF];
            half.copy_from_slice(&digest.0[..HALF]);
            half
        };
        Self(
            parts
                .iter()
                .map(|(part, digest)| (part.clone(), half(digest)))
                .collect(),
        )
    }

    /// Returns them as bytes.
    pub fn encode(&self) -> Vec<u8> {
        let names = self.0.iter().map(|(part, _)| part.words().1.len());
        let size = 1 + names.map(|name| 3 + name + HALF).sum::<usize>();
        let mut bytes = Vec::with_capacity(size);
        bytes.push(VERSION);
        for (part, half) in &self.0 {
            bytes.push(part.code());
            let name = part.words().1.as_bytes();
            if matches!(part, Part::Input(_) | Part::Model(_) | Part::Environment(_)) {
                // A name that is longer is one of no step; it is cut.
                let length = u16::try_from(name.len()).unwrap_or(u16::MAX);
                bytes.extend_from_slice(&length.to_le_bytes());
                bytes.extend_from_slice(&name[..usize::from(length)]);
            }
            bytes.extend_from_slice(half);
        }
        bytes
    }

    /// Reads what was kept; nothing if it is damaged or of another version.
    pub fn decode(bytes: &[u8]) -> Option<Self> {
        let (version, mut rest) = bytes.split_first()?;
        if *version != VERSION {
            return None;
        }
        let mut parts = Vec::new();
        while let Some((code, behind)) = rest.split_first() {
            rest = behind;
            let mut name = || {
                let (length, behind) = rest.split_first_chunk::<2>()?;
                let length = usize::from(u16::from_le_bytes(*length));
                let (name, behind) = behind.split_at_checked(length)?;
                rest = behind;
                Some(Arc::from(String::from_utf8_lossy(name)))
            };
            let part = match code {
                1 => Part::Signature,
                2 => Part::Implementation,
                3 => Part::Input(name()?),
                4 => Part::Type,
                5 => Part::Result,
                6 => Part::Seed,
                7 => Part::Model(name()?),
                8 => Part::Environment(name()?),
                _ => return None,
            };
            let (half, behind) = rest.split_first_chunk::<HALF>()?;
            rest = behind;
            parts.push((part, *half));
        }
        Some(Self(parts))
    }

    /// Returns in which parts a key differs from an earlier one.
    pub fn differences_from(&self, earlier: &Self) -> Vec<Difference> {
        let find = |among: &Self, part: &Part| {
            let mut parts = among.0.iter();
            parts
                .find(|(other, _)| other == part)
                .map(|(_, half)| *half)
        };
        let mut found: Vec<Difference> = Vec::new();
        for (part, half) in &self.0 {
            let way = match find(earlier, part) {
                Some(other) if other == *half => continue,
                Some(_) => Way::Other,
                None => Way::New,
            };
            let part = part.clone();
            found.push(Difference { part, way });
        }
        for (part, _) in &earlier.0 {
            if find(self, part).is_none() {
                found.push(Difference {
                    part: part.clone(),
                    way: Way::Gone,
                });
            }
        }
        found.sort();
        found
    }
}

impl fmt::Display for Difference {
    /// Writes it for people: ``another `prompt` ``.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let another = match self.way {
            Way::Other => "another",
            Way::New => "a new",
            Way::Gone => "no more",
        };
        match &self.part {
            Part::Signature => f.write_str("another declaration of the step"),
            Part::Implementation => f.write_str("another program"),
            Part::Input(name) => write!(f, "{another} `{name}`"),
            Part::Type => f.write_str("another type asked for"),
            Part::Result => f.write_str("another type of the result"),
            Part::Seed => f.write_str("another seed"),
            Part::Model(name) => write!(f, "another version of the model `{name}`"),
            Part::Environment(name) => write!(f, "{another} variable `{name}`"),
        }
    }
}
