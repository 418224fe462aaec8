//! The gate as the core sees it: the port's promises, kept by the fake that later stories stand on.

use video_resizer::cache::gate::{Question, Verdict};
use video_resizer::cache::ports::{Clock, Fault, Gate, Host};

use crate::fakes::host::FakeHost;
use crate::fakes::run::run;
use crate::fakes::weather::{Mishap, Script};

const KEY: &str = "video:a.mp4";
const ENTER: Question = Question::Enter { unusable: None };
const ENTRY: &str = r#"{"g":"feed"}"#;

#[track_caller]
fn lead(verdict: &Verdict) -> u64 {
    let Verdict::Lead { token } = verdict else { panic!("{verdict:?} is no lead") };
    *token
}

#[test]
fn a_platform_without_the_binding_has_no_gate_and_one_with_it_has_one_for_each_key() {
    let host = FakeHost::new();
    assert!(host.gate().is_none());
    host.bind_gate();
    let gate = host.gate().unwrap();
    lead(&run(gate.ask(KEY, &ENTER, 100)).unwrap());
    lead(&run(gate.ask("video:b.mp4", &ENTER, 100)).unwrap());
    assert!(matches!(run(gate.ask(KEY, &ENTER, 100)), Ok(Verdict::Follow { .. })));
}

#[test]
fn who_waits_is_told_what_came_of_it_and_time_has_passed() {
    let host = FakeHost::new();
    let gate = host.bind_gate();
    let token = lead(&gate.answer(KEY, &ENTER).unwrap());
    let wait = Question::Wait { token, wait_ms: 5_000 };

    let began_ms = host.now_ms();
    assert_eq!(run(gate.ask(KEY, &wait, 6_000)), Ok(Verdict::Follow { token }));
    assert!(host.now_ms() - began_ms >= 5_000, "in vain");

    let entry = Some(ENTRY.to_owned());
    gate.meanwhile.set(move |gate| {
        assert_eq!(gate.answer(KEY, &Question::Beat { token }), Some(Verdict::Held));
        assert_eq!(gate.answer(KEY, &Question::Finish { token, entry }), Some(Verdict::Held));
    });
    let began_ms = host.now_ms();
    assert_eq!(run(gate.ask(KEY, &wait, 6_000)), Ok(Verdict::Filled { entry: ENTRY.into() }));
    assert!(host.now_ms() - began_ms < 500, "at once");
}

#[test]
fn a_question_that_is_refused_never_arrived_and_one_whose_answer_is_late_has() {
    let host = FakeHost::new();
    let gate = host.bind_gate();
    host.world.set_weather(Script::new(&[("gate-enter", Mishap::Refused)]));
    assert!(matches!(run(gate.ask(KEY, &ENTER, 100)), Err(Fault::Unavailable(_))));
    host.world.set_weather(Script::new(&[("gate-enter", Mishap::TimedOut)]));
    assert!(matches!(run(gate.ask(KEY, &ENTER, 100)), Err(Fault::TimedOut { .. })));
    assert!(
        matches!(gate.answer(KEY, &ENTER), Some(Verdict::Follow { .. })),
        "a lease that its holder does not know of"
    );
    run(host.sleep(10_000));
    lead(&gate.answer(KEY, &ENTER).unwrap());
}

#[test]
fn a_gate_that_is_put_away_forgets_what_was_filled() {
    let host = FakeHost::new();
    let gate = host.bind_gate();
    gate.surprise.set(|gate| {
        let token = lead(&gate.answer(KEY, &ENTER).unwrap());
        let entry = Some(ENTRY.to_owned());
        gate.answer(KEY, &Question::Finish { token, entry });
    });
    assert_eq!(run(gate.ask(KEY, &ENTER, 100)), Ok(Verdict::Filled { entry: ENTRY.into() }));
    gate.evict();
    lead(&run(gate.ask(KEY, &ENTER, 100)).unwrap());
}
