//! Paths inside a folder, and patterns of them.

use std::io;
use std::path::{Component, Path, PathBuf};

use flow_core::step::StepFailure;
use regex_lite::Regex;

use crate::given::invalid;

/// How many folders deep is searched.
const DEPTH_MAX: usize = 32;

/// Returns a path in a folder, if its words don't lead out of it.
pub(crate) fn inside(folder: &Path, path: &str) -> Result<PathBuf, StepFailure> {
    let parts = Path::new(path).components();
    let plain = parts
        .clone()
        .all(|part| matches!(part, Component::Normal(_) | Component::CurDir));
    if path.is_empty() || path.contains(['\0', '\\']) || !plain {
        return Err(invalid(format!("`{path}` is no path inside of the folder")));
    }
    Ok(folder.join(path))
}

/// Returns a path of something that is in a folder, also if there are links on
/// the way.
pub(crate) fn real(folder: &Path, path: &str) -> Result<PathBuf, StepFailure> {
    let fault = |error: io::Error| {
        if error.kind() == io::ErrorKind::NotFound {
            invalid(format!("there is no `{path}`"))
        } else {
            invalid(format!("`{path}` can't be used: {error}"))
        }
    };
    let whole = inside(folder, path)?.canonicalize().map_err(fault)?;
    let root = folder.canonicalize().map_err(fault)?;
    if whole.starts_with(root) {
        Ok(whole)
    } else {
        Err(invalid(format!("`{path}` leads out of its folder")))
    }
}

/// Returns whether a text is a pattern of paths.
pub(crate) fn is_pattern(text: &str) -> bool {
    text.contains(['*', '?', '[', '{'])
}

/// Makes the expression that matches the paths of a pattern: `*` for letters
/// without `/`, `**` for any folders, `?` for one letter, `[ab]` for one of
/// them, `{a,b}` for either word.
fn expression(pattern: &str) -> Result<Regex, StepFailure> {
    let wrong = || invalid(format!("`{pattern}` is no pattern of paths"));
    let mut out = String::from("^");
    let mut rest = pattern.chars().peekable();
    let mut open = false;
    // `*` and `?` at the begin of a name don't mean a dot.
    let mut begins = true;
    while let Some(letter) = rest.next() {
        let hidden = if begins { r"(?:[^./]" } else { r"(?:[^/]" };
        begins = letter == '/';
        match letter {
            '*' if rest.next_if_eq(&'*').is_some() => {
                if rest.next_if_eq(&'/').is_some() {
                    out.push_str(r"(?:[^./][^/]*/)*");
                    begins = true;
                } else {
                    out.push_str(r"(?:[^./][^/]*/)*[^./][^/]*");
                }
            }
            '*' => out.extend([hidden, "[^/]*)?"]),
            '?' => out.extend([hidden, ")"]),
            '[' => {
                out.push('[');
                if rest.next_if(|c| matches!(c, '!' | '^')).is_some() {
                    out.push('^');
                }
                let mut count = 0;
                loop {
                    match rest.next() {
                        Some(']') if count > 0 => break,
                        Some(c @ ('\\' | '[' | ']' | '^' | '&' | '~')) => out.extend(['\\', c]),
                        Some('/') | None => return Err(wrong()),
                        Some(c) => out.push(c),
                    }
                    count += 1;
                }
                out.push(']');
            }
            '{' if open => return Err(wrong()),
            '{' => {
                open = true;
                out.push_str("(?:");
            }
            '}' if open => {
                open = false;
                out.push(')');
            }
            ',' if open => out.push('|'),
            letter => {
                let mut buffer = [0; 4];
                out.push_str(&regex_lite::escape(letter.encode_utf8(&mut buffer)));
            }
        }
    }
    if open {
        return Err(wrong());
    }
    out.push('$');
    Regex::new(&out).map_err(|_| wrong())
}

/// Returns the files below a folder whose paths fit a pattern, in order. Links
/// to folders are not followed.
pub(crate) fn matching(folder: &Path, pattern: &str) -> Result<Vec<String>, StepFailure> {
    let expression = expression(pattern)?;
    let mut found = Vec::new();
    walk(folder, "", 0, &mut |path| {
        if expression.is_match(&path) {
            found.push(path);
        }
    })
    .map_err(|error| invalid(format!("`{pattern}` can't be searched for: {error}")))?;
    found.sort();
    Ok(found)
}

fn walk(folder: &Path, above: &str, depth: usize, file: &mut dyn FnMut(String)) -> io::Result<()> {
    for entry in folder.read_dir()? {
        let entry = entry?;
        // A name that is no text can't be said in the language either.
        let Ok(name) = entry.file_name().into_string() else {
            continue;
        };
        let path = format!("{above}{name}");
        let kind = entry.file_type()?;
        if kind.is_dir() {
            if depth < DEPTH_MAX {
                walk(&entry.path(), &format!("{path}/"), depth + 1, file)?;
            }
        } else {
            file(path);
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn fits(pattern: &str, path: &str) -> bool {
        expression(pattern).unwrap().is_match(path)
    }

    #[test]
    fn a_path_that_leads_out_is_refused() {
        let folder = Path::new("/p");
        assert_eq!(inside(folder, "a/b").unwrap(), Path::new("/p/a/b"));
        for path in ["", "/etc/passwd", "../x", "a/../../x", "a\\b", "a\0"] {
            assert!(inside(folder, path).is_err(), "{path:?}");
        }
    }

    #[test]
    fn patterns_mean_what_they_are_documented_to() {
        for (pattern, path, expected) in [
            ("out/*.png", "out/a.png", true),
            ("out/*.png", "out/x/a.png", false),
            ("out/*.png", "out/.a.png", false),
            ("**/*.wav", "a.wav", true),
            ("**/*.wav", "x/y/a.wav", true),
            ("x/**", "x/y/a.wav", true),
            ("**/*.wav", ".x/a.wav", false),
            ("a?.txt", "ab.txt", true),
            ("a?.txt", "a/.txt", false),
            ("[ab].txt", "b.txt", true),
            ("[!ab].txt", "b.txt", false),
            ("{a,b}.txt", "b.txt", true),
            ("*.{jpg,png}", "x.png", true),
            ("a.b", "axb", false),
            ("a+(b)", "a+(b)", true),
            ("ü*", "über", true),
        ] {
            assert_eq!(fits(pattern, path), expected, "{pattern} {path}");
        }
    }

    #[test]
    fn what_is_no_pattern_is_refused() {
        for pattern in ["[", "[a", "[]", "{a", "{a,{b}}", "[a/b]"] {
            assert!(expression(pattern).is_err(), "{pattern}");
        }
    }
}
