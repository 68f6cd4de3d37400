//! Expressions, effects and limits of a plan in words, for people.
//!
//! A plan keeps no text, so its expressions are written anew, about as they
//! were in the file.

use std::fmt::Write;

use flow_core::effect::{Act, Effect};
use flow_core::expr::{Expr, Op, Part};
use flow_core::literal::number_text;
use flow_core::plan::{
    Budget, Cache, Exhausted, Limits, Node, NodeId, NodeKind, Plan, Policies, Retry,
};
use flow_core::value::Value;

/// Longer expressions are cut.
const LENGTH_MAX: usize = 60;

/// Of longer lists and records the first are written.
const SHOWN_MAX: usize = 8;

/// Deeper ones are left out.
const DEPTH_MAX: usize = 6;

/// Writes an expression, cut to a length that fits into a line.
pub(crate) fn expr(plan: &Plan, expr: &Expr) -> String {
    clip(&Words { plan: Some(plan) }.expr(expr, 0), LENGTH_MAX)
}

/// Writes an expression that stands outside of any plan, as defaults do.
pub(crate) fn constant(expr: &Expr) -> String {
    clip(&Words { plan: None }.expr(expr, 0), LENGTH_MAX)
}

/// Cuts a text to so many characters.
pub(crate) fn clip(text: &str, length: usize) -> String {
    let text: String = text
        .chars()
        .take(length * 4)
        .map(|letter| if letter.is_control() { ' ' } else { letter })
        .collect();
    if text.chars().count() <= length {
        return text;
    }
    let head: String = text.chars().take(length.saturating_sub(1)).collect();
    format!("{}…", head.trim_end())
}

/// Writes an effect, the window of a key included.
pub(crate) fn effect(effect: Effect) -> String {
    match effect {
        Effect::Act(Act::Keyed(Some(window))) => format!("act keyed {window}"),
        Effect::Act(Act::Keyed(None) | Act::Probed | Act::Once)
        | Effect::Pure
        | Effect::Read
        | Effect::Paid => effect.to_string(),
    }
}

/// Writes what a node is: `gen.images`, `for shot in shots`, `if ok`.
pub(crate) fn head(plan: &Plan, id: NodeId) -> String {
    match &plan.node(id).kind {
        NodeKind::Value(value) => format!("= {}", expr(plan, value)),
        NodeKind::Step(step) => match &step.type_arg {
            Some(ty) => clip(&format!("{}<{ty}>", step.step), LENGTH_MAX),
            None => step.step.to_string(),
        },
        NodeKind::Workflow(workflow) => format!("workflow {}", workflow.workflow),
        NodeKind::If(choice) => format!("if {}", expr(plan, &choice.cond)),
        NodeKind::Match(choice) => format!("match {}", expr(plan, &choice.subject)),
        NodeKind::For(each) => format!("for {} in {}", each.var, expr(plan, &each.list)),
        NodeKind::Repeat(repeat) => {
            format!("repeat {} = {}", repeat.state, expr(plan, &repeat.from))
        }
        NodeKind::Race(_) => "race".to_owned(),
        NodeKind::Parallel(_) => "parallel".to_owned(),
    }
}

/// Writes what governs a node, a fragment each: `retry 3`, `at most 24 items`.
pub(crate) fn notes(plan: &Plan, id: NodeId) -> Vec<String> {
    let words = Words { plan: Some(plan) };
    let mut out = Vec::new();
    match &plan.node(id).kind {
        NodeKind::Value(_) | NodeKind::If(_) | NodeKind::Match(_) => {}
        NodeKind::Step(step) => words.policies(&step.policies, &mut out),
        NodeKind::Workflow(workflow) => {
            words.limits(&workflow.limits, &mut out);
            words.policies(&workflow.policies, &mut out);
        }
        NodeKind::For(each) => {
            out.extend(each.items_max.map(|max| format!("at most {max} items")));
            if each.items_max.is_none() {
                let max = each.max.as_ref();
                out.extend(max.map(|max| format!("at most {} items", words.expr(max, 0))));
            }
            out.push(format!("{} at once", words.expr(&each.parallel, 0)));
            out.extend(
                each.by
                    .as_ref()
                    .map(|by| format!("by {}", words.expr(by, 0))),
            );
            if each.keep_ok {
                out.push("failed items are left out".to_owned());
            }
            words.limits(&each.limits, &mut out);
        }
        NodeKind::Repeat(repeat) => {
            let max = match repeat.rounds_max {
                Some(max) => max.to_string(),
                None => words.expr(&repeat.max, 0),
            };
            out.push(format!("at most {max} rounds"));
            let until = repeat.until.as_ref();
            out.extend(until.map(|until| format!("until {}", words.expr(until, 0))));
            words.limits(&repeat.limits, &mut out);
        }
        NodeKind::Race(race) => words.limits(&race.limits, &mut out),
        NodeKind::Parallel(parallel) => words.limits(&parallel.limits, &mut out),
    }
    out
}

/// Writes a budget: `$2.50 per day or ask`.
pub(crate) fn budget(plan: &Plan, budget: &Budget) -> String {
    Words { plan: Some(plan) }.budget(budget)
}

/// Writes a value as one would in a file, the beginning of it.
pub(crate) fn value(found: &Value) -> String {
    value_inside(found, 0)
}

fn value_inside(found: &Value, depth: usize) -> String {
    if depth > DEPTH_MAX {
        return "…".to_owned();
    }
    match found {
        Value::None => "none".to_owned(),
        Value::Bool(truth) => truth.to_string(),
        Value::Int(number) => number.to_string(),
        Value::Float(number) => number_text(*number),
        Value::Text(text) => format!("{:?}", clip(text, LENGTH_MAX)),
        Value::Duration(length) => length.to_string(),
        Value::Money(amount) => amount.to_string(),
        Value::Time(time) => time.to_string(),
        Value::Size(size) => size.to_string(),
        Value::Enum(word) => word.to_string(),
        Value::List(list) => {
            let rest = list.items.len() > SHOWN_MAX;
            let items = list.items.iter().take(SHOWN_MAX);
            let items = items.map(|item| value_inside(item, depth + 1));
            let items: Vec<String> = items.chain(rest.then(|| "…".to_owned())).collect();
            format!("[{}]", items.join(", "))
        }
        Value::Record(fields) if fields.is_empty() => "{}".to_owned(),
        Value::Record(fields) => {
            let rest = fields.len() > SHOWN_MAX;
            let fields = fields.iter().take(SHOWN_MAX);
            let fields =
                fields.map(|(name, field)| format!("{name}: {}", value_inside(field, depth + 1)));
            let fields: Vec<String> = fields.chain(rest.then(|| "…".to_owned())).collect();
            format!("{{ {} }}", fields.join(", "))
        }
        Value::Artifact(artifact) => format!("{} of {}", artifact.media, bytes(artifact.bytes)),
        Value::Secret(name) => format!("secret({name:?})"),
    }
}

/// Writes a number of bytes: `512 B`, `3.4 kB`, `12 MB`.
pub(crate) fn bytes(count: u64) -> String {
    let units = ["kB", "MB", "GB", "TB", "PB", "EB"];
    let mut unit = "B";
    let (mut whole, mut tenths) = (count, 0);
    for next in units {
        if whole < 1000 {
            break;
        }
        tenths = whole % 1000 / 100;
        whole /= 1000;
        unit = next;
    }
    if unit == "B" || whole >= 10 {
        format!("{whole} {unit}")
    } else {
        format!("{whole}.{tenths} {unit}")
    }
}

struct Words<'a> {
    plan: Option<&'a Plan>,
}

impl Words<'_> {
    fn policies(&self, policies: &Policies, out: &mut Vec<String>) {
        if let Some(Retry {
            attempts, backoff, ..
        }) = &policies.retry
        {
            let mut text = format!("retry {}", self.expr(attempts, 0));
            if let Some((first, longest)) = backoff {
                write!(text, " backoff {first}..{longest}").ok();
            }
            out.push(text);
        }
        let timeout = policies.timeout.as_ref();
        out.extend(timeout.map(|length| format!("timeout {}", self.expr(length, 0))));
        self.limits(&policies.limits, out);
        match &policies.cache {
            Some(Cache::On) => out.push("cache on".to_owned()),
            Some(Cache::Off) => out.push("cache off".to_owned()),
            Some(Cache::For(length)) => out.push(format!("cache {}", self.expr(length, 0))),
            None => {}
        }
    }

    fn limits(&self, limits: &Limits, out: &mut Vec<String>) {
        let money = limits.budget.as_ref();
        out.extend(money.map(|found| format!("budget {}", self.budget(found))));
        let within = limits.within.as_ref();
        out.extend(within.map(|length| format!("within {}", self.expr(length, 0))));
    }

    fn budget(&self, budget: &Budget) -> String {
        let mut text = clip(&self.expr(&budget.amount, 0), LENGTH_MAX);
        if let Some(period) = budget.per {
            write!(text, " per {period}").ok();
        }
        match budget.or {
            Exhausted::Stop => {}
            Exhausted::Ask => text.push_str(" or ask"),
        }
        text
    }

    fn node(&self, id: NodeId) -> Option<&Node> {
        let nodes = self.plan?.graph.raw_nodes();
        nodes.get(id.0 as usize).map(|node| &node.weight)
    }

    fn name(&self, id: NodeId) -> String {
        self.node(id).map_or("?", |node| &node.name).to_owned()
    }

    /// Writes the name that a region gives to its item, state or payload.
    fn inner_name(&self, id: NodeId) -> String {
        let Some(node) = self.node(id) else {
            return "?".to_owned();
        };
        if let NodeKind::For(each) = &node.kind {
            each.var.to_string()
        } else if let NodeKind::Repeat(repeat) = &node.kind {
            repeat.state.to_string()
        } else {
            node.name.to_string()
        }
    }

    fn argument(&self, id: NodeId, at: u32) -> String {
        let param = self.node(id).and_then(|node| {
            if let NodeKind::Workflow(workflow) = &node.kind {
                workflow.params.get(at as usize)
            } else {
                None
            }
        });
        param.map_or("?", |param| &param.name).to_owned()
    }

    fn list(&self, parts: &[Expr], depth: usize) -> String {
        let parts: Vec<String> = parts.iter().map(|part| self.expr(part, depth)).collect();
        parts.join(", ")
    }

    fn expr(&self, expr: &Expr, depth: usize) -> String {
        if depth > DEPTH_MAX {
            return "…".to_owned();
        }
        let inner = |part: &Expr| self.expr(part, depth + 1);
        match expr {
            Expr::Const(found) => value_inside(found, depth),
            Expr::Node(id) => self.name(*id),
            Expr::Arg(id, at) => self.argument(*id, *at),
            Expr::Item(id) | Expr::State(id) | Expr::Payload(id) => self.inner_name(*id),
            Expr::Local(_) => "item".to_owned(),
            Expr::Run => "run".to_owned(),
            Expr::Event => "event".to_owned(),
            Expr::Outside(of, _) => self.expr(of, depth),
            Expr::File(path, _) => format!("file({path:?})"),
            Expr::Field(of, name) => format!("{}.{name}", inner(of)),
            Expr::Index(of, at, _) => format!("{}[{}]", inner(of), inner(at)),
            Expr::Not(of) => format!("not {}", inner(of)),
            Expr::Negate(of, _) => format!("-{}", inner(of)),
            Expr::Widen(of) | Expr::Check(of, _, _) => self.expr(of, depth),
            Expr::IsSome(of) => format!("{} is some", inner(of)),
            Expr::Binary(op, left, right, _) => {
                // With brackets nobody has to know which side binds closer.
                let side = |part: &Expr| {
                    if matches!(part, Expr::Binary(..) | Expr::If(_)) {
                        format!("({})", inner(part))
                    } else {
                        inner(part)
                    }
                };
                format!("{} {} {}", side(left), symbol(*op), side(right))
            }
            Expr::If(parts) => {
                let [cond, then, otherwise] = parts.as_ref();
                let (cond, then) = (inner(cond), inner(then));
                format!("if {cond} then {then} else {}", inner(otherwise))
            }
            Expr::Call(function, args, _, _) => {
                format!("{}({})", function.name(), self.list(args, depth + 1))
            }
            Expr::List(items) => format!("[{}]", self.list(items, depth + 1)),
            Expr::Comprehension(made) => {
                let (body, list) = (inner(&made.body), inner(&made.list));
                let cond = made.cond.as_ref();
                let cond = cond.map_or_else(String::new, |cond| format!(" if {}", inner(cond)));
                format!("[{body} for item in {list}{cond}]")
            }
            Expr::Record(fields) if fields.is_empty() => "{}".to_owned(),
            Expr::Record(fields) => {
                let fields: Vec<String> = (fields.iter())
                    .map(|(name, field)| (name, inner(field)))
                    .map(|(name, field)| {
                        if field == **name {
                            field
                        } else {
                            format!("{name}: {field}")
                        }
                    })
                    .collect();
                format!("{{ {} }}", fields.join(", "))
            }
            Expr::Text(parts) => {
                let parts = parts.iter().map(|part| match part {
                    Part::Str(text) => text.to_string(),
                    Part::Hole(hole) => format!("${{{}}}", inner(hole)),
                });
                format!("\"{}\"", parts.collect::<String>())
            }
            Expr::Template(_, data, _) => format!("template(…, {})", inner(data)),
        }
    }
}

fn symbol(op: Op) -> &'static str {
    match op {
        Op::Add => "+",
        Op::Subtract => "-",
        Op::Multiply => "*",
        Op::Divide => "/",
        Op::Remainder => "%",
        Op::Equal => "==",
        Op::NotEqual => "!=",
        Op::Less => "<",
        Op::LessEqual => "<=",
        Op::Greater => ">",
        Op::GreaterEqual => ">=",
        Op::In => "in",
        Op::And => "and",
        Op::Or => "or",
        Op::Coalesce => "??",
    }
}
