//! One run of a filter: where its notes go and whether it was halted.

use std::cell::RefCell;

use jaq_core::Lut;
use jaq_core::data::{DataT, HasLut};
use jaq_json::Val;

use super::regex::Compiled;

/// The kind of filters that we run, for jaq's types.
pub(super) struct Filters;

impl DataT for Filters {
    type V<'a> = Val;
    type Data<'a> = &'a Session<'a>;
}

impl<'a> HasLut<'a, Filters> for &'a Session<'a> {
    fn lut(&self) -> &'a Lut<Filters> {
        self.lut
    }
}

pub(super) struct Session<'a> {
    pub(super) lut: &'a Lut<Filters>,
    /// Takes what `debug` and `stderr` say; false if the run has to stop.
    pub(super) notes: &'a dyn Fn(&str) -> bool,
    /// What `halt_error` said.
    pub(super) halted: RefCell<Option<String>>,
    pub(super) expressions: Compiled,
}

impl Session<'_> {
    pub(super) fn note(&self, line: &str) -> bool {
        (self.notes)(line)
    }
}
