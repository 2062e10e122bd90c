//! What was found out is kept for a time, and found out once however many ask for it at the same time.

use std::collections::{BTreeMap, HashMap};
use std::sync::{Arc, Mutex, OnceLock};
use std::time::{Duration, Instant};

use super::http;
use crate::parallel::lock;

/// What is kept, by key, up to so many bytes in all: the oldest goes first.
pub(super) struct Kept<V> {
    most: usize,
    slots: Mutex<Slots<V>>,
}

struct Slots<V> {
    by_key: HashMap<String, Slot<V>>,
    /// The keys of what is there already, in the order in which it came, and how many bytes each has.
    order: BTreeMap<u64, (String, usize)>,
    bytes: usize,
    /// The number of the next slot.
    next: u64,
}

struct Slot<V> {
    number: u64,
    value: Arc<OnceLock<V>>,
    /// `None` as long as it is being found out.
    until: Option<Instant>,
}

/// What was found out.
pub(super) struct Found<V> {
    pub(super) value: V,
    pub(super) bytes: usize,
    /// How long it is kept.
    pub(super) lifetime: Duration,
}

/// What a slot takes besides its key and value, about.
const EACH: usize = 200;

impl<V: Clone> Kept<V> {
    pub(super) fn new(most: usize) -> Self {
        let slots = Slots { by_key: HashMap::new(), order: BTreeMap::new(), bytes: 0, next: 0 };
        Kept { most, slots: Mutex::new(slots) }
    }

    /// What is kept under the key, or else is found.
    pub(super) fn get(&self, key: &str, find: impl FnOnce() -> Found<V>) -> V {
        let (number, slot, is_new) = lock(&self.slots).open(key);
        if let Some(value) = slot.get() {
            return value.clone();
        }
        let mut found = None;
        let find = || {
            let Found { value, bytes, lifetime } = find();
            found = Some((bytes, lifetime));
            value
        };
        // The first one works, the others wait for it.
        let value = match is_new {
            true => slot.get_or_init(find),
            false => http::aside(|| slot.get_or_init(find)),
        };
        if let Some((bytes, lifetime)) = found {
            lock(&self.slots).keep(key, number, bytes + key.len() * 2 + EACH, lifetime, self.most);
        }
        value.clone()
    }
}

impl<V> Slots<V> {
    /// The slot of the key, and whether it is a new one since there is none that counts.
    fn open(&mut self, key: &str) -> (u64, Arc<OnceLock<V>>, bool) {
        if let Some(slot) = self.by_key.get(key)
            && slot.until.is_none_or(|until| Instant::now() < until)
        {
            return (slot.number, Arc::clone(&slot.value), false);
        }
        self.remove(key);
        let (number, value) = (self.next, Arc::default());
        self.next += 1;
        let slot = Slot { number, value: Arc::clone(&value), until: None };
        self.by_key.insert(key.to_owned(), slot);
        (number, value, true)
    }

    /// Keeps what has been found, if that is wanted, in the place of what is older.
    fn keep(&mut self, key: &str, number: u64, bytes: usize, lifetime: Duration, most: usize) {
        let Some(slot) = self.by_key.get_mut(key).filter(|slot| slot.number == number) else {
            return;
        };
        if lifetime.is_zero() || bytes > most {
            self.by_key.remove(key);
            return;
        }
        slot.until = Some(Instant::now() + lifetime);
        self.order.insert(number, (key.to_owned(), bytes));
        self.bytes += bytes;
        while self.bytes > most
            && let Some((_, (oldest, _))) = self.order.first_key_value()
        {
            self.remove(&oldest.clone());
        }
    }

    fn remove(&mut self, key: &str) {
        let Some(slot) = self.by_key.remove(key) else { return };
        if let Some((_, bytes)) = self.order.remove(&slot.number) {
            self.bytes -= bytes;
        }
    }
}

#[cfg(test)]
mod tests {
    use std::sync::atomic::{AtomicUsize, Ordering};
    use std::thread;

    use super::*;

    const HOUR: Duration = Duration::from_secs(3600);

    fn found(value: usize, bytes: usize, lifetime: Duration) -> Found<usize> {
        Found { value, bytes, lifetime }
    }

    #[test]
    fn what_many_ask_for_is_found_out_once() {
        let (kept, count) = (Kept::new(1 << 20), AtomicUsize::new(0));
        thread::scope(|scope| {
            for _ in 0..50 {
                scope.spawn(|| {
                    let value = kept.get("a", || {
                        thread::sleep(Duration::from_millis(50));
                        found(count.fetch_add(1, Ordering::SeqCst), 1, Duration::ZERO)
                    });
                    assert_eq!(value, 0);
                });
            }
        });
        assert_eq!(kept.get("a", || found(7, 1, HOUR)), 7, "nothing is kept for no time");
        assert_eq!(kept.get("a", || found(8, 1, HOUR)), 7);
    }

    #[test]
    fn the_oldest_makes_room() {
        let kept = Kept::new(3000);
        for (n, key) in ["a", "b", "c"].into_iter().enumerate() {
            kept.get(key, || found(n, 1000, HOUR));
        }
        assert_eq!(kept.get("c", || found(9, 1000, HOUR)), 2);
        assert_eq!(kept.get("b", || found(9, 1000, HOUR)), 1);
        assert_eq!(kept.get("a", || found(9, 1000, HOUR)), 9, "had to go");
        kept.get("large", || found(0, 3000, HOUR));
        assert_eq!(kept.get("c", || found(9, 1000, HOUR)), 2, "what is too large makes no room");
        assert!(lock(&kept.slots).bytes <= 3000);
    }

    #[test]
    fn what_is_old_is_found_out_again() {
        let kept = Kept::new(1 << 20);
        let brief = Duration::from_millis(1);
        kept.get("a", || found(1, 10, brief));
        thread::sleep(2 * brief);
        assert_eq!(kept.get("a", || found(2, 10, HOUR)), 2);
        let slots = lock(&kept.slots);
        assert_eq!((slots.by_key.len(), slots.order.len()), (1, 1));
        assert_eq!(slots.bytes, 10 + 2 + EACH);
    }
}
