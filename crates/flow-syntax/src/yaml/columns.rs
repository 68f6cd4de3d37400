//! Where blocks of a YAML text begin and end, and what turns out to be a key.

use super::events::{Fault, FaultKind};
use super::tokens::{Candidate, Indent, Kind, Scanned, Tokens};

/// How many characters a key may have that no `?` announces.
const KEY_MAX: usize = 1024;

impl Tokens<'_> {
    // Columns.

    /// Begins a block in a column, if none began there. `number` is that of the
    /// token before which it begins.
    pub(super) fn roll(&mut self, column: i64, number: Option<usize>, kind: Kind, at: usize) {
        if self.in_flow() {
            return;
        }
        if self.indent <= column
            && let Some(indent) = self.indents.pop_if(|indent| !indent.is_block)
        {
            self.indent = indent.outer;
        }
        if self.indent < column {
            self.indents.push(Indent {
                outer: self.indent,
                is_block: true,
            });
            self.indent = column;
            match number {
                Some(number) => self.insert(number - self.taken, kind, at),
                None => self.push(kind, at, at),
            }
        }
    }

    /// Ends the blocks that stand further right than a column.
    pub(super) fn unroll(&mut self, column: i64) {
        if self.in_flow() {
            return;
        }
        while self.indent > column {
            let Some(indent) = self.indents.pop() else {
                return;
            };
            self.indent = indent.outer;
            if indent.is_block {
                self.push(Kind::BlockEnd, self.at, self.at);
            }
        }
    }

    /// Asks what follows to stand one column further right.
    pub(super) fn roll_one(&mut self) {
        if !self.in_flow() && self.indents.last().is_some_and(|indent| indent.is_block) {
            self.indents.push(Indent {
                outer: self.indent,
                is_block: false,
            });
            self.indent += 1;
        }
    }

    /// Takes back what [`Self::roll_one`] asked for.
    pub(super) fn unroll_ones(&mut self) {
        while let Some(indent) = self.indents.pop_if(|indent| !indent.is_block) {
            self.indent = indent.outer;
        }
    }

    /// Returns the column of the innermost block.
    pub(super) fn block_column(&self) -> i64 {
        let last = self.indents.last().filter(|indent| !indent.is_block);
        last.map_or(self.indent, |indent| indent.outer)
    }

    // Keys that are known by the `:` behind them.

    /// Notes that what follows may be a key.
    pub(super) fn note_candidate(&mut self) {
        if !self.may_key {
            return;
        }
        let is_block = self.indents.last().is_some_and(|indent| indent.is_block);
        let column = self.column();
        let candidate = Candidate {
            is_possible: true,
            is_required: !self.in_flow() && self.indent == column && is_block,
            number: self.taken + self.queue.len(),
            at: self.at,
            line: self.line,
            column,
        };
        if let Some(last) = self.candidates.last_mut() {
            *last = candidate;
            self.first_candidate.get_or_insert(self.flows.len());
        }
    }

    pub(super) fn drop_candidate(&mut self) -> Scanned {
        let last = self.candidates.last().copied().unwrap_or_default();
        if last.is_possible && last.is_required {
            let kind = FaultKind::NoColon;
            return Err(Fault { kind, at: last.at });
        }
        self.clear_candidate();
        Ok(())
    }

    pub(super) fn clear_candidate(&mut self) {
        if let Some(last) = self.candidates.last_mut() {
            last.is_possible = false;
        }
        if self.first_candidate == Some(self.flows.len()) {
            self.first_candidate = None;
        }
    }

    /// Gives up candidates that are on another line or too long by now.
    #[inline]
    pub(super) fn drop_stale(&mut self) -> Scanned {
        match self.first_candidate {
            Some(index) if self.is_stale(index) => self.drop_all_stale(),
            _ => Ok(()),
        }
    }

    #[inline]
    fn is_stale(&self, index: usize) -> bool {
        let candidate = &self.candidates[index];
        let is_above = candidate.line < self.line && !self.in_flow();
        is_above || self.at - candidate.at > KEY_MAX && self.is_too_long(candidate.at)
    }

    fn drop_all_stale(&mut self) -> Scanned {
        while let Some(index) = self.first_candidate {
            if !self.is_stale(index) {
                break;
            }
            let candidate = self.candidates[index];
            if candidate.is_required {
                let kind = FaultKind::NoColon;
                let at = candidate.at;
                return Err(Fault { kind, at });
            }
            self.candidates[index].is_possible = false;
            let rest = &self.candidates[index + 1..];
            let next = rest.iter().position(|candidate| candidate.is_possible);
            self.first_candidate = next.map(|offset| index + 1 + offset);
        }
        Ok(())
    }

    pub(super) fn is_too_long(&self, start: usize) -> bool {
        // A character has at most four bytes.
        let length = self.at - start;
        length > 4 * KEY_MAX || self.text[start..self.at].chars().count() > KEY_MAX
    }
}
