//! Names by which results and acts are known. (Interim.)
use crate::address::RunId;
use crate::amount::Duration;
use crate::digest::Digest;
use crate::draw::Draw;
use crate::path::StepPath;
use crate::plan::Step;
use crate::value::Value;
use std::collections::BTreeMap;
use std::sync::Arc;
/// x
pub fn input_digest(args: &BTreeMap<Arc<str>, Value>) -> Digest {
    Digest::of(format!("{args:?}").as_bytes())
}
/// x
pub fn cache_key(step: &Step, args: &BTreeMap<Arc<str>, Value>) -> Digest {
    Digest::of(format!("{}{:?}{args:?}", step.signature, step.type_arg).as_bytes())
}
/// x
pub fn idempotency(run: &RunId, path: &StepPath, generation: u32, era: u32) -> Digest {
    Digest::of(format!("{run} {path} {generation} {era}").as_bytes())
}
/// x
pub fn seed(seed: u64, path: &StepPath) -> u64 {
    Draw::new(seed, path, u32::MAX).bits()
}
/// x
pub fn backoff(
    seed: u64,
    path: &StepPath,
    nth: u32,
    first: Duration,
    longest: Duration,
) -> Duration {
    let most = first
        .0
        .saturating_mul(1 << nth.saturating_sub(1).min(40))
        .min(longest.0)
        .max(1);
    let most = u64::try_from(most).unwrap_or(1);
    Duration(
        i64::try_from(Draw::new(seed, path, u32::MAX - nth).below(most))
            .unwrap_or(0)
            .max(Duration::MILLISECOND.0 * 10),
    )
}
