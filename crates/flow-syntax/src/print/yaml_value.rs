//! YAML line by line: keys, values and the comments around them.

use super::anchors::{Place, arg_place, entry_place, place};
use super::doc::{STEP, WIDTH};
use super::trivia::{Notes, Pending, Remark, Trivia};
use super::yaml_scalar::{self, Scalar, Where, scalar};
use crate::ast::{Arg, Call, Entry, Expr, ExprKind};
use std::borrow::Cow;
use std::collections::BTreeSet;

/// Writes YAML.
#[derive(Debug)]
pub(super) struct Yaml {
    pub(super) out: String,
    pub(super) pending: Pending,
    /// Whether the next line begins with `- `.
    dash: bool,
    /// Comments that wait for the end of their line.
    waiting: Vec<String>,
    /// Comments that found no room there.
    later: Vec<String>,
}

/// What a value is in YAML.
enum Shape<'a> {
    Scalar(Scalar),
    Map(Vec<Pair<'a>>),
    List(&'a [Expr]),
}

/// A key and its value.
struct Pair<'a> {
    key: Cow<'a, str>,
    /// Without one, the binding that has the name of the key.
    value: Option<&'a Expr>,
    at: Place,
}

/// How a value is written.
enum Layout<'a> {
    /// On the line.
    Text(String),
    /// As a block scalar, with its head.
    Lines(&'static str, Scalar),
    /// On lines of their own.
    Map(Vec<Pair<'a>>),
    /// On lines of their own.
    List(&'a [Expr]),
}

impl Yaml {
    pub(super) fn new(trivia: &Trivia) -> Self {
        Self {
            out: String::new(),
            pending: Pending::new(trivia),
            dash: false,
            waiting: Vec::new(),
            later: Vec::new(),
        }
    }

    /// Begins a line at a level.
    pub(super) fn start(&mut self, level: usize) {
        self.catch_up(level);
        let blanks = STEP * (level - usize::from(self.dash));
        self.out.extend(std::iter::repeat_n(' ', blanks));
        if std::mem::take(&mut self.dash) {
            self.out.push_str("- ");
        }
    }

    /// Makes the next line the first of an item of a list.
    pub(super) fn begin_item(&mut self) {
        self.dash = true;
    }

    /// Puts a comment at the end of the line that is being written.
    pub(super) fn wait(&mut self, text: Option<String>) {
        self.waiting.extend(text);
    }

    /// Ends a line.
    pub(super) fn end(&mut self) {
        let mut waiting = self.waiting.drain(..);
        if let Some(text) = waiting.next() {
            self.out.push_str("  #");
            self.out.push_str(&text);
        }
        // One comment fits behind a line; the others get lines of their own.
        self.later.extend(waiting);
        self.out.push('\n');
    }

    /// Writes the comments that found no room behind a line.
    pub(super) fn catch_up(&mut self, level: usize) {
        for text in std::mem::take(&mut self.later) {
            self.comment(level - usize::from(self.dash), &text);
        }
    }

    /// Writes a comment on a line of its own.
    fn comment(&mut self, level: usize, text: &str) {
        self.out.extend(std::iter::repeat_n(' ', STEP * level));
        self.out.push('#');
        self.out.push_str(text);
        self.out.push('\n');
    }

    /// Leaves an empty line, but not a second one and not at the beginning.
    pub(super) fn blank(&mut self) {
        if !self.out.is_empty() && !self.out.ends_with("\n\n") {
            self.out.push('\n');
        }
    }

    /// Writes comments on lines of their own.
    pub(super) fn remarks(&mut self, level: usize, remarks: &[Remark], is_first: bool) {
        for (index, remark) in remarks.iter().enumerate() {
            if remark.blank_before && !(is_first && index == 0) {
                self.blank();
            }
            let level = level - usize::from(self.dash);
            for text in std::mem::take(&mut self.later) {
                self.comment(level, &text);
            }
            self.comment(level, &remark.text);
        }
    }

    /// Writes what stands before a part.
    pub(super) fn above(&mut self, level: usize, notes: &Notes, is_first: bool) {
        self.remarks(level, &notes.leading, is_first);
        if notes.blank_before && !(is_first && notes.leading.is_empty()) {
            self.blank();
        }
    }

    /// Writes documentation.
    pub(super) fn docs(&mut self, level: usize, docs: &str) {
        if docs.is_empty() {
            return;
        }
        let level = level - usize::from(self.dash);
        for line in docs.split('\n') {
            let line = super::flow_type::doc_line(line);
            self.comment(level, &line[1..]);
        }
    }

    /// Writes `key:`, and nothing behind it.
    pub(super) fn key(&mut self, level: usize, key: &str) {
        self.start(level);
        self.out.push_str(key);
        self.out.push(':');
    }

    /// Writes a key and text of the language.
    pub(super) fn line(&mut self, level: usize, key: &str, text: &str) {
        self.key(level, key);
        self.out.push(' ');
        self.out.push_str(&scalar(text, Where::Block));
        self.end();
    }

    /// Writes a key and text of the language with the comments of a part.
    pub(super) fn line_of(&mut self, level: usize, key: &str, text: &str, at: Place) {
        let notes = self.pending.take(at);
        // Between the keys of one thing there are no empty lines.
        self.remarks(level, &notes.leading, true);
        self.wait(notes.trailing);
        self.line(level, key, text);
        self.remarks(level, &notes.after, true);
    }

    /// Writes a key and a value with the comments of a part.
    pub(super) fn pair(&mut self, level: usize, key: &str, value: &Expr, at: Place) {
        let notes = self.pending.take(at);
        self.remarks(level, &notes.leading, true);
        self.wait(notes.trailing);
        let own = self.pending.take(place(value.span));
        self.remarks(level, &own.leading, true);
        self.wait(own.trailing);
        self.key(level, key);
        self.value(level, value);
        self.remarks(level, &own.after, true);
        self.remarks(level, &notes.after, true);
    }

    /// Writes a value behind a key.
    pub(super) fn value(&mut self, level: usize, value: &Expr) {
        let inside = self.pending.take_inside(place(value.span));
        let line = self.out.rsplit('\n').next().unwrap_or("");
        let column = line.chars().count() + 1;
        match self.layout(value, column) {
            Layout::Text(text) if text.is_empty() => self.end(),
            Layout::Text(text) => {
                self.out.push(' ');
                self.out.push_str(&text);
                self.end();
            }
            Layout::Lines(head, scalar) => {
                self.out.push(' ');
                self.lines(level + 1, head, &scalar.text);
            }
            Layout::Map(pairs) => {
                self.end();
                self.pairs(level + 1, &pairs);
            }
            Layout::List(items) => {
                self.end();
                self.list(level + 1, items);
            }
        }
        self.remarks(level + 1, &inside, true);
    }

    /// Writes the elements of a list, their dashes at a level.
    pub(super) fn list(&mut self, level: usize, items: &[Expr]) {
        for (index, item) in items.iter().enumerate() {
            let notes = self.pending.take(place(item.span));
            self.above(level, &notes, index == 0);
            self.wait(notes.trailing);
            self.element(level, item);
            self.remarks(level, &notes.after, true);
        }
    }

    /// Writes an element of a list, its dash at a level.
    pub(super) fn element(&mut self, level: usize, item: &Expr) {
        let inside = self.pending.take_inside(place(item.span));
        match self.layout(item, (level + 1) * STEP) {
            Layout::Text(text) => {
                self.begin_item();
                self.start(level + 1);
                self.out.push_str(&text);
                if text.is_empty() {
                    self.out.pop();
                }
                self.end();
            }
            Layout::Lines(head, scalar) => {
                self.begin_item();
                self.start(level + 1);
                self.lines(level + 1, head, &scalar.text);
            }
            Layout::Map(pairs) => {
                self.begin_item();
                self.pairs(level + 1, &pairs);
            }
            Layout::List(items) => {
                // A list in a list begins on the line below its dash.
                self.start(level);
                self.out.push('-');
                self.end();
                self.list(level + 1, items);
            }
        }
        self.remarks(level + 1, &inside, true);
    }

    fn pairs(&mut self, level: usize, pairs: &[Pair<'_>]) {
        for Pair { key, value, at } in pairs {
            let name = yaml_scalar::key(key);
            match value {
                Some(value) => self.pair(level, &name, value, *at),
                None => self.line_of(level, &name, &format!("${{{key}}}"), *at),
            }
        }
    }

    fn lines(&mut self, level: usize, head: &str, text: &str) {
        self.out.push_str(head);
        self.end();
        let body = text.strip_suffix('\n').unwrap_or(text);
        for line in body.split('\n') {
            if !line.is_empty() {
                self.out.extend(std::iter::repeat_n(' ', STEP * level));
                self.out.push_str(line);
            }
            self.out.push('\n');
        }
    }

    fn layout<'v>(&self, value: &'v Expr, column: usize) -> Layout<'v> {
        let is_free = || !self.pending.has_comments(place(value.span));
        match shape(value) {
            Shape::Scalar(scalar) => match scalar.block_head() {
                Some(head) => Layout::Lines(head, scalar),
                None => Layout::Text(scalar.one_line(Where::Block)),
            },
            Shape::Map(pairs) if pairs.is_empty() => Layout::Text("{}".to_owned()),
            Shape::List([]) => Layout::Text("[]".to_owned()),
            Shape::Map(pairs) => match flow_map(&pairs, column) {
                Some(text) if is_free() => Layout::Text(text),
                Some(_) | None => Layout::Map(pairs),
            },
            Shape::List(items) => match flow_list(items, column) {
                Some(text) if is_free() => Layout::Text(text),
                Some(_) | None => Layout::List(items),
            },
        }
    }

    /// Writes `of` and `with` of a call.
    pub(super) fn arguments(&mut self, level: usize, args: &[Arg]) {
        let mut pairs = Vec::with_capacity(args.len());
        for arg in args {
            match &arg.name {
                None => self.pair(level, "of", &arg.value, arg_place(arg)),
                Some(name) => pairs.push(Pair {
                    key: Cow::Borrowed(&name.text),
                    value: Some(&arg.value),
                    at: arg_place(arg),
                }),
            }
        }
        let Some(first) = pairs.first() else {
            return;
        };
        let outer = self.pending.take_outer(first.at);
        self.remarks(level, &outer, true);
        self.key(level, "with");
        let is_free = !pairs.iter().any(|pair| self.pending.has_comments(pair.at));
        let column = level * STEP + "with: ".len();
        if let Some(text) = flow_map(&pairs, column).filter(|_| is_free) {
            self.out.push(' ');
            self.out.push_str(&text);
            self.end();
        } else {
            self.end();
            self.pairs(level + 1, &pairs);
        }
    }
}

/// Returns a map between braces, if it is small enough.
fn flow_map(pairs: &[Pair<'_>], column: usize) -> Option<String> {
    let mut written = Vec::with_capacity(pairs.len());
    let mut width = column + "{  }".len();
    for Pair { key, value, .. } in pairs {
        let text = match value {
            Some(value) => format!("{}: {}", yaml_scalar::key(key), small(value)?),
            None => format!("{key}: \"${{{key}}}\""),
        };
        width += text.chars().count() + 2;
        if width > WIDTH + 2 {
            return None;
        }
        written.push(text);
    }
    Some(format!("{{ {} }}", written.join(", ")))
}

fn flow_list(items: &[Expr], column: usize) -> Option<String> {
    let mut written = Vec::with_capacity(items.len().min(WIDTH));
    let mut width = column + "[]".len();
    for item in items {
        let text = small(item)?;
        width += text.chars().count() + 2;
        if width > WIDTH + 2 {
            return None;
        }
        written.push(text);
    }
    Some(format!("[{}]", written.join(", ")))
}

/// Returns a scalar for `{ … }` and `[ … ]`.
fn small(value: &Expr) -> Option<String> {
    match shape(value) {
        Shape::Scalar(scalar) if scalar.fits_flow() => Some(scalar.one_line(Where::Flow)),
        Shape::Map(pairs) if pairs.is_empty() => Some("{}".to_owned()),
        Shape::List([]) => Some("[]".to_owned()),
        Shape::Scalar(_) | Shape::Map(_) | Shape::List(_) => None,
    }
}

fn shape(value: &Expr) -> Shape<'_> {
    let pairs = if let ExprKind::List(items) = &value.kind {
        return Shape::List(items);
    } else if let ExprKind::Record(entries) = &value.kind {
        record(entries)
    } else if let ExprKind::Call(call) = &value.kind {
        literal_call(call)
    } else {
        None
    };
    match pairs {
        Some(pairs) => Shape::Map(pairs),
        None => Shape::Scalar(yaml_scalar::of(value).unwrap_or_else(|| yaml_scalar::hole(value))),
    }
}

/// Returns the entries of a record that YAML can say and does not take for
/// something else.
fn record(entries: &[Entry]) -> Option<Vec<Pair<'_>>> {
    let mut seen = BTreeSet::new();
    let mut pairs = Vec::with_capacity(entries.len());
    for entry in entries {
        let (key, value) = match entry {
            Entry::Field(name, _) if name.text == "..." => return None,
            Entry::Field(name, value) => (name.text.as_str(), Some(value)),
            Entry::Short(name) => (name.text.as_str(), None),
            Entry::Spread(value, _) => ("...", Some(value)),
        };
        if !seen.insert(key) {
            return None;
        }
        pairs.push(Pair {
            key: Cow::Borrowed(key),
            value,
            at: entry_place(entry),
        });
    }
    let is_literal = match pairs.as_slice() {
        [one] => matches!(&*one.key, "template" | "file" | "secret"),
        [a, b] => matches!(
            (&*a.key, &*b.key),
            ("template", "data") | ("data", "template")
        ),
        _ => false,
    };
    (!is_literal).then_some(pairs)
}

/// Returns the entries of `template(p, d)`, `file(p)` and `secret(n)`.
fn literal_call(call: &Call) -> Option<Vec<Pair<'_>>> {
    let is_plain = call.type_arg.is_none() && call.args.iter().all(|arg| arg.name.is_none());
    let keys: &[&'static str] = match (call.path.text.as_str(), call.args.len()) {
        ("template", 1) => &["template"],
        ("template", 2) => &["template", "data"],
        ("file", 1) => &["file"],
        ("secret", 1) => &["secret"],
        _ => return None,
    };
    let pairs = keys.iter().zip(&call.args).map(|(key, arg)| Pair {
        key: Cow::Borrowed(*key),
        value: Some(&arg.value),
        at: arg_place(arg),
    });
    is_plain.then(|| pairs.collect())
}

/// Tells whether a value would be taken for a call, a region or a block where
/// those may stand too.
pub(super) fn looks_like_item(value: &Expr) -> bool {
    const KEYS: [&str; 6] = ["step", "do", "yield", "match", "race", "parallel"];
    let ExprKind::Record(entries) = &value.kind else {
        return false;
    };
    entries.iter().any(|entry| match entry {
        Entry::Field(name, _) | Entry::Short(name) => KEYS.contains(&name.text.as_str()),
        Entry::Spread(..) => false,
    })
}
