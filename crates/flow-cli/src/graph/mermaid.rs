//! A plan as text for Mermaid.

use std::fmt::Write;

use flow_core::plan::Edge;

use super::{Picture, effect_word};
use crate::outline::{Arm, Kind, Part};
use crate::wording::clip;

const CLASSES: &str = "  classDef pure fill:#eef2f7,stroke:#8a99ad,color:#1b2430
  classDef read fill:#e0f3f2,stroke:#2b8a85,color:#10302e
  classDef paid fill:#fdf1d8,stroke:#b9820f,color:#3a2a05
  classDef act fill:#fde4e1,stroke:#c8473a,color:#401510
";

/// Writes a plan as a flowchart.
pub(crate) fn mermaid(picture: &Picture<'_>) -> String {
    let mut out = format!("---\ntitle: {:?}\n---\nflowchart TD\n", picture.title);
    for arm in &picture.outline.arms {
        block(&mut out, arm, 1);
    }
    out.push_str(CLASSES);
    out
}

fn block(out: &mut String, arm: &Arm, depth: usize) {
    let indent = "  ".repeat(depth);
    for part in &arm.parts {
        node(out, part, depth);
    }
    for (from, to, why) in &arm.edges {
        let arrow = match why {
            Edge::Data => "-->",
            Edge::Order => "-.->",
            Edge::After => "-. after .->",
        };
        let (from, to) = (id(&arm.parts[*from]), id(&arm.parts[*to]));
        writeln!(out, "{indent}{from} {arrow} {to}").ok();
    }
}

fn node(out: &mut String, part: &Part, depth: usize) {
    let indent = "  ".repeat(depth);
    let (id, class) = (id(part), effect_word(part.effect));
    let label = label(part);
    if part.arms.iter().all(|arm| arm.parts.is_empty()) {
        let (open, close) = match part.kind {
            Kind::Value => ("([", "])"),
            Kind::Step => ("[", "]"),
            Kind::Region => ("[[", "]]"),
        };
        writeln!(out, "{indent}{id}{open}\"{label}\"{close}:::{class}").ok();
        return;
    }
    writeln!(out, "{indent}subgraph {id}[\"{label}\"]").ok();
    for (at, arm) in part.arms.iter().enumerate() {
        match &arm.name {
            Some(name) if !arm.parts.is_empty() => {
                writeln!(out, "{indent}  subgraph {id}_{at}[\"{}\"]", escaped(name)).ok();
                block(out, arm, depth + 2);
                writeln!(out, "{indent}  end").ok();
            }
            Some(_) | None => block(out, arm, depth + 1),
        }
    }
    writeln!(out, "{indent}end").ok();
    writeln!(out, "{indent}class {id} {class}").ok();
}

fn id(part: &Part) -> String {
    format!("n{}", part.id.0)
}

fn label(part: &Part) -> String {
    let head = escaped(&clip(&part.head, 48));
    let name = escaped(&part.name);
    if *part.name == *part.head {
        name
    } else {
        format!("{name}<br/>{head}")
    }
}

/// Nothing in a label may end it, or be taken for markup.
fn escaped(text: &str) -> String {
    let mut out = String::new();
    for letter in text.chars() {
        match letter {
            '"' => out.push_str("#quot;"),
            '#' => out.push_str("#35;"),
            '<' => out.push_str("#lt;"),
            '>' => out.push_str("#gt;"),
            '&' => out.push_str("#amp;"),
            '`' => out.push_str("#96;"),
            _ => out.push(letter),
        }
    }
    out
}
