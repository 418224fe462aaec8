//! What one gate knows, and how it answers.
//!
//! A token is good for as long as the gate knows of no greater one. That one rule is the fence, and it
//! survives the loss of the gate's memory: a gate that forgot a lease takes it up again when its holder
//! speaks, and a lapsed lease stays its holder's until somebody else was let in. Refusing either would
//! throw away a transform that is paid for, in nobody's favour.

use std::borrow::Cow;

use super::{Question, Verdict};
use crate::json::Spelled;
use crate::limits::{
    KV_METADATA_BYTES_MAX, LEASE_AGE_MS_MAX, LEASE_MS, OUTCOME_MS, OUTCOME_NOTHING_MS,
};

/// What one gate knows. Times are milliseconds since 1970.
#[derive(Debug, Clone, Default)]
pub struct GateState {
    /// The greatest token known: the last granted, or one of an earlier life.
    last: u64,
    /// Whether the last fill that ended came to nothing, and another is to be tried.
    has_failed: bool,
    stage: Stage,
}

#[derive(Debug, Clone, Default)]
enum Stage {
    /// Nobody is known to have filled, or to be at it.
    #[default]
    Open,
    /// Whoever holds `last` is at it.
    Filling { began_ms: u64, beat_ms: u64 },
    /// Whoever held `last` is done.
    Done { until_ms: u64, outcome: Outcome },
}

#[derive(Debug, Clone)]
enum Outcome {
    Kept { entry: String, generation: String },
    Nothing,
}

impl GateState {
    /// Answers at `now_ms` what was asked at `asked_ms`.
    ///
    /// `None` while a [`Question::Wait`] has to wait, and only before its `wait_ms` are over: it is asked
    /// again a little later. Every other question is answered at once.
    pub fn answer(&mut self, question: &Question, asked_ms: u64, now_ms: u64) -> Option<Verdict> {
        Some(match question {
            Question::Enter { unusable } => {
                self.forget(unusable.as_deref());
                self.enter(now_ms)
            }
            Question::Wait { token, wait_ms } => {
                // Its holder may not have spoken since this gate lost its memory.
                if self.is_of_an_earlier_life(*token, now_ms) {
                    self.take_up(*token, now_ms);
                }
                let verdict = self.enter(now_ms);
                let waited_ms = now_ms.saturating_sub(asked_ms);
                let waits = waited_ms < u64::from(*wait_ms).min(LEASE_AGE_MS_MAX);
                if waits && matches!(verdict, Verdict::Follow { .. }) {
                    return None;
                }
                verdict
            }
            Question::Beat { token } | Question::Publish { token } => self.hold(*token, now_ms),
            Question::Finish { token, entry } => self.finish(*token, entry.as_deref(), now_ms),
            Question::Fail { token } => self.fail(*token, now_ms),
            Question::Forget { generation } => {
                self.forget(Some(generation));
                Verdict::Held
            }
        })
    }

    /// Forgets what an asker could not read.
    fn forget(&mut self, unusable: Option<&str>) {
        if let Stage::Done { outcome: Outcome::Kept { generation, .. }, .. } = &self.stage
            && Some(generation.as_str()) == unusable
        {
            self.stage = Stage::Open;
        }
    }

    fn enter(&mut self, now_ms: u64) -> Verdict {
        match &self.stage {
            Stage::Filling { began_ms, beat_ms }
                if now_ms.saturating_sub(*beat_ms) < LEASE_MS && is_young(*began_ms, now_ms) =>
            {
                Verdict::Follow { token: self.last }
            }
            Stage::Done { until_ms, outcome } if now_ms < *until_ms => match outcome {
                Outcome::Kept { entry, .. } => Verdict::Filled { entry: entry.clone() },
                Outcome::Nothing => Verdict::Alone,
            },
            Stage::Open | Stage::Filling { .. } | Stage::Done { .. } => {
                self.last = now_ms.max(self.last.saturating_add(1));
                self.stage = Stage::Filling { began_ms: now_ms, beat_ms: now_ms };
                Verdict::Lead { token: self.last }
            }
        }
    }

    /// A beat. Over its age a lease is open to whoever comes, whatever beats; and while nobody does it is its holder's.
    fn hold(&mut self, token: u64, now_ms: u64) -> Verdict {
        if self.is_of_an_earlier_life(token, now_ms) {
            self.take_up(token, now_ms);
        }
        match &mut self.stage {
            Stage::Filling { beat_ms, .. } if token == self.last => {
                *beat_ms = now_ms;
                Verdict::Held
            }
            Stage::Open | Stage::Filling { .. } | Stage::Done { .. } => Verdict::Lost,
        }
    }

    fn finish(&mut self, token: u64, entry: Option<&str>, now_ms: u64) -> Verdict {
        if token == self.last && matches!(self.stage, Stage::Done { .. }) {
            return Verdict::Held;
        }
        let verdict = self.hold(token, now_ms);
        if verdict == Verdict::Held {
            self.has_failed = false;
            let kept = entry.filter(|entry| entry.len() <= KV_METADATA_BYTES_MAX);
            self.stage = match kept.and_then(|entry| Some((entry, generation_of(entry)?))) {
                Some((entry, generation)) => Stage::Done {
                    until_ms: now_ms + OUTCOME_MS,
                    outcome: Outcome::Kept { entry: entry.to_owned(), generation },
                },
                None => {
                    Stage::Done { until_ms: now_ms + OUTCOME_NOTHING_MS, outcome: Outcome::Nothing }
                }
            };
        }
        verdict
    }

    /// One failure is an accident, and two are none: then nobody waits for a third.
    fn fail(&mut self, token: u64, now_ms: u64) -> Verdict {
        if self.has_failed {
            return self.finish(token, None, now_ms);
        }
        let verdict = self.hold(token, now_ms);
        if verdict == Verdict::Held {
            self.has_failed = true;
            self.stage = Stage::Open;
        }
        verdict
    }

    /// Whether the lease of `token` was granted before this gate lost its memory, and may still run.
    ///
    /// A token tells when it was granted, so one that is far from now is none of ours, or long over.
    fn is_of_an_earlier_life(&self, token: u64, now_ms: u64) -> bool {
        token > self.last && token.abs_diff(now_ms) < LEASE_AGE_MS_MAX
    }

    fn take_up(&mut self, token: u64, now_ms: u64) {
        self.last = token;
        self.stage = Stage::Filling { began_ms: token.min(now_ms), beat_ms: now_ms };
    }
}

fn is_young(began_ms: u64, now_ms: u64) -> bool {
    now_ms.saturating_sub(began_ms) < LEASE_AGE_MS_MAX
}

/// The one thing in an entry that concerns the gate: what it is called when it must be forgotten.
fn generation_of(entry: &str) -> Option<String> {
    Spelled::of(entry).and_then(|entry| entry.label("g")).ok().map(Cow::into_owned)
}

#[cfg(test)]
#[path = "state_tests.rs"]
mod tests;

#[cfg(test)]
#[path = "model_tests.rs"]
mod model_tests;
