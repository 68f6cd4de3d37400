//! What we tell an author about a file, as plain data. Rendering is the
//! caller's business; collecting is done in [`Diagnostics`].

use crate::span::Span;

/// How bad it is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Severity {
    /// The file can be used; something in it is probably not what was meant.
    Warning,
    /// The file can't be used.
    Error,
}

impl Severity {
    /// Returns the word that is shown.
    pub fn word(self) -> &'static str {
        match self {
            Self::Warning => "warning",
            Self::Error => "error",
        }
    }
}

/// The name of a kind of diagnostic. Each has a page in `docs/diagnostics/`.
///
/// Codes are constants, made by [`codes!`](macro@crate::codes) in the crate that
/// reports them.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub struct Code {
    /// The word that is shown, searched for and never changed.
    pub name: &'static str,
    /// How bad it is, always.
    pub severity: Severity,
    /// What it says, in one line, for lists of codes.
    pub summary: &'static str,
}

/// Declares codes as constants and lists them in `ALL`.
#[macro_export]
macro_rules! codes {
    ($($constant:ident = $severity:ident $name:literal, $summary:literal;)*) => {
        $(
            #[doc = $summary]
            pub const $constant: $crate::diagnostic::Code = $crate::diagnostic::Code {
                name: $name,
                severity: $crate::diagnostic::Severity::$severity,
                summary: $summary,
            };
        )*
        /// All codes of this module, in the order in which they are declared.
        pub const ALL: &[$crate::diagnostic::Code] = &[$($constant),*];
    };
}

/// A place and what is to be said about it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Label {
    /// The place.
    pub span: Span,
    /// A lower-case fragment, possibly empty.
    pub text: String,
}

/// Whether a fix may be applied without asking.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Certainty {
    /// It says what the author meant; `--fix` applies it.
    Certain,
    /// It is a good guess; it is only shown.
    Likely,
}

/// A change of text.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Edit {
    /// What is replaced; empty to insert.
    pub span: Span,
    /// What stands there afterwards.
    pub text: String,
}

/// A change that answers a diagnostic.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Fix {
    /// What it does, as an imperative fragment: “write `prompt`”.
    pub title: String,
    /// Whether it may be applied without asking.
    pub certainty: Certainty,
    /// The changes; they do not overlap.
    pub edits: Vec<Edit>,
}

/// One message about a file.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Diagnostic {
    /// What kind of message it is.
    pub code: Code,
    /// What went wrong: a lower-case fragment in the author's words.
    pub message: String,
    /// Where it went wrong.
    pub primary: Label,
    /// The other places involved.
    pub others: Vec<Label>,
    /// What to do about it, a fragment each.
    pub helps: Vec<String>,
    /// A change that mends it.
    pub fix: Option<Fix>,
}

impl Diagnostic {
    /// Makes a diagnostic with an empty label at its place.
    pub fn new(code: Code, span: Span, message: impl Into<String>) -> Self {
        Self {
            code,
            message: message.into(),
            primary: Label {
                span,
                text: String::new(),
            },
            others: Vec::new(),
            helps: Vec::new(),
            fix: None,
        }
    }

    /// Says something about the place itself.
    #[must_use]
    pub fn label(mut self, text: impl Into<String>) -> Self {
        self.primary.text = text.into();
        self
    }

    /// Points at another place involved.
    #[must_use]
    pub fn other(mut self, span: Span, text: impl Into<String>) -> Self {
        let text = text.into();
        self.others.push(Label { span, text });
        self
    }

    /// Says what to do.
    #[must_use]
    pub fn help(mut self, text: impl Into<String>) -> Self {
        self.helps.push(text.into());
        self
    }

    /// Offers to replace the text at a place.
    #[must_use]
    pub fn fix(
        self,
        certainty: Certainty,
        title: impl Into<String>,
        span: Span,
        text: impl Into<String>,
    ) -> Self {
        let text = text.into();
        self.fix_all(certainty, title, vec![Edit { span, text }])
    }

    /// Offers several replacements as one fix.
    #[must_use]
    pub fn fix_all(
        mut self,
        certainty: Certainty,
        title: impl Into<String>,
        edits: Vec<Edit>,
    ) -> Self {
        self.fix = Some(Fix {
            title: title.into(),
            certainty,
            edits,
        });
        self
    }

    /// Returns whether it stops the file from being used.
    pub fn is_error(&self) -> bool {
        self.code.severity == Severity::Error
    }
}

/// Diagnostics as they come.
#[derive(Debug, Clone, Default)]
pub struct Diagnostics {
    list: Vec<Diagnostic>,
}

impl Diagnostics {
    /// Adds one.
    pub fn push(&mut self, diagnostic: Diagnostic) {
        self.list.push(diagnostic);
    }

    /// Adds all of another collection.
    pub fn extend(&mut self, other: impl IntoIterator<Item = Diagnostic>) {
        self.list.extend(other);
    }

    /// Returns whether nothing was reported.
    pub fn is_empty(&self) -> bool {
        self.list.is_empty()
    }

    /// Returns whether any of them is an error.
    pub fn has_errors(&self) -> bool {
        self.list.iter().any(Diagnostic::is_error)
    }

    /// Looks at them as they came.
    pub fn iter(&self) -> std::slice::Iter<'_, Diagnostic> {
        self.list.iter()
    }

    /// Returns them in the order of their places, without repetitions.
    pub fn into_sorted(self) -> Vec<Diagnostic> {
        let mut list = self.list;
        list.sort_by(|a, b| {
            let place = |d: &Diagnostic| (d.primary.span, d.code.name);
            place(a)
                .cmp(&place(b))
                .then_with(|| a.message.cmp(&b.message))
        });
        list.dedup_by(|a, b| {
            a.code == b.code && a.primary.span == b.primary.span && a.message == b.message
        });
        list
    }
}

impl IntoIterator for Diagnostics {
    type Item = Diagnostic;
    type IntoIter = std::vec::IntoIter<Diagnostic>;

    fn into_iter(self) -> Self::IntoIter {
        self.list.into_iter()
    }
}

impl<'a> IntoIterator for &'a Diagnostics {
    type Item = &'a Diagnostic;
    type IntoIter = std::slice::Iter<'a, Diagnostic>;

    fn into_iter(self) -> Self::IntoIter {
        self.iter()
    }
}

/// Returns the candidate that the author most likely meant, if one is near.
///
/// Near is: the same but for case, `-` and `_`; or at most a third of the
/// letters away, neighbours swapped counting once.
pub fn nearest<'a>(word: &str, candidates: impl IntoIterator<Item = &'a str>) -> Option<&'a str> {
    let plain = |text: &str| -> String {
        text.chars()
            .filter(|c| !matches!(c, '-' | '_' | ' '))
            .flat_map(char::to_lowercase)
            .collect()
    };
    let wanted: Vec<char> = plain(word).chars().take(64).collect();
    let allowed = (wanted.len() / 3).clamp(1, 4);
    let mut best: Option<(usize, &'a str)> = None;
    for candidate in candidates.into_iter().take(CANDIDATES_MAX) {
        let other: Vec<char> = plain(candidate).chars().take(64).collect();
        if wanted.len().abs_diff(other.len()) > allowed {
            continue;
        }
        let distance = edit_distance(&wanted, &other);
        // A word of one or two letters is near to nothing but itself.
        if distance > allowed || (distance > 0 && wanted.len() < 3) {
            continue;
        }
        if best.is_none_or(|(least, _)| distance < least) {
            best = Some((distance, candidate));
        }
    }
    best.map(|(_, candidate)| candidate)
}

/// How many candidates are looked at: a text with thousands of names and as
/// many mistakes is answered in good time too.
const CANDIDATES_MAX: usize = 500;

/// Optimal string alignment: insert, delete, replace, swap neighbours.
fn edit_distance(a: &[char], b: &[char]) -> usize {
    let same = a.iter().zip(b).take_while(|(a, b)| a == b).count();
    let (a, b) = (&a[same..], &b[same..]);
    let same = a.iter().rev().zip(b.iter().rev());
    let same = same.take_while(|(a, b)| a == b).count();
    let (a, b) = (&a[..a.len() - same], &b[..b.len() - same]);
    let mut before = vec![0; b.len() + 1];
    let mut last: Vec<usize> = (0..=b.len()).collect();
    for i in 0..a.len() {
        let mut row = vec![i + 1];
        for j in 0..b.len() {
            let replaced = last[j] + usize::from(a[i] != b[j]);
            let mut least = replaced.min(last[j + 1] + 1).min(row[j] + 1);
            if i > 0 && j > 0 && a[i] == b[j - 1] && a[i - 1] == b[j] {
                least = least.min(before[j - 1] + 1);
            }
            row.push(least);
        }
        before = std::mem::replace(&mut last, row);
    }
    last[b.len()]
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_nearest_name_is_offered_and_far_ones_are_not() {
        let names = ["gen.image", "gen.images", "audio.beats"];
        assert_eq!(nearest("gen.imgae", names), Some("gen.image"));
        assert_eq!(nearest("Gen_Image", names), Some("gen.image"));
        assert_eq!(nearest("post.mail", names), None);
        assert_eq!(nearest("retrys", ["retry", "cache"]), Some("retry"));
        assert_eq!(nearest("x", ["y"]), None);
    }
}
