//! How many requests at a time one origin gets.

use std::collections::HashMap;
use std::sync::{Condvar, Mutex, PoisonError};

use super::url::Origin;

pub(super) struct Gate {
    width: usize,
    inside: Mutex<HashMap<Origin, usize>>,
    left: Condvar,
}

impl Gate {
    pub(super) fn new(width: usize) -> Self {
        Gate {
            width: width.max(1),
            inside: Mutex::default(),
            left: Condvar::new(),
        }
    }

    /// Waits until there is room; the room is taken until the pass is dropped.
    pub(super) fn enter(&self, origin: &Origin) -> Pass<'_> {
        let inside = self.inside.lock().unwrap_or_else(PoisonError::into_inner);
        let is_full = |inside: &mut HashMap<Origin, usize>| {
            inside.get(origin).is_some_and(|count| *count >= self.width)
        };
        let waited = self.left.wait_while(inside, is_full);
        let mut inside = waited.unwrap_or_else(PoisonError::into_inner);
        *inside.entry(origin.clone()).or_default() += 1;
        Pass {
            gate: self,
            origin: origin.clone(),
        }
    }
}

pub(super) struct Pass<'a> {
    gate: &'a Gate,
    origin: Origin,
}

impl Drop for Pass<'_> {
    fn drop(&mut self) {
        let inside = self.gate.inside.lock();
        let mut inside = inside.unwrap_or_else(PoisonError::into_inner);
        if let Some(count) = inside.get_mut(&self.origin) {
            *count -= 1;
        }
        self.gate.left.notify_all();
    }
}
