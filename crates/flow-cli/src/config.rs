//! `flow.toml`: what a project sets once for all its workflows.

mod allow;
mod limits;

use std::borrow::Cow;
use std::collections::BTreeMap;
use std::ops::Range;
use std::path::Path;

use flow_compiler::settings::{Rate, Settings};
use flow_core::arbiter::Terms;
use flow_syntax::diagnostic::{Certainty, Diagnostic, Diagnostics, nearest};
use flow_syntax::span::{Source, SourceId, Span};
use jiff::tz::TimeZone;
use toml::Spanned;
use toml::de::{DeTable, DeValue};

pub(crate) use allow::Allow;

use crate::codes;
use crate::disk::read_text;
use crate::exit::Failure;

/// The name of the file in a project's folder.
pub(crate) const NAME: &str = "flow.toml";

/// What a profile may replace.
const PROFILE_KEYS: [&str; 2] = ["budget", "defaults"];

/// What may stand at the top.
const KEYS: [&str; 7] = [
    "allow", "budget", "defaults", "pools", "prices", "profile", "tz",
];

/// The units that prices are counted in, for the help of messages.
const RATE_HELP: &str = "write an amount, or one for so many units: `$0.04`, `$0.15 per 1M`";

/// What a `flow.toml` says, and what is wrong with it.
#[derive(Debug)]
pub(crate) struct Config {
    /// The settings, a profile applied.
    pub(crate) settings: Settings,
    /// How much there is of what runs share.
    pub(crate) terms: Terms,
    /// What may be used that is elsewhere.
    pub(crate) allow: Allow,
    /// All that is said, in the order in which it counts: the last of a key is
    /// the one.
    pub(crate) said: Vec<Said>,
    /// What is wrong, in order of place.
    pub(crate) diagnostics: Vec<Diagnostic>,
    /// The names of all profiles.
    pub(crate) profiles: Vec<String>,
}

/// Reads the `flow.toml` of a project, if it has one.
pub(crate) fn load(
    root: &Path,
    profile: Option<&str>,
) -> Result<Option<(Source, Config)>, Failure> {
    let file = root.join(NAME);
    if !file.exists() {
        return unknown_profile(profile, &[]).map_or(Ok(None), Err);
    }
    let text = read_text(&file)
        .map_err(|fault| Failure::io(format!("cannot read `{}`: {fault}", file.display())))?;
    let source = Source::new(SourceId(0), NAME, text);
    let config = read(&source, profile);
    match unknown_profile(profile, &config.profiles) {
        Some(failure) => Err(failure),
        None => Ok(Some((source, config))),
    }
}

/// Says that a profile isn't there, if it isn't.
fn unknown_profile(profile: Option<&str>, profiles: &[String]) -> Option<Failure> {
    let profile = profile.filter(|name| !profiles.iter().any(|other| other == name))?;
    let failure = Failure::usage(format!("there is no profile `{profile}` in `{NAME}`"));
    let near = nearest(profile, profiles.iter().map(String::as_str));
    Some(match near {
        Some(near) => failure.with_help(format!("did you mean `{near}`?")),
        None if profiles.is_empty() => {
            failure.with_help(format!("declare it with `[profile.{profile}.defaults]`"))
        }
        None => failure.with_help(format!("there are `{}`", profiles.join("`, `"))),
    })
}

/// Something that is set.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Said {
    /// The key, with the tables that it is in: `budget.day`.
    pub(crate) key: String,
    /// What it is set to, as it is written.
    pub(crate) value: String,
    /// Where.
    pub(crate) span: Span,
    /// By what.
    pub(crate) layer: Layer,
}

/// What sets something. The later ones replace the earlier.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Layer {
    /// The project.
    Project,
    /// A profile that was asked for.
    Profile(String),
}

/// Reads a `flow.toml`.
pub(crate) fn read(source: &Source, profile: Option<&str>) -> Config {
    let mut reader = Reader {
        id: source.id,
        settings: Settings::default(),
        terms: Terms::default(),
        allow: Allow::default(),
        said: Vec::new(),
        out: Diagnostics::default(),
        profiles: Vec::new(),
    };
    match DeTable::parse(&source.text) {
        Ok(table) => reader.top(table.get_ref(), profile),
        Err(error) => {
            let range = error.span().unwrap_or_default();
            let message = error.message().trim_end_matches('.').replace('\n', ", ");
            let span = Span::new(source.id, range.start, range.end);
            let diagnostic = Diagnostic::new(codes::SETTINGS_SYNTAX, span, message);
            reader.out.push(diagnostic);
        }
    }
    Config {
        settings: reader.settings,
        terms: reader.terms,
        allow: reader.allow,
        said: reader.said,
        diagnostics: reader.out.into_sorted(),
        profiles: reader.profiles,
    }
}

struct Reader {
    id: SourceId,
    settings: Settings,
    terms: Terms,
    allow: Allow,
    said: Vec<Said>,
    out: Diagnostics,
    profiles: Vec<String>,
}

impl Reader {
    fn top(&mut self, table: &DeTable<'_>, profile: Option<&str>) {
        for (key, value) in table {
            let name: &str = key.get_ref();
            match name {
                "tz" => self.tz(value),
                "defaults" => {
                    if let Some(table) = self.table(name, value) {
                        let mut found = BTreeMap::new();
                        self.defaults("", table, &mut found, &Layer::Project);
                        self.settings.defaults.append(&mut found);
                    }
                }
                "budget" => {
                    if let Some(table) = self.table(name, value) {
                        let mut budgets = std::mem::take(&mut self.terms.budgets);
                        self.budgets(table, &mut budgets, &Layer::Project);
                        self.terms.budgets = budgets;
                    }
                }
                "allow" => self.allow(value),
                "pools" => self.pools(value),
                "prices" => self.prices(value),
                "profile" => {}
                _ => self.unknown(key.span(), name, &KEYS),
            }
        }
        // After the rest, so that a profile replaces what the project says.
        if let Some(value) = table.get("profile") {
            self.profiles(value, profile);
        }
    }

    fn tz(&mut self, value: &Spanned<DeValue<'_>>) {
        match value.get_ref().as_str() {
            Some(tz) if let Ok(zone) = TimeZone::get(tz) => {
                self.terms.zone = zone;
                self.settings.tz = Some(tz.to_owned());
                self.say("tz", tz, value.span(), &Layer::Project);
            }
            Some(tz) => {
                let diagnostic = self
                    .wrong(
                        value.span(),
                        format!("`{tz}` is not the name of a time zone"),
                    )
                    .help("write a name of the time zone database: `Europe/Berlin`, `UTC`");
                self.out.push(diagnostic);
            }
            None => self.expected("tz", "a text", value),
        }
    }

    fn profiles(&mut self, value: &Spanned<DeValue<'_>>, wanted: Option<&str>) {
        let Some(profiles) = self.table("profile", value) else {
            return;
        };
        for (key, value) in profiles {
            let name: &str = key.get_ref();
            self.profiles.push(name.to_owned());
            let Some(table) = self.table(name, value) else {
                continue;
            };
            let is_wanted = wanted == Some(name);
            let before = self.said.len();
            for (key, value) in table {
                self.profile(name, key, value, is_wanted);
            }
            if !is_wanted {
                self.said.truncate(before);
            }
        }
    }

    /// Reads a part of a profile; of one that isn't wanted only what is wrong.
    fn profile(
        &mut self,
        name: &str,
        key: &Spanned<Cow<'_, str>>,
        value: &Spanned<DeValue<'_>>,
        is_wanted: bool,
    ) {
        let part: &str = key.get_ref();
        let layer = Layer::Profile(name.to_owned());
        if !PROFILE_KEYS.contains(&part) {
            self.unknown(key.span(), part, &PROFILE_KEYS);
            return;
        }
        let Some(table) = self.table(part, value) else {
            return;
        };
        if part == "budget" {
            let mut budgets = self.terms.budgets.clone();
            self.budgets(table, &mut budgets, &layer);
            if is_wanted {
                self.terms.budgets = budgets;
            }
        } else {
            let mut found = BTreeMap::new();
            self.defaults("", table, &mut found, &layer);
            if is_wanted {
                self.settings.defaults.append(&mut found);
            }
        }
    }

    /// Reads defaults; `gen.image.model` may be one quoted key or tables.
    fn defaults(
        &mut self,
        prefix: &str,
        table: &DeTable<'_>,
        found: &mut BTreeMap<String, String>,
        layer: &Layer,
    ) {
        for (key, value) in table {
            let name = if prefix.is_empty() {
                key.get_ref().to_string()
            } else {
                format!("{prefix}.{}", key.get_ref())
            };
            let text = match value.get_ref() {
                DeValue::String(text) => text.to_string(),
                DeValue::Integer(number) => number.as_str().to_owned(),
                DeValue::Float(number) => number.as_str().to_owned(),
                DeValue::Boolean(truth) => truth.to_string(),
                DeValue::Table(table) => {
                    self.defaults(&name, table, found, layer);
                    continue;
                }
                DeValue::Array(_) | DeValue::Datetime(_) => {
                    self.expected(&name, "a text, a number or a truth value", value);
                    continue;
                }
            };
            self.say(&format!("defaults.{name}"), &text, value.span(), layer);
            found.insert(name, text);
        }
    }

    fn prices(&mut self, value: &Spanned<DeValue<'_>>) {
        let Some(models) = self.table("prices", value) else {
            return;
        };
        for (model, value) in models {
            let Some(units) = self.table(model.get_ref(), value) else {
                continue;
            };
            let mut rates = BTreeMap::new();
            for (unit, value) in units {
                let Some(text) = value.get_ref().as_str() else {
                    self.expected(unit.get_ref(), "a price", value);
                    continue;
                };
                if let Some(rate) = rate(text) {
                    let key = format!("prices.{}.{}", model.get_ref(), unit.get_ref());
                    self.say(&key, text, value.span(), &Layer::Project);
                    rates.insert(unit.get_ref().to_string(), rate);
                } else {
                    let diagnostic = self
                        .wrong(value.span(), format!("`{text}` is not a price"))
                        .help(RATE_HELP);
                    self.out.push(diagnostic);
                }
            }
            let model = model.get_ref().to_string();
            self.settings.prices.models.insert(model, rates);
        }
    }

    fn table<'t>(
        &mut self,
        name: &str,
        value: &'t Spanned<DeValue<'_>>,
    ) -> Option<&'t DeTable<'t>> {
        let table = value.get_ref().as_table();
        if table.is_none() {
            self.expected(name, "a table", value);
        }
        table
    }

    fn say(&mut self, key: &str, value: &str, range: Range<usize>, layer: &Layer) {
        self.said.push(Said {
            key: key.to_owned(),
            value: value.to_owned(),
            span: self.span(range),
            layer: layer.clone(),
        });
    }

    fn unknown(&mut self, range: Range<usize>, name: &str, keys: &[&'static str]) {
        let span = self.span(range);
        let message = format!("there is no setting `{name}`");
        let diagnostic = Diagnostic::new(codes::UNKNOWN_SETTING, span, message);
        let all = keys.join("`, `");
        self.out.push(match nearest(name, keys.iter().copied()) {
            Some(near) => diagnostic.help(format!("did you mean `{near}`?")).fix(
                Certainty::Likely,
                format!("write `{near}`"),
                span,
                near,
            ),
            None => diagnostic.help(format!("there are `{all}`")),
        });
    }

    fn expected(&mut self, name: &str, what: &str, value: &Spanned<DeValue<'_>>) {
        let found = value.get_ref().type_str();
        let diagnostic = self
            .wrong(value.span(), format!("`{name}` is {what}"))
            .label(match found {
                "integer" | "array" => format!("this is an {found}"),
                _ => format!("this is a {found}"),
            });
        self.out.push(diagnostic);
    }

    fn wrong(&self, range: Range<usize>, message: String) -> Diagnostic {
        Diagnostic::new(codes::WRONG_SETTING, self.span(range), message)
    }

    fn span(&self, range: Range<usize>) -> Span {
        Span::new(self.id, range.start, range.end)
    }
}

/// Reads `$0.04`, `$0.15 per 1M`, `$2 per 1_000`.
fn rate(text: &str) -> Option<Rate> {
    let (price, per) = match text.split_once(" per ") {
        Some((price, per)) => (price, units(per.trim())?),
        None => (text, 1),
    };
    let price = price.trim().parse().ok()?;
    Some(Rate { price, per })
}

fn units(text: &str) -> Option<u64> {
    let (digits, factor) = match text.as_bytes().last()? {
        b'k' | b'K' => (&text[..text.len() - 1], 1_000),
        b'm' | b'M' => (&text[..text.len() - 1], 1_000_000),
        _ => (text, 1),
    };
    let number: u64 = digits.replace('_', "").parse().ok()?;
    number.checked_mul(factor).filter(|units| *units > 0)
}

#[cfg(test)]
mod tests {
    use super::*;
    use flow_core::amount::{Duration, Money};
    use flow_core::plan::Period;

    fn config(text: &str, profile: Option<&str>) -> Config {
        read(&Source::new(SourceId(0), NAME, text), profile)
    }

    #[test]
    fn settings_are_read_and_a_profile_replaces_defaults() {
        let text = r#"
            tz = "Europe/Berlin"
            [defaults]
            "gen.image.model" = "local/sketch"
            gen.text.model = "openai/gpt-x"
            [prices."openai/gpt-x"]
            image = "$0.04"
            input = "$0.15 per 1M"
            [profile.draft.defaults]
            "gen.text.model" = "local/words"
        "#;
        let plain = config(text, None);
        assert_eq!(plain.diagnostics, []);
        let settings = plain.settings;
        assert_eq!(
            settings.default_of("gen.text", "model"),
            Some("openai/gpt-x")
        );
        let rate = settings.prices.models["openai/gpt-x"]["input"];
        assert_eq!((rate.price, rate.per), (Money(150_000_000), 1_000_000));
        assert_eq!(settings.tz.as_deref(), Some("Europe/Berlin"));
        let draft = config(text, Some("draft"));
        assert_eq!(
            draft.settings.default_of("gen.text", "model"),
            Some("local/words")
        );
        assert_eq!(draft.profiles, ["draft"]);
    }

    #[test]
    fn an_unknown_key_is_named_with_its_place_and_the_nearest() {
        let config = config("[default]\nx = \"y\"\n", None);
        let said = &config.diagnostics[0];
        assert_eq!(said.message, "there is no setting `default`");
        assert_eq!(said.helps, ["did you mean `defaults`?"]);
        assert_eq!(said.primary.span.range(), 1..8);
    }

    #[test]
    fn a_price_that_is_none_says_how_prices_look() {
        let config = config("[prices.m]\nimage = \"4 cents\"\nsecond = 3\n", None);
        assert_eq!(config.diagnostics.len(), 2);
        assert_eq!(config.diagnostics[0].message, "`4 cents` is not a price");
    }

    #[test]
    fn budgets_and_pools_become_terms_and_a_profile_replaces_budgets() {
        let text = r#"
            tz = "Europe/Berlin"
            [budget]
            all = "$100"
            day = "$5"
            provider.openai = "$20"
            [pools.default]
            slots = 8
            [pools.openai]
            rate = "60 per 1m"
            failures = 5
            [profile.draft.budget]
            day = "$0"
            week = "$1"
        "#;
        let plain = config(text, None);
        assert_eq!(plain.diagnostics, []);
        let dollars = |amount: i64| Some(Money(amount * 1_000_000_000));
        let budgets = &plain.terms.budgets;
        assert_eq!(budgets.project, dollars(100));
        assert_eq!(budgets.project_per.get(&Period::Day).copied(), dollars(5));
        assert_eq!(budgets.providers.get("openai").copied(), dollars(20));
        assert_eq!(plain.terms.pool("gpu").slots, Some(8));
        let pool = plain.terms.pool("openai");
        assert_eq!(pool.slots, None);
        let rate = pool.rate.unwrap();
        assert_eq!(
            (rate.burst.get(), rate.per),
            (60, Duration(60 * Duration::SECOND.0))
        );
        let breaker = pool.breaker.unwrap();
        assert_eq!(breaker.failures.get(), 5);
        assert_eq!(breaker.pause, Duration(30 * Duration::SECOND.0));
        assert_eq!(plain.terms.zone.iana_name(), Some("Europe/Berlin"));
        let draft = config(text, Some("draft")).terms.budgets;
        assert_eq!(draft.project, dollars(100));
        assert_eq!(draft.project_per.get(&Period::Day).copied(), dollars(0));
        assert_eq!(draft.project_per.get(&Period::Week).copied(), dollars(1));
    }

    #[test]
    fn a_limit_that_cannot_be_read_is_an_error_and_not_none() {
        let wrong = [
            ("[budget]\nday = 5", "`budget.day` is an amount, as a text"),
            (
                "[budget]\nday = \"five\"",
                "`five` is not an amount of money",
            ),
            ("[budget]\nday = \"-$5\"", "`-$5` is not an amount of money"),
            ("[budget]\ndaily = \"$5\"", "there is no setting `daily`"),
            (
                "[budget]\nprovider = \"$5\"",
                "`budget.provider` is a table",
            ),
            (
                "[pools.a]\nslots = 0",
                "`pools.a.slots` is a whole number from 1",
            ),
            (
                "[pools.a]\nslots = -1",
                "`pools.a.slots` is a whole number from 1",
            ),
            (
                "[pools.a]\nslots = 99999999999",
                "`pools.a.slots` is a whole number from 1",
            ),
            (
                "[pools.a]\nrate = \"60\"",
                "`pools.a.rate` is a rate, such as `\"60 per 1m\"`",
            ),
            (
                "[pools.a]\nrate = \"0 per 1m\"",
                "`pools.a.rate` is a rate, such as `\"60 per 1m\"`",
            ),
            (
                "[pools.a]\npause = \"1m\"",
                "`pools.a.pause` is for a pool that has `failures`",
            ),
            (
                "[pools.a]\nfailures = 3\npause = \"soon\"",
                "`pools.a.pause` is a duration, such as `\"30s\"`",
            ),
            (
                "[profile.x.budget]\nday = 5",
                "`budget.day` is an amount, as a text",
            ),
            (
                "[profile.x.pools.a]\nslots = 5",
                "there is no setting `pools`",
            ),
            (
                "tz = \"Mars/Olympus\"",
                "`Mars/Olympus` is not the name of a time zone",
            ),
        ];
        for (text, message) in wrong {
            let said = config(text, None).diagnostics;
            let said: Vec<&str> = said.iter().map(|said| &*said.message).collect();
            assert_eq!(said, [message], "{text}");
        }
    }

    #[test]
    fn any_text_is_read_without_a_panic() {
        for text in [
            "",
            "[",
            "a = ",
            "\u{0}",
            "tz = \"\"",
            "profile = 3",
            "prices = []",
        ] {
            config(text, Some("x"));
        }
    }
}
