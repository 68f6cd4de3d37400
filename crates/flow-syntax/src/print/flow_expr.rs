//! Expressions of the workflow language, and what all parts share: lists of
//! parts between brackets, and the comments around them.

use super::anchors::{Place, arg_place, entry_place, place};
use super::doc::{Doc, WIDTH};
use super::flow_text::{quoted, quoted_or_raw};
use super::trivia::{Notes, Pending, Remark, Trivia};
use crate::ast::{
    Arg, Bare, Binary, Call, Comprehension, Entry, Expr, ExprKind, IfExpr, Literal, LiteralKind,
    Presence, UnaryOp,
};

/// How tightly things bind that [`BinaryOp::precedence`] does not rank.
///
/// [`BinaryOp::precedence`]: crate::ast::BinaryOp::precedence
const ANY: u8 = 0;
const NO_IF: u8 = 1;
const NOT: u8 = 4;
const COMPARE: u8 = 5;
const NEGATE: u8 = 8;
const POSTFIX: u8 = 9;

/// Writes the workflow language.
#[derive(Debug)]
pub(super) struct Flow<'a> {
    pub(super) doc: Doc<'a>,
    pub(super) pending: Pending,
    /// Set where it writes a piece of a YAML scalar, on one line.
    pub(super) inline: Option<InlineQuotes>,
    /// How many brackets are open: inside them a line may end anywhere.
    brackets: usize,
}

/// Which quotes texts have inside a YAML scalar.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum InlineQuotes {
    /// Those that were written.
    Kept,
    /// `'` where it can be, for YAML's own are `"`.
    Single,
}

/// What stands between parts.
#[derive(Debug, Clone, Copy)]
pub(super) struct Brackets {
    pub(super) open: &'static str,
    pub(super) close: &'static str,
    /// What stands inside of the brackets on one line.
    pub(super) pad: &'static str,
}

pub(super) const ROUND: Brackets = brackets("(", ")", "");
pub(super) const SQUARE: Brackets = brackets("[", "]", "");
pub(super) const CURLY: Brackets = brackets("{", "}", " ");

const fn brackets(open: &'static str, close: &'static str, pad: &'static str) -> Brackets {
    Brackets { open, close, pad }
}

/// Returns an expression on one line, for a YAML scalar.
pub(super) fn inline(expr: &Expr) -> String {
    let mut flow = Flow::new(&Trivia::default());
    flow.inline = Some(InlineQuotes::Single);
    flow.expr(expr, ANY);
    flow.doc.render(usize::MAX)
}

/// Returns an expression on one line as a YAML scalar of its own: its texts
/// keep their quotes where YAML needs none around them.
pub(super) fn language(expr: &Expr) -> String {
    line(|flow| flow.expr(expr, ANY))
}

/// Returns what a printer writes on one line, as [`language`] does.
pub(super) fn line<'a>(write: impl Fn(&mut Flow<'a>)) -> String {
    let mut text = String::new();
    for quotes in [InlineQuotes::Kept, InlineQuotes::Single] {
        let mut flow = Flow::new(&Trivia::default());
        flow.inline = Some(quotes);
        write(&mut flow);
        text = flow.doc.render(usize::MAX);
        if super::yaml_scalar::is_plain(&text, super::yaml_scalar::Where::Block) {
            break;
        }
    }
    text
}

/// Returns an expression on one line, for a hole of a text.
pub(super) fn one_line(expr: &Expr) -> String {
    let mut flow = Flow::new(&Trivia::default());
    flow.brackets = 1;
    flow.expr(expr, ANY);
    let written = flow.doc.render(usize::MAX);
    // Only texts of several lines end a line by themselves.
    if written.contains('\n') {
        inline(expr)
    } else {
        written
    }
}

impl<'a> Flow<'a> {
    pub(super) fn new(trivia: &Trivia) -> Self {
        Self {
            doc: Doc::default(),
            pending: Pending::new(trivia),
            inline: None,
            brackets: 0,
        }
    }

    /// Ends: gives what was written.
    pub(super) fn finish(self) -> String {
        self.doc.render(WIDTH)
    }

    /// Writes an expression that stands by itself. A long one is put into
    /// parentheses, inside of which lines may end.
    pub(super) fn expr_alone(&mut self, expr: &'a Expr) {
        let is_long = matches!(expr.kind, ExprKind::Binary(_) | ExprKind::If(_));
        if !is_long || self.inline.is_some() || self.brackets > 0 {
            self.expr(expr, ANY);
            return;
        }
        self.doc.open();
        self.doc.if_broken("(");
        self.doc.indent();
        self.doc.line("");
        self.brackets += 1;
        self.expr(expr, ANY);
        self.brackets -= 1;
        self.doc.dedent();
        self.doc.line("");
        self.doc.if_broken(")");
        self.doc.close();
    }

    /// Writes an expression where a choice needs parentheses.
    pub(super) fn expr_head(&mut self, expr: &'a Expr) {
        if matches!(expr.kind, ExprKind::If(_)) {
            self.expr(expr, NO_IF);
        } else {
            self.expr_alone(expr);
        }
    }

    /// Writes the operand of a clause.
    pub(super) fn atom(&mut self, expr: &'a Expr) {
        let is_atom = match &expr.kind {
            ExprKind::Literal(literal) => !literal.text.starts_with('-'),
            ExprKind::Bare(_) | ExprKind::Text(_) | ExprKind::Name(_) => true,
            ExprKind::Field(..) => is_dotted(expr),
            ExprKind::None | ExprKind::Error => false,
            ExprKind::Index(..) | ExprKind::Unary(..) => false,
            ExprKind::Binary(_) | ExprKind::Is(..) | ExprKind::If(_) | ExprKind::Call(_) => false,
            ExprKind::List(_) | ExprKind::Comprehension(_) | ExprKind::Record(_) => false,
        };
        if is_atom {
            self.expr(expr, ANY);
        } else {
            self.parens(expr);
        }
    }

    /// Writes an expression between parentheses.
    pub(super) fn parens(&mut self, expr: &'a Expr) {
        self.doc.text("(");
        self.doc.open();
        self.doc.indent();
        self.doc.line("");
        self.brackets += 1;
        self.expr(expr, ANY);
        self.brackets -= 1;
        self.doc.dedent();
        self.doc.line("");
        self.doc.close();
        self.doc.text(")");
    }

    fn expr(&mut self, expr: &'a Expr, least: u8) {
        if precedence(expr) < least {
            self.parens(expr);
            return;
        }
        match &expr.kind {
            ExprKind::Literal(literal) => self.literal(literal),
            // In an expression a word is what it is in the language: a name.
            ExprKind::Bare(bare) if self.inline.is_some() && !bare.quoted => {
                self.doc.text(bare.text.as_str());
            }
            ExprKind::Bare(bare) => self.doc.text(bare_text(bare)),
            ExprKind::Text(text) => self.text(text),
            ExprKind::None | ExprKind::Error => self.doc.text("none"),
            ExprKind::Name(name) => self.doc.text(name.as_str()),
            ExprKind::Field(base, name) => {
                self.base(base);
                self.doc.text(".");
                self.doc.text(name.text.as_str());
            }
            ExprKind::Index(base, index) => {
                self.base(base);
                self.doc.text("[");
                self.brackets += 1;
                self.expr(index, ANY);
                self.brackets -= 1;
                self.doc.text("]");
            }
            ExprKind::Unary(UnaryOp::Not, operand) => {
                self.doc.text("not ");
                self.expr(operand, NOT);
            }
            ExprKind::Unary(UnaryOp::Negate, operand) => {
                self.doc.text("-");
                // Two signs in a row are hard to read.
                self.expr(operand, NEGATE + 1);
            }
            ExprKind::Binary(binary) => self.binary(binary),
            ExprKind::Is(operand, presence) => {
                self.expr(operand, COMPARE + 1);
                self.doc.text(match presence {
                    Presence::Some => " is some",
                    Presence::None => " is none",
                });
            }
            ExprKind::If(choice) => self.choice(choice),
            ExprKind::Call(call) => self.call(call, place(expr.span)),
            ExprKind::List(items) => {
                let at = |item: &Expr| place(item.span);
                self.parts(SQUARE, place(expr.span), items, at, Self::element);
            }
            ExprKind::Comprehension(made) => self.comprehension(made),
            ExprKind::Record(entries) => {
                self.parts(CURLY, place(expr.span), entries, entry_place, Self::entry);
            }
        }
    }

    /// Writes what stands before a dot or an index.
    fn base(&mut self, base: &'a Expr) {
        // A dot behind a number would be part of it.
        if matches!(base.kind, ExprKind::Literal(_)) {
            self.parens(base);
        } else {
            self.expr(base, POSTFIX);
        }
    }

    /// Writes a literal.
    pub(super) fn literal(&mut self, literal: &'a Literal) {
        match literal.kind {
            LiteralKind::Text => self.doc.text(quoted(&literal.text)),
            LiteralKind::Int | LiteralKind::Float | LiteralKind::Bool | LiteralKind::Money => {
                self.doc.text(literal.text.as_str());
            }
            LiteralKind::Duration | LiteralKind::Size => self.doc.text(literal.text.as_str()),
        }
    }

    /// Writes operators of one rank side by side, however deep they nest.
    fn binary(&mut self, binary: &'a Binary) {
        let rank = binary.op.precedence();
        let mut rest = vec![(binary.op, &binary.right)];
        let mut first = &binary.left;
        if rank != COMPARE {
            while let ExprKind::Binary(inner) = &first.kind {
                if inner.op.precedence() != rank {
                    break;
                }
                rest.push((inner.op, &inner.right));
                first = &inner.left;
            }
        }
        let may_break = self.brackets > 0 && self.inline.is_none();
        self.doc.open();
        self.expr(first, if rank == COMPARE { rank + 1 } else { rank });
        for (op, operand) in rest.into_iter().rev() {
            self.doc.text(" ");
            self.doc.text(op.symbol());
            if may_break {
                self.doc.line(" ");
            } else {
                self.doc.text(" ");
            }
            self.expr(operand, rank + 1);
        }
        self.doc.close();
    }

    fn choice(&mut self, choice: &'a IfExpr) {
        let may_break = self.brackets > 0 && self.inline.is_none();
        let gap = |doc: &mut Doc<'a>| {
            if may_break {
                doc.line(" ");
            } else {
                doc.text(" ");
            }
        };
        self.doc.open();
        self.doc.text("if ");
        self.expr(&choice.cond, NO_IF);
        gap(&mut self.doc);
        self.doc.text("then ");
        self.expr(&choice.then, NO_IF);
        gap(&mut self.doc);
        self.doc.text("else ");
        self.expr(&choice.otherwise, ANY);
        self.doc.close();
    }

    fn call(&mut self, call: &'a Call, at: Place) {
        self.doc.text(call.path.text.as_str());
        if let Some(ty) = &call.type_arg {
            self.doc.text("<");
            self.ty(ty);
            self.doc.text(">");
        }
        self.parts(ROUND, at, &call.args, arg_place, Self::arg);
    }

    fn arg(&mut self, arg: &'a Arg) {
        if let Some(name) = &arg.name {
            self.doc.text(name.text.as_str());
            self.doc.text(": ");
        }
        self.expr(&arg.value, ANY);
    }

    fn element(&mut self, element: &'a Expr) {
        self.expr(element, ANY);
    }

    fn comprehension(&mut self, made: &'a Comprehension) {
        self.doc.text("[");
        self.doc.open();
        self.doc.indent();
        self.doc.line("");
        self.brackets += 1;
        self.expr(&made.body, ANY);
        self.doc.line(" ");
        self.doc.text(format!("for {} in ", made.var.text));
        self.expr(&made.list, NO_IF);
        if let Some(cond) = &made.cond {
            self.doc.line(" ");
            self.doc.text("if ");
            self.expr(cond, NO_IF);
        }
        self.brackets -= 1;
        self.doc.dedent();
        self.doc.line("");
        self.doc.close();
        self.doc.text("]");
    }

    fn entry(&mut self, entry: &'a Entry) {
        match entry {
            Entry::Field(name, value) => {
                if is_word(&name.text) {
                    self.doc.text(name.text.as_str());
                } else if self.inline.is_some() {
                    self.doc.text(quoted_or_raw(&name.text));
                } else {
                    self.doc.text(quoted(&name.text));
                }
                self.doc.text(": ");
                self.expr(value, ANY);
            }
            Entry::Short(name) => self.doc.text(name.text.as_str()),
            Entry::Spread(value, _) => {
                self.doc.text("...");
                self.expr(value, ANY);
            }
        }
    }

    /// Writes parts between brackets, on one line or one on each.
    pub(super) fn parts<T>(
        &mut self,
        brackets: Brackets,
        at: Place,
        parts: &'a [T],
        place_of: fn(&T) -> Place,
        write: fn(&mut Self, &'a T),
    ) {
        self.doc.text(brackets.open);
        let inside = self.pending.take_inside(at);
        self.doc.open();
        self.doc.indent();
        self.brackets += 1;
        for (index, part) in parts.iter().enumerate() {
            let pad = if index == 0 { brackets.pad } else { " " };
            let after = self.part(pad, index == 0, place_of(part), |flow| write(flow, part));
            if index + 1 < parts.len() {
                self.doc.text(",");
            } else {
                self.doc.if_broken(",");
            }
            self.remarks_after(after);
        }
        let is_empty = parts.is_empty() && inside.is_empty();
        self.remarks_after(inside);
        self.brackets -= 1;
        self.doc.dedent();
        self.doc.line(if is_empty { "" } else { brackets.pad });
        self.doc.close();
        self.doc.text(brackets.close);
    }

    /// Writes a place where a line may end and a part behind it, with its
    /// comments. Gives those that stand on the lines after it.
    pub(super) fn part(
        &mut self,
        pad: &'static str,
        is_first: bool,
        at: Place,
        write: impl FnOnce(&mut Self),
    ) -> Vec<Remark> {
        let notes = self.pending.take(at);
        let blank = notes
            .leading
            .first()
            .map_or(notes.blank_before, |one| one.blank_before);
        if blank && !is_first {
            self.doc.line_blank(pad);
        } else {
            self.doc.line(pad);
        }
        self.leading(&notes);
        write(self);
        if let Some(text) = notes.trailing {
            self.doc.suffix(format!("#{text}"));
        }
        notes.after
    }

    /// Writes the comments before a part, each with its line end.
    pub(super) fn leading(&mut self, notes: &Notes) {
        let later = notes
            .leading
            .iter()
            .skip(1)
            .map(|remark| remark.blank_before);
        let blanks = later.chain([notes.blank_before]);
        for (remark, blank) in notes.leading.iter().zip(blanks) {
            self.doc.text(format!("#{}", remark.text));
            if blank {
                self.doc.hard_blank();
            } else {
                self.doc.hard();
            }
        }
    }

    /// Writes comments on the lines after a part.
    pub(super) fn remarks_after(&mut self, remarks: Vec<Remark>) {
        for remark in remarks {
            if remark.blank_before {
                self.doc.hard_blank();
            } else {
                self.doc.hard();
            }
            self.doc.text(format!("#{}", remark.text));
        }
    }
}

/// Returns how tightly an expression binds; what stands alone binds tightest.
fn precedence(expr: &Expr) -> u8 {
    match &expr.kind {
        ExprKind::If(_) => ANY,
        ExprKind::Binary(binary) => binary.op.precedence(),
        ExprKind::Is(..) => COMPARE,
        ExprKind::Unary(UnaryOp::Not, _) => NOT,
        ExprKind::Unary(UnaryOp::Negate, _) => NEGATE,
        ExprKind::Literal(literal) if literal.text.starts_with('-') => NEGATE,
        ExprKind::Literal(_) => POSTFIX,
        ExprKind::Bare(_) | ExprKind::Text(_) | ExprKind::None | ExprKind::Name(_) => POSTFIX,
        ExprKind::Field(..) | ExprKind::Index(..) | ExprKind::Call(_) => POSTFIX,
        ExprKind::List(_) | ExprKind::Comprehension(_) | ExprKind::Record(_) => POSTFIX,
        ExprKind::Error => POSTFIX,
    }
}

/// Tells whether an expression is a name and its fields.
pub(super) fn is_dotted(expr: &Expr) -> bool {
    let mut expr = expr;
    while let ExprKind::Field(base, _) = &expr.kind {
        expr = base;
    }
    matches!(expr.kind, ExprKind::Name(_))
}

/// Tells whether a text is a name of the language.
pub(super) fn is_word(text: &str) -> bool {
    let mut chars = text.chars();
    let first = chars.next();
    first.is_some_and(|c| c.is_ascii_alphabetic() || c == '_')
        && chars.all(|c| c.is_ascii_alphanumeric() || c == '_')
}

/// A YAML scalar that no checker has read: the nearest the language has.
fn bare_text(bare: &Bare) -> String {
    let text = &bare.text;
    let is_number =
        || text.parse::<f64>().is_ok() && !text.contains(['i', 'n', 'e', 'I', 'N', 'E']);
    let is_plain = matches!(text.as_str(), "true" | "false")
        || (text.starts_with(|c: char| c.is_ascii_digit()) && !text.ends_with('.') && is_number());
    if !bare.quoted && is_plain {
        return text.clone();
    }
    quoted(text)
}
