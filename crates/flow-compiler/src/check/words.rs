//! Names and what they stand for, found by hash and gone through in the order
//! in which they came.
//!
//! The hash has no secret, so names can be chosen that have the same. Only a
//! few places are looked at for that; a name that finds none of them free is
//! kept in a tree.

use std::collections::BTreeMap;

/// How many places are looked at for a name.
const PROBES: usize = 16;

/// The fewest places there are once there is a name.
const PLACES_MIN: usize = 16;

/// Names, each with a value.
#[derive(Debug, Clone)]
pub(crate) struct Words<V> {
    /// In the order in which they came.
    entries: Vec<Entry<V>>,
    /// By hash: the index of an entry, or [`FREE`]. Half of them are free.
    places: Vec<u32>,
    /// What found no place.
    rest: BTreeMap<Box<str>, u32>,
}

#[derive(Debug, Clone)]
struct Entry<V> {
    hash: u64,
    name: Box<str>,
    value: V,
}

/// A place without an entry.
const FREE: u32 = u32::MAX;

impl<V> Default for Words<V> {
    fn default() -> Self {
        Self {
            entries: Vec::new(),
            places: Vec::new(),
            rest: BTreeMap::new(),
        }
    }
}

impl<V> Words<V> {
    /// Returns what a name stands for.
    pub(crate) fn get(&self, name: &str) -> Option<&V> {
        let index = self.find(hash(name), name)?;
        Some(&self.entries[index].value)
    }

    /// Returns what a name stands for, to change it.
    pub(crate) fn get_mut(&mut self, name: &str) -> Option<&mut V> {
        let index = self.find(hash(name), name)?;
        Some(&mut self.entries[index].value)
    }

    /// Makes a name stand for something, in place of what it stood for.
    pub(crate) fn insert(&mut self, name: &str, value: V) {
        let hash = hash(name);
        match self.find(hash, name) {
            Some(index) => self.entries[index].value = value,
            None => self.add(hash, name, value),
        }
    }

    /// Returns what a name stands for; if it is new, it stands for what is
    /// made.
    pub(crate) fn get_or_insert_with(&mut self, name: &str, make: impl FnOnce() -> V) -> &mut V {
        let hash = hash(name);
        let index = self.find(hash, name).unwrap_or_else(|| {
            self.add(hash, name, make());
            self.entries.len() - 1
        });
        &mut self.entries[index].value
    }

    /// Goes through the names in the order in which they came.
    pub(crate) fn iter(&self) -> impl Iterator<Item = (&str, &V)> {
        let entries = self.entries.iter();
        entries.map(|entry| (&*entry.name, &entry.value))
    }

    fn find(&self, hash: u64, name: &str) -> Option<usize> {
        if self.places.is_empty() {
            return None;
        }
        for probe in 0..PROBES {
            let place = self.places[self.place(hash, probe)];
            let entry = self.entries.get(place as usize)?;
            if entry.hash == hash && *entry.name == *name {
                return Some(place as usize);
            }
        }
        self.rest.get(name).map(|index| *index as usize)
    }

    fn add(&mut self, hash: u64, name: &str, value: V) {
        self.entries.push(Entry {
            hash,
            name: name.into(),
            value,
        });
        if self.entries.len() * 2 <= self.places.len() {
            self.settle(self.entries.len() - 1);
            return;
        }
        let count = (self.places.len() * 2).max(PLACES_MIN);
        self.places.clear();
        self.places.resize(count, FREE);
        self.rest.clear();
        for index in 0..self.entries.len() {
            self.settle(index);
        }
    }

    /// Gives an entry its place.
    fn settle(&mut self, index: usize) {
        let hash = self.entries[index].hash;
        let small = u32::try_from(index).expect("a text of 16 MiB has fewer names");
        let mut places = (0..PROBES).map(|probe| self.place(hash, probe));
        if let Some(place) = places.find(|place| self.places[*place] == FREE) {
            self.places[place] = small;
        } else {
            let name = self.entries[index].name.clone();
            self.rest.insert(name, small);
        }
    }

    fn place(&self, hash: u64, probe: usize) -> usize {
        // The product of a hash is best in its upper half.
        let start = usize::try_from(hash >> 32).unwrap_or_default();
        (start + probe) & (self.places.len() - 1)
    }
}

fn hash(name: &str) -> u64 {
    const FACTOR: u64 = 0x9E37_79B9_7F4A_7C15;
    let (words, rest) = name.as_bytes().as_chunks::<8>();
    let mut last = [0; 8];
    last[..rest.len()].copy_from_slice(rest);
    let mut hash = name.len() as u64;
    for word in words.iter().chain([&last]) {
        hash = (hash.rotate_left(23) ^ u64::from_le_bytes(*word)).wrapping_mul(FACTOR);
    }
    hash ^ (hash >> 29)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_found_and_keep_their_order() {
        let mut words = Words::default();
        let names: Vec<String> = (0..5000).map(|at| format!("name_{}", at * 7)).collect();
        for (at, name) in names.iter().enumerate() {
            assert_eq!(words.get(name), None);
            assert_eq!(*words.get_or_insert_with(name, || at), at);
            assert_eq!(*words.get_or_insert_with(name, || 0), at);
        }
        for (at, name) in names.iter().enumerate() {
            assert_eq!(words.get(name), Some(&at));
        }
        words.insert("name_7", 9);
        assert_eq!(words.get("name_7"), Some(&9));
        assert_eq!(words.get(""), None);
        assert!(words.iter().map(|(name, _)| name).eq(names.iter()));
    }

    #[test]
    fn names_of_one_hash_are_found_too() {
        let mut words = Words::default();
        for at in 0..2000_usize {
            words.add(1 << 40, &at.to_string(), at);
        }
        let found = |at: usize| words.find(1 << 40, &at.to_string());
        assert!((0..2000).all(|at| found(at) == Some(at)));
        assert_eq!(found(2000), None);
        assert!(words.rest.len() > 1900);
    }
}
