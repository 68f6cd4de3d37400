//! What holds for every text, shown on every file of the corpus and on every
//! text for which it once did not hold.

use flow_compiler::project::Files;

use crate::case::strip;
use crate::corpus::{File, files};
use crate::project::{Folder, root, settings, signatures};
use crate::properties::{Project, compiles, formats, parses, translates};

/// The texts that a fuzzer found, with all that the corpus has.
fn all() -> Vec<File> {
    let folder = root().join("tests/fuzz/found");
    let mut all = files();
    let found = std::fs::read_dir(&folder).unwrap();
    let mut names: Vec<String> = found
        .map(|entry| entry.unwrap().file_name().into_string().unwrap())
        .collect();
    names.sort();
    for name in names {
        let text = std::fs::read_to_string(folder.join(&name)).unwrap();
        let folder = folder.clone();
        all.push(File { folder, name, text });
    }
    all
}

/// Holds a property against every text.
fn every(property: fn(&Project<'_>, &str, &str)) {
    let settings = settings();
    for File { folder, name, text } in all() {
        let files: &dyn Files = &Folder(folder);
        let project = Project {
            signatures: signatures(),
            settings: &settings,
            files,
        };
        property(&project, &name, &strip(&text));
    }
}

#[test]
fn every_text_is_parsed() {
    every(|_, name, text| parses(name, text));
}

#[test]
fn every_text_is_compiled() {
    every(compiles);
}

#[test]
fn every_text_is_formatted() {
    every(formats);
}

#[test]
fn every_text_is_translated_there_and_back() {
    every(translates);
}
