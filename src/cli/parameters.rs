//! A command's operands and options as the parameters of a URL: `image=ubuntu&platform=linux/arm64`.

use std::ffi::OsString;

use super::args::Args;
use super::closest::suggest;
use super::{Flag, Operand, Spec, Value};
use crate::error::{Error, Result};

/// What stands before the name of the first value of a `Value::Pair`: `arg.NAME=VALUE`.
const PAIR: char = '.';

impl Flag {
    /// Whether it is for others than whoever runs the program: their files, terminals and secrets are
    /// not the same.
    fn is_parameter(&self) -> bool {
        let is_local =
            matches!(self.value, Value::Path | Value::Directory | Value::Images | Value::Secret(_));
        !self.is_local && !is_local
    }
}

impl Operand {
    /// The names of the operands, and whether each is needed. What stands twice is given twice.
    pub(crate) fn parameters(self) -> &'static [(&'static str, bool)] {
        match self {
            Operand::Image | Operand::Images | Operand::Layer => &[("image", true)],
            Operand::ImageFile { is_needed: true } => &[("image", true), ("path", true)],
            Operand::ImageFile { is_needed: false } => &[("image", true), ("path", false)],
            Operand::Pair => &[("image", true), ("image", true)],
            Operand::Repository => &[("repository", true)],
            Operand::Registry => &[("registry", true)],
            _ => &[],
        }
    }

    /// How many operands have this name.
    fn wanted(self, name: &str) -> usize {
        self.parameters().iter().filter(|(known, _)| *known == name).count()
    }

    /// Whether commands about it only read. The others are for whoever runs the program.
    pub(crate) fn is_only_read(self) -> bool {
        matches!(
            self,
            Operand::Images | Operand::ImageFile { .. } | Operand::Pair | Operand::Registry
        )
    }
}

impl Spec {
    /// The options that are parameters too: the command's own, and these of all commands.
    pub(crate) fn parameters(
        &self,
        global: &'static [&'static Flag],
    ) -> impl Iterator<Item = &'static Flag> {
        self.flags.iter().chain(global).copied().filter(|flag| flag.is_parameter())
    }

    /// What the parameters say, read as the command line is. `Kind::Usage` for what the command does
    /// not understand.
    pub(crate) fn arguments<'a>(
        &self,
        global: &'static [&'static Flag],
        parameters: impl IntoIterator<Item = (&'a str, &'a str)>,
    ) -> Result<Args> {
        let mut args = Args::default();
        for (name, value) in parameters {
            if self.operand.wanted(name) > 0 {
                match name {
                    "path" if args.file.is_some() => return Err(self.wrong_count(name)),
                    "path" => args.file = Some(value.to_owned()),
                    _ => args.operands.push(value.to_owned()),
                }
                continue;
            }
            let (option, key) = match name.split_once(PAIR) {
                Some((option, key)) => (option, Some(key).filter(|key| !key.is_empty())),
                None => (name, None),
            };
            let is_meant = |flag: &&Flag| {
                flag.name == option && matches!(flag.value, Value::Pair(..)) == key.is_some()
            };
            let Some(flag) = self.parameters(global).find(is_meant) else {
                return Err(self.unknown(global, name));
            };
            let words = match flag.value {
                Value::None | Value::Count => match value {
                    "" | "1" | "true" => Vec::new(),
                    "0" | "false" => continue,
                    _ => return Err(Error::usage(format!("{name} wants 1 or 0, not '{value}'"))),
                },
                _ => key.into_iter().chain([value]).map(OsString::from).collect(),
            };
            flag.value.check(name, &words)?;
            args.given.push((flag, words));
        }
        for (name, is_needed) in self.operand.parameters() {
            let count =
                if *name == "path" { args.file.iter().count() } else { args.operands.len() };
            if count != self.operand.wanted(name) && (*is_needed || count > 0) {
                return Err(self.wrong_count(name));
            }
        }
        Ok(args)
    }

    fn wrong_count(&self, name: &str) -> Error {
        let times = if self.operand.wanted(name) == 1 { "once" } else { "twice" };
        Error::usage(format!("'{}' wants the parameter '{name}' {times}", self.name))
    }

    fn unknown(&self, global: &'static [&'static Flag], name: &str) -> Error {
        let operands = self.operand.parameters().iter().map(|(name, _)| *name);
        let names = operands.chain(self.parameters(global).map(|flag| flag.name));
        let error = Error::usage(format!("'{}' has no parameter '{name}'", self.name));
        suggest(error, name, names, "")
    }
}

impl Args {
    /// The same arguments have the same key, in whatever order the options came.
    pub(crate) fn key(&self) -> String {
        let mut given: Vec<_> = self.given.iter().map(|(flag, words)| (flag.name, words)).collect();
        // Of one option the order of the values counts.
        given.sort_by_key(|(name, _)| *name);
        format!("{:?} {:?} {given:?}", self.operands, self.file)
    }

    /// The same arguments without these options.
    pub(crate) fn without(mut self, flags: &[&Flag]) -> Args {
        self.given.retain(|(flag, _)| !flags.iter().any(|other| std::ptr::eq(*other, *flag)));
        self
    }
}
