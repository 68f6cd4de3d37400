//! The filters and tests that templates have.

macro_rules! words {
    ($(#[doc = $about:literal])* $name:ident { $($(#[doc = $doc:literal])* $variant:ident = $word:literal, $least:literal ..= $most:literal;)* }) => {
        $(#[doc = $about])*
        #[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
        pub enum $name { $($(#[doc = $doc])* $variant,)* }

        impl $name {
            /// All of them, in the order in which they are documented.
            pub const ALL: &[Self] = &[$(Self::$variant,)*];

            /// Returns its name in templates.
            pub fn word(self) -> &'static str {
                match self { $(Self::$variant => $word,)* }
            }

            /// Returns what it does, in one line.
            pub fn about(self) -> &'static str {
                match self { $(Self::$variant => concat!($($doc),*).trim_ascii(),)* }
            }

            /// Returns the least and the greatest number of its arguments.
            pub fn arity(self) -> (usize, usize) {
                match self { $(Self::$variant => ($least, $most),)* }
            }
        }
    };
}

words! {
    /// A filter: `value | filter`.
    Filter {
        /// A text in capitals.
        Upper = "upper", 0..=0;
        /// A text in small letters.
        Lower = "lower", 0..=0;
        /// A text with every word capitalized.
        Title = "title", 0..=0;
        /// A text with its first letter as a capital and the rest in small letters.
        Capitalize = "capitalize", 0..=0;
        /// A text without blanks around it.
        Trim = "trim", 0..=0;
        /// A text with every occurrence of a part replaced.
        Replace = "replace", 2..=2;
        /// A text cut at a separator.
        Split = "split", 1..=1;
        /// The items as one text, with a separator.
        Join = "join", 0..=1;
        /// The number of items, entries or characters.
        Length = "length", 0..=0;
        /// The first item, if there is one.
        First = "first", 0..=0;
        /// The last item, if there is one.
        Last = "last", 0..=0;
        /// The value, or this one if it is missing.
        Default = "default", 1..=1;
        /// A number rounded to so many decimals.
        Round = "round", 0..=1;
        /// A number without its fraction.
        Int = "int", 0..=0;
        /// A whole number as one with a fraction.
        Float = "float", 0..=0;
        /// A value as it would be written.
        String = "string", 0..=0;
        /// A number without its sign.
        Abs = "abs", 0..=0;
        /// The sum of the items.
        Sum = "sum", 0..=0;
        /// The least item, if there is one.
        Min = "min", 0..=0;
        /// The greatest item, if there is one.
        Max = "max", 0..=0;
        /// The items in ascending order.
        Sort = "sort", 0..=0;
        /// The items without repetitions.
        Unique = "unique", 0..=0;
        /// The items from last to first.
        Reverse = "reverse", 0..=0;
        /// The value as JSON.
        Json = "json", 0..=0;
        /// A text with so many blanks before every line but the first.
        Indent = "indent", 1..=1;
        /// A text cut to so many characters, the last of them `…`.
        Truncate = "truncate", 1..=1;
        /// The number of words.
        Wordcount = "wordcount", 0..=0;
    }
}

words! {
    /// A test: `value is test`.
    Test {
        /// Whether the value is there.
        Defined = "defined", 0..=0;
        /// Whether the value is missing.
        Undefined = "undefined", 0..=0;
        /// Whether the value is missing.
        None = "none", 0..=0;
        /// Whether a whole number is odd.
        Odd = "odd", 0..=0;
        /// Whether a whole number is even.
        Even = "even", 0..=0;
        /// Whether a whole number is a multiple of another.
        Divisibleby = "divisibleby", 1..=1;
    }
}

impl Filter {
    /// Finds a filter by its name, or by the other one minijinja knows it by.
    pub fn from_word(word: &str) -> Option<Self> {
        match word {
            "tojson" => Some(Self::Json),
            "count" => Some(Self::Length),
            "d" => Some(Self::Default),
            _ => Self::ALL
                .iter()
                .copied()
                .find(|filter| filter.word() == word),
        }
    }
}

impl Test {
    /// Finds a test by its name.
    pub fn from_word(word: &str) -> Option<Self> {
        Self::ALL.iter().copied().find(|test| test.word() == word)
    }
}
