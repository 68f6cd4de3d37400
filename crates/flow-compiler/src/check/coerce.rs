//! Whether what was found fits what is wanted, and what to say if it doesn't.

use flow_core::expr::Expr;
use flow_core::literal::number_text;
use flow_core::relation::{Fit, fit};
use flow_core::scalar;
use flow_core::ty::{EnumType, RecordType, Type};
use flow_core::value::Value;
use flow_syntax::ast;
use flow_syntax::diagnostic::{Certainty, Diagnostic, Edit};
use flow_syntax::span::Span;

use super::expr::{article, path_of};
use super::{Checker, Typed};
use crate::codes;

/// Where something comes from that is wanted as something else.
struct Place {
    span: Span,
    /// The dotted path that was written there, if it is one.
    path: Option<String>,
    /// What it is for.
    what: String,
    /// Where that was declared.
    declared: Option<Span>,
}

impl Checker<'_> {
    /// Makes an expression fit a type: widened, or checked when it is there.
    /// What can't fit is reported.
    pub(crate) fn coerce(&mut self, typed: Typed, wanted: &Type, span: Span) -> Expr {
        self.fitted(typed, wanted, span, |checker| Place {
            span,
            path: checker
                .written(span)
                .map(|text| {
                    let hole = text
                        .strip_prefix("${")
                        .and_then(|text| text.strip_suffix('}'));
                    hole.unwrap_or(text).trim()
                })
                .filter(|text| is_path(text))
                .map(str::to_owned),
            what: String::new(),
            declared: None,
        })
    }

    /// Like [`Self::coerce`], with more to say about what doesn't fit. `what`
    /// says what it is for: ``"`prompt` of `gen.image`"``.
    pub(super) fn coerce_tree(
        &mut self,
        typed: Typed,
        wanted: &Type,
        tree: &ast::Expr,
        what: impl FnOnce() -> String,
        declared: Option<Span>,
    ) -> Expr {
        self.fitted(typed, wanted, tree.span, |_| Place {
            span: tree.span,
            path: path_of(tree),
            what: what(),
            declared,
        })
    }

    /// The place is asked for only when there is something to say.
    fn fitted(
        &mut self,
        typed: Typed,
        wanted: &Type,
        span: Span,
        place: impl FnOnce(&Self) -> Place,
    ) -> Expr {
        let Typed { expr, ty } = typed;
        let Some(found) = ty else {
            return expr;
        };
        if *wanted.present() == Type::Json && (is_jsonable(&found) || self.is_answer(&found)) {
            // JSON has a null of its own, so what may be missing fits.
            return outside(expr, &found);
        }
        match fit(&found, wanted) {
            Fit::Yes => expr,
            Fit::Widen => widened(expr),
            Fit::Check => {
                let site = self.site(span);
                Expr::Check(Box::new(expr), Box::new(wanted.clone()), site)
            }
            Fit::WidenCheck => {
                let site = self.site(span);
                Expr::Check(Box::new(widened(expr)), Box::new(wanted.clone()), site)
            }
            Fit::No => {
                let place = place(self);
                let diagnostic = self.mismatch(&expr, &found, wanted, &place);
                self.report(diagnostic);
                expr
            }
        }
    }

    /// Refuses a value that holds a secret, where anything else may stand.
    pub(crate) fn without_secrets(&mut self, typed: Typed, span: Span) -> Typed {
        if !typed.ty.as_ref().is_some_and(has_secret) {
            return typed;
        }
        let message = "a secret can't be kept in a value";
        let diagnostic = Self::error(codes::SECRET_USE, span, message)
            .help("a secret goes only into what is declared as `secret` or `map<secret>`");
        self.report(diagnostic);
        Typed::unknown()
    }

    fn mismatch(&self, expr: &Expr, found: &Type, wanted: &Type, place: &Place) -> Diagnostic {
        let reason = if place.what.is_empty() {
            String::new()
        } else {
            format!(" for {}", place.what)
        };
        let missing = matches!(found, Type::Optional(_) | Type::None)
            && !matches!(wanted, Type::Optional(_) | Type::None);
        let inner_fits = fit(found.present(), wanted) != Fit::No;
        let (code, message) = if *found.present() == Type::Secret {
            let message = format!("a secret can't be used as {}{reason}", article(wanted));
            (codes::SECRET_USE, message)
        } else if missing && inner_fits {
            let message = format!("expected `{wanted}`{reason}, and this may be missing");
            (codes::OPTIONAL_UNHANDLED, message)
        } else if missing && *found == Type::None {
            let message = format!("expected `{wanted}`{reason}, found `none`");
            (codes::OPTIONAL_UNHANDLED, message)
        } else {
            let (found, wanted) = distinct(found, wanted);
            let message = format!("expected `{wanted}`{reason}, found `{found}`");
            (codes::TYPE_MISMATCH, message)
        };
        let mut diagnostic =
            Self::error(code, place.span, message).label(format!("this is {}", article(found)));
        if let Some(span) = place.path.as_deref().and_then(|path| self.made(path)) {
            diagnostic = diagnostic.other(span, "made here");
        }
        if let Some(span) = place.declared {
            diagnostic = diagnostic.other(span, "declared here");
        }
        if code == codes::SECRET_USE {
            return diagnostic
                .help("a secret goes only into what is declared as `secret` or `map<secret>`");
        }
        cure(diagnostic, expr, found, wanted, place)
    }

    /// Returns where the name was bound that a path begins with.
    fn made(&self, path: &str) -> Option<Span> {
        let root = path.split('.').next().unwrap_or(path);
        self.scopes.bound(root)
    }
}

/// Adds what to do about a mismatch.
fn cure(
    diagnostic: Diagnostic,
    expr: &Expr,
    found: &Type,
    wanted: &Type,
    place: &Place,
) -> Diagnostic {
    let said = place.path.as_deref().unwrap_or("x");
    match (found, wanted.present()) {
        (Type::None, _) => diagnostic.help(format!(
            "what may be missing has the type `{}?`",
            base(wanted)
        )),
        (Type::Optional(_), _) if !matches!(wanted, Type::Optional(_)) => {
            offer_presence(diagnostic, place.path.as_deref())
        }
        (Type::Float(_), Type::Int(_)) => wrap(diagnostic, place, said, "round(", ")")
            .help("or `floor`, or `ceil`: nothing is rounded unasked"),
        (_, Type::List(list)) if fit(found, &list.item) != Fit::No => {
            wrap(diagnostic, place, said, "[", "]")
        }
        (Type::List(list), Type::Text(_)) if matches!(*list.item, Type::Text(_)) => {
            wrap(diagnostic, place, said, "join(", ", \", \")")
        }
        (Type::List(list), other) if fit(&list.item, other) != Fit::No => diagnostic
            .help(format!(
                "one item is wanted: `{said}[0]`, or `first({said})`, which may be missing"
            ))
            .help(format!("or do it for each: `for item in {said} {{ … }}`")),
        (Type::Int(_) | Type::Float(_), Type::Duration(_) | Type::Money(_)) => {
            cure_amount(diagnostic, expr, wanted.present())
        }
        (
            Type::Int(_)
            | Type::Float(_)
            | Type::Bool
            | Type::Money(_)
            | Type::Duration(_)
            | Type::Size
            | Type::Model
            | Type::Enum(_),
            Type::Text(_),
        ) => diagnostic.help(format!("write it into a text: `\"${{{said}}}\"`")),
        (Type::Text(_), wanted) => cure_text(diagnostic, expr, wanted, place),
        (Type::Record(found), Type::Record(wanted)) => cure_record(diagnostic, found, wanted),
        (Type::List(found), Type::List(wanted))
            if matches!(
                (&*found.item, &*wanted.item),
                (Type::Record(_), Type::Record(_))
            ) =>
        {
            cure(diagnostic, expr, &found.item, &wanted.item, place)
        }
        (Type::Enum(_), Type::Enum(words)) => {
            diagnostic.help(format!("it is one of {}", listing(words)))
        }
        (Type::Int(_), Type::Int(_)) | (Type::Float(_), Type::Float(_)) => {
            diagnostic.help("no value of the one is a value of the other")
        }
        (Type::List(a), Type::List(b))
            if matches!((&*a.item, &*b.item), (Type::Int(_), Type::Float(_))) =>
        {
            diagnostic.help(format!(
                "a list is not widened: `[number * 1.0 for number in {said}]`"
            ))
        }
        _ => diagnostic,
    }
}

/// Adds what to do about a text where something else is wanted.
#[expect(
    clippy::wildcard_enum_match_arm,
    reason = "all others are alike here, and a new one is too"
)]
fn cure_text(diagnostic: Diagnostic, expr: &Expr, wanted: &Type, place: &Place) -> Diagnostic {
    if let Some(text) = unquoted(expr, wanted) {
        let title = format!("write `{text}`");
        return diagnostic.fix(Certainty::Certain, title, place.span, text);
    }
    let said = place.path.as_deref().unwrap_or("x");
    match wanted {
        Type::Enum(words) => cure_word(diagnostic, expr, words, place),
        Type::Int(_) => diagnostic.help(format!(
            "a number in a text: `round(number({said}) ?? 0.0)`"
        )),
        Type::Float(_) => diagnostic.help(format!("a number in a text: `number({said}) ?? 0.0`")),
        Type::Media(_) if place.path.is_some() => diagnostic.help(format!(
            "a path that is computed is read by a step: `file.read<{wanted}>({said})`"
        )),
        Type::Media(_) => diagnostic.help("a file of the project is named by `file(\"…\")`"),
        Type::Model => diagnostic.help("declare it as `model` where it comes from: `x: model`"),
        Type::Secret => diagnostic.help("a secret is given by its name: `secret(\"NAME\")`"),
        _ => diagnostic,
    }
}

/// Offers to write something around an expression.
fn wrap(
    diagnostic: Diagnostic,
    place: &Place,
    said: &str,
    before: &str,
    after: &str,
) -> Diagnostic {
    let diagnostic = diagnostic.help(format!("write `{before}{said}{after}`"));
    // A path may stand in a `${…}` of YAML, which stays around it.
    let is_whole = place.path.as_deref().is_some_and(|path| {
        usize::try_from(place.span.end - place.span.start).is_ok_and(|width| width == path.len())
    });
    if !is_whole {
        return diagnostic;
    }
    let edit = |span, text: &str| Edit {
        span,
        text: text.to_owned(),
    };
    diagnostic.fix_all(
        Certainty::Likely,
        format!("write `{before}{said}{after}`"),
        vec![
            edit(place.span.before(), before),
            edit(place.span.after(), after),
        ],
    )
}

fn cure_word(diagnostic: Diagnostic, expr: &Expr, words: &EnumType, place: &Place) -> Diagnostic {
    let Expr::Const(Value::Text(text)) = expr else {
        return diagnostic.help(format!("it is one of {}", listing(words)));
    };
    let mut all = words.variants.iter();
    let variant = words
        .variant(text)
        .or_else(|| all.find(|variant| variant.outside == *text));
    match variant {
        Some(variant) => diagnostic
            .help("a value of an enumeration is written without quotes")
            .fix(
                Certainty::Certain,
                format!("write `{}`", variant.name),
                place.span,
                &*variant.name,
            ),
        None => diagnostic.help(format!("it is one of {}, without quotes", listing(words))),
    }
}

fn cure_amount(diagnostic: Diagnostic, expr: &Expr, wanted: &Type) -> Diagnostic {
    let number = if let Expr::Const(Value::Int(number)) = expr {
        Some(number.to_string())
    } else if let Expr::Const(Value::Float(number)) = expr {
        Some(number_text(*number))
    } else {
        None
    };
    if let Some(Err(error)) = number.map(|number| scalar::read(&number, wanted)) {
        return diagnostic.help(error.to_string());
    }
    diagnostic.help(if matches!(wanted, Type::Money(_)) {
        "an amount has a currency: `$1 * x`"
    } else {
        "a duration has a unit: `1s * x`"
    })
}

/// Returns a number, an amount or the like that is written as a text.
fn unquoted<'a>(expr: &'a Expr, ty: &Type) -> Option<&'a str> {
    let is_plain = matches!(
        ty,
        Type::Int(_)
            | Type::Float(_)
            | Type::Bool
            | Type::Money(_)
            | Type::Duration(_)
            | Type::Size
    );
    let Expr::Const(Value::Text(text)) = expr else {
        return None;
    };
    (is_plain && scalar::read(text, ty).is_ok()).then_some(&**text)
}

fn cure_record(mut diagnostic: Diagnostic, found: &RecordType, wanted: &RecordType) -> Diagnostic {
    const MOST: usize = 4;
    let mut notes = Vec::new();
    for field in &wanted.fields {
        match found.field(&field.name) {
            None => notes.push(format!(
                "the field `{}: {}` is missing",
                field.name, field.ty
            )),
            Some(twin)
                if fit(&twin.ty, &field.ty) == Fit::No
                    || fit(&twin.ty, &field.ty) == Fit::Widen =>
            {
                notes.push(format!(
                    "the field `{}` is {}, and {} is wanted",
                    field.name,
                    article(&twin.ty),
                    article(&field.ty)
                ));
            }
            Some(_) => {}
        }
    }
    for field in &found.fields {
        if wanted.field(&field.name).is_none() {
            notes.push(format!("the field `{}` is not wanted", field.name));
        }
    }
    for note in notes.into_iter().take(MOST) {
        diagnostic = diagnostic.help(note);
    }
    diagnostic
}

/// Writes the values of an enumeration: `` `noir`, `neon` ``.
pub(super) fn listing(words: &EnumType) -> String {
    const MOST: usize = 12;
    let mut names: Vec<String> = words
        .variants
        .iter()
        .take(MOST)
        .map(|variant| format!("`{}`", variant.name))
        .collect();
    if words.variants.len() > MOST {
        names.push("…".to_owned());
    }
    names.join(", ")
}

/// Returns how two types are shown side by side: two with one name by their
/// fields or values.
fn distinct(found: &Type, wanted: &Type) -> (String, String) {
    let (a, b) = (found.to_string(), wanted.to_string());
    if a != b {
        return (a, b);
    }
    (bare(found).to_string(), bare(wanted).to_string())
}

/// Returns a type without its name.
#[expect(clippy::wildcard_enum_match_arm, reason = "only these have names")]
fn bare(ty: &Type) -> Type {
    match ty {
        Type::Record(record) => {
            let fields = record.fields.clone();
            Type::Record(RecordType { name: None, fields }.into())
        }
        Type::Enum(words) => {
            let variants = words.variants.clone();
            Type::Enum(
                EnumType {
                    name: None,
                    variants,
                }
                .into(),
            )
        }
        Type::Optional(inner) => bare(inner).optional(),
        Type::List(list) => Type::list(bare(&list.item)),
        _ => ty.clone(),
    }
}

/// Returns whether a text is a dotted path of names.
fn is_path(text: &str) -> bool {
    let is_name = |word: &str| {
        word.starts_with(|c: char| c.is_alphabetic() || c == '_')
            && word.chars().all(|c| c.is_alphanumeric() || c == '_')
    };
    text.split('.').all(is_name)
}

/// Returns a type as written before its `?`.
fn base(ty: &Type) -> String {
    let shown = ty.to_string();
    match shown.split_once(' ') {
        Some((base, _)) if !shown.starts_with('{') => base.to_owned(),
        _ => shown,
    }
}

fn widened(expr: Expr) -> Expr {
    if let Expr::Const(Value::Int(number)) = expr
        && let Some(wide) = flow_core::literal::widen(number)
    {
        return Expr::Const(Value::Float(wide));
    }
    Expr::Widen(Box::new(expr))
}

/// Returns an expression with its enum values as texts, if it has any.
pub(super) fn outside(expr: Expr, ty: &Type) -> Expr {
    if !has_words(ty) {
        return expr;
    }
    Expr::Outside(Box::new(expr), Box::new(ty.clone()))
}

/// Returns whether a type, or a part of it, is of some sort.
pub(super) fn has_part(ty: &Type, is: &dyn Fn(&Type) -> bool) -> bool {
    if is(ty) {
        return true;
    }
    match ty {
        Type::List(list) => has_part(&list.item, is),
        Type::Map(item) | Type::Optional(item) => has_part(item, is),
        Type::Record(record) => record.fields.iter().any(|field| has_part(&field.ty, is)),
        Type::Text(_)
        | Type::Int(_)
        | Type::Float(_)
        | Type::Bool
        | Type::Duration(_)
        | Type::Money(_)
        | Type::Time
        | Type::Size
        | Type::Model
        | Type::Json
        | Type::Secret
        | Type::Step
        | Type::Media(_)
        | Type::Enum(_)
        | Type::Param
        | Type::None => false,
    }
}

/// Returns whether there may be a value of an enumeration in it.
fn has_words(ty: &Type) -> bool {
    has_part(ty, &|part| matches!(part, Type::Enum(_)))
}

/// Returns whether JSON can say its values.
pub(super) fn is_jsonable(ty: &Type) -> bool {
    !has_part(ty, &|part| {
        matches!(
            part,
            Type::Duration(_)
                | Type::Money(_)
                | Type::Time
                | Type::Size
                | Type::Secret
                | Type::Step
                | Type::Media(_)
                | Type::Param
        )
    })
}

/// Returns whether there is a secret in it.
pub(super) fn has_secret(ty: &Type) -> bool {
    has_part(ty, &|part| *part == Type::Secret)
}

/// Returns whether there is an artifact in it.
pub(super) fn has_media(ty: &Type) -> bool {
    has_part(ty, &|part| matches!(part, Type::Media(_)))
}

/// Says what can be done about a value that may be missing. Only names and
/// their fields can be asked for.
pub(super) fn offer_presence(diagnostic: Diagnostic, path: Option<&str>) -> Diagnostic {
    match path {
        Some(path) => diagnostic
            .help(format!("say what to take instead: `{path} ?? …`"))
            .help(format!("or ask first: `if {path} is some …`")),
        None => diagnostic
            .help("say what to take instead: `… ?? …`")
            .help("or give it a name, `x = …`, and ask first: `if x is some …`"),
    }
}
