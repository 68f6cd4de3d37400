//! Where everything in the picture goes. A region is placed as a node whose
//! inside was placed before, so every block is a small picture of its own.

use flow_core::plan::Edge;

use super::layer::{GAP, Graph};
use super::order::Layered;
use super::spread::{Slot, spread};
use super::text::{Face, width};
use super::{Picture, effect_word};
use crate::outline::{Arm, Kind, Part};
use crate::wording::clip;

/// What lies between two layers, at least.
const DROP: f64 = 44.0;

/// What lies between the frame of a region and its inside.
const PAD: f64 = 16.0;

/// Size of names.
pub(super) const NAME_SIZE: f64 = 13.0;

/// Size of everything smaller.
pub(super) const SMALL_SIZE: f64 = 11.0;

/// With more bends than these long edges go straight through.
const BENDS_MAX: usize = 40_000;

/// Bends take little room.
const BEND: f64 = 10.0;

/// Something with a frame, placed inside of what is around it.
#[derive(Debug)]
pub(super) struct Shape {
    /// The left edge.
    pub(super) x: f64,
    /// The upper edge.
    pub(super) y: f64,
    /// Its width.
    pub(super) w: f64,
    /// Its height.
    pub(super) h: f64,
    /// What it looks like.
    pub(super) look: Look,
    /// The word of its effect.
    pub(super) effect: &'static str,
    /// What is said on hovering over it.
    pub(super) title: String,
    /// What is written in it.
    pub(super) lines: Vec<Line>,
    /// What is inside.
    pub(super) blocks: Vec<Block>,
}

/// The kinds of frames.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Look {
    /// A step.
    Step,
    /// An expression.
    Value,
    /// Something with an inside.
    Region,
    /// What the workflow gives.
    Result,
}

/// A line of text.
#[derive(Debug)]
pub(super) struct Line {
    /// The left end.
    pub(super) x: f64,
    /// The line that letters stand on.
    pub(super) y: f64,
    /// What is written.
    pub(super) text: String,
    /// In which letters.
    pub(super) class: &'static str,
}

/// Parts that stand together.
#[derive(Debug, Default)]
pub(super) struct Block {
    /// The left edge.
    pub(super) x: f64,
    /// The upper edge.
    pub(super) y: f64,
    /// Its width.
    pub(super) w: f64,
    /// Its height.
    pub(super) h: f64,
    /// The word of an arm, with a frame around it.
    pub(super) arm: Option<String>,
    /// What is in it.
    pub(super) shapes: Vec<Shape>,
    /// What joins them.
    pub(super) curves: Vec<Curve>,
}

/// A line from one shape to another.
#[derive(Debug)]
pub(super) struct Curve {
    /// Its points: each pair is a straight line, then a bend to the next pair.
    pub(super) runs: Vec<Run>,
    /// Why it is there.
    pub(super) why: Edge,
}

/// A straight line down.
#[derive(Debug, Clone, Copy)]
pub(super) struct Run {
    /// Where it is, across.
    pub(super) x: f64,
    /// Where it starts.
    pub(super) from: f64,
    /// Where it ends.
    pub(super) to: f64,
}

/// Places a whole workflow.
pub(super) fn place(picture: &Picture<'_>) -> Block {
    let arms = &picture.outline.arms;
    arms.first().map(|arm| block(arm, true)).unwrap_or_default()
}

fn shape(part: &Part) -> Shape {
    let mut shape = Shape {
        x: 0.0,
        y: 0.0,
        w: 0.0,
        h: 0.0,
        look: match part.kind {
            Kind::Value => Look::Value,
            Kind::Step => Look::Step,
            Kind::Region => Look::Region,
        },
        effect: effect_word(part.effect),
        title: format!("{} · {} · {}", part.path, part.head, part.notes.join(", ")),
        lines: Vec::new(),
        blocks: Vec::new(),
    };
    let is_choice = part.kind == Kind::Region && part.arms.iter().any(|arm| arm.name.is_some());
    if !is_choice && part.arms.iter().all(|arm| arm.parts.is_empty()) {
        leaf(part, &mut shape);
    } else {
        region(part, &mut shape);
    }
    shape
}

fn leaf(part: &Part, shape: &mut Shape) {
    let name = clip(&part.name, 34);
    let head = clip(&part.head, 40);
    let mut wide = width(&name, Face::Bold, NAME_SIZE);
    shape.lines.push(line(16.0, 20.0, name, "name"));
    shape.h = 32.0;
    if *part.name != *part.head {
        wide = wide.max(width(&head, Face::Mono, SMALL_SIZE));
        shape.lines.push(line(16.0, 37.0, head, "head"));
        shape.h = 48.0;
    }
    shape.w = (wide + 32.0).max(72.0);
}

fn region(part: &Part, shape: &mut Shape) {
    let (mut name, head) = (clip(&part.name, 34), clip(&part.head, 60));
    // A region without a name is called by its first word.
    let is_named = !part.head.starts_with(&*part.name);
    if !is_named {
        name.clone_from(&head);
    }
    let mut wide = width(&name, Face::Bold, NAME_SIZE);
    let mut top = 22.0;
    if is_named {
        let x = PAD + wide + 10.0;
        wide += 10.0 + width(&head, Face::Mono, SMALL_SIZE);
        shape.lines.push(line(x, top, head, "head"));
    }
    shape.lines.push(line(PAD, top, name, "name"));
    let notes = clip(&part.notes.join(" · "), 80);
    if !notes.is_empty() {
        top += 17.0;
        wide = wide.max(width(&notes, Face::Sans, SMALL_SIZE));
        shape.lines.push(line(PAD, top, notes, "note"));
    }
    top += 14.0;
    let mut x = PAD;
    let mut deepest = 0.0_f64;
    for arm in &part.arms {
        let Some(mut inside) = arm_block(arm) else {
            continue;
        };
        inside.x = x;
        inside.y = top;
        x += inside.w + PAD;
        deepest = deepest.max(inside.h);
        shape.blocks.push(inside);
    }
    for inside in &mut shape.blocks {
        if inside.arm.is_some() {
            inside.h = deepest;
        }
    }
    // A short inside stands in the middle under a long title.
    let missing = (wide + 2.0 * PAD - x).max(0.0);
    for inside in &mut shape.blocks {
        inside.x += missing / 2.0;
    }
    shape.w = x + missing;
    shape.h = top + deepest + PAD;
}

/// Places an arm; one with a name gets a frame and the value it gives.
fn arm_block(arm: &Arm) -> Option<Block> {
    let Some(name) = &arm.name else {
        return Some(block(arm, false)).filter(|block| !block.shapes.is_empty());
    };
    let label = match &arm.result {
        Some(result) if arm.parts.is_empty() => format!("{name}: {}", clip(result, 32)),
        Some(_) | None => name.clone(),
    };
    let mut inside = block(arm, false);
    let wide = width(&label, Face::Sans, SMALL_SIZE) + 24.0;
    let (head, pad) = (24.0, 12.0);
    let shift = (wide - inside.w - 2.0 * pad).max(0.0) / 2.0 + pad;
    for shape in &mut inside.shapes {
        shape.x += shift;
        shape.y += head;
    }
    for run in inside.curves.iter_mut().flat_map(|curve| &mut curve.runs) {
        run.x += shift;
        run.from += head;
        run.to += head;
    }
    inside.w = (inside.w + 2.0 * pad).max(wide);
    inside.h += head + if arm.parts.is_empty() { 0.0 } else { pad };
    inside.arm = Some(label);
    Some(inside)
}

fn line(x: f64, y: f64, text: String, class: &'static str) -> Line {
    Line { x, y, text, class }
}

/// Places the parts of a block in layers.
fn block(arm: &Arm, with_result: bool) -> Block {
    let mut shapes: Vec<Shape> = arm.parts.iter().map(shape).collect();
    let mut edges = arm.edges.clone();
    if let Some(result) = arm.result.as_ref().filter(|_| with_result) {
        let text = format!("return {}", clip(result, 70));
        let at = shapes.len();
        edges.extend(arm.gives.iter().map(|from| (*from, at, Edge::Data)));
        shapes.push(Shape {
            x: 0.0,
            y: 0.0,
            w: width(&text, Face::Mono, SMALL_SIZE) + 32.0,
            h: 30.0,
            look: Look::Result,
            effect: "pure",
            title: text.clone(),
            lines: vec![line(16.0, 19.0, text, "head")],
            blocks: Vec::new(),
        });
    }
    let graph = Graph {
        widths: shapes.iter().map(|shape| shape.w).collect(),
        edges: edges.iter().map(|(from, to, _)| (*from, *to)).collect(),
    };
    let mut layers = graph.layers();
    if with_result && arm.result.is_some() {
        // What comes out stands below everything else.
        let last = layers.len() - 1;
        let lowest = layers[..last].iter().max().map_or(0, |max| max + 1);
        layers[last] = lowest;
    }
    let mut woven = Woven::new(&shapes, &layers, &edges);
    woven.layered.order();
    woven.place(shapes, &edges)
}

/// A block whose long edges are cut into short ones by bends.
struct Woven {
    layered: Layered,
    slots: Vec<Slot>,
    /// The nodes that each edge goes through, its ends included.
    ways: Vec<Vec<usize>>,
}

impl Woven {
    fn new(shapes: &[Shape], layers: &[usize], edges: &[(usize, usize, Edge)]) -> Self {
        let count = layers.iter().max().map_or(0, |max| max + 1);
        let mut layered = Layered {
            layers: vec![Vec::new(); count],
            above: vec![Vec::new(); shapes.len()],
            below: vec![Vec::new(); shapes.len()],
        };
        for (node, layer) in layers.iter().enumerate() {
            layered.layers[*layer].push(node);
        }
        let length = |(from, to, _): &(usize, usize, Edge)| layers[*to] - layers[*from] - 1;
        let bends: usize = edges.iter().map(length).sum();
        let mut ways = Vec::with_capacity(edges.len());
        for (from, to, _) in edges {
            let mut way = vec![*from];
            let first = if bends > BENDS_MAX {
                layers[*to]
            } else {
                layers[*from] + 1
            };
            for layer in first..layers[*to] {
                let bend = layered.above.len();
                layered.above.push(Vec::new());
                layered.below.push(Vec::new());
                layered.layers[layer].push(bend);
                way.push(bend);
            }
            way.push(*to);
            for pair in way.windows(2) {
                layered.below[pair[0]].push(pair[1]);
                layered.above[pair[1]].push(pair[0]);
            }
            ways.push(way);
        }
        let slots = (0..layered.above.len()).map(|node| Slot {
            width: shapes.get(node).map_or(BEND, |shape| shape.w),
            above: layered.above[node].clone(),
            below: layered.below[node].clone(),
            is_bend: node >= shapes.len(),
        });
        Self {
            slots: slots.collect(),
            layered,
            ways,
        }
    }

    fn place(self, mut shapes: Vec<Shape>, edges: &[(usize, usize, Edge)]) -> Block {
        let layers = &self.layered.layers;
        let middles = spread(layers, &self.slots, GAP);
        let mut rows: Vec<(f64, f64)> = Vec::with_capacity(layers.len());
        let mut at = vec![0; middles.len()];
        let mut y = 0.0;
        for (number, layer) in layers.iter().enumerate() {
            let tallest = layer.iter().filter_map(|node| shapes.get(*node));
            let tallest = tallest.map(|shape| shape.h).fold(0.0, f64::max);
            rows.push((y, y + tallest));
            let joins: usize = layer.iter().map(|n| self.slots[*n].below.len()).sum();
            y += tallest + DROP + crowd(joins);
            for node in layer {
                at[*node] = number;
            }
        }
        for (node, shape) in shapes.iter_mut().enumerate() {
            shape.x = middles[node] - shape.w / 2.0;
            shape.y = rows[at[node]].0;
        }
        let curves = self.ways.iter().zip(edges).map(|(way, (from, to, why))| {
            let mut runs: Vec<Run> = Vec::with_capacity(way.len());
            for (hop, node) in way.iter().enumerate() {
                let (top, bottom) = rows[at[*node]];
                let run = match hop {
                    0 => Run {
                        x: port(&shapes[*from], middles[way[1]]),
                        from: shapes[*from].y + shapes[*from].h,
                        to: bottom,
                    },
                    last if last + 1 == way.len() => Run {
                        x: port(&shapes[*to], middles[way[last - 1]]),
                        from: top,
                        to: top,
                    },
                    _ => Run {
                        x: middles[*node],
                        from: top,
                        to: bottom,
                    },
                };
                runs.push(run);
            }
            Curve { runs, why: *why }
        });
        let curves: Vec<Curve> = curves.collect();
        let right = shapes.iter().map(|shape| shape.x + shape.w);
        let bends = middles.iter().skip(shapes.len()).map(|x| x + BEND / 2.0);
        Block {
            x: 0.0,
            y: 0.0,
            w: right.chain(bends).fold(0.0, f64::max),
            h: rows.last().map_or(0.0, |(_, bottom)| *bottom),
            arm: None,
            shapes,
            curves,
        }
    }
}

/// Many edges between two layers need room to bend.
fn crowd(joins: usize) -> f64 {
    let joins = u32::try_from(joins.min(16)).unwrap_or(16);
    f64::from(joins) * 2.0
}

/// Returns where an edge meets a shape: towards where it comes from. Wide
/// shapes are met anywhere, narrow ones near the middle.
fn port(shape: &Shape, towards: f64) -> f64 {
    let middle = shape.x + shape.w / 2.0;
    let reach = (shape.w / 2.0 - 18.0).max(0.0);
    let pull = match shape.look {
        Look::Region => 1.0,
        Look::Step if !shape.blocks.is_empty() => 1.0,
        Look::Step | Look::Value | Look::Result => 0.35,
    };
    middle + ((towards - middle) * pull).clamp(-reach, reach)
}
