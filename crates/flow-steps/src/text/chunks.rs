//! Pieces of a long text.

/// What pieces end with, the best first. A piece ends after it.
const ENDS: [&[&str]; 4] = [
    &["\n\n"],
    &["\n"],
    &[". ", "! ", "? ", "… ", "。", "！", "？"],
    &[" ", "\t"],
];

/// Cuts a text into pieces of at most so many characters, each but the first
/// beginning with the end of the one before. An overlap of at most half a piece
/// leaves room for something new in each.
pub(super) fn chunks(text: &str, most: usize, overlap: usize) -> Vec<&str> {
    let mut pieces = Vec::new();
    let (most, overlap) = (most.max(1), overlap.min(most / 2));
    // Where the new part of the piece begins, and where the piece does.
    let (mut fresh, mut start) = (0, 0);
    while fresh < text.len() {
        let room = most - text[start..fresh].chars().count();
        let limit = fresh + bytes_of(&text[fresh..], room);
        let end = if limit == text.len() {
            limit
        } else {
            fresh + cut(&text[fresh..limit])
        };
        pieces.push(&text[start..end]);
        fresh = end;
        start = back(text, fresh, overlap);
    }
    pieces
}

/// Returns how many bytes so many characters have, at most all.
fn bytes_of(text: &str, characters: usize) -> usize {
    let mut starts = text.char_indices();
    starts.nth(characters).map_or(text.len(), |(at, _)| at)
}

/// Returns where so many characters before a place begin.
fn back(text: &str, from: usize, characters: usize) -> usize {
    let mut starts = text[..from].char_indices().rev();
    match characters {
        0 => from,
        more => starts.nth(more - 1).map_or(0, |(at, _)| at),
    }
}

/// Returns where to end a part that is followed by more: as late as the best
/// kind of end allows, but not in its first half, which would make crumbs.
fn cut(part: &str) -> usize {
    let half = part.len() / 2;
    let found = ENDS.iter().find_map(|ends| {
        let places = ends
            .iter()
            .filter_map(|end| part.rfind(end).map(|at| at + end.len()));
        places.max().filter(|end| *end > half)
    });
    found.unwrap_or(part.len())
}

#[cfg(test)]
mod tests {
    use super::*;

    const TEXT: &str = "The fox ran. It was late.\n\nThe moon stood over the hills, and nobody was \
                        there.\nOnly snow. Überall Schnee ❄ und Stille.";

    #[test]
    fn pieces_are_short_enough_and_make_the_text_again() {
        for most in 1..130 {
            let pieces = chunks(TEXT, most, 0);
            assert!(pieces.iter().all(|piece| piece.chars().count() <= most));
            assert_eq!(pieces.concat(), TEXT);
        }
        assert_eq!(chunks("", 10, 5), Vec::<&str>::new());
    }

    #[test]
    fn pieces_end_at_the_best_place() {
        assert_eq!(
            chunks("One two. Three four", 12, 0),
            ["One two. ", "Three four"]
        );
        assert_eq!(chunks("aaa\n\nbbb\nccc", 8, 0), ["aaa\n\n", "bbb\nccc"]);
        assert_eq!(chunks("abcdefgh", 3, 0), ["abc", "def", "gh"]);
    }

    #[test]
    fn an_overlap_repeats_the_end_of_the_piece_before() {
        assert_eq!(chunks("abcdefgh", 4, 2), ["abcd", "cdef", "efgh"]);
        for (most, overlap) in [(10, 5), (7, 3), (2, 1), (1, 0)] {
            let pieces = chunks(TEXT, most, overlap);
            assert!(pieces.iter().all(|piece| piece.chars().count() <= most));
            for pair in pieces.windows(2) {
                let known: String = {
                    let skip = pair[0].chars().count().saturating_sub(overlap);
                    pair[0].chars().skip(skip).collect()
                };
                assert!(pair[1].starts_with(&known), "{pair:?}");
            }
        }
    }
}
