//! Checking of templates against the type of their data.
//!
//! After it, writing a template can fail only where an expression can: at an
//! index, a number or the end of its fuel.

mod filters;
mod scope;
mod terms;

use std::collections::BTreeMap;
use std::ops::Range;
use std::sync::Arc;

use crate::relation::{Fit, fit};
use crate::template::check::scope::{Frame, Scope, present_if};
use crate::template::outline::{
    FaultKind, Loop, Name, Outline, Piece, TemplateFault, Term, TermKind,
};
use crate::template::render::INCLUDES_MAX;
use crate::ty::{FieldType, RecordType, Type};

/// How many includes are looked into, all levels together.
const INCLUDES_TOTAL_MAX: usize = 256;

/// Checks a template and what it includes against the type of its data.
///
/// In a template a word of an enumeration is the text that it is outside.
pub fn check(
    outline: &Outline,
    includes: &BTreeMap<Arc<str>, Outline>,
    data: &Type,
) -> Vec<TemplateFault> {
    let mut checker = Checker {
        includes,
        scope: Scope::new(data),
        files: Vec::new(),
        included: 0,
        faults: Vec::new(),
    };
    checker.pieces(&outline.pieces);
    checker.faults
}

struct Checker<'a> {
    includes: &'a BTreeMap<Arc<str>, Outline>,
    scope: Scope,
    /// The included templates that are open.
    files: Vec<Arc<str>>,
    included: usize,
    faults: Vec<TemplateFault>,
}

impl Checker<'_> {
    /// Notes a fault, once: a template can be included from several places.
    fn note(&mut self, mut fault: TemplateFault) {
        fault.file = self.files.last().cloned();
        if !self.faults.contains(&fault) {
            self.faults.push(fault);
        }
    }

    fn fault(&mut self, kind: FaultKind, span: &Range<usize>, message: String, help: &str) {
        self.note(TemplateFault::new(kind, span.clone(), message).help(help));
    }

    fn pieces(&mut self, pieces: &[Piece]) {
        for piece in pieces {
            match piece {
                Piece::Text(_) => {}
                Piece::Emit(term) => self.emit(term),
                Piece::For(each) => self.for_each(each),
                Piece::If(arms, otherwise) => self.condition(arms, otherwise),
                Piece::Set(name, term) => self.set(name, term),
                Piece::Include(name) => self.include(name),
            }
        }
    }

    fn emit(&mut self, term: &Term) {
        if let Some(ty) = self.term(term) {
            self.writable(&ty, &term.span);
        }
    }

    /// Demands something that can be written into a text.
    fn writable(&mut self, ty: &Type, span: &Range<usize>) {
        let help = match ty {
            Type::Text(_)
            | Type::Int(_)
            | Type::Float(_)
            | Type::Bool
            | Type::Duration(_)
            | Type::Money(_)
            | Type::Size
            | Type::Model
            | Type::Enum(_) => return,
            Type::Optional(_) => {
                self.missing(ty, span);
                return;
            }
            Type::List(_) => {
                "write its items with `{% for %}`, or use `| join(\", \")` or `| json`"
            }
            Type::Map(_) | Type::Record(_) => "write one of its fields, or use `| json`",
            Type::Json => "use `| json`, or `| string` if it is a text or a number",
            Type::Time => "give it as a text: `date(t)` or `format(t, \"%H:%M\")`",
            Type::Media(_) => "write one of its facts, like `bytes`",
            Type::Secret => "secrets go to parameters of the type `secret` and nowhere else",
            Type::Step | Type::Param | Type::None => "give it as a text",
        };
        let message = format!("`{ty}` can't be written into a text");
        self.fault(FaultKind::Emit, span, message, help);
    }

    fn missing(&mut self, ty: &Type, span: &Range<usize>) {
        let message = format!("this may be missing: it is `{ty}`");
        let help = "ask with `{% if x %}`, or give another value with `| default(…)`";
        self.fault(FaultKind::Missing, span, message, help);
    }

    fn condition(&mut self, arms: &[(Term, Vec<Piece>)], otherwise: &[Piece]) {
        // What is known because the arms before didn't hold.
        let mut known = Vec::new();
        for (cond, body) in arms {
            self.scope.push(Frame::block(known.clone()));
            self.cond(cond);
            let mut inside = known.clone();
            inside.extend(present_if(cond, true));
            self.scope.push(Frame::block(inside));
            self.pieces(body);
            self.scope.pop();
            self.scope.pop();
            known.extend(present_if(cond, false));
        }
        self.scope.push(Frame::block(known));
        self.pieces(otherwise);
        self.scope.pop();
    }

    fn set(&mut self, name: &Name, term: &Term) {
        let ty = self.term(term);
        let Some(old) = self.scope.settable(&name.text).cloned() else {
            self.scope.define(&name.text, ty);
            return;
        };
        if let (Some(old), Some(ty)) = (old, ty)
            && fit(&ty, &old) != Fit::Yes
        {
            let message = format!("`{}` is `{old}`, and this is `{ty}`", name.text);
            self.fault(FaultKind::Type, &term.span, message, "use another name");
        }
        self.scope.changed(&name.text);
    }

    fn for_each(&mut self, each: &Loop) {
        let over = self.term(&each.over);
        let span = &each.over.span;
        let types = match (over, each.names.len()) {
            (None, count) => vec![None; count],
            (Some(Type::List(list)), 1) => vec![Some((*list.item).clone())],
            (Some(Type::Map(_)), 1) => vec![Some(Type::text())],
            (Some(Type::Map(item)), _) => vec![Some(Type::text()), Some((*item).clone())],
            (Some(Type::Json), 1) => vec![Some(Type::Json)],
            (Some(Type::Json), _) => vec![Some(Type::text()), Some(Type::Json)],
            (Some(ty @ Type::Optional(_)), count) => {
                self.missing(&ty, span);
                vec![None; count]
            }
            (Some(ty @ Type::List(_)), count) => {
                let message = format!("`{ty}` has one value for each item, not two");
                self.fault(FaultKind::Type, span, message, "two names are for maps");
                vec![None; count]
            }
            (Some(ty), count) => {
                let message = format!("a loop goes over a list or a map, and this is `{ty}`");
                self.fault(FaultKind::Type, span, message, "give a list as data");
                vec![None; count]
            }
        };
        let mut frame = Frame::round();
        for (name, ty) in each.names.iter().zip(types) {
            frame.vars.insert(Arc::clone(&name.text), ty);
        }
        self.scope.push(frame);
        let mut known = Vec::new();
        if let Some(cond) = &each.cond {
            self.cond(cond);
            known = present_if(cond, true);
        }
        self.scope.define("loop", Some(loop_type()));
        self.scope.push(Frame::block(known));
        self.pieces(&each.body);
        self.scope.pop();
        self.scope.pop();
        self.pieces(&each.otherwise);
    }

    fn include(&mut self, name: &Name) {
        let includes = self.includes;
        let Some(outline) = includes.get(&name.text) else {
            let message = format!("there is no template `{}`", name.text);
            let mut fault = TemplateFault::new(FaultKind::Include, name.span.clone(), message);
            fault.candidates = includes.keys().map(ToString::to_string).collect();
            self.note(fault);
            return;
        };
        if self.files.contains(&name.text) {
            let message = format!("`{}` includes itself", name.text);
            self.fault(FaultKind::Include, &name.span, message, "use a loop");
            return;
        }
        self.included += 1;
        if self.files.len() >= INCLUDES_MAX || self.included > INCLUDES_TOTAL_MAX {
            let message = "templates are included too often here".to_owned();
            self.fault(
                FaultKind::Include,
                &name.span,
                message,
                "put the parts together",
            );
            return;
        }
        self.files.push(Arc::clone(&name.text));
        self.scope.push(Frame::round());
        self.pieces(&outline.pieces);
        self.scope.pop();
        self.files.pop();
    }

    /// Checks a condition: a bool, an optional, or something that can be empty.
    fn cond(&mut self, term: &Term) {
        use crate::expr::Op;
        match &term.kind {
            TermKind::Not(inner) => self.cond(inner),
            TermKind::Binary(op @ (Op::And | Op::Or), left, right) => {
                self.cond(left);
                self.scope
                    .push(Frame::block(present_if(left, *op == Op::And)));
                self.cond(right);
                self.scope.pop();
            }
            TermKind::Const(_)
            | TermKind::Var(_)
            | TermKind::Field(..)
            | TermKind::Index(..)
            | TermKind::Negate(_)
            | TermKind::Binary(..)
            | TermKind::Concat(..)
            | TermKind::If(_)
            | TermKind::Filter(..)
            | TermKind::Test(..)
            | TermKind::List(_) => {
                if let Some(ty) = self.lenient(term) {
                    self.cond_type(&ty, &term.span);
                }
            }
        }
    }

    fn cond_type(&mut self, ty: &Type, span: &Range<usize>) {
        let help = match ty {
            Type::Bool
            | Type::Optional(_)
            | Type::List(_)
            | Type::Map(_)
            | Type::Text(_)
            | Type::Json
            | Type::None => return,
            Type::Int(_) | Type::Float(_) | Type::Money(_) | Type::Duration(_) => {
                "compare it: `{% if n > 0 %}`"
            }
            Type::Time
            | Type::Size
            | Type::Model
            | Type::Secret
            | Type::Step
            | Type::Media(_)
            | Type::Record(_)
            | Type::Enum(_)
            | Type::Param => "it is always there: compare it, or leave the question out",
        };
        let message = format!("`{ty}` is neither true nor false");
        self.fault(FaultKind::Type, span, message, help);
    }
}

/// The type of `loop`.
fn loop_type() -> Type {
    let field = |(name, ty): (&str, Type)| FieldType {
        name: name.into(),
        ty,
        docs: "".into(),
    };
    let fields = [
        ("index", Type::int()),
        ("index0", Type::int()),
        ("first", Type::Bool),
        ("last", Type::Bool),
        ("length", Type::int()),
    ];
    Type::Record(Arc::new(RecordType {
        name: Some("loop".into()),
        fields: fields.into_iter().map(field).collect(),
    }))
}
