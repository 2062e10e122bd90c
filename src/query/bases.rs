//! Base32 and percent signs, as `@base32` and `@urid` want them.

const BASE32: &[u8] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZ234567";

pub(super) fn to_base32(bytes: &[u8]) -> String {
    let mut text = String::new();
    for chunk in bytes.chunks(5) {
        let mut bits = [0; 8];
        bits[3..3 + chunk.len()].copy_from_slice(chunk);
        let bits = u64::from_be_bytes(bits);
        let digits = (chunk.len() * 8).div_ceil(5);
        for i in 0..8 {
            let digit = BASE32[(bits >> (35 - 5 * i) & 31) as usize];
            text.push(if i < digits { char::from(digit) } else { '=' });
        }
    }
    text
}

/// `None` also for what is not UTF-8 then.
pub(super) fn from_percent(text: &[u8]) -> Option<Vec<u8>> {
    let mut bytes = Vec::with_capacity(text.len());
    let mut rest = text.iter();
    while let Some(byte) = rest.next() {
        bytes.push(match byte {
            b'%' => {
                let mut digit = || char::from(*rest.next()?).to_digit(16);
                (digit()? * 16 + digit()?) as u8
            }
            byte => *byte,
        });
    }
    str::from_utf8(&bytes).is_ok().then_some(bytes)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn base32_is_padded() {
        for (text, encoded) in [("", ""), ("a", "ME======"), ("This is", "KRUGS4ZANFZQ====")] {
            assert_eq!(to_base32(text.as_bytes()), encoded);
        }
    }

    #[test]
    fn percent_signs_are_decoded() {
        assert_eq!(from_percent(b"%C3%a9+%20x").unwrap(), "é+ x".as_bytes());
        assert_eq!(from_percent(b"%4"), None);
        assert_eq!(from_percent(b"%zz"), None);
    }
}
