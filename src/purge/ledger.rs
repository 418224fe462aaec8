//! Every purge that still matters, in bounded room.
//!
//! A purge is a number at what it is aimed at; a later one at the same replaces it. When there are too many, the
//! oldest are folded: each into one of a thousand buckets that it shares with others of its kind, a prefix into
//! its folder. What is folded bears on more than it was aimed at, never on less.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use super::target::{Digest, Prefix, Subject, Target, bucket, folder_digest, is_of_one_host};
use crate::cache::ports::Fault;
use crate::limits::{LEDGER_BYTES_MAX, LEDGER_PREFIXES_MAX, LEDGER_TARGETS_MAX};

/// The only format version so far. A new one keeps the readers of the old.
const VERSION: u8 = 1;

/// How a purge is meant.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Mode {
    /// As good as absent.
    Hard,
    /// Past its lifetime: served while one refresh runs.
    Soft,
}

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
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Mark(u64, u64);

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
    targets: BTreeMap<Digest, Mark>,
    prefixes: BTreeMap<Prefix, Mark>,
    buckets: BTreeMap<u64, Mark>,
}

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
                    self.prefixes.entry(prefix.clone()).or_default().raise(mark);
                }
                Target::Tag(_) | Target::Path(_) | Target::Variant(_) | Target::Host(_) => {
                    if let Some(digest) = target.digest() {
                        self.targets.entry(digest).or_default().raise(mark);
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
            for (prefix, found) in &self.prefixes {
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
        let of_hosts = self.targets.iter().chain(&self.buckets);
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
                        self.targets.entry(digest).or_default().raise(mark);
                    }
                    (host, folder) => {
                        let digest = folder_digest(host, folder);
                        self.targets.entry(digest).or_default().raise(mark);
                    }
                }
            }
        }
        if self.targets.len() > targets_max {
            for digest in oldest(&self.targets, targets_max * 3 / 4) {
                let Some(mark) = self.targets.remove(&digest) else { continue };
                self.buckets.entry(bucket(digest)).or_default().raise(mark);
            }
        }
    }

    /// JSON of at most [`LEDGER_BYTES_MAX`].
    pub fn encode(&self) -> Result<String, Fault> {
        let stored = Stored {
            version: VERSION,
            number: self.number,
            everything: self.everything,
            targets: self.targets.iter().map(|(digest, mark)| (hex(*digest), *mark)).collect(),
            prefixes: self.prefixes.iter().map(|(prefix, mark)| (prefix.text(), *mark)).collect(),
            buckets: self.buckets.iter().map(|(bucket, mark)| (hex(*bucket), *mark)).collect(),
        };
        let text = serde_json::to_string(&stored)
            .map_err(|_| Fault::Corrupt("a ledger cannot be written"))?;
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
        let stored: Stored = serde_json::from_str(text).map_err(|_| NOT_OURS)?;
        let Stored { version, number, everything, targets, prefixes, buckets } = stored;
        let marks = targets.values().chain(prefixes.values()).chain(buckets.values());
        let is_ahead = marks.chain([&everything]).any(|mark| mark.latest() > number);
        if version != VERSION || is_ahead {
            return Err(NOT_OURS);
        }
        let digests = |marks: BTreeMap<String, Mark>| {
            let digest =
                |(text, mark): (String, Mark)| Some((u64::from_str_radix(&text, 16).ok()?, mark));
            marks.into_iter().map(digest).collect::<Option<BTreeMap<_, _>>>()
        };
        let prefix = |(text, mark): (String, Mark)| Some((Prefix::parse(&text)?, mark));
        Ok(Self {
            number,
            everything,
            targets: digests(targets).ok_or(NOT_OURS)?,
            prefixes: prefixes.into_iter().map(prefix).collect::<Option<_>>().ok_or(NOT_OURS)?,
            buckets: digests(buckets).ok_or(NOT_OURS)?,
        })
    }
}

#[derive(Serialize, Deserialize)]
struct Stored {
    #[serde(rename = "v")]
    version: u8,
    #[serde(rename = "n")]
    number: u64,
    #[serde(rename = "e")]
    everything: Mark,
    #[serde(rename = "t")]
    targets: BTreeMap<String, Mark>,
    #[serde(rename = "p")]
    prefixes: BTreeMap<String, Mark>,
    #[serde(rename = "b")]
    buckets: BTreeMap<String, Mark>,
}

fn hex(digest: u64) -> String {
    format!("{digest:x}")
}

/// All but the `kept` that were purged last: room for more is made at once, not one by one.
fn oldest<K: Clone>(marks: &BTreeMap<K, Mark>, kept: usize) -> Vec<K> {
    let count = marks.len().saturating_sub(kept);
    let mut by_age: Vec<_> = marks.iter().map(|(key, mark)| (mark.latest(), key)).collect();
    by_age.sort_by_key(|(number, _)| *number);
    by_age.into_iter().take(count).map(|(_, key)| key.clone()).collect()
}

#[cfg(test)]
#[path = "ledger_tests.rs"]
mod tests;
