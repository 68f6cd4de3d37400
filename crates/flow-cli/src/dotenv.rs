//! `.env`: the values of secrets, a line each.
//!
//! ```text
//! # a comment
//! API_TOKEN=sk-123            # and one behind a value
//! export OTHER="two\nlines"   # `\n \t \r \" \\ \$`
//! KEY='as it is,
//! over lines'
//! ```
//!
//! Nothing is expanded. A name stands once.

use std::collections::BTreeMap;
use std::fmt;
use std::sync::Arc;

/// A line that can't be read.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct LineFault {
    line: usize,
    problem: String,
}

impl fmt::Display for LineFault {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "`{NAME}:{}`: {}", self.line, self.problem)
    }
}

/// The name of the file in a project's folder.
pub(crate) const NAME: &str = ".env";

/// Reads all values, by their names. What is said of a fault shows no values.
pub(crate) fn read(text: &str) -> Result<BTreeMap<String, Arc<str>>, LineFault> {
    let text = text.strip_prefix('\u{feff}').unwrap_or(text);
    let mut reader = Reader {
        rest: text,
        line: 1,
    };
    let mut found: BTreeMap<String, (Arc<str>, usize)> = BTreeMap::new();
    while let Some((name, line)) = reader.name()? {
        let value = reader.value()?;
        if let Some((_, first)) = found.insert(name.clone(), (value.into(), line)) {
            let problem = format!("`{name}` is set a second time; it was in line {first}");
            return Err(LineFault { line, problem });
        }
    }
    let found = found.into_iter();
    Ok(found.map(|(name, (value, _))| (name, value)).collect())
}

struct Reader<'a> {
    rest: &'a str,
    line: usize,
}

impl Reader<'_> {
    fn fault(&self, problem: impl Into<String>) -> LineFault {
        LineFault {
            line: self.line,
            problem: problem.into(),
        }
    }

    /// Returns the next letter, and goes behind it.
    fn next(&mut self) -> Option<char> {
        let mut letters = self.rest.chars();
        let letter = letters.next()?;
        self.rest = letters.as_str();
        self.line += usize::from(letter == '\n');
        Some(letter)
    }

    fn skip(&mut self, is_skipped: impl Fn(char) -> bool) {
        while self.rest.starts_with(&is_skipped) {
            self.next();
        }
    }

    /// Reads up to the `=`. Returns the name and its line.
    fn name(&mut self) -> Result<Option<(String, usize)>, LineFault> {
        loop {
            self.skip(char::is_whitespace);
            if !self.rest.starts_with('#') {
                break;
            }
            self.skip(|letter| letter != '\n');
        }
        if self.rest.is_empty() {
            return Ok(None);
        }
        let line = self.rest.lines().next().unwrap_or_default();
        let Some((name, _)) = line.split_once('=') else {
            return Err(self.fault("there is no `=`; write `NAME=value`"));
        };
        let length = name.len() + 1;
        let name = name.trim();
        let name = match name.strip_prefix("export") {
            Some(name) if name.starts_with(char::is_whitespace) => name.trim_start(),
            _ => name,
        };
        let fits = |letter: char| letter.is_ascii_alphanumeric() || letter == '_';
        let is_name = !name.is_empty()
            && !name.starts_with(|letter: char| letter.is_ascii_digit())
            && name.chars().all(fits);
        if !is_name {
            return Err(
                self.fault("what stands before the `=` is no name: letters, digits and `_`")
            );
        }
        let found = (name.to_owned(), self.line);
        self.rest = &self.rest[length..];
        Ok(Some(found))
    }

    fn value(&mut self) -> Result<String, LineFault> {
        self.skip(|letter| matches!(letter, ' ' | '\t'));
        match self.rest.chars().next() {
            Some(quote @ ('"' | '\'')) => self.quoted(quote),
            _ => Ok(self.plain()),
        }
    }

    fn plain(&mut self) -> String {
        let line = self.rest.split('\n').next().unwrap_or_default();
        let mut end = line.len();
        let mut before = ' ';
        for (at, letter) in line.char_indices() {
            if letter == '#' && before.is_whitespace() {
                end = at;
                break;
            }
            before = letter;
        }
        let value = line[..end].trim().to_owned();
        self.rest = &self.rest[line.len()..];
        value
    }

    fn quoted(&mut self, quote: char) -> Result<String, LineFault> {
        let begin = self.line;
        let open = || LineFault {
            line: begin,
            problem: format!("the `{quote}` is not closed"),
        };
        self.next();
        let mut value = String::new();
        loop {
            let letter = self.next().ok_or_else(open)?;
            if letter == quote {
                break;
            }
            if letter != '\\' || quote == '\'' {
                value.push(letter);
                continue;
            }
            match self.next().ok_or_else(open)? {
                'n' => value.push('\n'),
                't' => value.push('\t'),
                'r' => value.push('\r'),
                letter @ ('"' | '\\' | '$') => value.push(letter),
                _ => {
                    return Err(self.fault(
                        "a `\\` stands before one of `n t r \" \\ $`; in '…' it is a letter like others",
                    ));
                }
            }
        }
        self.skip(|letter| matches!(letter, ' ' | '\t' | '\r'));
        if self.rest.starts_with('#') {
            self.skip(|letter| letter != '\n');
        }
        match self.rest.chars().next() {
            None | Some('\n') => Ok(value),
            Some(_) => Err(self.fault(format!("there is something behind the closing `{quote}`"))),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn values_are_plain_or_quoted_and_comments_are_left_out() {
        let text = "\u{feff}# first\n\nA=one\r\n export  B = two words # not this\nC=\n\
                    D=a#b\nE=\"x\\n\\\"y\\\" \\$Z\" # c\nF='raw\\n\n#second line'\nG=$A${B}\n_H1=é";
        let read = read(text).unwrap();
        let read: Vec<(&str, &str)> = read
            .iter()
            .map(|(name, value)| (&**name, &**value))
            .collect();
        assert_eq!(
            read,
            [
                ("A", "one"),
                ("B", "two words"),
                ("C", ""),
                ("D", "a#b"),
                ("E", "x\n\"y\" $Z"),
                ("F", "raw\\n\n#second line"),
                ("G", "$A${B}"),
                ("_H1", "é"),
            ]
        );
        assert!(super::read("").unwrap().is_empty());
    }

    #[test]
    fn what_can_not_be_read_names_its_line_and_shows_no_value() {
        for (text, expected) in [
            (
                "A=1\nhunter2",
                "`.env:2`: there is no `=`; write `NAME=value`",
            ),
            (
                "\n\nA B=hunter2",
                "`.env:3`: what stands before the `=` is no name",
            ),
            ("1A=hunter2", "`.env:1`: what stands before"),
            ("=hunter2", "`.env:1`: what stands before"),
            (
                "exportA=1\nA=\"hunter2\nx",
                "`.env:2`: the `\"` is not closed",
            ),
            ("A='hunter2", "`.env:1`: the `'` is not closed"),
            ("A=\"hunter2\\q\"", "`.env:1`: a `\\` stands before one of"),
            ("A=\"x\" hunter2", "`.env:1`: there is something behind"),
            (
                "A=1\nB=2\nA=hunter2",
                "`.env:3`: `A` is set a second time; it was in line 1",
            ),
        ] {
            let said = read(text).unwrap_err().to_string();
            assert!(said.starts_with(expected), "{text}: {said}");
            assert!(!said.contains("hunter2"), "{said}");
        }
    }
}
