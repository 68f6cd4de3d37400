//! Handles: what a run holds in place of values.
//!
//! A run of 100,000 items must not hold 100,000 results, so its state has
//! handles, and the values behind them are in a store that the caller brings.

use std::sync::{Arc, OnceLock};

use crate::digest::Digest;
use crate::value::Value;

/// A value, or where it is.
#[derive(Debug, Clone, PartialEq)]
pub enum Handle {
    /// A value that is small enough to be carried along.
    Small(Value),
    /// A value in the store, by the digest of its encoding.
    Stored(Arc<Digest>),
    /// The list that a `for` made. Only in the state of a run, never in an
    /// event.
    Listed(Arc<Listed>),
}

/// The list that a `for` made.
#[derive(Debug, Clone)]
pub struct Listed {
    /// Its items, in input order.
    pub items: Vec<Handle>,
    /// The keys of all items of the `for`, as a list of texts; nothing if the
    /// positions are the keys.
    pub keys: Option<Handle>,
    /// Which of the `for`'s items these are, if some were left out.
    pub kept: Option<Vec<u32>>,
    /// The list as a value, once it was asked for.
    pub value: OnceLock<Value>,
}

impl PartialEq for Listed {
    /// What was asked for is no part of what it is.
    fn eq(&self, other: &Self) -> bool {
        self.items == other.items && self.keys == other.keys && self.kept == other.kept
    }
}

/// How many bytes the encoding of a value has that is carried along.
pub const SMALL_MAX: usize = 64;

/// Where values are kept. What is put is durable with the next commit.
pub trait Values {
    /// Returns a value that was put; nothing if it is gone.
    fn get(&self, digest: &Digest) -> Option<Value>;
    /// Keeps a value, and returns its handle: small ones are carried along.
    fn put(&self, value: &Value) -> Handle;
}
