//! Values in memory.

use std::cell::RefCell;
use std::collections::BTreeMap;
use std::sync::Arc;

use flow_core::digest::Digest;
use flow_core::handle::{Handle, SMALL_MAX, Values};
use flow_core::value::Value;

/// The values of a rehearsal, until it is over.
#[derive(Debug, Default)]
pub(super) struct MemoryValues(RefCell<BTreeMap<Digest, Value>>);

impl Values for MemoryValues {
    fn get(&self, digest: &Digest) -> Option<Value> {
        self.0.borrow().get(digest).cloned()
    }

    fn put(&self, value: &Value) -> Handle {
        let mut bytes = Vec::new();
        value
            .encode(&mut bytes)
            .expect("values of steps were checked, so they nest no deeper than the stored form");
        if bytes.len() <= SMALL_MAX {
            return Handle::Small(value.clone());
        }
        let digest = Digest::of(&bytes);
        self.0.borrow_mut().insert(digest, value.clone());
        Handle::Stored(Arc::new(digest))
    }
}
