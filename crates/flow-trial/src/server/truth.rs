//! What really happened, as the other side saw it.
//!
//! The state of the server is a fold of its journal, so that it survives a
//! restart of the server.

use std::collections::{BTreeMap, BTreeSet};

use flow_core::amount::Money;
use flow_core::digest::Digest;
use serde::{Deserialize, Serialize};

/// One line of the journal.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Record {
    /// When, in milliseconds since the server was made.
    pub at: u64,
    /// The request that it belongs to, counted from 0 over all restarts.
    pub request: u64,
    /// What happened.
    pub what: What,
}

/// What happened.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case", deny_unknown_fields)]
pub enum What {
    /// A request arrived.
    Arrived(Asked),
    /// Something was charged.
    Charged(Charge),
    /// The world was changed.
    Effect {
        /// Under which name.
        name: String,
        /// By whom.
        key: String,
    },
    /// A request was answered with what its key had got before.
    Repeated {
        /// The key.
        key: String,
    },
    /// A request was refused.
    Refused {
        /// The key.
        key: String,
        /// With which status.
        status: u16,
        /// Whether the key gets that from now on.
        is_kept: bool,
    },
    /// What was known under a key is forgotten.
    Forgotten {
        /// The key.
        key: String,
    },
    /// A job was taken.
    JobTaken {
        /// What it is called.
        job: String,
        /// What was asked.
        asked: Asked,
        /// What it costs.
        bill: Money,
    },
    /// A job was asked for.
    JobAsked {
        /// The job.
        job: String,
    },
    /// A job is not known any more.
    JobForgotten {
        /// The job.
        job: String,
    },
    /// Somebody asked whether something happened.
    Probed {
        /// By whom.
        key: String,
        /// What was said.
        found: String,
    },
    /// An answer was sent, whole.
    Answered,
}

/// What a client asks for.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Asked {
    /// The step: `paid`, `keyed`, ….
    pub step: String,
    /// The name that scripts count by.
    pub name: String,
    /// The idempotency key.
    pub key: String,
    /// Where the step is.
    pub path: String,
    /// What it may cost at most.
    pub bound: Money,
    /// How it is treated.
    pub script: String,
    /// What the result is made of.
    pub given: String,
    /// How many times a job is asked for before it is done.
    pub polls: u32,
}

impl Asked {
    /// Returns the result: the same whenever the same is asked.
    pub fn result(&self) -> String {
        let given = Digest::of(self.given.as_bytes()).short();
        format!("{} {} {given}", self.step, self.name)
    }
}

/// Something that was charged.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Charge {
    /// Under which name.
    pub name: String,
    /// By whom.
    pub key: String,
    /// How much.
    pub amount: Money,
    /// How much it may have been at most.
    pub bound: Money,
}

/// A job.
#[derive(Debug, Clone, PartialEq)]
pub struct Job {
    /// What was asked.
    pub asked: Asked,
    /// What it costs.
    pub bill: Money,
    /// How often it was asked for.
    pub polls: u32,
}

/// All that happened.
#[derive(Debug, Clone, Default)]
pub struct Truth {
    /// In order.
    pub records: Vec<Record>,
    /// How many requests arrived under a name.
    pub turns: BTreeMap<String, usize>,
    /// How often something was asked about under a name.
    pub probes: BTreeMap<String, usize>,
    /// Keys that were used, and what they get.
    pub keys: BTreeMap<String, Kept>,
    /// Keys under which the world was changed.
    pub effects: BTreeSet<String>,
    /// Jobs that are known.
    pub jobs: BTreeMap<String, Job>,
}

/// What a key gets.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Kept {
    /// The result.
    Result,
    /// An error.
    Status(u16),
}

impl Truth {
    /// Folds one record.
    pub fn apply(&mut self, record: Record) {
        match &record.what {
            What::Arrived(asked) => *self.turns.entry(asked.name.clone()).or_default() += 1,
            What::Effect { key, .. } => {
                self.effects.insert(key.clone());
                self.keys.insert(key.clone(), Kept::Result);
            }
            What::Refused {
                key,
                status,
                is_kept: true,
            } => {
                self.keys.insert(key.clone(), Kept::Status(*status));
            }
            What::Forgotten { key } => {
                self.keys.remove(key);
            }
            What::JobTaken { job, asked, bill } => {
                let taken = Job {
                    asked: asked.clone(),
                    bill: *bill,
                    polls: 0,
                };
                self.jobs.insert(job.clone(), taken);
            }
            What::JobAsked { job } => {
                if let Some(job) = self.jobs.get_mut(job) {
                    job.polls += 1;
                }
            }
            What::JobForgotten { job } => {
                self.jobs.remove(job);
            }
            What::Probed { key, .. } => *self.probes.entry(key.clone()).or_default() += 1,
            What::Charged(_) | What::Repeated { .. } | What::Refused { .. } | What::Answered => {}
        }
        self.records.push(record);
    }

    /// Returns what arrived, in order.
    pub fn arrivals(&self) -> impl Iterator<Item = &Asked> {
        self.records.iter().filter_map(|record| {
            let What::Arrived(asked) = &record.what else {
                return None;
            };
            Some(asked)
        })
    }

    /// Returns what was charged, in order.
    pub fn charges(&self) -> impl Iterator<Item = &Charge> {
        self.records.iter().filter_map(|record| {
            let What::Charged(charge) = &record.what else {
                return None;
            };
            Some(charge)
        })
    }

    /// Returns how much was charged in all.
    pub fn charged(&self) -> Money {
        self.charges()
            .fold(Money(0), |sum, charge| sum.saturating_add(charge.amount))
    }

    /// Returns how often the world was changed under each name.
    pub fn effects_by_name(&self) -> BTreeMap<&str, usize> {
        let mut counts = BTreeMap::new();
        for record in &self.records {
            if let What::Effect { name, .. } = &record.what {
                *counts.entry(name.as_str()).or_default() += 1;
            }
        }
        counts
    }

    /// Returns how many requests arrived under a name.
    pub fn arrived(&self, name: &str) -> usize {
        self.turns.get(name).copied().unwrap_or(0)
    }
}
