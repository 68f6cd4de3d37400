//! Comments and empty lines: which part of the tree each belongs to.
//!
//! Every comment belongs to exactly one place, and a printer takes what it has
//! written out of a [`Pending`], so none is lost and none is written twice.

use super::anchors::{Anchors, Place, Within};
use crate::ast::{Comment, File};
use crate::span::{Lines, Source, Spelling};
use std::collections::BTreeMap;

/// A comment on a line of its own.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Remark {
    /// The text after `#`.
    pub(super) text: String,
    /// Whether an empty line stands before it.
    pub(super) blank_before: bool,
    /// Whether it stands further out than what it belongs to: in YAML, before
    /// the key of the list or map.
    pub(super) outer: bool,
}

/// What stands around a part of the tree.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(super) struct Notes {
    /// The lines before it.
    pub(super) leading: Vec<Remark>,
    /// Whether an empty line stands before it, behind the comments.
    pub(super) blank_before: bool,
    /// Behind it, on its last line.
    pub(super) trailing: Option<String>,
    /// The lines after it, before the end of what holds it.
    pub(super) after: Vec<Remark>,
    /// Behind the `{` of a block, or on the first line of a part in YAML.
    pub(super) first_line: Option<String>,
    /// Inside, where there is nothing else.
    pub(super) inside: Vec<Remark>,
}

impl Notes {
    pub(super) fn has_comments(&self) -> bool {
        self.has_outside() || self.first_line.is_some() || !self.inside.is_empty()
    }

    fn has_outside(&self) -> bool {
        !self.leading.is_empty() || self.trailing.is_some() || !self.after.is_empty()
    }
}

/// The comments and the empty lines of a file.
#[derive(Debug, Clone, Default)]
pub struct Trivia {
    pub(super) head: Vec<Remark>,
    pub(super) tail: Vec<Remark>,
    pub(super) notes: BTreeMap<Place, Notes>,
}

impl Trivia {
    /// Finds what every comment of a file belongs to.
    pub fn of(source: &Source, file: &File) -> Self {
        let anchors = Anchors::of(file);
        let mut finder = Finder {
            text: &source.text,
            lines: Lines::of(&source.text),
            spelling: source.spelling,
            trivia: Self::default(),
        };
        finder.blanks(&anchors);
        if !file.comments.is_empty() {
            let comments = finder.split_head(&file.comments);
            finder.attach(&anchors, comments);
        }
        finder.trivia
    }
}

struct Finder<'a> {
    text: &'a str,
    lines: Lines,
    spelling: Spelling,
    trivia: Trivia,
}

impl Finder<'_> {
    fn line_text(&self, line: usize) -> &str {
        let start = self.lines.start(line) as usize;
        let rest = self.text.get(start..).unwrap_or("");
        rest.split('\n').next().unwrap_or("").trim()
    }

    fn indentation(&self, offset: u32) -> usize {
        let start = self.lines.start(self.lines.line(offset)) as usize;
        let rest = self.text.get(start..).unwrap_or("");
        rest.len() - rest.trim_start_matches(' ').len()
    }

    fn blank_before(&self, offset: u32) -> bool {
        let mut line = self.lines.line(offset);
        let start = self.lines.start(line) as usize;
        let head = self.text.get(start..offset as usize).unwrap_or("");
        let is_first = head.chars().all(|c| c.is_whitespace() || c == '-');
        while is_first && line > 0 {
            line -= 1;
            let above = self.line_text(line);
            // YAML keeps documentation outside of what it documents.
            if !above.starts_with("##") {
                return above.is_empty();
            }
        }
        false
    }

    fn blanks(&mut self, anchors: &Anchors) {
        for child in &anchors.children {
            if self.blank_before(child.0) {
                self.note(*child).blank_before = true;
            }
        }
    }

    fn note(&mut self, place: Place) -> &mut Notes {
        self.trivia.notes.entry(place).or_default()
    }

    fn attach(&mut self, anchors: &Anchors, comments: &[Comment]) {
        let ends = Ends::of(anchors, self.spelling);
        let starts = starts(anchors);
        let mut open: Vec<&Within> = Vec::new();
        let mut regions = anchors.regions.iter().collect::<Vec<_>>();
        regions.sort_by_key(|region| (region.place.0, std::cmp::Reverse(region.place.1)));
        let mut coming = regions.into_iter().peekable();
        for comment in comments {
            let at = comment.span.start;
            while let Some(region) = coming.next_if(|region| region.place.0 < at) {
                open.retain(|outer| outer.place.1 > region.place.0);
                open.push(region);
            }
            while open.last().is_some_and(|region| region.place.1 <= at) {
                open.pop();
            }
            if !comment.own_line && self.at_line_end(anchors, &ends, open.last(), comment) {
                continue;
            }
            match (self.spelling, open.last()) {
                (Spelling::Flow, Some(region)) if region.place != (0, u32::MAX) => {
                    self.in_region(anchors, region, comment);
                }
                (Spelling::Flow, _) => {
                    self.in_region(anchors, &anchors.regions[0], comment);
                }
                (Spelling::Yaml, _) => self.by_order(&starts, &ends, comment),
            }
        }
    }

    fn remark(&self, comment: &Comment, outer: bool) -> Remark {
        // On a line of its own, `##` would document what follows.
        let text = if comment.own_line {
            &comment.text
        } else {
            plain(&comment.text)
        };
        Remark {
            text: text.to_owned(),
            blank_before: comment.own_line && self.blank_before(comment.span.start),
            outer,
        }
    }

    /// Attaches a comment behind something on its line.
    fn at_line_end(
        &mut self,
        anchors: &Anchors,
        ends: &Ends,
        region: Option<&&Within>,
        comment: &Comment,
    ) -> bool {
        let at = comment.span.start;
        let line = self.lines.line(at);
        if let Some(place) = ends.before(at) {
            let gap = self.text.get(place.1 as usize..at as usize).unwrap_or("x");
            let is_gap = |c: char| match self.spelling {
                Spelling::Flow => matches!(c, ' ' | '\t' | ','),
                Spelling::Yaml => matches!(c, ' ' | '\t' | ',' | '}' | ']' | '"' | '\''),
            };
            if gap.chars().all(is_gap) && self.note(place).trailing.is_none() {
                self.note(place).trailing = Some(comment.text.clone());
                return true;
            }
        }
        let place = match (self.spelling, region) {
            (Spelling::Flow, Some(region)) if region.is_block => {
                let children = &anchors.children[region.children.clone()];
                let is_before = children.first().is_none_or(|child| child.0 >= at);
                let start = self.lines.start(line) as usize;
                let head = self.text.get(start..at as usize).unwrap_or("");
                (is_before && head.trim_end().ends_with('{')).then_some(region.place)
            }
            (Spelling::Flow, _) => None,
            (Spelling::Yaml, _) => ends.starting_on(self.lines.start(line), at),
        };
        let Some(place) = place else { return false };
        if self.note(place).first_line.is_some() {
            return false;
        }
        self.note(place).first_line = Some(comment.text.clone());
        true
    }

    /// Attaches a comment among the parts of the region it stands in.
    fn in_region(&mut self, anchors: &Anchors, region: &Within, comment: &Comment) {
        let remark = self.remark(comment, false);
        let at = comment.span.start;
        let children = &anchors.children[region.children.clone()];
        let next = children.partition_point(|child| child.1 <= at);
        if let Some(child) = children.get(next) {
            let is_moved = child.0 < at;
            let text = if is_moved {
                plain(&remark.text).to_owned()
            } else {
                remark.text
            };
            self.note(*child).leading.push(Remark { text, ..remark });
        } else if region.place == (0, u32::MAX) {
            self.trivia.tail.push(remark);
        } else if let Some(last) = children.last() {
            self.note(*last).after.push(remark);
        } else {
            self.note(region.place).inside.push(remark);
        }
    }

    /// Attaches a comment of YAML to what comes next, unless it is indented
    /// deeper: then it ends what came before.
    fn by_order(&mut self, starts: &[Place], ends: &Ends, comment: &Comment) {
        let at = comment.span.start;
        let column = self.indentation(at);
        let next = starts.partition_point(|place| place.0 < at);
        let Some(next) = starts.get(next) else {
            let remark = self.remark(comment, false);
            self.trivia.tail.push(remark);
            return;
        };
        let next_column = self.indentation(next.0);
        let is_deeper = comment.own_line && column > next_column;
        if let Some(before) = ends.before(at).filter(|_| is_deeper) {
            let remark = self.remark(comment, false);
            self.note(before).after.push(remark);
            return;
        }
        let remark = self.remark(comment, comment.own_line && column < next_column);
        self.note(*next).leading.push(remark);
    }

    /// Takes the lines at the beginning of the file that an empty line
    /// separates from what follows, and gives the other comments.
    fn split_head<'c>(&mut self, comments: &'c [Comment]) -> &'c [Comment] {
        let text = self.text.strip_prefix('\u{feff}').unwrap_or(self.text);
        let is_head =
            |line: &&str| line.is_empty() || (line.starts_with('#') && !line.starts_with("##"));
        let lines: Vec<&str> = text.lines().map(str::trim).take_while(is_head).collect();
        let blank = lines.iter().rposition(|line| line.is_empty()).unwrap_or(0);
        let count = lines[..blank]
            .iter()
            .filter(|line| !line.is_empty())
            .count();
        let (head, rest) = comments.split_at(count.min(comments.len()));
        self.trivia.head = head.iter().map(|one| self.remark(one, false)).collect();
        if let Some(first) = self.trivia.head.first_mut() {
            first.blank_before = false;
        }
        rest
    }
}

/// Anchors by where they end and where they start.
struct Ends {
    by_end: Vec<Place>,
    by_start: Vec<Place>,
}

impl Ends {
    fn of(anchors: &Anchors, spelling: Spelling) -> Self {
        let mut by_end = anchors.children.clone();
        let mut by_start = by_end.clone();
        by_start.sort_unstable();
        // Of several that end at one place the last is taken: the outermost in
        // the workflow language, the innermost in YAML, where it has the line.
        match spelling {
            Spelling::Flow => by_end.sort_by_key(|at| (at.1, std::cmp::Reverse(at.0))),
            Spelling::Yaml => {
                by_end.extend(&anchors.inner);
                by_end.sort_by_key(|at| (at.1, at.0));
            }
        }
        Self { by_end, by_start }
    }

    fn before(&self, at: u32) -> Option<Place> {
        let count = self.by_end.partition_point(|place| place.1 <= at);
        count.checked_sub(1).map(|last| self.by_end[last])
    }

    /// The last one that begins between a line's start and a place, and goes on
    /// behind it.
    fn starting_on(&self, line: u32, at: u32) -> Option<Place> {
        let count = self.by_start.partition_point(|place| place.0 < at);
        let place = *self.by_start.get(count.checked_sub(1)?)?;
        (place.0 >= line && place.1 > at).then_some(place)
    }
}

/// The anchors by where they start, the outermost first.
fn starts(anchors: &Anchors) -> Vec<Place> {
    let mut starts = anchors.children.clone();
    starts.sort_by_key(|at| (at.0, std::cmp::Reverse(at.1)));
    starts
}

/// Returns a comment's text without what would make it documentation.
pub(super) fn plain(text: &str) -> &str {
    text.trim_start_matches('#')
}

/// What has not been written yet.
#[derive(Debug)]
pub(super) struct Pending {
    notes: BTreeMap<Place, Notes>,
}

impl Pending {
    pub(super) fn new(trivia: &Trivia) -> Self {
        let notes = trivia.notes.clone();
        Self { notes }
    }

    /// Takes what stands around a place, but leaves what stands inside it.
    pub(super) fn take(&mut self, place: Place) -> Notes {
        let Some(notes) = self.notes.get_mut(&place) else {
            return Notes::default();
        };
        let first_line = notes.first_line.take();
        let inside = std::mem::take(&mut notes.inside);
        let taken = std::mem::take(notes);
        notes.first_line = first_line;
        notes.inside = inside;
        taken
    }

    /// Takes what stands at the beginning of a block's first line.
    pub(super) fn take_first_line(&mut self, place: Place) -> Option<String> {
        self.notes.get_mut(&place)?.first_line.take()
    }

    /// Takes what stands inside something that has no parts.
    pub(super) fn take_inside(&mut self, place: Place) -> Vec<Remark> {
        let notes = self.notes.get_mut(&place);
        notes.map_or_else(Vec::new, |notes| std::mem::take(&mut notes.inside))
    }

    /// Takes the comments before a place that stand further out than it.
    pub(super) fn take_outer(&mut self, place: Place) -> Vec<Remark> {
        let Some(notes) = self.notes.get_mut(&place) else {
            return Vec::new();
        };
        let count = notes
            .leading
            .iter()
            .take_while(|remark| remark.outer)
            .count();
        notes.leading.drain(..count).collect()
    }

    /// Tells whether an empty line stands before a place or its comments.
    pub(super) fn blank_before(&self, place: Place) -> bool {
        let Some(notes) = self.notes.get(&place) else {
            return false;
        };
        let first = notes.leading.first();
        first.map_or(notes.blank_before, |remark| remark.blank_before)
    }

    /// Forgets the empty line before a place.
    pub(super) fn close_up(&mut self, place: Place) {
        if let Some(notes) = self.notes.get_mut(&place) {
            notes.blank_before = false;
        }
    }

    /// Tells whether there is a comment around or inside a place.
    pub(super) fn has_comments(&self, (start, end): Place) -> bool {
        let inside = self.notes.range((start, 0)..(end.max(start), u32::MAX));
        inside
            .filter(|(place, _)| place.1 <= end)
            .any(|(_, notes)| notes.has_comments())
    }

    /// Takes the comments that no printer asked for inside a place.
    pub(super) fn leftovers(&mut self, (start, end): Place) -> Vec<Remark> {
        let mut all = Vec::new();
        for (place, notes) in self.notes.range_mut((start, 0)..(end.max(start), u32::MAX)) {
            if place.1 <= end && notes.has_comments() {
                let notes = std::mem::take(notes);
                all.extend(notes.leading);
                let lines = notes.first_line.into_iter().chain(notes.trailing);
                all.extend(lines.map(|text| Remark {
                    text,
                    blank_before: false,
                    outer: false,
                }));
                all.extend(notes.inside);
                all.extend(notes.after);
            }
        }
        all
    }
}
