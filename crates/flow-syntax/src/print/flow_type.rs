//! Types and fields of the workflow language.

use super::anchors::place;
use super::flow_expr::{CURLY, Flow, line};
use super::flow_text::quoted_or_raw;
use super::trivia::Trivia;
use crate::ast::{EffectExpr, Field, RefinementKind, TypeBase, TypeExpr};

/// Returns a type on one line, for a YAML scalar.
pub(super) fn inline(ty: &TypeExpr) -> String {
    line(|flow| flow.ty(ty))
}

/// Returns what stands behind a field's name on one line, for a YAML scalar.
pub(super) fn inline_field(field: &Field) -> String {
    line(|flow| {
        if field.constant.is_some() {
            flow.doc.text("const ");
        }
        flow.field_type(field);
    })
}

/// Returns a type with its documentation, on several lines.
pub(super) fn with_docs(ty: &TypeExpr) -> String {
    let mut flow = Flow::new(&Trivia::default());
    flow.ty(ty);
    flow.finish()
}

/// Returns what stands behind a field's name, on several lines.
pub(super) fn field_with_docs(field: &Field) -> String {
    let mut flow = Flow::new(&Trivia::default());
    if field.constant.is_some() {
        flow.doc.text("const ");
    }
    flow.field_type(field);
    flow.finish()
}

/// Tells whether a field inside a type has documentation.
pub(super) fn has_docs(ty: &TypeExpr) -> bool {
    match &ty.base {
        TypeBase::Named { args, .. } => args.iter().any(has_docs),
        TypeBase::Record(fields) => fields
            .iter()
            .any(|field| !field.docs.is_empty() || has_docs(&field.ty)),
        TypeBase::Error => false,
    }
}

/// Returns an effect.
pub(super) fn effect(effect: &EffectExpr) -> String {
    let mut all = effect.word.text.clone();
    let manner = effect.manner.iter().map(|word| &word.text);
    for word in manner.chain(effect.window.iter().map(|window| &window.text)) {
        all.push(' ');
        all.push_str(word);
    }
    all
}

impl<'a> Flow<'a> {
    /// Writes a type.
    pub(super) fn ty(&mut self, ty: &'a TypeExpr) {
        match &ty.base {
            TypeBase::Named { path, args } => {
                self.doc.text(path.text.as_str());
                for (at, arg) in args.iter().enumerate() {
                    self.doc.text(if at == 0 { "<" } else { ", " });
                    self.ty(arg);
                }
                if !args.is_empty() {
                    self.doc.text(">");
                }
            }
            TypeBase::Record(fields) => {
                let at = |field: &Field| place(field.span);
                self.parts(CURLY, place(ty.span), fields, at, Self::field);
            }
            TypeBase::Error => self.doc.text("_"),
        }
        if ty.optional.is_some() {
            self.doc.text("?");
        }
        for refinement in &ty.refinements {
            self.refinement(&refinement.kind);
        }
    }

    fn refinement(&mut self, kind: &'a RefinementKind) {
        match kind {
            RefinementKind::In(least, most) => {
                self.doc.text(format!(" in {}..{}", least.text, most.text));
            }
            RefinementKind::Min(least) => self.doc.text(format!(" min {}", least.text)),
            RefinementKind::Max(most) => self.doc.text(format!(" max {}", most.text)),
            RefinementKind::Matching(pattern) => {
                self.doc
                    .text(format!(" matching {}", quoted_or_raw(&pattern.text)));
            }
        }
    }

    /// Writes a field or a parameter with its documentation.
    pub(super) fn field(&mut self, field: &'a Field) {
        if self.inline.is_none() {
            self.docs(&field.docs);
        }
        if field.constant.is_some() {
            self.doc.text("const ");
        }
        self.doc.text(field.name.text.as_str());
        self.doc.text(": ");
        self.field_type(field);
    }

    fn field_type(&mut self, field: &'a Field) {
        self.ty(&field.ty);
        if let Some(default) = &field.default {
            self.doc.text(" = ");
            self.expr_alone(default);
        }
    }

    /// Writes documentation, each line with its end.
    pub(super) fn docs(&mut self, docs: &str) {
        if docs.is_empty() {
            return;
        }
        for line in docs.split('\n') {
            self.doc.text(doc_line(line));
            self.doc.hard();
        }
    }
}

/// Returns a line of documentation.
pub(super) fn doc_line(line: &str) -> String {
    let line = line.trim_end();
    if line.is_empty() {
        return "##".to_owned();
    }
    format!("## {line}")
}
