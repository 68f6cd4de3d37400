//! Lines for people: columns that fit, prose that wraps, times and lengths in
//! words. Nothing that a step or an author wrote reaches a terminal as more than
//! letters.

use flow_core::amount::{Duration, Timestamp};

use crate::output::Looks;

/// A page that is written line by line.
#[derive(Debug)]
pub(crate) struct Page {
    out: String,
    pub(crate) looks: Looks,
}

/// What a part of a line looks like.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Style {
    Plain,
    Bold,
    Dim,
    Good,
    Bad,
    Warn,
    Busy,
}

impl Style {
    fn code(self) -> &'static str {
        match self {
            Self::Plain => "",
            Self::Bold => "1",
            Self::Dim => "2",
            Self::Good => "32",
            Self::Bad => "31",
            Self::Warn => "33",
            Self::Busy => "36",
        }
    }
}

impl Page {
    pub(crate) fn new(looks: Looks) -> Self {
        Self {
            out: String::new(),
            looks,
        }
    }

    pub(crate) fn into_text(self) -> String {
        self.out
    }

    /// Adds a line as it is.
    pub(crate) fn line(&mut self, text: &str) {
        self.out.push_str(text.trim_end());
        self.out.push('\n');
    }

    /// Adds an empty line.
    pub(crate) fn gap(&mut self) {
        self.out.push('\n');
    }

    /// Adds a heading, set apart from what is above.
    pub(crate) fn heading(&mut self, text: &str) {
        if !self.out.is_empty() {
            self.gap();
        }
        self.prose(0, Style::Bold, text);
    }

    /// Adds a line of a few things with marks between, or a line for each if
    /// they don't fit into one.
    pub(crate) fn title(&mut self, mark: Option<(Style, &str)>, parts: &[(Style, &str)]) {
        let before = mark.map_or(0, |(_, mark)| wide(mark) + 1);
        let used: usize = parts.iter().map(|(_, part)| wide(part)).sum();
        let gaps = 3 * parts.len().saturating_sub(1);
        let styled = parts.iter().map(|(style, part)| self.styled(*style, part));
        let mut styled: Vec<String> = styled.collect();
        if let (Some((style, mark)), Some(first)) = (mark, styled.first_mut()) {
            *first = format!("{} {first}", self.styled(style, mark));
        }
        if before + used + gaps <= self.looks.width {
            let line = styled.join(&format!(" {} ", self.dot()));
            self.line(&line);
            return;
        }
        for (number, part) in styled.iter().enumerate() {
            let pad = if number == 0 { 0 } else { before.max(2) };
            self.line(&format!("{:pad$}{part}", ""));
        }
    }

    /// Adds prose, broken into lines that fit: the first indented by so much,
    /// the others by as much and two more.
    pub(crate) fn prose(&mut self, indent: usize, style: Style, text: &str) {
        let room = self.looks.width.saturating_sub(indent).max(20);
        for (number, line) in wrap(text, room, 2).into_iter().enumerate() {
            let pad = if number == 0 { indent } else { indent + 2 };
            let line = self.styled(style, &line);
            self.line(&format!("{:pad$}{line}", ""));
        }
    }

    pub(crate) fn styled(&self, style: Style, text: &str) -> String {
        let code = style.code();
        if self.looks.color && !code.is_empty() && !text.is_empty() {
            format!("\u{1b}[{code}m{text}\u{1b}[0m")
        } else {
            text.to_owned()
        }
    }

    /// Returns the mark between things of one line.
    pub(crate) fn dot(&self) -> &'static str {
        if self.looks.unicode { "·" } else { "-" }
    }
}

/// Returns how many columns a text takes, counted in letters.
pub(crate) fn wide(text: &str) -> usize {
    text.chars().count()
}

/// Breaks a text into lines at blanks, the later ones shorter by so much; words
/// that are too long are cut.
pub(crate) fn wrap(text: &str, width: usize, less: usize) -> Vec<String> {
    let mut lines: Vec<String> = Vec::new();
    let mut line = String::new();
    for word in text.split_whitespace() {
        let mut word = word;
        loop {
            let room = if lines.is_empty() {
                width
            } else {
                width.saturating_sub(less)
            };
            let used = wide(&line);
            let gap = usize::from(used > 0);
            if used + gap + wide(word) <= room {
                if gap > 0 {
                    line.push(' ');
                }
                line.push_str(word);
                break;
            }
            if used > 0 {
                lines.push(std::mem::take(&mut line));
                continue;
            }
            let cut = word.char_indices().nth(room.max(1));
            let Some((cut, _)) = cut else {
                line.push_str(word);
                break;
            };
            lines.push(word[..cut].to_owned());
            word = &word[cut..];
        }
    }
    if !line.is_empty() || lines.is_empty() {
        lines.push(line);
    }
    lines
}

/// Returns a text of one line in which nothing is left that a terminal would
/// obey, or that would turn the order of letters around.
pub(crate) fn tame(text: &str) -> String {
    let letters = text.chars().map(|letter| match letter {
        '\n' | '\r' | '\t' => ' ',
        letter if is_wild(letter) => '\u{fffd}',
        letter => letter,
    });
    letters.collect()
}

/// Returns whether a letter is more than a letter.
pub(crate) fn is_wild(letter: char) -> bool {
    letter.is_control()
        || matches!(letter, '\u{200e}' | '\u{200f}' | '\u{2028}' | '\u{2029}')
        || ('\u{202a}'..='\u{202e}').contains(&letter)
        || ('\u{2066}'..='\u{2069}').contains(&letter)
}

/// Cuts a text to so many letters, after taming it.
pub(crate) fn short(text: &str, most: usize) -> String {
    // More is not even looked at.
    let head: String = text.chars().take(most.saturating_add(1)).collect();
    let text = tame(&head);
    if wide(&text) <= most {
        return text;
    }
    let head: String = text.chars().take(most.saturating_sub(1)).collect();
    format!("{}…", head.trim_end())
}

/// Puts what a shell would take apart into quotes.
pub(crate) fn quoted(word: &str) -> String {
    let is_plain = |letter: char| letter.is_alphanumeric() || "_-./:=@,+%".contains(letter);
    if !word.is_empty() && word.chars().all(is_plain) {
        return word.to_owned();
    }
    format!("'{}'", tame(word).replace('\'', "'\\''"))
}

/// Writes an instant to the second.
pub(crate) fn instant(at: Timestamp) -> String {
    Timestamp(at.0.div_euclid(1000) * 1000).to_string()
}

/// Writes how long something took: `0.21s`, `4m12s`, `3d2h`.
pub(crate) fn length(length: Duration) -> String {
    let millis = length.0.max(0) / Duration::MILLISECOND.0;
    let seconds = millis / 1000;
    let two = |big: i64, unit: &str, small: i64, under: &str| {
        if small == 0 {
            format!("{big}{unit}")
        } else {
            format!("{big}{unit}{small}{under}")
        }
    };
    match seconds {
        _ if millis < 1000 => format!("{}.{:02}s", millis / 1000, millis % 1000 / 10),
        0..10 => format!("{seconds}.{}s", millis % 1000 / 100),
        10..60 => format!("{seconds}s"),
        60..3600 => two(seconds / 60, "m", seconds % 60, "s"),
        3600..86_400 => two(seconds / 3600, "h", seconds % 3600 / 60, "m"),
        _ => two(seconds / 86_400, "d", seconds % 86_400 / 3600, "h"),
    }
}

/// Writes how far an instant is away: `2h ago`, `in 4m`.
pub(crate) fn away(at: Timestamp, now: Timestamp) -> String {
    let millis = now.0.saturating_sub(at.0);
    let rough = |millis: i64| {
        let seconds = millis / 1000;
        match seconds {
            0..60 => format!("{seconds}s"),
            60..3600 => format!("{}m", seconds / 60),
            3600..86_400 => format!("{}h", seconds / 3600),
            _ => format!("{}d", seconds / 86_400),
        }
    };
    if millis >= 0 {
        format!("{} ago", rough(millis))
    } else {
        format!("in {}", rough(millis.saturating_neg()))
    }
}

/// Writes a number with its thousands apart: `10,000`.
pub(crate) fn number(number: u64) -> String {
    let digits = number.to_string();
    let mut text = String::with_capacity(digits.len() + digits.len() / 3);
    for (at, digit) in digits.chars().enumerate() {
        if at > 0 && (digits.len() - at).is_multiple_of(3) {
            text.push(',');
        }
        text.push(digit);
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lengths_have_one_or_two_units() {
        let cases = [
            (0, "0.00s"),
            (214, "0.21s"),
            (3_456, "3.4s"),
            (59_999, "59s"),
            (60_000, "1m"),
            (252_000, "4m12s"),
            (10_980_000, "3h3m"),
            (266_400_000, "3d2h"),
            (i64::MAX / 1_000_000, "106751d23h"),
        ];
        for (millis, text) in cases {
            assert_eq!(length(Duration(millis * 1_000_000)), text);
        }
        assert_eq!(length(Duration(-5)), "0.00s");
    }

    #[test]
    fn instants_are_near_or_far_on_both_sides() {
        let now = Timestamp(1_000_000_000);
        let at = |millis: i64| away(Timestamp(now.0 + millis), now);
        assert_eq!(at(0), "0s ago");
        assert_eq!(at(-7_300_000), "2h ago");
        assert_eq!(at(240_000), "in 4m");
        assert_eq!(
            away(Timestamp(i64::MIN), Timestamp(i64::MAX)),
            "106751991167d ago"
        );
        assert_eq!(
            away(Timestamp(i64::MAX), Timestamp(i64::MIN)),
            "in 106751991167d"
        );
    }

    #[test]
    fn prose_is_broken_at_blanks_and_long_words_are_cut() {
        assert_eq!(wrap("one two three", 7, 2), ["one two", "three"]);
        assert_eq!(wrap("abcdefghij", 4, 0), ["abcd", "efgh", "ij"]);
        assert_eq!(wrap("", 10, 2), [""]);
        assert_eq!(wrap("  a \n b ", 10, 2), ["a b"]);
    }

    #[test]
    fn nothing_wild_is_left() {
        let wild = "a\u{1b}[31mb\u{7}\r\nc\u{202e}d\u{9b}e\u{2066}";
        let tamed = tame(wild);
        assert!(!tamed.chars().any(is_wild), "{tamed:?}");
        assert_eq!(short("a\u{1b}bcdef", 4), "a\u{fffd}b…");
    }

    #[test]
    fn words_for_a_shell_are_quoted_when_they_have_to_be() {
        assert_eq!(quoted("kotemi"), "kotemi");
        assert_eq!(quoted("stills[3]/draw"), "'stills[3]/draw'");
        assert_eq!(quoted("it's"), "'it'\\''s'");
        assert_eq!(quoted(""), "''");
    }

    #[test]
    fn thousands_are_apart() {
        let all = [0, 999, 1_000, 10_000, 1_234_567].map(number);
        assert_eq!(all, ["0", "999", "1,000", "10,000", "1,234,567"]);
    }
}
