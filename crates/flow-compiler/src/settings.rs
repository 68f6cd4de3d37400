//! What a project sets once for all its workflows.

use std::collections::BTreeMap;

use flow_core::amount::Money;

/// Defaults, prices and the time zone of a project, a profile applied.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Settings {
    /// What `default` means: `gen.image.model` → `local/sketch`, `model` for
    /// every step that has no entry of its own.
    pub defaults: BTreeMap<String, String>,
    /// What models cost.
    pub prices: Prices,
    /// The time zone of periods and of schedules that name none.
    pub tz: Option<String>,
}

/// Prices by model and unit.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Prices {
    /// Model → unit → rate. A unit is a word, possibly with a size:
    /// `image`, `image 1024x1024`, `second`, `input`, `output`.
    pub models: BTreeMap<String, BTreeMap<String, Rate>>,
}

/// A price of so many units.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Rate {
    /// The price.
    pub price: Money,
    /// Of how many units; at least 1.
    pub per: u64,
}

impl Settings {
    /// Returns what `default` means for a parameter of a step.
    pub fn default_of(&self, step: &str, param: &str) -> Option<&str> {
        self.defaults
            .get(&format!("{step}.{param}"))
            .or_else(|| self.defaults.get(param))
            .map(String::as_str)
    }
}
