//! The values of a run: those that wait for the next commit, those that were
//! seen lately, and those in the store.

use std::cell::RefCell;
use std::collections::{BTreeMap, VecDeque};
use std::sync::Arc;

use flow_core::digest::Digest;
use flow_core::handle::{Handle, SMALL_MAX, Values};
use flow_core::value::Value;

use crate::artifacts::{BlobError, Blobs, Kept};
use crate::store::{NewValue, Store, VALUE_MAX};

/// How many bytes of values are remembered.
const REMEMBERED_MAX: usize = 16 << 20;

/// The values of a run.
pub(crate) struct StoreValues {
    store: Arc<Store>,
    inner: RefCell<Inner>,
}

#[derive(Default)]
struct Inner {
    remembered: BTreeMap<Digest, (Value, usize)>,
    order: VecDeque<Digest>,
    bytes: usize,
    fresh: Fresh,
    fault: Option<BlobError>,
}

/// Values that are only worked with: what is put is forgotten.
pub(crate) struct Scratch<'a> {
    under: &'a StoreValues,
    put: RefCell<BTreeMap<Digest, Value>>,
}

impl<'a> Scratch<'a> {
    pub(crate) fn over(under: &'a StoreValues) -> Self {
        Self {
            under,
            put: RefCell::default(),
        }
    }
}

impl Values for Scratch<'_> {
    fn get(&self, digest: &Digest) -> Option<Value> {
        let put = self.put.borrow().get(digest).cloned();
        put.or_else(|| self.under.get(digest))
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
        self.put.borrow_mut().insert(digest, value.clone());
        Handle::Stored(Arc::new(digest))
    }
}

/// What was put since the last commit.
#[derive(Default)]
pub(crate) struct Fresh {
    pub(crate) values: Vec<NewValue>,
    pub(crate) blobs: Vec<Kept>,
    /// What the run refers to from here on.
    pub(crate) references: Vec<Digest>,
}

impl StoreValues {
    pub(crate) fn new(store: Arc<Store>) -> Self {
        Self {
            store,
            inner: RefCell::default(),
        }
    }

    /// Takes what was put since this was last called.
    pub(crate) fn take_fresh(&self) -> Fresh {
        std::mem::take(&mut self.inner.borrow_mut().fresh)
    }

    /// Returns why a value could not be kept, once that was so.
    pub(crate) fn take_fault(&self) -> Option<BlobError> {
        self.inner.borrow_mut().fault.take()
    }

    /// Keeps a blob until the next commit.
    pub(crate) fn keep(&self, kept: Kept) {
        let mut inner = self.inner.borrow_mut();
        inner.fresh.references.push(kept.digest);
        inner.fresh.blobs.push(kept);
    }

    /// Keeps bytes under their digest: the stored form of a plan.
    pub(crate) fn put_bytes(&self, bytes: Vec<u8>) -> Digest {
        let digest = Digest::of(&bytes);
        self.inner
            .borrow_mut()
            .keep(digest, bytes, Vec::new(), self.store.blobs());
        digest
    }

    fn load(&self, digest: &Digest) -> Option<(Value, usize)> {
        let bytes = self.bytes(digest)?;
        let value = Value::decode(&bytes).ok()?;
        Some((value, bytes.len()))
    }

    /// Returns the bytes that are kept under a digest.
    pub(crate) fn bytes(&self, digest: &Digest) -> Option<Arc<[u8]>> {
        let fresh = self.inner.borrow().find(digest);
        fresh.or_else(|| self.store.value(digest).ok().flatten())
    }
}

impl Values for StoreValues {
    fn get(&self, digest: &Digest) -> Option<Value> {
        if let Some((value, _)) = self.inner.borrow().remembered.get(digest) {
            return Some(value.clone());
        }
        let (value, size) = self.load(digest)?;
        self.inner
            .borrow_mut()
            .remember(*digest, value.clone(), size);
        Some(value)
    }

    fn put(&self, value: &Value) -> Handle {
        let mut bytes = Vec::new();
        value
            .encode(&mut bytes)
            .expect("values of steps were checked, so they nest no deeper than the stored form");
        let mut inner = self.inner.borrow_mut();
        let artifacts = artifacts(value);
        if bytes.len() <= SMALL_MAX {
            inner.fresh.references.extend(artifacts);
            return Handle::Small(value.clone());
        }
        let digest = Digest::of(&bytes);
        if inner.remembered.contains_key(&digest) {
            // It is in the store, or on its way there.
            inner.fresh.references.push(digest);
        } else {
            inner.remember(digest, value.clone(), bytes.len());
            inner.keep(digest, bytes, artifacts, self.store.blobs());
        }
        Handle::Stored(Arc::new(digest))
    }
}

impl Inner {
    /// Returns bytes that are not committed yet.
    fn find(&self, digest: &Digest) -> Option<Arc<[u8]>> {
        let values = self.fresh.values.iter();
        let mut values = values.filter(|value| value.digest == *digest);
        values.next().map(|value| value.body.clone())
    }

    fn keep(&mut self, digest: Digest, bytes: Vec<u8>, artifacts: Vec<Digest>, blobs: &Blobs) {
        self.fresh.references.push(digest);
        if bytes.len() <= VALUE_MAX {
            self.fresh.values.push(NewValue {
                digest,
                body: bytes.into(),
                blobs: artifacts,
            });
            return;
        }
        self.fresh.references.extend(artifacts);
        match blobs.keep_bytes(&bytes) {
            Ok(kept) => self.fresh.blobs.push(kept),
            Err(error) => self.fault = Some(error),
        }
    }

    fn remember(&mut self, digest: Digest, value: Value, size: usize) {
        if self.remembered.insert(digest, (value, size)).is_some() {
            return;
        }
        self.order.push_back(digest);
        self.bytes += size;
        while self.bytes > REMEMBERED_MAX
            && let Some(oldest) = self.order.pop_front()
        {
            if let Some((_, size)) = self.remembered.remove(&oldest) {
                self.bytes -= size;
            }
        }
    }
}

/// Returns the artifacts in a value.
pub(crate) fn artifacts(value: &Value) -> Vec<Digest> {
    let mut found = Vec::new();
    let mut open = vec![value];
    while let Some(value) = open.pop() {
        match value {
            Value::List(list) => open.extend(&list.items),
            Value::Record(fields) => open.extend(fields.values()),
            Value::Artifact(artifact) => found.extend(artifact.digest.parse::<Digest>()),
            Value::None
            | Value::Bool(_)
            | Value::Int(_)
            | Value::Float(_)
            | Value::Text(_)
            | Value::Duration(_)
            | Value::Money(_)
            | Value::Time(_)
            | Value::Size(_)
            | Value::Enum(_)
            | Value::Secret(_) => {}
        }
    }
    found
}
