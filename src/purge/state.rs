//! What the ledger's object knows, and how it lies in its storage.

use super::ledger::{Ledger, Mode};
use super::order::Order;
use super::ports::Mirror;
use super::progress::Progress;
use super::receipt::{Receipt, Via, Waiting, Written, ZonePart, heard_by_ms};
use super::settings::{Settings, Zone};
use super::zone::{self, Queue};
use crate::cache::key::digest_128;
use crate::cache::ports::Fault;
use crate::durable::{Change, Durable};
use crate::json::{self, Foreign, Json, record};
use crate::limits::{AUDIT_IDS_MAX, AUDIT_OVERLAP_MS, MIRROR_TIMEOUT_MS, PURGES_KEPT_MAX};
use crate::sorted::{Sorted, nth};

/// Every receipt's name begins with it.
pub(super) const RECEIPT_PREFIX: &str = "receipt:";
const LEDGER: &str = "ledger";
const PROGRESS: &str = "progress";
const QUEUE: &str = "zone";
const AUDIT: &str = "audit";

/// Names of receipts are in the order of their numbers.
pub(super) fn receipt_name(number: u64) -> String {
    format!("{RECEIPT_PREFIX}{number:020}")
}

/// Everything but the receipts.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct State {
    pub(super) ledger: Ledger,
    pub(super) progress: Progress,
    pub(super) queue: Queue,
    pub(super) audit: Audit,
}

/// How far the audit log has been read.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(super) struct Audit {
    /// To here, in milliseconds since 1970.
    pub(super) until_ms: Option<u64>,
    /// Records that may come again, by the digest of their name, with their time.
    seen: Sorted<String, u64>,
}

record! { Audit, PassedOver {
    "until_ms" => until_ms,
    "seen" => seen,
} }

impl State {
    /// Reads it. A write to KV that an earlier life of the object began may still arrive.
    ///
    /// An object that knows nothing, because it is new in an account whose renditions are not, goes on from what KV
    /// has: numbers that began anew would be lower than what those renditions have heard of.
    pub(super) async fn load(
        storage: &impl Durable,
        mirror: &impl Mirror,
        now_ms: u64,
    ) -> Result<Self, Fault> {
        let known = match storage.get(LEDGER).await? {
            Some(text) => Some(text),
            None => mirror.read(MIRROR_TIMEOUT_MS).await?,
        };
        let ledger = known.map_or(Ok(Ledger::default()), |text| Ledger::decode(&text))?;
        let mut progress: Progress = read(storage, PROGRESS).await?.unwrap_or_default();
        if progress.mirrored.last() < ledger.number() {
            progress.doubt(now_ms);
        }
        let queue = read(storage, QUEUE).await?.unwrap_or_else(Queue::new);
        let audit = read(storage, AUDIT).await?.unwrap_or_default();
        Ok(Self { ledger, progress, queue, audit })
    }

    /// What has to be written to get here from `before`.
    pub(super) fn changes_since(&self, before: &Self) -> Result<Vec<Change>, Fault> {
        let Self { ledger, progress, queue, audit } = self;
        let mut changes = Vec::new();
        if *ledger != before.ledger {
            changes.push(Change::put(LEDGER, ledger.encode()?));
        }
        if *progress != before.progress {
            changes.push(put(PROGRESS, progress));
        }
        if *queue != before.queue {
            changes.push(put(QUEUE, queue));
        }
        if *audit != before.audit {
            changes.push(put(AUDIT, audit));
        }
        Ok(changes)
    }

    /// Records one purge, and adds what is written down of it to `changes`.
    pub(super) fn record(
        &mut self,
        order: Order,
        via: Via,
        (at_ms, now_ms): (u64, u64),
        settings: &Settings,
        changes: &mut Vec<Change>,
    ) -> Written {
        let number = self.ledger.record(order.mode, &order.targets);
        let zone_items = match (&settings.zone, via) {
            (Zone::Off, Via::Api) => None,
            // It was the zone that told us.
            (_, Via::AuditLog) => Some(0),
            (Zone::On { .. } | Zone::WithoutToken, Via::Api) => {
                let items = zone::items(&order, settings);
                let count = items.len() as u64;
                self.queue.add(items, number, settings);
                Some(count)
            }
        };
        self.progress.recorded(number, order.mode == Mode::Hard, now_ms);
        if let Some(past) = self.progress.forgotten(settings.remembered_ms, now_ms) {
            self.ledger.forget(past);
        }
        let written = Written::of(order, number, via, (at_ms, now_ms), zone_items);
        changes.push(put(&receipt_name(number), &written));
        if let Some(oldest) = number.checked_sub(PURGES_KEPT_MAX).filter(|oldest| *oldest > 0) {
            changes.push(Change::delete(receipt_name(oldest)));
        }
        written
    }

    /// How a purge is.
    pub(super) fn receipt(&self, written: Written, settings: &Settings, now_ms: u64) -> Receipt {
        let number = written.number;
        let mirrored_ms = self.progress.mirrored.when(number);
        let Settings { read_from, refresh_ms, .. } = *settings;
        let heard_by_ms = heard_by_ms(read_from, refresh_ms, written.recorded_ms, mirrored_ms);
        let waiting = || Waiting {
            left: self.queue.left(number).min(written.zone_items.unwrap_or_default()),
            last_error: self.queue.last_error().to_owned(),
            next_try_ms: self.queue.next_try_ms().max(now_ms),
        };
        let zone = match (written.zone_items, self.progress.zone.when(number)) {
            (None, _) => ZonePart::Off,
            (Some(0), _) => ZonePart::Done { at_ms: None },
            (Some(_), Some(at_ms)) => ZonePart::Done { at_ms: Some(at_ms) },
            (Some(_), None) if self.queue.is_refused() => ZonePart::Failing(waiting()),
            (Some(_), None) => ZonePart::Pending(waiting()),
        };
        let swept = self.progress.when_swept(number);
        Receipt { written, mirrored_ms, heard_by_ms, zone, swept, now_ms }
    }

    /// The zone has been told of every purge before the first that still waits.
    pub(super) fn note_zone(&mut self, now_ms: u64) {
        let told = self.queue.first().map_or(self.ledger.number(), |first| first - 1);
        self.progress.zone.reach(told, now_ms);
    }

    /// When something is to be done next; `None` for never.
    pub(super) fn due_ms(&self, settings: &Settings) -> Option<u64> {
        let mirror = self.progress.mirror_due_ms(self.ledger.number());
        mirror.into_iter().chain(self.queue.due_ms(settings)).min()
    }
}

impl Audit {
    /// Whether a record has been taken before; from now on it has.
    pub(super) fn has_seen(&mut self, id: &str, at_ms: u64) -> bool {
        self.seen.insert(digest_128(id), at_ms).is_some()
    }

    /// The log has been read to here; what cannot come again is forgotten. Nobody has read what is yet to come: of a
    /// clock that was ahead, of the reader or of this object, nothing is left.
    pub(super) fn read_until(&mut self, until_ms: u64, now_ms: u64) {
        let until_ms = self.until_ms.unwrap_or_default().max(until_ms).min(now_ms);
        self.until_ms = Some(until_ms);
        let again_ms = until_ms.saturating_sub(AUDIT_OVERLAP_MS + AUDIT_SLACK_MS);
        self.seen.retain(|_, at_ms| *at_ms >= again_ms);
        if self.seen.len() > AUDIT_IDS_MAX {
            let times: Vec<u64> = self.seen.iter().map(|(_, at_ms)| *at_ms).collect();
            let oldest_ms = nth(&times, times.len() - AUDIT_IDS_MAX).unwrap_or_default();
            self.seen.retain(|_, at_ms| *at_ms >= oldest_ms);
        }
    }
}

/// Whoever reads the log from a time rounds it.
const AUDIT_SLACK_MS: u64 = 60_000;

fn put(name: &str, value: &impl Json) -> Change {
    Change::put(name, json::write(value))
}

async fn read<T: Json>(storage: &impl Durable, name: &str) -> Result<Option<T>, Fault> {
    let Some(text) = storage.get(name).await? else { return Ok(None) };
    let read = json::read(&text).map(Some);
    read.map_err(|Foreign| Fault::Corrupt("what the ledger's object knew"))
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    #[test]
    fn how_far_the_audit_log_was_read_is_these_bytes_in_the_storage() {
        let mut audit = Audit::default();
        assert_eq!(json::write(&audit), r#"{"until_ms":null,"seen":{}}"#);
        assert!(!audit.has_seen("b", 2) && !audit.has_seen("a", 1) && audit.has_seen("b", 3));
        audit.read_until(4, 9);
        let text = r#"{"until_ms":4,"seen":{"3e23e8160039594a33894f6564e1b134":3,"ca978112ca1bbdcafac231b39a23dc4d":1}}"#;
        assert_eq!(json::write(&audit), text);
        assert_eq!(json::read::<Audit>(text).unwrap(), audit);
    }

    #[test]
    fn of_too_many_records_those_seen_last_are_remembered() {
        let mut audit = Audit::default();
        let count = AUDIT_IDS_MAX as u64 + 3;
        for at_ms in 0..count {
            audit.has_seen(&at_ms.to_string(), count - at_ms);
        }
        audit.read_until(count, count);
        assert_eq!(audit.seen.len(), AUDIT_IDS_MAX);
        assert!(!audit.has_seen(&(count - 3).to_string(), 3), "the fourth oldest is known no more");
        assert!(audit.has_seen(&(count - 4).to_string(), 4));
    }
}
