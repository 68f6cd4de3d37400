//! What stands inside of scalars on a line or several: unquoted and quoted. Tags
//! are read here too.

use super::blanks::{is_blank, is_break_or_end, is_flow, is_printable};
use super::events::{Fault, FaultKind, Style};
use super::tokens::{Kind, Letters, Scanned, Token, Tokens};

/// A run of blanks and ends of lines in a scalar.
#[derive(Debug, Clone, Copy, Default)]
struct Gap {
    /// Whether there is an end of a line.
    has_break: bool,
    /// How many more there are.
    more: usize,
}

impl Gap {
    /// Writes what the run means: a blank, or its further lines.
    fn fold(self, text: &mut String) {
        if self.has_break && self.more == 0 {
            text.push(' ');
        }
        text.extend(std::iter::repeat_n('\n', self.more));
    }
}

/// What is known of a quoted text while it is read.
struct Quoted {
    start: usize,
    quote: u8,
    /// What it means, once that isn't what is written.
    made: Option<String>,
    /// Whether the end of a line was escaped.
    is_escaped: bool,
}

impl Tokens<'_> {
    pub(super) fn insert_scalar(
        &mut self,
        index: usize,
        style: Style,
        letters: Letters,
        from: (usize, usize),
    ) {
        let token = Token::new(Kind::Scalar(style, letters), from.0, from.1);
        self.queue.insert(index, token);
    }

    // Unquoted.

    /// Returns whether an unquoted text can hold what is next.
    pub(super) fn goes_on_plain(&self) -> bool {
        let (first, second) = (self.byte(0), self.byte(1));
        if first == b':' {
            let is_mark = is_blank(second) || is_break_or_end(second);
            return !(is_mark || self.in_flow() && is_flow(second));
        }
        !(self.in_flow() && is_flow(first))
    }

    pub(super) fn plain_scalar(&mut self) -> Scanned {
        self.note_candidate();
        self.may_key = false;
        let index = self.queue.len();
        self.unroll_ones();
        let least = self.indent + 1;
        let start = self.at;
        let mut end = start;
        let mut made: Option<String> = None;
        let mut gap = Gap::default();
        let mut is_odd = false;
        loop {
            let first = self.byte(0);
            if first == b'#' || self.is_at_document() {
                if first == b'#'
                    && end > start
                    && self.at > end
                    && !gap.has_break
                    && !self.in_flow()
                {
                    self.cut = Some((self.at, self.line));
                }
                break;
            }
            if end == start && first == b'-' && self.in_flow() && is_flow(self.byte(1)) {
                return Err(self.fault(FaultKind::Other));
            }
            if !is_blank(first) && !is_break_or_end(first) && self.goes_on_plain() {
                if gap.has_break {
                    let text = made.get_or_insert_with(|| self.text[start..end].to_owned());
                    gap.fold(text);
                } else if let Some(text) = &mut made {
                    text.push_str(&self.text[end..self.at]);
                }
                let from = self.at;
                is_odd |= self.take_plain();
                if let Some(text) = &mut made {
                    text.push_str(&self.text[from..self.at]);
                }
                end = self.at;
                gap = Gap::default();
            }
            if !is_blank(self.byte(0)) && !matches!(self.byte(0), b'\n' | b'\r') {
                break;
            }
            self.take_gap(start, least, &mut gap)?;
            if !self.in_flow() && self.column() < least {
                break;
            }
        }
        self.may_key |= self.is_leading;
        if is_odd && !self.text[start..end].chars().all(is_printable) {
            let kind = FaultKind::Character;
            return Err(Fault { kind, at: start });
        }
        self.check_printable()?;
        if end == start {
            let kind = FaultKind::Other;
            return Err(Fault { kind, at: start });
        }
        let letters = match made {
            Some(text) => self.make(text),
            None => Letters::written(start, end),
        };
        self.insert_scalar(index, Style::Plain, letters, (start, end));
        Ok(())
    }

    /// Takes a run of an unquoted text without blanks. Says whether there is
    /// anything in it that may not be printable.
    fn take_plain(&mut self) -> bool {
        let in_flow = self.in_flow();
        let mut is_odd = false;
        let mut at = self.at;
        loop {
            let byte = self.bytes.get(at).copied().unwrap_or(0);
            match byte {
                b' ' | b'\t' | b'\n' | b'\r' | 0 => break,
                b',' | b'[' | b']' | b'{' | b'}' if in_flow && at > self.at => break,
                b':' if at > self.at => {
                    let next = self.bytes.get(at + 1).copied().unwrap_or(0);
                    if is_blank(next) || is_break_or_end(next) || in_flow && is_flow(next) {
                        break;
                    }
                }
                b'!'..=b'~' => {}
                _ => is_odd = true,
            }
            at += 1;
        }
        self.take(at - self.at);
        is_odd
    }

    /// Takes blanks and ends of lines behind a part of an unquoted text.
    fn take_gap(&mut self, start: usize, least: i64, gap: &mut Gap) -> Scanned {
        loop {
            match self.byte(0) {
                b'\t' if self.is_leading && self.column() < least => {
                    self.skip_line_blanks()?;
                    if !is_break_or_end(self.byte(0)) {
                        let kind = FaultKind::Tab;
                        return Err(Fault { kind, at: start });
                    }
                }
                b' ' | b'\t' => self.at += 1,
                b'\n' | b'\r' => {
                    if self.is_leading {
                        gap.more += 1;
                    } else {
                        gap.has_break = true;
                    }
                    self.take_break();
                }
                _ => return Ok(()),
            }
        }
    }

    // Quoted.

    pub(super) fn quoted_scalar(&mut self, style: Style) -> Scanned {
        self.note_candidate();
        self.may_key = false;
        let index = self.queue.len();
        let line = self.line;
        let mut quoted = Quoted {
            start: self.at,
            quote: self.byte(0),
            made: None,
            is_escaped: false,
        };
        self.take(1);
        loop {
            let kind = FaultKind::OpenQuote;
            if self.byte(0) == 0 || self.is_at_document() {
                return Err(Fault {
                    kind,
                    at: quoted.start,
                });
            }
            self.check_printable()?;
            self.take_quoted(&mut quoted)?;
            if self.byte(0) == quoted.quote && !quoted.is_escaped {
                break;
            }
            self.take_quoted_gap(&mut quoted)?;
        }
        let inside = Letters::written(quoted.start + 1, self.at);
        self.take(1);
        let end = self.at;
        self.skip_line_blanks()?;
        self.check_printable()?;
        let is_over = match self.byte(0) {
            b',' | b'}' | b']' => self.in_flow(),
            b':' => self.in_flow() || line == self.line,
            next => is_break_or_end(next),
        };
        if !is_over {
            return Err(self.fault(FaultKind::AfterQuote));
        }
        let letters = match quoted.made {
            Some(text) => self.make(text),
            None => inside,
        };
        self.insert_scalar(index, style, letters, (quoted.start, end));
        // `"a":b` between brackets has a key.
        let is_far = self.skip_blanks()?;
        self.tight_at = if is_far { usize::MAX } else { self.at };
        Ok(())
    }

    /// Takes a run of a quoted text without blanks, up to its quote.
    fn take_quoted(&mut self, quoted: &mut Quoted) -> Scanned {
        quoted.is_escaped = false;
        let is_single = quoted.quote == b'\'';
        loop {
            let from = self.at;
            loop {
                match self.byte(0) {
                    b'\'' if is_single => break,
                    b'"' | b'\\' if !is_single => break,
                    b'!'..=b'~' => self.at += 1,
                    0x80.. if self.is_printable() => {
                        self.at += 1;
                        while self.byte(0) & 0xC0 == 0x80 {
                            self.at += 1;
                        }
                    }
                    _ => break,
                }
            }
            if self.at > from {
                self.is_leading = false;
                if let Some(text) = &mut quoted.made {
                    text.push_str(&self.text[from..self.at]);
                }
            }
            match self.byte(0) {
                b'\'' if is_single && self.byte(1) == b'\'' => {
                    self.made(quoted).push('\'');
                    self.take(2);
                }
                b'\\' if !is_single => {
                    if matches!(self.byte(1), b'\n' | b'\r') {
                        self.made(quoted);
                        self.take(1);
                        self.take_break();
                        quoted.is_escaped = true;
                        return Ok(());
                    }
                    self.made(quoted);
                    let letter = self.escape(quoted.start)?;
                    self.made(quoted).push(letter);
                }
                _ => return Ok(()),
            }
        }
    }

    /// Returns what a quoted text means so far, as something made.
    fn made<'q>(&self, quoted: &'q mut Quoted) -> &'q mut String {
        let written = &self.text[quoted.start + 1..self.at];
        quoted.made.get_or_insert_with(|| written.to_owned())
    }

    /// Takes blanks and ends of lines inside of a quoted text.
    fn take_quoted_gap(&mut self, quoted: &mut Quoted) -> Scanned {
        let from = self.at;
        let mut gap = Gap::default();
        loop {
            let is_below = gap.has_break || quoted.is_escaped;
            match self.byte(0) {
                b'\t' if is_below && self.column() < self.indent => {
                    return Err(self.fault(FaultKind::Tab));
                }
                b' ' | b'\t' => self.at += 1,
                b'\n' | b'\r' => {
                    let written = &self.text[quoted.start + 1..from];
                    quoted.made.get_or_insert_with(|| written.to_owned());
                    if is_below {
                        gap.more += 1;
                    } else {
                        gap.has_break = true;
                    }
                    self.take_break();
                }
                _ => break,
            }
        }
        if gap.has_break
            && !self.in_flow()
            && self.byte(0) != quoted.quote
            && self.column() <= self.block_column()
        {
            return Err(self.fault(FaultKind::OpenQuote));
        }
        if let Some(text) = &mut quoted.made {
            if gap.has_break || quoted.is_escaped {
                gap.fold(text);
            } else {
                text.push_str(&self.text[from..self.at]);
            }
        }
        Ok(())
    }

    /// Takes an escape, and returns what it stands for.
    fn escape(&mut self, start: usize) -> Scanned<char> {
        let kind = FaultKind::Escape;
        let wrong = Fault { kind, at: start };
        let (letter, digits) = match self.byte(1) {
            b'0' => ('\0', 0),
            b'a' => ('\u{7}', 0),
            b'b' => ('\u{8}', 0),
            b't' | b'\t' => ('\t', 0),
            b'n' => ('\n', 0),
            b'v' => ('\u{b}', 0),
            b'f' => ('\u{c}', 0),
            b'r' => ('\r', 0),
            b'e' => ('\u{1b}', 0),
            letter @ (b' ' | b'"' | b'/' | b'\\') => (char::from(letter), 0),
            b'N' => ('\u{85}', 0),
            b'_' => ('\u{a0}', 0),
            b'L' => ('\u{2028}', 0),
            b'P' => ('\u{2029}', 0),
            b'x' => ('\0', 2),
            b'u' => ('\0', 4),
            b'U' => ('\0', 8),
            _ => return Err(wrong),
        };
        self.take(2);
        if digits == 0 {
            return Ok(letter);
        }
        let mut code = self.hex(digits).ok_or(wrong)?;
        if digits == 4 && (0xD800..=0xDBFF).contains(&code) {
            if self.byte(0) != b'\\' || self.byte(1) != b'u' {
                return Err(wrong);
            }
            self.take(2);
            let low = self.hex(4).ok_or(wrong)?;
            if !(0xDC00..=0xDFFF).contains(&low) {
                return Err(wrong);
            }
            code = 0x1_0000 + ((code - 0xD800) << 10 | (low - 0xDC00));
        }
        char::from_u32(code).ok_or(wrong)
    }

    fn hex(&mut self, digits: usize) -> Option<u32> {
        let written = self.text.get(self.at..self.at + digits)?;
        let is_hex = written.bytes().all(|byte| byte.is_ascii_hexdigit());
        let code = u32::from_str_radix(written, 16).ok().filter(|_| is_hex)?;
        self.take(digits);
        Some(code)
    }

    // Tags, of which only the length matters.

    /// Takes a tag. Says whether it is a whole one.
    pub(super) fn take_tag(&mut self) -> bool {
        if self.byte(1) == b'<' {
            self.take(2);
            let from = self.at;
            let is_whole = self.take_uri(is_uri);
            let is_empty = self.at == from;
            let is_closed = self.byte(0) == b'>';
            if is_closed {
                self.take(1);
            }
            return is_whole && !is_empty && is_closed;
        }
        let start = self.at;
        self.take(1);
        while is_word(self.byte(0)) || self.byte(0) == b'_' {
            self.take(1);
        }
        if self.byte(0) == b'!' {
            self.take(1);
        }
        let handle = &self.bytes[start..self.at];
        let is_handle = handle.len() >= 2 && handle.ends_with(b"!");
        let from = self.at;
        let is_whole = self.take_uri(|byte| is_uri(byte) && !is_flow(byte) && byte != b'!');
        is_whole && !(is_handle && self.at == from)
    }

    /// Takes letters of a tag. Says whether its escapes are whole.
    fn take_uri(&mut self, takes: impl Fn(u8) -> bool) -> bool {
        let mut made = Vec::new();
        while takes(self.byte(0)) {
            if self.byte(0) != b'%' {
                self.take(1);
                continue;
            }
            made.clear();
            while self.byte(0) == b'%' {
                self.take(1);
                let Some(code) = self.hex(2) else {
                    return false;
                };
                made.extend(u8::try_from(code));
                if std::str::from_utf8(&made).is_ok() {
                    break;
                }
                if made.len() == 4 {
                    return false;
                }
            }
            if std::str::from_utf8(&made).is_err() {
                return false;
            }
        }
        true
    }
}

fn is_word(byte: u8) -> bool {
    byte.is_ascii_alphanumeric() || byte == b'-'
}

fn is_uri(byte: u8) -> bool {
    is_word(byte) || b"#;/?:@&=+$,_.!~*'()[]%".contains(&byte)
}
