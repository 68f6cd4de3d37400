//! Names and what stands behind their dots: values, enum values, fields.

use std::sync::Arc;

use flow_core::expr::{Expr, Function};
use flow_core::ty::{EnumType, FieldType, Media, RecordType, Type};
use flow_core::value::Value;
use flow_syntax::ast::{self, ExprKind, Name};
use flow_syntax::diagnostic::{Certainty, nearest};
use flow_syntax::span::Span;

use super::coerce::listing;
use super::expr::{article, path_of, root_of};
use super::{Checker, Typed};
use crate::codes;
use crate::declare::{Declared, FileId};

impl Checker<'_> {
    /// Checks a name that stands alone.
    pub(super) fn name(&mut self, name: &str, span: Span, wanted: Option<&Type>) -> Typed {
        match wanted.map(Type::present) {
            Some(Type::Enum(words)) if words.variant(name).is_some() => {
                return self.enum_value(name, span, words);
            }
            Some(Type::Step) if self.scopes.bound(name).is_none() => {
                return self.step_reference(name, span);
            }
            _ => {}
        }
        if let Some(found) = self.scopes.find(name) {
            if found.empty {
                self.report_empty(name, span, found.span);
                self.scopes.told(name);
                return Typed::unknown();
            }
            self.need(&found);
            return found.typed;
        }
        if name == "run" {
            return Typed::new(Expr::Run, run_type());
        }
        if let Some(Type::Enum(words)) = wanted.map(Type::present) {
            self.report_no_variant(name, span, words);
        } else {
            self.report_unknown(name, span);
        }
        Typed::unknown()
    }

    /// A bare name where an enumeration is expected: its value, unless a
    /// binding of the same name would fit as well.
    fn enum_value(&mut self, name: &str, span: Span, words: &Arc<EnumType>) -> Typed {
        let ty = Type::Enum(words.clone());
        let clash = self
            .scopes
            .peek(name)
            .filter(|binding| {
                binding
                    .ty
                    .as_ref()
                    .is_some_and(|found| *found.present() == ty)
            })
            .map(|binding| binding.span);
        if let Some(bound) = clash {
            let mut diagnostic = Self::error(
                codes::ENUM_AMBIGUOUS,
                span,
                format!(
                    "`{name}` is a value of {} and a name of yours",
                    called(words)
                ),
            )
            .other(bound, "the name is bound here");
            if let Some(path) = self.type_path(&ty) {
                diagnostic = diagnostic
                    .help(format!("for the value write `{path}.{name}`"))
                    .fix(
                        Certainty::Likely,
                        format!("write `{path}.{name}`"),
                        span,
                        format!("{path}.{name}"),
                    );
            }
            self.report(diagnostic.help("for yours, give it another name"));
            return Typed::unknown();
        }
        Typed::new(Expr::Const(Value::Enum(name.into())), ty)
    }

    /// Checks `a.b`: a field, a value of an enumeration, or a step's name.
    pub(super) fn dotted(
        &mut self,
        tree: &ast::Expr,
        base: &ast::Expr,
        field: &Name,
        wanted: Option<&Type>,
    ) -> Typed {
        if let Some(root) = root_of(base)
            && self.scopes.bound(root).is_none()
            && root != "run"
        {
            let path = path_of(tree).unwrap_or_default();
            return self.unbound_path(&path, tree.span, base, field, wanted);
        }
        let typed = self.expr(base, None);
        let Some(ty) = &typed.ty else {
            return typed;
        };
        let Some(found) = self.field_type(ty, field, base) else {
            return Typed::unknown();
        };
        let is_open = matches!(found, Type::Optional(_));
        let found = match is_open.then(|| path_of(tree)).flatten() {
            Some(path) => self.scopes.narrow(&path, found),
            None => found,
        };
        let expr = Expr::Field(Box::new(typed.expr), field.text.as_str().into());
        Typed::new(expr, found)
    }

    /// A dotted path whose first word is no value.
    fn unbound_path(
        &mut self,
        path: &str,
        span: Span,
        base: &ast::Expr,
        field: &Name,
        wanted: Option<&Type>,
    ) -> Typed {
        if wanted.map(Type::present) == Some(&Type::Step) {
            return self.step_reference(path, span);
        }
        let words: Vec<&str> = path.split('.').collect();
        let ty = match words[..] {
            [ty, _] => self.declared_type(self.file, ty),
            [lib, ty, _] => self.used(lib).and_then(|file| self.declared_type(file, ty)),
            _ => None,
        };
        match ty.map(|declared| declared.what.clone()) {
            Some(None) => Typed::unknown(),
            Some(Some(Type::Enum(enumeration))) => {
                if enumeration.variant(&field.text).is_none() {
                    self.report_no_variant(&field.text, field.span, &enumeration);
                    return Typed::unknown();
                }
                let value = Value::Enum(field.text.as_str().into());
                Typed::new(Expr::Const(value), Type::Enum(enumeration))
            }
            Some(Some(_)) => {
                let what = words[..words.len() - 1].join(".");
                let message = format!("`{what}` is a type, and this needs a value");
                self.report(Self::error(codes::UNKNOWN_NAME, base.span, message));
                Typed::unknown()
            }
            None => {
                self.report_unknown_path(&words, span, base);
                Typed::unknown()
            }
        }
    }

    fn report_unknown_path(&mut self, words: &[&str], span: Span, base: &ast::Expr) {
        let path = words.join(".");
        if self.world.signatures.steps.contains_key(path.as_str()) || self.workflow_named(&path) {
            let diagnostic = Self::error(
                codes::UNKNOWN_NAME,
                span,
                format!("`{path}` is something to call, and this needs a value"),
            )
            .help(format!("call it in a line of its own: `x = {path}(…)`"));
            return self.report(diagnostic);
        }
        let mut root = base;
        while let ExprKind::Field(inner, _) = &root.kind {
            root = inner;
        }
        self.report_unknown(words[0], root.span);
    }

    /// Reports a name that stands for nothing here, or for something else.
    pub(super) fn report_unknown(&mut self, name: &str, span: Span) {
        let message = format!("`{name}` stands for nothing here");
        let mut diagnostic = Self::error(codes::UNKNOWN_NAME, span, message);
        let scope = self.world.program.file(self.file);
        if let Some((path, words)) = self.enum_with(name) {
            diagnostic.message = format!("`{name}` is a value of {}", called(&words));
            if let Some(path) = path {
                let full = format!("{path}.{name}");
                diagnostic = diagnostic
                    .help("where nothing says that it is expected, write its type before it")
                    .fix(Certainty::Likely, format!("write `{full}`"), span, full);
            }
        } else if scope.uses.contains_key(name) {
            diagnostic.message = format!("`{name}` is a file");
            diagnostic = diagnostic.help(format!("take something out of it: `{name}.…`"));
        } else if scope.types.contains_key(name) {
            diagnostic.message = format!("`{name}` is a type, and this needs a value");
        } else if Function::from_name(name).is_some() {
            diagnostic.message = format!("`{name}` is a library function");
            diagnostic = diagnostic.help(format!("call it: `{name}(…)`"));
        } else if self.world.signatures.steps.contains_key(name) || self.workflow_named(name) {
            diagnostic.message = format!("`{name}` is something to call, and this needs a value");
            diagnostic = diagnostic.help(format!("call it in a line of its own: `x = {name}(…)`"));
        } else if let Some(bound) = self.scopes.bound_inside(name) {
            diagnostic = diagnostic
                .other(bound, "bound here, in a block")
                .help("it is seen in that block only; values leave a block by `yield`");
        } else if let Some(near) = self.near_name(name) {
            diagnostic = diagnostic.help(format!("did you mean `{near}`?")).fix(
                Certainty::Likely,
                format!("write `{near}`"),
                span,
                near,
            );
        } else if matches!(name, "null" | "nil" | "None" | "undefined") {
            diagnostic = diagnostic.help("what is missing is `none`");
        } else if matches!(name, "True" | "False") {
            diagnostic = diagnostic.help(format!("write `{}`", name.to_lowercase()));
        } else if name == "event" {
            diagnostic = diagnostic.help("only the arguments of a trigger know an `event`");
        }
        self.report(diagnostic);
    }

    fn near_name(&self, name: &str) -> Option<String> {
        nearest(
            name,
            self.scopes
                .names()
                .iter()
                .map(String::as_str)
                .chain(["run"]),
        )
        .map(str::to_owned)
    }

    fn report_empty(&mut self, name: &str, span: Span, bound: Span) {
        self.report(
            Self::error(codes::NO_VALUE, span, format!("`{name}` has no value"))
                .other(bound, "what is bound here gives nothing")
                .help(format!(
                    "if it is a block, end it with `yield …`: that is what `{name}` is then; some steps give nothing"
                )),
        );
    }

    fn report_no_variant(&mut self, name: &str, span: Span, words: &EnumType) {
        let message = format!("`{name}` is no value of {}", called(words));
        let mut diagnostic = Self::error(codes::UNKNOWN_VARIANT, span, message);
        let names = words.variants.iter().map(|variant| &*variant.name);
        if let Some(near) = nearest(name, names) {
            diagnostic = diagnostic.help(format!("did you mean `{near}`?")).fix(
                Certainty::Likely,
                format!("write `{near}`"),
                span,
                near,
            );
        } else {
            diagnostic = diagnostic.help(format!("it is one of {}", listing(words)));
        }
        self.report(diagnostic);
    }

    /// Returns the type of a field. What is wrong is reported.
    #[expect(
        clippy::wildcard_enum_match_arm,
        reason = "all others are alike here, and a new one is too"
    )]
    fn field_type(&mut self, ty: &Type, field: &Name, base: &ast::Expr) -> Option<Type> {
        let name = field.text.as_str();
        let known: Vec<&str> = match ty {
            Type::Record(record) => match record.field(name) {
                Some(field) => return Some(field.ty.clone()),
                None => record.fields.iter().map(|field| &*field.name).collect(),
            },
            Type::Size => match name {
                "width" | "height" => return Some(Type::int()),
                _ => vec!["width", "height"],
            },
            Type::Media(media) => {
                let facts = facts_of(*media);
                if let Some((_, ty)) = facts.iter().find(|(fact, _)| *fact == name) {
                    return Some(ty.clone());
                }
                facts.into_iter().map(|(fact, _)| fact).collect()
            }
            _ => {
                self.report_fieldless(ty, field, base);
                return None;
            }
        };
        let message = format!("there is no field `{name}` in {}", article(ty));
        let mut diagnostic = Self::error(codes::UNKNOWN_FIELD, field.span, message);
        if let Some(near) = nearest(name, known.iter().copied()) {
            diagnostic = diagnostic.help(format!("did you mean `{near}`?")).fix(
                Certainty::Likely,
                format!("write `{near}`"),
                field.span,
                near,
            );
        } else if !known.is_empty() {
            let shown: Vec<String> = known.iter().take(12).map(|f| format!("`{f}`")).collect();
            diagnostic = diagnostic.help(format!("it has {}", shown.join(", ")));
        }
        self.report(diagnostic);
        None
    }

    #[expect(
        clippy::wildcard_enum_match_arm,
        reason = "all others are alike here, and a new one is too"
    )]
    fn report_fieldless(&mut self, ty: &Type, field: &Name, base: &ast::Expr) {
        let said = path_of(base).unwrap_or_else(|| "x".to_owned());
        let name = &field.text;
        if let Type::Optional(inner) = ty {
            let diagnostic = Self::error(
                codes::OPTIONAL_UNHANDLED,
                base.span,
                format!("this may be missing, so it can't be asked for `{name}`"),
            )
            .label(format!("this is {}", article(ty)))
            .help(format!("ask first: `if {said} is some {{ … }}`, or `if {said} is some then {said}.{name} else …`"))
            .help(format!("or say what to take instead, {}: `{said} ?? …`", article(inner)));
            return self.report(diagnostic);
        }
        let message = format!("{} has no fields", article(ty));
        let mut diagnostic = Self::error(codes::UNKNOWN_FIELD, field.span, message);
        diagnostic = match ty {
            Type::List(_) if matches!(name.as_str(), "length" | "len" | "size" | "count") => {
                diagnostic.help(format!("write `len({said})`"))
            }
            Type::Text(_) if matches!(name.as_str(), "length" | "len" | "size") => {
                diagnostic.help(format!("write `len({said})`"))
            }
            Type::List(_) => diagnostic
                .help(format!("of one item: `{said}[0].{name}`"))
                .help(format!("of each: `[item.{name} for item in {said}]`")),
            Type::Map(_) => diagnostic.help(format!(
                "an entry of a map: `{said}[\"{name}\"]`, or `get({said}, \"{name}\")`, which may be missing"
            )),
            Type::Json => diagnostic
                .help("where it comes from, give it a type: `gen.text<{ … }>(…)`, `json: { … }`"),
            Type::Secret => diagnostic.help("nobody can look into a secret"),
            _ => diagnostic,
        };
        self.report(diagnostic);
    }

    /// Returns a type that a file declares. One that could not be read has none.
    fn declared_type(&self, file: FileId, name: &str) -> Option<&Declared<Option<Type>>> {
        self.world.program.file(file).types.get(name)
    }

    fn used(&self, alias: &str) -> Option<FileId> {
        let scope = self.world.program.file(self.file);
        scope.uses.get(alias)?.what
    }

    /// Returns whether a path is a workflow's.
    pub(super) fn workflow_named(&self, path: &str) -> bool {
        let scope = self.world.program.file(self.file);
        match path.split_once('.') {
            None => scope.workflows.contains_key(path),
            Some((lib, name)) => self
                .used(lib)
                .is_some_and(|file| self.world.program.file(file).workflows.contains_key(name)),
        }
    }

    /// Finds an enumeration that has a value, and what it is called here.
    fn enum_with(&self, name: &str) -> Option<(Option<String>, Arc<EnumType>)> {
        let scope = self.world.program.file(self.file);
        let mut own = scope.types.iter();
        own.find_map(|(path, declared)| match &declared.what {
            Some(Type::Enum(words)) if words.variant(name).is_some() => {
                Some((Some(path.clone()), words.clone()))
            }
            _ => None,
        })
    }

    /// Returns what a type is called in this file.
    fn type_path(&self, ty: &Type) -> Option<String> {
        let scope = self.world.program.file(self.file);
        let is = |declared: &Option<Type>| declared.as_ref() == Some(ty);
        let own = scope.types.iter().find(|(_, declared)| is(&declared.what));
        if let Some((name, _)) = own {
            return Some(name.clone());
        }
        scope.uses.iter().find_map(|(lib, file)| {
            let types = &self.world.program.file(file.what?).types;
            let (name, _) = types.iter().find(|(_, declared)| is(&declared.what))?;
            Some(format!("{lib}.{name}"))
        })
    }
}

/// Returns how an enumeration is called in a message.
fn called(words: &EnumType) -> String {
    match &words.name {
        Some(name) => format!("`{name}`"),
        None => listing(words),
    }
}

/// Returns what can be read of an artifact without opening it.
fn facts_of(media: Media) -> Vec<(&'static str, Type)> {
    let mut facts = match media {
        Media::Image => vec![("width", Type::int()), ("height", Type::int())],
        Media::Video => vec![
            ("width", Type::int()),
            ("height", Type::int()),
            ("seconds", Type::float()),
            ("fps", Type::float()),
        ],
        Media::Audio => vec![
            ("seconds", Type::float()),
            ("rate", Type::int()),
            ("channels", Type::int()),
        ],
        Media::File => Vec::new(),
    };
    facts.extend([("bytes", Type::int()), ("digest", Type::text())]);
    facts
}

/// Returns the type of `run`.
pub(crate) fn run_type() -> Type {
    let field = |name: &str, ty| FieldType {
        name: name.into(),
        ty,
        docs: "".into(),
    };
    Type::Record(Arc::new(RecordType {
        name: Some("run".into()),
        fields: vec![
            field("id", Type::text()),
            field("name", Type::text()),
            field("seed", Type::int()),
            field("started", Type::Time),
            field("scheduled", Type::Time.optional()),
            field("firing", Type::int().optional()),
        ],
    }))
}
