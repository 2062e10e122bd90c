//! What the answers of registries take while several questions are asked at a time.
//!
//! A question that is asked beside others has a share of little memory. Where that does not suffice
//! nobody waits, for waiting may be for one another: the question ends, and is asked again alone.

use std::cell::RefCell;
use std::collections::HashMap;
use std::collections::hash_map::Entry;
use std::hash::Hash;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};

use serde_json::Value;

use crate::error::{Error, Kind, Result};

/// What all shares have taken together, in bytes.
static TAKEN: AtomicUsize = AtomicUsize::new(0);

thread_local! {
    /// The share of the question that this thread works for; none where it is asked alone.
    static SHARE: RefCell<Option<Arc<Share>>> = const { RefCell::new(None) };
}

/// What one question, or a part of it, has taken; given back when it is dropped.
#[derive(Debug)]
pub(crate) struct Share {
    taken: AtomicUsize,
    /// What all shares may take together.
    most: usize,
    /// Of all parts of a question.
    is_refused: Arc<AtomicBool>,
}

impl Share {
    pub(crate) fn new(most: usize) -> Arc<Self> {
        Arc::new(Share { taken: AtomicUsize::new(0), most, is_refused: Arc::default() })
    }

    /// Whether the question took more than there was, so that what came of it is no answer.
    pub(crate) fn is_refused(&self) -> bool {
        self.is_refused.load(Ordering::Acquire)
    }
}

impl Drop for Share {
    fn drop(&mut self) {
        TAKEN.fetch_sub(*self.taken.get_mut(), Ordering::AcqRel);
    }
}

/// Says that so much is in memory from now on. An error if the question is to end.
pub(crate) fn take(bytes: usize) -> Result<()> {
    let Some(share) = share() else {
        return Ok(());
    };
    share.taken.fetch_add(bytes, Ordering::AcqRel);
    let all = TAKEN.fetch_add(bytes, Ordering::AcqRel) + bytes;
    share.is_refused.fetch_or(all > share.most, Ordering::AcqRel);
    match share.is_refused() {
        true => Err(Error::new(Kind::Local, "there is no memory for it now")),
        false => Ok(()),
    }
}

/// Says that so much of what was taken is in memory no more.
pub(crate) fn give(bytes: usize) {
    if let Some(share) = share() {
        share.taken.fetch_sub(bytes, Ordering::AcqRel);
        TAKEN.fetch_sub(bytes, Ordering::AcqRel);
    }
}

/// Says that nothing of what was taken is in memory any more.
pub(crate) fn give_all() {
    if let Some(share) = share() {
        give(share.taken.load(Ordering::Acquire));
    }
}

/// The share that this thread takes of.
pub(crate) fn share() -> Option<Arc<Share>> {
    SHARE.with_borrow(Clone::clone)
}

/// Works for the question that has this share.
pub(crate) fn with<T>(share: Option<Arc<Share>>, work: impl FnOnce() -> T) -> T {
    let before = SHARE.replace(share);
    let done = work();
    SHARE.set(before);
    done
}

/// Does a part of the question of which nothing stays in memory but the result.
pub(crate) fn passing<T>(work: impl FnOnce() -> T) -> T {
    let part = share().map(|whole| {
        Arc::new(Share {
            taken: AtomicUsize::new(0),
            most: whole.most,
            is_refused: Arc::clone(&whole.is_refused),
        })
    });
    with(part, work)
}

/// How many things of a kind are kept of which there may be any number.
const MOST: usize = 1024;

/// The place of what is kept under a key. A process that runs for days does not grow: where there is too
/// much of a kind, all of it is forgotten.
pub(crate) fn entry<K: Eq + Hash, V>(kept: &mut HashMap<K, V>, key: K) -> Entry<'_, K, V> {
    if kept.len() >= MOST && !kept.contains_key(&key) {
        kept.clear();
    }
    kept.entry(key)
}

/// What an allocation costs besides its bytes.
pub(crate) const EACH: usize = 24;

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

/// What an object of so many members takes: a table that doubles, its entries beside it.
pub(crate) fn table(members: usize) -> usize {
    const ENTRY: usize = size_of::<(usize, String, Value)>();
    let wanted = match members {
        0 => return 0,
        1..8 => members + 1,
        _ => members * 8 / 7,
    };
    let slots = wanted.next_power_of_two().max(4);
    (slots - slots.div_ceil(8)) * ENTRY + slots * 9 + 64
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn no_more_is_kept_than_there_is_room_for() {
        let mut kept = HashMap::new();
        for key in 0..MOST {
            *entry(&mut kept, key).or_default() += key;
        }
        *entry(&mut kept, 0).or_default() += 1;
        assert_eq!((kept.len(), kept[&0]), (MOST, 1));
        entry(&mut kept, MOST).or_default();
        assert_eq!(kept, HashMap::from([(MOST, 0)]));
    }

    #[test]
    fn who_takes_too_much_gets_no_more() {
        const MOST: usize = 1 << 40;
        assert_eq!(take(MOST), Ok(()), "alone");
        let share = Share::new(MOST);
        let taken = with(Some(Arc::clone(&share)), || {
            assert_eq!(take(MOST / 2), Ok(()));
            passing(|| assert_eq!(take(MOST / 4), Ok(())));
            give(MOST / 4);
            assert_eq!(take(MOST / 2), Ok(()));
            assert!(!share.is_refused());
            passing(|| take(MOST)).and(take(1))
        });
        assert!(taken.is_err() && share.is_refused());
        assert_eq!(share.taken.load(Ordering::Acquire), MOST / 4 * 3 + 1);
    }
}
