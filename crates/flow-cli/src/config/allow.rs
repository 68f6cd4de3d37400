//! What may be used that is neither in the project nor on the open network, as
//! `flow.toml` says it: hosts, and folders.

use std::ops::Range;
use std::path::{Component, Path, PathBuf};

use flow_steps::{Allowed, HostRule};
use toml::Spanned;
use toml::de::DeValue;

use super::{Layer, Reader};

/// What may stand in `[allow]`.
const KEYS: [&str; 2] = ["hosts", "paths"];

/// What is allowed, as it is written.
#[derive(Debug, Default)]
pub(crate) struct Allow {
    hosts: Vec<HostRule>,
    paths: Vec<String>,
}

impl Allow {
    /// Returns what is allowed: folders are those of a project or of a home.
    pub(crate) fn in_project(&self, root: &Path, home: Option<&Path>) -> Allowed {
        let paths = self.paths.iter().filter_map(|path| {
            let rest = path.strip_prefix('~');
            match rest.map(|rest| rest.trim_start_matches('/')) {
                Some(rest) => Some(home?.join(rest)),
                None => Some(root.join(path)),
            }
        });
        Allowed {
            hosts: self.hosts.clone(),
            paths: paths.map(|path| plain(&path)).collect(),
        }
    }
}

/// Returns a path without `.` and `..`, by its words.
fn plain(path: &Path) -> PathBuf {
    let mut out = PathBuf::new();
    for part in path.components() {
        match part {
            Component::CurDir => {}
            Component::ParentDir => {
                out.pop();
            }
            Component::Prefix(_) | Component::RootDir | Component::Normal(_) => out.push(part),
        }
    }
    out
}

impl Reader {
    /// Reads `[allow]`.
    pub(super) fn allow(&mut self, value: &Spanned<DeValue<'_>>) {
        let Some(table) = self.table("allow", value) else {
            return;
        };
        for (key, value) in table {
            match &**key.get_ref() {
                "hosts" => self.each("allow.hosts", value, Self::host),
                "paths" => self.each("allow.paths", value, Self::path),
                other => self.unknown(key.span(), other, &KEYS),
            }
        }
    }

    /// Reads the texts of a list.
    fn each(
        &mut self,
        key: &str,
        value: &Spanned<DeValue<'_>>,
        read: fn(&mut Self, &str, Range<usize>),
    ) {
        let Some(list) = value.get_ref().as_array() else {
            self.expected(key, "a list of texts", value);
            return;
        };
        let mut texts = Vec::new();
        for item in list {
            match item.get_ref().as_str() {
                Some(text) => {
                    texts.push(text);
                    read(self, text, item.span());
                }
                None => self.expected(key, "a list of texts", item),
            }
        }
        self.say(key, &texts.join(", "), value.span(), &Layer::Project);
    }

    fn host(&mut self, text: &str, range: Range<usize>) {
        match text.parse() {
            Ok(rule) => self.allow.hosts.push(rule),
            Err(error) => {
                let error: flow_steps::HostRuleError = error;
                let diagnostic = self.wrong(range, error.message);
                self.out.push(diagnostic.help(error.help));
            }
        }
    }

    fn path(&mut self, text: &str, range: Range<usize>) {
        let is_all = plain(Path::new(text)) == Path::new("/");
        let problem = if text.trim().is_empty() || text.contains('\0') {
            format!("`{text}` is no folder")
        } else if is_all {
            format!("`{text}` is the whole machine, and that is too much")
        } else if text.starts_with('~') && text != "~" && !text.starts_with("~/") {
            format!("`{text}` is the home of somebody else")
        } else {
            self.allow.paths.push(text.to_owned());
            return;
        };
        let diagnostic = self.wrong(range, problem).help(
            "write folders: `/srv/media`, `~/Music`, or `../shared`, which is seen from the project",
        );
        self.out.push(diagnostic);
    }
}

#[cfg(test)]
mod tests {
    use super::super::{NAME, read};
    use super::*;
    use flow_syntax::span::{Source, SourceId};

    fn config(text: &str) -> super::super::Config {
        read(&Source::new(SourceId(0), NAME, text), None)
    }

    #[test]
    fn hosts_and_folders_are_read() {
        let config = config(
            "[allow]\nhosts = [\"localhost:8080\", \"*.internal\"]\n\
             paths = [\"/srv/media\", \"../shared/./x\", \"~/Music\", \"~\"]\n",
        );
        assert_eq!(config.diagnostics, []);
        let allowed = config
            .allow
            .in_project(Path::new("/home/ada/films"), Some(Path::new("/home/ada")));
        assert_eq!(allowed.hosts.len(), 2);
        let paths = [
            "/srv/media",
            "/home/ada/shared/x",
            "/home/ada/Music",
            "/home/ada",
        ];
        assert_eq!(allowed.paths, paths.map(PathBuf::from));
        let homeless = config.allow.in_project(Path::new("/p"), None);
        assert_eq!(homeless.paths.len(), 2);
        let said: Vec<(&str, &str)> = (config.said.iter())
            .map(|said| (&*said.key, &*said.value))
            .collect();
        assert_eq!(said[0], ("allow.hosts", "localhost:8080, *.internal"));
    }

    #[test]
    fn what_allows_nothing_or_too_much_is_an_error_at_its_place() {
        for (text, at, says) in [
            ("[allow]\nhots = []", "hots", "there is no setting `hots`"),
            ("allow = 3", "3", "`allow` is a table"),
            (
                "[allow]\nhosts = \"x\"",
                "\"x\"",
                "`allow.hosts` is a list of texts",
            ),
            (
                "[allow]\nhosts = [1]",
                "1",
                "`allow.hosts` is a list of texts",
            ),
            (
                "[allow]\nhosts = [\"a\", \"http://b\"]",
                "\"http://b\"",
                "`http://b` is an address",
            ),
            ("[allow]\npaths = [\"\"]", "\"\"", "`` is no folder"),
            (
                "[allow]\npaths = [\"/x/..\"]",
                "\"/x/..\"",
                "the whole machine",
            ),
            (
                "[allow]\npaths = [\"~bob/x\"]",
                "\"~bob/x\"",
                "the home of somebody else",
            ),
        ] {
            let config = config(text);
            let [said] = config.diagnostics.as_slice() else {
                panic!("{text}: {:?}", config.diagnostics);
            };
            assert!(said.message.contains(says), "{text}: {}", said.message);
            assert_eq!(&text[said.primary.span.range()], at, "{text}");
        }
    }
}
