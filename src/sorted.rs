//! A map in a sorted list: for what is looked up often and changed seldom, or has few entries.
//!
//! A new entry moves those behind it, which for thousands of them is nothing beside what is done with them; and one that
//! comes in order moves none. A tree of the standard library does better with more, and is ten times the code for every
//! type it is of.

use std::borrow::Borrow;
use std::cmp::Ordering;

/// Entries by their keys, in the order of those.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Sorted<K, V> {
    entries: Vec<(K, V)>,
}

impl<K, V> Default for Sorted<K, V> {
    fn default() -> Self {
        Self { entries: Vec::new() }
    }
}

impl<K: Ord, V> Sorted<K, V> {
    /// What is under a key.
    pub fn get<Q: Ord + ?Sized>(&self, key: &Q) -> Option<&V>
    where
        K: Borrow<Q>,
    {
        self.get_key_value(key).map(|(_, value)| value)
    }

    /// What is under a key, with the key as it is in here.
    pub fn get_key_value<Q: Ord + ?Sized>(&self, key: &Q) -> Option<(&K, &V)>
    where
        K: Borrow<Q>,
    {
        self.entries.get(self.place(key).ok()?).map(|(key, value)| (key, value))
    }

    /// What is under a key, to be changed.
    pub fn get_mut<Q: Ord + ?Sized>(&mut self, key: &Q) -> Option<&mut V>
    where
        K: Borrow<Q>,
    {
        let at = self.place(key).ok()?;
        self.entries.get_mut(at).map(|(_, value)| value)
    }

    /// Whether anything is under a key.
    pub fn contains_key<Q: Ord + ?Sized>(&self, key: &Q) -> bool
    where
        K: Borrow<Q>,
    {
        self.place(key).is_ok()
    }

    /// Puts a value under a key; gives back the one that was there.
    pub fn insert(&mut self, key: K, value: V) -> Option<V> {
        match self.place(&key) {
            Ok(at) => self.entries.get_mut(at).map(|(_, known)| std::mem::replace(known, value)),
            Err(at) => {
                self.entries.insert(at, (key, value));
                None
            }
        }
    }

    /// Takes what is under a key away.
    pub fn remove<Q: Ord + ?Sized>(&mut self, key: &Q) -> Option<V>
    where
        K: Borrow<Q>,
    {
        let at = self.place(key).ok()?;
        Some(self.entries.remove(at).1)
    }

    fn place<Q: Ord + ?Sized>(&self, key: &Q) -> Result<usize, usize>
    where
        K: Borrow<Q>,
    {
        search(self.entries.len(), &|at| {
            self.entries.get(at).map_or(Ordering::Greater, |(it, _)| it.borrow().cmp(key))
        })
    }
}

/// Where it is that compares as equal, or would be: one search for the maps of all types.
fn search(count: usize, compare: &dyn Fn(usize) -> Ordering) -> Result<usize, usize> {
    let (mut first, mut end) = (0, count);
    // What comes in order comes behind the last.
    let mut middle = count.saturating_sub(1);
    while first < end {
        match compare(middle) {
            Ordering::Less => first = middle + 1,
            Ordering::Equal => return Ok(middle),
            Ordering::Greater => end = middle,
        }
        middle = first + (end - first) / 2;
    }
    Err(first)
}

impl<K, V> Sorted<K, V> {
    /// How many there are.
    pub fn len(&self) -> usize {
        self.entries.len()
    }

    /// Whether there is none.
    pub fn is_empty(&self) -> bool {
        self.entries.is_empty()
    }

    /// All of them, in order.
    pub fn iter(&self) -> impl Iterator<Item = (&K, &V)> {
        self.entries.iter().map(|(key, value)| (key, value))
    }

    /// All keys, in order.
    pub fn keys(&self) -> impl Iterator<Item = &K> {
        self.entries.iter().map(|(key, _)| key)
    }

    /// All of them, in order, and no more in here.
    pub fn into_entries(self) -> Vec<(K, V)> {
        self.entries
    }

    /// Drops those that are not wanted.
    pub fn retain(&mut self, mut is_wanted: impl FnMut(&K, &V) -> bool) {
        self.entries.retain(|(key, value)| is_wanted(key, value));
    }
}

/// Of a key that comes twice the last one counts.
impl<K: Ord, V> FromIterator<(K, V)> for Sorted<K, V> {
    fn from_iter<I: IntoIterator<Item = (K, V)>>(entries: I) -> Self {
        let mut sorted = Self::default();
        for (key, value) in entries {
            sorted.insert(key, value);
        }
        sorted
    }
}

impl<K: Ord, V> Sorted<K, V> {
    /// Of entries in any order, and as many as somebody else may send; of a key that comes twice the last one counts.
    pub fn of(entries: Vec<(K, V)>) -> Self {
        Self { entries: merged(entries) }
    }
}

/// In order, by halves.
fn merged<K: Ord, V>(mut entries: Vec<(K, V)>) -> Vec<(K, V)> {
    if entries.is_sorted_by(|(one, _), (next, _)| one < next) {
        return entries;
    }
    let count = entries.len();
    let mut last = merged(entries.split_off(count / 2)).into_iter().peekable();
    let mut all = Vec::with_capacity(count);
    for (key, value) in merged(entries) {
        while let Some(earlier) = last.next_if(|(other, _)| *other < key) {
            all.push(earlier);
        }
        if last.peek().is_none_or(|(other, _)| *other != key) {
            all.push((key, value));
        }
    }
    all.extend(last);
    all
}

/// Puts a list in order, with nothing in it twice.
pub fn sort<T: Ord>(list: &mut Vec<T>) {
    let mut sorted = Sorted::default();
    for it in list.drain(..) {
        sorted.insert(it, ());
    }
    list.extend(sorted.into_entries().into_iter().map(|(it, ())| it));
}

/// The number that would be at this place of them, were they in order; `None` beyond the last.
pub fn nth(numbers: &[u64], at: usize) -> Option<u64> {
    if at >= numbers.len() {
        return None;
    }
    let (mut least, mut most) = (0, u64::MAX);
    while least < most {
        let middle = least + (most - least) / 2;
        // Of the numbers up to the one that is looked for, more than `at` are there.
        if numbers.iter().filter(|number| **number <= middle).count() > at {
            most = middle;
        } else {
            least = middle + 1;
        }
    }
    Some(least)
}

#[cfg(test)]
mod tests {
    use std::collections::{BTreeMap, BTreeSet};

    use proptest::prelude::*;

    use super::*;

    proptest! {
        #[test]
        fn it_is_a_map_in_order(steps in prop::collection::vec((0..4_u8, 0..12_u8, any::<u8>()), 0..60)) {
            let (mut ours, mut model) = (Sorted::default(), BTreeMap::new());
            for (what, key, value) in steps {
                match what {
                    0 | 1 => prop_assert_eq!(ours.insert(key, value), model.insert(key, value)),
                    2 => prop_assert_eq!(ours.remove(&key), model.remove(&key)),
                    _ => {
                        ours.retain(|it, known| *it > key || *known > value);
                        model.retain(|it, known| *it > key || *known > value);
                    }
                }
                prop_assert_eq!(ours.get(&key), model.get(&key));
                prop_assert_eq!(ours.get_mut(&key), model.get_mut(&key));
                prop_assert_eq!((ours.len(), ours.is_empty()), (model.len(), model.is_empty()));
                prop_assert!(ours.iter().eq(model.iter()));
            }
            prop_assert_eq!(ours.into_entries(), model.into_iter().collect::<Vec<_>>());
        }

        #[test]
        fn of_many_entries_it_is_the_same(entries in prop::collection::vec((0..30_u8, any::<u8>()), 0..40)) {
            let model: BTreeMap<u8, u8> = entries.iter().copied().collect();
            prop_assert_eq!(Sorted::of(entries).into_entries(), model.into_iter().collect::<Vec<_>>());
        }

        #[test]
        fn a_sorted_list_has_everything_once(list in prop::collection::vec(0..20_u8, 0..40)) {
            let mut sorted = list.clone();
            sort(&mut sorted);
            let model: BTreeSet<u8> = list.into_iter().collect();
            prop_assert_eq!(sorted, model.into_iter().collect::<Vec<_>>());
        }

        #[test]
        fn the_number_at_a_place_is_that_of_the_sorted_list(
            list in prop::collection::vec(prop_oneof![0..5_u64, any::<u64>(), Just(u64::MAX)], 0..20),
        ) {
            let mut sorted = list.clone();
            sorted.sort_unstable();
            for at in 0..=list.len() {
                prop_assert_eq!(nth(&list, at), sorted.get(at).copied());
            }
        }
    }
}
