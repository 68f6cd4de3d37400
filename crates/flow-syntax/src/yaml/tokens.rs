//! A YAML text as tokens: marks, scalars, and where blocks begin and end.
//!
//! Two things can only be told later than they are written. Blocks end where a
//! line is indented less, so their columns are kept. And what stands before a
//! `:` is a key only because of that `:`, so tokens wait until it is certain
//! that none follows. `columns` keeps account of both, `blanks` of lines and
//! comments; `letters` reads what stands inside of scalars.

use super::blanks::{clip, is_blank, is_break_or_end, is_flow, is_printable, signed};
use super::events::{Fault, FaultKind, Style};
use super::queue::Queue;
use std::borrow::Cow;

/// How many brackets may be open.
const FLOWS_MAX: usize = 255;

/// A token with its place.
#[derive(Debug, Clone, Copy)]
pub(super) struct Token {
    pub(super) kind: Kind,
    start: u32,
    end: u32,
}

impl Token {
    pub(super) fn new(kind: Kind, start: usize, end: usize) -> Self {
        Self {
            kind,
            start: clip(start),
            end: clip(end),
        }
    }

    /// Returns the offset of its first byte.
    pub(super) fn start(&self) -> usize {
        self.start as usize
    }

    /// Returns the offset of the byte after its last.
    pub(super) fn end(&self) -> usize {
        self.end as usize
    }
}

/// The kinds of tokens.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Kind {
    /// The end of the text.
    End,
    /// `---`
    DocumentStart,
    /// `...`
    DocumentEnd,
    /// A list by indentation begins.
    BlockSeq,
    /// A mapping by indentation begins.
    BlockMap,
    /// The innermost of them ends.
    BlockEnd,
    /// `-`
    Dash,
    /// `[`
    SeqOpen,
    /// `]`
    SeqClose,
    /// `{`, or nothing where a list between brackets holds `key: value`.
    MapOpen,
    /// `}`, or nothing where such a pair ends.
    MapClose,
    /// `,`
    Comma,
    /// `?`, or nothing before what turned out to be a key.
    Key,
    /// `:`
    Value,
    /// `*name`
    Alias,
    /// `&name`
    Anchor,
    /// `!name`
    Tag,
    /// A scalar.
    Scalar(Style, Letters),
    /// `# …`
    Comment,
}

/// What a scalar means.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Letters {
    /// What is written between two offsets.
    Written(u32, u32),
    /// Something else, by its index.
    Made(u32),
}

impl Letters {
    /// Takes what is written between two offsets.
    pub(super) fn written(start: usize, end: usize) -> Self {
        Self::Written(clip(start), clip(end))
    }
}

/// A column that a block or a key has set.
#[derive(Debug, Clone, Copy)]
pub(super) struct Indent {
    /// The column before.
    pub(super) outer: i64,
    /// Whether a block began there.
    pub(super) is_block: bool,
}

/// What may stand before the next token.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Ahead {
    /// A byte order mark.
    Document,
    /// Tabs behind a `?`, which may not indent.
    Key,
    /// Nothing but blanks.
    Token,
}

/// What may turn out to be a key.
#[derive(Debug, Clone, Copy, Default)]
pub(super) struct Candidate {
    pub(super) is_possible: bool,
    /// Whether nothing else may stand there.
    pub(super) is_required: bool,
    /// The number of its first token.
    pub(super) number: usize,
    pub(super) at: usize,
    pub(super) line: usize,
    pub(super) column: i64,
}

/// A bracket that is open.
#[derive(Debug, Clone, Copy)]
pub(super) struct Flow {
    at: usize,
    bracket: u8,
    /// Whether keys stand in it: in `{`, or behind a `?` or `:` in `[`.
    has_keys: bool,
    /// Whether a pair of a list is open.
    has_pair: bool,
}

/// The tokens of a text.
pub(super) struct Tokens<'s> {
    pub(super) text: &'s str,
    pub(super) bytes: &'s [u8],
    /// What was read so far.
    pub(super) at: usize,
    pub(super) line: usize,
    /// Where the line began.
    pub(super) line_start: usize,
    /// Whether nothing but blanks stands before on the line.
    pub(super) is_leading: bool,
    pub(super) queue: Queue,
    /// How many tokens were handed out.
    pub(super) taken: usize,
    /// What is wrong behind comments that wait.
    fault: Option<Fault>,
    /// What scalars mean that is not written so.
    made: Vec<String>,
    /// The column of the innermost block, -1 outside of all.
    pub(super) indent: i64,
    pub(super) indents: Vec<Indent>,
    /// One for each open bracket, and one outside of all.
    pub(super) candidates: Vec<Candidate>,
    /// The outermost candidate that is possible.
    pub(super) first_candidate: Option<usize>,
    /// Whether a key may begin here.
    pub(super) may_key: bool,
    pub(super) flows: Vec<Flow>,
    /// Where a `:` may stand without a blank behind it.
    pub(super) tight_at: usize,
    /// Where a comment ended an unquoted text.
    pub(super) cut: Option<(usize, usize)>,
    pub(super) ahead: Ahead,
}

/// Result of everything that can meet a fault.
pub(super) type Scanned<T = ()> = Result<T, Fault>;

impl<'s> Tokens<'s> {
    /// Begins at the start of a text.
    pub(super) fn of(text: &'s str) -> Self {
        Self {
            text,
            bytes: text.as_bytes(),
            at: 0,
            line: 0,
            line_start: 0,
            is_leading: true,
            queue: Queue::default(),
            taken: 0,
            fault: None,
            made: Vec::new(),
            indent: -1,
            indents: Vec::new(),
            candidates: vec![Candidate::default()],
            first_candidate: None,
            may_key: true,
            flows: Vec::new(),
            tight_at: usize::MAX,
            cut: None,
            ahead: Ahead::Document,
        }
    }

    /// Takes the next token. Comments that stand before a fault come first.
    pub(super) fn next(&mut self) -> Scanned<Token> {
        if self.fault.is_none()
            && let Err(fault) = self.fill()
        {
            self.fault = Some(fault);
        }
        let waits = self.queue.front().map(|token| token.kind);
        if let Some(fault) = self.fault.filter(|_| waits != Some(Kind::Comment)) {
            return Err(fault);
        }
        self.taken += 1;
        let token = self.queue.take();
        Ok(token.unwrap_or_else(|| Token::new(Kind::End, self.at, self.at)))
    }

    /// Returns what a scalar means.
    pub(super) fn letters(&mut self, letters: Letters) -> Cow<'s, str> {
        match letters {
            Letters::Written(start, end) => Cow::Borrowed(&self.text[start as usize..end as usize]),
            Letters::Made(index) => Cow::Owned(std::mem::take(&mut self.made[index as usize])),
        }
    }

    /// Keeps what a scalar means.
    pub(super) fn make(&mut self, letters: String) -> Letters {
        self.made.push(letters);
        Letters::Made(clip(self.made.len() - 1))
    }

    /// Reads until it is certain what the next token is.
    fn fill(&mut self) -> Scanned {
        loop {
            if let Some(front) = self.queue.front().map(|token| token.kind) {
                self.drop_stale()?;
                let first = self.first_candidate.map(|index| self.candidates[index]);
                let is_open = front != Kind::Comment
                    && first.is_some_and(|candidate| candidate.number == self.taken);
                let last = self.queue.back().map(|token| token.kind);
                let is_border = matches!(last, Some(Kind::DocumentStart | Kind::DocumentEnd));
                if !is_open || is_border {
                    return Ok(());
                }
            }
            self.read()?;
        }
    }

    /// Reads at least one token.
    fn read(&mut self) -> Scanned {
        if self.skip_blanks()? {
            return Ok(());
        }
        self.drop_stale()?;
        self.unroll(self.column());
        let Some(&first) = self.bytes.get(self.at) else {
            return self.end();
        };
        self.check_printable()?;
        if self.column() == 0 {
            if first == b'%' {
                return Err(self.fault(FaultKind::Directive));
            }
            if self.begins_line_with(b"---") {
                return self.document(Kind::DocumentStart);
            }
            if self.begins_line_with(b"...") {
                self.document(Kind::DocumentEnd)?;
                self.skip_line_blanks()?;
                if !is_break_or_end(self.byte(0)) {
                    return Err(self.fault(FaultKind::Other));
                }
                return Ok(());
            }
        }
        if self.ahead == Ahead::Document {
            self.ahead = Ahead::Token;
        }
        self.read_at(first)
    }

    /// Reads what begins with a byte.
    fn read_at(&mut self, first: u8) -> Scanned {
        let second = self.byte(1);
        let is_alone = is_blank(second) || is_break_or_end(second);
        let in_flow = !self.flows.is_empty();
        match first {
            b'[' => self.open(Kind::SeqOpen),
            b'{' => self.open(Kind::MapOpen),
            b']' => self.close(Kind::SeqClose, b'['),
            b'}' => self.close(Kind::MapClose, b'{'),
            b',' => self.comma(),
            b'-' if is_alone => self.dash(),
            b'?' if is_alone => self.key(),
            b':' if is_alone => self.value(),
            b':' if in_flow && (is_flow(second) || self.at == self.tight_at) => {
                if self.at != self.tight_at && matches!(second, b'[' | b'{') {
                    return Err(self.fault(FaultKind::Other));
                }
                self.value()
            }
            b'*' => self.name(Kind::Alias),
            b'&' => self.name(Kind::Anchor),
            b'!' => self.tag(),
            b'|' if !in_flow => self.block_scalar(Style::Literal),
            b'>' if !in_flow => self.block_scalar(Style::Folded),
            b'\'' => self.quoted_scalar(Style::Single),
            b'"' => self.quoted_scalar(Style::Double),
            b'-' => self.plain_scalar(),
            b':' | b'?' if !is_alone && !in_flow => self.plain_scalar(),
            0xEF if self.text[self.at..].starts_with('\u{feff}') => {
                Err(self.fault(FaultKind::Other))
            }
            b'|' | b'>' | b'%' | b'@' | b'`' => Err(self.fault(FaultKind::Character)),
            _ => self.plain_scalar(),
        }
    }

    pub(super) fn push(&mut self, kind: Kind, start: usize, end: usize) {
        self.queue.push(Token::new(kind, start, end));
    }

    pub(super) fn insert(&mut self, index: usize, kind: Kind, at: usize) {
        self.queue.insert(index, Token::new(kind, at, at));
    }

    fn end(&mut self) -> Scanned {
        if let Some(flow) = self.flows.last() {
            let kind = FaultKind::OpenBracket;
            return Err(Fault { kind, at: flow.at });
        }
        self.drop_candidate()?;
        self.unroll(-1);
        self.may_key = false;
        self.push(Kind::End, self.at, self.at);
        Ok(())
    }

    fn document(&mut self, kind: Kind) -> Scanned {
        if let Some(flow) = self.flows.last() {
            let kind = FaultKind::OpenBracket;
            return Err(Fault { kind, at: flow.at });
        }
        self.unroll(-1);
        self.drop_candidate()?;
        self.may_key = false;
        let start = self.at;
        self.take(3);
        self.ahead = if kind == Kind::DocumentEnd {
            Ahead::Document
        } else {
            Ahead::Token
        };
        self.push(kind, start, self.at);
        Ok(())
    }

    fn open(&mut self, kind: Kind) -> Scanned {
        self.note_candidate();
        let start = self.at;
        self.roll_one();
        if self.flows.len() >= FLOWS_MAX {
            return Err(self.fault(FaultKind::TooDeep));
        }
        self.flows.push(Flow {
            at: start,
            bracket: self.byte(0),
            has_keys: kind == Kind::MapOpen,
            has_pair: false,
        });
        self.candidates.push(Candidate::default());
        self.may_key = true;
        self.take(1);
        self.push(kind, start, self.at);
        self.skip_line_blanks()?;
        Ok(())
    }

    fn close(&mut self, kind: Kind, bracket: u8) -> Scanned {
        let Some(&flow) = self.flows.last() else {
            return Err(self.fault(FaultKind::StrayBracket));
        };
        if flow.bracket != bracket {
            let kind = FaultKind::StrayBracket;
            return Err(Fault { kind, at: flow.at });
        }
        self.drop_candidate()?;
        self.end_pair();
        self.flows.pop();
        self.candidates.pop();
        self.may_key = false;
        let start = self.at;
        self.take(1);
        self.push(kind, start, self.at);
        self.skip_line_blanks()?;
        // `{a: b}:value` in brackets has a key.
        if self.in_flow() {
            self.tight_at = self.at;
        }
        Ok(())
    }

    fn comma(&mut self) -> Scanned {
        self.drop_candidate()?;
        self.may_key = true;
        self.end_pair();
        if let Some(flow) = self.flows.last_mut()
            && flow.bracket == b'['
        {
            flow.has_keys = false;
        }
        let start = self.at;
        self.take(1);
        self.push(Kind::Comma, start, self.at);
        self.skip_line_blanks()?;
        Ok(())
    }

    /// Ends a pair that stands in a list between brackets.
    fn end_pair(&mut self) {
        let at = self.at;
        if let Some(flow) = self.flows.last_mut().filter(|flow| flow.has_pair) {
            flow.has_pair = false;
            flow.has_keys = false;
            self.push(Kind::MapClose, at, at);
        }
    }

    fn dash(&mut self) -> Scanned {
        if self.in_flow() {
            return Err(self.fault(FaultKind::Other));
        }
        if !self.may_key {
            return Err(self.fault(FaultKind::ListHere));
        }
        let (start, column) = (self.at, self.column());
        self.take(1);
        self.roll(column, None, Kind::BlockSeq, start);
        let index = self.queue.len();
        let has_tabs = self.skip_line_blanks()?;
        let second = self.byte(1);
        if has_tabs && self.byte(0) == b'-' && (is_blank(second) || is_break_or_end(second)) {
            return Err(self.fault(FaultKind::ListHere));
        }
        if matches!(self.byte(0), b'\n' | b'\r') || is_flow(self.byte(0)) {
            self.roll_one();
        }
        self.drop_candidate()?;
        self.may_key = true;
        self.insert(index, Kind::Dash, self.at);
        Ok(())
    }

    fn key(&mut self) -> Scanned {
        let (start, column) = (self.at, self.column());
        if let Some(flow) = self.flows.last_mut() {
            flow.has_keys = true;
        } else {
            if !self.may_key {
                return Err(self.fault(FaultKind::Other));
            }
            self.roll(column, None, Kind::BlockMap, start);
        }
        self.drop_candidate()?;
        self.may_key = !self.in_flow();
        self.take(1);
        self.push(Kind::Key, start, self.at);
        self.ahead = Ahead::Token;
        if !self.in_flow() && self.blanks_behind_key()? {
            self.ahead = Ahead::Key;
        }
        Ok(())
    }

    /// Skips what stands between a `?` and its key. Says whether a comment did.
    fn blanks_behind_key(&mut self) -> Scanned<bool> {
        loop {
            match self.byte(0) {
                b' ' => self.at += 1,
                b'\t' => self.tab_behind_key()?,
                b'\n' | b'\r' => self.take_line(),
                b'#' => {
                    self.comment()?;
                    return Ok(true);
                }
                _ => return Ok(false),
            }
        }
    }

    pub(super) fn tab_behind_key(&mut self) -> Scanned {
        if self.is_leading && self.column() <= self.indent {
            let tab = self.fault(FaultKind::Tab);
            self.take_blanks();
            if self.byte(0) != b'#' && !is_break_or_end(self.byte(0)) {
                return Err(tab);
            }
        } else {
            self.at += 1;
        }
        self.may_key = false;
        Ok(())
    }

    fn value(&mut self) -> Scanned {
        let candidate = self.candidates.last().copied().unwrap_or_default();
        let (start, line, column) = (self.at, self.line, self.column());
        let begins_pair = self
            .flows
            .last_mut()
            .is_some_and(|flow| flow.bracket == b'[' && !flow.has_keys);
        if begins_pair && let Some(flow) = self.flows.last_mut() {
            flow.has_pair = true;
        }
        self.take(1);
        let index = self.queue.len();
        let mut has_tabs = false;
        if is_blank(self.byte(0)) {
            has_tabs = self.skip_line_blanks()?;
        }
        // A comment behind the `:` follows it.
        let comment = (self.queue.len() > index)
            .then(|| self.queue.pop())
            .flatten();
        if candidate.is_possible {
            self.check_flow_key(&candidate, start, line, column, begins_pair)?;
            let index = candidate.number - self.taken;
            self.insert(index, Kind::Key, candidate.at);
            if begins_pair {
                self.insert(index, Kind::MapOpen, candidate.at);
            }
            let number = Some(candidate.number);
            self.roll(candidate.column, number, Kind::BlockMap, candidate.at);
            self.roll_one();
            self.clear_candidate();
            self.may_key = false;
        } else {
            if begins_pair {
                self.push(Kind::MapOpen, start, start);
            }
            if !self.in_flow() {
                if !self.may_key {
                    let kind = FaultKind::ColonInValue;
                    return Err(Fault { kind, at: start });
                }
                self.roll(column, None, Kind::BlockMap, start);
            }
            self.roll_one();
            self.may_key = !self.in_flow() && !has_tabs;
        }
        self.push(Kind::Value, start, start);
        if let Some(comment) = comment {
            self.queue.push(comment);
        }
        Ok(())
    }

    /// Refuses a key between brackets that spans lines where none may.
    fn check_flow_key(
        &self,
        key: &Candidate,
        colon: usize,
        line: usize,
        column: i64,
        begins_pair: bool,
    ) -> Scanned {
        let kind = FaultKind::ColonInValue;
        let wrong = Err(Fault { kind, at: colon });
        if !self.in_flow() || key.line == line {
            return Ok(());
        }
        let least = self.block_column();
        if key.column <= least || column <= least || begins_pair {
            return wrong;
        }
        let tokens = self.queue.waiting().iter().skip(key.number - self.taken);
        for token in tokens.filter(|token| token.kind != Kind::Comment) {
            let before = &self.bytes[..token.start()];
            let breaks = before
                .iter()
                .rposition(|byte| matches!(byte, b'\n' | b'\r'));
            let column = token.start() - breaks.map_or(0, |at| at + 1);
            if signed(column) <= least {
                return wrong;
            }
            if !matches!(token.kind, Kind::Anchor | Kind::Tag) {
                break;
            }
        }
        Ok(())
    }

    fn name(&mut self, kind: Kind) -> Scanned {
        self.note_candidate();
        self.may_key = false;
        let start = self.at;
        self.take(1);
        let name = &self.text[self.at..];
        let length = name
            .find(|letter: char| {
                letter.is_ascii() && ends_name(letter)
                    || letter == '\u{feff}'
                    || !is_printable(letter)
            })
            .unwrap_or(name.len());
        if length == 0 {
            let kind = FaultKind::Indicator;
            return Err(Fault { kind, at: start });
        }
        self.take(length);
        self.push(kind, start, self.at);
        Ok(())
    }

    fn tag(&mut self) -> Scanned {
        self.note_candidate();
        self.may_key = false;
        let start = self.at;
        let is_whole = self.take_tag();
        let next = self.byte(0);
        let is_over = is_blank(next)
            || is_break_or_end(next)
            || self.in_flow() && matches!(next, b',' | b']' | b'}');
        if !is_whole || !is_over {
            let kind = FaultKind::Tag;
            return Err(Fault { kind, at: start });
        }
        self.push(Kind::Tag, start, self.at);
        Ok(())
    }
}

fn ends_name(letter: char) -> bool {
    letter.is_ascii_whitespace() || matches!(letter, ',' | '[' | ']' | '{' | '}')
}
