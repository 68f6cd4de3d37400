//! What can be said of a mapping and its keys. What is said of each is in the
//! module `keys`.

/// A mapping with fixed keys.
#[derive(Debug, Clone, Copy)]
pub struct Mapping {
    /// What messages call it.
    pub name: &'static str,
    /// What it is for, in one line.
    pub doc: &'static str,
    /// Its keys.
    pub keys: &'static [Key],
}

/// A key of a mapping.
#[derive(Debug, Clone, Copy)]
pub struct Key {
    /// The word.
    pub name: &'static str,
    /// What stands behind it.
    pub shape: Shape,
    /// Whether it must be there.
    pub need: Need,
    /// What it is for, in one line.
    pub doc: &'static str,
}

/// Whether a key must be there.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Need {
    /// It must.
    Required,
    /// It may.
    Optional,
}

/// What stands behind a key.
#[derive(Debug, Clone, Copy)]
pub enum Shape {
    /// Text of the workflow language; `${…}` around it is not needed.
    Language(Fragment),
    /// A text as it is.
    Verbatim,
    /// One of these words.
    Word(&'static [&'static str]),
    /// `true` or `false`.
    Flag,
    /// A value: text unless wholly `${…}`, lists, records.
    Value,
    /// A mapping with fixed keys.
    Mapping(&'static Mapping),
    /// An item of `steps` or `do`: one of [`ITEMS`](super::keys::ITEMS).
    Item,
    /// A mapping whose keys the author chooses.
    Named(&'static Shape),
    /// A list.
    List(&'static Shape),
    /// One of several.
    Either(&'static [Shape]),
}

/// What a text of the workflow language says.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Fragment {
    /// An expression.
    Expression,
    /// A type.
    Type,
    /// A type, perhaps `const` before it and `= default` behind it.
    Field,
    /// `$2 per day or ask`
    Budget,
    /// `3 backoff 1s..30s on timeout`
    Retry,
    /// `on`, `off` or a duration.
    Cache,
    /// `pure | read`
    Effects,
    /// `x in xs`
    ForHead,
    /// `s: State`
    RepeatHead,
    /// `gen.text<T>`
    CallHead,
    /// `(prompt: text, count: int = 1)`
    Params,
    /// `noir | wide "16:9"`
    Variants,
    /// A name.
    Name,
    /// A dotted name.
    Path,
    /// A literal.
    Literal,
    /// `webhook "/x" body T`
    TriggerOn,
    /// `all max 3`
    Catchup,
    /// `email "…" on failure`
    Notify,
    /// `timeout times 2`
    Fails,
}

impl Mapping {
    /// Returns the description of a key.
    pub fn key(&self, name: &str) -> Option<&'static Key> {
        self.keys.iter().find(|key| key.name == name)
    }

    /// Returns the words of all keys.
    pub fn names(&self) -> impl Iterator<Item = &'static str> + use<> {
        self.keys.iter().map(|key| key.name)
    }
}
