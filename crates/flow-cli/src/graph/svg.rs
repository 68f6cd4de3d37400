//! A plan as a picture that is complete in itself: no scripts, no fonts, no
//! links; light or dark as the reader likes it.

use std::fmt::Write;

use flow_core::plan::Edge;

use super::Picture;
use super::place::{Block, Curve, Look, NAME_SIZE, SMALL_SIZE, Shape, place};
use super::text::{Face, width};
use crate::wording::clip;

const MARGIN: f64 = 28.0;

const STYLE: &str = "\
.bg{fill:#fff}\
text{font-family:system-ui,-apple-system,'Segoe UI',Roboto,'Helvetica Neue',Arial,'DejaVu Sans',sans-serif;fill:#1b2430}\
.title{font-size:18px;font-weight:600}.about{font-size:13px;fill:#55606e}\
.name{font-size:13px;font-weight:600}.note,.arm-name{font-size:11px;fill:#55606e}\
.head{font-family:ui-monospace,SFMono-Regular,Menlo,Consolas,'DejaVu Sans Mono',monospace;font-size:11px;fill:#45505e}\
.box.pure{fill:#f1f4f8;stroke:#8a99ad}.box.read{fill:#e0f3f2;stroke:#2b8a85}\
.box.paid{fill:#fdf1d8;stroke:#b9820f}.box.act{fill:#fde4e1;stroke:#c8473a}\
.bar.pure{fill:#8a99ad}.bar.read{fill:#2b8a85}.bar.paid{fill:#b9820f}.bar.act{fill:#c8473a}\
.region{fill:#5b6b80;fill-opacity:.06;stroke-opacity:.8}\
.region.pure{stroke:#8a99ad}.region.read{stroke:#2b8a85}.region.paid{stroke:#b9820f}.region.act{stroke:#c8473a}\
.arm{fill:none;stroke:#8a99ad;stroke-opacity:.7;stroke-dasharray:3 3}\
.result{fill:#fff;stroke:#45505e}.chip{fill:#f1f4f8;stroke:#c3ccd8}\
.edge{fill:none;stroke:#7b8794;stroke-width:1.4}.order{stroke-dasharray:6 4}.after{stroke-dasharray:2 4}.tip{fill:#7b8794}\
";

const DARK: &str = "\
.bg{fill:#12161c}text{fill:#e6ebf2}.about,.note,.arm-name{fill:#9aa7b8}.head{fill:#b5c0cf}\
.box.pure{fill:#232a34;stroke:#76869b}.box.read{fill:#12312f;stroke:#3fa79f}\
.box.paid{fill:#382c10;stroke:#d0a03c}.box.act{fill:#3d1e1b;stroke:#e0705f}\
.bar.pure{fill:#76869b}.bar.read{fill:#3fa79f}.bar.paid{fill:#d0a03c}.bar.act{fill:#e0705f}\
.region{fill:#9db2d0;fill-opacity:.06}\
.region.pure{stroke:#76869b}.region.read{stroke:#3fa79f}.region.paid{stroke:#d0a03c}.region.act{stroke:#e0705f}\
.result{fill:#12161c;stroke:#9aa7b8}.chip{fill:#1d242d;stroke:#3a4656}\
.edge{stroke:#7f8da0}.tip{fill:#7f8da0}\
";

/// Draws a plan.
pub(crate) fn svg(picture: &Picture<'_>) -> String {
    let block = place(picture);
    let mut pen = Pen { out: String::new() };
    let chips = chips(picture, block.w.max(560.0));
    let head = pen.measure_head(picture, &chips);
    let legend = 34.0;
    let wide = block.w.max(head.0).max(legend_width()) + 2.0 * MARGIN;
    let tall = MARGIN + head.1 + block.h + legend + 2.0 * MARGIN;
    pen.open(picture, wide, tall);
    pen.head(picture, &chips);
    let left = (wide - block.w) / 2.0;
    pen.group(left, MARGIN + head.1, |pen| pen.block(&block));
    pen.legend(tall - MARGIN, wide);
    pen.out.push_str("</svg>\n");
    pen.out
}

/// What the colours mean.
const EFFECTS: [(&str, &str); 4] = [
    ("pure", "computes"),
    ("read", "reads"),
    ("paid", "costs money"),
    ("act", "changes the world"),
];

/// What the lines mean.
const EDGES: [(&str, &str); 2] = [("edge", "gives its value"), ("edge order", "goes first")];

fn legend_item(says: &str) -> f64 {
    25.0 + width(says, Face::Sans, SMALL_SIZE) + 18.0
}

fn legend_width() -> f64 {
    let says = EFFECTS
        .iter()
        .chain(&EDGES)
        .map(|(_, says)| legend_item(says));
    says.sum::<f64>() - 18.0
}

/// The inputs, as little frames in rows: left edge, row, width, text.
fn chips(picture: &Picture<'_>, room: f64) -> Vec<(f64, usize, f64, String)> {
    let mut chips = Vec::new();
    let (mut x, mut row) = (0.0, 0);
    for input in &picture.inputs {
        let text = clip(input, 44);
        let wide = width(&text, Face::Mono, SMALL_SIZE) + 18.0;
        if x > 0.0 && x + wide > room {
            x = 0.0;
            row += 1;
        }
        chips.push((x, row, wide, text));
        x += wide + 8.0;
    }
    chips
}

/// Writes the picture down.
struct Pen {
    out: String,
}

impl Pen {
    fn put(&mut self, text: &str) {
        self.out.push_str(text);
    }

    fn open(&mut self, picture: &Picture<'_>, wide: f64, tall: f64) {
        let (wide, tall) = (wide.ceil(), tall.ceil());
        let title = escaped(&picture.title);
        write!(
            self.out,
            "<svg xmlns=\"http://www.w3.org/2000/svg\" width=\"{wide}\" height=\"{tall}\" \
             viewBox=\"0 0 {wide} {tall}\" role=\"img\" aria-labelledby=\"flow-title\">\n\
             <title id=\"flow-title\">{title}</title>\n\
             <style>{STYLE}@media (prefers-color-scheme:dark){{{DARK}}}</style>\n\
             <defs><marker id=\"tip\" viewBox=\"0 0 8 8\" refX=\"7\" refY=\"4\" markerWidth=\"7\" \
             markerHeight=\"7\" orient=\"auto\"><path class=\"tip\" d=\"M0 .8 7.5 4 0 7.2z\"/></marker></defs>\n\
             <rect class=\"bg\" width=\"{wide}\" height=\"{tall}\"/>\n"
        )
        .ok();
    }

    /// Returns how wide and how tall the head is.
    #[expect(clippy::unused_self, reason = "it measures what `head` writes")]
    fn measure_head(
        &self,
        picture: &Picture<'_>,
        chips: &[(f64, usize, f64, String)],
    ) -> (f64, f64) {
        let title = width(&clip(&picture.title, 90), Face::Bold, 18.0);
        let about = width(&clip(&picture.about, 110), Face::Sans, NAME_SIZE);
        let chip = chips.iter().map(|(x, _, wide, _)| x + wide);
        let mut tall = 34.0;
        if !picture.about.is_empty() {
            tall += 20.0;
        }
        if let Some((_, row, _, _)) = chips.last() {
            tall += 30.0 * f64::from(u32::try_from(row + 1).unwrap_or(1));
        }
        (title.max(about).max(chip.fold(0.0, f64::max)), tall + 14.0)
    }

    fn head(&mut self, picture: &Picture<'_>, chips: &[(f64, usize, f64, String)]) {
        let mut y = MARGIN + 16.0;
        self.text(MARGIN, y, "title", &clip(&picture.title, 90));
        if !picture.about.is_empty() {
            y += 22.0;
            self.text(MARGIN, y, "about", &clip(&picture.about, 110));
        }
        y += 14.0;
        for (x, row, wide, text) in chips {
            let top = y + 30.0 * f64::from(u32::try_from(*row).unwrap_or(0));
            let left = MARGIN + x;
            self.rect("chip", left, top, *wide, 22.0, 11.0);
            self.text(left + 9.0, top + 15.0, "head", text);
        }
    }

    fn group(&mut self, x: f64, y: f64, inside: impl FnOnce(&mut Self)) {
        let (x, y) = (number(x), number(y));
        self.put(&format!("<g transform=\"translate({x} {y})\">\n"));
        inside(self);
        self.put("</g>\n");
    }

    fn block(&mut self, block: &Block) {
        if let Some(name) = &block.arm {
            self.rect("arm", 0.0, 0.0, block.w, block.h, 8.0);
            self.text(12.0, 16.0, "arm-name", name);
        }
        for curve in &block.curves {
            self.curve(curve);
        }
        for shape in &block.shapes {
            self.group(shape.x, shape.y, |pen| pen.shape(shape));
        }
    }

    fn shape(&mut self, shape: &Shape) {
        let (w, h) = (shape.w, shape.h);
        self.put(&format!("<title>{}</title>", escaped(&shape.title)));
        let class = |base: &str| format!("{base} {}", shape.effect);
        match shape.look {
            Look::Step => {
                self.rect(&class("box"), 0.0, 0.0, w, h, 7.0);
                self.put(&format!(
                    "<path class=\"{}\" d=\"M7 0H5.5V{h}H7A7 7 0 0 1 0 {}V7A7 7 0 0 1 7 0z\"/>",
                    class("bar"),
                    number(h - 7.0),
                    h = number(h)
                ));
            }
            Look::Value => self.rect(&class("box"), 0.0, 0.0, w, h, (h / 2.0).min(20.0)),
            Look::Region => self.rect(&class("region"), 0.0, 0.0, w, h, 12.0),
            Look::Result => self.rect("result", 0.0, 0.0, w, h, 15.0),
        }
        for line in &shape.lines {
            self.text(line.x, line.y, line.class, &line.text);
        }
        for block in &shape.blocks {
            self.group(block.x, block.y, |pen| pen.block(block));
        }
    }

    fn curve(&mut self, curve: &Curve) {
        let mut path = String::new();
        for (at, run) in curve.runs.iter().enumerate() {
            let (x, from, to) = (number(run.x), number(run.from), number(run.to));
            let before = at.checked_sub(1).and_then(|at| curve.runs.get(at));
            if let Some(before) = before {
                let middle = number(f64::midpoint(before.to, run.from));
                let start = number(before.x);
                write!(path, "C{start} {middle} {x} {middle} {x} {from}").ok();
            } else {
                write!(path, "M{x} {from}").ok();
            }
            if from != to {
                write!(path, "V{to}").ok();
            }
        }
        let class = match curve.why {
            Edge::Data => "edge",
            Edge::Order => "edge order",
            Edge::After => "edge after",
        };
        self.put(&format!(
            "<path class=\"{class}\" d=\"{path}\" marker-end=\"url(#tip)\"/>\n"
        ));
    }

    fn legend(&mut self, y: f64, wide: f64) {
        let mut x = ((wide - legend_width()) / 2.0).max(MARGIN);
        for (effect, says) in EFFECTS {
            self.rect(&format!("box {effect}"), x, y - 11.0, 18.0, 14.0, 4.0);
            self.text(x + 25.0, y, "note", says);
            x += legend_item(says);
        }
        for (class, says) in EDGES {
            let (left, line) = (number(x), number(y - 4.0));
            self.put(&format!(
                "<path class=\"{class}\" d=\"M{left} {line}h20\" marker-end=\"url(#tip)\"/>"
            ));
            self.text(x + 25.0, y, "note", says);
            x += legend_item(says);
        }
    }

    fn rect(&mut self, class: &str, x: f64, y: f64, w: f64, h: f64, round: f64) {
        let (x, y, w, h, round) = (number(x), number(y), number(w), number(h), number(round));
        self.put(&format!(
            "<rect class=\"{class}\" x=\"{x}\" y=\"{y}\" width=\"{w}\" height=\"{h}\" rx=\"{round}\"/>"
        ));
    }

    fn text(&mut self, x: f64, y: f64, class: &str, text: &str) {
        let (x, y, text) = (number(x), number(y), escaped(text));
        self.put(&format!(
            "<text class=\"{class}\" x=\"{x}\" y=\"{y}\">{text}</text>\n"
        ));
    }
}

/// Writes a length with at most one digit behind the point.
fn number(length: f64) -> String {
    let text = format!("{length:.1}");
    text.strip_suffix(".0").map_or(text.clone(), str::to_owned)
}

/// Nothing in a text may be taken for markup; XML has no control characters.
fn escaped(text: &str) -> String {
    let mut out = String::new();
    for letter in text.chars() {
        match letter {
            '<' => out.push_str("&lt;"),
            '>' => out.push_str("&gt;"),
            '&' => out.push_str("&amp;"),
            '"' => out.push_str("&quot;"),
            '\u{fffe}' | '\u{ffff}' => out.push('\u{fffd}'),
            _ if letter.is_control() => out.push(' '),
            _ => out.push(letter),
        }
    }
    out
}
