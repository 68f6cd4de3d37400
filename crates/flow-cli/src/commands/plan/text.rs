//! A plan for people.

use std::fmt::Write;

use flow_core::amount::Money;
use flow_core::cost::Total;
use flow_core::effect::Effect;
use flow_core::plan::{Budget, NodeKind};

use super::{Shown, input, is_required};
use crate::outline::Part;
use crate::output::Looks;
use crate::report::counted;
use crate::wording::{self, clip};

/// Writes all that is known of a plan.
pub(super) fn plan(shown: &Shown<'_>, looks: Looks) -> String {
    let mut page = Page {
        out: String::new(),
        looks,
    };
    page.title(shown);
    page.steps(shown);
    page.parallelism(shown);
    page.effects(shown);
    page.programs(shown);
    page.budgets(shown);
    page.cost(shown);
    page.out
}

struct Page {
    out: String,
    looks: Looks,
}

/// A line of the list of steps.
struct Row {
    name: String,
    head: String,
    effect: Option<Effect>,
    notes: String,
}

impl Page {
    fn line(&mut self, text: &str) {
        self.out.push_str(text.trim_end());
        self.out.push('\n');
    }

    fn heading(&mut self, text: &str) {
        let text = self.styled("1", text);
        self.out.push('\n');
        self.line(&text);
    }

    fn styled(&self, code: &str, text: &str) -> String {
        if self.looks.color && !code.is_empty() {
            format!("\u{1b}[{code}m{text}\u{1b}[0m")
        } else {
            text.to_owned()
        }
    }

    fn title(&mut self, shown: &Shown<'_>) {
        let workflow = shown.workflow;
        let returns = workflow.returns.as_ref();
        let returns = returns.map_or_else(String::new, |ty| format!(" -> {ty}"));
        let name = self.styled("1", &workflow.name);
        self.line(&format!("{name}{returns}"));
        for line in workflow.docs.lines() {
            self.line(&format!("  {line}"));
        }
        if workflow.params.is_empty() {
            return;
        }
        self.heading("Inputs");
        let width = workflow.params.iter().map(|p| input(p).chars().count());
        let width = width.max().unwrap_or(0).min(48);
        for param in &workflow.params {
            let given = match shown.given.get(&param.name) {
                Some(value) => format!("= {}", clip(value, 40)),
                None if is_required(param) => "to be given".to_owned(),
                None => "has a default".to_owned(),
            };
            let text = format!("  {:width$}  {given}", input(param));
            self.line(&text);
        }
    }

    fn steps(&mut self, shown: &Shown<'_>) {
        self.heading("Steps");
        let mut rows = Vec::new();
        rows_inside(&shown.outline, 0, &mut rows);
        let wide = |text: &dyn Fn(&Row) -> usize, most: usize| {
            rows.iter().map(text).max().unwrap_or(0).min(most)
        };
        let name = wide(&|row| row.name.chars().count(), 36);
        let effect = wide(
            &|row| row.effect.map_or(0, |e| wording::effect(e).len()),
            20,
        );
        // What stands between the name and the effect gets the room that is
        // left, two blanks around each.
        let room = self.looks.width.saturating_sub(name + effect + 6).max(12);
        let head = wide(&|row| row.head.chars().count(), room.min(60));
        for row in &rows {
            let word = row.effect.map_or_else(String::new, wording::effect);
            let word = format!("{word:effect$}");
            let word = self.styled(row.effect.map_or("", color), &word);
            let text = format!(
                "  {:name$}  {:head$}  {word}",
                row.name,
                clip(&row.head, head)
            );
            let used = name.max(row.name.chars().count()) + head + effect + 6;
            if row.notes.is_empty() {
                self.line(&text);
            } else if used + 2 + row.notes.chars().count() <= self.looks.width {
                self.line(&format!("{text}  {}", row.notes));
            } else {
                self.line(&text);
                let indent = row.name.chars().take_while(|c| *c == ' ').count() + 5;
                self.line(&format!("{:indent$}{}", "", row.notes));
            }
        }
        if rows.is_empty() {
            self.line("  none");
        }
    }

    fn parallelism(&mut self, shown: &Shown<'_>) {
        let levels = shown.outline.levels();
        if levels == 0 {
            return;
        }
        self.heading("Parallelism");
        let row = counted(levels, "step");
        let wide = usize::try_from(shown.outline.width).unwrap_or(usize::MAX);
        let wide = counted(wide, "step");
        self.line(&format!(
            "  {row} one after the other at least, up to {wide} at once"
        ));
        self.line("  steps of one block with the same number can run at once");
    }

    fn effects(&mut self, shown: &Shown<'_>) {
        self.heading("Effects");
        let effects = shown.effects();
        if effects.is_empty() {
            self.line("  none: it costs nothing and changes nothing outside");
        }
        for ((effect, step), paths) in &effects {
            let text = match effect.strip_prefix("act ") {
                Some(manner) => format!("  acts on: {step} ({manner})"),
                None => format!("  costs money: {step}"),
            };
            self.line(&text);
            for path in paths.iter().take(8) {
                self.line(&format!("    at {path}"));
            }
            if paths.len() > 8 {
                self.line(&format!("    and at {} more places", paths.len() - 8));
            }
        }
    }

    fn programs(&mut self, shown: &Shown<'_>) {
        let programs = shown.programs();
        if programs.is_empty() {
            return;
        }
        self.heading("Programs");
        let width = programs.keys().map(|run| run.chars().count());
        let width = width.max().unwrap_or(0).min(48);
        for (run, steps) in &programs {
            let steps: Vec<&str> = steps.iter().map(AsRef::as_ref).collect();
            self.line(&format!("  {run:width$}  {}", steps.join(", ")));
        }
    }

    fn budgets(&mut self, shown: &Shown<'_>) {
        let mut found: Vec<String> = Vec::new();
        shown.outline.each(&mut |part| {
            for limit in budgets_of(shown, part) {
                found.push(format!("  {}  {limit}", part.path));
            }
        });
        if found.is_empty() {
            return;
        }
        self.heading("Budgets");
        for line in &found {
            self.line(line);
        }
        for over in &shown.over {
            let text = format!(
                "  the worst case of {} is {}, above its budget of {}",
                over.path, over.total, over.budget
            );
            let text = self.styled("33", &text);
            self.line(&text);
        }
    }

    fn cost(&mut self, shown: &Shown<'_>) {
        let total = shown.cost.total();
        let mut heading = match &total {
            Total::Known(Money(0)) => "Cost: nothing".to_owned(),
            Total::Known(amount) => format!("Cost: at most {amount}"),
            Total::Unbounded(_) => "Cost: without a bound".to_owned(),
        };
        let capped = shown.cost.total_capped();
        if capped != total {
            write!(heading, ", kept to {capped} by its budgets").ok();
        }
        self.heading(&heading);
        if let Total::Unbounded(reasons) = &total {
            for reason in reasons {
                self.line(&format!("  {reason}"));
            }
        }
        let terms = shown.cost.terms();
        let amount = |term: &flow_core::cost::Term| {
            (term.amount).map_or_else(|| "?".to_owned(), |amount| amount.to_string())
        };
        let width = terms
            .iter()
            .map(|term| amount(term).len())
            .max()
            .unwrap_or(0);
        let path = terms.iter().map(|term| term.path.chars().count());
        let path = path.max().unwrap_or(0).min(48);
        for term in &terms {
            let alternative = if term.is_alternative {
                " (another arm is dearer)"
            } else {
                ""
            };
            let text = format!(
                "  {:>width$}  {:path$}  {term}{alternative}",
                amount(term),
                term.path
            );
            self.line(&text);
        }
    }
}

/// Adds the rows of what is inside of a part.
fn rows_inside(part: &Part, depth: usize, rows: &mut Vec<Row>) {
    for arm in &part.arms {
        let mut below = depth;
        if let Some(name) = &arm.name {
            let indent = "   ".repeat(depth);
            rows.push(Row {
                name: format!("{indent}{name}"),
                head: String::new(),
                effect: None,
                notes: match &arm.result {
                    Some(result) if arm.parts.is_empty() => format!("gives {result}"),
                    Some(_) | None => String::new(),
                },
            });
            below += 1;
        }
        for part in &arm.parts {
            let indent = "   ".repeat(below);
            let mut notes = part.notes.clone();
            notes.extend(part.pools.iter().map(|pool| format!("pool {pool}")));
            rows.push(Row {
                name: format!("{indent}{:<3}{}", part.level + 1, part.name),
                head: part.head.clone(),
                effect: Some(part.effect),
                notes: notes.join(", "),
            });
            rows_inside(part, below + 1, rows);
        }
    }
}

fn budgets_of(shown: &Shown<'_>, part: &Part) -> Vec<String> {
    let limits = match &shown.plan.node(part.id).kind {
        NodeKind::Value(_) | NodeKind::If(_) | NodeKind::Match(_) => Vec::new(),
        NodeKind::Step(step) => vec![&step.policies.limits],
        NodeKind::Workflow(workflow) => vec![&workflow.limits, &workflow.policies.limits],
        NodeKind::For(each) => vec![&each.limits],
        NodeKind::Repeat(repeat) => vec![&repeat.limits],
        NodeKind::Race(race) => vec![&race.limits],
        NodeKind::Parallel(parallel) => vec![&parallel.limits],
    };
    let money = |budget: &Budget| wording::budget(shown.plan, budget);
    let mut out = Vec::new();
    for limits in limits {
        out.extend(limits.budget.as_ref().map(money));
        let within = limits.within.as_ref();
        out.extend(within.map(|length| format!("within {}", wording::expr(shown.plan, length))));
    }
    out
}

fn color(effect: Effect) -> &'static str {
    match effect {
        Effect::Pure => "2",
        Effect::Read => "36",
        Effect::Paid => "33",
        Effect::Act(_) => "31",
    }
}
