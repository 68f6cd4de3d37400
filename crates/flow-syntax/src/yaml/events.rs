//! The YAML parser behind the front end, and nothing else of it: its events
//! and its faults in our words, with byte offsets.

use granit_parser::{ErrorKind, Event as Raw, Parser, ScalarStyle, StrInput, StructureStyle};
use std::borrow::Cow;

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
    /// Something without a meaning for us.
    Nothing,
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

/// The events of a text.
pub(super) struct Events<'s> {
    parser: Parser<'s, StrInput<'s>>,
    text: &'s str,
}

impl<'s> Events<'s> {
    /// Begins at the start of a text.
    pub(super) fn of(text: &'s str) -> Self {
        let options = granit_parser::options! {
            disallow_directives: true,
            emit_unresolved_aliases: true,
            emit_anchor_events: true,
            max_buffered_comment_events: usize::MAX,
        };
        Self {
            parser: Parser::new_from_str_with_options(text, options),
            text,
        }
    }

    /// Returns the next event, or `None` at the end.
    pub(super) fn next(&mut self) -> Option<Result<Placed<'s>, Fault>> {
        let (raw, span) = match self.parser.next_event()? {
            Ok(found) => found,
            Err(error) => {
                let at = error.marker().byte_offset().unwrap_or(usize::MAX);
                return Some(Err(Fault {
                    kind: fault_kind(error.kind()),
                    at: self.text.floor_char_boundary(at),
                }));
            }
        };
        let range = span.byte_range().unwrap_or(0..0);
        let tag = span.tag_span().and_then(|span| span.byte_range());
        Some(Ok(Placed {
            event: event(raw, range.is_empty()),
            start: range.start,
            end: range.end,
            tag: tag.map(|tag| (tag.start, tag.end)),
        }))
    }
}

fn event(raw: Raw<'_>, is_empty: bool) -> Event<'_> {
    let layout = |style| match style {
        StructureStyle::Flow => Layout::Flow,
        StructureStyle::Block => Layout::Block,
    };
    match raw {
        Raw::Scalar(_, ScalarStyle::Plain, _, _) if is_empty => Event::Absent,
        Raw::Scalar(text, style, _, _) => Event::Scalar(
            text,
            match style {
                ScalarStyle::Plain => Style::Plain,
                ScalarStyle::SingleQuoted => Style::Single,
                ScalarStyle::DoubleQuoted => Style::Double,
                ScalarStyle::Literal => Style::Literal,
                ScalarStyle::Folded => Style::Folded,
            },
        ),
        Raw::SequenceStart(style, _, _) => Event::Seq(layout(style)),
        Raw::MappingStart(style, _, _) => Event::Map(layout(style)),
        Raw::SequenceEnd | Raw::MappingEnd => Event::End,
        Raw::Alias(_) | Raw::UnresolvedAlias(_) => Event::Alias,
        Raw::Anchor(_, _) => Event::Anchor,
        Raw::Comment(_, _) => Event::Comment,
        Raw::DocumentStart(_, _) => Event::Document,
        // The enumeration is open; nothing else is a node today.
        Raw::StreamStart | Raw::StreamEnd | Raw::DocumentEnd | _ => Event::Nothing,
    }
}

fn fault_kind(kind: &ErrorKind) -> FaultKind {
    use ErrorKind as E;
    if matches!(kind, E::MappingValueNotAllowed | E::InvalidColonPlacement) {
        FaultKind::ColonInValue
    } else if matches!(
        kind,
        E::ExpectedFlowMappingSeparator | E::ExpectedFlowSequenceSeparator
    ) {
        FaultKind::Separator
    } else if matches!(
        kind,
        E::InvalidTrailingSingleQuotedScalar | E::InvalidTrailingDoubleQuotedScalar
    ) {
        FaultKind::AfterQuote
    } else if matches!(
        kind,
        E::UnclosedQuotedScalar | E::InvalidQuotedScalarIndent | E::DocumentIndicatorInQuotedScalar
    ) {
        FaultKind::OpenQuote
    } else if matches!(
        kind,
        E::UnclosedFlowCollection { .. }
            | E::UnexpectedEofFlowMapping
            | E::UnexpectedEofFlowSequence
            | E::UnexpectedEofImplicitFlowMapping
    ) {
        FaultKind::OpenBracket
    } else if matches!(
        kind,
        E::MisplacedFlowCollectionEnd | E::MismatchedFlowCollectionEnd { .. }
    ) {
        FaultKind::StrayBracket
    } else {
        rarer_fault_kind(kind)
    }
}

fn rarer_fault_kind(kind: &ErrorKind) -> FaultKind {
    use ErrorKind as E;
    if matches!(
        kind,
        E::TabNotAllowed
            | E::TabInBlockIndentation
            | E::TabInIndentation
            | E::TabAtBlockScalarStart
            | E::TabInPlainScalar
    ) {
        FaultKind::Tab
    } else if matches!(kind, E::DirectiveDisallowed) {
        FaultKind::Directive
    } else if matches!(kind, E::MissingAnchorOrAliasName | E::UnknownAnchor) {
        FaultKind::Indicator
    } else if matches!(
        kind,
        E::UndeclaredTagHandle
            | E::ExpectedTagBang
            | E::InvalidTagTerminator
            | E::MissingTagUri
            | E::UnclosedVerbatimTag
            | E::InvalidTagEscape
            | E::InvalidGlobalTagCharacter
    ) {
        FaultKind::Tag
    } else if matches!(kind, E::SimpleKeyExpected | E::InvalidSimpleKey) {
        FaultKind::NoColon
    } else if matches!(
        kind,
        E::ExpectedBlockMappingKey
            | E::ExpectedBlockSequenceEntry
            | E::InvalidIndentation
            | E::InvalidFlowScalarIndent
            | E::InvalidBlockScalarIndent
            | E::ExpectedDocumentStart
    ) {
        FaultKind::Indentation
    } else if matches!(kind, E::UnexpectedCharacter { .. }) {
        FaultKind::Character
    } else if matches!(
        kind,
        E::UnknownQuotedScalarEscape
            | E::InvalidQuotedScalarHexEscape
            | E::InvalidUnicodeEscape
            | E::InvalidLowSurrogate
            | E::InvalidLowSurrogateHexEscape
            | E::MissingLowSurrogate
            | E::UnpairedLowSurrogate
    ) {
        FaultKind::Escape
    } else if matches!(
        kind,
        E::BlockSequenceEntryNotAllowed | E::InvalidBlockEntryWhitespace
    ) {
        FaultKind::ListHere
    } else if matches!(kind, E::RecursionLimitExceeded) {
        FaultKind::TooDeep
    } else {
        FaultKind::Other
    }
}
