//! A plan as text for Graphviz.

use std::fmt::Write;

use flow_core::plan::Edge;

use super::{Picture, effect_word};
use crate::outline::{Arm, Kind, Part};
use crate::wording::clip;

/// Writes a plan as a digraph; regions are clusters.
pub(crate) fn dot(picture: &Picture<'_>) -> String {
    let mut out = String::from("digraph flow {\n");
    writeln!(out, "  label={};", quoted(&picture.title)).ok();
    out.push_str(
        "  labelloc=t; compound=true; rankdir=TB; fontname=\"Helvetica\";\n  \
         node [fontname=\"Helvetica\", style=\"filled,rounded\", shape=box];\n  \
         edge [fontname=\"Helvetica\", color=\"#7b8794\"];\n",
    );
    for arm in &picture.outline.arms {
        block(&mut out, arm, 1);
    }
    out.push_str("}\n");
    out
}

fn block(out: &mut String, arm: &Arm, depth: usize) {
    let indent = "  ".repeat(depth);
    for part in &arm.parts {
        node(out, part, depth);
    }
    for (from, to, why) in &arm.edges {
        let (from, to) = (&arm.parts[*from], &arm.parts[*to]);
        let mut style = Vec::new();
        // Graphviz joins nodes only; the ends are cut at the clusters.
        if is_cluster(from) {
            style.push(format!("ltail=cluster_{}", from.id.0));
        }
        if is_cluster(to) {
            style.push(format!("lhead=cluster_{}", to.id.0));
        }
        match why {
            Edge::Data => {}
            Edge::Order => style.push("style=dashed".to_owned()),
            Edge::After => style.push("style=dotted".to_owned()),
        }
        let style = style.join(", ");
        let (from, to) = (from.id.0, to.id.0);
        writeln!(out, "{indent}n{from} -> n{to} [{style}];").ok();
    }
}

fn node(out: &mut String, part: &Part, depth: usize) {
    let indent = "  ".repeat(depth);
    let id = part.id.0;
    let (fill, line) = colors(part);
    let label = label(part);
    if !is_cluster(part) {
        let shape = match part.kind {
            Kind::Value => "ellipse",
            Kind::Step => "box",
            Kind::Region => "component",
        };
        let look = format!("shape={shape}, fillcolor=\"{fill}\", color=\"{line}\"");
        writeln!(out, "{indent}n{id} [label={label}, {look}];").ok();
        return;
    }
    writeln!(out, "{indent}subgraph cluster_{id} {{").ok();
    writeln!(
        out,
        "{indent}  label={label}; style=rounded; color=\"{line}\";"
    )
    .ok();
    // Every cluster needs a node that edges can end at.
    writeln!(out, "{indent}  n{id} [shape=point, style=invis];").ok();
    for (at, arm) in part.arms.iter().enumerate() {
        match &arm.name {
            Some(name) if !arm.parts.is_empty() => {
                writeln!(out, "{indent}  subgraph cluster_{id}_{at} {{").ok();
                writeln!(out, "{indent}    label={}; style=dashed;", quoted(name)).ok();
                block(out, arm, depth + 2);
                writeln!(out, "{indent}  }}").ok();
            }
            Some(_) | None => block(out, arm, depth + 1),
        }
    }
    writeln!(out, "{indent}}}").ok();
}

fn is_cluster(part: &Part) -> bool {
    part.arms.iter().any(|arm| !arm.parts.is_empty())
}

fn colors(part: &Part) -> (&'static str, &'static str) {
    match effect_word(part.effect) {
        "read" => ("#e0f3f2", "#2b8a85"),
        "paid" => ("#fdf1d8", "#b9820f"),
        "act" => ("#fde4e1", "#c8473a"),
        _ => ("#eef2f7", "#8a99ad"),
    }
}

fn label(part: &Part) -> String {
    if *part.name == *part.head {
        quoted(&part.name)
    } else {
        quoted(&format!("{}\n{}", part.name, clip(&part.head, 48)))
    }
}

fn quoted(text: &str) -> String {
    let text = text.replace('\\', "\\\\").replace('"', "\\\"");
    format!("\"{}\"", text.replace('\n', "\\n"))
}
