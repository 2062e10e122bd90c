//! JSON → value, strictly by RFC 8259, numbers kept as they are written.

use jaq_json::{Map, Num, Val};

/// How deep arrays and objects may lie in each other, as in jq 1.7.
pub(super) const DEEPEST: usize = 10_000;

/// A longer integer stays as it is written: to compute with 8 million digits takes two minutes.
const DIGITS: usize = 10_000;

/// What is wrong, and at which byte.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Fault {
    pub(super) why: &'static str,
    pub(super) at: usize,
}

type Result<T> = std::result::Result<T, Fault>;

/// Exactly one value, with nothing but white space around it.
pub(super) fn parse(json: &[u8]) -> Result<Val> {
    let mut reader = Reader {
        json,
        at: 0,
        depth: 0,
    };
    reader.space();
    let value = reader.value()?;
    reader.space();
    match reader.peek() {
        None => Ok(value),
        Some(_) => reader.fault("something follows the value"),
    }
}

struct Reader<'a> {
    json: &'a [u8],
    at: usize,
    depth: usize,
}

impl Reader<'_> {
    fn value(&mut self) -> Result<Val> {
        match self.peek() {
            Some(b'{') => self.nested(Self::object),
            Some(b'[') => self.nested(Self::array),
            Some(b'"') => Ok(Val::utf8_str(self.string()?)),
            Some(b'-' | b'0'..=b'9') => self.number(),
            Some(b't') => self.word("true", Val::Bool(true)),
            Some(b'f') => self.word("false", Val::Bool(false)),
            Some(b'n') => self.word("null", Val::Null),
            Some(_) => self.fault("a value is expected"),
            None => self.fault("it ends too early"),
        }
    }

    fn nested(&mut self, read: fn(&mut Self) -> Result<Val>) -> Result<Val> {
        if self.depth == DEEPEST {
            return self.fault("nested deeper than 10000");
        }
        self.depth += 1;
        self.at += 1;
        self.space();
        let value = read(self)?;
        self.depth -= 1;
        Ok(value)
    }

    fn array(&mut self) -> Result<Val> {
        let mut items = Vec::new();
        if !self.accept(b']') {
            loop {
                items.push(self.value()?);
                if self.end_of_item(b']')? {
                    break;
                }
            }
        }
        Ok(items.into_iter().collect())
    }

    fn object(&mut self) -> Result<Val> {
        let mut map = Map::default();
        if !self.accept(b'}') {
            loop {
                if self.peek() != Some(b'"') {
                    return self.fault("a key is expected");
                }
                let key = Val::utf8_str(self.string()?);
                self.space();
                if !self.accept(b':') {
                    return self.fault("a colon is expected");
                }
                self.space();
                let value = self.value()?;
                map.insert(key, value);
                if self.end_of_item(b'}')? {
                    break;
                }
            }
        }
        Ok(Val::obj(map))
    }

    fn end_of_item(&mut self, close: u8) -> Result<bool> {
        self.space();
        if self.accept(close) {
            return Ok(true);
        }
        if !self.accept(b',') {
            return self.fault("a comma or the closing bracket is expected");
        }
        self.space();
        Ok(false)
    }

    /// Half a surrogate pair and bytes that are not UTF-8 become U+FFFD, as in jq.
    fn string(&mut self) -> Result<String> {
        self.at += 1;
        let mut bytes = Vec::new();
        loop {
            let start = self.at;
            while !matches!(self.peek(), None | Some(b'"' | b'\\' | 0..=0x1f)) {
                self.at += 1;
            }
            bytes.extend(&self.json[start..self.at]);
            match self.peek() {
                Some(b'"') => break,
                Some(b'\\') => {
                    let c = self.escape()?;
                    bytes.extend(c.encode_utf8(&mut [0; 4]).as_bytes());
                }
                Some(_) => return self.fault("a control character stands bare in a string"),
                None => return self.fault("a string has no end"),
            }
        }
        self.at += 1;
        Ok(match String::from_utf8(bytes) {
            Ok(string) => string,
            Err(error) => String::from_utf8_lossy(error.as_bytes()).into_owned(),
        })
    }

    fn escape(&mut self) -> Result<char> {
        self.at += 1;
        let c = match self.peek() {
            Some(b'u') => return self.unicode(),
            Some(c @ (b'"' | b'\\' | b'/')) => char::from(c),
            Some(b'b') => '\u{8}',
            Some(b'f') => '\u{c}',
            Some(b'n') => '\n',
            Some(b'r') => '\r',
            Some(b't') => '\t',
            _ => return self.fault("an unknown escape"),
        };
        self.at += 1;
        Ok(c)
    }

    fn unicode(&mut self) -> Result<char> {
        let first = self.hexadecimal()?;
        if !(0xd800..0xdc00).contains(&first) || !self.json[self.at..].starts_with(b"\\u") {
            return Ok(char::from_u32(first).unwrap_or(char::REPLACEMENT_CHARACTER));
        }
        let after_first = self.at;
        self.at += 1;
        let second = self.hexadecimal()?;
        if (0xdc00..0xe000).contains(&second) {
            let pair = 0x10000 + ((first - 0xd800) << 10) + (second - 0xdc00);
            return Ok(char::from_u32(pair).unwrap_or(char::REPLACEMENT_CHARACTER));
        }
        self.at = after_first;
        Ok(char::REPLACEMENT_CHARACTER)
    }

    /// `uXXXX`
    fn hexadecimal(&mut self) -> Result<u32> {
        self.at += 1;
        let mut code = 0;
        for _ in 0..4 {
            let Some(digit) = self.peek().and_then(|c| char::from(c).to_digit(16)) else {
                return self.fault("\\u wants four hexadecimal digits");
            };
            code = code * 16 + digit;
            self.at += 1;
        }
        Ok(code)
    }

    fn number(&mut self) -> Result<Val> {
        let start = self.at;
        self.accept(b'-');
        if !self.accept(b'0') {
            self.digits()?;
        }
        let whole = self.at;
        if self.accept(b'.') {
            self.digits()?;
        }
        if self.accept(b'e') || self.accept(b'E') {
            let _ = self.accept(b'+') || self.accept(b'-');
            self.digits()?;
        }
        let literal = String::from_utf8_lossy(&self.json[start..self.at]);
        let integer = self.at == whole && literal != "-0" && literal.len() <= DIGITS;
        let number = integer.then(|| Num::from_str_radix(&literal, 10)).flatten();
        Ok(Val::Num(
            number.unwrap_or_else(|| Num::Dec(literal.into_owned().into())),
        ))
    }

    fn digits(&mut self) -> Result<()> {
        let start = self.at;
        while matches!(self.peek(), Some(b'0'..=b'9')) {
            self.at += 1;
        }
        match self.at {
            at if at == start => self.fault("a digit is expected"),
            _ => Ok(()),
        }
    }

    fn word(&mut self, word: &str, value: Val) -> Result<Val> {
        if !self.json[self.at..].starts_with(word.as_bytes()) {
            return self.fault("a value is expected");
        }
        self.at += word.len();
        Ok(value)
    }

    fn space(&mut self) {
        while matches!(self.peek(), Some(b' ' | b'\t' | b'\n' | b'\r')) {
            self.at += 1;
        }
    }

    fn peek(&self) -> Option<u8> {
        self.json.get(self.at).copied()
    }

    fn accept(&mut self, byte: u8) -> bool {
        let here = self.peek() == Some(byte);
        self.at += usize::from(here);
        here
    }

    fn fault<T>(&self, why: &'static str) -> Result<T> {
        Err(Fault { why, at: self.at })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::query::print;

    #[test]
    fn what_is_read_is_printed_as_it_was() {
        for json in [
            r#"{"b":1.0,"a":[1e2,-0,123456789012345678901234567890,1E+5,0.10]}"#,
            r#""é \u0000 \"\\ \ud83d\ude00""#,
            r#"[true,false,null,{},[]]"#,
        ] {
            let mut printed = Vec::new();
            print::json(&mut printed, &parse(json.as_bytes()).unwrap()).unwrap();
            let json = json.replace(r"\ud83d\ude00", "😀");
            assert_eq!(String::from_utf8(printed).unwrap(), json);
        }
    }

    #[test]
    fn an_integer_without_end_is_not_computed_with() {
        for (digits, is_text) in [(DIGITS, false), (DIGITS + 1, true), (8_000_000, true)] {
            let json = "7".repeat(digits);
            let value = parse(json.as_bytes()).unwrap();
            assert_eq!(matches!(value, Val::Num(Num::Dec(_))), is_text, "{digits}");
            let mut printed = Vec::new();
            print::json(&mut printed, &value).unwrap();
            assert!(printed == json.as_bytes(), "{digits}");
        }
    }

    #[test]
    fn what_is_not_json_is_refused() {
        for json in [
            "",
            " ",
            "nul",
            "nan",
            "NaN",
            "Infinity",
            "01",
            "1.",
            ".5",
            "+1",
            "1e",
            "-",
            "'a'",
            "[1,]",
            "[1",
            "{a:1}",
            "{\"a\"}",
            "{\"a\":}",
            "{1:2}",
            "{\"a\":1,}",
            "1 2",
            "\"\n\"",
            "\"",
            r#""\x""#,
            r#""\u12""#,
            "# comment\n1",
            "b\"a\"",
            "[1]]",
        ] {
            assert!(parse(json.as_bytes()).is_err(), "{json}");
        }
    }

    #[test]
    fn half_a_pair_and_bad_bytes_are_replaced() {
        for (json, text) in [
            (&br#""a\ud800b""#[..], "a\u{fffd}b"),
            (br#""\udc00""#, "\u{fffd}"),
            (br#""\ud800\u0041""#, "\u{fffd}A"),
            (b"\"a\xffb\"", "a\u{fffd}b"),
        ] {
            assert_eq!(parse(json).unwrap(), Val::from(text.to_owned()));
        }
    }
}
