//! Every purge that still matters, in bounded room.
//!
//! A purge is a number at what it is aimed at; a later one at the same replaces it. When there are too many, the
//! oldest are folded: each into one of a thousand buckets that it shares with others of its kind, a prefix into
//! its folder. What is folded bears on more than it was aimed at, never on less.

use super::target::{Digest, Prefix, Subject, Target, bucket, folder_digest, is_of_one_host};
use crate::cache::ports::Fault;
use crate::json::{self, Foreign, Json, Spelled, Writer, record, words};
use crate::limits::{LEDGER_BYTES_MAX, LEDGER_PREFIXES_MAX, LEDGER_TARGETS_MAX};
use crate::sorted::{Sorted, nth};

/// The only format version so far. A new one keeps the readers of the old.
const VERSION: u8 = 1;
/// Digits of the longest name of a digest.
const HEX_DIGITS_MAX: usize = 16;

/// How a purge is meant.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Mode {
    /// As good as absent.
    Hard,
    /// Past its lifetime: served while one refresh runs.
    Soft,
}

words! { Mode {
    "hard" => Hard,
    "soft" => Soft,
} }

/// What purges mean for an entry, from good to bad.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Standing {
    /// Its fill knew of every purge that bears on it.
    Valid,
    /// It may be served while it is made anew.
    Soft,
    /// It must not be served.
    Purged,
}

/// Numbers of the last purges of either mode; 0 for none.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Mark(u64, u64);

impl Json for Mark {
    fn blank() -> Self {
        Self::default()
    }

    fn fill(&mut self, spelled: Spelled<'_>) -> Result<(), Foreign> {
        let mut marks = <(u64, u64)>::blank();
        marks.fill(spelled)?;
        (self.0, self.1) = marks;
        Ok(())
    }

    fn write(&self, writer: &mut Writer) {
        (self.0, self.1).write(writer);
    }
}

impl Mark {
    /// Of one purge.
    pub fn of(mode: Mode, number: u64) -> Self {
        match mode {
            Mode::Hard => Self(number, 0),
            Mode::Soft => Self(0, number),
        }
    }

    /// The number of the last purge of any mode.
    pub fn latest(self) -> u64 {
        self.0.max(self.1)
    }

    /// The number of the last hard purge.
    pub fn hard(self) -> u64 {
        self.0
    }

    /// What it means for an entry whose fill had heard of purges up to `heard`.
    pub fn standing(self, heard: u64) -> Standing {
        if heard < self.0 {
            Standing::Purged
        } else if heard < self.1 {
            Standing::Soft
        } else {
            Standing::Valid
        }
    }

    fn raise(&mut self, other: Self) {
        self.0 = self.0.max(other.0);
        self.1 = self.1.max(other.1);
    }

    fn raise_at<K: Ord>(self, key: K, marks: &mut Marks<K>) {
        if let Some(mark) = marks.get_mut(&key) {
            mark.raise(self);
        } else {
            marks.insert(key, self);
        }
    }

    /// Whether `other` says all that this says.
    fn is_covered_by(self, other: Self) -> bool {
        self.0 <= other.0 && (self.1 <= other.1 || self.1 <= other.0)
    }
}

/// Every purge that still matters.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Ledger {
    number: u64,
    everything: Mark,
    targets: Marks<Digest>,
    prefixes: Marks<Prefix>,
    buckets: Marks<u64>,
}

type Marks<K> = Sorted<K, Mark>;

impl Ledger {
    /// The number of the last purge in it; 0 before the first.
    pub fn number(&self) -> u64 {
        self.number
    }

    /// Records the next purge and gives back its number. Folds what has become too much.
    pub fn record(&mut self, mode: Mode, targets: &[Target]) -> u64 {
        self.number += 1;
        let mark = Mark::of(mode, self.number);
        for target in targets {
            match target {
                Target::Everything => self.everything.raise(mark),
                Target::Prefix(prefix) => {
                    mark.raise_at(prefix.clone(), &mut self.prefixes);
                }
                Target::Tag(_) | Target::Path(_) | Target::Variant(_) | Target::Host(_) => {
                    if let Some(digest) = target.digest() {
                        mark.raise_at(digest, &mut self.targets);
                    }
                }
            }
        }
        self.fold();
        self.number
    }

    /// The last purges that bear on something.
    pub fn bearing_on(&self, subject: &Subject<'_>) -> Mark {
        let mut mark = self.everything;
        if self.targets.is_empty() && self.prefixes.is_empty() && self.buckets.is_empty() {
            return mark;
        }
        for digest in subject.digests() {
            let found = [self.targets.get(&digest), self.buckets.get(&bucket(digest))];
            found.into_iter().flatten().for_each(|found| mark.raise(*found));
        }
        if let Some(path) = subject.path {
            for (prefix, found) in self.prefixes.iter() {
                if prefix.covers(subject.host, path) {
                    mark.raise(*found);
                }
            }
        }
        mark
    }

    /// What the transformer is to call a source, which keeps what it made of it: the number of the last purge that
    /// bears on this; 0 for none.
    ///
    /// What is made for one host is served on all, so a purge on any host counts.
    pub fn version_of(&self, subject: &Subject<'_>) -> u64 {
        let mut mark = self.bearing_on(subject);
        let of_hosts = self.targets.iter().chain(self.buckets.iter());
        of_hosts.filter(|(name, _)| is_of_one_host(**name)).for_each(|(_, it)| mark.raise(*it));
        if let Some(path) = subject.path {
            let of_hosts =
                self.prefixes.iter().filter(|(prefix, _)| path.starts_with(&prefix.path));
            of_hosts.for_each(|(_, it)| mark.raise(*it));
        }
        mark.latest()
    }

    /// What purges mean for an entry whose fill had heard of them up to `heard`; nothing is compared for an entry
    /// that has heard of all.
    pub fn standing(&self, heard: u64, subject: &Subject<'_>) -> Standing {
        if heard >= self.number {
            return Standing::Valid;
        }
        self.bearing_on(subject).standing(heard)
    }

    /// Drops every purge up to this number: nothing is left that was filled before it.
    pub fn forget(&mut self, number: u64) {
        if self.everything.latest() <= number {
            self.everything = Mark::default();
        }
        self.targets.retain(|_, mark| mark.latest() > number);
        self.prefixes.retain(|_, mark| mark.latest() > number);
        self.buckets.retain(|_, mark| mark.latest() > number);
    }

    fn fold(&mut self) {
        self.fold_beyond(LEDGER_TARGETS_MAX, LEDGER_PREFIXES_MAX);
    }

    /// Keeps the ledger within these bounds, and loses no purge by it.
    fn fold_beyond(&mut self, targets_max: usize, prefixes_max: usize) {
        let everything = self.everything;
        self.targets.retain(|_, mark| !mark.is_covered_by(everything));
        self.prefixes.retain(|_, mark| !mark.is_covered_by(everything));
        self.buckets.retain(|_, mark| !mark.is_covered_by(everything));
        if self.prefixes.len() > prefixes_max {
            for prefix in oldest(&self.prefixes, prefixes_max * 3 / 4) {
                let Some(mark) = self.prefixes.remove(&prefix) else { continue };
                match (prefix.host.as_str(), prefix.folder()) {
                    ("", "") => self.everything.raise(mark),
                    (host, "") => {
                        let host = Target::Host(host.to_owned());
                        let digest = host.digest().unwrap_or_default();
                        mark.raise_at(digest, &mut self.targets);
                    }
                    (host, folder) => {
                        let digest = folder_digest(host, folder);
                        mark.raise_at(digest, &mut self.targets);
                    }
                }
            }
        }
        if self.targets.len() > targets_max {
            for digest in oldest(&self.targets, targets_max * 3 / 4) {
                let Some(mark) = self.targets.remove(&digest) else { continue };
                mark.raise_at(bucket(digest), &mut self.buckets);
            }
        }
    }

    /// JSON of at most [`LEDGER_BYTES_MAX`].
    pub fn encode(&self) -> Result<String, Fault> {
        let mut prefixes = Marks::default();
        for (prefix, mark) in self.prefixes.iter() {
            prefixes.insert(prefix.text(), *mark);
        }
        let stored = Stored {
            version: VERSION,
            number: self.number,
            everything: self.everything,
            targets: in_hex(&self.targets),
            prefixes,
            buckets: in_hex(&self.buckets),
        };
        let text = json::write(&stored);
        if text.len() > LEDGER_BYTES_MAX {
            let (bytes, bytes_max) = (text.len() as u64, LEDGER_BYTES_MAX as u64);
            return Err(Fault::TooLarge { bytes, bytes_max });
        }
        Ok(text)
    }

    /// Reads what [`Ledger::encode`] wrote; anything else is [`Fault::Corrupt`].
    pub fn decode(text: &str) -> Result<Self, Fault> {
        const NOT_OURS: Fault = Fault::Corrupt("a ledger that is not ours");
        if text.len() > LEDGER_BYTES_MAX {
            return Err(NOT_OURS);
        }
        let Stored { version, number, everything, targets, prefixes: stored, buckets } =
            json::read(text).map_err(|Foreign| NOT_OURS)?;
        let marks = targets.iter().chain(stored.iter()).chain(buckets.iter());
        let is_ahead =
            marks.map(|(_, mark)| mark).chain([&everything]).any(|it| it.latest() > number);
        if version != VERSION || is_ahead {
            return Err(NOT_OURS);
        }
        let mut prefixes = Marks::default();
        for (text, mark) in stored.iter() {
            prefixes.insert(Prefix::parse(text).ok_or(NOT_OURS)?, *mark);
        }
        let targets = of_hex(&targets).ok_or(NOT_OURS)?;
        let buckets = of_hex(&buckets).ok_or(NOT_OURS)?;
        Ok(Self { number, everything, targets, prefixes, buckets })
    }
}

struct Stored {
    version: u8,
    number: u64,
    everything: Mark,
    targets: Marks<String>,
    prefixes: Marks<String>,
    buckets: Marks<String>,
}

record! { Stored, PassedOver {
    "v" => version,
    "n" => number,
    "e" => everything,
    "t" => targets,
    "p" => prefixes,
    "b" => buckets,
} }

/// By their names as text. The longest first: then each comes after those before it.
fn in_hex(marks: &Marks<u64>) -> Marks<String> {
    let mut named = Marks::default();
    for digits in (1..=HEX_DIGITS_MAX).rev() {
        let long = marks.iter().map(|(name, mark)| (format!("{name:x}"), mark));
        for (name, mark) in long.filter(|(name, _)| name.len() == digits) {
            named.insert(name, *mark);
        }
    }
    named
}

/// What [`in_hex`] has made. The shortest first: then each comes after those before it.
fn of_hex(named: &Marks<String>) -> Option<Marks<u64>> {
    let mut marks = Marks::default();
    for digits in 0..=named.iter().map(|(name, _)| name.len()).max().unwrap_or_default() {
        for (name, mark) in named.iter().filter(|(name, _)| name.len() == digits) {
            marks.insert(u64::from_str_radix(name, 16).ok()?, *mark);
        }
    }
    Some(marks)
}

/// All but the `kept` that were purged last: room for more is made at once, not one by one.
fn oldest<K: Ord + Clone>(marks: &Marks<K>, kept: usize) -> Vec<K> {
    let numbers: Vec<u64> = marks.iter().map(|(_, mark)| mark.latest()).collect();
    let count = numbers.len().saturating_sub(kept);
    let Some(last) = count.checked_sub(1).and_then(|at| nth(&numbers, at)) else {
        return Vec::new();
    };
    // Several may be of the last purge among them.
    let mut of_last = count - numbers.iter().filter(|number| **number < last).count();
    let mut is_old = |number| {
        let is_one_more = number == last && of_last > 0;
        of_last -= usize::from(is_one_more);
        number < last || is_one_more
    };
    marks.iter().filter(|(_, mark)| is_old(mark.latest())).map(|(key, _)| key.clone()).collect()
}

#[cfg(test)]
#[path = "ledger_tests.rs"]
mod tests;
