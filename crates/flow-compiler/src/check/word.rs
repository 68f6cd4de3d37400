//! Names as keys of maps.

/// How many bytes are compared at once.
const HEAD: usize = 16;

/// A name as a key. Most names are short and many begin alike, so their first
/// bytes are one number. The order is that of texts.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct Word {
    /// The first bytes, the first of all highest, filled up with zeros.
    head: u128,
    /// What follows; of a name that has zeros itself, all of it.
    tail: Box<[u8]>,
}

impl Word {
    /// Makes a key of a name.
    pub(crate) fn of(name: &str) -> Self {
        let (first, tail) = name.as_bytes().split_at(name.len().min(HEAD));
        let mut head = [0; HEAD];
        head[..first.len()].copy_from_slice(first);
        let has_zeros = first.contains(&0);
        Self {
            head: u128::from_be_bytes(head),
            tail: if has_zeros { name.as_bytes() } else { tail }.into(),
        }
    }

    /// Returns the name.
    pub(crate) fn text(&self) -> String {
        let head = self.head.to_be_bytes();
        let zero = head.iter().position(|byte| *byte == 0);
        let mut bytes = match zero {
            None => head.to_vec(),
            Some(_) if !self.tail.is_empty() => Vec::new(),
            Some(length) => head[..length].to_vec(),
        };
        bytes.extend(&self.tail);
        String::from_utf8_lossy(&bytes).into_owned()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const NAMES: &[&str] = &[
        "",
        "\0",
        "a",
        "a\0",
        "a\0b",
        "a_name_of_sixteen_and_more",
        "a_name_of_sixtee",
        "a_name_of_sixteen",
        "a_name_of_sixtéen",
        "a_name_of_sixt\0n_and_more",
        "b",
    ];

    #[test]
    fn a_key_keeps_its_name() {
        for name in NAMES {
            assert_eq!(Word::of(name).text(), *name);
        }
    }

    #[test]
    fn keys_are_ordered_like_names() {
        for a in NAMES {
            for b in NAMES {
                assert_eq!(Word::of(a).cmp(&Word::of(b)), a.cmp(b), "{a:?} {b:?}");
            }
        }
    }
}
