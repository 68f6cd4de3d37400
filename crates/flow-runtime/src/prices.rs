//! Prices that were wrong: which aren't trusted, and how one is trusted again.

use std::sync::Arc;

use flow_core::amount::Timestamp;
use flow_core::arbiter::{Arbiter, Overcharge, Row, Terms};
use flow_core::wire::WireError;

use crate::store::{
    Batch, Level, OpenError, ReadError, Reader, Refused, SharedChange, SharedRow, SharedState,
    Store,
};

/// Why a price can't be trusted again.
#[derive(Debug, thiserror::Error)]
pub enum PriceError {
    /// The store can't be read.
    #[error(transparent)]
    Read(#[from] ReadError),
    /// The store can't be opened to read it.
    #[error(transparent)]
    Open(#[from] OpenError),
    /// The store can't be written.
    #[error(transparent)]
    Write(#[from] Refused),
    /// What runs share can't be read.
    #[error("what runs share can't be read ({0}); it was written by another version of flow")]
    Shared(#[from] WireError),
}

/// Returns the prices that aren't trusted, with the evidence.
pub fn distrusted(reader: &Reader) -> Result<Vec<(Arc<str>, Overcharge)>, PriceError> {
    let books = books(&reader.shared()?)?;
    let prices = books.distrusted();
    Ok(prices
        .map(|(price, evidence)| (price.clone(), *evidence))
        .collect())
}

/// Trusts a price again; returns whether it wasn't trusted.
pub async fn trust(store: &Store, price: &Arc<str>, now: Timestamp) -> Result<bool, PriceError> {
    let reader = store.reader()?;
    loop {
        let shared = reader.shared()?;
        let mut books = books(&shared)?;
        drop(books.changes());
        books.trust(price, now);
        let changes = books.changes();
        if changes.is_empty() {
            return Ok(false);
        }
        let rows = changes.iter().map(|change| {
            let row = change.stored();
            SharedRow {
                kind: row.kind,
                key: row.key,
                body: row.body,
            }
        });
        let batch = Batch {
            level: Level::Synced,
            shared: Some(SharedChange {
                version: shared.version,
                rows: rows.collect(),
            }),
            ..Batch::default()
        };
        match store.commit(batch).await {
            Ok(_) => return Ok(true),
            // Somebody was faster: what is shared is read again.
            Err(Refused::SharedMoved { .. }) => {}
            Err(refused) => return Err(refused.into()),
        }
    }
}

fn books(shared: &SharedState) -> Result<Arbiter, WireError> {
    let rows = shared.rows.iter().filter_map(|row| {
        let body = row.body.as_ref()?;
        Some(Row::read(row.kind, &row.key, body))
    });
    let rows: Vec<Row> = rows.collect::<Result<_, _>>()?;
    Ok(Arbiter::load(Terms::default(), rows))
}
