//! What became of a purge, tier by tier: what is written down once, and what follows from how far each tier is.

use super::heard;
use super::ledger::Mode;
use super::order::{Asked, Order};
use super::settings::ReadFrom;
use crate::document::{Document, Object};
use crate::json::{Foreign, Json, Spelled, Writer, record, words};

/// Where a purge came from.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Via {
    /// The operator's API.
    Api,
    /// The audit log of the account: somebody purged the zone.
    AuditLog,
}

words! { Via {
    "api" => Api,
    "audit-log" => AuditLog,
} }

/// What is written down of a purge, once.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Written {
    /// Its number.
    pub number: u64,
    /// When it was made, in milliseconds since 1970: here, or in the dashboard.
    pub at_ms: u64,
    /// When it was recorded here.
    pub recorded_ms: u64,
    /// Where it came from.
    pub via: Via,
    /// Hard or soft.
    pub mode: Mode,
    /// Who wanted it.
    pub by: String,
    /// Why.
    pub note: String,
    /// What it is aimed at.
    pub asked: Asked,
    /// What is purged beyond that, and why.
    pub remarks: Vec<String>,
    /// Items that the zone was to purge; `None` where the zone is not ours to purge.
    pub zone_items: Option<u64>,
}

record! { Written, PassedOver {
    "number" => number,
    "at_ms" => at_ms,
    "recorded_ms" => recorded_ms,
    "via" => via,
    "mode" => mode,
    "by" => by,
    "note" => note,
    "asked" => asked,
    "remarks" => remarks or nothing,
    "zone_items" => zone_items or nothing,
} }

impl Written {
    /// Of an order.
    pub fn of(
        order: Order,
        number: u64,
        via: Via,
        (at_ms, recorded_ms): (u64, u64),
        zone_items: Option<u64>,
    ) -> Self {
        let Order { mode, targets: _, files: _, asked, remarks, by, note } = order;
        Self { number, at_ms, recorded_ms, via, mode, by, note, asked, remarks, zone_items }
    }
}

/// A purge and how far it is.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Receipt {
    /// What is written down.
    pub written: Written,
    /// When KV took it.
    pub mirrored_ms: Option<u64>,
    /// When every isolate knows of it at the latest.
    pub heard_by_ms: Option<u64>,
    /// The zone's part.
    pub zone: ZonePart,
    /// When the last entry was deleted that it made useless, and how many were in that round; `None` while that is to come.
    pub swept: Option<Swept>,
    /// The time of all this.
    pub now_ms: u64,
}

record! { Receipt, PassedOver {
    "written" => written,
    "mirrored_ms" => mirrored_ms,
    "heard_by_ms" => heard_by_ms,
    "zone" => zone,
    "swept" => swept,
    "now_ms" => now_ms,
} }

/// What a round of deletion came to.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Swept {
    /// When it was complete.
    pub at_ms: u64,
    /// Entries that were deleted.
    pub deleted: u64,
}

record! { Swept, PassedOver {
    "at_ms" => at_ms,
    "deleted" => deleted,
} }

/// How far the zone's cache is.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum ZonePart {
    /// It is not asked.
    Off,
    /// It was asked for all.
    Done {
        /// When the last of it was acknowledged; `None` where nobody had to be asked.
        at_ms: Option<u64>,
    },
    /// It is still to be asked.
    Pending(Waiting),
    /// It refuses, and only an operator can mend that.
    Failing(Waiting),
}

impl Json for ZonePart {
    fn blank() -> Self {
        Self::Off
    }

    fn fill(&mut self, spelled: Spelled<'_>) -> Result<(), Foreign> {
        *self = match &*spelled.label("state")? {
            "off" => Self::Off,
            "done" => Self::Done { at_ms: None },
            "pending" => Self::Pending(Waiting::blank()),
            "failing" => Self::Failing(Waiting::blank()),
            _ => return Err(Foreign),
        };
        match self {
            Self::Off => Ok(()),
            Self::Done { at_ms } => spelled.member("at_ms")?.map_or(Ok(()), |it| at_ms.fill(it)),
            Self::Pending(waiting) | Self::Failing(waiting) => waiting.fill(spelled),
        }
    }

    fn write(&self, writer: &mut Writer) {
        writer.open('{');
        writer.name("state");
        match self {
            Self::Off => writer.text("off"),
            Self::Done { at_ms } => {
                writer.text("done");
                writer.name("at_ms");
                at_ms.write(writer);
            }
            Self::Pending(waiting) => {
                writer.text("pending");
                waiting.write_members(writer);
            }
            Self::Failing(waiting) => {
                writer.text("failing");
                waiting.write_members(writer);
            }
        }
        writer.close('}');
    }
}

/// What waits for the zone.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Waiting {
    /// Items that are left.
    pub left: u64,
    /// What the zone said last; empty where it has not.
    pub last_error: String,
    /// When it is asked next.
    pub next_try_ms: u64,
}

record! { Waiting, PassedOver {
    "left" => left,
    "last_error" => last_error,
    "next_try_ms" => next_try_ms,
} }

/// When every isolate knows of a purge at the latest, so long as what isolates read can be read.
pub fn heard_by_ms(
    read_from: ReadFrom,
    refresh_ms: u32,
    recorded_ms: u64,
    mirrored_ms: Option<u64>,
) -> Option<u64> {
    let age_ms = heard::age_ms_max(refresh_ms);
    match read_from {
        ReadFrom::Kv => Some(mirrored_ms? + heard::visible_everywhere_ms() + age_ms),
        ReadFrom::Ledger => Some(recorded_ms + age_ms),
    }
}

impl Receipt {
    /// Whether nobody anywhere is served any more what was purged; `None` while that is not certain. What is left in
    /// KV to be deleted takes room and is served to nobody.
    pub fn complete_ms(&self) -> Option<u64> {
        let heard_by_ms = self.heard_by_ms.filter(|by_ms| *by_ms <= self.now_ms)?;
        match &self.zone {
            ZonePart::Off => Some(heard_by_ms),
            ZonePart::Done { at_ms } => Some(heard_by_ms.max(at_ms.unwrap_or_default())),
            ZonePart::Pending(_) | ZonePart::Failing(_) => None,
        }
    }

    /// As operators see it.
    pub fn json(&self) -> Document {
        let Written { number, at_ms, recorded_ms, via, mode, by, note, asked, remarks, zone_items } =
            &self.written;
        let complete_ms = self.complete_ms();
        let mut receipt = Object::default();
        receipt.time("at", *at_ms);
        receipt.text("by", by);
        receipt.flag("complete", complete_ms.is_some());
        receipt.time_or_null("complete_at", complete_ms);
        receipt.text("id", &id(*number));
        receipt.text("mode", mode.as_str());
        receipt.text("note", note);
        receipt.number("number", *number);
        receipt.texts("remarks", remarks);
        receipt.document("targets", &targets(asked));
        let mut tiers = Object::default();
        tiers.document("deletion", &self.deletion());
        tiers.document("isolates", &self.isolates());
        let mut ledger = Object::default();
        ledger.time("at", *recorded_ms);
        ledger.text("state", "done");
        tiers.document("ledger", &ledger.end());
        let mut transformation = Object::default();
        transformation.text("state", "done");
        transformation.text("version", &number.to_string());
        tiers.document("transformation", &transformation.end());
        tiers.document("zone", &self.zone.json(zone_items.unwrap_or_default()));
        receipt.document("tiers", &tiers.end());
        receipt.text("via", via.as_str());
        receipt.end()
    }

    fn deletion(&self) -> Document {
        let (state, deleted) = match (self.written.mode, self.swept) {
            // Served while it is made anew.
            (Mode::Soft, _) => ("done", 0),
            (Mode::Hard, Some(Swept { deleted, .. })) => ("done", deleted),
            (Mode::Hard, None) => ("pending", 0),
        };
        let mut deletion = Object::default();
        deletion.number("deleted", deleted);
        deletion.text("state", state);
        deletion.end()
    }

    fn isolates(&self) -> Document {
        let is_heard = self.heard_by_ms.is_some_and(|by_ms| by_ms <= self.now_ms);
        let mut isolates = Object::default();
        isolates.time_or_null("heard_everywhere_by", self.heard_by_ms);
        isolates.time_or_null("mirrored_at", self.mirrored_ms);
        isolates.text("state", if is_heard { "done" } else { "pending" });
        isolates.end()
    }
}

fn targets(asked: &Asked) -> Document {
    let Asked { tags, paths, prefixes, urls, hosts, everything } = asked;
    let mut targets = Object::default();
    targets.flag("everything", *everything);
    targets.texts("hosts", hosts);
    targets.texts("paths", paths);
    targets.texts("prefixes", prefixes);
    targets.texts("tags", tags);
    targets.texts("urls", urls);
    targets.end()
}

impl ZonePart {
    fn json(&self, items: u64) -> Document {
        let (state, waiting) = match self {
            Self::Off => ("off", None),
            Self::Done { .. } => ("done", None),
            Self::Pending(waiting) => ("pending", Some(waiting)),
            Self::Failing(waiting) => ("failing", Some(waiting)),
        };
        let error = waiting.map(|it| it.last_error.as_str()).filter(|error| !error.is_empty());
        let mut zone = Object::default();
        zone.number("done", items.saturating_sub(waiting.map_or(0, |it| it.left)));
        zone.text_or_null("last_error", error);
        zone.time_or_null("next_try_at", waiting.map(|it| it.next_try_ms));
        zone.number("requests", items);
        zone.text("state", state);
        zone.end()
    }
}

/// How operators call a purge.
pub fn id(number: u64) -> String {
    format!("p{number}")
}

/// The number of a purge that is called so.
pub fn number(id: &str) -> Option<u64> {
    let digits = id.strip_prefix('p').filter(|digits| !digits.starts_with(['0', '+']))?;
    digits.parse().ok()
}

#[cfg(test)]
#[path = "receipt_tests.rs"]
mod tests;
