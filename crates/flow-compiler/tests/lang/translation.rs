//! A file in the other spelling means the same and says the same.

use flow_syntax::span::{Source, SourceId, Spelling};

use crate::corpus::{File, digests, files};
use crate::project::{Folder, settings, signatures};

fn named(file: &File, spelling: Spelling) -> String {
    let stem = file.name.strip_suffix(".yaml").unwrap_or(&file.name);
    match spelling {
        Spelling::Flow => stem.to_owned(),
        Spelling::Yaml => format!("{stem}.yaml"),
    }
}

fn comments(name: &str, text: &str) -> Vec<String> {
    let source = Source::new(SourceId(0), name, text);
    let comments = flow_syntax::parse(&source).file.comments;
    let mut texts: Vec<String> = comments
        .into_iter()
        .map(|comment| comment.text.trim().to_owned())
        .collect();
    texts.sort();
    texts
}

#[test]
fn translation_there_and_back_keeps_plan_and_comments() {
    let mut wrong = Vec::new();
    let mut translated = 0;
    for file in files() {
        let compiled = file.compile();
        if !compiled.is_ok() || file.folder.ends_with("declared") {
            continue;
        }
        let home = Spelling::of_name(&file.name);
        let other = match home {
            Spelling::Yaml => Spelling::Flow,
            Spelling::Flow => Spelling::Yaml,
        };
        let before = digests(&compiled);
        let mut name = file.name.clone();
        let mut text = file.written();
        let said = comments(&name, &text);
        for spelling in [other, home] {
            let source = Source::new(SourceId(0), name.clone(), text.clone());
            let folder = Folder(file.folder.clone());
            let found =
                flow_compiler::translate(&source, spelling, signatures(), &settings(), &folder);
            let shown = file.shown();
            text = match found {
                Ok(text) => text,
                Err(why) => {
                    wrong.push(format!("{shown}: to {spelling:?}: {why:#?}\n{text}"));
                    break;
                }
            };
            name = named(&file, spelling);
            let after = crate::project::compile(&file.folder, &name, &text);
            if digests(&after) != before {
                let said = &after.diagnostics;
                wrong.push(format!("{shown}: to {spelling:?}: {said:#?}\n{text}"));
                break;
            }
            let now = comments(&name, &text);
            if now != said {
                wrong.push(format!(
                    "{shown}: to {spelling:?}: comments {now:?}\n{text}"
                ));
                break;
            }
        }
        translated += 1;
    }
    assert!(
        wrong.is_empty(),
        "{} files\n{}",
        wrong.len(),
        wrong.join("\n\n")
    );
    assert!(translated > 0, "the corpus has valid files");
}
