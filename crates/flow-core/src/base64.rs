//! Base64, as it is written: two alphabets that differ in two letters.

/// The usual alphabet.
pub const STANDARD: &[u8; 64] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";

/// The alphabet of addresses and names of files.
pub const URL_SAFE: &[u8; 64] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_";

/// Writes bytes, without what fills the end up.
pub fn bare(bytes: &[u8], alphabet: &[u8; 64]) -> String {
    let mut out = String::with_capacity(bytes.len().div_ceil(3) * 4);
    for three in bytes.chunks(3) {
        let byte = |at: usize| u32::from(three.get(at).copied().unwrap_or(0));
        let bits = byte(0) << 16 | byte(1) << 8 | byte(2);
        for place in 0..=three.len() {
            let six = bits >> (18 - 6 * place) & 63;
            out.push(char::from(alphabet[usize::try_from(six).unwrap_or(0)]));
        }
    }
    out
}

/// Writes bytes in the usual alphabet, filled up.
pub fn padded(bytes: &[u8]) -> String {
    let mut out = bare(bytes, STANDARD);
    while !out.len().is_multiple_of(4) {
        out.push('=');
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn bytes_are_written_as_others_write_them() {
        for (bytes, expected) in [
            (&b""[..], ""),
            (b"f", "Zg=="),
            (b"fo", "Zm8="),
            (b"foo", "Zm9v"),
            (b"\xfb\xff\xbf", "+/+/"),
        ] {
            assert_eq!(padded(bytes), expected);
        }
        assert_eq!(bare(b"\xfb\xff\xbf", URL_SAFE), "-_-_");
        assert_eq!(bare(b"f", STANDARD), "Zg");
    }
}
