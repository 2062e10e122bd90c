//! Many names in little memory, the texts behind one another, and lists of names as JSON.

use std::iter;

#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Names {
    text: String,
    ends: Vec<u32>,
}

impl Names {
    /// All texts together have less than 4 GiB: lists from outside are limited to far less.
    pub(crate) fn push(&mut self, name: &str) {
        self.text.push_str(name);
        let end = u32::try_from(self.text.len());
        self.ends.push(end.expect("lists are limited to far less"));
    }

    pub(crate) fn len(&self) -> usize {
        self.ends.len()
    }

    pub(crate) fn truncate(&mut self, length: usize) {
        self.ends.truncate(length);
        self.text.truncate(self.start(length));
    }

    pub(crate) fn iter(&self) -> impl DoubleEndedIterator<Item = &str> {
        self.part(0, self.len())
    }

    /// Those from one place to before another.
    pub(crate) fn part(&self, from: usize, to: usize) -> impl DoubleEndedIterator<Item = &str> {
        (from..to).map(|place| &self.text[self.start(place)..self.ends[place] as usize])
    }

    /// How many bytes of memory they have, about.
    pub(crate) fn weight(&self) -> usize {
        self.text.len() + size_of_val(&self.ends[..])
    }

    /// Where a name starts: where the one before it ends.
    fn start(&self, place: usize) -> usize {
        let before = place.checked_sub(1).and_then(|before| self.ends.get(before));
        before.map_or(0, |end| *end as usize)
    }
}

impl<'a> Extend<&'a str> for Names {
    fn extend<I: IntoIterator<Item = &'a str>>(&mut self, names: I) {
        names.into_iter().for_each(|name| self.push(name));
    }
}

impl<'a> iter::FromIterator<&'a str> for Names {
    fn from_iter<I: IntoIterator<Item = &'a str>>(names: I) -> Self {
        let mut all = Names::default();
        all.extend(names);
        all
    }
}

/// A JSON array of the names, without white space.
pub(crate) fn json<'a>(names: impl Iterator<Item = &'a str>) -> String {
    let mut json = String::from("[");
    for name in names {
        if json.len() > 1 {
            json.push(',');
        }
        json.push_str(&serde_json::to_string(name).expect("a string is JSON"));
    }
    json + "]"
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
        let mut names: Names = ["a", "", "été", "b"].into_iter().collect();
        assert_eq!(names, ["a", "", "été", "b"]);
        assert_eq!(Vec::from_iter(names.part(1, 3)), ["", "été"]);
        names.truncate(3);
        names.push("c");
        assert_eq!(Vec::from_iter(names.iter().rev()), ["c", "été", "", "a"]);
        names.truncate(0);
        assert_eq!(names, Names::default());
    }
}
