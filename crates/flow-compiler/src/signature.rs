//! Declared steps: the types, effects and prices of what a step does.

use std::collections::BTreeMap;
use std::sync::Arc;

use flow_core::digest::Digest;
use flow_core::effect::Effect;
use flow_core::expr::Expr;
use flow_core::ty::Type;
use flow_syntax::ast::{self, Item, ItemKind};
use flow_syntax::diagnostic::{Diagnostic, Diagnostics};
use flow_syntax::span::{Source, SourceId, Span};

use crate::check::generic::close;
use crate::codes;
use crate::declare::{
    Declarations, FileId, FileScope, Naming, Origin, Param, TypeScope, canonical, declare,
    defaults, signature, twice,
};

/// All declared steps and the types that they are declared with.
#[derive(Debug, Clone, Default)]
pub struct Signatures {
    /// The steps, by name.
    pub steps: BTreeMap<Arc<str>, Signature>,
    /// The types, by name. They need no `use`, and may begin with a small letter
    /// as the language's own do.
    pub types: BTreeMap<Arc<str>, Type>,
    /// The sources they were read from.
    pub sources: Vec<Source>,
}

/// A declared step.
#[derive(Debug, Clone)]
pub struct Signature {
    /// Its name: `gen.image`.
    pub name: Arc<str>,
    /// What it is for.
    pub docs: Arc<str>,
    /// The name of its type parameter.
    pub type_param: Option<Arc<str>>,
    /// Its parameters, in order.
    pub params: Vec<Param>,
    /// The types of its parameters by name, as plans have them.
    pub types: Arc<BTreeMap<Arc<str>, Type>>,
    /// The defaults of its parameters by name, with which a call begins.
    pub defaults: BTreeMap<Arc<str>, Expr>,
    /// What it gives.
    pub returns: Type,
    /// What it does first, then what a call may ask for instead.
    pub effects: Vec<Effect>,
    /// What an attempt costs at most, over the names of its parameters.
    pub cost: Option<ast::Expr>,
    /// The pool it takes a slot of, over the names of its parameters.
    pub pool: Option<ast::Expr>,
    /// The command of a plugin.
    pub run: Option<Arc<str>>,
    /// Where that is written.
    pub run_span: Span,
    /// The digest of what a call of it means. Documentation, prices, pools and
    /// defaults are left out: they change no result.
    pub digest: Arc<str>,
    /// Its name's place.
    pub span: Span,
}

impl Signature {
    /// Returns a type of it with another in place of its type parameter.
    pub fn closed(ty: &Type, arg: &Type) -> Type {
        close(ty, arg)
    }
}

impl Signatures {
    /// Reads the declarations of the standard library.
    ///
    /// The sources see each other's types and steps; their ids are theirs from
    /// then on.
    pub fn read(sources: &[Source]) -> (Self, Vec<Diagnostic>) {
        let mut signatures = Self::default();
        let diagnostics = signatures.add(sources, Origin::Library);
        (signatures, diagnostics)
    }

    /// Reads a project's own declarations. They see those that were read
    /// before, and may not declare them again.
    pub fn extend(&mut self, sources: &[Source]) -> Vec<Diagnostic> {
        self.add(sources, Origin::Project)
    }

    /// Returns the first id that no source has.
    pub fn next_source(&self) -> SourceId {
        let ids = self.sources.iter().map(|source| source.id.0);
        SourceId(ids.max().map_or(0, |id| id + 1))
    }

    fn add(&mut self, sources: &[Source], origin: Origin) -> Vec<Diagnostic> {
        let mut out = Diagnostics::default();
        let mut items = Vec::new();
        for source in sources {
            let parsed = flow_syntax::parse(source);
            out.extend(parsed.diagnostics);
            items.extend(parsed.file.items);
            self.sources.push(source.clone());
        }
        for item in &items {
            misplaced(item, &mut out);
        }
        // One scope for all: declarations need no `use`.
        let mut files = [FileScope {
            name: String::new(),
            source: sources.first().map(|source| source.id).unwrap_or_default(),
            text: "".into(),
            types: BTreeMap::new(),
            workflows: BTreeMap::new(),
            uses: BTreeMap::new(),
        }];
        let declarations = Declarations {
            file: FileId(0),
            items: &items,
        };
        let types = &self.types;
        declare(&mut files, &[declarations], types, Naming::Free, &mut out);
        let read = self.read_steps(&items, &files, origin, &mut out);
        let [file] = files;
        for (name, declared) in file.types {
            if let Some(ty) = declared.what {
                self.types.insert(name.into(), ty);
            }
        }
        for (step, decl) in read {
            self.steps.insert(Arc::clone(&step.name), step);
            let name = decl.path.text.as_str();
            let params = defaults::of_step(self, name, &decl.params, &mut out);
            if let Some(step) = self.steps.get_mut(name) {
                step.defaults = defaults::written_in(&params);
                step.params = params;
            }
        }
        out.into_sorted()
    }

    /// Reads the heads of all steps.
    fn read_steps<'a>(
        &self,
        items: &'a [Item],
        files: &[FileScope],
        origin: Origin,
        out: &mut Diagnostics,
    ) -> Vec<(Signature, &'a ast::StepDecl)> {
        let scope = TypeScope {
            files,
            file: FileId(0),
            library: &self.types,
            param: None,
        };
        let mut places: BTreeMap<&str, Span> = BTreeMap::new();
        let mut read = Vec::new();
        for item in items {
            let ItemKind::Step(decl) = &item.kind else {
                continue;
            };
            let name = decl.path.text.as_str();
            let known = self.steps.get(name).map(|step| step.span);
            if let Some(first) = known.or_else(|| places.get(name).copied()) {
                let name = ast::Name {
                    text: name.to_owned(),
                    span: decl.path.span,
                };
                out.push(twice("step", &name, first));
                continue;
            }
            places.insert(name, decl.path.span);
            if let Some(mut step) = signature(decl, &item.docs, &scope, origin, out) {
                step.digest = Digest::of(canonical(&step).as_bytes()).to_string().into();
                read.push((step, decl));
            }
        }
        read
    }
}

/// Reports what doesn't declare a step or a type.
fn misplaced(item: &Item, out: &mut Diagnostics) {
    let (what, span) = match &item.kind {
        ItemKind::Enum(_) | ItemKind::Type(_) | ItemKind::Step(_) | ItemKind::Error => return,
        ItemKind::Use(used) => ("a `use`", used.path.span),
        ItemKind::Workflow(workflow) => ("a workflow", workflow.name.span),
        ItemKind::Trigger(trigger) => ("a trigger", trigger.name.span),
        ItemKind::Test(test) => ("a test", test.name.span),
    };
    out.push(
        Diagnostic::new(
            codes::MISPLACED_ITEM,
            span,
            format!("{what} can't stand among declarations of steps"),
        )
        .help("such a file has `step`, `type` and `enum` only"),
    );
}
