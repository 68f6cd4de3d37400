//! Record and map literals.

use std::collections::BTreeMap;
use std::sync::Arc;

use flow_core::expr::Expr;
use flow_core::ty::{FieldType, RecordType, Type};
use flow_core::value::Value;
use flow_syntax::ast::{self, Entry, ExprKind, Name};
use flow_syntax::diagnostic::{Certainty, nearest};
use flow_syntax::span::Span;

use super::expr::article;
use super::{Checker, Typed};
use crate::codes;

/// The most parts an expression may have that is copied by a spread.
const SPREAD_MAX: usize = 32;

/// A field as it was found.
struct Found {
    typed: Typed,
    name: Name,
}

/// The fields found so far, in the order in which they were written.
#[derive(Default)]
struct Fields {
    list: Vec<Found>,
    index: BTreeMap<String, usize>,
    broken: bool,
}

impl Fields {
    /// Adds a field; one of this name that a spread brought is replaced.
    fn put(&mut self, name: Name, typed: Typed) {
        self.broken |= typed.ty.is_none();
        if let Some(at) = self.index.get(&name.text) {
            self.list[*at] = Found { typed, name };
        } else {
            self.index.insert(name.text.clone(), self.list.len());
            self.list.push(Found { typed, name });
        }
    }
}

impl Checker<'_> {
    /// Checks a record or a map.
    pub(super) fn record(&mut self, entries: &[Entry], span: Span, wanted: Option<&Type>) -> Typed {
        if let Some(typed) = self.tagged(entries, span, wanted) {
            return typed;
        }
        match wanted.map(Type::present) {
            Some(Type::Record(record)) => self.record_as(entries, span, record),
            Some(Type::Map(item)) => self.map(entries, item, Type::Map(item.clone())),
            Some(Type::Json) => self.map(entries, &Type::Json, Type::Json),
            _ => self.free_record(entries),
        }
    }

    /// A record of which nothing is known before.
    fn free_record(&mut self, entries: &[Entry]) -> Typed {
        let fields = self.fields(entries, &|_| None, "");
        if fields.broken {
            return Typed::unknown();
        }
        let mut types = Vec::with_capacity(fields.list.len());
        let mut exprs = Vec::with_capacity(fields.list.len());
        for Found { typed, name } in fields.list {
            let name: Arc<str> = name.text.into();
            types.push(FieldType {
                name: name.clone(),
                ty: typed.ty.unwrap_or(Type::None),
                docs: "".into(),
            });
            exprs.push((name, typed.expr));
        }
        let ty = Type::Record(Arc::new(RecordType {
            name: None,
            fields: types,
        }));
        Typed::new(Expr::Record(exprs), ty)
    }

    #[expect(
        clippy::wildcard_enum_match_arm,
        reason = "all others are alike here, and a new one is too"
    )]
    fn record_as(&mut self, entries: &[Entry], span: Span, wanted: &Arc<RecordType>) -> Typed {
        let types = |name: &str| wanted.field(name).map(|field| field.ty.clone());
        let fields = self.fields(entries, &types, "");
        let mut exprs = Vec::with_capacity(wanted.fields.len());
        for found in &fields.list {
            if wanted.field(&found.name.text).is_none() {
                self.report_extra(&found.name, wanted);
            }
        }
        let mut missing = Vec::new();
        // A field under a name that is nearly right was reported as that.
        let misspelled: Vec<&str> = fields
            .list
            .iter()
            .filter(|found| wanted.field(&found.name.text).is_none())
            .filter_map(|found| {
                let names = wanted.fields.iter().map(|field| &*field.name);
                nearest(&found.name.text, names)
            })
            .collect();
        for field in &wanted.fields {
            if misspelled.contains(&&*field.name) {
                continue;
            }
            if !fields.index.contains_key(&*field.name) {
                match field.ty {
                    Type::Optional(_) => {
                        exprs.push((field.name.clone(), Expr::Const(Value::None)));
                    }
                    _ => missing.push(format!("`{}: {}`", field.name, field.ty)),
                }
            }
        }
        if !missing.is_empty() && !fields.broken {
            let shown = Type::Record(wanted.clone());
            let word = if missing.len() == 1 {
                "field"
            } else {
                "fields"
            };
            let message = format!("the {word} {} is missing", missing.join(", "));
            let message = match missing.len() {
                1 => message,
                _ => message.replace(" is missing", " are missing"),
            };
            let mut diagnostic = Self::error(codes::MISSING_FIELD, span, message);
            if wanted.name.is_some() {
                diagnostic = diagnostic.label(format!("this must be {}", article(&shown)));
            }
            self.report(diagnostic);
        }
        for Found { typed, name } in fields.list {
            exprs.push((name.text.into(), typed.expr));
        }
        Typed::new(Expr::Record(exprs), Type::Record(wanted.clone()))
    }

    fn map(&mut self, entries: &[Entry], item: &Type, ty: Type) -> Typed {
        let fields = self.fields(entries, &|_| Some(item.clone()), "");
        let list = fields.list.into_iter();
        let exprs = list.map(|Found { typed, name }| (name.text.into(), typed.expr));
        Typed::new(Expr::Record(exprs.collect()), ty)
    }

    /// Checks all entries. `types` tells what is wanted of a field.
    fn fields(
        &mut self,
        entries: &[Entry],
        types: &dyn Fn(&str) -> Option<Type>,
        what: &str,
    ) -> Fields {
        let mut fields = Fields::default();
        let mut written: BTreeMap<String, Span> = BTreeMap::new();
        for entry in entries {
            let (name, short);
            let tree = match entry {
                Entry::Spread(tree, span) => {
                    self.spread(tree, *span, types, &mut fields);
                    continue;
                }
                Entry::Field(field, tree) => {
                    name = field;
                    tree
                }
                Entry::Short(field) => {
                    name = field;
                    short = ast::Expr {
                        kind: ExprKind::Name(field.text.clone()),
                        span: field.span,
                    };
                    &short
                }
            };
            if let Some(first) = written.insert(name.text.clone(), name.span) {
                let message = format!("the field `{}` is given twice", name.text);
                let diagnostic = Self::error(codes::REPEATED_FIELD, name.span, message)
                    .other(first, "given here first");
                self.report(diagnostic);
            }
            let typed = match types(&name.text) {
                Some(ty) => {
                    let what = if what.is_empty() {
                        format!("the field `{}`", name.text)
                    } else {
                        what.to_owned()
                    };
                    Typed::new(self.expr_as(tree, &ty, &what), ty)
                }
                None => self.expr(tree, None),
            };
            fields.put(name.clone(), typed);
        }
        fields
    }

    /// Adds the fields of another record.
    #[expect(
        clippy::wildcard_enum_match_arm,
        reason = "all others are alike here, and a new one is too"
    )]
    fn spread(
        &mut self,
        tree: &ast::Expr,
        span: Span,
        types: &dyn Fn(&str) -> Option<Type>,
        fields: &mut Fields,
    ) {
        let typed = self.expr(tree, None);
        let record = match &typed.ty {
            Some(Type::Record(record)) => record.clone(),
            None => {
                fields.broken = true;
                return;
            }
            Some(other) => {
                let message = format!(
                    "`...` takes the fields of a record, and this is {}",
                    article(other)
                );
                let code = match other {
                    Type::Optional(_) | Type::None => codes::OPTIONAL_UNHANDLED,
                    _ => codes::TYPE_MISMATCH,
                };
                let diagnostic = Self::error(code, tree.span, message);
                self.report(diagnostic);
                fields.broken = true;
                return;
            }
        };
        let parts = match typed.expr {
            Expr::Record(parts) => parts,
            whole if parts_of(&whole) <= SPREAD_MAX => {
                let names = record.fields.iter().map(|field| field.name.clone());
                names
                    .map(|name| (name.clone(), Expr::Field(Box::new(whole.clone()), name)))
                    .collect()
            }
            _ => {
                let diagnostic = Self::error(
                    flow_syntax::codes::TOO_DEEP,
                    tree.span,
                    "this is too much to spread",
                )
                .help("give it a name in a line of its own, and spread that");
                self.report(diagnostic);
                fields.broken = true;
                return;
            }
        };
        for (name, expr) in parts {
            let Some(found) = record.field(&name) else {
                continue;
            };
            let mut typed = Typed::new(expr, found.ty.clone());
            if let Some(ty) = types(&name) {
                let what = format!("the field `{name}`");
                typed = Typed::new(self.coerce_tree(typed, &ty, tree, || what, None), ty);
            }
            let name = Name {
                text: name.to_string(),
                span,
            };
            fields.put(name, typed);
        }
    }

    fn report_extra(&mut self, name: &Name, wanted: &Arc<RecordType>) {
        let shown = Type::Record(wanted.clone());
        let message = format!("there is no field `{}` in {}", name.text, article(&shown));
        let mut diagnostic = Self::error(codes::UNKNOWN_FIELD, name.span, message);
        let names = wanted.fields.iter().map(|field| &*field.name);
        if let Some(near) = nearest(&name.text, names) {
            diagnostic = diagnostic.help(format!("did you mean `{near}`?")).fix(
                Certainty::Likely,
                format!("write `{near}`"),
                name.span,
                near,
            );
        }
        self.report(diagnostic);
    }

    /// How YAML says `file("…")`, `secret("…")` and `template("…", …)`.
    #[expect(
        clippy::wildcard_enum_match_arm,
        reason = "all others are alike here, and a new one is too"
    )]
    fn tagged(&mut self, entries: &[Entry], span: Span, wanted: Option<&Type>) -> Option<Typed> {
        let field = |wanted: &str| {
            entries.iter().find_map(|entry| match entry {
                Entry::Field(name, tree) if name.text == wanted => Some(tree),
                _ => None,
            })
        };
        let bare = |tree: &&ast::Expr| matches!(tree.kind, ExprKind::Bare(_));
        match (wanted.map(Type::present)?, entries.len()) {
            (Type::Media(_), 1) => {
                if let Some(path) = field("fixture").filter(bare) {
                    return Some(self.fixture(path, wanted));
                }
                let path = field("file").filter(bare)?;
                Some(self.file_path(path, wanted))
            }
            (Type::Secret, 1) => {
                let name = field("secret").filter(bare)?;
                Some(self.secret(name))
            }
            (Type::Text(_), 1 | 2) => {
                let path = field("template").filter(bare)?;
                let data = field("data");
                if entries.len() == 2 && data.is_none() {
                    return None;
                }
                Some(self.template(path, data, span))
            }
            _ => None,
        }
    }
}

/// Counts the parts of an expression, up to a little more than may be copied.
#[expect(
    clippy::wildcard_enum_match_arm,
    reason = "all others are alike here, and a new one is too"
)]
fn parts_of(expr: &Expr) -> usize {
    match expr {
        Expr::Const(_)
        | Expr::Node(_)
        | Expr::Arg(..)
        | Expr::Item(_)
        | Expr::State(_)
        | Expr::Payload(_)
        | Expr::Local(_)
        | Expr::Run
        | Expr::Event => 1,
        Expr::Field(inner, _) | Expr::Widen(inner) | Expr::Check(inner, _, _) => {
            1 + parts_of(inner)
        }
        Expr::Index(base, at, _) => 1 + parts_of(base) + parts_of(at),
        Expr::Binary(_, left, right, _) => 1 + parts_of(left) + parts_of(right),
        Expr::If(parts) => parts.iter().map(parts_of).fold(1, usize::saturating_add),
        Expr::Call(_, args, _, _) => args.iter().map(parts_of).fold(1, usize::saturating_add),
        _ => SPREAD_MAX + 1,
    }
}
