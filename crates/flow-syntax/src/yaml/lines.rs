//! Scalars by lines: `|` and `>`.

use super::blanks::{is_blank, is_break_or_end, is_printable};
use super::events::{Fault, FaultKind, Style};
use super::tokens::{Scanned, Tokens};

/// How the last lines of a text by lines end.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Chomp {
    /// `-`
    Strip,
    Clip,
    /// `+`
    Keep,
}

impl Tokens<'_> {
    pub(super) fn block_scalar(&mut self, style: Style) -> Scanned {
        self.note_candidate();
        self.may_key = true;
        let index = self.queue.len();
        let start = self.at;
        let line = self.line;
        self.take(1);
        self.unroll_ones();
        let (chomp, more) = self.block_header(start)?;
        let has_break = matches!(self.byte(0), b'\n' | b'\r');
        if has_break {
            self.take_break();
        }
        self.check_printable()?;
        if self.byte(0) == b'\t' {
            let kind = FaultKind::Tab;
            return Err(Fault { kind, at: start });
        }
        let mut empty = 0;
        let indent = if more == 0 {
            self.first_indent(&mut empty)
        } else {
            let indent = self.indent.max(0) + more;
            self.skip_indent(indent, &mut empty);
            indent
        };
        self.check_printable()?;
        if self.byte(0) == 0 {
            let text = match chomp {
                Chomp::Keep if self.line > line && empty == 0 && self.column() > 0 => 1,
                Chomp::Keep if self.line > line => empty,
                Chomp::Keep | Chomp::Strip | Chomp::Clip => 0,
            };
            let letters = self.make("\n".repeat(text));
            self.insert_scalar(index, style, letters, (start, self.at));
            return Ok(());
        }
        let is_short = self.column() < indent && self.column() > self.indent;
        let ends = self.indent < 0
            && self.column() == 0
            && (self.is_at_document() || self.byte(0) == b'#');
        if is_short && !ends {
            return Err(self.fault(FaultKind::Indentation));
        }
        let start = self.at;
        let text = self.block_lines(style, chomp, indent, empty)?;
        if !text.chars().all(is_printable) {
            let kind = FaultKind::Character;
            return Err(Fault { kind, at: start });
        }
        let letters = self.make(text);
        self.insert_scalar(index, style, letters, (start, self.at));
        Ok(())
    }

    /// Takes what stands behind `|` on its line: how the end is treated, and by
    /// how much the lines are indented.
    fn block_header(&mut self, start: usize) -> Scanned<(Chomp, i64)> {
        let kind = FaultKind::Other;
        let wrong = Fault { kind, at: start };
        let mut chomp = Chomp::Clip;
        let mut more = 0;
        let mut has_chomp = false;
        for _ in 0..2 {
            match self.byte(0) {
                sign @ (b'+' | b'-') if !has_chomp => {
                    has_chomp = true;
                    chomp = if sign == b'+' {
                        Chomp::Keep
                    } else {
                        Chomp::Strip
                    };
                    self.take(1);
                }
                b'0' if more == 0 => return Err(wrong),
                digit @ b'1'..=b'9' if more == 0 => {
                    more = i64::from(digit - b'0');
                    self.take(1);
                }
                _ => break,
            }
        }
        self.skip_line_blanks()?;
        self.check_printable()?;
        if !is_break_or_end(self.byte(0)) {
            return Err(wrong);
        }
        Ok((chomp, more))
    }

    /// Finds how far a text by lines is indented, and goes to its first line.
    fn first_indent(&mut self, empty: &mut usize) -> i64 {
        let mut most = 0;
        loop {
            while self.byte(0) == b' ' {
                self.at += 1;
            }
            most = most.max(self.column());
            if !matches!(self.byte(0), b'\n' | b'\r') {
                return most.max(self.indent + 1);
            }
            self.take_break();
            *empty += 1;
        }
    }

    /// Takes the indentation of a line, and empty lines before it.
    fn skip_indent(&mut self, indent: i64, empty: &mut usize) {
        loop {
            while self.byte(0) == b' ' && self.column() < indent {
                self.at += 1;
            }
            if !matches!(self.byte(0), b'\n' | b'\r') {
                return;
            }
            self.take_break();
            *empty += 1;
        }
    }

    fn block_lines(
        &mut self,
        style: Style,
        chomp: Chomp,
        indent: i64,
        mut empty: usize,
    ) -> Scanned<String> {
        let mut text = String::new();
        // Whether a line ended that is not written yet.
        let mut is_open = false;
        let mut was_blank = false;
        while self.column() == indent && self.byte(0) != 0 {
            self.check_printable()?;
            if indent == 0 && self.is_at_document() {
                break;
            }
            let is_blank = is_blank(self.byte(0));
            if style == Style::Folded && is_open && !was_blank && !is_blank {
                if empty == 0 {
                    text.push(' ');
                }
            } else if is_open {
                text.push('\n');
            }
            text.extend(std::iter::repeat_n('\n', empty));
            empty = 0;
            is_open = false;
            was_blank = is_blank;
            let rest = &self.bytes[self.at..];
            let length = rest.iter().position(|byte| matches!(byte, b'\n' | b'\r'));
            let length = length.unwrap_or(rest.len());
            text.push_str(&self.text[self.at..self.at + length]);
            self.at += length;
            if self.byte(0) == 0 {
                break;
            }
            self.take_break();
            is_open = true;
            self.skip_indent(indent, &mut empty);
        }
        self.check_printable()?;
        let is_cut = self.byte(0) == 0 && self.column() >= indent.max(1);
        if chomp != Chomp::Strip && (is_open || is_cut) {
            text.push('\n');
        }
        if chomp == Chomp::Keep {
            text.extend(std::iter::repeat_n('\n', empty));
        }
        Ok(text)
    }
}
