//! Lines for people: columns that fit, prose that wraps, times and lengths in
//! words. Nothing that a step or an author wrote reaches a terminal as more than
//! letters.

use flow_core::amount::Duration;

/// Returns how many columns a text takes, counted in letters.
pub(crate) fn wide(text: &str) -> usize {
    text.chars().count()
}

/// Returns a text of one line in which nothing is left that a terminal would
/// obey, or that would turn the order of letters around.
pub(crate) fn tame(text: &str) -> String {
    let letters = text.chars().map(|letter| match letter {
        '\n' | '\r' | '\t' => ' ',
        letter if is_wild(letter) => '\u{fffd}',
        letter => letter,
    });
    letters.collect()
}

/// Returns whether a letter is more than a letter.
pub(crate) fn is_wild(letter: char) -> bool {
    letter.is_control()
        || matches!(letter, '\u{200e}' | '\u{200f}' | '\u{2028}' | '\u{2029}')
        || ('\u{202a}'..='\u{202e}').contains(&letter)
        || ('\u{2066}'..='\u{2069}').contains(&letter)
}

/// Cuts a text to so many letters, after taming it.
pub(crate) fn short(text: &str, most: usize) -> String {
    // More is not even looked at.
    let head: String = text.chars().take(most.saturating_add(1)).collect();
    let text = tame(&head);
    if wide(&text) <= most {
        return text;
    }
    let head: String = text.chars().take(most.saturating_sub(1)).collect();
    format!("{}…", head.trim_end())
}

/// Writes how long something took: `0.21s`, `4m12s`, `3d2h`.
pub(crate) fn length(length: Duration) -> String {
    let millis = length.0.max(0) / Duration::MILLISECOND.0;
    let seconds = millis / 1000;
    let two = |big: i64, unit: &str, small: i64, under: &str| {
        if small == 0 {
            format!("{big}{unit}")
        } else {
            format!("{big}{unit}{small}{under}")
        }
    };
    match seconds {
        _ if millis < 1000 => format!("{}.{:02}s", millis / 1000, millis % 1000 / 10),
        0..10 => format!("{seconds}.{}s", millis % 1000 / 100),
        10..60 => format!("{seconds}s"),
        60..3600 => two(seconds / 60, "m", seconds % 60, "s"),
        3600..86_400 => two(seconds / 3600, "h", seconds % 3600 / 60, "m"),
        _ => two(seconds / 86_400, "d", seconds % 86_400 / 3600, "h"),
    }
}

/// Writes a number with its thousands apart: `10,000`.
pub(crate) fn number(number: u64) -> String {
    let digits = number.to_string();
    let mut text = String::with_capacity(digits.len() + digits.len() / 3);
    for (at, digit) in digits.chars().enumerate() {
        if at > 0 && (digits.len() - at).is_multiple_of(3) {
            text.push(',');
        }
        text.push(digit);
    }
    text
}
