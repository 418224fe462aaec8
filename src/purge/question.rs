//! What the ledger's object is asked, and what it answers.
//!
//! Both sides may be of different releases while a deployment is under way, so these words keep their meaning.

use super::order::Order;
use super::receipt::Receipt;
use crate::json::{choice, record};

/// Name of the one object of its class.
pub const NAME: &str = "ledger";
/// Name of the binding of that class.
pub const BINDING: &str = "PURGE_LEDGER";

/// Asked of the ledger's object.
#[derive(Debug, Clone, PartialEq, Eq)]
#[allow(clippy::large_enum_variant)] // one lives at a time
pub enum Question {
    /// Purge this. Answered when it is durable.
    Record(Order),
    /// How is this purge?
    Receipt {
        /// Its number.
        number: u64,
    },
    /// The last purges, newest first.
    Log {
        /// Only those before this one.
        before: Option<u64>,
        /// At most so many, and at most [`crate::limits::PURGE_PAGE_MAX`].
        limit: u32,
    },
    /// The ledger itself, as isolates hear it.
    Ledger,
    /// How far has the audit log been read?
    AuditState,
    /// These were found in it.
    Audited {
        /// At most [`crate::limits::AUDITED_MAX`], in the order of the log.
        purges: Vec<AuditedPurge>,
        /// The log has been read to here; milliseconds since 1970.
        until_ms: u64,
    },
    /// What is to be deleted from KV?
    Sweep,
    /// A part of a round through KV is done.
    Swept {
        /// The round's number, as [`Answer::Sweep`] gave it.
        number: u64,
        /// Where the next part begins; `None` at the beginning, and after the end.
        cursor: Option<String>,
        /// Entries that were deleted.
        deleted: u64,
        /// Whether the round is complete.
        is_complete: bool,
    },
}

choice! { Question {
    "record" => Record(order),
    "receipt" => Receipt { "number" => number },
    "log" => Log { "before" => before or nothing, "limit" => limit },
    "ledger" => Ledger,
    "audit-state" => AuditState,
    "audited" => Audited { "purges" => purges, "until_ms" => until_ms },
    "sweep" => Sweep,
    "swept" => Swept {
        "number" => number,
        "cursor" => cursor or nothing,
        "deleted" => deleted,
        "is_complete" => is_complete,
    },
} }

/// A purge that somebody made in Cloudflare's dashboard or API.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct AuditedPurge {
    /// The record's own name in the log: what has it is applied once.
    pub id: String,
    /// When it was made there.
    pub at_ms: u64,
    /// What was sent, by [`super::zone::payload_digest`]: so our own are known again.
    pub payload: String,
    /// What it means here.
    pub order: Order,
}

record! { AuditedPurge, PassedOver {
    "id" => id,
    "at_ms" => at_ms,
    "payload" => payload,
    "order" => order,
} }

/// What the ledger's object says.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Answer {
    /// To [`Question::Record`].
    Recorded {
        /// How the purge is.
        receipt: Box<Receipt>,
        /// The ledger with it.
        ledger: String,
    },
    /// To [`Question::Receipt`]; `None` where there is none, or not any more.
    Receipt(Option<Box<Receipt>>),
    /// To [`Question::Log`].
    Log {
        /// Newest first.
        receipts: Vec<Receipt>,
        /// What to ask for the next page; `None` after the oldest.
        before: Option<u64>,
    },
    /// To [`Question::Ledger`].
    Ledger {
        /// The ledger.
        ledger: String,
    },
    /// To [`Question::AuditState`]; `None` before the first time.
    AuditState {
        /// Milliseconds since 1970.
        until_ms: Option<u64>,
    },
    /// To [`Question::Audited`].
    Audited {
        /// The numbers of the purges that were recorded.
        applied: Vec<u64>,
        /// How many had been before.
        repeated: u64,
        /// How many were our own.
        echoes: u64,
        /// The ledger with them.
        ledger: String,
    },
    /// To [`Question::Sweep`].
    Sweep {
        /// What is to be done; `None` for nothing.
        round: Option<Round>,
        /// The ledger, which decides what is deleted.
        ledger: String,
    },
    /// To [`Question::Swept`].
    Noted,
    /// It was not done, and cannot be as it is asked.
    Refused {
        /// Why.
        why: String,
    },
}

choice! { Answer {
    "recorded" => Recorded { "receipt" => receipt, "ledger" => ledger },
    "receipt" => Receipt(receipt),
    "log" => Log { "receipts" => receipts, "before" => before or nothing },
    "ledger" => Ledger { "ledger" => ledger },
    "audit-state" => AuditState { "until_ms" => until_ms },
    "audited" => Audited {
        "applied" => applied,
        "repeated" => repeated,
        "echoes" => echoes,
        "ledger" => ledger,
    },
    "sweep" => Sweep { "round" => round, "ledger" => ledger },
    "noted" => Noted,
    "refused" => Refused { "why" => why },
} }

/// One way through all of KV.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Round {
    /// The last purge before its beginning: all up to it are swept when it is complete.
    pub number: u64,
    /// Where it goes on.
    pub cursor: Option<String>,
    /// Entries that were deleted so far.
    pub deleted: u64,
}

record! { Round, PassedOver {
    "number" => number,
    "cursor" => cursor or nothing,
    "deleted" => deleted,
} }

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;
    use crate::json;
    use crate::purge::ledger::Mode;

    #[test]
    fn questions_are_these_bytes_on_the_wire() {
        let mut order = Order::of(Mode::Soft, "ann".into(), String::new());
        order.aim_at_tag("campaign".into());
        let aim = r#"{"mode":"soft","targets":[{"tag":"campaign"}],"asked":{"tags":["campaign"],"paths":[],"prefixes":[],"urls":[],"hosts":[],"everything":false},"by":"ann","note":""}"#;
        let audited = AuditedPurge {
            id: "a1".into(),
            at_ms: 7,
            payload: "feed".into(),
            order: order.clone(),
        };
        for (question, text) in [
            (Question::Record(order), format!(r#"{{"record":{aim}}}"#)),
            (Question::Receipt { number: 7 }, r#"{"receipt":{"number":7}}"#.into()),
            (Question::Log { before: None, limit: 9 }, r#"{"log":{"limit":9}}"#.into()),
            (
                Question::Log { before: Some(8), limit: 9 },
                r#"{"log":{"before":8,"limit":9}}"#.into(),
            ),
            (Question::Ledger, r#""ledger""#.into()),
            (Question::AuditState, r#""audit-state""#.into()),
            (
                Question::Audited { purges: vec![audited], until_ms: 8 },
                format!(
                    r#"{{"audited":{{"purges":[{{"id":"a1","at_ms":7,"payload":"feed","order":{aim}}}],"until_ms":8}}}}"#
                ),
            ),
            (Question::Sweep, r#""sweep""#.into()),
            (
                Question::Swept {
                    number: 7,
                    cursor: Some("c".into()),
                    deleted: 2,
                    is_complete: false,
                },
                r#"{"swept":{"number":7,"cursor":"c","deleted":2,"is_complete":false}}"#.into(),
            ),
        ] {
            assert_eq!(json::write(&question), text);
            assert_eq!(json::read::<Question>(&text).unwrap(), question);
        }
    }

    #[test]
    fn answers_are_these_bytes_on_the_wire() {
        let round = Round { number: 7, cursor: None, deleted: 0 };
        for (answer, text) in [
            (Answer::Receipt(None), r#"{"receipt":null}"#),
            (
                Answer::Log { receipts: vec![], before: Some(3) },
                r#"{"log":{"receipts":[],"before":3}}"#,
            ),
            (Answer::Ledger { ledger: "l".into() }, r#"{"ledger":{"ledger":"l"}}"#),
            (Answer::AuditState { until_ms: None }, r#"{"audit-state":{"until_ms":null}}"#),
            (
                Answer::Audited { applied: vec![3], repeated: 1, echoes: 2, ledger: "l".into() },
                r#"{"audited":{"applied":[3],"repeated":1,"echoes":2,"ledger":"l"}}"#,
            ),
            (
                Answer::Sweep { round: Some(round), ledger: "l".into() },
                r#"{"sweep":{"round":{"number":7,"deleted":0},"ledger":"l"}}"#,
            ),
            (Answer::Noted, r#""noted""#),
            (Answer::Refused { why: "w".into() }, r#"{"refused":{"why":"w"}}"#),
        ] {
            assert_eq!(json::write(&answer), text);
            assert_eq!(json::read::<Answer>(text).unwrap(), answer);
        }
    }
}
