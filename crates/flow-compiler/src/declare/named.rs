//! `type` and `enum`: names for types, in any order.

use std::collections::BTreeMap;
use std::sync::Arc;

use flow_core::ty::{EnumType, RecordType, Type, VariantType};
use flow_syntax::ast::{self, ItemKind, TypeBase};
use flow_syntax::diagnostic::{Certainty, Diagnostic, Diagnostics};
use flow_syntax::span::Span;

use super::types::{BASIC, Role, TypeScope, read, twice};
use super::{Declared, FileId, FileScope};
use crate::codes;

/// How many parts a type may have, those of the types in it included.
const PARTS_MAX: u32 = 4_096;
/// How deep types may nest, those in them included.
const DEPTH_MAX: u32 = 64;

/// How the names of types may begin.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Naming {
    /// With a capital.
    Capital,
    /// With any letter: those declared beside steps.
    Free,
}

/// A file's declarations, and where they go.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Declarations<'a> {
    /// The file.
    pub(crate) file: FileId,
    /// What it declares.
    pub(crate) items: &'a [ast::Item],
}

/// A `type` or an `enum`.
#[derive(Clone, Copy)]
struct Definition<'a> {
    file: FileId,
    name: &'a ast::Name,
    what: What<'a>,
}

#[derive(Clone, Copy)]
enum What<'a> {
    Type(&'a ast::TypeExpr),
    Enum(&'a ast::Enum),
}

/// How large a type is.
#[derive(Clone, Copy)]
struct Weight {
    parts: u32,
    depth: u32,
    /// Whether a type in it is too large by itself, which is reported.
    broken: bool,
}

impl Weight {
    const ONE: Self = Self {
        parts: 1,
        depth: 1,
        broken: false,
    };
}

/// Reads all types and enumerations of some files into their scopes.
pub(crate) fn declare(
    files: &mut [FileScope],
    declarations: &[Declarations<'_>],
    library: &BTreeMap<Arc<str>, Type>,
    naming: Naming,
    out: &mut Diagnostics,
) {
    let definitions = collect(files, declarations, library, naming, out);
    let index: BTreeMap<(FileId, &str), usize> = definitions
        .iter()
        .enumerate()
        .map(|(at, definition)| ((definition.file, definition.name.text.as_str()), at))
        .collect();
    let needs: Vec<Vec<usize>> = definitions
        .iter()
        .map(|definition| {
            let mut needs = Vec::new();
            if let What::Type(ty) = definition.what {
                references(ty, &mut |path| {
                    needs.extend(target(files, &index, definition.file, path));
                });
            }
            needs
        })
        .collect();
    let order = order(&definitions, &needs, out);
    let mut weights = vec![Weight::ONE; definitions.len()];
    for at in order {
        let definition = definitions[at];
        let ty = match definition.what {
            What::Enum(words) => enumeration(words, out),
            What::Type(written) => {
                weights[at] = weigh(written, &|path| {
                    let target = target(files, &index, definition.file, path)?;
                    Some(weights[target])
                });
                if too_large(definition.name, weights[at], out) {
                    weights[at].broken = true;
                    continue;
                }
                let scope = TypeScope {
                    files,
                    file: definition.file,
                    library,
                    param: None,
                };
                read(written, &scope, Role::Value, out)
                    .map(|ty| with_name(ty, &definition.name.text))
            }
        };
        let types = &mut files[definition.file.0].types;
        if let Some(declared) = types.get_mut(&definition.name.text) {
            declared.what = ty;
        }
    }
}

/// Enters all names into their scopes, still without a type.
fn collect<'a>(
    files: &mut [FileScope],
    declarations: &[Declarations<'a>],
    library: &BTreeMap<Arc<str>, Type>,
    naming: Naming,
    out: &mut Diagnostics,
) -> Vec<Definition<'a>> {
    let mut definitions = Vec::new();
    for Declarations { file, items } in declarations {
        for item in *items {
            let (name, what) = match &item.kind {
                ItemKind::Type(def) => (&def.name, What::Type(&def.ty)),
                ItemKind::Enum(words) => (&words.name, What::Enum(words)),
                ItemKind::Use(_)
                | ItemKind::Step(_)
                | ItemKind::Workflow(_)
                | ItemKind::Trigger(_)
                | ItemKind::Test(_)
                | ItemKind::Error => continue,
            };
            check_name(name, library, naming, out);
            let types = &mut files[file.0].types;
            if let Some(first) = types.get(&name.text) {
                out.push(twice("type", name, first.span));
                continue;
            }
            let span = name.span;
            types.insert(name.text.clone(), Declared { what: None, span });
            definitions.push(Definition {
                file: *file,
                name,
                what,
            });
        }
    }
    definitions
}

fn check_name(
    name: &ast::Name,
    library: &BTreeMap<Arc<str>, Type>,
    naming: Naming,
    out: &mut Diagnostics,
) {
    let basic = BASIC.contains(&name.text.as_str()) || matches!(name.text.as_str(), "list" | "map");
    if basic || library.contains_key(name.text.as_str()) {
        let message = format!("`{}` is a type already", name.text);
        out.push(
            Diagnostic::new(codes::DUPLICATE_NAME, name.span, message)
                .help("it is always there: give yours another name"),
        );
    } else if naming == Naming::Capital && !name.text.starts_with(char::is_uppercase) {
        let better = capital(&name.text);
        out.push(
            Diagnostic::new(
                codes::NAME_STYLE,
                name.span,
                format!(
                    "the name of a type begins with a capital, found `{}`",
                    name.text
                ),
            )
            .help(format!("write `{better}`, here and where it is used")),
        );
    }
}

/// `shot_list` → `ShotList`
fn capital(name: &str) -> String {
    let words = name.split('_').filter(|word| !word.is_empty());
    words
        .flat_map(|word| {
            let mut letters = word.chars();
            let first = letters.next().into_iter().flat_map(char::to_uppercase);
            first.chain(letters).collect::<Vec<_>>()
        })
        .collect()
}

/// Calls back with every name in a type.
fn references<'a>(ty: &'a ast::TypeExpr, found: &mut dyn FnMut(&'a ast::Path)) {
    match &ty.base {
        TypeBase::Named { path, args } => {
            found(path);
            for arg in args {
                references(arg, found);
            }
        }
        TypeBase::Record(fields) => {
            for field in fields {
                references(&field.ty, found);
            }
        }
        TypeBase::Error => {}
    }
}

/// Finds the definition that a name means.
fn target(
    files: &[FileScope],
    index: &BTreeMap<(FileId, &str), usize>,
    file: FileId,
    path: &ast::Path,
) -> Option<usize> {
    let (file, name) = match path.text.split_once('.') {
        Some((alias, name)) => (files[file.0].uses.get(alias)?.what?, name),
        None => (file, path.text.as_str()),
    };
    index.get(&(file, name)).copied()
}

/// Returns the definitions so that each stands behind what it needs. Those
/// that need themselves are reported and left out.
fn order(
    definitions: &[Definition<'_>],
    needs: &[Vec<usize>],
    out: &mut Diagnostics,
) -> Vec<usize> {
    #[derive(Clone, Copy, PartialEq)]
    enum State {
        New,
        Open,
        Done,
    }
    let mut state = vec![State::New; definitions.len()];
    let mut recursive = vec![false; definitions.len()];
    let mut order = Vec::new();
    for start in 0..definitions.len() {
        if state[start] != State::New {
            continue;
        }
        // What is open, and how many of its needs were looked at.
        let mut open: Vec<(usize, usize)> = vec![(start, 0)];
        state[start] = State::Open;
        while let Some((at, next)) = open.last_mut() {
            let Some(need) = needs[*at].get(*next).copied() else {
                state[*at] = State::Done;
                order.push(*at);
                open.pop();
                continue;
            };
            *next += 1;
            match state[need] {
                State::New => {
                    state[need] = State::Open;
                    open.push((need, 0));
                }
                State::Open => {
                    let from = open.iter().position(|(at, _)| *at == need).unwrap_or(0);
                    let circle: Vec<usize> = open[from..].iter().map(|(at, _)| *at).collect();
                    if !circle.iter().any(|at| recursive[*at]) {
                        out.push(circle_of(definitions, &circle));
                    }
                    for at in circle {
                        recursive[at] = true;
                    }
                }
                State::Done => {}
            }
        }
    }
    order.retain(|at| !recursive[*at]);
    order
}

fn circle_of(definitions: &[Definition<'_>], circle: &[usize]) -> Diagnostic {
    // Only so many are named; a long circle is as wrong as a short one.
    const NAMED_MAX: usize = 8;
    let first = definitions[circle[0]].name;
    let mut chain: Vec<String> = circle
        .iter()
        .take(NAMED_MAX)
        .map(|at| format!("`{}`", definitions[*at].name.text))
        .collect();
    if circle.len() > NAMED_MAX {
        chain.push("…".to_owned());
    }
    chain.push(format!("`{}`", first.text));
    let mut diagnostic = Diagnostic::new(
        codes::RECURSIVE_TYPE,
        first.span,
        format!("`{}` contains itself: {}", first.text, chain.join(" → ")),
    )
    .help("types are finite: use `json`, or a flat list in which items refer to others by a key");
    for at in circle.iter().skip(1).take(NAMED_MAX - 1) {
        let name = definitions[*at].name;
        diagnostic = diagnostic.other(name.span, "it leads through this");
    }
    diagnostic
}

/// Adds up the parts of a type, those of named types included.
fn weigh(ty: &ast::TypeExpr, known: &dyn Fn(&ast::Path) -> Option<Weight>) -> Weight {
    let mut sum = Weight {
        depth: 0,
        ..Weight::ONE
    };
    let mut add = |part: Weight| {
        sum.parts = sum.parts.saturating_add(part.parts);
        sum.depth = sum.depth.max(part.depth);
        sum.broken |= part.broken;
    };
    match &ty.base {
        TypeBase::Named { path, args } => {
            if let Some(weight) = known(path) {
                return weight;
            }
            for arg in args {
                add(weigh(arg, known));
            }
        }
        TypeBase::Record(fields) => {
            for field in fields {
                add(weigh(&field.ty, known));
            }
        }
        TypeBase::Error => {}
    }
    sum.depth += 1;
    sum
}

/// Reports a type that is too large; one with such a part is it too.
fn too_large(name: &ast::Name, weight: Weight, out: &mut Diagnostics) -> bool {
    if weight.broken {
        return true;
    }
    let message = if weight.parts > PARTS_MAX {
        format!(
            "`{}` has more than {PARTS_MAX} parts, those of the types in it included",
            name.text
        )
    } else if weight.depth > DEPTH_MAX {
        format!(
            "`{}` is nested more than {DEPTH_MAX} levels deep",
            name.text
        )
    } else {
        return false;
    };
    out.push(
        Diagnostic::new(codes::TYPE_TOO_LARGE, name.span, message)
            .help("use `json` for a part of it"),
    );
    true
}

/// A record takes the first name that it is given.
fn with_name(ty: Type, name: &str) -> Type {
    if let Type::Record(record) = &ty
        && record.name.is_none()
    {
        return Type::Record(Arc::new(RecordType {
            name: Some(name.into()),
            fields: record.fields.clone(),
        }));
    }
    ty
}

fn enumeration(words: &ast::Enum, out: &mut Diagnostics) -> Option<Type> {
    let mut names: BTreeMap<&str, Span> = BTreeMap::new();
    let mut outsides: BTreeMap<&str, Span> = BTreeMap::new();
    let mut variants = Vec::new();
    for variant in &words.variants {
        let name = &variant.name;
        if let Some(first) = names.insert(&name.text, name.span) {
            out.push(twice("value", name, first));
            continue;
        }
        if !name
            .text
            .starts_with(|c: char| c.is_lowercase() || c == '_')
        {
            let small = name.text.to_lowercase();
            out.push(
                Diagnostic::new(
                    codes::NAME_STYLE,
                    name.span,
                    format!("a value begins with a small letter, found `{}`", name.text),
                )
                .help(format!(
                    "write `{small} \"{}\"` if the word outside is spelled so",
                    name.text
                ))
                .fix(
                    Certainty::Likely,
                    format!("write `{small}`"),
                    name.span,
                    small,
                ),
            );
        }
        let outside = variant.outside.as_ref().unwrap_or(name);
        if let Some(first) = outsides.insert(&outside.text, outside.span) {
            let message = format!("two values are called `{}` outside", outside.text);
            out.push(
                Diagnostic::new(codes::DUPLICATE_NAME, outside.span, message)
                    .other(first, "this is the other"),
            );
        }
        variants.push(VariantType {
            name: name.text.as_str().into(),
            outside: outside.text.as_str().into(),
        });
    }
    (!variants.is_empty()).then(|| {
        Type::Enum(Arc::new(EnumType {
            name: Some(words.name.text.as_str().into()),
            variants,
        }))
    })
}
