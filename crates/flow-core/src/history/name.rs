//! Names of instances: paths with the keys of items, and back.

use std::sync::Arc;

use smallvec::SmallVec;

use crate::address::{At, Part};
use crate::handle::Values;
use crate::path::{Key, StepPath};
use crate::plan::NodeId;

use super::{Choice, History, Items};

/// What a path means: a node, and which of its instances.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Place {
    /// The node.
    pub node: NodeId,
    /// The items and rounds around it, outermost first; nothing stands for all.
    pub ords: SmallVec<[Option<u32>; 4]>,
    /// One item or round of the node itself, if that is meant.
    pub item: Option<u32>,
}

/// Why a path means nothing.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum Unplaced {
    /// It isn't written as one.
    #[error("`{0}` is no path of a step")]
    Malformed(Arc<str>),
    /// Nothing is called so.
    #[error("there is no step `{0}`")]
    Unknown(Arc<str>),
    /// Several are.
    #[error("several steps are called `{text}`")]
    Several {
        /// What was written.
        text: Arc<str>,
        /// Their paths, with `[*]` for items.
        paths: Vec<String>,
    },
    /// There are no items.
    #[error("`{0}` has no items")]
    NoItems(Arc<str>),
    /// There is no such item.
    #[error("`{path}` has no item `{key}`")]
    NoItem {
        /// The region.
        path: Arc<str>,
        /// What was written.
        key: Arc<str>,
        /// How many items there are.
        count: u32,
    },
    /// Items of something that has many are asked for by name.
    #[error("`{path}` is there many times")]
    Unclear {
        /// The region around.
        path: Arc<str>,
    },
}

/// A part of a path as it was written.
#[derive(Debug, PartialEq)]
struct Written {
    name: String,
    key: Option<String>,
}

/// A part of a path of the plan.
struct Piece<'a> {
    name: &'a str,
    /// The node, unless it is the name of an arm.
    node: Option<NodeId>,
}

impl Place {
    /// Returns the part of the run, if it is one.
    pub fn part(&self) -> Option<Part> {
        let item = self.item;
        self.at().map(|at| Part { at, item })
    }

    /// Returns the address, if it is one instance.
    pub fn at(&self) -> Option<At> {
        let ords: Option<SmallVec<[u32; 4]>> = self.ords.iter().copied().collect();
        let node = self.node;
        ords.map(|ords| At { node, ords })
    }

    /// Returns whether an instance is meant, or one inside of what is.
    pub fn covers(&self, at: &At, history: &History) -> bool {
        let mut wanted: SmallVec<[Option<u32>; 4]> = self.ords.clone();
        wanted.extend(self.item.map(Some));
        let is_inside = at.node == self.node || history.is_inside(at.node, self.node);
        let short = at.ords.len() < wanted.len() && self.item.is_some();
        is_inside
            && !short
            && wanted
                .iter()
                .zip(&at.ords)
                .all(|(wanted, ord)| wanted.is_none_or(|wanted| wanted == *ord))
    }
}

impl History {
    /// Returns the path of an instance, with the keys of items.
    pub fn path(&self, at: &At, values: &dyn Values) -> StepPath {
        let key = |region: &At, ord| self.key(region, ord, values);
        crate::run::path_in(&self.plan, at, &key)
    }

    /// Returns the path of an item or a round of a region.
    pub fn item_path(&self, region: &At, ord: u32, values: &dyn Values) -> StepPath {
        let path = self.path(region, values);
        path.item(self.key(region, ord, values))
    }

    /// Returns the path of a part of the run.
    pub fn part_path(&self, part: &Part, values: &dyn Values) -> StepPath {
        match part.item {
            Some(item) => self.item_path(&part.at, item, values),
            None => self.path(&part.at, values),
        }
    }

    /// Returns whether an instance is in a part of the run.
    pub fn is_in(&self, at: &At, part: &Part) -> bool {
        let of = &part.at;
        let is_inside = self.is_inside(at.node, of.node);
        let is_it = at.node == of.node && part.item.is_none();
        let item = part.item;
        (is_it || is_inside)
            && at.ords.starts_with(&of.ords)
            && item.is_none_or(|item| at.ords.get(of.ords.len()) == Some(&item))
    }

    /// Returns the path of what is meant, with `[*]` where all items are.
    pub fn place_path(&self, place: &Place, values: &dyn Values) -> String {
        if let Some(at) = place.at() {
            return match place.item {
                Some(item) => self.item_path(&at, item, values).to_string(),
                None => self.path(&at, values).to_string(),
            };
        }
        let mut path = String::new();
        let mut ords = place.ords.iter();
        let mut known = At::root();
        for part in self.parts(place.node) {
            if !path.is_empty() {
                path.push('/');
            }
            path.push_str(part.name);
            let Some(node) = part.node.filter(|node| *node != place.node) else {
                continue;
            };
            if self.plan.node(node).repeats() {
                known.node = node;
                match ords.next().copied().flatten() {
                    Some(ord) => {
                        path = format!("{path}[{}]", self.key(&known, ord, values));
                        known.ords.push(ord);
                    }
                    None => path.push_str("[*]"),
                }
            }
        }
        match place.item {
            Some(item) => format!("{path}[{item}]"),
            None => path,
        }
    }

    /// Returns the places that are meant, without the name of the workflow; a
    /// part without a key stands for all items.
    pub fn spot(&self, place: &Place, values: &dyn Values) -> StepPath {
        let mut spot = StepPath::default();
        let mut ords = place.ords.iter();
        let mut around = At::root();
        let mut is_known = true;
        for part in self.parts(place.node).iter().skip(1) {
            spot = spot.join(part.name);
            let Some(node) = part.node.filter(|node| self.plan.node(*node).repeats()) else {
                continue;
            };
            let ord = if node == place.node {
                place.item
            } else {
                ords.next().copied().flatten()
            };
            let Some(ord) = ord else {
                is_known = false;
                continue;
            };
            around.node = node;
            spot = spot.item(if is_known {
                self.key(&around, ord, values)
            } else {
                Key::Index(u64::from(ord))
            });
            around.ords.push(ord);
        }
        spot
    }

    fn key(&self, region: &At, ord: u32, values: &dyn Values) -> Key {
        let items = self.entry(region).and_then(|entry| entry.items());
        let words = items.and_then(|items| items.words(values));
        let word = words.and_then(|words| words.get(ord as usize).cloned());
        word.unwrap_or(Key::Index(u64::from(ord)))
    }

    /// Returns whether a node is somewhere inside of another.
    pub fn is_inside(&self, node: NodeId, outer: NodeId) -> bool {
        let mut id = node;
        while let Some(parent) = &self.plan.node(id).parent {
            if parent.node == outer {
                return true;
            }
            id = parent.node;
        }
        false
    }

    /// Finds what a path means. The name of the workflow may be left out, and
    /// so may more of its beginning as long as one step alone can be meant.
    pub fn find(&self, text: &str, values: &dyn Values) -> Result<Place, Unplaced> {
        let written = read(text).ok_or_else(|| Unplaced::Malformed(text.into()))?;
        let found = self.candidates(&written);
        let whole = found.iter().find(|(_, above)| *above == 0);
        let whole = whole.or_else(|| found.iter().find(|(_, above)| *above == 1));
        match (whole, found.as_slice()) {
            (Some((node, _)), _) | (None, [(node, _)]) => self.place(*node, &written, values),
            (None, []) => Err(Unplaced::Unknown(text.into())),
            (None, several) => Err(Unplaced::Several {
                text: text.into(),
                paths: several
                    .iter()
                    .take(SHOWN)
                    .map(|(node, _)| self.any_path(*node))
                    .collect(),
            }),
        }
    }

    /// Returns the nodes whose paths end so, each with how many parts are left
    /// out.
    fn candidates(&self, written: &[Written]) -> Vec<(NodeId, usize)> {
        let mut found = Vec::new();
        let Some(last) = written.last() else {
            return found;
        };
        let count = u32::try_from(self.plan.graph.node_count()).unwrap_or(u32::MAX);
        for id in (0..count).map(NodeId) {
            if *self.plan.node(id).name != *last.name {
                continue;
            }
            let parts = self.parts(id);
            let Some(above) = parts.len().checked_sub(written.len()) else {
                continue;
            };
            let same = |(part, written): (&Piece<'_>, &Written)| part.name == written.name;
            if parts[above..].iter().zip(written).all(same) {
                found.push((id, above));
            }
        }
        found
    }

    fn place(
        &self,
        node: NodeId,
        written: &[Written],
        values: &dyn Values,
    ) -> Result<Place, Unplaced> {
        let parts = self.parts(node);
        let above = parts.len() - written.len();
        let keys =
            std::iter::repeat_n(None, above).chain(written.iter().map(|one| one.key.as_ref()));
        let mut place = Place {
            node,
            ords: SmallVec::new(),
            item: None,
        };
        for (part, key) in parts.iter().zip(keys) {
            let repeats = part.node.filter(|node| self.plan.node(*node).repeats());
            let key = key.filter(|key| *key != "*");
            let Some(region) = repeats else {
                if key.is_some() {
                    return Err(Unplaced::NoItems(part.name.into()));
                }
                continue;
            };
            let ord = match key {
                None => None,
                Some(key) => Some(self.ord(region, &place, key, values)?),
            };
            if region == node {
                place.item = ord;
            } else {
                place.ords.push(ord);
            }
        }
        Ok(place)
    }

    /// Returns the position of an item that was written by its key.
    fn ord(
        &self,
        region: NodeId,
        around: &Place,
        key: &str,
        values: &dyn Values,
    ) -> Result<u32, Unplaced> {
        let around = Place {
            node: region,
            ..around.clone()
        };
        let path = || Arc::from(self.place_path(&around, values));
        let number = key.parse::<u32>().ok();
        let Some(at) = around.at() else {
            // Which keys there are depends on the item around.
            return number.ok_or_else(|| Unplaced::Unclear { path: path() });
        };
        let entry = self.entry(&at);
        let choice = entry.and_then(|entry| entry.choice.as_ref());
        let (count, words) = match choice {
            Some(Choice::Items(items)) => (items.count, items.words(values)),
            Some(Choice::Rounds { opened, .. }) => (*opened, None),
            Some(Choice::Arm { .. } | Choice::Won(_)) | None => (0, None),
        };
        let by_word = words.and_then(|words| {
            let mut words = (0_u32..).zip(words.iter());
            let same = |word: &Key| match word {
                Key::Word(word) => **word == *key,
                Key::Index(index) => number.is_some_and(|number| u64::from(number) == *index),
            };
            words.find(|(_, word)| same(word)).map(|(ord, _)| ord)
        });
        let by_number = number.filter(|ord| *ord < count);
        by_word.or(by_number).ok_or_else(|| Unplaced::NoItem {
            path: path(),
            key: key.into(),
            count,
        })
    }

    /// Returns the parts of a node's path in the plan, outermost first.
    fn parts(&self, node: NodeId) -> Vec<Piece<'_>> {
        let mut parts = Vec::new();
        let mut id = node;
        loop {
            let found = self.plan.node(id);
            parts.push(Piece {
                name: &found.name,
                node: Some(id),
            });
            let Some(parent) = &found.parent else { break };
            parts.extend(parent.arm.as_deref().map(|name| Piece { name, node: None }));
            id = parent.node;
        }
        parts.reverse();
        parts
    }

    /// Returns the path of any instance of a node.
    pub fn any_path(&self, node: NodeId) -> String {
        let parts = self.parts(node);
        let around = parts.iter().filter_map(|part| part.node);
        let around = around.filter(|id| *id != node && self.plan.node(*id).repeats());
        let place = Place {
            node,
            ords: around.map(|_| None).collect(),
            item: None,
        };
        self.place_path(&place, &Nothing)
    }
}

/// How many paths are named where several fit.
const SHOWN: usize = 5;

/// No values: keys are positions then.
struct Nothing;

impl Values for Nothing {
    fn get(&self, _: &crate::digest::Digest) -> Option<crate::value::Value> {
        None
    }

    fn put(&self, value: &crate::value::Value) -> crate::handle::Handle {
        crate::handle::Handle::Small(value.clone())
    }
}

impl Items {
    /// Returns the keys of the items, read once; nothing if positions are the
    /// keys.
    pub fn words(&self, values: &dyn Values) -> Option<Arc<Vec<Key>>> {
        let stored = self.keys.as_ref()?;
        let words = self.words.get_or_init(|| {
            let keys = crate::run::load(stored, values).ok()?;
            crate::run::keys_of(&keys).map(Arc::new)
        });
        words.clone()
    }
}

/// Reads a path as it is printed.
fn read(text: &str) -> Option<Vec<Written>> {
    let mut rest = text;
    let mut written = Vec::new();
    loop {
        let end = rest.find(['/', '[']).unwrap_or(rest.len());
        let (name, after) = rest.split_at(end);
        if name.is_empty() {
            return None;
        }
        let (key, after) = match after.strip_prefix('[') {
            None => (None, after),
            Some(inner) => {
                let (key, after) = read_key(inner)?;
                (Some(key), after)
            }
        };
        written.push(Written {
            name: name.to_owned(),
            key,
        });
        match after.strip_prefix('/') {
            Some(after) => rest = after,
            None if after.is_empty() => return Some(written),
            None => return None,
        }
    }
}

/// Reads a key up to its bracket: a word, or a quoted text.
fn read_key(text: &str) -> Option<(String, &str)> {
    let Some(quoted) = text.strip_prefix('"') else {
        let (key, after) = text.split_once(']')?;
        return (!key.is_empty()).then(|| (key.to_owned(), after));
    };
    let mut key = String::new();
    let mut letters = quoted.char_indices();
    while let Some((at, letter)) = letters.next() {
        match letter {
            '"' => {
                let after = quoted[at + 1..].strip_prefix(']')?;
                return Some((key, after));
            }
            '\\' => match letters.next()?.1 {
                'n' => key.push('\n'),
                't' => key.push('\t'),
                'r' => key.push('\r'),
                '0' => key.push('\0'),
                'u' => {
                    let code = quoted[at + 2..].strip_prefix('{')?;
                    let (code, _) = code.split_once('}')?;
                    key.push(char::from_u32(u32::from_str_radix(code, 16).ok()?)?);
                    while letters.next()?.1 != '}' {}
                }
                other => key.push(other),
            },
            letter => key.push(letter),
        }
    }
    None
}

#[cfg(test)]
mod tests {
    use super::*;

    fn one(name: &str, key: Option<&str>) -> Written {
        Written {
            name: name.to_owned(),
            key: key.map(str::to_owned),
        }
    }

    #[test]
    fn paths_are_read_as_they_are_printed() {
        let cases = [
            ("a", vec![one("a", None)]),
            ("a[3]/b", vec![one("a", Some("3")), one("b", None)]),
            ("a[hero-1]", vec![one("a", Some("hero-1"))]),
        ];
        for (text, parts) in cases {
            assert_eq!(read(text), Some(parts), "{text}");
        }
        for key in ["a b", "", "]/[", "\u{1b}[31m", "quo\"te\\", "ü\n"] {
            let path = StepPath::root("w").item(Key::Word(key.into())).join("x");
            let expected = vec![one("w", Some(key)), one("x", None)];
            assert_eq!(read(&path.to_string()), Some(expected), "{path}");
        }
    }

    #[test]
    fn what_is_no_path_is_refused() {
        for text in [
            "",
            "/",
            "a/",
            "/a",
            "a//b",
            "a[",
            "a[]",
            "a[3",
            "a[3]b",
            "a[\"x]",
            "a[\"\\u{zz}\"]",
            "a[\"\\u",
            "[3]",
        ] {
            assert_eq!(read(text), None, "{text}");
        }
    }
}
