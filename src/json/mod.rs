//! JSON from outside → value, in bounded depth and memory, numbers as they were written.
//!
//! The structure is read here, each string, number and word by serde_json. Its own way to a value
//! takes an object with the key `$serde_json::private::Number` for a number and ends at 128 levels.

mod raw;

use serde_json::{Deserializer, Map, Value};

use crate::error::{Error, Kind, Result};
use crate::memory::{self, EACH, table};
use crate::names::Names;

pub(crate) use raw::{items, members};

/// How deep arrays and objects may lie in each other. The stack of any thread is large enough to
/// read, walk, write and free what is so deep.
pub(crate) const DEPTH: usize = 1_000;

/// How many times its bytes a text may become.
const GROWTH: usize = 16;

/// What a text may become however short it is.
const LEAST: usize = 4 << 20;

/// What a document may become however long it is.
pub(crate) const MOST: usize = 24 << 20;

/// One value; of members with one key the last counts. `Kind::Corrupt` for what is not JSON, or
/// nested too deeply, or would become more than [`GROWTH`] times its bytes.
pub(crate) fn parse(bytes: &[u8]) -> Result<Value> {
    let most = bytes.len().saturating_mul(GROWTH).max(LEAST);
    Reader::new(bytes, most).only(Reader::value)
}

/// One value that does not take more than so many bytes of memory.
pub(crate) fn parse_within(bytes: &[u8], most: usize) -> Result<Value> {
    let mut reader = Reader { told: Some(0), ..Reader::new(bytes, most) };
    let value = reader.only(Reader::value);
    memory::give(reader.told.unwrap_or_default());
    value
}

/// One value of which everybody says the same: two members with one key are an error too, and so
/// is what would become more than [`MOST`].
pub(crate) fn parse_strict(bytes: &[u8]) -> Result<Value> {
    let most = bytes.len().saturating_mul(GROWTH).clamp(LEAST, MOST);
    let mut reader = Reader { is_strict: true, told: Some(0), ..Reader::new(bytes, most) };
    reader.only(Reader::value)
}

/// `Kind::Corrupt` unless it is one value, nested no deeper than any may be.
pub(crate) fn check(bytes: &[u8]) -> Result<()> {
    Reader { keeps: false, ..Reader::new(bytes, usize::MAX) }.only(Reader::value).map(drop)
}

/// Adds the strings in a list without making values of anything: the list is the only value, or the
/// member called `key` of the object that is. `None` if there is another thing than a list of
/// strings; without the member or with null in its place there are none.
pub(crate) fn strings(bytes: &[u8], key: Option<&str>, into: &mut Names) -> Result<Option<()>> {
    Reader { keeps: false, ..Reader::new(bytes, usize::MAX) }.only(|reader| match key {
        None => reader.list(into),
        Some(key) => reader.member(key, into),
    })
}

struct Reader<'a> {
    bytes: &'a [u8],
    at: usize,
    depth: usize,
    /// Whether containers are filled, or values only looked at.
    keeps: bool,
    most: usize,
    used: usize,
    /// What the question was told of that. `None` for what decides about credentials, which never
    /// ends by it.
    told: Option<usize>,
    is_strict: bool,
}

impl<'a> Reader<'a> {
    fn new(bytes: &'a [u8], most: usize) -> Self {
        let (at, depth, used) = (0, 0, 0);
        Reader { bytes, at, depth, keeps: true, most, used, told: None, is_strict: false }
    }

    /// The only value, with nothing but white space around it.
    fn only<T>(&mut self, read: impl FnOnce(&mut Self) -> Result<T>) -> Result<T> {
        let value = read(self)?;
        match self.peek() {
            None => Ok(value),
            Some(_) => self.fault("something follows the value"),
        }
    }

    fn value(&mut self) -> Result<Value> {
        let closing = |container: &Value| if container.is_array() { b']' } else { b'}' };
        // What has begun and not ended, with the key that waits for its value.
        let mut open: Vec<(Value, String)> = Vec::new();
        loop {
            let mut value = match self.peek() {
                Some(b'[') => Value::Array(Vec::new()),
                Some(b'{') => Value::Object(Map::new()),
                _ => self.token()?,
            };
            if matches!(value, Value::Array(_) | Value::Object(_)) && self.opens(closing(&value))? {
                let key = self.key(&value)?;
                open.push((value, key));
                continue;
            }
            loop {
                let Some((container, key)) = open.last_mut() else {
                    return Ok(value);
                };
                self.add(container, std::mem::take(key), value)?;
                if self.goes_on(closing(container))? {
                    *key = self.key(container)?;
                    break;
                }
                value = open.pop().expect("it was there a few lines above").0;
            }
        }
    }

    fn add(&mut self, container: &mut Value, key: String, value: Value) -> Result<()> {
        match container {
            Value::Object(members) if self.keeps => {
                self.use_up(table(members.len() + 1) - table(members.len()))?;
                members.insert(key, value);
            }
            Value::Array(items) if self.keeps => {
                if items.len() == items.capacity() {
                    let more = items.len() / 4 + 2;
                    self.use_up(more * size_of::<Value>())?;
                    items.reserve_exact(more);
                }
                items.push(value);
            }
            _ => {}
        }
        Ok(())
    }

    /// The strings of the list that stands here; `None` if another thing does.
    fn list(&mut self, into: &mut Names) -> Result<Option<()>> {
        if self.peek() != Some(b'[') {
            return Ok(self.value()?.is_null().then_some(()));
        }
        let mut found = Some(());
        let mut goes_on = self.opens(b']')?;
        while goes_on {
            match self.peek() {
                Some(b'"') => into.push(&self.string()?),
                _ => found = self.value().map(|_| None)?,
            }
            goes_on = self.goes_on(b']')?;
        }
        Ok(found)
    }

    /// The same of a member of the object that stands here; of several the last counts.
    fn member(&mut self, wanted: &str, into: &mut Names) -> Result<Option<()>> {
        if self.peek() != Some(b'{') {
            return self.value().map(|_| None);
        }
        let (begin, mut found) = (into.mark(), Some(()));
        let mut goes_on = self.opens(b'}')?;
        while goes_on {
            if self.key(&Value::Null)? == wanted {
                into.rewind(begin);
                found = self.list(into)?;
            } else {
                self.value()?;
            }
            goes_on = self.goes_on(b'}')?;
        }
        Ok(found)
    }

    /// Passes an opening bracket. Says whether anything is in it.
    fn opens(&mut self, close: u8) -> Result<bool> {
        if self.depth == DEPTH {
            return self.fault(&format!("nested deeper than {DEPTH} levels"));
        }
        self.at += 1;
        let is_empty = self.accept(close);
        self.depth += usize::from(!is_empty);
        Ok(!is_empty)
    }

    /// Passes a comma or the closing bracket. Says whether it was a comma.
    fn goes_on(&mut self, close: u8) -> Result<bool> {
        if self.accept(b',') {
            return Ok(true);
        }
        if !self.accept(close) {
            return self.fault("a comma or the closing bracket is expected");
        }
        self.depth -= 1;
        Ok(false)
    }

    /// The key of what follows in a container, and its colon; an array has none.
    fn key(&mut self, container: &Value) -> Result<String> {
        if container.is_array() {
            return Ok(String::new());
        }
        if self.peek() != Some(b'"') {
            return self.fault("a key is expected");
        }
        let start = self.at;
        let key = self.string()?;
        if self.is_strict && container.get(&key).is_some() {
            self.at = start;
            return self.fault("a key is there twice");
        }
        if !self.accept(b':') {
            return self.fault("a colon is expected");
        }
        Ok(key)
    }

    fn string(&mut self) -> Result<String> {
        let Value::String(text) = self.token()? else { unreachable!("it begins with a quote") };
        Ok(text)
    }

    /// A string, a number, however long, or one of the three words. Half a surrogate pair is an
    /// error: no string can hold it.
    fn token(&mut self) -> Result<Value> {
        let is_string = self.peek() == Some(b'"');
        let mut tokens = Deserializer::from_slice(&self.bytes[self.at..]).into_iter();
        match tokens.next() {
            Some(Ok(token)) => {
                let length = tokens.byte_offset();
                self.use_up(length + EACH)?;
                self.at += length;
                Ok(token)
            }
            Some(Err(error)) if is_string && error.is_eof() => self.fault("a string has no end"),
            _ if is_string => self.fault("a string has a character or an escape that is none"),
            _ => self.fault("a value is expected"),
        }
    }

    fn use_up(&mut self, bytes: usize) -> Result<()> {
        self.used += bytes;
        if self.used > self.most {
            let (length, most) = (self.bytes.len(), self.most >> 20);
            let why =
                format!("the values in its {length} bytes need more than {most} MiB of memory");
            return self.fault(&why);
        }
        match &mut self.told {
            Some(told) if self.used > *told => {
                // Not of every token: 4 KiB at once.
                let more = self.used - *told + (4 << 10);
                *told += more;
                memory::take(more)
            }
            _ => Ok(()),
        }
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
        let mut lines = self.bytes[..self.at].rsplit(|byte| *byte == b'\n');
        let column = lines.next().map_or(1, |line| line.len() + 1);
        let line = lines.count() + 1;
        let message = format!("not JSON: {why} at line {line} column {column}");
        Err(Error::new(Kind::Corrupt, message))
    }
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
        assert_eq!(all, ["before", "é", "é\\n", ""]);
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
            let weight = memory::weight(&value);
            assert!(weight <= reader.used && reader.used <= weight + 100, "{json}");
        }
    }

    #[test]
    fn what_containers_take_is_counted() {
        let needs = |json: &str, most: usize| {
            assert!(Reader::new(json.as_bytes(), most).only(Reader::value).is_ok(), "{json}");
            let less = Reader::new(json.as_bytes(), most - 1).only(Reader::value);
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
