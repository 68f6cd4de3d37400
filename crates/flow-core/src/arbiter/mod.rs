//! The arbiter: what runs share, and who gets it.
//!
//! Budgets, pools, rates, breakers and calls in flight belong to a project and
//! not to a run. An attempt names all that it needs in one [`Demand`]; it gets
//! all of it in one [`Grant`](crate::event::Grant) or nothing.

mod demand;

pub use demand::{Demand, HoldId, LedgerDemand, LedgerId, PoolDemand};
