//! JSON from outside → value, in bounded depth and memory, numbers as they were written.
//!
//! The structure is read here, each string, number and word by serde_json. Its own way to a value
//! takes an object with the key `$serde_json::private::Number` for a number and ends at 128 levels.

use serde_json::{Map, Value};

use crate::error::{Error, Kind, Result};
use crate::memory;
use crate::names::Names;

/// How deep arrays and objects may lie in each other. The stack of any thread is large enough to
/// walk, write and free what is so deep.
pub(crate) const DEPTH: usize = 1_000;

/// How many times its bytes a text may become.
const GROWTH: usize = 16;

/// What an allocation costs besides its bytes.
const EACH: usize = 24;

/// How much is told at once of what is used up.
const TOLD: usize = 4 << 10;

/// What a text may become however short it is.
const LEAST: usize = 4 << 20;

/// What a document may become however long it is.
pub(crate) const MOST: usize = 24 << 20;

/// One value; of members with one key the last counts. `Kind::Corrupt` for what is not JSON, or
/// nested too deeply, or would become more than [`GROWTH`] times its bytes.
pub(crate) fn parse(bytes: &[u8]) -> Result<Value> {
    let most = bytes.len().saturating_mul(GROWTH).max(LEAST);
    Reader::new(bytes, most).read().0
}

/// One value that does not take more than so many bytes of memory.
pub(crate) fn parse_within(bytes: &[u8], most: usize) -> Result<Value> {
    let reader = Reader { tells: true, ..Reader::new(bytes, most) };
    let (value, told) = reader.read();
    memory::give(told);
    value
}

/// One value of which everybody says the same: two members with one key are an error too, and so
/// is what would become more than [`MOST`].
pub(crate) fn parse_strict(bytes: &[u8]) -> Result<Value> {
    let most = bytes.len().saturating_mul(GROWTH).clamp(LEAST, MOST);
    let reader = Reader { is_strict: true, tells: true, ..Reader::new(bytes, most) };
    reader.read().0
}

/// Whether it is one value, nested no deeper than any may be.
pub(crate) fn is_json(bytes: &[u8]) -> bool {
    let reader = Reader { keeps: false, ..Reader::new(bytes, 0) };
    reader.read().0.is_ok()
}

/// Adds the strings in a list without making values of anything: the list is the only value, or the
/// member called `key` of the object that is. `None` if there is another thing than a list of
/// strings; without the member or with null in its place there are none.
pub(crate) fn strings(bytes: &[u8], key: Option<&str>, into: &mut Names) -> Result<Option<()>> {
    let mut reader = Reader { keeps: false, ..Reader::new(bytes, 0) };
    let begin = into.len();
    let found = match key {
        None => reader.list(into)?,
        Some(key) => reader.member(key, begin, into)?,
    };
    reader.end()?;
    Ok(found)
}

/// A list of strings, without white space.
pub(crate) fn list<'a>(strings: impl Iterator<Item = &'a str>) -> String {
    let mut json = vec![b'['];
    for string in strings {
        if json.len() > 1 {
            json.push(b',');
        }
        serde_json::to_writer(&mut json, string).expect("a Vec takes everything");
    }
    json.push(b']');
    String::from_utf8(json).expect("strings are JSON in UTF-8")
}

/// How many bytes of memory a value takes besides its place in what holds it, about.
pub(crate) fn weight(value: &Value) -> usize {
    match value {
        Value::Null | Value::Bool(_) => 0,
        Value::Number(number) => EACH + number.as_str().len(),
        Value::String(text) => EACH + text.len(),
        Value::Array(items) => {
            items.capacity() * size_of::<Value>() + items.iter().map(weight).sum::<usize>()
        }
        Value::Object(members) => {
            let member = |(key, value): (&String, &Value)| EACH + key.len() + weight(value);
            table(members.len()) + members.iter().map(member).sum::<usize>()
        }
    }
}

struct Reader<'a> {
    bytes: &'a [u8],
    at: usize,
    /// Whether containers are filled. Otherwise values are only looked at, and take no memory.
    keeps: bool,
    /// Bytes of memory that values may have.
    most: usize,
    used: usize,
    /// Whether the question is told of that: what decides about credentials never ends by it.
    tells: bool,
    told: usize,
    is_strict: bool,
}

/// What has begun and not ended. An object waits for the value of a key.
enum Open {
    Array(Vec<Value>),
    Object(Map<String, Value>, String),
}

impl<'a> Reader<'a> {
    fn new(bytes: &'a [u8], most: usize) -> Self {
        Reader { bytes, at: 0, keeps: true, most, used: 0, tells: false, told: 0, is_strict: false }
    }

    /// The only value, with nothing but white space around it; and what has been told of it.
    fn read(mut self) -> (Result<Value>, usize) {
        let value = self.value();
        let value = value.and_then(|value| self.end().map(|()| value));
        (value, self.told)
    }

    fn end(&mut self) -> Result<()> {
        match self.peek() {
            None => Ok(()),
            Some(_) => self.fault("something follows the value"),
        }
    }

    fn value(&mut self) -> Result<Value> {
        let mut open = Vec::new();
        loop {
            let Some(mut value) = self.begin(&mut open)? else {
                continue;
            };
            loop {
                let Some(container) = open.last_mut() else {
                    return Ok(value);
                };
                if !self.add(container, value)? {
                    break;
                }
                value = match open.pop() {
                    Some(Open::Array(items)) => items.into(),
                    Some(Open::Object(members, _)) => members.into(),
                    None => unreachable!("it was there a few lines above"),
                };
            }
        }
    }

    /// A value, or `None` where it has only begun and now is the last one open.
    fn begin(&mut self, open: &mut Vec<Open>) -> Result<Option<Value>> {
        let begun = self.peek();
        if matches!(begun, Some(b'[' | b'{')) {
            if open.len() == DEPTH {
                return self.fault(&format!("nested deeper than {DEPTH} levels"));
            }
            self.at += 1;
        }
        match begun {
            Some(b'[') if self.accept(b']') => Ok(Some(Value::Array(Vec::new()))),
            Some(b'{') if self.accept(b'}') => Ok(Some(Value::Object(Map::new()))),
            Some(b'[') => {
                open.push(Open::Array(Vec::new()));
                Ok(None)
            }
            Some(b'{') => {
                let key = self.key(&Map::new())?;
                open.push(Open::Object(Map::new(), key));
                Ok(None)
            }
            Some(b'"') => self.string().map(|text| Some(text.into())),
            _ => self.word().map(Some),
        }
    }

    /// Puts a value where it belongs. Says whether the container ends there.
    fn add(&mut self, container: &mut Open, value: Value) -> Result<bool> {
        match container {
            Open::Array(_) if !self.keeps => self.ends(b']'),
            Open::Array(items) => {
                if items.len() == items.capacity() {
                    let more = items.len() / 4 + 2;
                    self.use_up(more * size_of::<Value>())?;
                    items.reserve_exact(more);
                }
                items.push(value);
                self.ends(b']')
            }
            Open::Object(members, key) => {
                if self.keeps {
                    self.use_up(table(members.len() + 1) - table(members.len()))?;
                    members.insert(std::mem::take(key), value);
                }
                let ends = self.ends(b'}')?;
                if !ends {
                    *key = self.key(members)?;
                }
                Ok(ends)
            }
        }
    }

    /// The strings of the list that stands here; `None` if another thing does.
    fn list(&mut self, into: &mut Names) -> Result<Option<()>> {
        if self.peek() != Some(b'[') {
            let value = self.value()?;
            return Ok(value.is_null().then_some(()));
        }
        self.at += 1;
        let mut ends = self.accept(b']');
        let mut found = Some(());
        while !ends {
            match self.peek() {
                Some(b'"') => into.push(&self.string()?),
                _ => {
                    self.value()?;
                    found = None;
                }
            }
            ends = self.ends(b']')?;
        }
        Ok(found)
    }

    /// The same of a member of the object that stands here; of several the last counts.
    fn member(&mut self, wanted: &str, begin: usize, into: &mut Names) -> Result<Option<()>> {
        if self.peek() != Some(b'{') {
            self.value()?;
            return Ok(None);
        }
        self.at += 1;
        let mut ends = self.accept(b'}');
        let mut found = Some(());
        while !ends {
            if self.key(&Map::new())? == wanted {
                into.truncate(begin);
                found = self.list(into)?;
            } else {
                self.value()?;
            }
            ends = self.ends(b'}')?;
        }
        Ok(found)
    }

    fn ends(&mut self, close: u8) -> Result<bool> {
        if self.accept(close) {
            return Ok(true);
        }
        if !self.accept(b',') {
            return self.fault("a comma or the closing bracket is expected");
        }
        Ok(false)
    }

    /// A key and its colon.
    fn key(&mut self, members: &Map<String, Value>) -> Result<String> {
        if self.peek() != Some(b'"') {
            return self.fault("a key is expected");
        }
        let start = self.at;
        let key = self.string()?;
        if self.is_strict && members.contains_key(&key) {
            self.at = start;
            return self.fault("a key is there twice");
        }
        if !self.accept(b':') {
            return self.fault("a colon is expected");
        }
        Ok(key)
    }

    /// Half a surrogate pair is an error: no string can hold it.
    fn string(&mut self) -> Result<String> {
        let mut end = self.at + 1;
        let mut is_plain = true;
        loop {
            match self.bytes.get(end) {
                Some(b'"') => break,
                Some(b'\\') => (end, is_plain) = (end + 2, false),
                Some(byte) => (end, is_plain) = (end + 1, is_plain && *byte >= b' '),
                None => return self.fault("a string has no end"),
            }
        }
        let token = self.token(end + 1)?;
        let text = match is_plain {
            true => str::from_utf8(&token[1..token.len() - 1]).ok().map(str::to_owned),
            false => serde_json::from_slice(token).ok(),
        };
        let Some(text) = text else {
            return self.fault("a string has a character or an escape that is none");
        };
        self.at = end + 1;
        Ok(text)
    }

    /// A number, however long, or one of the three words.
    fn word(&mut self) -> Result<Value> {
        let is_part = |byte: &u8| byte.is_ascii_alphanumeric() || b"+-.".contains(byte);
        let rest = self.bytes.get(self.at..).unwrap_or_default();
        let length = rest.iter().take_while(|byte| is_part(byte)).count();
        let end = self.at + length;
        let token = self.token(end)?;
        let Ok(value) = serde_json::from_slice(token) else {
            return self.fault("a value is expected");
        };
        self.at = end;
        Ok(value)
    }

    /// The bytes from here to `end`, of which the value will hold a copy.
    fn token(&mut self, end: usize) -> Result<&'a [u8]> {
        self.use_up(end - self.at + EACH)?;
        Ok(&self.bytes[self.at..end])
    }

    fn use_up(&mut self, bytes: usize) -> Result<()> {
        self.used += bytes;
        if self.used <= self.most || !self.keeps {
            return self.tell();
        }
        let length = self.bytes.len();
        let most = self.most >> 20;
        self.fault(&format!("the values in its {length} bytes need more than {most} MiB of memory"))
    }

    fn tell(&mut self) -> Result<()> {
        if !self.tells || self.used <= self.told {
            return Ok(());
        }
        let more = self.used - self.told + TOLD;
        self.told += more;
        memory::take(more)
    }

    /// The next byte that is no white space.
    fn peek(&mut self) -> Option<u8> {
        loop {
            match self.bytes.get(self.at) {
                Some(b' ' | b'\t' | b'\n' | b'\r') => self.at += 1,
                next => return next.copied(),
            }
        }
    }

    fn accept(&mut self, byte: u8) -> bool {
        let is_here = self.peek() == Some(byte);
        self.at += usize::from(is_here);
        is_here
    }

    /// Never with the text around it, which may be a secret.
    fn fault<T>(&self, why: &str) -> Result<T> {
        let before = &self.bytes[..self.at.min(self.bytes.len())];
        let line = before.iter().filter(|byte| **byte == b'\n').count() + 1;
        let column = before.iter().rev().take_while(|byte| **byte != b'\n').count() + 1;
        let message = format!("not JSON: {why} at line {line} column {column}");
        Err(Error::new(Kind::Corrupt, message))
    }
}

/// What an object of so many members takes: a table that doubles, its entries beside it.
fn table(members: usize) -> usize {
    const ENTRY: usize = size_of::<(usize, String, Value)>();
    let (slots, room) = match members {
        0 => return 0,
        1..=3 => (4, 3),
        4..=7 => (8, 7),
        _ => {
            let slots = (members * 8 / 7).next_power_of_two();
            (slots, slots / 8 * 7)
        }
    };
    room * ENTRY + slots * 9 + 64
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_read_is_written_as_it_was() {
        // But for exponents, which get their sign and a small letter.
        assert_eq!(parse(b"[1e2,1E400]").unwrap().to_string(), "[1e+2,1e+400]");
        let digits = "7".repeat(20_000);
        for json in [
            r#"{"b":1.0,"a":[1e-2,-0,123456789012345678901234567890,1e+400,0.10,1e-999999999999]}"#,
            r#"{"$serde_json::private::Number":"1"}"#,
            r#"{"a":{"$serde_json::private::Number":1,"b":[[],{}]}}"#,
            r#"["é \u0000 \"\\ 😀",true,false,null,{},[]]"#,
            &digits,
        ] {
            for read in [parse, parse_strict] {
                assert_eq!(read(json.as_bytes()).unwrap().to_string(), *json);
            }
        }
        let spaced = b" \t{ \"a\" :\r\n[ 1 , \"\\ud83d\\ude00\" ] }\n";
        assert_eq!(parse(spaced).unwrap(), serde_json::json!({"a": [1, "😀"]}));
    }

    #[test]
    fn what_is_not_json_is_refused() {
        for json in [
            "",
            " ",
            "nul",
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
            "[",
            "{",
            "{a:1}",
            "{\"a\"}",
            "{\"a\":}",
            "{1:2}",
            "{\"a\":1,}",
            "1 2",
            "\"\n\"",
            "\"",
            "\"\\",
            "\"\\\"",
            r#""\x""#,
            r#""\u12""#,
            r#""\ud800""#,
            r#""\ude00a""#,
            "# a\n1",
            "[1]]",
            "[1}",
            "{\"a\":1]",
            "]",
            ",",
            "{,}",
            "[,]",
        ] {
            let error = parse(json.as_bytes()).expect_err(json);
            assert_eq!(error.kind(), Kind::Corrupt, "{json}");
        }
        assert!(parse(b"\"a\xffb\"").is_err());
        assert_eq!(
            parse(b"{\n \"a\": x}").unwrap_err().to_string(),
            "not JSON: a value is expected at line 2 column 7"
        );
    }

    #[test]
    fn depth_has_a_limit_that_a_small_stack_can_walk() {
        let nested = |depth: usize| {
            let arrays = "[".repeat(depth / 2) + "1" + &"]".repeat(depth / 2);
            "{\"a\":".repeat(depth / 2) + &arrays + &"}".repeat(depth / 2)
        };
        let walked = std::thread::Builder::new().stack_size(2 << 20).spawn(move || {
            let json = nested(DEPTH);
            let value = parse(json.as_bytes()).unwrap();
            assert_eq!(value, value.clone());
            assert_eq!(value.to_string(), json);
            assert!(format!("{value:#}").len() > json.len());
            assert!(parse(nested(DEPTH + 2).as_bytes()).is_err());
            assert!(parse("[".repeat(8 << 20).as_bytes()).is_err());
        });
        walked.unwrap().join().unwrap();
    }

    #[test]
    fn memory_has_a_limit() {
        let list = |item: &str, length: usize| {
            let items = vec![item; length / (item.len() + 1)];
            format!("[{}]", items.join(","))
        };
        for greedy in ["[]", "{}", "1", "\"\"", "{\"a\":0}", "[0]", "\"a\""] {
            let json = list(greedy, 512 << 10);
            let error = parse(json.as_bytes()).expect_err(greedy).to_string();
            let most = (json.len() * GROWTH) >> 20;
            let why = format!("need more than {most} MiB of memory");
            assert!(error.contains(&why), "{error}");
            assert!(parse(list(greedy, 10_000).as_bytes()).is_ok(), "{greedy}");
        }
        // As in long lists of tags, and in indexes.
        let descriptor = format!(
            r#"{{"mediaType":"application/vnd.oci.image.manifest.v1+json","digest":"sha256:{}","size":1234,"platform":{{"architecture":"amd64","os":"linux"}}}}"#,
            "0".repeat(64)
        );
        for ordinary in [
            "\"v1.2.3\"",
            &descriptor,
            r#"{"created":"2026-01-02T03:04:05Z","created_by":"RUN true","empty_layer":true}"#,
        ] {
            assert!(parse(list(ordinary, 1 << 20).as_bytes()).is_ok(), "{ordinary}");
        }
        assert!(parse_strict(list(&descriptor, 2 << 20).as_bytes()).is_ok());
        assert!(parse_strict(list("\"v1.2.3\"", 4 << 20).as_bytes()).is_err());
    }

    #[test]
    fn strings_are_read_without_values() {
        let read = |json: &str, key: Option<&str>| {
            let mut names = Names::from_iter(["before"]);
            strings(json.as_bytes(), key, &mut names).map(|found| found.map(|()| names))
        };
        let escaped = r#" { "a" : [ "é" , "\u00e9\n" , "" ] , "b" : {"c":[1,{}]} } "#;
        let all = read(escaped, Some("a")).unwrap().unwrap();
        assert_eq!(all, ["before", "é", "é\n", ""]);
        let last = read(r#"{"a":["x"],"\u0061":["y"]}"#, Some("a"));
        assert_eq!(last.unwrap().unwrap(), ["before", "y"]);
        assert_eq!(read("[\"x\"]", None).unwrap().unwrap(), ["before", "x"]);
        for none in ["{}", r#"{"a":null}"#, r#"{"a":[]}"#, r#"{"a":["x"],"a":[]}"#] {
            assert_eq!(read(none, Some("a")).unwrap().unwrap(), ["before"], "{none}");
        }
        for other in ["[]", "1", r#"{"a":1}"#, r#"{"a":["x",1]}"#, r#"{"a":{}}"#] {
            assert_eq!(read(other, Some("a")).unwrap(), None, "{other}");
        }
        let deep = format!("{{\"b\":{}}}", "[".repeat(8 << 20));
        let broken =
            r#"{"a":["x"} {"a":["x",]} {"a":[]}1 {"a":["\ud800"]} {"b":01} {"a" {"a":["x"]"#;
        for broken in broken.split(' ').chain([&*deep, "", "{\"a\":[\"\n\"]}"]) {
            assert!(read(broken, Some("a")).is_err(), "{broken:.40}");
        }
    }

    #[test]
    fn a_value_weighs_what_reading_it_used_up() {
        for json in [r#"[1,[],{"a":"bcd","e":{}},null]"#, r#"{"a":[[[{}]]]}"#] {
            let mut reader = Reader::new(json.as_bytes(), usize::MAX);
            let value = reader.value().unwrap();
            let weight = weight(&value);
            assert!(weight <= reader.used && reader.used <= weight + 100, "{json}");
        }
    }

    #[test]
    fn what_containers_take_is_counted() {
        let needs = |json: &str, most: usize| {
            assert!(Reader::new(json.as_bytes(), most).read().0.is_ok(), "{json}");
            let less = Reader::new(json.as_bytes(), most - 1).read().0;
            assert!(less.is_err(), "{json}");
        };
        // A digit, or a name and its quotes, and what an allocation costs.
        let (digit, name) = (1 + 24, 4 + 24);
        for length in [1, 2, 3, 8, 100] {
            let json = format!("[{}]", vec!["0"; length].join(","));
            let Ok(Value::Array(items)) = parse(json.as_bytes()) else { panic!("{json}") };
            let room = items.capacity() * size_of::<Value>();
            needs(&json, room + length * digit);
        }
        // How hashbrown's tables grow: members, places, and how many of them are used.
        let entry = size_of::<(usize, String, Value)>();
        for (members, slots, room) in [
            (1, 4, 3),
            (3, 4, 3),
            (4, 8, 7),
            (7, 8, 7),
            (8, 16, 14),
            (14, 16, 14),
            (15, 32, 28),
            (28, 32, 28),
            (29, 64, 56),
        ] {
            let all: Vec<_> = (10..10 + members).map(|n| format!("\"{n}\":0")).collect();
            let table = room * entry + slots * 9 + 64;
            let most = table + members * (digit + name);
            needs(&format!("{{{}}}", all.join(",")), most);
        }
    }

    #[test]
    fn of_two_members_with_one_key_the_last_counts_unless_all_must_agree() {
        for json in [r#"{"a":1,"b":2,"a":3}"#, r#"{"a":1,"\u0061":3}"#] {
            assert_eq!(parse(json.as_bytes()).unwrap()["a"], 3);
            let error = parse_strict(json.as_bytes()).unwrap_err().to_string();
            assert!(error.contains("a key is there twice"), "{error}");
        }
        assert!(parse_strict(br#"[{"b":[{"c":{"d":1,"d":1}}]}]"#).is_err());
        assert!(parse_strict(br#"[{"a":1},{"a":1}]"#).is_ok());
    }
}
