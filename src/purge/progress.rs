//! How far every tier is with the purges: what the ledger's object remembers beside the ledger.

use super::question::Round;
use super::receipt::Swept;
use crate::json::{Foreign, Json, Spelled, Writer, record};
use crate::limits::{
    MIRROR_DOUBT_MS, MIRROR_PAUSE_MS, MIRROR_RETRY_MS_MAX, PURGE_EPOCH_MS, PURGES_KEPT_MAX,
};

/// When purges up to a number were done with: numbers and times ascend.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(super) struct Milestones(Vec<(u64, u64)>);

impl Json for Milestones {
    fn blank() -> Self {
        Self::default()
    }

    fn fill(&mut self, spelled: Spelled<'_>) -> Result<(), Foreign> {
        self.0.fill(spelled)
    }

    fn write(&self, writer: &mut Writer) {
        self.0.write(writer);
    }
}

impl Milestones {
    /// All purges up to this number are done with.
    pub(super) fn reach(&mut self, number: u64, at_ms: u64) {
        if number > self.last() {
            self.0.push((number, at_ms));
        }
    }

    /// The last purge that is.
    pub(super) fn last(&self) -> u64 {
        self.0.last().map_or(0, |(number, _)| *number)
    }

    /// Since when a purge is; `None` while it is not.
    pub(super) fn when(&self, number: u64) -> Option<u64> {
        let at = self.0.partition_point(|(reached, _)| *reached < number);
        self.0.get(at).map(|(_, at_ms)| *at_ms)
    }

    /// Drops what concerns no purge of this number or later, but the last.
    pub(super) fn forget_before(&mut self, number: u64) {
        let at = self.0.partition_point(|(reached, _)| *reached < number);
        let at = at.min(self.0.len().saturating_sub(1));
        self.0.drain(..at);
    }
}

/// How far every tier is. Times are milliseconds since 1970.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(super) struct Progress {
    /// What KV has.
    pub(super) mirrored: Milestones,
    /// What the zone was told of.
    pub(super) zone: Milestones,
    /// What KV has said it took, if nothing arrives late.
    written: u64,
    mirror_next_ms: u64,
    mirror_failures: u32,
    /// Until when an earlier write to KV may still arrive, over a later one.
    doubt_until_ms: u64,
    /// The last hard purge.
    hard: u64,
    round: Option<Round>,
    /// Rounds that are complete: the last purge of each, when, and how many entries it deleted.
    rounds: Vec<(u64, Swept)>,
    /// The last purge of each epoch that is not forgotten.
    epochs: Vec<(u64, u64)>,
    /// The longest that purges have ever had to be remembered.
    remembered_ms: u64,
}

record! { Progress, PassedOver {
    "mirrored" => mirrored,
    "zone" => zone,
    "written" => written,
    "mirror_next_ms" => mirror_next_ms,
    "mirror_failures" => mirror_failures,
    "doubt_until_ms" => doubt_until_ms,
    "hard" => hard,
    "round" => round,
    "rounds" => rounds,
    "epochs" => epochs,
    "remembered_ms" => remembered_ms,
} }

impl Progress {
    /// A purge has been recorded.
    pub(super) fn recorded(&mut self, number: u64, is_hard: bool, now_ms: u64) {
        if is_hard {
            self.hard = number;
        }
        // A clock that went back forgets later, never earlier.
        let epoch =
            (now_ms / PURGE_EPOCH_MS).max(self.epochs.last().map_or(0, |(epoch, _)| *epoch));
        match self.epochs.last_mut().filter(|(last, _)| *last == epoch) {
            Some((_, last)) => *last = number,
            None => self.epochs.push((epoch, number)),
        }
        let oldest = (number + 1).saturating_sub(PURGES_KEPT_MAX);
        self.mirrored.forget_before(oldest);
        self.zone.forget_before(oldest);
        let past = self.rounds.partition_point(|(swept, _)| *swept < oldest);
        self.rounds.drain(..past.min(self.rounds.len().saturating_sub(1)));
    }

    /// The last purge before which nothing is left that it could bear on; asked again, nothing more.
    pub(super) fn forgotten(&mut self, remembered_ms: u64, now_ms: u64) -> Option<u64> {
        self.remembered_ms = self.remembered_ms.max(remembered_ms);
        let is_past = |(epoch, _): &(u64, u64)| {
            ((epoch + 1) * PURGE_EPOCH_MS).saturating_add(self.remembered_ms) <= now_ms
        };
        let past = self.epochs.iter().take_while(|epoch| is_past(epoch)).count();
        self.epochs.drain(..past).map(|(_, number)| number).next_back()
    }

    /// When the ledger is to be written to KV; `None` when there is nothing new and no doubt.
    pub(super) fn mirror_due_ms(&self, number: u64) -> Option<u64> {
        if self.written < number {
            Some(self.mirror_next_ms)
        } else if self.mirrored.last() < number {
            Some(self.mirror_next_ms.max(self.doubt_until_ms))
        } else {
            None
        }
    }

    /// Nobody knows whether a write to KV is still under way.
    pub(super) fn doubt(&mut self, now_ms: u64) {
        self.doubt_until_ms = now_ms + MIRROR_DOUBT_MS;
    }

    /// KV took the ledger up to this purge. While an earlier write may still arrive and undo it, nothing is certain,
    /// and it is written once more when that is over.
    pub(super) fn mirrored(&mut self, number: u64, began_ms: u64, now_ms: u64) {
        self.mirror_failures = 0;
        self.mirror_next_ms = now_ms + MIRROR_PAUSE_MS;
        self.written = self.written.max(number);
        if began_ms >= self.doubt_until_ms {
            self.mirrored.reach(number, now_ms);
        }
    }

    /// KV did not take it, or did not say so.
    pub(super) fn not_mirrored(&mut self, now_ms: u64) {
        let wait_ms = (MIRROR_PAUSE_MS << self.mirror_failures.min(16)).min(MIRROR_RETRY_MS_MAX);
        self.mirror_failures = self.mirror_failures.saturating_add(1);
        self.mirror_next_ms = now_ms + wait_ms;
        self.doubt(now_ms);
    }

    /// What is to be swept; begins a round where there is something new.
    pub(super) fn round(&mut self, number: u64) -> Option<Round> {
        if self.round.is_none() && self.hard > self.rounds.last().map_or(0, |(swept, _)| *swept) {
            self.round = Some(Round { number, cursor: None, deleted: 0 });
        }
        self.round.clone()
    }

    /// A part of a round is done; of another round than the one under way nothing is taken.
    pub(super) fn swept(
        &mut self,
        number: u64,
        cursor: Option<String>,
        deleted: u64,
        is_complete: bool,
        now_ms: u64,
    ) {
        let Some(round) = self.round.as_mut().filter(|round| round.number == number) else {
            return;
        };
        round.deleted += deleted;
        round.cursor = cursor;
        if is_complete {
            let swept = Swept { at_ms: now_ms, deleted: round.deleted };
            self.rounds.push((number, swept));
            self.round = None;
        }
    }

    /// What came of the first round that began after a purge.
    pub(super) fn when_swept(&self, number: u64) -> Option<Swept> {
        let at = self.rounds.partition_point(|(swept, _)| *swept < number);
        self.rounds.get(at).map(|(_, swept)| *swept)
    }
}

#[cfg(test)]
#[path = "progress_tests.rs"]
mod tests;
