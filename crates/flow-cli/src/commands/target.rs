//! `FILE[:NAME]`: one workflow of one file.

use std::ffi::OsStr;
use std::path::{Path, PathBuf};

use flow_compiler::{Compiled, CompiledWorkflow};
use flow_syntax::diagnostic::nearest;

use crate::exit::Failure;
use crate::extra::Extra;
use crate::inputs;
use crate::project::{Looked, Projects};
use crate::report::Report;

/// A file that was compiled, and which of its workflows is meant.
#[derive(Debug)]
pub(super) struct Target {
    /// The file, as the user would write it.
    shown: String,
    /// What the compiler says.
    pub(super) compiled: Compiled,
    /// Everything that is wrong.
    pub(super) report: Report,
    name: Option<String>,
    /// The folder of its project.
    pub(super) root: PathBuf,
    /// What was read for it, if it was a file.
    pub(super) looked: Option<Looked>,
}

impl Target {
    /// Reads and compiles the file of `FILE[:NAME]`.
    pub(super) fn load(
        written: &OsStr,
        profile: Option<&str>,
        extra: &Extra,
    ) -> Result<Self, Failure> {
        let (path, name) = split(written);
        let mut projects = Projects::new(profile, extra)?;
        let entry = inputs::read_one(&mut projects, &path)?;
        let shown = projects.shown(&entry.project, &entry.name);
        let compiled = entry.compile();
        let mut report = Report::default();
        projects.tell(&mut report, &entry, &compiled);
        Ok(Self {
            shown,
            compiled,
            report,
            name,
            root: entry.project.root.clone(),
            looked: entry.path.as_ref().and_then(|_| entry.project.looked_at()),
        })
    }

    /// Returns the file, as the user would write it.
    pub(super) fn shown(&self) -> &str {
        &self.shown
    }

    /// Means the workflow of a name, unless another was named or it isn't there.
    pub(super) fn prefer(&mut self, name: &str) {
        let mut all = self.compiled.workflows.iter();
        if self.name.is_none() && all.any(|workflow| &*workflow.name == name) {
            self.name = Some(name.to_owned());
        }
    }

    /// Returns the workflow that is meant, and drops the others.
    pub(super) fn into_workflow(mut self) -> Result<CompiledWorkflow, Failure> {
        let name = self.workflow()?.name.clone();
        let all = std::mem::take(&mut self.compiled.workflows);
        let mut meant = all.into_iter().filter(|workflow| workflow.name == name);
        Ok(meant.next().expect("it was found before"))
    }

    /// Returns the workflow that is meant: the named one, the only one,
    /// `main`, or the one that is named like the file.
    pub(super) fn workflow(&self) -> Result<&CompiledWorkflow, Failure> {
        let all = &self.compiled.workflows;
        let find = |name: &str| all.iter().find(|workflow| &*workflow.name == name);
        let names: Vec<&str> = all.iter().map(|workflow| &*workflow.name).collect();
        let file = &self.shown;
        if let Some(name) = &self.name {
            return find(name).ok_or_else(|| unknown(file, name, &names));
        }
        let stem = file.rsplit('/').next().unwrap_or(file);
        let stem = stem.split('.').next().unwrap_or(stem);
        match all.as_slice() {
            [only] => Ok(only),
            [] => Err(Failure::usage(format!("`{file}` has no workflow"))),
            _ => find("main").or_else(|| find(stem)).ok_or_else(|| {
                let first = names.first().copied().unwrap_or_default();
                Failure::usage(format!("`{file}` has {} workflows", names.len())).with_help(
                    format!(
                        "say which: `{file}:{first}`; there are `{}`",
                        names.join("`, `")
                    ),
                )
            }),
        }
    }
}

fn unknown(file: &str, name: &str, names: &[&str]) -> Failure {
    let failure = Failure::usage(format!("there is no workflow `{name}` in `{file}`"));
    match nearest(name, names.iter().copied()) {
        Some(near) => failure.with_help(format!("did you mean `{near}`?")),
        None if names.is_empty() => failure,
        None => failure.with_help(format!("there are `{}`", names.join("`, `"))),
    }
}

/// Cuts the name off. A file whose name has a colon is meant as it is.
pub(super) fn split(written: &OsStr) -> (PathBuf, Option<String>) {
    let path = PathBuf::from(written);
    if path.exists() {
        return (path, None);
    }
    let cut = written.to_str().and_then(|text| text.rsplit_once(':'));
    match cut {
        Some((file, name)) if is_name(name) && !file.is_empty() => {
            (Path::new(file).to_path_buf(), Some(name.to_owned()))
        }
        _ => (path, None),
    }
}

fn is_name(text: &str) -> bool {
    !text.is_empty() && text.chars().all(|c| c.is_alphanumeric() || c == '_')
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_name_is_cut_off_behind_the_last_colon() {
        let cut = |text: &str| split(OsStr::new(text));
        assert_eq!(cut("a.flow:main"), ("a.flow".into(), Some("main".into())));
        assert_eq!(cut("a.flow"), ("a.flow".into(), None));
        assert_eq!(cut("C:/a.flow"), ("C:/a.flow".into(), None));
    }
}
