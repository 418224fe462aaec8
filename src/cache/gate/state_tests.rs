//! Each rule of the gate in one sentence.
#![allow(clippy::expect_used, clippy::panic)]

use super::*;

const NOW_MS: u64 = 1_780_000_000_000;
const ENTRY: &str = r#"{"v":1,"g":"feed","s":200}"#;

/// One gate, and a clock.
struct Gate {
    state: GateState,
    now_ms: u64,
}

impl Gate {
    fn new() -> Self {
        Self { state: GateState::default(), now_ms: NOW_MS }
    }

    fn pass_ms(&mut self, ms: u64) {
        self.now_ms += ms;
    }

    fn evict(&mut self) {
        self.state = GateState::default();
    }

    #[track_caller]
    fn ask(&mut self, question: &Question) -> Verdict {
        self.state.answer(question, self.now_ms, self.now_ms).expect("an answer at once")
    }

    #[track_caller]
    fn lead(&mut self) -> u64 {
        let told = self.enter();
        let Verdict::Lead { token } = told else { panic!("{told:?} instead of the lead") };
        token
    }

    fn enter(&mut self) -> Verdict {
        self.ask(&Question::Enter { unusable: None })
    }

    fn beat(&mut self, token: u64) -> Verdict {
        self.ask(&Question::Beat { token })
    }

    fn publish(&mut self, token: u64) -> Verdict {
        self.ask(&Question::Publish { token })
    }

    fn finish(&mut self, token: u64, entry: Option<&str>) -> Verdict {
        self.ask(&Question::Finish { token, entry: entry.map(str::to_owned) })
    }

    fn fail(&mut self, token: u64) -> Verdict {
        self.ask(&Question::Fail { token })
    }

    /// Somebody who began to wait `since_ms` ago, and waits a minute.
    fn wait(&mut self, token: u64, since_ms: u64) -> Option<Verdict> {
        let question = Question::Wait { token, wait_ms: 60_000 };
        self.state.answer(&question, self.now_ms - since_ms, self.now_ms)
    }
}

fn filled() -> Verdict {
    Verdict::Filled { entry: ENTRY.into() }
}

#[test]
fn the_first_leads_and_the_next_follow_the_same_token() {
    let mut gate = Gate::new();
    let token = gate.lead();
    assert_eq!(token, NOW_MS, "a token is the moment it was granted");
    for _ in 0..3 {
        assert_eq!(gate.enter(), Verdict::Follow { token });
        assert_eq!(gate.wait(token, 0), None);
    }
}

#[test]
fn what_was_kept_is_told_to_all_for_as_long_as_kv_may_deny_it() {
    let mut gate = Gate::new();
    let token = gate.lead();
    assert_eq!(gate.publish(token), Verdict::Held);
    assert_eq!(gate.finish(token, Some(ENTRY)), Verdict::Held);
    gate.pass_ms(OUTCOME_MS - 1);
    assert_eq!(gate.enter(), filled());
    assert_eq!(gate.wait(token, 5), Some(filled()));
    gate.pass_ms(1);
    assert!(gate.lead() > token);
}

#[test]
fn where_nothing_was_kept_everybody_goes_alone_for_a_moment() {
    let mut gate = Gate::new();
    let token = gate.lead();
    assert_eq!(gate.finish(token, None), Verdict::Held);
    gate.pass_ms(OUTCOME_NOTHING_MS - 1);
    assert_eq!(gate.wait(token, 5), Some(Verdict::Alone));
    assert_eq!(gate.enter(), Verdict::Alone);
    gate.pass_ms(1);
    assert!(gate.lead() > token);
}

#[test]
fn a_fill_that_fails_is_tried_by_one_other_and_after_that_everybody_goes_alone() {
    let mut gate = Gate::new();
    let first = gate.lead();
    assert_eq!(gate.fail(first), Verdict::Held);
    assert_eq!(gate.publish(first), Verdict::Lost);
    let Some(Verdict::Lead { token: second }) = gate.wait(first, 5) else {
        panic!("one of those who wait leads")
    };
    assert_eq!(gate.wait(first, 5), None, "and the others wait on");
    assert_eq!(gate.fail(first), Verdict::Lost);
    assert_eq!(gate.fail(second), Verdict::Held);
    assert_eq!(gate.wait(first, 5), Some(Verdict::Alone));
    gate.pass_ms(OUTCOME_NOTHING_MS);

    let third = gate.lead();
    assert_eq!(gate.fail(third), Verdict::Held);
    let fourth = gate.lead();
    assert_eq!(gate.finish(fourth, Some(ENTRY)), Verdict::Held);
    gate.pass_ms(OUTCOME_MS);
    let fifth = gate.lead();
    assert_eq!(gate.fail(fifth), Verdict::Held, "what was kept between makes it the first again");
    gate.lead();
}

#[test]
fn an_entry_that_is_too_long_or_has_no_name_counts_as_nothing() {
    let padding = KV_METADATA_BYTES_MAX - r#"{"g":"","p":""}"#.len();
    let fits = format!(r#"{{"g":"","p":"{}"}}"#, "x".repeat(padding));
    let long = format!(r#"{{"g":"","p":"{}"}}"#, "x".repeat(padding + 1));
    for (entry, is_kept) in
        [(fits.as_str(), true), (&long, false), ("", false), ("null", false), (r#"{"g":1}"#, false)]
    {
        let mut gate = Gate::new();
        let token = gate.lead();
        assert_eq!(gate.finish(token, Some(entry)), Verdict::Held);
        let told = gate.enter();
        assert_eq!(told == Verdict::Filled { entry: entry.into() }, is_kept, "{told:?}");
        assert_eq!(told == Verdict::Alone, !is_kept, "{told:?}");
    }
}

#[test]
fn who_beats_in_time_keeps_the_lease_and_who_does_not_is_followed_by_one_of_those_who_wait() {
    let mut gate = Gate::new();
    let token = gate.lead();
    for beat in [Gate::beat, Gate::publish] {
        gate.pass_ms(LEASE_MS - 1);
        assert_eq!(gate.wait(token, 1), None);
        assert_eq!(beat(&mut gate, token), Verdict::Held);
    }
    gate.pass_ms(LEASE_MS);
    let Some(Verdict::Lead { token: next }) = gate.wait(token, 1) else { panic!("no successor") };
    assert!(next > token);
    assert_eq!(gate.wait(token, 1), None, "the others wait for the successor");
    for lost in [gate.beat(token), gate.publish(token), gate.finish(token, Some(ENTRY))] {
        assert_eq!(lost, Verdict::Lost);
    }
    assert_eq!(gate.finish(next, Some(ENTRY)), Verdict::Held);
    assert_eq!(gate.wait(token, 1), Some(filled()));
}

#[test]
fn a_lapsed_lease_that_nobody_took_is_still_its_holders() {
    let mut gate = Gate::new();
    let token = gate.lead();
    gate.pass_ms(LEASE_MS + 5);
    assert_eq!(gate.publish(token), Verdict::Held);
    assert_eq!(gate.enter(), Verdict::Follow { token });
}

#[test]
fn over_its_age_a_lease_goes_to_whoever_comes_whatever_beats_and_until_then_it_is_its_holders() {
    let mut gate = Gate::new();
    let token = gate.lead();
    let step_ms = LEASE_MS - 1;
    for _ in 0..LEASE_AGE_MS_MAX / step_ms {
        gate.pass_ms(step_ms);
        assert_eq!(gate.beat(token), Verdict::Held);
        assert_eq!(gate.enter(), Verdict::Follow { token });
    }
    gate.pass_ms(LEASE_AGE_MS_MAX % step_ms);
    // A slow viewer holds up a large body for that long, and nobody else has made it.
    for held in [gate.beat(token), gate.publish(token)] {
        assert_eq!(held, Verdict::Held);
    }
    let next = gate.lead();
    assert!(next > token);
    for lost in [gate.beat(token), gate.publish(token), gate.finish(token, Some(ENTRY))] {
        assert_eq!(lost, Verdict::Lost);
    }
    assert_eq!(gate.publish(next), Verdict::Held);
}

#[test]
fn nobody_waits_past_the_time_they_gave_or_the_age_of_a_lease() {
    for (wait_ms, waits_ms) in [(0, 0), (1, 1), (9_000, 9_000), (u32::MAX, LEASE_AGE_MS_MAX)] {
        let mut gate = Gate::new();
        let token = gate.lead();
        let wait = Question::Wait { token, wait_ms };
        let mut after = |ms: u64| gate.state.answer(&wait, NOW_MS - ms, NOW_MS);
        assert_eq!(after(waits_ms), Some(Verdict::Follow { token }), "{wait_ms}");
        if let Some(sooner_ms) = waits_ms.checked_sub(1) {
            assert_eq!(after(sooner_ms), None, "{wait_ms}");
        }
    }
}

#[test]
fn tokens_grow_within_a_moment_and_over_a_lost_memory() {
    let mut gate = Gate::new();
    let first = gate.lead();
    gate.finish(first, Some(ENTRY));
    gate.state.forget(Some("feed"));
    let second = gate.lead();
    assert_eq!(second, first + 1, "in the same millisecond");
    gate.pass_ms(2);
    gate.evict();
    assert!(gate.lead() > second);
}

#[test]
fn what_an_asker_could_not_read_is_forgotten_and_nothing_else() {
    let mut gate = Gate::new();
    let token = gate.lead();
    let without = |generation: &str| Question::Enter { unusable: Some(generation.into()) };
    assert_eq!(gate.ask(&without("feed")), Verdict::Follow { token }, "a fill under way stays");
    gate.finish(token, Some(ENTRY));
    assert_eq!(gate.ask(&without("beef")), filled(), "another generation stays");
    let Verdict::Lead { token: next } = gate.ask(&without("feed")) else { panic!("no lead") };
    assert_eq!(gate.enter(), Verdict::Follow { token: next });
    gate.finish(next, None);
    assert_eq!(gate.ask(&without("feed")), Verdict::Alone, "nothing has no generation");
}

#[test]
fn what_turned_out_to_be_broken_is_forgotten_without_a_lease_for_who_says_so() {
    let mut gate = Gate::new();
    let token = gate.lead();
    let forget = |generation: &str| Question::Forget { generation: generation.into() };
    assert_eq!(gate.ask(&forget("feed")), Verdict::Held);
    assert_eq!(gate.enter(), Verdict::Follow { token }, "a fill under way stays");
    gate.finish(token, Some(ENTRY));
    assert_eq!(gate.ask(&forget("beef")), Verdict::Held);
    assert_eq!(gate.enter(), filled(), "another generation stays");
    assert_eq!(gate.ask(&forget("feed")), Verdict::Held);
    assert!(matches!(gate.enter(), Verdict::Lead { .. }), "whoever comes first makes another");
}

#[test]
fn done_is_said_twice_and_answered_twice() {
    let mut gate = Gate::new();
    let token = gate.lead();
    assert_eq!(gate.finish(token, Some(ENTRY)), Verdict::Held);
    assert_eq!(gate.finish(token, None), Verdict::Held, "the acknowledgement was lost");
    assert_eq!(gate.enter(), filled(), "what was said first counts");
    assert_eq!(gate.publish(token), Verdict::Lost, "who is done publishes no more");
}

#[test]
fn a_gate_that_lost_its_memory_takes_up_the_lease_of_who_speaks_first_and_of_whom_somebody_waits_for()
 {
    let mut gate = Gate::new();
    let token = gate.lead();
    gate.pass_ms(LEASE_MS + 1);
    for speak in [Gate::beat, Gate::publish, |gate: &mut Gate, token| gate.finish(token, None)] {
        gate.evict();
        assert_eq!(speak(&mut gate, token), Verdict::Held);
    }
    gate.evict();
    assert_eq!(gate.wait(token, 0), None);
    assert_eq!(gate.enter(), Verdict::Follow { token });
    gate.pass_ms(LEASE_MS);
    assert!(matches!(gate.wait(token, 0), Some(Verdict::Lead { .. })), "it never spoke");
}

#[test]
fn a_lease_taken_up_again_is_as_old_as_its_token() {
    let mut gate = Gate::new();
    let token = gate.lead();
    gate.pass_ms(LEASE_AGE_MS_MAX - 1);
    gate.evict();
    assert_eq!(gate.beat(token), Verdict::Held);
    assert_eq!(gate.enter(), Verdict::Follow { token });
    gate.pass_ms(1);
    assert_eq!(gate.beat(token), Verdict::Held);
    gate.evict();
    assert_eq!(gate.beat(token), Verdict::Lost, "it is not taken up once it is over");
    assert!(gate.lead() > token);
}

#[test]
fn after_a_lost_memory_the_greatest_token_wins() {
    let mut gate = Gate::new();
    let first = gate.lead();
    gate.pass_ms(LEASE_MS);
    let second = gate.lead();
    gate.evict();
    assert_eq!(gate.publish(first), Verdict::Held, "nobody knows better");
    assert_eq!(gate.publish(second), Verdict::Held, "now somebody does");
    assert_eq!(gate.publish(first), Verdict::Lost);

    gate.evict();
    gate.pass_ms(1);
    let third = gate.lead();
    assert_eq!(gate.publish(second), Verdict::Lost, "a newer lease was granted since");
    assert_eq!(gate.publish(third), Verdict::Held);
}

#[test]
fn a_token_that_is_none_of_ours_is_lost_and_changes_nothing() {
    for token in [0, 1, NOW_MS - LEASE_AGE_MS_MAX, NOW_MS + LEASE_AGE_MS_MAX, u64::MAX] {
        let mut gate = Gate::new();
        assert_eq!(gate.publish(token), Verdict::Lost, "{token}");
        assert_eq!(gate.finish(token, Some(ENTRY)), Verdict::Lost, "{token}");
        assert!(matches!(gate.wait(token, 0), Some(Verdict::Lead { token: NOW_MS })), "{token}");
    }
}

#[test]
fn a_clock_that_goes_back_takes_nothing_from_whoever_leads() {
    let mut gate = Gate::new();
    let token = gate.lead();
    gate.now_ms -= 3_600_000;
    assert_eq!(gate.enter(), Verdict::Follow { token });
    assert_eq!(gate.publish(token), Verdict::Held);
}
