//! Types, parameters and the values of enumerations.

use super::Reader;
use super::grammar::{Pair, Rule, parts};
use super::lex::DEPTH_MAX;
use crate::ast::{Docs, Expr, Field, Refinement, RefinementKind, TypeBase, TypeExpr, Variant};
use crate::codes;
use crate::diagnostic::Diagnostic;
use crate::span::Span;

impl Reader<'_> {
    /// Reads what the rule `ty` gave.
    pub(super) fn ty(&mut self, pair: Pair<'_>, depth: usize) -> TypeExpr {
        let mut ty = TypeExpr {
            base: TypeBase::Error,
            optional: None,
            refinements: Vec::new(),
            span: self.span(&pair),
        };
        if depth > DEPTH_MAX {
            let message = format!("types are nested more than {DEPTH_MAX} levels deep");
            let diagnostic = Diagnostic::new(codes::TOO_DEEP, ty.span, message)
                .help("give an inner type a name with `type`");
            self.report(diagnostic);
            return ty;
        }
        for part in parts(pair) {
            let rule = part.as_rule();
            if rule == Rule::optional {
                ty.optional = Some(self.span(&part));
            } else if rule == Rule::type_record {
                let fields = parts(part).map(|field| self.field(field, depth + 1));
                ty.base = TypeBase::Record(fields.collect());
            } else if rule == Rule::type_named {
                ty.base = self.type_named(part, depth);
            } else {
                ty.refinements.push(self.refinement(part));
            }
        }
        ty
    }

    fn type_named(&mut self, pair: Pair<'_>, depth: usize) -> TypeBase {
        let mut inner = pair.into_inner();
        let path = inner.next().expect("a type has a name");
        let args = inner.next().map_or_else(Vec::new, |args| {
            parts(args).map(|arg| self.ty(arg, depth + 1)).collect()
        });
        TypeBase::Named {
            path: self.path(&path),
            args,
        }
    }

    /// Reads the one type in `<…>` of a call.
    pub(super) fn type_arg(&mut self, pair: Pair<'_>) -> Option<TypeExpr> {
        let mut inner = parts(pair);
        let first = inner.next().map(|ty| self.ty(ty, 0));
        if let Some(second) = inner.next() {
            let message = "a step takes one type";
            let span = self.span(&second);
            let diagnostic = Diagnostic::new(codes::SYNTAX, span, message)
                .help("make a record of the types, or leave all but one out");
            self.report(diagnostic);
        }
        first
    }

    fn refinement(&mut self, pair: Pair<'_>) -> Refinement {
        let span = self.span(&pair);
        let rule = pair.as_rule();
        let mut inner = parts(pair).skip(1);
        let first = inner.next().expect("a refinement has a bound");
        let kind = if rule == Rule::refine_in {
            let last = inner.next().expect("a range has two bounds");
            RefinementKind::In(self.literal(first), self.literal(last))
        } else if rule == Rule::refine_min {
            RefinementKind::Min(self.literal(first))
        } else if rule == Rule::refine_max {
            RefinementKind::Max(self.literal(first))
        } else {
            RefinementKind::Matching(self.plain_text(first))
        };
        Refinement { kind, span }
    }

    /// Reads a parameter or a field with its documentation.
    pub(super) fn field(&mut self, pair: Pair<'_>, depth: usize) -> Field {
        let start = pair.start();
        let end = pair.end();
        let (docs, first) = self.docs(start);
        let mut inner = parts(pair).peekable();
        let constant = inner.next_if(|part| part.as_rule() == Rule::kw_const);
        let constant = constant.map(|word| self.span(&word));
        let name = inner.next().expect("a field has a name");
        let name = self.name(&name);
        let (ty, default) = self.parameter_type(inner, depth);
        let span = self.place(first, end);
        Field {
            constant,
            name,
            ty,
            default,
            docs,
            span,
        }
    }

    /// Reads a type and perhaps a default.
    pub(super) fn parameter_type<'p>(
        &mut self,
        mut inner: impl Iterator<Item = Pair<'p>>,
        depth: usize,
    ) -> (TypeExpr, Option<Expr>) {
        let ty = inner.next().expect("a field has a type");
        let ty = self.ty(ty, depth);
        (ty, inner.next().map(|default| self.expr(default, 0)))
    }

    /// Reads a value of an enumeration with its documentation.
    pub(super) fn variant(&mut self, pair: Pair<'_>) -> Variant {
        // Documentation stands before the `|` or after it.
        let start = pair.start();
        let bar = self.text[..start].trim_end();
        let bar = if bar.ends_with('|') {
            bar.len() - 1
        } else {
            start
        };
        let mut docs: Docs = self.docs(start).0;
        if docs.is_empty() {
            docs = self.docs(bar).0;
        }
        let mut inner = pair.into_inner();
        let name = inner.next().expect("a value has a name");
        let name = self.name(&name);
        let outside = inner.next().map(|text| self.plain_text(text));
        Variant {
            name,
            outside,
            docs,
        }
    }

    /// Makes a type that could not be read.
    pub(super) fn type_error(span: Span) -> TypeExpr {
        TypeExpr {
            base: TypeBase::Error,
            optional: None,
            refinements: Vec::new(),
            span,
        }
    }
}
