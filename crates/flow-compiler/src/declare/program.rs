//! All that the files of a compilation declare, put together.

use std::collections::BTreeMap;

use flow_core::expr::Function;
use flow_syntax::ast::{self, ItemKind};
use flow_syntax::diagnostic::{Diagnostic, Diagnostics};
use flow_syntax::span::Span;

use super::files::Loaded;
use super::named::{Declarations, Naming, declare};
use super::param::{params, small};
use super::types::{Role, TypeScope, read, twice};
use super::{
    Declared, FileId, FileScope, Program, RESERVED_CALLS, WorkflowHead, WorkflowId, defaults,
};
use crate::codes;
use crate::project::Files;
use crate::settings::Settings;
use crate::signature::Signatures;
use crate::translate::Readings;

impl<'a> Program<'a> {
    /// Reads the declarations of all files.
    pub(crate) fn of(
        loaded: &'a Loaded,
        signatures: &Signatures,
        settings: &Settings,
        files: &dyn Files,
        out: &mut Diagnostics,
    ) -> Self {
        let mut program = Self {
            files: scopes(loaded),
            workflows: Vec::new(),
            readings: Readings::new(),
        };
        let declarations: Vec<Declarations<'_>> = loaded
            .trees
            .iter()
            .enumerate()
            .map(|(at, tree)| Declarations {
                file: FileId(at),
                items: &tree.items,
            })
            .collect();
        declare(
            &mut program.files,
            &declarations,
            &signatures.types,
            Naming::Capital,
            out,
        );
        for Declarations { file, items } in declarations {
            for item in items {
                match &item.kind {
                    ItemKind::Workflow(tree) => {
                        program.workflow(file, tree, &item.docs, signatures, out);
                    }
                    ItemKind::Step(decl) => out.push(misplaced_step(decl)),
                    ItemKind::Use(_)
                    | ItemKind::Enum(_)
                    | ItemKind::Type(_)
                    | ItemKind::Trigger(_)
                    | ItemKind::Test(_)
                    | ItemKind::Error => {}
                }
            }
        }
        if let Some(entry) = loaded.trees.first() {
            unique(&entry.items, out);
        }
        defaults::of_workflows(&mut program, signatures, settings, files, out);
        program
    }

    /// Reads the head of a workflow.
    fn workflow(
        &mut self,
        file: FileId,
        tree: &'a ast::Workflow,
        docs: &'a str,
        signatures: &Signatures,
        out: &mut Diagnostics,
    ) {
        let name = &tree.name;
        let workflows = &mut self.files[file.0].workflows;
        if let Some(first) = workflows.get(&name.text) {
            out.push(twice("workflow", name, first.span));
        } else {
            check_name(name, signatures, out);
            let declared = Declared {
                what: WorkflowId(self.workflows.len()),
                span: name.span,
            };
            workflows.insert(name.text.clone(), declared);
        }
        // Also that of a second workflow of one name: its body is checked too.
        let scope = TypeScope {
            files: &self.files,
            file,
            library: &signatures.types,
            param: None,
        };
        let params = params(&tree.params, &scope, Role::Input, out);
        let returns = tree
            .returns
            .as_ref()
            .and_then(|returns| read(returns, &scope, Role::Value, out));
        self.workflows.push(WorkflowHead {
            file,
            tree,
            docs,
            params,
            returns,
        });
    }
}

fn scopes(loaded: &Loaded) -> Vec<FileScope> {
    let files = loaded.sources.iter().zip(&loaded.uses);
    files
        .map(|(source, uses)| FileScope {
            name: source.name.clone(),
            source: source.id,
            text: source.text.clone(),
            types: BTreeMap::new(),
            workflows: BTreeMap::new(),
            uses: uses.clone(),
        })
        .collect()
}

fn check_name(name: &ast::Name, signatures: &Signatures, out: &mut Diagnostics) {
    let text = name.text.as_str();
    let taken = |what: &str| {
        let message = format!("`{text}` is {what} already");
        Diagnostic::new(codes::DUPLICATE_NAME, name.span, message)
            .help("give the workflow another name")
    };
    if Function::from_name(text).is_some() || RESERVED_CALLS.contains(&text) {
        out.push(taken("a function of the language"));
    } else if let Some(step) = signatures.steps.get(text) {
        out.push(taken("a step").other(step.span, "it is declared here"));
    } else {
        small(name, "a workflow", out);
    }
}

/// Reports triggers and tests of one name.
fn unique(items: &[ast::Item], out: &mut Diagnostics) {
    let mut names: BTreeMap<(&str, &str), Span> = BTreeMap::new();
    for item in items {
        let (what, name) = match &item.kind {
            ItemKind::Trigger(trigger) => {
                small(&trigger.name, "a trigger", out);
                ("trigger", &trigger.name)
            }
            ItemKind::Test(test) => ("test", &test.name),
            ItemKind::Use(_)
            | ItemKind::Enum(_)
            | ItemKind::Type(_)
            | ItemKind::Step(_)
            | ItemKind::Workflow(_)
            | ItemKind::Error => continue,
        };
        if let Some(first) = names.insert((what, &name.text), name.span) {
            out.push(twice(what, name, first));
        }
    }
}

fn misplaced_step(decl: &ast::StepDecl) -> Diagnostic {
    let message = format!(
        "the step `{}` can't be declared among workflows",
        decl.path.text
    );
    let stem = decl.path.text.split('.').next().unwrap_or("my");
    Diagnostic::new(codes::MISPLACED_ITEM, decl.path.span, message)
        .help(format!("move it to `steps/{stem}.flow` of the project"))
}
