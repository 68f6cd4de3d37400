//! Types as written to types.

use std::collections::BTreeMap;
use std::sync::Arc;

use flow_core::ty::{EnumType, FieldType, ListType, Media, RecordType, Type};
use flow_syntax::ast::{self, TypeBase};
use flow_syntax::diagnostic::{Certainty, Diagnostic, Diagnostics};
use flow_syntax::span::Span;

use super::foreign::{no_type, unknown};
use super::refine::refine;
use super::{FileId, FileScope};
use crate::check::Checker;
use crate::codes;

/// Where the names in a type are looked up.
#[derive(Debug, Clone, Copy)]
pub(crate) struct TypeScope<'a> {
    /// All files.
    pub(crate) files: &'a [FileScope],
    /// The file in which the type is written.
    pub(crate) file: FileId,
    /// The types that need no `use`.
    pub(crate) library: &'a BTreeMap<Arc<str>, Type>,
    /// The type parameter that can be seen.
    pub(crate) param: Option<&'a str>,
}

/// What a type is written for: some types are for some places only.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Role {
    /// Anything else.
    Value,
    /// A parameter of a workflow; it may be a secret.
    Input,
    /// A parameter of a declared step; it may be a secret or a step.
    StepInput,
}

/// The types of the language, without `list` and `map`.
pub(crate) const BASIC: [&str; 17] = [
    "text", "int", "float", "bool", "duration", "money", "time", "size", "model", "json", "image",
    "video", "audio", "file", "secret", "step", "none",
];

/// How many faults of a text are looked at for what was meant.
const HELPED_MAX: usize = 200;

/// What a name of a type stands for.
enum Found {
    Type(Type),
    /// It is declared, with an error that was reported.
    Broken,
    Unknown,
}

/// Reads a type. `None` if there is an error in it, which is reported.
pub(crate) fn read(
    written: &ast::TypeExpr,
    scope: &TypeScope<'_>,
    role: Role,
    out: &mut Diagnostics,
) -> Option<Type> {
    let mut ty = match &written.base {
        TypeBase::Named { path, args } => named(path, args, scope, role, out)?,
        TypeBase::Record(fields) => record(fields, scope, out)?,
        TypeBase::Error => return None,
    };
    if let Some(mark) = written.optional {
        if matches!(ty, Type::Optional(_)) {
            out.push(
                Diagnostic::new(codes::OPTIONAL_TWICE, mark, "the type is optional already")
                    .help("a value is there or not; there is nothing between")
                    .fix(Certainty::Certain, "remove the `?`", mark, ""),
            );
        } else {
            ty = ty.optional();
        }
    }
    for refinement in &written.refinements {
        ty = refine(&ty, refinement, out)?;
    }
    Some(ty)
}

impl Checker<'_> {
    /// Reads a type that stands in a body. `None` if there is an error in it.
    pub(crate) fn type_expr(&mut self, written: &ast::TypeExpr) -> Option<Type> {
        let scope = TypeScope {
            files: &self.world.program.files,
            file: self.file,
            library: &self.world.signatures.types,
            param: None,
        };
        read(written, &scope, Role::Value, &mut self.out)
    }
}

fn record(fields: &[ast::Field], scope: &TypeScope<'_>, out: &mut Diagnostics) -> Option<Type> {
    let mut seen: BTreeMap<&str, Span> = BTreeMap::new();
    let mut read_fields = Vec::new();
    let mut whole = true;
    for field in fields {
        if let Some(first) = seen.get(field.name.text.as_str()) {
            out.push(twice("field", &field.name, *first));
            whole = false;
            continue;
        }
        seen.insert(&field.name.text, field.name.span);
        misplaced_parts(field, out);
        match read(&field.ty, scope, Role::Value, out) {
            Some(ty) => read_fields.push(FieldType {
                name: field.name.text.as_str().into(),
                ty,
                docs: field.docs.as_str().into(),
            }),
            None => whole = false,
        }
    }
    whole.then(|| {
        Type::Record(Arc::new(RecordType {
            name: None,
            fields: read_fields,
        }))
    })
}

/// Reports what only parameters can have.
fn misplaced_parts(field: &ast::Field, out: &mut Diagnostics) {
    if let Some(mark) = field.constant {
        out.push(
            Diagnostic::new(
                codes::MISPLACED_CONST,
                mark,
                "a field of a record can't be `const`",
            )
            .help("`const` is for parameters, whose texts then take no holes")
            .fix(Certainty::Certain, "remove it", mark, ""),
        );
    }
    if let Some(default) = &field.default {
        out.push(
            Diagnostic::new(
                codes::FIELD_DEFAULT,
                default.span,
                format!("the field `{}` can't have a default", field.name.text),
            )
            .help("a record has all of its fields: make it optional, as in `text?`, and use `??`"),
        );
    }
}

/// Says that something is declared twice.
pub(crate) fn twice(what: &str, name: &ast::Name, first: Span) -> Diagnostic {
    Diagnostic::new(
        codes::DUPLICATE_NAME,
        name.span,
        format!("there is a {what} `{}` already", name.text),
    )
    .other(first, "it is declared here")
}

fn named(
    path: &ast::Path,
    args: &[ast::TypeExpr],
    scope: &TypeScope<'_>,
    role: Role,
    out: &mut Diagnostics,
) -> Option<Type> {
    match path.text.as_str() {
        "list" => {
            let role = inner_role(role, "list");
            let item = the_argument(path, args, "list<text>", scope, role, out)?;
            Some(Type::list(item))
        }
        "map" => {
            let role = inner_role(role, "map");
            let item = the_argument(path, args, "map<text>", scope, role, out)?;
            Some(Type::Map(Arc::new(item)))
        }
        name => {
            let ty = match basic(name) {
                Some(ty) => {
                    fits_role(&ty, path, role, out)?;
                    ty
                }
                None => match find(path, scope) {
                    Found::Type(ty) => ty,
                    Found::Broken => return None,
                    Found::Unknown => {
                        let is_helped = out.iter().len() < HELPED_MAX;
                        out.push(if is_helped {
                            unknown(path, args, scope)
                        } else {
                            no_type(path)
                        });
                        return None;
                    }
                },
            };
            if let (Some(first), Some(last)) = (args.first(), args.last()) {
                out.push(
                    Diagnostic::new(
                        codes::TYPE_ARGUMENTS,
                        first.span.to(last.span),
                        format!("`{name}` takes no type"),
                    )
                    .help("only `list<…>` and `map<…>` do"),
                );
                return None;
            }
            Some(ty)
        }
    }
}

/// A map of secrets and a list of steps are parameters like what they hold.
fn inner_role(role: Role, holder: &str) -> Role {
    match (role, holder) {
        (Role::StepInput, _) | (Role::Input, "map") => role,
        (Role::Input | Role::Value, _) => Role::Value,
    }
}

fn the_argument(
    path: &ast::Path,
    args: &[ast::TypeExpr],
    example: &str,
    scope: &TypeScope<'_>,
    role: Role,
    out: &mut Diagnostics,
) -> Option<Type> {
    if let [arg] = args {
        return read(arg, scope, role, out);
    }
    let span = match (args.first(), args.last()) {
        (Some(first), Some(last)) => first.span.to(last.span),
        _ => path.span,
    };
    let found = match args.len() {
        0 => "none".to_owned(),
        count => count.to_string(),
    };
    let cure = if path.text == "map" && args.len() == 2 {
        "the keys are always texts: write the type of the values only".to_owned()
    } else {
        format!("say what it holds, as in `{example}`")
    };
    let message = format!("`{}` takes one type, found {found}", path.text);
    out.push(Diagnostic::new(codes::TYPE_ARGUMENTS, span, message).help(cure));
    None
}

/// Returns a type of the language by its name.
fn basic(name: &str) -> Option<Type> {
    Some(match name {
        "text" => Type::text(),
        "int" => Type::int(),
        "float" => Type::float(),
        "bool" => Type::Bool,
        "duration" => Type::Duration(flow_core::ty::Bounds::default()),
        "money" => Type::Money(flow_core::ty::Bounds::default()),
        "time" => Type::Time,
        "size" => Type::Size,
        "model" => Type::Model,
        "json" => Type::Json,
        "image" => Type::Media(Media::Image),
        "video" => Type::Media(Media::Video),
        "audio" => Type::Media(Media::Audio),
        "file" => Type::Media(Media::File),
        "secret" => Type::Secret,
        "step" => Type::Step,
        _ => return None,
    })
}

/// Reports a secret or a step where there can be none.
fn fits_role(ty: &Type, path: &ast::Path, role: Role, out: &mut Diagnostics) -> Option<()> {
    let (message, help) = match (ty, role) {
        (Type::Secret, Role::Value) => (
            "a secret can't be kept in a value",
            "only a parameter can be a `secret` or a `map<secret>`: name it where it is used, as in `secret(\"NAME\")`",
        ),
        (Type::Step, Role::Value | Role::Input) => (
            "a reference to a step can't be kept in a value",
            "only a parameter of a declared step can be a `step`",
        ),
        _ => return Some(()),
    };
    out.push(Diagnostic::new(codes::MISPLACED_TYPE, path.span, message).help(help));
    None
}

fn find(path: &ast::Path, scope: &TypeScope<'_>) -> Found {
    let in_file = |file: FileId, name: &str| match scope.files.get(file.0)?.types.get(name)? {
        super::Declared { what: Some(ty), .. } => Some(Found::Type(ty.clone())),
        super::Declared { what: None, .. } => Some(Found::Broken),
    };
    if let Some((alias, name)) = path.text.split_once('.') {
        let Some(used) = own_file(scope).and_then(|own| own.uses.get(alias)) else {
            return Found::Unknown;
        };
        return match used.what {
            Some(file) => in_file(file, name).unwrap_or(Found::Unknown),
            None => Found::Broken,
        };
    }
    if scope.param == Some(path.text.as_str()) {
        return Found::Type(Type::Param);
    }
    if let Some(found) = in_file(scope.file, &path.text) {
        return found;
    }
    match scope.library.get(path.text.as_str()) {
        Some(ty) => Found::Type(ty.clone()),
        None => Found::Unknown,
    }
}

pub(super) fn own_file<'a>(scope: &TypeScope<'a>) -> Option<&'a FileScope> {
    scope.files.get(scope.file.0)
}

/// Returns a type without names and documentation.
pub(crate) fn plain(ty: &Type) -> Type {
    match ty {
        Type::List(list) => Type::List(ListType {
            item: Arc::new(plain(&list.item)),
            length: list.length,
        }),
        Type::Map(item) => Type::Map(Arc::new(plain(item))),
        Type::Optional(inner) => Type::Optional(Arc::new(plain(inner))),
        Type::Record(record) => Type::Record(Arc::new(RecordType {
            name: None,
            fields: record
                .fields
                .iter()
                .map(|field| FieldType {
                    name: Arc::clone(&field.name),
                    ty: plain(&field.ty),
                    docs: "".into(),
                })
                .collect(),
        })),
        Type::Enum(words) => Type::Enum(Arc::new(EnumType {
            name: None,
            variants: words.variants.clone(),
        })),
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
        | Type::Param
        | Type::None => ty.clone(),
    }
}
