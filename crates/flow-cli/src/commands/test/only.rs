//! Which tests are meant by a name.

use flow_syntax::diagnostic::nearest;

use crate::exit::Failure;

/// A name of tests, or a part of it; `*` stands for any letters.
pub(super) struct Only<'a> {
    pattern: &'a str,
}

impl<'a> Only<'a> {
    pub(super) fn new(pattern: &'a str) -> Self {
        Self { pattern }
    }

    /// Returns whether a name is meant. A pattern without `*` is meant to be a
    /// part of it.
    pub(super) fn fits(&self, name: &str) -> bool {
        if !self.pattern.contains('*') {
            return name.contains(self.pattern);
        }
        let mut parts = self.pattern.split('*');
        let first = parts.next().unwrap_or_default();
        let Some(mut rest) = name.strip_prefix(first) else {
            return false;
        };
        let mut parts = parts.peekable();
        while let Some(part) = parts.next() {
            if parts.peek().is_none() {
                return rest.ends_with(part);
            }
            // The earliest leaves most to the others.
            match rest.find(part) {
                Some(at) => rest = &rest[at + part.len()..],
                None => return false,
            }
        }
        true
    }

    /// Says that no test is meant.
    pub(super) fn failure<'n>(&self, names: impl Iterator<Item = &'n str>) -> Failure {
        let failure = Failure::usage(format!("no test is called `{}`", self.pattern));
        match nearest(self.pattern, names) {
            Some(near) => failure.with_help(format!("did you mean `{near}`?")),
            None => failure.with_help("`flow test --list` shows them all"),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_part_of_a_name_is_enough_and_a_star_stands_for_anything() {
        let name = "posts what was approved";
        for fitting in [
            "posts",
            "was",
            name,
            "*",
            "posts*",
            "*approved",
            "p*was*ed",
            "**",
        ] {
            assert!(Only::new(fitting).fits(name), "{fitting}");
        }
        for other in [
            "post what",
            "was*",
            "*was",
            "p*x*ed",
            "posts*posts what*",
            "*dd*",
        ] {
            assert!(!Only::new(other).fits(name), "{other}");
        }
    }
}
