//! Characters, ends of lines, blanks and comments of a YAML text.

use super::events::{Fault, FaultKind};
use super::tokens::{Ahead, Kind, Scanned, Tokens};

impl Tokens<'_> {
    // Characters.

    /// Returns a byte ahead; 0 stands for the end, since a text has none.
    pub(super) fn byte(&self, ahead: usize) -> u8 {
        self.bytes.get(self.at + ahead).copied().unwrap_or(0)
    }

    pub(super) fn column(&self) -> i64 {
        signed(self.at - self.line_start)
    }

    pub(super) fn in_flow(&self) -> bool {
        !self.flows.is_empty()
    }

    pub(super) fn fault(&self, kind: FaultKind) -> Fault {
        Fault { kind, at: self.at }
    }

    /// Takes bytes that are no blanks.
    pub(super) fn take(&mut self, count: usize) {
        self.at += count;
        self.is_leading = false;
    }

    /// Takes the end of a line.
    pub(super) fn take_break(&mut self) {
        let is_double = self.byte(0) == b'\r' && self.byte(1) == b'\n';
        self.at += if is_double { 2 } else { 1 };
        self.line += 1;
        self.line_start = self.at;
        self.is_leading = true;
    }

    /// Returns whether a mark between documents is next.
    pub(super) fn is_at_document(&self) -> bool {
        self.column() == 0 && (self.begins_line_with(b"---") || self.begins_line_with(b"..."))
    }

    pub(super) fn begins_line_with(&self, mark: &[u8]) -> bool {
        let after = self.byte(3);
        self.bytes[self.at..].starts_with(mark) && (is_blank(after) || is_break_or_end(after))
    }

    /// Refuses a character that can't be seen.
    pub(super) fn check_printable(&self) -> Scanned {
        if self.is_printable() {
            Ok(())
        } else {
            Err(self.fault(FaultKind::Character))
        }
    }

    pub(super) fn is_printable(&self) -> bool {
        match self.byte(0) {
            0 | b'\t' | b'\n' | b'\r' | b' '..=b'~' => true,
            0x80.. => self.text[self.at..].starts_with(is_printable),
            _ => false,
        }
    }

    // Blanks and comments.

    /// Skips blanks and lines up to a token. Says whether it met a comment
    /// instead, which is then a token.
    pub(super) fn skip_blanks(&mut self) -> Scanned<bool> {
        loop {
            let next = self.byte(0);
            if self.ahead == Ahead::Key {
                match next {
                    b'\t' => {
                        self.tab_behind_key()?;
                        continue;
                    }
                    b' ' | b'\n' | b'\r' | b'#' => {}
                    _ => self.ahead = Ahead::Token,
                }
            }
            match next {
                b' ' => self.at += 1,
                b'\t' => self.tab()?,
                b'\n' | b'\r' => self.take_line(),
                b'#' => {
                    self.comment()?;
                    if matches!(self.byte(0), b'\n' | b'\r') {
                        self.take_line();
                    }
                    return Ok(true);
                }
                0xEF if self.ahead == Ahead::Document
                    && !self.in_flow()
                    && self.column() == 0
                    && self.text[self.at..].starts_with('\u{feff}') =>
                {
                    self.at += 3;
                    self.line_start = self.at;
                }
                _ => break,
            }
        }
        self.check_cut()?;
        Ok(false)
    }

    pub(super) fn take_line(&mut self) {
        self.take_break();
        self.may_key |= !self.in_flow();
    }

    /// Takes a tab, which may not indent.
    pub(super) fn tab(&mut self) -> Scanned {
        let indents = !self.indents.is_empty() && self.is_leading && self.column() < self.indent;
        if !indents {
            self.at += 1;
            return Ok(());
        }
        self.take_blanks();
        match self.byte(0) {
            b'#' => Ok(()),
            next if !is_break_or_end(next) => Err(self.fault(FaultKind::Tab)),
            0 => Ok(()),
            _ => {
                self.take_line();
                Ok(())
            }
        }
    }

    pub(super) fn take_blanks(&mut self) {
        while is_blank(self.byte(0)) {
            self.at += 1;
        }
    }

    /// Refuses an unquoted text that goes on below a comment.
    pub(super) fn check_cut(&mut self) -> Scanned {
        let Some((at, line)) = self.cut.take() else {
            return Ok(());
        };
        let goes_on = !self.in_flow()
            && self.line == line + 1
            && self.column() > self.indent
            && self.byte(0) != 0
            && !self.begins_line_with(b"---")
            && !self.begins_line_with(b"...")
            && self.goes_on_plain();
        if goes_on {
            let kind = FaultKind::Other;
            return Err(Fault { kind, at });
        }
        Ok(())
    }

    /// Skips the blanks of a line, and a comment behind them. Says whether
    /// there were tabs.
    pub(super) fn skip_line_blanks(&mut self) -> Scanned<bool> {
        let start = self.at;
        let mut has_tabs = false;
        loop {
            match self.byte(0) {
                b' ' => self.at += 1,
                b'\t' => {
                    has_tabs = true;
                    self.at += 1;
                }
                b'#' if self.at == start => return Err(self.fault(FaultKind::Other)),
                b'#' => {
                    self.comment()?;
                    return Ok(has_tabs);
                }
                _ => return Ok(has_tabs),
            }
        }
    }

    pub(super) fn comment(&mut self) -> Scanned {
        let start = self.at;
        loop {
            match self.byte(0) {
                0 | b'\n' | b'\r' => break,
                b'\t' | b' '..=b'~' => self.at += 1,
                0x80.. if self.is_printable() => {
                    self.at += self.text[self.at..]
                        .chars()
                        .next()
                        .map_or(1, char::len_utf8);
                }
                _ => return Err(self.fault(FaultKind::Character)),
            }
        }
        self.push(Kind::Comment, start, self.at);
        Ok(())
    }
}

pub(super) fn signed(number: usize) -> i64 {
    i64::try_from(number).unwrap_or(i64::MAX)
}

pub(super) fn is_blank(byte: u8) -> bool {
    matches!(byte, b' ' | b'\t')
}

pub(super) fn is_break_or_end(byte: u8) -> bool {
    matches!(byte, b'\n' | b'\r' | 0)
}

pub(super) fn is_flow(byte: u8) -> bool {
    matches!(byte, b',' | b'[' | b']' | b'{' | b'}')
}

/// Returns whether a character may stand in a YAML text.
pub(super) fn is_printable(letter: char) -> bool {
    matches!(
        letter,
        '\t' | '\n' | '\r' | ' '..='~' | '\u{85}' | '\u{a0}'..='\u{fffd}' | '\u{10000}'..
    )
}

/// Returns an offset as tokens have it. A text has at most 16 MiB.
pub(super) fn clip(offset: usize) -> u32 {
    u32::try_from(offset).unwrap_or(u32::MAX)
}
