//! Names that are no types here, and which types were meant.

use flow_syntax::ast;
use flow_syntax::diagnostic::{Certainty, Diagnostic, nearest};

use super::types::{BASIC, TypeScope, own_file};
use crate::codes;

/// How many names are looked at to find the one that was meant.
const NAMES_MAX: usize = 2_000;

/// What others call a type, how it is called here, and whether that is all
/// there is to say.
const HABITS: [(&[&str], &str, Certainty); 13] = [
    (
        &["string", "str", "varchar", "char", "url", "uri"],
        "text",
        Certainty::Certain,
    ),
    (&["boolean", "flag"], "bool", Certainty::Certain),
    (
        &["integer", "long", "i32", "i64", "u32", "u64", "uint"],
        "int",
        Certainty::Certain,
    ),
    (
        &["number", "double", "decimal", "real", "num", "f32", "f64"],
        "float",
        Certainty::Likely,
    ),
    (
        &["datetime", "date", "timestamp", "instant"],
        "time",
        Certainty::Likely,
    ),
    (
        &["array", "vec", "vector", "set", "seq", "sequence"],
        "list<text>",
        Certainty::Likely,
    ),
    (
        &[
            "dict",
            "object",
            "hash",
            "hashmap",
            "dictionary",
            "record",
            "struct",
        ],
        "map<text>",
        Certainty::Likely,
    ),
    (
        &["any", "unknown", "dynamic", "value"],
        "json",
        Certainty::Likely,
    ),
    (&["picture", "photo", "img"], "image", Certainty::Likely),
    (&["movie", "clip", "film"], "video", Certainty::Likely),
    (&["sound", "song", "music"], "audio", Certainty::Likely),
    (
        &["path", "bytes", "blob", "binary"],
        "file",
        Certainty::Likely,
    ),
    (
        &["price", "cost", "usd", "currency"],
        "money",
        Certainty::Likely,
    ),
];

/// Says that there is no such type.
pub(super) fn no_type(path: &ast::Path) -> Diagnostic {
    let message = format!("there is no type `{}`", path.text);
    Diagnostic::new(codes::UNKNOWN_TYPE, path.span, message)
}

/// Says that there is no such type, and which one was meant.
pub(super) fn unknown(
    path: &ast::Path,
    args: &[ast::TypeExpr],
    scope: &TypeScope<'_>,
) -> Diagnostic {
    if let Some((alias, name)) = path.text.split_once('.') {
        return unknown_elsewhere(path, alias, name, scope);
    }
    let diagnostic = no_type(path);
    let word = path.text.to_lowercase();
    if let Some((_, ours, certainty)) = HABITS
        .iter()
        .find(|(theirs, ..)| theirs.contains(&word.as_str()))
    {
        return match *ours {
            "list<text>" => diagnostic.help("a list is written `list<text>`"),
            "map<text>" => diagnostic
                .help("write its fields, as in `{ title: text, seconds: float }`, or `map<text>` if its keys are data"),
            ours if args.is_empty() => diagnostic
                .help(format!("it is called `{ours}` here"))
                .fix(*certainty, format!("write `{ours}`"), path.span, ours),
            ours => diagnostic.help(format!("it is called `{ours}` here")),
        };
    }
    match word.as_str() {
        "optional" | "option" | "maybe" | "nullable" => {
            return diagnostic.help("what may be missing has a `?`, as in `text?`");
        }
        "null" | "nil" | "void" | "unit" | "none" => {
            return diagnostic.help("what gives nothing has no type: leave it out");
        }
        _ => {}
    }
    let names = BASIC
        .into_iter()
        .filter(|name| *name != "none")
        .chain(["list", "map"])
        .chain(
            own_file(scope)
                .into_iter()
                .flat_map(|file| file.types.keys().map(String::as_str)),
        )
        .chain(scope.library.keys().map(AsRef::as_ref))
        .chain(scope.param)
        .take(NAMES_MAX);
    match nearest(&path.text, names) {
        Some(name) => diagnostic.help(format!("did you mean `{name}`?")).fix(
            Certainty::Likely,
            format!("write `{name}`"),
            path.span,
            name,
        ),
        None => match used_with(&path.text, scope) {
            Some(name) => diagnostic.help(format!("did you mean `{name}`?")).fix(
                Certainty::Likely,
                format!("write `{name}`"),
                path.span,
                name,
            ),
            None => diagnostic.help(format!("declare it: `type {} = {{ … }}`", path.text)),
        },
    }
}

/// Finds a type of this name in a used file.
fn used_with(name: &str, scope: &TypeScope<'_>) -> Option<String> {
    let uses = &own_file(scope)?.uses;
    uses.iter().find_map(|(alias, used)| {
        let file = scope.files.get(used.what?.0)?;
        file.types
            .contains_key(name)
            .then(|| format!("{alias}.{name}"))
    })
}

fn unknown_elsewhere(
    path: &ast::Path,
    alias: &str,
    name: &str,
    scope: &TypeScope<'_>,
) -> Diagnostic {
    let uses = own_file(scope).map(|own| &own.uses);
    let file = uses
        .and_then(|uses| uses.get(alias)?.what)
        .and_then(|file| scope.files.get(file.0));
    if let Some(file) = file {
        let diagnostic = Diagnostic::new(
            codes::UNKNOWN_TYPE,
            path.span,
            format!("`{}` declares no type `{name}`", file.name),
        );
        return match nearest(name, file.types.keys().map(String::as_str).take(NAMES_MAX)) {
            Some(near) => diagnostic
                .help(format!("did you mean `{alias}.{near}`?"))
                .fix(
                    Certainty::Likely,
                    format!("write `{alias}.{near}`"),
                    path.span,
                    format!("{alias}.{near}"),
                ),
            None => diagnostic,
        };
    }
    let diagnostic = Diagnostic::new(
        codes::UNKNOWN_TYPE,
        path.span,
        format!("no file is used as `{alias}`"),
    );
    let aliases = uses
        .into_iter()
        .flat_map(|uses| uses.keys().map(String::as_str));
    match nearest(alias, aliases) {
        Some(near) => diagnostic
            .help(format!("did you mean `{near}.{name}`?"))
            .fix(
                Certainty::Likely,
                format!("write `{near}.{name}`"),
                path.span,
                format!("{near}.{name}"),
            ),
        None => diagnostic.help(format!("write `use \"{alias}.flow\"` at the top")),
    }
}
