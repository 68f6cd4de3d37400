//! Values that were read lately, up to so many bytes.

use std::collections::BTreeMap;
use std::sync::Arc;

use flow_core::digest::Digest;

/// How many bytes of values are remembered.
pub(super) const RECENT_BYTES: usize = 8 * 1024 * 1024;

/// The memory of values. What was not used for the longest time goes first.
#[derive(Debug)]
pub(super) struct Recent {
    bytes_max: usize,
    bytes: usize,
    clock: u64,
    values: BTreeMap<Digest, (u64, Arc<[u8]>)>,
    used: BTreeMap<u64, Digest>,
}

impl Recent {
    pub(super) fn new(bytes_max: usize) -> Self {
        Self {
            bytes_max,
            bytes: 0,
            clock: 0,
            values: BTreeMap::new(),
            used: BTreeMap::new(),
        }
    }

    pub(super) fn get(&mut self, digest: &Digest) -> Option<Arc<[u8]>> {
        let (used, body) = self.values.get_mut(digest)?;
        self.used.remove(used);
        self.clock += 1;
        *used = self.clock;
        self.used.insert(self.clock, *digest);
        Some(body.clone())
    }

    pub(super) fn put(&mut self, digest: Digest, body: Arc<[u8]>) {
        // One that is as large as everything else together isn't worth it.
        if body.len() > self.bytes_max / 4 || self.values.contains_key(&digest) {
            return;
        }
        self.bytes += body.len();
        self.clock += 1;
        self.used.insert(self.clock, digest);
        self.values.insert(digest, (self.clock, body));
        while self.bytes > self.bytes_max
            && let Some((_, oldest)) = self.used.pop_first()
        {
            let gone = self.values.remove(&oldest);
            self.bytes -= gone.map_or(0, |(_, body)| body.len());
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_was_used_last_stays() {
        let mut recent = Recent::new(40);
        let value = |name: &str| Digest::of(name.as_bytes());
        for name in ["a", "b", "c", "d"] {
            recent.put(value(name), vec![0; 10].into());
        }
        assert!(recent.get(&value("a")).is_some());
        recent.put(value("e"), vec![0; 10].into());
        assert!(recent.get(&value("a")).is_some());
        assert!(recent.get(&value("b")).is_none());
        assert_eq!(recent.bytes, 40);
        recent.put(value("large"), vec![0; 11].into());
        assert!(recent.get(&value("large")).is_none());
        assert_eq!(recent.values.len(), recent.used.len());
    }
}
