//! The tests in the documentation are carried out. A block under the fence
//! `flow tested CODE` is there to show that code; all others pass.

use std::path::PathBuf;

use crate::folder::Folder;

struct Block {
    line: usize,
    words: Vec<String>,
    text: String,
}

impl Block {
    fn has(&self, word: &str) -> bool {
        self.words.iter().any(|own| own == word)
    }

    fn file(&self) -> Option<&str> {
        let mut words = self.words.iter();
        words.find_map(|word| word.strip_prefix("file="))
    }

    /// The code that it shows.
    fn code(&self) -> Option<&str> {
        let at = self.words.iter().position(|word| word == "tested")?;
        self.words.get(at + 1).map(String::as_str)
    }

    fn has_tests(&self) -> bool {
        let is_file = self.has("flow") && !self.has("error") && !self.has("fragment");
        is_file && self.text.lines().any(|line| line.starts_with("test \""))
    }
}

fn blocks(page: &str) -> Vec<Block> {
    let mut found = Vec::new();
    let mut open: Option<Block> = None;
    for (at, line) in page.lines().enumerate() {
        match (&mut open, line.strip_prefix("```")) {
            (None, Some(info)) => {
                open = Some(Block {
                    line: at + 1,
                    words: info.split_whitespace().map(str::to_owned).collect(),
                    text: String::new(),
                });
            }
            (Some(_), Some(_)) => found.extend(open.take()),
            (Some(block), None) => {
                block.text.push_str(line);
                block.text.push('\n');
            }
            (None, None) => {}
        }
    }
    found
}

fn pages() -> Vec<PathBuf> {
    let root = PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("../..");
    let mut pages = vec![root.join("README.md")];
    let mut folders = vec![root.join("docs")];
    while let Some(folder) = folders.pop() {
        for entry in std::fs::read_dir(folder).unwrap() {
            let path = entry.unwrap().path();
            match path.extension().and_then(|ending| ending.to_str()) {
                _ if path.is_dir() => folders.push(path),
                Some("md") => pages.push(path),
                _ => {}
            }
        }
    }
    pages.sort();
    pages
}

/// Returns the codes that `flow test` says about a block.
fn codes(folder: &Folder, block: &Block) -> (Option<i32>, Vec<String>) {
    folder.write("page.flow", &block.text);
    let ran = folder.flow(&["test", "page.flow", "--format", "json"]);
    let said: serde_json::Value = serde_json::from_str(&ran.out).unwrap();
    let tests = said["tests"].as_array().unwrap().iter();
    let of_tests = tests.flat_map(|test| test["diagnostics"].as_array().unwrap());
    let all = of_tests.chain(said["diagnostics"].as_array().unwrap());
    let mut codes: Vec<String> = all
        .map(|said| said["code"].as_str().unwrap().to_owned())
        .collect();
    codes.dedup();
    (ran.code, codes)
}

#[test]
fn the_tests_of_the_documentation_do_what_it_says() {
    let mut wrong = Vec::new();
    let mut count = 0;
    for page in pages() {
        let text = std::fs::read_to_string(&page).unwrap();
        let blocks = blocks(&text);
        if !blocks.iter().any(Block::has_tests) {
            continue;
        }
        let name = page.file_stem().unwrap().to_str().unwrap();
        let folder = Folder::new(&format!("documentation-{name}"));
        for block in &blocks {
            if let Some(file) = block.file() {
                folder.write(file, &block.text);
            }
            if !block.has_tests() {
                continue;
            }
            count += 1;
            let (exit, found) = codes(&folder, block);
            let wanted: Vec<&str> = block.code().into_iter().collect();
            if found != wanted || (wanted.is_empty() && exit != Some(0)) {
                let place = format!("{}:{}", page.display(), block.line);
                wrong.push(format!("{place}: {found:?} instead of {wanted:?}"));
            }
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
    assert!(
        count >= 18,
        "the documentation has only {count} blocks with tests"
    );
}
