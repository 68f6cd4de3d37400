//! What runs share, as `flow.toml` says it: budgets over all runs, and how much
//! there is of each pool.

use std::num::NonZeroU32;

use flow_core::amount::{Duration, Money};
use flow_core::arbiter::{BreakerTerms, Budgets, PoolTerms, Rate};
use flow_core::plan::Period;
use toml::Spanned;
use toml::de::{DeTable, DeValue};

use super::{Layer, Reader};

/// What may stand in `[budget]`.
const BUDGET_KEYS: [&str; 5] = ["all", "day", "week", "month", "provider"];

/// What may stand in `[pools.NAME]`.
const POOL_KEYS: [&str; 4] = ["slots", "rate", "failures", "pause"];

/// The pool whose terms are those of all pools that have none.
const OTHERS: &str = "default";

/// How long a pool is left alone if nothing is said.
const PAUSE: Duration = Duration(30 * Duration::SECOND.0);

impl Reader {
    /// Reads budgets over those that were read before.
    pub(super) fn budgets(&mut self, table: &DeTable<'_>, budgets: &mut Budgets, layer: &Layer) {
        for (key, value) in table {
            let name: &str = key.get_ref();
            let period = match name {
                "all" => None,
                "day" => Some(Period::Day),
                "week" => Some(Period::Week),
                "month" => Some(Period::Month),
                "provider" => {
                    self.providers(value, budgets, layer);
                    continue;
                }
                _ => {
                    self.unknown(key.span(), name, &BUDGET_KEYS);
                    continue;
                }
            };
            let Some(amount) = self.amount(&format!("budget.{name}"), value, layer) else {
                continue;
            };
            match period {
                None => budgets.project = Some(amount),
                Some(period) => {
                    budgets.project_per.insert(period, amount);
                }
            }
        }
    }

    fn providers(&mut self, value: &Spanned<DeValue<'_>>, budgets: &mut Budgets, layer: &Layer) {
        let Some(table) = self.table("budget.provider", value) else {
            return;
        };
        for (key, value) in table {
            let name: &str = key.get_ref();
            let amount = self.amount(&format!("budget.provider.{name}"), value, layer);
            if let Some(amount) = amount {
                budgets.providers.insert(name.into(), amount);
            }
        }
    }

    fn amount(&mut self, key: &str, value: &Spanned<DeValue<'_>>, layer: &Layer) -> Option<Money> {
        let Some(text) = value.get_ref().as_str() else {
            self.expected(key, "an amount, as a text", value);
            return None;
        };
        if let Ok(amount) = text.parse::<Money>()
            && amount >= Money(0)
        {
            self.say(key, text, value.span(), layer);
            return Some(amount);
        }
        let message = format!("`{text}` is not an amount of money");
        let diagnostic = self.wrong(value.span(), message);
        self.out
            .push(diagnostic.help("write dollars, such as `$2.50`"));
        None
    }

    /// Reads all pools.
    pub(super) fn pools(&mut self, value: &Spanned<DeValue<'_>>) {
        let Some(table) = self.table("pools", value) else {
            return;
        };
        for (key, value) in table {
            let name: &str = key.get_ref();
            let whole = format!("pools.{name}");
            let Some(table) = self.table(&whole, value) else {
                continue;
            };
            let terms = self.pool(&whole, table);
            if name == OTHERS {
                self.terms.pool_default = terms;
            } else {
                self.terms.pools.insert(name.into(), terms);
            }
        }
    }

    fn pool(&mut self, name: &str, table: &DeTable<'_>) -> PoolTerms {
        let mut terms = PoolTerms::default();
        let (mut failures, mut pause) = (None, None);
        for (key, value) in table {
            let whole = format!("{name}.{}", key.get_ref());
            match &**key.get_ref() {
                "slots" => terms.slots = self.count(&whole, value).map(NonZeroU32::get),
                "rate" => terms.rate = self.rate_of(&whole, value),
                "failures" => failures = self.count(&whole, value),
                "pause" => pause = self.length(&whole, value).map(|it| (it, key.span())),
                other => self.unknown(key.span(), other, &POOL_KEYS),
            }
        }
        if let (None, Some((_, span))) = (failures, &pause) {
            let message = format!("`{name}.pause` is for a pool that has `failures`");
            let diagnostic = self.wrong(span.clone(), message);
            let help = "`failures` says after how many in a row the pool is left alone";
            self.out.push(diagnostic.help(help));
        }
        terms.breaker = failures.map(|failures| BreakerTerms {
            failures,
            pause: pause.map_or(PAUSE, |(pause, _)| pause),
        });
        terms
    }

    fn count(&mut self, key: &str, value: &Spanned<DeValue<'_>>) -> Option<NonZeroU32> {
        let number = match value.get_ref() {
            DeValue::Integer(number) => number.as_str().parse().ok(),
            DeValue::String(_)
            | DeValue::Float(_)
            | DeValue::Boolean(_)
            | DeValue::Datetime(_)
            | DeValue::Array(_)
            | DeValue::Table(_) => None,
        };
        let number: Option<NonZeroU32> = number;
        match number {
            Some(number) => self.say(key, &number.to_string(), value.span(), &Layer::Project),
            None => self.expected(key, "a whole number from 1", value),
        }
        number
    }

    fn length(&mut self, key: &str, value: &Spanned<DeValue<'_>>) -> Option<Duration> {
        let text = value.get_ref().as_str();
        let length: Option<Duration> = text.and_then(|text| text.parse().ok());
        let length = length.filter(|length| *length > Duration(0));
        match (length, text) {
            (Some(_), Some(text)) => self.say(key, text, value.span(), &Layer::Project),
            _ => self.expected(key, "a duration, such as `\"30s\"`", value),
        }
        length
    }

    fn rate_of(&mut self, key: &str, value: &Spanned<DeValue<'_>>) -> Option<Rate> {
        let text = value.get_ref().as_str().unwrap_or_default();
        let rate = text.split_once(" per ").and_then(|(burst, per)| {
            let per: Duration = per.trim().parse().ok()?;
            Some(Rate {
                burst: burst.trim().parse().ok()?,
                per: (per > Duration(0)).then_some(per)?,
            })
        });
        if rate.is_some() {
            self.say(key, text, value.span(), &Layer::Project);
        } else {
            self.expected(key, "a rate, such as `\"60 per 1m\"`", value);
        }
        rate
    }
}
