//! The gate before fills: one object a variant, in the whole world, that lets one asker fill at a time.
//!
//! Here is what is said at the gate; what it decides is in [`state`]. Both sides may be of different
//! releases while a deployment is under way, so these words keep their meaning: a side that does not know
//! one reports a fault, and its asker goes alone.

pub mod state;

use crate::json::choice;

/// Asked of the gate of one variant.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Question {
    /// May I fill? Answered at once: lead, follow, filled or alone.
    Enter {
        /// A generation this asker was told of and could not read; the gate forgets it.
        unusable: Option<String>,
    },
    /// Tell me how the fill that holds `token` ended, or that it is my turn, or after `wait_ms` who is at it.
    Wait {
        /// What the gate said is at it.
        token: u64,
        /// Milliseconds; at most [`crate::limits::LEASE_AGE_MS_MAX`] are waited.
        wait_ms: u32,
    },
    /// Still at it: said every [`crate::limits::LEASE_BEAT_MS`].
    Beat {
        /// The asker's own.
        token: u64,
    },
    /// May I publish? Also a beat. The fencing check: nobody who lost the lease may.
    Publish {
        /// The asker's own.
        token: u64,
    },
    /// Done. Said again, for an acknowledgement that was lost, it is answered the same.
    Finish {
        /// The asker's own.
        token: u64,
        /// The metadata of what was kept, a rendition or a remembered failure; `None` when nothing was.
        ///
        /// Longer than [`crate::limits::KV_METADATA_BYTES_MAX`], or naming no generation, it counts as `None`.
        entry: Option<String>,
    },
    /// My fill came to nothing, which says nothing of another: the next may try, and after a second one everybody.
    Fail {
        /// The asker's own.
        token: u64,
    },
    /// Tell nobody of this generation any more: it turned out to be broken. Answered with held.
    Forget {
        /// Which one.
        generation: String,
    },
}

choice! { Question {
    "enter" => Enter { "unusable" => unusable or nothing },
    "wait" => Wait { "token" => token, "wait_ms" => wait_ms },
    "beat" => Beat { "token" => token },
    "publish" => Publish { "token" => token },
    "finish" => Finish { "token" => token, "entry" => entry or nothing },
    "fail" => Fail { "token" => token },
    "forget" => Forget { "generation" => generation },
} }

/// What the gate says.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Verdict {
    /// Fill; the lease is yours.
    Lead {
        /// Greater than every token of this variant before.
        token: u64,
    },
    /// Somebody is at it.
    Follow {
        /// Theirs.
        token: u64,
    },
    /// It was filled lately.
    Filled {
        /// The metadata of what was kept.
        entry: String,
    },
    /// Somebody filled and kept nothing (private, no-store …): make it yourself, beside all others.
    Alone,
    /// Yes: the lease is yours, or was until you finished; or what was to be forgotten is.
    Held,
    /// The lease is no longer yours: keep nothing.
    Lost,
}

choice! { Verdict {
    "lead" => Lead { "token" => token },
    "follow" => Follow { "token" => token },
    "filled" => Filled { "entry" => entry },
    "alone" => Alone,
    "held" => Held,
    "lost" => Lost,
} }

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;
    use crate::json;

    #[test]
    fn questions_are_these_bytes_on_the_wire() {
        for (question, text) in [
            (Question::Enter { unusable: None }, r#"{"enter":{}}"#),
            (Question::Enter { unusable: Some("feed".into()) }, r#"{"enter":{"unusable":"feed"}}"#),
            (Question::Wait { token: 7, wait_ms: 9 }, r#"{"wait":{"token":7,"wait_ms":9}}"#),
            (Question::Beat { token: 7 }, r#"{"beat":{"token":7}}"#),
            (Question::Publish { token: 7 }, r#"{"publish":{"token":7}}"#),
            (Question::Finish { token: 7, entry: None }, r#"{"finish":{"token":7}}"#),
            (Question::Fail { token: 7 }, r#"{"fail":{"token":7}}"#),
            (Question::Forget { generation: "feed".into() }, r#"{"forget":{"generation":"feed"}}"#),
            (
                Question::Finish { token: u64::MAX, entry: Some(r#"{"g":"1"}"#.into()) },
                r#"{"finish":{"token":18446744073709551615,"entry":"{\"g\":\"1\"}"}}"#,
            ),
        ] {
            assert_eq!(json::write(&question), text);
            assert_eq!(json::read::<Question>(text).unwrap(), question);
        }
    }

    #[test]
    fn verdicts_are_these_bytes_on_the_wire() {
        for (verdict, text) in [
            (Verdict::Lead { token: 7 }, r#"{"lead":{"token":7}}"#),
            (Verdict::Follow { token: 7 }, r#"{"follow":{"token":7}}"#),
            (Verdict::Filled { entry: "e".into() }, r#"{"filled":{"entry":"e"}}"#),
            (Verdict::Alone, r#""alone""#),
            (Verdict::Held, r#""held""#),
            (Verdict::Lost, r#""lost""#),
        ] {
            assert_eq!(json::write(&verdict), text);
            assert_eq!(json::read::<Verdict>(text).unwrap(), verdict);
        }
    }

    #[test]
    fn a_field_of_another_release_is_passed_over() {
        let text = r#"{"beat":{"token":7,"mood":"good"}}"#;
        assert_eq!(json::read::<Question>(text).unwrap(), Question::Beat { token: 7 });
    }
}
