//! A YAML text as events: which tokens make a node, and where nodes are left
//! out. Nothing is known here of what the nodes mean.

use super::tokens::{Kind, Scanned, Token, Tokens};
use std::borrow::Cow;
use std::collections::VecDeque;

/// How a scalar is written.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Style {
    /// `text`
    Plain,
    /// `'text'`
    Single,
    /// `"text"`
    Double,
    /// `|`
    Literal,
    /// `>`
    Folded,
}

/// What the text holds at a place.
#[derive(Debug)]
pub(super) enum Event<'s> {
    /// A scalar, escapes resolved.
    Scalar(Cow<'s, str>, Style),
    /// A node of which nothing is written.
    Absent,
    /// A list begins.
    Seq(Layout),
    /// A mapping begins.
    Map(Layout),
    /// The innermost list or mapping ends.
    End,
    /// `*name`
    Alias,
    /// `&name`, after the event of its node.
    Anchor,
    /// `# …`
    Comment,
    /// A document begins.
    Document,
}

/// How a list or a mapping is written.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Layout {
    /// By indentation.
    Block,
    /// Between braces or brackets.
    Flow,
}

/// An event with its place.
#[derive(Debug)]
pub(super) struct Placed<'s> {
    /// What it is.
    pub(super) event: Event<'s>,
    /// Its first byte.
    pub(super) start: usize,
    /// The byte after its last.
    pub(super) end: usize,
    /// The place of its tag.
    pub(super) tag: Option<(usize, usize)>,
}

/// Why the text can't be read on.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum FaultKind {
    /// A `:` where no key can be.
    ColonInValue,
    /// Neither `,` nor the closing bracket.
    Separator,
    /// Text behind a closing quote.
    AfterQuote,
    /// A quote without its partner.
    OpenQuote,
    /// A bracket without its partner.
    OpenBracket,
    /// A closing bracket without its partner.
    StrayBracket,
    /// A tab in the indentation.
    Tab,
    /// `%…`
    Directive,
    /// `*` or `&` without a name.
    Indicator,
    /// A tag nobody declared, or half of one.
    Tag,
    /// A line without `:`.
    NoColon,
    /// An indentation that fits nothing above.
    Indentation,
    /// A character that begins no value.
    Character,
    /// An unknown escape.
    Escape,
    /// A list on the line of its key.
    ListHere,
    /// More levels than the parser goes.
    TooDeep,
    /// Anything else.
    Other,
}

/// The place at which the text can't be read on.
#[derive(Debug, Clone, Copy)]
pub(super) struct Fault {
    /// Why.
    pub(super) kind: FaultKind,
    /// Where.
    pub(super) at: usize,
}

/// What is expected next.
#[derive(Debug, Clone, Copy)]
enum State {
    /// A document; without `---` only at the start and behind `...`.
    Document {
        is_free: bool,
    },
    /// What a document holds, behind its `---`.
    Content,
    /// The end of a document.
    DocumentEnd,
    /// A node of a block.
    BlockNode,
    /// A `-` of a list.
    BlockSeq,
    /// A `-` of a list in the column of its key.
    LooseSeq,
    /// Its first item, and where it would begin.
    LooseItem(usize),
    /// A key of a block.
    BlockKey,
    /// The value of a key of a block.
    BlockValue,
    /// An item between brackets, the first or behind a `,`.
    FlowSeqFirst,
    FlowSeq,
    /// The key of a pair that an item is, announced by `?`.
    PairKey,
    PairValue,
    PairEnd,
    /// A key between braces, the first or behind a `,`.
    FlowMapFirst,
    FlowMap,
    /// The value of a key between braces.
    FlowValue,
    /// The value of a key without `:`.
    FlowNoValue,
    /// The end of the text.
    Over,
}

/// Where a node stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Seat {
    /// Between brackets.
    Flow,
    /// In a block.
    Block,
    /// In a block behind a key, where a list may stand in the key's column.
    Value,
}

/// The events of a text.
pub(super) struct Events<'s> {
    tokens: Tokens<'s>,
    /// The next token, if it was looked at.
    ahead: Option<Token>,
    state: State,
    /// What comes after that.
    states: Vec<State>,
    /// Events that are complete.
    ready: VecDeque<Placed<'s>>,
    fault: Option<Fault>,
    /// Where the last event ended that is no comment.
    end: usize,
}

impl<'s> Events<'s> {
    /// Begins at the start of a text.
    pub(super) fn of(text: &'s str) -> Self {
        Self {
            tokens: Tokens::of(text),
            ahead: None,
            state: State::Document { is_free: true },
            states: Vec::new(),
            ready: VecDeque::new(),
            fault: None,
            end: 0,
        }
    }

    /// Returns the next event, or `None` at the end.
    pub(super) fn next(&mut self) -> Option<Result<Placed<'s>, Fault>> {
        loop {
            if let Some(placed) = self.ready.pop_front() {
                return Some(Ok(placed));
            }
            if let Some(fault) = self.fault.take() {
                self.state = State::Over;
                return Some(Err(fault));
            }
            if matches!(self.state, State::Over) {
                return None;
            }
            if let Err(fault) = self.step() {
                self.fault = Some(fault);
            }
        }
    }

    /// Makes the next event, if there is one.
    fn step(&mut self) -> Scanned {
        match self.state {
            State::Document { is_free } => self.document(is_free),
            State::Content => self.content(),
            State::DocumentEnd => self.document_end(),
            State::BlockNode => self.node(Seat::Block),
            State::BlockSeq => self.block_seq(),
            State::LooseSeq => self.loose_seq(),
            State::LooseItem(at) => self.item(at, State::LooseSeq),
            State::BlockKey => self.block_key(),
            State::BlockValue => self.block_value(),
            State::FlowSeqFirst => self.flow_seq(),
            State::FlowSeq => {
                if self.comma(Kind::SeqClose)? {
                    return self.flow_seq();
                }
                Ok(())
            }
            State::PairKey => self.flow_part(State::PairValue, None),
            State::PairValue => self.pair_value(),
            State::PairEnd => {
                let at = self.peek()?.start();
                self.state = State::FlowSeq;
                self.emit(Event::End, at, at);
                Ok(())
            }
            State::FlowMapFirst => self.flow_map(),
            State::FlowMap => {
                if self.comma(Kind::MapClose)? {
                    return self.flow_map();
                }
                Ok(())
            }
            State::FlowValue => self.flow_value(),
            State::FlowNoValue => {
                let at = self.peek()?.start();
                self.absent(at, State::FlowMap);
                Ok(())
            }
            State::Over => Ok(()),
        }
    }

    /// Looks at the next token. Comments before it are events of their own.
    fn peek(&mut self) -> Scanned<Token> {
        if let Some(token) = self.ahead {
            return Ok(token);
        }
        loop {
            let token = self.tokens.next()?;
            if token.kind != Kind::Comment {
                self.ahead = Some(token);
                return Ok(token);
            }
            self.ready.push_back(Placed {
                event: Event::Comment,
                start: token.start(),
                end: token.end(),
                tag: None,
            });
        }
    }

    fn skip(&mut self) {
        self.ahead = None;
    }

    fn emit(&mut self, event: Event<'s>, start: usize, end: usize) {
        self.end = end;
        self.ready.push_back(Placed {
            event,
            start,
            end,
            tag: None,
        });
    }

    /// Makes an event of a node that is left out, and goes on.
    fn absent(&mut self, at: usize, next: State) {
        self.state = next;
        self.emit(Event::Absent, at, at);
    }

    /// Reads a node, and then goes on.
    fn then(&mut self, next: State, seat: Seat) -> Scanned {
        self.states.push(next);
        self.node(seat)
    }

    fn pop(&mut self) {
        self.state = self.states.pop().unwrap_or(State::Over);
    }

    /// Ends a list or a mapping at its last token.
    fn close(&mut self, token: Token) {
        self.skip();
        self.pop();
        self.emit(Event::End, token.start(), token.end());
    }

    // Documents.

    fn document(&mut self, is_free: bool) -> Scanned {
        let mut token = self.peek()?;
        while token.kind == Kind::DocumentEnd {
            self.skip();
            token = self.peek()?;
        }
        if token.kind == Kind::End {
            self.state = State::Over;
            return Ok(());
        }
        self.states.push(State::DocumentEnd);
        if token.kind == Kind::DocumentStart {
            self.skip();
            self.state = State::Content;
        } else if is_free {
            self.state = State::BlockNode;
        } else {
            return Err(fault(FaultKind::Indentation, token));
        }
        self.emit(Event::Document, token.start(), token.end());
        Ok(())
    }

    fn content(&mut self) -> Scanned {
        let token = self.peek()?;
        let kinds = [Kind::DocumentStart, Kind::DocumentEnd, Kind::End];
        if kinds.contains(&token.kind) {
            self.pop();
            self.emit(Event::Absent, self.end, self.end);
            return Ok(());
        }
        self.node(Seat::Block)
    }

    fn document_end(&mut self) -> Scanned {
        let is_free = self.peek()?.kind == Kind::DocumentEnd;
        if is_free {
            self.skip();
        }
        self.state = State::Document { is_free };
        Ok(())
    }

    // Nodes.

    fn node(&mut self, seat: Seat) -> Scanned {
        let mut token = self.peek()?;
        if token.kind == Kind::Alias {
            self.skip();
            self.pop();
            self.emit(Event::Alias, token.start(), token.end());
            return Ok(());
        }
        let mut anchor = None;
        let mut tag: Option<Token> = None;
        let mut end = token.start();
        loop {
            if token.kind == Kind::Anchor && anchor.is_none() {
                anchor = Some(token);
            } else if token.kind == Kind::Tag && tag.is_none() {
                if self.is_undeclared(token) {
                    return Err(fault(FaultKind::Tag, token));
                }
                tag = Some(token);
            } else {
                break;
            }
            end = token.end();
            self.skip();
            token = self.peek()?;
        }
        let has_properties = anchor.is_some() || tag.is_some();
        let is_absent = self.begin(token, seat);
        if is_absent && !has_properties {
            let kind = if seat == Seat::Flow {
                FaultKind::OpenBracket
            } else {
                FaultKind::Other
            };
            return Err(fault(kind, token));
        }
        if is_absent {
            self.pop();
            self.emit(Event::Absent, end, end);
        }
        if let Some(placed) = self.ready.back_mut() {
            placed.tag = tag.map(|tag| (tag.start(), tag.end()));
        }
        if let Some(anchor) = anchor {
            let end = self.end;
            self.emit(Event::Anchor, anchor.start(), anchor.end());
            self.end = end;
        }
        Ok(())
    }

    /// Makes the event that a node begins with. Says whether there is none.
    #[expect(clippy::wildcard_enum_match_arm, reason = "no other begins a node")]
    fn begin(&mut self, token: Token, seat: Seat) -> bool {
        let (event, state) = match token.kind {
            Kind::Scalar(style, letters) => {
                let text = self.tokens.letters(letters);
                self.skip();
                self.pop();
                let is_empty = style == Style::Plain && token.start() == token.end();
                let event = if is_empty {
                    Event::Absent
                } else {
                    Event::Scalar(text, style)
                };
                self.emit(event, token.start(), token.end());
                return false;
            }
            Kind::Dash if seat == Seat::Value => {
                (Event::Seq(Layout::Block), State::LooseItem(token.start()))
            }
            Kind::SeqOpen => (Event::Seq(Layout::Flow), State::FlowSeqFirst),
            Kind::MapOpen => (Event::Map(Layout::Flow), State::FlowMapFirst),
            Kind::BlockSeq if seat != Seat::Flow => (Event::Seq(Layout::Block), State::BlockSeq),
            Kind::BlockMap if seat != Seat::Flow => (Event::Map(Layout::Block), State::BlockKey),
            _ => return true,
        };
        self.skip();
        self.state = state;
        self.emit(event, token.start(), token.end());
        false
    }

    /// Returns whether a tag has a handle that a directive would declare.
    fn is_undeclared(&self, tag: Token) -> bool {
        let written = &self.tokens.text[tag.start() + 1..tag.end()];
        let length = written
            .find(|letter: char| !letter.is_ascii_alphanumeric() && letter != '-' && letter != '_');
        length.is_some_and(|length| length > 0 && written[length..].starts_with('!'))
    }

    // Blocks.

    fn block_seq(&mut self) -> Scanned {
        let token = self.peek()?;
        if token.kind == Kind::BlockEnd {
            self.close(token);
            return Ok(());
        }
        if token.kind != Kind::Dash {
            return Err(fault(FaultKind::Indentation, token));
        }
        self.skip();
        let next = self.peek()?;
        if matches!(next.kind, Kind::Dash | Kind::BlockEnd) {
            self.absent(token.start(), State::BlockSeq);
            return Ok(());
        }
        self.then(State::BlockSeq, Seat::Block)
    }

    fn loose_seq(&mut self) -> Scanned {
        let token = self.peek()?;
        if token.kind == Kind::Dash {
            self.skip();
            return self.item(token.start(), State::LooseSeq);
        }
        self.pop();
        self.emit(Event::End, token.start(), token.start());
        Ok(())
    }

    /// Reads an item of a list in the column of its key.
    fn item(&mut self, at: usize, next: State) -> Scanned {
        let kinds = [Kind::Dash, Kind::Key, Kind::Value, Kind::BlockEnd];
        if kinds.contains(&self.peek()?.kind) {
            self.absent(at, next);
            return Ok(());
        }
        self.then(next, Seat::Block)
    }

    fn block_key(&mut self) -> Scanned {
        let token = self.peek()?;
        if token.kind == Kind::Key {
            self.skip();
            return self.part(None, State::BlockValue);
        }
        if token.kind == Kind::Value {
            self.absent(token.start(), State::BlockValue);
            return Ok(());
        }
        if token.kind != Kind::BlockEnd {
            return Err(fault(FaultKind::Indentation, token));
        }
        self.close(token);
        Ok(())
    }

    fn block_value(&mut self) -> Scanned {
        let token = self.peek()?;
        if token.kind == Kind::Value {
            self.skip();
            return self.part(Some(token.start()), State::BlockKey);
        }
        self.absent(token.start(), State::BlockKey);
        Ok(())
    }

    /// Reads a key or a value of a block. `at` is where one begins that is left
    /// out; otherwise it is where the next token does.
    fn part(&mut self, at: Option<usize>, next: State) -> Scanned {
        let token = self.peek()?;
        if matches!(token.kind, Kind::Key | Kind::Value | Kind::BlockEnd) {
            self.absent(at.unwrap_or(token.start()), next);
            return Ok(());
        }
        self.then(next, Seat::Value)
    }

    // Between brackets.

    /// Takes the `,` before an item. Says whether there may be one; otherwise
    /// the list or mapping has ended.
    fn comma(&mut self, close: Kind) -> Scanned<bool> {
        let token = self.peek()?;
        if token.kind == Kind::Comma {
            self.skip();
            return Ok(true);
        }
        if token.kind != close {
            return Err(fault(FaultKind::Separator, token));
        }
        self.close(token);
        Ok(false)
    }

    fn flow_seq(&mut self) -> Scanned {
        let token = self.peek()?;
        if token.kind == Kind::SeqClose {
            self.close(token);
            return Ok(());
        }
        if token.kind != Kind::Key {
            return self.then(State::FlowSeq, Seat::Flow);
        }
        self.skip();
        self.state = State::PairKey;
        self.emit(Event::Map(Layout::Flow), token.start(), token.end());
        Ok(())
    }

    fn pair_value(&mut self) -> Scanned {
        let token = self.peek()?;
        if token.kind == Kind::Value {
            self.skip();
            return self.flow_part(State::PairEnd, None);
        }
        self.absent(token.start(), State::PairEnd);
        Ok(())
    }

    fn flow_map(&mut self) -> Scanned {
        let token = self.peek()?;
        if token.kind == Kind::MapClose {
            self.close(token);
            return Ok(());
        }
        let mut key = token;
        if token.kind == Kind::Key {
            self.skip();
            key = self.peek()?;
        }
        if key.kind == Kind::Value {
            self.absent(key.start(), State::FlowValue);
            return Ok(());
        }
        if token.kind == Kind::Key {
            return self.flow_part(State::FlowValue, None);
        }
        self.then(State::FlowNoValue, Seat::Flow)
    }

    fn flow_value(&mut self) -> Scanned {
        let token = self.peek()?;
        if token.kind == Kind::Value {
            self.skip();
            return self.flow_part(State::FlowMap, Some(token.start()));
        }
        self.absent(token.start(), State::FlowMap);
        Ok(())
    }

    /// Reads a key or a value between brackets, which may be left out.
    fn flow_part(&mut self, next: State, at: Option<usize>) -> Scanned {
        let token = self.peek()?;
        if ends_part(token.kind, next) {
            self.absent(at.unwrap_or(token.start()), next);
            return Ok(());
        }
        self.then(next, Seat::Flow)
    }
}

fn ends_part(kind: Kind, next: State) -> bool {
    let is_pair = matches!(next, State::PairValue | State::PairEnd);
    let close = if is_pair {
        Kind::SeqClose
    } else {
        Kind::MapClose
    };
    kind == Kind::Comma || kind == close
}

fn fault(kind: FaultKind, token: Token) -> Fault {
    Fault {
        kind,
        at: token.start(),
    }
}
