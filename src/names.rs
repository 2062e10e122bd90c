//! Many names in little memory: as the JSON that they come as and are printed as.

use std::iter;

/// Names as JSON writes them. What a tag or a repository may be called is never escaped.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Names {
    /// A list without white space.
    json: String,
    length: usize,
}

impl Names {
    /// Any text.
    pub(crate) fn push(&mut self, name: &str) {
        match name.bytes().any(|b| b < b' ' || b == b'"' || b == b'\\') {
            true => self.push_written(&escaped(name)),
            false => self.push_written(name),
        }
    }

    fn push_written(&mut self, name: &str) {
        self.json.pop();
        self.json.push_str(if self.length > 0 { ",\"" } else { "\"" });
        self.json.push_str(name);
        self.json.push_str("\"]");
        self.length += 1;
    }

    pub(crate) fn len(&self) -> usize {
        self.length
    }

    pub(crate) fn last(&self) -> Option<&str> {
        self.json.rsplit('"').nth(1)
    }

    pub(crate) fn iter(&self) -> impl Iterator<Item = &str> {
        // No name has a quotation mark.
        self.json.split('"').skip(1).step_by(2)
    }

    /// What [`Names::rewind`] takes back what is added from now on.
    pub(crate) fn mark(&self) -> (usize, usize) {
        (self.json.len() - 1, self.length)
    }

    pub(crate) fn rewind(&mut self, (end, length): (usize, usize)) {
        self.json.truncate(end);
        self.json.push(']');
        self.length = length;
    }

    pub(crate) fn json(&self) -> &str {
        &self.json
    }

    pub(crate) fn into_json(self) -> String {
        self.json
    }
}

/// With `\u0022` for a quotation mark.
fn escaped(name: &str) -> String {
    let part = |part| {
        let json = serde_json::to_string(part).expect("a string is JSON");
        json[1..json.len() - 1].to_owned()
    };
    name.split('"').map(part).collect::<Vec<_>>().join("\\u0022")
}

impl Default for Names {
    fn default() -> Self {
        Names { json: "[]".to_owned(), length: 0 }
    }
}

/// Of names that are in other ones.
impl<'a> Extend<&'a str> for Names {
    fn extend<I: IntoIterator<Item = &'a str>>(&mut self, names: I) {
        names.into_iter().for_each(|name| self.push_written(name));
    }
}

impl<'a> iter::FromIterator<&'a str> for Names {
    fn from_iter<I: IntoIterator<Item = &'a str>>(names: I) -> Self {
        let mut all = Names::default();
        all.extend(names);
        all
    }
}

#[cfg(test)]
impl<const N: usize> PartialEq<[&str; N]> for Names {
    fn eq(&self, other: &[&str; N]) -> bool {
        self.iter().eq(other.iter().copied())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_stay_what_they_were() {
        let mut names: Names = ["a", "", "été"].into_iter().collect();
        assert_eq!((names.len(), names.last()), (3, Some("été")));
        let mark = names.mark();
        names.extend(["b", "c"]);
        assert_eq!(names, ["a", "", "été", "b", "c"]);
        names.rewind(mark);
        names.push("d");
        assert_eq!(names, ["a", "", "été", "d"]);
        assert_eq!(names.into_json(), r#"["a","","été","d"]"#);
        let mut none = Names::default();
        assert_eq!((none.last(), none.iter().count(), none.json()), (None, 0, "[]"));
        none.rewind(none.mark());
        assert_eq!(none, Names::default());
    }

    #[test]
    fn any_name_can_be_said_in_json() {
        let odd = ["\"", "\\\"\\", "a\nb\0\"", "\0\\\""];
        let mut names = Names::default();
        odd.iter().for_each(|name| names.push(name));
        assert_eq!(names.iter().collect::<Names>(), names);
        let read: Vec<String> = serde_json::from_str(names.json()).unwrap();
        assert_eq!(read, odd);
        assert_eq!(names.iter().count(), odd.len());
    }
}
