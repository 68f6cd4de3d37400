//! Words, texts and marks, read one after the other without a grammar. It
//! serves what goes around the grammar: limits, recovery and good guesses.

/// How deep brackets may be nested.
pub(super) const DEPTH_MAX: usize = 64;

/// What texts of several lines begin with.
const LINES: [&str; 2] = ["\"\"\"", "'''"];

/// How far the beginning of a line is looked for.
const LINE_MAX: usize = 4096;

/// What a token is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Kind {
    /// Letters, digits and `_`.
    Word,
    /// What begins with a digit, or `$` and a digit.
    Number,
    /// A whole text, its holes included.
    Text,
    /// `#` to the end of the line.
    Comment,
    /// Anything else.
    Mark,
    /// What the grammar can't have.
    Fault(Fault),
    /// The end of the text.
    End,
}

/// What stops the grammar for certain.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Fault {
    /// A text without an end on its line.
    OpenText,
    /// A text of several lines without an end.
    OpenLines,
    /// `${` without `}`.
    OpenHole,
    /// Brackets inside brackets inside brackets.
    TooDeep,
    /// A control character.
    Control,
    /// `“`
    Quote,
    /// `// …` or `/* … */`
    Comment,
}

/// A token with its place.
#[derive(Debug, Clone, Copy)]
pub(super) struct Token {
    /// What it is.
    pub(super) kind: Kind,
    /// Its first byte.
    pub(super) start: usize,
    /// The byte after its last.
    pub(super) end: usize,
}

impl Token {
    /// Returns what is written.
    pub(super) fn of<'a>(&self, text: &'a str) -> &'a str {
        text.get(self.start..self.end).unwrap_or("")
    }
}

/// Counts brackets.
#[derive(Debug, Clone, Copy, Default)]
pub(super) struct Nesting {
    depth: usize,
    angles: usize,
}

impl Nesting {
    /// Takes a token and tells whether it is the one that goes too deep.
    pub(super) fn goes_too_deep(&mut self, text: &str, token: Token) -> bool {
        let first = text.as_bytes().get(token.start).copied();
        match (token.kind, first.unwrap_or(0), token.end - token.start) {
            (Kind::Mark, b'(' | b'[' | b'{', _) | (Kind::Mark, b'$', 2) => {
                self.angles = 0;
                self.depth += 1;
                return self.depth == DEPTH_MAX + 1;
            }
            (Kind::Mark, b')' | b']' | b'}', _) => {
                self.angles = 0;
                self.depth = self.depth.saturating_sub(1);
            }
            // `<` may be an order or hold types. Only types nest.
            (Kind::Mark, b'<', 1) => {
                self.angles += 1;
                return self.angles == DEPTH_MAX + 1;
            }
            (Kind::Mark, b'>', 1) => self.angles = self.angles.saturating_sub(1),
            (Kind::Mark, b'=', 1) => self.angles = 0,
            (Kind::Word, b'a' | b'o', _) if matches!(token.of(text), "and" | "or") => {
                self.angles = 0;
            }
            _ => {}
        }
        false
    }
}

/// Reads the token at or after an offset, which is a border of characters.
pub(super) fn next(text: &str, at: usize) -> Token {
    next_at_depth(text, at, 0)
}

/// Reads the next token that is no comment.
pub(super) fn next_code(text: &str, at: usize) -> Token {
    let mut token = next(text, at);
    while token.kind == Kind::Comment {
        token = next(text, token.end);
    }
    token
}

fn next_at_depth(text: &str, at: usize, depth: usize) -> Token {
    let bytes = text.as_bytes();
    let mut start = at;
    while bytes.get(start).is_some_and(|byte| is_blank(*byte)) {
        start += 1;
    }
    let token = |kind, end| Token { kind, start, end };
    let Some(&first) = bytes.get(start) else {
        return token(Kind::End, start);
    };
    match first {
        b'#' => comment(text, start),
        b'"' | b'\'' => match text_end(text, start, depth) {
            Ok(end) => token(Kind::Text, end),
            Err(fault) => Token {
                kind: Kind::Fault(fault.0),
                start: fault.1,
                end: line_end(bytes, fault.1),
            },
        },
        b'0'..=b'9' => token(Kind::Number, number_end(bytes, start)),
        b'$' if bytes.get(start + 1).is_some_and(u8::is_ascii_digit) => {
            token(Kind::Number, number_end(bytes, start + 1))
        }
        b'/' if bytes.get(start + 1) == Some(&b'/') => {
            token(Kind::Fault(Fault::Comment), line_end(bytes, start))
        }
        b'/' if bytes.get(start + 1) == Some(&b'*') => {
            let far = text.floor_char_boundary(start + 2 + LINE_MAX);
            let close = text[start + 2..far].find("*/");
            let end = close.map_or_else(|| line_end(bytes, start), |close| start + 4 + close);
            token(Kind::Fault(Fault::Comment), end)
        }
        _ if is_word(first) => token(Kind::Word, word_end(bytes, start)),
        _ if first.is_ascii_control() => token(Kind::Fault(Fault::Control), start + 1),
        _ => mark(text, start),
    }
}

/// Reads a comment. What can't be seen can't stand in it either: YAML has no
/// way to write it.
fn comment(text: &str, start: usize) -> Token {
    let end = line_end(text.as_bytes(), start);
    let control = text[start..end].find(|letter| is_hidden(letter) && letter != '\t');
    Token {
        kind: control.map_or(Kind::Comment, |_| Kind::Fault(Fault::Control)),
        start: start + control.unwrap_or(0),
        end,
    }
}

/// Returns whether a letter can't be written as it is in YAML.
fn is_hidden(letter: char) -> bool {
    letter.is_control() || matches!(letter, '\u{fffe}' | '\u{ffff}')
}

fn mark(text: &str, start: usize) -> Token {
    const LONG: &[&str] = &[
        "...", "===", "!==", "==", "!=", "<=", ">=", "=>", "->", "..", "??", "?.", "&&", "||",
        ":=", "+=", "-=", "*=", "/=", "++", "--", "**", "::", "|>", "${",
    ];
    let bytes = text.as_bytes();
    // The second bytes of long marks.
    let goes_on = matches!(
        bytes.get(start + 1),
        Some(b'=' | b'>' | b'.' | b'?' | b'&' | b'|' | b'+' | b'-' | b'*' | b':' | b'{')
    );
    if bytes[start].is_ascii() && !goes_on {
        return Token {
            kind: Kind::Mark,
            start,
            end: start + 1,
        };
    }
    let rest = &text[start..];
    let letter = rest.chars().next().unwrap_or(' ');
    let first = rest.as_bytes().first();
    let long = LONG
        .iter()
        .find(|mark| mark.as_bytes().first() == first && rest.starts_with(**mark));
    let kind = match letter {
        '“' | '”' | '„' | '‘' | '’' | '«' | '»' => Kind::Fault(Fault::Quote),
        _ => Kind::Mark,
    };
    Token {
        kind,
        start,
        end: start + long.map_or(letter.len_utf8(), |mark| mark.len()),
    }
}

/// Returns the byte after a text, or what it lacks and where.
fn text_end(text: &str, start: usize, depth: usize) -> Result<usize, (Fault, usize)> {
    let bytes = text.as_bytes();
    let quote = bytes[start];
    let is_raw = quote == b'\'';
    let triple: &[u8] = if is_raw { b"'''" } else { b"\"\"\"" };
    let is_lines = bytes[start..].starts_with(triple);
    let mut at = start + if is_lines { 3 } else { 1 };
    while let Some(&byte) = bytes.get(at) {
        match byte {
            _ if is_lines && bytes[at..].starts_with(triple) => return Ok(at + 3),
            _ if !is_lines && byte == quote => return Ok(at + 1),
            b'\n' if !is_lines => return Err((Fault::OpenText, start)),
            b'\\' if !is_raw => at += 2,
            b'$' if !is_raw && bytes[at..].starts_with(b"$${") => at += 3,
            b'$' if !is_raw && bytes[at..].starts_with(b"${") => {
                at = hole_end_at_depth(text, at, depth + 1, is_lines)?;
            }
            _ => at += 1,
        }
        // An escape may not hide the end of the line.
        if !is_lines && bytes.get(at.wrapping_sub(1)) == Some(&b'\n') {
            return Err((Fault::OpenText, start));
        }
    }
    let fault = if is_lines {
        Fault::OpenLines
    } else {
        Fault::OpenText
    };
    Err((fault, start))
}

/// Returns the byte after the `}` of a hole, or what it lacks and where.
pub(super) fn hole_end(text: &str, start: usize) -> Result<usize, (Fault, usize)> {
    hole_end_at_depth(text, start, 0, true)
}

fn hole_end_at_depth(
    text: &str,
    start: usize,
    depth: usize,
    is_lines: bool,
) -> Result<usize, (Fault, usize)> {
    if depth > DEPTH_MAX {
        return Err((Fault::TooDeep, start));
    }
    let mut nesting = Nesting { depth, angles: 0 };
    let mut at = start + 2;
    loop {
        let token = next_at_depth(text, at, nesting.depth);
        let is_long = token.kind == Kind::Text
            && LINES
                .iter()
                .any(|quotes| token.of(text).starts_with(quotes));
        let seen = if is_long { token.end } else { token.start };
        if !is_lines && text.as_bytes()[at..seen].contains(&b'\n') {
            return Err((Fault::OpenHole, start));
        }
        match token.kind {
            Kind::Fault(Fault::TooDeep) => return Err((Fault::TooDeep, token.start)),
            Kind::Fault(_) | Kind::Comment | Kind::End if !is_lines => {
                return Err((Fault::OpenHole, start));
            }
            Kind::Fault(Fault::OpenText | Fault::OpenLines | Fault::OpenHole) | Kind::End => {
                return Err((Fault::OpenHole, start));
            }
            Kind::Mark if nesting.depth == depth && token.of(text) == "}" => return Ok(token.end),
            Kind::Word
            | Kind::Number
            | Kind::Text
            | Kind::Comment
            | Kind::Mark
            | Kind::Fault(_) => {
                if nesting.goes_too_deep(text, token) {
                    return Err((Fault::TooDeep, token.start));
                }
            }
        }
        at = token.end;
    }
}

/// Returns whether a byte may stand in a word.
pub(super) fn is_word(byte: u8) -> bool {
    byte == b'_' || byte.is_ascii_alphanumeric()
}

fn is_blank(byte: u8) -> bool {
    matches!(byte, b' ' | b'\t' | b'\r' | b'\n')
}

/// Returns the byte after a word.
pub(super) fn word_end(bytes: &[u8], start: usize) -> usize {
    let rest = bytes.get(start..).unwrap_or(&[]);
    let length = rest.iter().position(|byte| !is_word(*byte));
    start + length.unwrap_or(rest.len())
}

fn number_end(bytes: &[u8], start: usize) -> usize {
    let mut at = word_end(bytes, start);
    while bytes.get(at) == Some(&b'.') && bytes.get(at + 1).is_some_and(u8::is_ascii_digit) {
        at = word_end(bytes, at + 1);
    }
    at
}

/// Returns the offset of the line's end.
pub(super) fn line_end(bytes: &[u8], at: usize) -> usize {
    let rest = bytes.get(at..).unwrap_or(&[]);
    let length = rest.iter().position(|byte| *byte == b'\n');
    let end = at + length.unwrap_or(rest.len());
    if end > at && bytes.get(end - 1) == Some(&b'\r') {
        end - 1
    } else {
        end
    }
}

/// Returns the offset of the line's beginning, or one far before on a line
/// that no person wrote.
pub(super) fn line_start(bytes: &[u8], at: usize) -> usize {
    let at = at.min(bytes.len());
    let far = at.saturating_sub(LINE_MAX);
    let end = bytes[far..at].iter().rposition(|byte| *byte == b'\n');
    end.map_or(far, |end| far + end + 1)
}

/// Returns whether nothing but blanks stands before an offset on its line.
pub(super) fn begins_line(bytes: &[u8], at: usize) -> bool {
    let before = &bytes[..at.min(bytes.len())];
    let code = before
        .iter()
        .rev()
        .find(|byte| !matches!(byte, b' ' | b'\t'));
    matches!(code, None | Some(b'\n'))
}
