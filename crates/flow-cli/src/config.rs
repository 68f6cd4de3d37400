//! `flow.toml`: what a project sets once for all its workflows.

use std::collections::BTreeMap;
use std::ops::Range;

use flow_compiler::settings::{Rate, Settings};
use flow_syntax::diagnostic::{Certainty, Diagnostic, Diagnostics, nearest};
use flow_syntax::span::{Source, SourceId, Span};
use toml::Spanned;
use toml::de::{DeTable, DeValue};

use crate::codes;

/// The name of the file in a project's folder.
pub(crate) const NAME: &str = "flow.toml";

/// What a profile may replace.
const PROFILE_KEYS: [&str; 1] = ["defaults"];

/// What may stand at the top.
const KEYS: [&str; 4] = ["defaults", "prices", "profile", "tz"];

/// The units that prices are counted in, for the help of messages.
const RATE_HELP: &str = "write an amount, or one for so many units: `$0.04`, `$0.15 per 1M`";

/// What a `flow.toml` says, and what is wrong with it.
#[derive(Debug)]
pub(crate) struct Config {
    /// The settings, a profile applied.
    pub(crate) settings: Settings,
    /// What is wrong, in order of place.
    pub(crate) diagnostics: Vec<Diagnostic>,
    /// The names of all profiles.
    pub(crate) profiles: Vec<String>,
}

/// Reads a `flow.toml`.
pub(crate) fn read(source: &Source, profile: Option<&str>) -> Config {
    let mut reader = Reader {
        id: source.id,
        settings: Settings::default(),
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
        diagnostics: reader.out.into_sorted(),
        profiles: reader.profiles,
    }
}

struct Reader {
    id: SourceId,
    settings: Settings,
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
                        self.defaults("", table, &mut found);
                        self.settings.defaults.append(&mut found);
                    }
                }
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
            Some(tz) if is_zone(tz) => self.settings.tz = Some(tz.to_owned()),
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
            for (key, value) in table {
                if key.get_ref() != "defaults" {
                    self.unknown(key.span(), key.get_ref(), &PROFILE_KEYS);
                } else if let Some(table) = self.table("defaults", value) {
                    let mut found = BTreeMap::new();
                    self.defaults("", table, &mut found);
                    if wanted == Some(name) {
                        self.settings.defaults.append(&mut found);
                    }
                }
            }
        }
    }

    /// Reads defaults; `gen.image.model` may be one quoted key or tables.
    fn defaults(
        &mut self,
        prefix: &str,
        table: &DeTable<'_>,
        found: &mut BTreeMap<String, String>,
    ) {
        for (key, value) in table {
            let name = if prefix.is_empty() {
                key.get_ref().to_string()
            } else {
                format!("{prefix}.{}", key.get_ref())
            };
            match value.get_ref() {
                DeValue::String(text) => {
                    found.insert(name, text.to_string());
                }
                DeValue::Integer(number) => {
                    found.insert(name, number.as_str().to_owned());
                }
                DeValue::Float(number) => {
                    found.insert(name, number.as_str().to_owned());
                }
                DeValue::Boolean(truth) => {
                    found.insert(name, truth.to_string());
                }
                DeValue::Table(table) => self.defaults(&name, table, found),
                DeValue::Array(_) | DeValue::Datetime(_) => {
                    self.expected(&name, "a text, a number or a truth value", value);
                }
            }
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
            .label(format!("this is a {found}"));
        self.out.push(diagnostic);
    }

    fn wrong(&self, range: Range<usize>, message: String) -> Diagnostic {
        Diagnostic::new(codes::WRONG_SETTING, self.span(range), message)
    }

    fn span(&self, range: Range<usize>) -> Span {
        Span::new(self.id, range.start, range.end)
    }
}

/// The names of time zones have letters, digits and a few signs. Whether there
/// is one of this name is found out where it is used.
fn is_zone(name: &str) -> bool {
    let fits = |c: char| c.is_ascii_alphanumeric() || matches!(c, '/' | '_' | '-' | '+');
    name.starts_with(|c: char| c.is_ascii_alphabetic()) && name.chars().all(fits)
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
    use flow_core::amount::Money;

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
