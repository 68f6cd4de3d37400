//! Texts and what may stand in their holes.

use flow_core::expr::{Expr, Part};
use flow_core::ty::Type;
use flow_syntax::ast::{self, ExprKind, TextPart, TextStyle};
use flow_syntax::diagnostic::{Certainty, Edit};
use flow_syntax::span::{Span, Spelling};

use super::coerce::{has_secret, outside};
use super::expr::{article, path_of};
use super::{Checker, Typed};
use crate::codes;

impl Checker<'_> {
    /// Checks a text with or without holes.
    pub(super) fn text(&mut self, text: &ast::Text, span: Span, wanted: Option<&Type>) -> Typed {
        self.warn_of_braces(text, span);
        match &text.parts[..] {
            [] => return self.plain_text("", span, wanted),
            [TextPart::Str(letters)] => return self.plain_text(letters, span, wanted),
            _ => {}
        }
        let mut parts = Vec::with_capacity(text.parts.len());
        for part in &text.parts {
            parts.push(match part {
                TextPart::Str(letters) => Part::Str(letters.as_str().into()),
                TextPart::Hole(tree) => Part::Hole(self.hole(tree)),
            });
        }
        let ty = match wanted.map(Type::present) {
            Some(Type::Model) => Type::Model,
            _ => Type::text(),
        };
        Typed::new(Expr::Text(parts), ty)
    }

    #[expect(
        clippy::wildcard_enum_match_arm,
        reason = "all others are alike here, and a new one is too"
    )]
    fn hole(&mut self, tree: &ast::Expr) -> Expr {
        if let Some(root) = self.foreign(tree) {
            self.report_foreign(&root, tree.span);
            return Typed::unknown().expr;
        }
        let typed = self.expr(tree, None);
        let Some(ty) = typed.ty else {
            return typed.expr;
        };
        match ty {
            Type::Text(_)
            | Type::Int(_)
            | Type::Float(_)
            | Type::Bool
            | Type::Duration(_)
            | Type::Money(_)
            | Type::Size
            | Type::Model
            | Type::Enum(_) => outside(typed.expr, &ty),
            _ => {
                self.report_hole(&ty, tree);
                typed.expr
            }
        }
    }

    #[expect(
        clippy::wildcard_enum_match_arm,
        reason = "all others are alike here, and a new one is too"
    )]
    fn report_hole(&mut self, ty: &Type, tree: &ast::Expr) {
        let said = path_of(tree);
        let said = said.as_deref().unwrap_or("x");
        let code = match ty {
            Type::Optional(_) | Type::None => codes::OPTIONAL_UNHANDLED,
            ty if has_secret(ty) => codes::SECRET_USE,
            _ => codes::HOLE_TYPE,
        };
        let message = match code.name {
            "optional-unhandled" => "a hole needs a value, and this may be missing".to_owned(),
            "secret-use" => "a secret can't be written into a text".to_owned(),
            _ => format!("{} can't be written into a text", article(ty)),
        };
        let mut diagnostic =
            Self::error(code, tree.span, message).label(format!("this is {}", article(ty)));
        let cure = match ty {
            Type::Optional(inner) if matches!(**inner, Type::Text(_)) => {
                Some(format!("{said} ?? \"\""))
            }
            Type::Optional(_) => Some(format!("{said} ?? …")),
            Type::List(list) if matches!(*list.item, Type::Text(_)) => {
                Some(format!("join({said}, \", \")"))
            }
            _ if has_secret(ty) => None,
            Type::List(_) | Type::Record(_) | Type::Map(_) | Type::Json => {
                Some(format!("json({said})"))
            }
            Type::Time => Some(format!("date({said})")),
            Type::Media(_) => Some(format!("{said}.digest")),
            _ => None,
        };
        diagnostic = match cure {
            Some(cure) => diagnostic.help(format!("write `${{{cure}}}`")),
            None if has_secret(ty) => diagnostic
                .help("a secret goes only into what is declared as `secret` or `map<secret>`"),
            None => diagnostic,
        };
        if matches!(ty, Type::Media(_)) {
            diagnostic = diagnostic.help("to show it to a model, hand it over as an argument");
        }
        self.report(diagnostic);
    }

    /// Returns the name in a hole that stands for nothing and looks like
    /// another language's.
    fn foreign(&self, tree: &ast::Expr) -> Option<String> {
        let ExprKind::Name(name) = &tree.kind else {
            return None;
        };
        let unknown = self.scopes.bound(name).is_none() && name != "run";
        let capitals = name
            .chars()
            .all(|c| c.is_ascii_uppercase() || c.is_ascii_digit() || c == '_');
        (unknown && capitals).then(|| name.clone())
    }

    fn report_foreign(&mut self, name: &str, span: Span) {
        let message = format!("`{name}` stands for nothing here");
        let mut diagnostic = Self::error(codes::UNKNOWN_NAME, span, message)
            .help(format!(
                "if another language is meant to see it, write `$${{{name}}}`"
            ))
            .help("or take a raw text: `'…'` and `'''…'''` have no holes");
        let before = Span {
            start: span.start.saturating_sub(2),
            end: span.start,
            ..span
        };
        if self.written(before) == Some("${") {
            diagnostic = diagnostic.fix(
                Certainty::Likely,
                format!("write `$${{{name}}}`"),
                before.before(),
                "$",
            );
        }
        self.report(diagnostic);
    }

    /// `{theme}` is text; where `theme` is a name, `${theme}` was probably meant.
    fn warn_of_braces(&mut self, text: &ast::Text, span: Span) {
        if matches!(text.style, TextStyle::Raw | TextStyle::RawLines) {
            return;
        }
        for part in &text.parts {
            let TextPart::Str(letters) = part else {
                continue;
            };
            if let Some(name) = self.braced(letters) {
                self.report_brace(&name, span);
                return;
            }
        }
    }

    /// Finds the first dotted name in braces that stands for something.
    fn braced(&self, letters: &str) -> Option<String> {
        let mut rest = letters;
        let mut before = None;
        while let Some(open) = rest.find('{') {
            let last = rest[..open].chars().next_back().or(before);
            let inner = &rest[open + 1..];
            let end = inner
                .find(|c: char| !(c.is_alphanumeric() || c == '_' || c == '.'))
                .unwrap_or(inner.len());
            let (word, after) = inner.split_at(end);
            let root = word.split('.').next().unwrap_or_default();
            let alone = !matches!(last, Some('$' | '{')) && after.starts_with('}');
            if alone && !after.starts_with("}}") && self.scopes.bound(root).is_some() {
                return Some(word.to_owned());
            }
            before = Some('{');
            rest = inner;
        }
        None
    }

    fn report_brace(&mut self, word: &str, span: Span) {
        let braced = format!("{{{word}}}");
        let place = self.written(span).and_then(|slice| {
            let mut found = slice.match_indices(&braced);
            found
                .find(|(at, _)| !slice[..*at].ends_with(['$', '{']))
                .map(|(at, _)| at)
        });
        let at = place.map_or(span, |at| {
            let start = span.start as usize + at;
            Span::new(span.source, start, start + braced.len())
        });
        let message = format!("`{braced}` is only letters");
        let mut diagnostic = Self::error(codes::BRACE_IN_TEXT, at, message)
            .help(format!("to write the value of `{word}`: `${braced}`"));
        if place.is_some() {
            let edit = Edit {
                span: at.before(),
                text: "$".to_owned(),
            };
            let title = format!("write `${braced}`");
            diagnostic = diagnostic.fix_all(Certainty::Likely, title, vec![edit]);
        }
        self.report(diagnostic);
    }

    /// Returns in which spelling the body's file is written.
    pub(super) fn spelling(&self) -> Spelling {
        Spelling::of_name(&self.world.program.file(self.file).name)
    }

    /// Returns the letters at a place of the body's own source.
    pub(super) fn written(&self, span: Span) -> Option<&str> {
        let scope = self.world.program.file(self.file);
        if span.source != scope.source {
            return None;
        }
        scope.text.get(span.range())
    }
}
