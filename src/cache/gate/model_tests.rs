//! Goal: the gate decides as its rules say, in every order in which it can be asked.
//! Method: every sequence of a few questions, pauses and losses of memory, against a model that keeps no state
//! but the history, and reads each answer off it.
#![allow(clippy::panic)]

use super::*;

const BEGINNING_MS: u64 = 1_780_000_000_000;
/// What every asker waits.
const WAIT_MS: u32 = 50;
/// An object is not put away and made anew faster than this.
const REBIRTH_MS: u64 = 1_000;
const ENTRY: &str = r#"{"g":"a"}"#;

/// What happened at the gate.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Event {
    Granted(u64),
    TakenUp(u64),
    Heard(u64),
    Ended(u64, Kept),
    Failed(u64),
    Forgotten,
    Evicted,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Kept {
    Something,
    Nothing,
}

/// All that happened, oldest first, and when.
#[derive(Default)]
struct History(Vec<(u64, Event)>);

impl History {
    /// What the gate can remember.
    fn remembered(&self) -> &[(u64, Event)] {
        self.0.rsplit(|(_, event)| *event == Event::Evicted).next().unwrap_or_default()
    }

    fn greatest(&self) -> Option<u64> {
        let tokens = self.remembered().iter().filter_map(|(_, event)| match event {
            Event::Granted(token) | Event::TakenUp(token) => Some(*token),
            Event::Heard(_)
            | Event::Ended(..)
            | Event::Failed(_)
            | Event::Forgotten
            | Event::Evicted => None,
        });
        tokens.max()
    }

    /// The last time that `what` was so.
    fn last(&self, what: impl Fn(Event) -> bool) -> Option<(u64, Event)> {
        self.remembered().iter().rev().copied().find(|(_, event)| what(*event))
    }

    fn ended(&self, token: u64) -> Option<(u64, Event)> {
        self.last(|event| matches!(event, Event::Ended(whose, _) if whose == token))
    }

    fn age_ms(&self, token: u64, now_ms: u64) -> u64 {
        let began = self.last(|event| event == Event::Granted(token));
        now_ms - began.map_or(token, |(at_ms, _)| at_ms)
    }

    /// Whether the holder may go on.
    fn is_good(&self, token: u64) -> bool {
        self.greatest() == Some(token)
            && self.ended(token).is_none()
            && self.last(|event| event == Event::Failed(token)).is_none()
    }

    /// Writes down that a holder is known again; `true` when it is.
    fn takes_up(&mut self, token: u64, now_ms: u64) -> bool {
        let newest = self.greatest().is_none_or(|greatest| token > greatest);
        let is = newest && now_ms - token < LEASE_AGE_MS_MAX;
        if is {
            self.0.push((now_ms, Event::TakenUp(token)));
        }
        is
    }

    fn answer(&mut self, question: &Question, waited_ms: u64, now_ms: u64) -> Option<Verdict> {
        match question {
            Question::Enter { unusable } => {
                if unusable.is_some() {
                    self.forget(now_ms);
                }
                Some(self.enter(now_ms))
            }
            Question::Forget { .. } => {
                self.forget(now_ms);
                Some(Verdict::Held)
            }
            Question::Wait { token, wait_ms } => {
                self.takes_up(*token, now_ms);
                let verdict = self.enter(now_ms);
                let is_over = waited_ms >= u64::from(*wait_ms);
                Some(verdict).filter(|told| is_over || !matches!(told, Verdict::Follow { .. }))
            }
            Question::Beat { token } | Question::Publish { token } => {
                self.takes_up(*token, now_ms);
                Some(if self.is_good(*token) {
                    self.0.push((now_ms, Event::Heard(*token)));
                    Verdict::Held
                } else {
                    Verdict::Lost
                })
            }
            Question::Fail { token } if !self.has_failed() => {
                self.takes_up(*token, now_ms);
                Some(if self.is_good(*token) {
                    self.0.push((now_ms, Event::Failed(*token)));
                    Verdict::Held
                } else {
                    Verdict::Lost
                })
            }
            Question::Fail { token } => {
                let nothing = Question::Finish { token: *token, entry: None };
                self.answer(&nothing, waited_ms, now_ms)
            }
            Question::Finish { token, entry } => {
                self.takes_up(*token, now_ms);
                let again = self.greatest() == Some(*token) && self.ended(*token).is_some();
                let is_forgotten = again && self.is_forgotten();
                if self.is_good(*token) {
                    let kept = if entry.is_some() { Kept::Something } else { Kept::Nothing };
                    self.0.push((now_ms, Event::Ended(*token, kept)));
                    return Some(Verdict::Held);
                }
                Some(if again && !is_forgotten { Verdict::Held } else { Verdict::Lost })
            }
        }
    }

    fn has_failed(&self) -> bool {
        let last = self.last(|event| matches!(event, Event::Ended(..) | Event::Failed(_)));
        matches!(last, Some((_, Event::Failed(_))))
    }

    fn forget(&mut self, now_ms: u64) {
        let kept = self.last(|event| matches!(event, Event::Ended(..)));
        if matches!(kept, Some((_, Event::Ended(_, Kept::Something)))) {
            self.0.push((now_ms, Event::Forgotten));
        }
    }

    fn is_forgotten(&self) -> bool {
        let last = self.last(|event| matches!(event, Event::Ended(..) | Event::Forgotten));
        matches!(last, Some((_, Event::Forgotten)))
    }

    fn enter(&mut self, now_ms: u64) -> Verdict {
        if let Some(token) = self.greatest() {
            let heard = self.last(|event| match event {
                Event::Granted(whose) | Event::TakenUp(whose) | Event::Heard(whose) => {
                    whose == token
                }
                Event::Ended(..) | Event::Failed(_) | Event::Forgotten | Event::Evicted => false,
            });
            let is_heard = heard.is_some_and(|(at_ms, _)| now_ms - at_ms < LEASE_MS);
            let is_young = self.age_ms(token, now_ms) < LEASE_AGE_MS_MAX;
            if self.is_good(token) && is_heard && is_young {
                return Verdict::Follow { token };
            }
            match self.ended(token) {
                Some((at_ms, Event::Ended(_, Kept::Something)))
                    if !self.is_forgotten() && now_ms - at_ms < OUTCOME_MS =>
                {
                    return Verdict::Filled { entry: ENTRY.into() };
                }
                Some((at_ms, Event::Ended(_, Kept::Nothing)))
                    if now_ms - at_ms < OUTCOME_NOTHING_MS =>
                {
                    return Verdict::Alone;
                }
                Some(_) | None => {}
            }
        }
        let token = self.greatest().map_or(now_ms, |greatest| now_ms.max(greatest + 1));
        self.0.push((now_ms, Event::Granted(token)));
        Verdict::Lead { token }
    }
}

/// What can come next.
#[derive(Debug, Clone)]
enum Step {
    Ask { question: Question, waited_ms: u64 },
    Pass { ms: u64 },
    Evict,
}

fn steps(tokens: &[u64]) -> Vec<Step> {
    let ask = |question| Step::Ask { question, waited_ms: 0 };
    let mut steps = vec![
        ask(Question::Enter { unusable: None }),
        ask(Question::Enter { unusable: Some("a".into()) }),
        ask(Question::Forget { generation: "a".into() }),
        Step::Evict,
    ];
    // Each a moment before or at which something ends.
    let pauses = [LEASE_MS - 1, LEASE_MS, OUTCOME_NOTHING_MS, OUTCOME_MS, LEASE_AGE_MS_MAX];
    steps.extend(pauses.map(|ms| Step::Pass { ms }));
    for &token in tokens {
        let wait = Question::Wait { token, wait_ms: WAIT_MS };
        steps.extend([
            ask(Question::Publish { token }),
            ask(Question::Finish { token, entry: Some(ENTRY.into()) }),
            ask(Question::Finish { token, entry: None }),
            ask(Question::Fail { token }),
            Step::Ask { question: wait.clone(), waited_ms: u64::from(WAIT_MS) - 1 },
            Step::Ask { question: wait, waited_ms: u64::from(WAIT_MS) },
        ]);
    }
    steps
}

/// One sequence under way.
struct Run {
    gate: GateState,
    history: History,
    now_ms: u64,
    /// Every token granted so far.
    tokens: Vec<u64>,
    path: Vec<Step>,
    sequences: u64,
}

impl Run {
    fn explore(&mut self, left: u32) {
        if left == 0 {
            self.sequences += 1;
            return;
        }
        for step in steps(&self.tokens) {
            let before = (self.gate.clone(), self.now_ms);
            let (events, tokens) = (self.history.0.len(), self.tokens.len());
            self.path.push(step.clone());
            self.take(&step);
            self.only_one_token_is_good();
            self.explore(left - 1);
            self.path.pop();
            (self.gate, self.now_ms) = before;
            self.history.0.truncate(events);
            self.tokens.truncate(tokens);
        }
    }

    fn take(&mut self, step: &Step) {
        match step {
            Step::Pass { ms } => self.now_ms += ms,
            Step::Evict => {
                self.now_ms += REBIRTH_MS;
                self.gate = GateState::default();
                self.history.0.push((self.now_ms, Event::Evicted));
            }
            Step::Ask { question, waited_ms } => {
                let told = self.gate.answer(question, self.now_ms - waited_ms, self.now_ms);
                let right = self.history.answer(question, *waited_ms, self.now_ms);
                assert_eq!(told, right, "{:#?}", self.path);
                if let Some(Verdict::Lead { token }) = told {
                    let is_greatest = self.tokens.iter().all(|before| *before < token);
                    assert!(is_greatest, "{token} again or less: {:#?}", self.path);
                    self.tokens.push(token);
                }
                let may_wait =
                    matches!(question, Question::Wait { .. }) && *waited_ms < WAIT_MS.into();
                assert!(told.is_some() || may_wait, "waits too long: {:#?}", self.path);
            }
        }
    }

    /// Once all holders have spoken, at most one may go on, whoever spoke first.
    fn only_one_token_is_good(&self) {
        let ascending = self.tokens.clone();
        let descending: Vec<u64> = ascending.iter().rev().copied().collect();
        for order in [ascending, descending] {
            let mut gate = self.gate.clone();
            let mut held = || {
                let beats = order.iter().map(|&token| Question::Beat { token });
                let told = beats.map(|beat| gate.answer(&beat, self.now_ms, self.now_ms));
                told.filter(|told| *told == Some(Verdict::Held)).count()
            };
            held();
            assert!(held() <= 1, "{order:?} {:#?}", self.path);
        }
    }
}

/// Every sequence of so many steps after an opening; how many there were.
fn sequences_after(opening: &[Step], steps: u32) -> u64 {
    let mut run = Run {
        gate: GateState::default(),
        history: History::default(),
        now_ms: BEGINNING_MS,
        tokens: Vec::new(),
        path: opening.to_vec(),
        sequences: 0,
    };
    for step in opening {
        run.take(step);
    }
    run.explore(steps);
    run.sequences
}

#[test]
fn in_every_order_of_questions_the_gate_answers_as_its_history_demands() {
    let enter = Step::Ask { question: Question::Enter { unusable: None }, waited_ms: 0 };
    let succeeded = [enter.clone(), Step::Pass { ms: LEASE_MS }, enter];
    let forgotten = [succeeded.as_slice(), &[Step::Evict]].concat();
    let mut sequences = sequences_after(&[], 5);
    for opening in [succeeded.as_slice(), &forgotten] {
        sequences += sequences_after(opening, 4);
    }
    assert!(sequences > 350_000, "{sequences} sequences are too few");
}
