//! Where the values of a world are.

use std::cell::RefCell;
use std::collections::BTreeMap;
use std::sync::Arc;

use flow_core::digest::Digest;
use flow_core::handle::{Handle, Values};
use flow_core::value::Value;

/// Values by the digest of their text. Even small ones are stored sometimes, so
/// that handles of both kinds are met.
#[derive(Debug, Clone, Default)]
pub(crate) struct Vault(RefCell<BTreeMap<Digest, Value>>);

impl Values for Vault {
    fn get(&self, digest: &Digest) -> Option<Value> {
        self.0.borrow().get(digest).cloned()
    }

    fn put(&self, value: &Value) -> Handle {
        let is_small = match value {
            Value::Int(number) => number % 2 == 0,
            Value::None | Value::Bool(_) => true,
            Value::Float(_)
            | Value::Text(_)
            | Value::Duration(_)
            | Value::Money(_)
            | Value::Time(_)
            | Value::Size(_)
            | Value::Enum(_)
            | Value::List(_)
            | Value::Record(_)
            | Value::Artifact(_)
            | Value::Secret(_) => false,
        };
        if is_small {
            return Handle::Small(value.clone());
        }
        // The keys of a list are part of it here, though not of its equality.
        let digest = Digest::of(format!("{value:?}").as_bytes());
        self.0.borrow_mut().insert(digest, value.clone());
        Handle::Stored(Arc::new(digest))
    }
}
