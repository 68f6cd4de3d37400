//! About how wide text is, without a font at hand.

/// A font's look.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Face {
    /// Names.
    Sans,
    /// Names that stand out.
    Bold,
    /// What is written in a file.
    Mono,
}

/// Returns about how wide a text is, rather too wide than too narrow.
pub(super) fn width(text: &str, face: Face, size: f64) -> f64 {
    let letters = text.chars();
    match face {
        Face::Mono => {
            letters
                .map(|c| if is_wide(c) { 1.1 } else { 0.605 })
                .sum::<f64>()
                * size
        }
        Face::Sans => letters.map(sans).sum::<f64>() * size,
        Face::Bold => letters.map(sans).sum::<f64>() * size * 1.07,
    }
}

fn sans(letter: char) -> f64 {
    match letter {
        'i' | 'j' | 'l' | '\'' | '|' | '.' | ',' | ':' | ';' | '!' => 0.29,
        'f' | 't' | 'r' | 'I' | '(' | ')' | '[' | ']' | '{' | '}' | ' ' | '/' | '-' => 0.38,
        's' | 'z' | 'c' | 'k' | 'v' | 'x' | 'y' | 'J' => 0.54,
        'm' | 'w' | 'M' | 'W' | '@' | '%' | '…' | '→' => 0.92,
        'A'..='Z' | '&' | '+' | '=' | '<' | '>' | '~' | '#' => 0.7,
        _ if is_wide(letter) => 1.05,
        _ => 0.6,
    }
}

/// Letters of East Asia and pictures take two places.
fn is_wide(letter: char) -> bool {
    matches!(u32::from(letter), 0x1100..=0x115f | 0x2e80..=0xa4cf | 0xac00..=0xd7a3
        | 0xf900..=0xfaff | 0xfe30..=0xfe6f | 0xff00..=0xff60 | 0x1f300..=0x1faff
        | 0x20000..=0x3fffd)
}
