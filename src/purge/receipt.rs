//! What became of a purge, tier by tier: what is written down once, and what follows from how far each tier is.

use serde_json::{Value, json};

use super::heard;
use super::ledger::Mode;
use super::order::{Asked, Order};
use super::settings::ReadFrom;
use crate::http::date::rfc3339;
use crate::json::{Foreign, Json, Spelled, Unknown, Writer, needed, record, words};

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
    fn read(spelled: Spelled<'_>) -> Result<Self, Foreign> {
        match &*spelled.label("state")? {
            "off" => Ok(Self::Off),
            "done" => {
                let [at_ms] = spelled.members(["at_ms"], Unknown::PassedOver)?;
                Ok(Self::Done { at_ms: needed(at_ms)? })
            }
            "pending" => Json::read(spelled).map(Self::Pending),
            "failing" => Json::read(spelled).map(Self::Failing),
            _ => Err(Foreign),
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
    pub fn json(&self) -> Value {
        let Written { number, at_ms, recorded_ms, via, mode, by, note, asked, remarks, zone_items } =
            &self.written;
        let is_heard = self.heard_by_ms.is_some_and(|by_ms| by_ms <= self.now_ms);
        let swept = match (mode, self.swept) {
            // Served while it is made anew.
            (Mode::Soft, _) => json!({ "state": "done", "deleted": 0 }),
            (Mode::Hard, Some(Swept { deleted, .. })) => {
                json!({ "state": "done", "deleted": deleted })
            }
            (Mode::Hard, None) => json!({ "state": "pending", "deleted": 0 }),
        };
        let complete_ms = self.complete_ms();
        json!({
            "id": id(*number),
            "number": number,
            "at": rfc3339(*at_ms),
            "by": by,
            "note": note,
            "via": via.as_str(),
            "mode": mode.as_str(),
            "targets": {
                "tags": asked.tags,
                "paths": asked.paths,
                "prefixes": asked.prefixes,
                "urls": asked.urls,
                "hosts": asked.hosts,
                "everything": asked.everything,
            },
            "remarks": remarks,
            "tiers": {
                "ledger": { "state": "done", "at": rfc3339(*recorded_ms) },
                "isolates": {
                    "state": if is_heard { "done" } else { "pending" },
                    "mirrored_at": self.mirrored_ms.map(rfc3339),
                    "heard_everywhere_by": self.heard_by_ms.map(rfc3339),
                },
                "zone": self.zone.json(zone_items.unwrap_or_default()),
                "transformation": { "state": "done", "version": number.to_string() },
                "deletion": swept,
            },
            "complete": complete_ms.is_some(),
            "complete_at": complete_ms.map(rfc3339),
        })
    }
}

impl ZonePart {
    fn json(&self, items: u64) -> Value {
        let shown = |state: &str, waiting: Option<&Waiting>| {
            let error = waiting.map(|it| it.last_error.as_str()).filter(|error| !error.is_empty());
            json!({
                "state": state,
                "requests": items,
                "done": items.saturating_sub(waiting.map_or(0, |it| it.left)),
                "last_error": error,
                "next_try_at": waiting.map(|it| rfc3339(it.next_try_ms)),
            })
        };
        match self {
            Self::Off => shown("off", None),
            Self::Done { .. } => shown("done", None),
            Self::Pending(waiting) => shown("pending", Some(waiting)),
            Self::Failing(waiting) => shown("failing", Some(waiting)),
        }
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
