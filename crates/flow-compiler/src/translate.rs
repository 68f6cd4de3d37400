//! From one spelling to the other: a checked file, its comments included.
//!
//! Only the checker knows how a scalar of YAML was read and whether a bare word
//! is a value of an enum, so a file with errors is not translated.

use std::collections::BTreeMap;
use std::sync::Arc;

use flow_core::expr::Function;
use flow_core::value::Value as CoreValue;
use flow_syntax::ast::{
    Bare, Block, Cache, ClauseKind, Else, Entry, Expr, ExprKind, Form, Governed, If, ItemKind,
    Literal, LiteralKind, Name, Region, Reply, TestStmtKind, Text, TextPart, TextStyle,
    TriggerClauseKind, Value,
};
use flow_syntax::diagnostic::Diagnostic;
use flow_syntax::print::{Trivia, print};
use flow_syntax::span::{Source, Span, Spelling};

use crate::pipeline::Plans;
use crate::project::Files;
use crate::settings::Settings;
use crate::signature::Signatures;

/// How a scalar or a word was read.
#[derive(Debug, Clone, PartialEq)]
pub(crate) enum Reading {
    /// As a value.
    Value(CoreValue),
    /// As a reference to a step.
    Step(Arc<str>),
}

/// How scalars and words were read, in the order in which they were.
pub(crate) type Readings = Vec<(Span, Reading)>;

/// Writes a file in another spelling. Its errors are returned if it has any.
pub fn translate(
    source: &Source,
    to: Spelling,
    signatures: &Signatures,
    settings: &Settings,
    files: &dyn Files,
) -> Result<String, Vec<Diagnostic>> {
    let text = source.text.clone();
    let (compiled, readings) =
        crate::pipeline::read(&source.name, text, signatures, settings, files, Plans::Made);
    if !compiled.is_ok() {
        return Err(compiled.diagnostics);
    }
    // Spans carry the id that the compilation gave the entry.
    let own = compiled.source(compiled.entry).unwrap_or(source);
    let mut file = flow_syntax::parse(own).file;
    let trivia = Trivia::of(own, &file);
    // What was read again later counts.
    let readings = readings.into_iter().collect();
    let translator = Translator { readings, to };
    for item in &mut file.items {
        translator.item(&mut item.kind);
    }
    Ok(print(&file, &trivia, to))
}

struct Translator {
    readings: BTreeMap<Span, Reading>,
    to: Spelling,
}

/// Where an expression stands in YAML.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Seat {
    /// As a value of its own, which YAML may write without `${…}`.
    Value,
    /// Inside of text of the language.
    Inside,
}

impl Translator {
    fn item(&self, item: &mut ItemKind) {
        match item {
            ItemKind::Use(_) | ItemKind::Enum(_) | ItemKind::Error => {}
            // Declarations hold expressions of the language in both spellings.
            ItemKind::Type(_) | ItemKind::Step(_) => {}
            ItemKind::Workflow(workflow) => {
                for param in &mut workflow.params {
                    if let Some(default) = &mut param.default {
                        self.expr(default, Seat::Inside);
                    }
                }
                for limit in &mut workflow.limits {
                    self.clause(&mut limit.kind);
                }
                self.block(&mut workflow.body);
            }
            ItemKind::Trigger(trigger) => {
                self.call(&mut trigger.call);
                for clause in &mut trigger.clauses {
                    if let TriggerClauseKind::Limit(limit) = &mut clause.kind {
                        self.clause(&mut limit.kind);
                    }
                }
            }
            ItemKind::Test(test) => {
                for stmt in &mut test.stmts {
                    match &mut stmt.kind {
                        TestStmtKind::Stub { replies, .. } => {
                            for reply in replies {
                                if let Reply::Value(value) = reply {
                                    self.expr(value, Seat::Value);
                                }
                            }
                        }
                        TestStmtKind::Run { call, .. } => self.call(call),
                        TestStmtKind::Expect(expr) => self.expr(expr, Seat::Inside),
                        TestStmtKind::Error => {}
                    }
                }
            }
        }
    }

    fn block(&self, block: &mut Block) {
        for stmt in &mut block.stmts {
            self.value(&mut stmt.value);
        }
        if let Some(result) = &mut block.result {
            self.value(&mut result.value);
        }
    }

    fn value(&self, value: &mut Value) {
        match value {
            Value::Expr(governed) => self.governed(governed),
            Value::Region(region) => self.region(region),
            Value::Block(block) => self.block(block),
            Value::Error(_) => {}
        }
    }

    #[expect(clippy::wildcard_enum_match_arm, reason = "only calls can be steps")]
    fn governed(&self, governed: &mut Governed) {
        governed.form = match &governed.expr.kind {
            ExprKind::Call(call) if !is_function(&call.path.text) => Form::Step,
            _ => Form::Value,
        };
        match governed.form {
            Form::Step => self.call(&mut governed.expr),
            Form::Value | Form::Open => self.expr(&mut governed.expr, Seat::Value),
        }
        for clause in &mut governed.clauses {
            self.clause(&mut clause.kind);
        }
        if let Some(fallback) = &mut governed.fallback {
            self.value(fallback);
        }
    }

    fn clause(&self, clause: &mut ClauseKind) {
        match clause {
            ClauseKind::Budget { amount: expr, .. }
            | ClauseKind::Within(expr)
            | ClauseKind::Retry { attempts: expr, .. }
            | ClauseKind::Timeout(expr)
            | ClauseKind::Cache(Cache::For(expr))
            | ClauseKind::Assume(expr) => self.expr(expr, Seat::Inside),
            ClauseKind::Label(expr) => self.expr(expr, Seat::Value),
            ClauseKind::Cache(Cache::On | Cache::Off)
            | ClauseKind::After(_)
            | ClauseKind::Pool(_)
            | ClauseKind::Effect(_)
            | ClauseKind::OnLost(_) => {}
        }
    }

    fn region(&self, region: &mut Region) {
        match region {
            Region::If(region) => self.choice(region),
            Region::Match(region) => {
                self.expr(&mut region.subject, Seat::Inside);
                for arm in &mut region.arms {
                    self.value(&mut arm.value);
                }
            }
            Region::For(region) => {
                self.expr(&mut region.list, Seat::Inside);
                for expr in [&mut region.by, &mut region.max, &mut region.parallel]
                    .into_iter()
                    .flatten()
                {
                    self.expr(expr, Seat::Inside);
                }
                for limit in &mut region.limits {
                    self.clause(&mut limit.kind);
                }
                self.block(&mut region.body);
            }
            Region::Repeat(region) => {
                self.expr(&mut region.from, Seat::Value);
                self.expr(&mut region.max, Seat::Inside);
                if let Some(until) = &mut region.until {
                    self.expr(until, Seat::Inside);
                }
                for limit in &mut region.limits {
                    self.clause(&mut limit.kind);
                }
                self.block(&mut region.body);
            }
            Region::Race(region) => {
                for limit in &mut region.limits {
                    self.clause(&mut limit.kind);
                }
                self.block(&mut region.body);
                if let Some(fallback) = &mut region.fallback {
                    self.value(fallback);
                }
            }
            Region::Parallel(region) => {
                for limit in &mut region.limits {
                    self.clause(&mut limit.kind);
                }
                self.block(&mut region.body);
            }
        }
    }

    fn choice(&self, region: &mut If) {
        self.expr(&mut region.cond, Seat::Inside);
        self.block(&mut region.then);
        match &mut region.otherwise {
            Some(Else::Block(block)) => self.block(block),
            Some(Else::If(inner)) => self.choice(inner),
            None => {}
        }
    }

    /// A call of a step or a workflow, whose arguments are values of their own.
    fn call(&self, expr: &mut Expr) {
        if let ExprKind::Call(call) = &mut expr.kind {
            for arg in &mut call.args {
                self.expr(&mut arg.value, Seat::Value);
            }
        } else {
            self.expr(expr, Seat::Value);
        }
    }

    fn expr(&self, expr: &mut Expr, seat: Seat) {
        if let Some(reading) = self.readings.get(&expr.span)
            && let Some(kind) = self.spell(reading, expr, seat)
        {
            expr.kind = kind;
            return;
        }
        match &mut expr.kind {
            ExprKind::Literal(literal) => {
                if self.is_scalar(literal, seat, expr.span) {
                    expr.kind = bare(&literal.text);
                }
            }
            ExprKind::None | ExprKind::Name(_) | ExprKind::Error => {}
            // Not read by the checker, so in a place that takes any text.
            ExprKind::Bare(bare) => {
                if self.to == Spelling::Flow {
                    expr.kind = text(&bare.text);
                }
            }
            ExprKind::Text(text) => {
                // Inside YAML's double quotes a text has to be written raw.
                if self.to == Spelling::Flow && text.style == TextStyle::Raw {
                    text.style = TextStyle::Plain;
                }
                for part in &mut text.parts {
                    if let TextPart::Hole(hole) = part {
                        self.expr(hole, Seat::Inside);
                    }
                }
            }
            ExprKind::Field(base, _) | ExprKind::Unary(_, base) | ExprKind::Is(base, _) => {
                self.expr(base, Seat::Inside);
            }
            ExprKind::Index(base, index) => {
                self.expr(base, Seat::Inside);
                self.expr(index, Seat::Inside);
            }
            ExprKind::Binary(binary) => {
                self.expr(&mut binary.left, Seat::Inside);
                self.expr(&mut binary.right, Seat::Inside);
            }
            ExprKind::If(choice) => {
                self.expr(&mut choice.cond, Seat::Inside);
                self.expr(&mut choice.then, Seat::Inside);
                self.expr(&mut choice.otherwise, Seat::Inside);
            }
            ExprKind::Call(call) => {
                // These are mappings in YAML.
                let is_mapping = matches!(&*call.path.text, "template" | "file" | "secret");
                let seat = if is_mapping { seat } else { Seat::Inside };
                for arg in &mut call.args {
                    self.expr(&mut arg.value, seat);
                }
            }
            ExprKind::List(items) => items.iter_mut().for_each(|item| self.expr(item, seat)),
            ExprKind::Comprehension(list) => {
                let parts = [&mut list.body, &mut list.list].into_iter();
                parts
                    .chain(&mut list.cond)
                    .for_each(|part| self.expr(part, Seat::Inside));
            }
            ExprKind::Record(entries) => {
                for entry in entries {
                    self.entry(entry, seat);
                }
            }
        }
    }

    fn entry(&self, entry: &mut Entry, seat: Seat) {
        match entry {
            Entry::Field(_, value) | Entry::Spread(value, _) => self.expr(value, seat),
            Entry::Short(_) => {}
        }
        if self.to == Spelling::Flow
            && let Entry::Field(name, value) = entry
            && matches!(&value.kind, ExprKind::Name(same) if *same == name.text)
        {
            *entry = Entry::Short(name.clone());
        }
    }

    /// Returns whether YAML says a literal without `${…}`. Where no type is
    /// expected, it would take an amount for a text.
    fn is_scalar(&self, literal: &Literal, seat: Seat, span: Span) -> bool {
        let is_plain = match literal.kind {
            LiteralKind::Text => return false,
            LiteralKind::Money | LiteralKind::Duration | LiteralKind::Size => false,
            LiteralKind::Int | LiteralKind::Float | LiteralKind::Bool => true,
        };
        let is_read = is_plain || self.readings.contains_key(&span);
        self.to == Spelling::Yaml && seat == Seat::Value && is_read
    }

    /// Returns how the other spelling says what was read.
    fn spell(&self, reading: &Reading, expr: &Expr, seat: Seat) -> Option<ExprKind> {
        match (self.to, &expr.kind) {
            (Spelling::Flow, ExprKind::Bare(_)) => Some(match reading {
                Reading::Step(path) => dotted(path, expr.span),
                Reading::Value(value) => literal(value, expr.span)?,
            }),
            (Spelling::Yaml, ExprKind::None) => match reading {
                Reading::Value(CoreValue::None) => Some(bare("none")),
                Reading::Value(_) | Reading::Step(_) => None,
            },
            // Only words change on the way to YAML: values of enums and
            // references stand there without `${…}`.
            (Spelling::Yaml, ExprKind::Name(_) | ExprKind::Field(..)) if seat == Seat::Value => {
                match reading {
                    Reading::Step(path) => Some(bare(path)),
                    // `Look.noir` may stand where nothing is expected.
                    Reading::Value(CoreValue::Enum(word)) => {
                        matches!(expr.kind, ExprKind::Name(_)).then(|| bare(word))
                    }
                    Reading::Value(_) => None,
                }
            }
            _ => None,
        }
    }
}

fn bare(text: &str) -> ExprKind {
    ExprKind::Bare(Bare {
        text: text.to_owned(),
        quoted: false,
    })
}

fn text(text: &str) -> ExprKind {
    let style = if text.trim_end_matches('\n').contains('\n') {
        TextStyle::Lines
    } else {
        TextStyle::Plain
    };
    ExprKind::Text(Text {
        parts: match text {
            "" => Vec::new(),
            text => vec![TextPart::Str(text.to_owned())],
        },
        style,
    })
}

fn dotted(path: &str, span: Span) -> ExprKind {
    let mut words = path.split('.');
    let first = words.next().unwrap_or_default();
    words.fold(ExprKind::Name(first.to_owned()), |base, word| {
        let base = Expr { kind: base, span };
        let word = Name {
            text: word.to_owned(),
            span,
        };
        ExprKind::Field(Box::new(base), word)
    })
}

/// Returns how the workflow language writes a value that YAML wrote as a
/// scalar.
fn literal(value: &CoreValue, span: Span) -> Option<ExprKind> {
    let (kind, written) = match value {
        CoreValue::None => return Some(ExprKind::None),
        CoreValue::Text(written) => return Some(text(written)),
        CoreValue::Enum(word) => return Some(ExprKind::Name(word.to_string())),
        CoreValue::Time(time) => return Some(text(&time.to_string())),
        CoreValue::Bool(value) => (LiteralKind::Bool, value.to_string()),
        CoreValue::Int(number) => (LiteralKind::Int, number.to_string()),
        CoreValue::Float(number) => {
            let written = flow_core::literal::number_text(*number);
            let whole = !written.contains('.');
            let written = if whole { written + ".0" } else { written };
            (LiteralKind::Float, written)
        }
        CoreValue::Money(money) => (LiteralKind::Money, money.to_string()),
        CoreValue::Duration(time) => (LiteralKind::Duration, time.to_string()),
        CoreValue::Size(size) => (LiteralKind::Size, size.to_string()),
        CoreValue::List(_)
        | CoreValue::Record(_)
        | CoreValue::Artifact(_)
        | CoreValue::Secret(_) => return None,
    };
    Some(ExprKind::Literal(Literal {
        kind,
        text: written,
        span,
    }))
}

fn is_function(name: &str) -> bool {
    Function::from_name(name).is_some()
        || matches!(name, "template" | "file" | "secret" | "fixture" | "calls")
}
