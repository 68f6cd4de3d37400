//! The project in which the corpus is compiled: its steps, prices and files.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::sync::{Arc, OnceLock};

use flow_compiler::project::{FileFault, Files};
use flow_compiler::settings::{Prices, Rate, Settings};
use flow_compiler::{Compiled, Signatures, stdlib};
use flow_core::amount::Money;
use flow_syntax::span::Source;

/// Returns whether a name is one of a file of the language.
pub(crate) fn is_ours(name: &str) -> bool {
    let ending = Path::new(name).extension();
    ending.is_some_and(|ending| ending == "flow") || name.ends_with(".flow.yaml")
}

/// The repository's root.
pub(crate) fn root() -> PathBuf {
    let crates = Path::new(env!("CARGO_MANIFEST_DIR"));
    crates.ancestors().nth(2).unwrap().to_path_buf()
}

/// A folder of the corpus as a project.
pub(crate) struct Folder(pub(crate) PathBuf);

impl Files for Folder {
    fn read(&self, path: &str) -> Result<Arc<str>, FileFault> {
        std::fs::read_to_string(self.0.join(path))
            .map(Into::into)
            .map_err(|_| FileFault::Missing)
    }
}

/// The standard library and the steps in `tests/lang/steps/`.
pub(crate) fn signatures() -> &'static Signatures {
    static SIGNATURES: OnceLock<Signatures> = OnceLock::new();
    SIGNATURES.get_or_init(|| {
        let (mut signatures, diagnostics) = Signatures::read(&stdlib::sources());
        assert!(diagnostics.is_empty(), "stdlib: {diagnostics:#?}");
        let folder = root().join("tests/lang/steps");
        let mut names: Vec<PathBuf> = std::fs::read_dir(folder)
            .unwrap()
            .map(|entry| entry.unwrap().path())
            .collect();
        names.sort();
        for path in names {
            let name = format!("steps/{}", path.file_name().unwrap().to_str().unwrap());
            let text = std::fs::read_to_string(&path).unwrap();
            let source = Source::new(signatures.next_source(), name.clone(), text);
            let diagnostics = signatures.extend(&[source]);
            assert!(diagnostics.is_empty(), "{name}: {diagnostics:#?}");
        }
        signatures
    })
}

/// Defaults and prices of the corpus.
pub(crate) fn settings() -> Settings {
    let rate = |nanos, per| Rate {
        price: Money(nanos),
        per,
    };
    let models = [
        ("acme/paint", "image", rate(40_000_000, 1)),
        ("acme/paint", "image 1080x1920", rate(60_000_000, 1)),
        ("acme/film", "second", rate(100_000_000, 1)),
        ("acme/words", "input", rate(150_000_000, 1_000_000)),
        ("acme/words", "output", rate(600_000_000, 1_000_000)),
    ];
    let mut prices = Prices::default();
    for (model, unit, rate) in models {
        let units = prices.models.entry(model.to_owned()).or_default();
        units.insert(unit.to_owned(), rate);
    }
    let defaults = [
        ("gen.image.model", "acme/paint"),
        ("gen.images.model", "acme/paint"),
        ("gen.video.model", "acme/film"),
        ("gen.text.model", "acme/words"),
        ("agent.turn.model", "acme/words"),
    ];
    Settings {
        defaults: defaults
            .map(|(name, value)| (name.to_owned(), value.to_owned()))
            .into_iter()
            .collect::<BTreeMap<_, _>>(),
        prices,
        tz: Some("Europe/Berlin".to_owned()),
    }
}

/// Compiles a text of a folder. Whoever only checks it is told the same.
pub(crate) fn compile(folder: &Path, name: &str, text: &str) -> Compiled {
    let (text, settings): (Arc<str>, _) = (text.into(), settings());
    let files = Folder(folder.to_path_buf());
    let checked = flow_compiler::check(name, text.clone(), signatures(), &settings, &files);
    let compiled = flow_compiler::compile(name, text, signatures(), &settings, &files);
    assert_eq!(
        format!("{:#?}", checked.diagnostics),
        format!("{:#?}", compiled.diagnostics),
        "{name}"
    );
    compiled
}

/// Reads a text as declarations of steps, as a file of `steps/` is read.
pub(crate) fn declare(name: &str, text: &str) -> Compiled {
    let mut signatures = signatures().clone();
    let entry = signatures.next_source();
    let diagnostics = signatures.extend(&[Source::new(entry, name, text)]);
    Compiled {
        sources: signatures.sources,
        entry,
        diagnostics,
        workflows: Vec::new(),
        triggers: Vec::new(),
        tests: Vec::new(),
        trees: Vec::new(),
        unlowered: flow_compiler::Unlowered::default(),
    }
}
