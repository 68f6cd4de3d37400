//! The barrier: blobs become durable before what refers to them.

use std::collections::BTreeSet;
use std::fs::File;
use std::io;

use flow_core::digest::Digest;

use crate::store::layout::{Layout, sync_folder};

/// From more blobs than this on, one sync of the whole file system is cheaper.
const MANY: usize = 8;

/// Makes blobs durable, with their names. Returns those that are not there.
pub(crate) fn sync(layout: &Layout, blobs: &BTreeSet<Digest>) -> io::Result<Vec<Digest>> {
    if blobs.len() > MANY && sync_all(layout)? {
        let missing = blobs.iter().filter(|digest| !layout.blob(digest).exists());
        return Ok(missing.copied().collect());
    }
    let mut missing = Vec::new();
    let mut shards = BTreeSet::new();
    for digest in blobs {
        match File::open(layout.blob(digest)) {
            Ok(file) => file.sync_all()?,
            Err(error) if error.kind() == io::ErrorKind::NotFound => {
                missing.push(*digest);
                continue;
            }
            Err(error) => return Err(error),
        }
        shards.insert(digest.0[0]);
    }
    for shard in shards {
        sync_folder(&layout.shard(shard))?;
    }
    Ok(missing)
}

/// Syncs the whole file system, where that can be done. Returns whether it was.
#[cfg(any(target_os = "linux", target_os = "android"))]
fn sync_all(layout: &Layout) -> io::Result<bool> {
    rustix::fs::syncfs(File::open(layout.blobs())?)?;
    Ok(true)
}

#[cfg(not(any(target_os = "linux", target_os = "android")))]
fn sync_all(_: &Layout) -> io::Result<bool> {
    Ok(false)
}
