//! Templates: read, checked against their data, and kept in the plan.

use std::collections::{BTreeMap, VecDeque};
use std::sync::Arc;

use flow_core::expr::Expr;
use flow_core::plan::Template;
use flow_core::template::outline::FaultKind;
use flow_core::template::{Outline, TemplateFault, outline};
use flow_core::ty::{RecordType, Type};
use flow_syntax::ast;
use flow_syntax::diagnostic::{Certainty, Code, nearest};
use flow_syntax::span::{Source, SourceId, Span};

use super::coerce::{has_secret, outside};
use super::expr::article;
use super::{Checker, Typed};
use crate::codes;
use crate::project::resolve;

/// How many templates one may include, directly and through others.
const INCLUDES_MAX: usize = 64;

/// A template and what it includes, as it is being read.
#[derive(Default)]
struct Reading {
    texts: BTreeMap<Arc<str>, Arc<str>>,
    outlines: BTreeMap<Arc<str>, Outline>,
    sources: BTreeMap<Arc<str>, SourceId>,
    broken: bool,
}

impl Checker<'_> {
    /// Checks `template("…", data)`.
    pub(super) fn template(
        &mut self,
        path: &ast::Expr,
        data: Option<&ast::Expr>,
        span: Span,
    ) -> Typed {
        let data = self.template_data(data);
        let Some(file) = self.project_path(path, "the path of a template") else {
            return Typed::unknown();
        };
        let Some((source, text)) = self.template_source(&file, path.span) else {
            return Typed::unknown();
        };
        let Some(tree) = self.outline_of(source, &text) else {
            return Typed::unknown();
        };
        let reading = self.includes(&file, &tree, source);
        let (Some(ty), false) = (&data.ty, reading.broken) else {
            return Typed::unknown();
        };
        let faults = flow_core::template::check(&tree, &reading.outlines, ty);
        for fault in &faults {
            let at = match &fault.file {
                Some(name) => reading.sources.get(name).copied().unwrap_or(source),
                None => source,
            };
            self.report_template(fault, at, Some(span));
        }
        if !faults.is_empty() {
            return Typed::unknown();
        }
        let template = Template {
            text,
            includes: reading.texts,
        };
        let number = self.keep_template(template);
        let ty = ty.clone();
        let site = self.site(span);
        let data = Box::new(outside(data.expr, &ty));
        Typed::new(Expr::Template(number, data, site), Type::text())
    }

    fn template_data(&mut self, tree: Option<&ast::Expr>) -> Typed {
        let Some(tree) = tree else {
            let nothing = RecordType {
                name: None,
                fields: Vec::new(),
            };
            return Typed::new(Expr::Record(Vec::new()), Type::Record(nothing.into()));
        };
        let typed = self.expr(tree, None);
        let typed = self.settle(typed, tree.span);
        let Some(ty) = &typed.ty else {
            return typed;
        };
        if has_secret(ty) {
            let diagnostic = Self::error(
                codes::SECRET_USE,
                tree.span,
                "a secret can't be written into a text",
            )
            .help("a secret goes only into what is declared as `secret` or `map<secret>`");
            self.report(diagnostic);
            return Typed::unknown();
        }
        if !matches!(ty, Type::Record(_)) {
            let message = format!("the data of a template is a record, not {}", article(ty));
            let diagnostic = Self::error(codes::TYPE_MISMATCH, tree.span, message)
                .help("write `{ name: value, … }`: the template knows the values by these names");
            self.report(diagnostic);
            return Typed::unknown();
        }
        typed
    }

    /// Reads a template's text, once, and makes it a source.
    fn template_source(&mut self, file: &str, span: Span) -> Option<(SourceId, Arc<str>)> {
        if let Some(known) = self.loaded.iter().find(|source| source.name == file) {
            return Some((known.id, known.text.clone()));
        }
        let text = match self.world.files.read(file) {
            Ok(text) => text,
            Err(fault) => {
                let message = format!("the template `{file}` can't be read: {fault}");
                let diagnostic = Self::error(codes::MISSING_FILE, span, message);
                self.report(diagnostic.help("its path begins at the folder of this file"));
                return None;
            }
        };
        let id = SourceId(self.next_source);
        self.next_source += 1;
        self.loaded.push(Source::new(id, file, text.clone()));
        Some((id, text))
    }

    fn outline_of(&mut self, source: SourceId, text: &str) -> Option<Outline> {
        match outline(text) {
            Ok(outline) => Some(outline),
            Err(faults) => {
                for fault in &faults {
                    self.report_template(fault, source, None);
                }
                None
            }
        }
    }

    /// Reads what a template includes, and what that includes. Paths are
    /// relative to the outermost, which is where the names are kept.
    fn includes(&mut self, file: &str, tree: &Outline, source: SourceId) -> Reading {
        let mut reading = Reading::default();
        let names = |tree: &Outline, source| {
            let includes = tree.includes.iter().cloned();
            includes.map(|name| (name, source)).collect::<Vec<_>>()
        };
        let mut open: VecDeque<_> = names(tree, source).into();
        while let Some((name, from)) = open.pop_front() {
            if reading.outlines.contains_key(&name.text) {
                continue;
            }
            let place = Span::new(from, name.span.start, name.span.end);
            if reading.outlines.len() >= INCLUDES_MAX {
                let message = format!("a template includes at most {INCLUDES_MAX} others");
                self.report(Self::error(codes::TEMPLATE_INCLUDE, place, message));
                reading.broken = true;
                return reading;
            }
            let Ok(path) = resolve(file, &name.text) else {
                let message = format!("`{}` is no path inside the project", name.text);
                self.report(Self::error(codes::BAD_PATH, place, message));
                reading.broken = true;
                continue;
            };
            let found = self
                .template_source(&path, place)
                .and_then(|(id, text)| Some((id, self.outline_of(id, &text)?, text)));
            let Some((id, outline, text)) = found else {
                reading.broken = true;
                continue;
            };
            open.extend(names(&outline, id));
            reading.texts.insert(name.text.clone(), text);
            reading.sources.insert(name.text.clone(), id);
            reading.outlines.insert(name.text, outline);
        }
        reading
    }

    fn report_template(&mut self, fault: &TemplateFault, source: SourceId, call: Option<Span>) {
        let place = Span::new(source, fault.span.start, fault.span.end);
        let code = code_of(fault.kind);
        let mut diagnostic = Self::error(code, place, fault.message.clone());
        if let Some(help) = &fault.help {
            diagnostic = diagnostic.help(help.clone());
        }
        let word = self
            .loaded
            .iter()
            .find(|known| known.id == source)
            .map(|known| known.slice(place).to_owned())
            .unwrap_or_default();
        let near = nearest(&word, fault.candidates.iter().map(String::as_str));
        if let Some(near) = near {
            let title = format!("write `{near}`");
            if fault.help.is_none() {
                diagnostic = diagnostic.help(format!("did you mean `{near}`?"));
            }
            diagnostic = diagnostic.fix(Certainty::Likely, title, place, near);
        }
        if let Some(call) = call {
            diagnostic = diagnostic.other(call, "with this data");
        }
        self.report(diagnostic);
    }

    /// Puts a template into the body, unless it is there already.
    fn keep_template(&mut self, template: Template) -> u32 {
        let known = self.body.templates.iter().position(|old| *old == template);
        let at = known.unwrap_or_else(|| {
            self.body.templates.push(template);
            self.body.templates.len() - 1
        });
        u32::try_from(at).unwrap_or(u32::MAX)
    }
}

fn code_of(kind: FaultKind) -> Code {
    match kind {
        FaultKind::Syntax => codes::TEMPLATE_SYNTAX,
        FaultKind::Unsupported => codes::TEMPLATE_UNSUPPORTED,
        FaultKind::UnknownName => codes::TEMPLATE_NAME,
        FaultKind::UnknownFilter => codes::TEMPLATE_FILTER,
        FaultKind::Type => codes::TEMPLATE_TYPE,
        FaultKind::Missing => codes::TEMPLATE_MISSING,
        FaultKind::Emit => codes::TEMPLATE_EMIT,
        FaultKind::Include => codes::TEMPLATE_INCLUDE,
    }
}
