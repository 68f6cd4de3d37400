//! Every dependency can be used under licences that `deny.toml` allows.

use std::collections::BTreeSet;
use std::path::PathBuf;
use std::process::Command;

fn root() -> PathBuf {
    PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("../..")
}

/// The licences that `deny.toml` allows.
fn allowed() -> BTreeSet<String> {
    let text = std::fs::read_to_string(root().join("deny.toml")).unwrap();
    let table: toml::Table = text.parse().unwrap();
    let list = table["licenses"]["allow"].as_array().unwrap().iter();
    list.map(|name| name.as_str().unwrap().to_owned()).collect()
}

/// The dependencies, those of other systems and of tests included: names and
/// licence expressions.
fn licences() -> Vec<(String, Option<String>)> {
    let cargo = std::env::var_os("CARGO").unwrap_or_else(|| "cargo".into());
    let output = Command::new(cargo)
        .args(["metadata", "--format-version", "1", "--locked"])
        .current_dir(root())
        .output()
        .unwrap();
    let error = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success(), "{error}");
    let metadata: serde_json::Value = serde_json::from_slice(&output.stdout).unwrap();
    let packages = metadata["packages"].as_array().unwrap().iter();
    packages
        .map(|package| {
            let name = package["name"].as_str().unwrap().to_owned();
            (name, package["license"].as_str().map(str::to_owned))
        })
        .collect()
}

/// A licence expression, as SPDX defines it: `AND` binds tighter than `OR`, and
/// an exception belongs to the licence before `WITH`. Old packages write `/`
/// for `OR`.
struct Reader<'a> {
    words: Vec<String>,
    at: usize,
    allowed: &'a BTreeSet<String>,
}

impl Reader<'_> {
    fn takes(&mut self, word: &str) -> bool {
        let found = self.words.get(self.at).is_some_and(|next| next == word);
        self.at += usize::from(found);
        found
    }

    fn any(&mut self) -> bool {
        let mut is_fine = self.all();
        while self.takes("OR") || self.takes("/") {
            is_fine |= self.all();
        }
        is_fine
    }

    fn all(&mut self) -> bool {
        let mut is_fine = self.one();
        while self.takes("AND") {
            is_fine &= self.one();
        }
        is_fine
    }

    fn one(&mut self) -> bool {
        if self.takes("(") {
            let is_fine = self.any();
            return self.takes(")") && is_fine;
        }
        let Some(mut name) = self.words.get(self.at).cloned() else {
            return false;
        };
        self.at += 1;
        if self.takes("WITH") {
            let exception = self.words.get(self.at).cloned().unwrap_or_default();
            self.at += 1;
            name = format!("{name} WITH {exception}");
        }
        self.allowed.contains(&name)
    }
}

fn is_allowed(expression: &str, allowed: &BTreeSet<String>) -> bool {
    let mut spaced = expression.to_owned();
    for mark in ["(", ")", "/"] {
        spaced = spaced.replace(mark, &format!(" {mark} "));
    }
    let words = spaced.split_whitespace().map(str::to_owned).collect();
    let mut reader = Reader {
        words,
        at: 0,
        allowed,
    };
    reader.any() && reader.at == reader.words.len()
}

#[test]
fn every_dependency_has_a_licence_that_is_allowed() {
    let allowed = allowed();
    let found = licences();
    assert!(found.len() > 20, "there are dependencies");
    let refused: Vec<String> = found
        .into_iter()
        .filter(|(_, licence)| {
            !licence
                .as_ref()
                .is_some_and(|text| is_allowed(text, &allowed))
        })
        .map(|(name, licence)| format!("{name}: {}", licence.unwrap_or_default()))
        .collect();
    assert!(
        refused.is_empty(),
        "licences that `deny.toml` does not allow: {refused:#?}"
    );
}

#[test]
fn licence_expressions_are_read_as_spdx_defines_them() {
    let allowed = BTreeSet::from(["MIT".to_owned(), "A WITH B".to_owned()]);
    for fine in [
        "MIT",
        "X OR MIT",
        "X/MIT",
        "X AND Y OR MIT",
        "A WITH B AND (MIT OR X)",
    ] {
        assert!(is_allowed(fine, &allowed), "{fine}");
    }
    for refused in [
        "",
        "X",
        "A",
        "X AND MIT",
        "(X OR MIT) AND X",
        "MIT)",
        "MIT WITH B",
    ] {
        assert!(!is_allowed(refused, &allowed), "{refused}");
    }
}
