//! One fill for many viewers: one makes it, the others wait at the gate and find it, or go alone.

use std::rc::Rc;

use serde_json::{Value, json};
use video_resizer::cache::entry::Metadata;
use video_resizer::cache::gate::{Question, Verdict};
use video_resizer::cache::ports::Fault;
use video_resizer::cache::status::Tier;

use super::{KEY, VIDEO};
use crate::fakes::upstream::Making;
use crate::fakes::viewer::{Asking, House, Seen, get, head};
use crate::fakes::weather::{Mishap, Script};
use crate::fakes::world::Operation;

pub(super) const ENTER: Question = Question::Enter { unusable: None };
const ALONE: [&str; 5] = ["edge-find", "kv-find", "gate-enter", "transform", "probe"];

/// With a gate, and with data centres that remember what they looked for in vain.
pub(super) fn with_gate(mut house: House) -> House {
    house.host.kv.remembers_misses();
    house.host.bind_gate();
    house
}

/// Somebody else is at it.
#[track_caller]
pub(super) fn taken(house: &House) -> u64 {
    let verdict = house.host.bind_gate().answer(KEY, &ENTER);
    let Some(Verdict::Lead { token }) = verdict else { panic!("{verdict:?} is no lead") };
    token
}

/// Two ask at once: the first fills while the second waits for it.
fn together(leader: House, follower: &House, asking: &Asking) -> (Seen, Seen) {
    let (first, owed) = leader.answer(&get(VIDEO));
    assert!(first.cost.contains(&"transform"), "{:?}", first.cost);
    let gate = follower.host.gate.get().unwrap();
    gate.meanwhile.set(move |_| leader.settle_unheard(VIDEO, owed));
    (first, follower.send(asking))
}

/// As [`together`], in one data centre.
fn together_here(house: House, asking: &Asking) -> (Seen, Seen, Rc<House>) {
    let (first, owed) = house.answer(&get(VIDEO));
    let house = Rc::new(house);
    let leader = Rc::clone(&house);
    let gate = house.host.gate.get().unwrap();
    gate.meanwhile.set(move |_| leader.settle_unheard(VIDEO, owed));
    let second = house.send(asking);
    (first, second, house)
}

fn waited(seen: &Seen) {
    assert_eq!(seen.cost[..4], ["edge-find", "kv-find", "gate-enter", "gate-wait"]);
    assert!(!seen.cost.contains(&"transform"), "{:?}", seen.cost);
    let kv = seen.cache().split(", ").next().unwrap();
    assert!(kv.starts_with("video-resizer-kv; fwd=uri-miss; collapsed"), "{}", seen.cache());
    assert!(seen.header("server-timing").contains("gate;dur="));
}

#[test]
fn the_first_asks_makes_publishes_and_then_says_that_it_is_done() {
    let house = with_gate(House::plain());
    let seen = house.get(VIDEO);
    assert_eq!(seen.cost, ALONE);
    assert_eq!(
        seen.settled,
        ["gate-publish", "kv-keep", "kv-keep", "edge-keep", "gate-finish"],
        "under its own name and under a second one"
    );
    let told = house.host.bind_gate().answer(KEY, &ENTER);
    let Some(Verdict::Filled { entry }) = told else { panic!("{told:?}") };
    assert_eq!(Metadata::decode(&entry).unwrap(), house.in_kv(KEY));
    assert!(!seen.cache().contains("collapsed"));
}

#[test]
fn who_comes_later_in_the_same_data_centre_finds_it_at_the_edge() {
    let (first, second, house) = together_here(with_gate(House::plain()), &get(VIDEO));
    waited(&second);
    assert_eq!((second.status, &second.bytes), (200, &first.bytes));
    assert_eq!(second.header("etag"), first.header("etag"));
    assert_eq!(second.cost[4..], ["edge-find"]);
    assert_eq!(second.settled, [""; 0], "it is where it belongs");
    assert_eq!(house.host.upstream.made.borrow().len(), 1);
}

#[test]
fn who_waits_elsewhere_finds_it_under_its_second_name_though_kv_remembers_the_miss() {
    let leader = with_gate(House::plain());
    let follower = leader.in_another_data_centre();
    let (first, second) = together(leader, &follower, &get(VIDEO));
    waited(&second);
    assert_eq!((second.status, &second.bytes), (200, &first.bytes));
    assert_eq!(second.cost[4..], ["edge-find", "kv-find"]);
    assert!(matches!(&second.operations[5], Operation::KvFind { key } if key.starts_with("fill:")));
    assert_eq!(second.settled, ["edge-keep"], "and brings it along");
    assert_eq!(follower.get(VIDEO).cost, ["edge-find"]);
    assert_eq!(follower.host.upstream.made.borrow().len(), 1);

    follower.elsewhere();
    let missed = follower.get(VIDEO);
    assert_eq!(missed.cost[..3], ["edge-find", "kv-find", "gate-enter"], "KV still says no here");
    assert!(!missed.cost.contains(&"transform"), "{:?}", missed.cost);
}

#[test]
fn who_waits_elsewhere_finds_chunks_by_their_own_names() {
    for asking in [get(VIDEO), get(VIDEO).range("bytes=30-"), get(VIDEO).range("bytes=1-2,60-61")] {
        let leader = with_gate(House::of_tiny_chunks(&json!({})));
        let follower = leader.in_another_data_centre();
        let (first, second) = together(leader, &follower, &asking);
        waited(&second);
        assert!(second.whole, "{asking:?}");
        let looked = second.operations.iter().filter_map(|operation| {
            let Operation::KvFind { key } = operation else { return None };
            Some(key.starts_with("chunk:"))
        });
        let looked: Vec<bool> = looked.collect();
        assert!(!looked[0] && looked[1..].iter().all(|is_chunk| *is_chunk), "{asking:?}");
        if second.status == 200 {
            assert_eq!(
                (second.bytes.clone(), looked.len()),
                (first.bytes, 1 + 3),
                "no head is at hand"
            );
            assert_eq!(second.settled, ["edge-keep"]);
        }
    }
}

#[test]
fn parts_are_cut_for_who_waits_as_for_anybody() {
    let leader = with_gate(House::plain());
    let follower = leader.in_another_data_centre();
    let (first, part) = together(leader, &follower, &get(VIDEO).range("bytes=5-9"));
    waited(&part);
    assert_eq!((part.status, part.bytes.as_slice()), (206, &first.bytes[5..10]));
    let (first, part, _) = together_here(with_gate(House::plain()), &get(VIDEO).range("bytes=-2"));
    waited(&part);
    assert_eq!((part.status, part.bytes.as_slice()), (206, &first.bytes[998..]));
}

#[test]
fn a_length_nobody_announced_costs_those_who_wait_no_second_transform() {
    for more in [json!({}), json!({"cache": {"edge": false}})] {
        let leader = with_gate(House::new(&more));
        leader.host.upstream.makes(Making::GoodWithoutLength);
        let follower = leader.in_another_data_centre();
        let (first, second) = together(leader, &follower, &get(VIDEO));
        assert_eq!(second.bytes, first.bytes);
        assert_eq!(follower.host.upstream.made.borrow().len(), 1, "{more}");
    }
}

#[test]
fn who_waits_is_told_of_a_failure_and_of_its_kind() {
    for (making, status, is_remembered) in [
        (Making::SaysError(9404), 404, true),
        (Making::WrongType, 502, false),
        (Making::Status(503), 503, false),
    ] {
        let leader = with_gate(House::new(&json!({"sources": {"fallbackToOriginal": false}})));
        leader.host.upstream.makes(making);
        let follower = leader.in_another_data_centre();
        let (first, second) = together(leader, &follower, &get(VIDEO));
        waited(&second);
        assert_eq!((first.status, second.status), (status, status), "{making:?}");
        assert_eq!(second.cost.len(), 4, "nobody looks for what is not there");
        assert_eq!(first.problem("reason"), second.problem("reason"));
        assert_eq!(follower.kv_keys().contains(&KEY.to_owned()), is_remembered, "{making:?}");
    }
}

#[test]
fn who_waits_gets_the_original_where_it_helps() {
    let leader = with_gate(House::plain());
    leader.host.upstream.makes(Making::WrongType);
    let follower = leader.in_another_data_centre();
    let (first, second) = together(leader, &follower, &get(VIDEO));
    assert_eq!((second.status, &second.bytes), (200, &first.bytes));
    assert_eq!(second.cost[4..], ["original"]);
}

/// A follower that has something stale, and a leader that has nothing, fails as `making` says.
fn told_with_something_stale(making: Making) -> (Seen, Seen) {
    let house = with_gate(House::new(&json!({"sources": {"fallbackToOriginal": false}})));
    let made = house.get(VIDEO);
    house.pass_s(90_001);
    house.elsewhere();
    house.host.upstream.makes(making);
    let token = taken(&house);
    let failed = House::new(&json!({"sources": {"fallbackToOriginal": false}}));
    failed.host.upstream.makes(making);
    failed.pass_s(90_001);
    failed.host.bind_gate();
    failed.get(VIDEO);
    let Some(Verdict::Filled { entry }) = failed.host.bind_gate().answer(KEY, &ENTER) else {
        panic!("nothing was told")
    };
    let done = Question::Finish { token, entry: Some(entry) };
    house.host.bind_gate().meanwhile.set(move |gate| drop(gate.answer(KEY, &done)));
    (made, house.get(VIDEO))
}

#[test]
fn what_is_stale_covers_a_failure_that_was_told_as_one_that_was_met() {
    let (made, covered) = told_with_something_stale(Making::Status(503));
    assert_eq!((covered.status, &covered.bytes), (200, &made.bytes));
    assert!(covered.cache().contains("detail=stale-if-error"), "{}", covered.cache());
    let (_, gone) = told_with_something_stale(Making::SaysError(9404));
    assert_eq!(gone.status, 404, "a source that is gone is gone for all of them");
    assert!(gone.cost.contains(&"gate-wait") && !gone.cost.contains(&"transform"));
}

#[test]
fn a_fill_of_which_nothing_is_kept_sends_everybody_on_alone() {
    let leader = with_gate(House::plain());
    leader.host.upstream.makes(Making::GoodBut("cache-control", "private"));
    let follower = leader.in_another_data_centre();
    let (first, second) = together(leader, &follower, &get(VIDEO));
    assert_ne!(second.bytes, first.bytes, "what is private is shared with nobody");
    assert_eq!(second.cost[3..], ["gate-wait", "transform", "probe"]);
    assert_eq!(second.settled, [""; 0]);
    assert!(!second.cache().contains("collapsed"), "{}", second.cache());
}

#[test]
fn a_fill_that_breaks_off_is_told_as_nothing() {
    let leader = with_gate(House::of_tiny_chunks(&json!({})));
    leader.host.upstream.makes(Making::BreaksOffAfter(60, true));
    let follower = leader.in_another_data_centre();
    let (first, owed) = leader.answer(&get(VIDEO));
    assert!(!first.whole);
    let gate = follower.host.gate.get().unwrap();
    gate.meanwhile.set(move |_| {
        leader.settle_unheard(VIDEO, owed);
        leader.host.upstream.makes(Making::Good);
    });
    let second = follower.get(VIDEO);
    assert!(second.whole && second.cost.contains(&"transform"), "{:?}", second.cost);
}

#[test]
fn what_was_told_and_cannot_be_read_is_asked_for_again_and_then_made() {
    // The first chunk of one, the second name of the other.
    for (house, lost) in [(House::of_tiny_chunks(&json!({})), ":000"), (House::plain(), "fill:")] {
        let leader = with_gate(house);
        let follower = leader.in_another_data_centre();
        let old = leader.get(VIDEO);
        // As seen from a data centre that has just looked in vain.
        leader.host.kv.kept.borrow_mut().remove(KEY);
        leader.host.kv.kept.borrow_mut().retain(|key, _| !key.contains(lost));
        let seen = follower.get(VIDEO);
        assert!(seen.whole && seen.bytes != old.bytes);
        let questions: Vec<&Question> = seen.operations.iter().filter_map(question).collect();
        let generation = old.header("etag").replace('"', "");
        assert_eq!(questions, [&ENTER, &Question::Enter { unusable: Some(generation) }]);
        assert!(!seen.cache().contains("collapsed"), "{}", seen.cache());
        assert!(seen.settled.contains(&"gate-finish"), "it has the lease: {:?}", seen.settled);
        assert_eq!(follower.get(VIDEO).bytes, seen.bytes);
    }
}

#[test]
fn nobody_is_led_to_a_body_that_broke_for_the_last_who_read_it() {
    let house = with_gate(House::of_tiny_chunks(&json!({})));
    let old = house.get(VIDEO);
    house.elsewhere();
    house.host.kv.kept.borrow_mut().retain(|key, _| !key.ends_with(":002"));
    let broken = house.get(VIDEO);
    assert!(!broken.whole);
    assert_eq!(broken.settled.last(), Some(&"gate-forget"), "{:?}", broken.settled);
    let next = house.get(VIDEO);
    assert!(next.whole && next.bytes != old.bytes);
    assert!(next.cost.contains(&"transform"), "{:?}", next.cost);
}

fn question(operation: &Operation) -> Option<&Question> {
    let Operation::GateAsk { question, .. } = operation else { return None };
    Some(question)
}

#[test]
fn a_gate_that_breaks_is_a_fault_and_everybody_goes_alone() {
    for (weather, cost) in [
        (("gate-enter", Mishap::Refused), &ALONE[2..]),
        (("gate-enter", Mishap::TimedOut), &ALONE[2..]),
        (("gate-wait", Mishap::Refused), &["gate-enter", "gate-wait", "transform", "probe"]),
        (("gate-wait", Mishap::TimedOut), &["gate-enter", "gate-wait", "transform", "probe"]),
    ] {
        let house = with_gate(House::plain());
        if weather.0 == "gate-wait" {
            taken(&house);
        }
        house.host.world.set_weather(Script::new(&[weather]));
        let seen = house.get(VIDEO);
        assert_eq!((seen.status, &seen.cost[2..]), (200, cost), "{weather:?}");
        assert_eq!(seen.settled, ["kv-keep", "edge-keep"], "without a lease nobody is told");
        assert!(seen.bytes == *house.host.upstream.last_made());
    }
}

#[test]
fn a_gate_that_says_what_nobody_understands_is_a_fault() {
    let house = with_gate(House::plain());
    let token = taken(&house);
    let entry = Some(r#"{"g":"feed"}"#.to_owned());
    house.host.bind_gate().answer(KEY, &Question::Finish { token, entry });
    let seen = house.get(VIDEO);
    assert_eq!((seen.status, seen.cost.as_slice()), (200, &ALONE[..]));
}

#[test]
fn who_has_waited_long_enough_goes_alone_beside_the_other() {
    let house = with_gate(House::plain());
    let began_ms = house.host.world.now_ms();
    let token = taken(&house);
    let gate = house.host.bind_gate();
    // The other is alive, and takes its time.
    gate.meanwhile.set(move |gate| drop(gate.answer(KEY, &Question::Beat { token })));
    let config = json!({"cache": {"coalesceWaitMs": 2_000}});
    let impatient = House { host: house.host.elsewhere(), config: House::new(&config).config };
    let seen = impatient.get(VIDEO);
    assert_eq!(seen.cost[2..], ["gate-enter", "gate-wait", "transform", "probe"]);
    let waited_ms = house.host.world.now_ms() - began_ms;
    assert!((2_000..2_500).contains(&waited_ms), "{waited_ms}");
    assert_eq!(seen.settled, ["kv-keep", "edge-keep"]);
}

#[test]
fn a_fill_whose_writes_fail_is_tried_once_more_and_one_at_the_edge_is_told_as_kept() {
    let refused = [("kv-keep", Mishap::Refused); 4];
    let house = with_gate(House::new(&json!({"cache": {"edge": false}})));
    for fill in ["the first", "the second"] {
        house.host.world.set_weather(Script::new(&refused));
        let seen = house.get(VIDEO);
        assert!(seen.settled.contains(&"gate-fail"), "{fill}: {:?}", seen.settled);
    }
    assert_eq!(house.host.bind_gate().answer(KEY, &ENTER), Some(Verdict::Alone));
    let house = with_gate(House::plain());
    house.host.world.set_weather(Script::new(&refused));
    let made = house.get(VIDEO);
    let told = house.host.bind_gate().answer(KEY, &ENTER);
    assert!(matches!(told, Some(Verdict::Filled { .. })), "{told:?}");
    assert_eq!(house.get(VIDEO).bytes, made.bytes);
}

#[test]
fn nobody_asks_the_gate_who_makes_nothing_or_shares_nothing() {
    let filled = with_gate(House::plain());
    filled.get(VIDEO);
    for house in [&filled, &filled.in_another_data_centre()] {
        let hit = house.get(VIDEO);
        assert!(hit.cost.iter().all(|kind| !kind.starts_with("gate")), "{:?}", hit.cost);
    }
    let cold = |more: Value, asking: Asking| {
        let house = with_gate(House::new(&more));
        let seen = house.send(&asking);
        let all = seen.cost.iter().chain(&seen.settled);
        assert!(all.clone().all(|kind| !kind.starts_with("gate")), "{asking:?}: {:?}", seen.cost);
    };
    let open = json!({"bypass": {"access": "open"}});
    cold(json!({}), head(VIDEO));
    cold(json!({}), get(VIDEO).with("cache-control", "only-if-cached"));
    for action in ["around", "refresh", "around-kv"] {
        cold(open.clone(), get(VIDEO).with("x-bypass-cache", action));
    }
    cold(json!({"cache": {"kv": false}}), get(VIDEO));
    cold(json!({"cache": {"coalesce": false}}), get(VIDEO));
    // Who pays for HEAD makes it, and so asks.
    let paying = with_gate(House::new(&json!({"cache": {"fillOnHead": true}})));
    assert!(paying.send(&head(VIDEO)).cost.contains(&"gate-enter"));
}

#[test]
fn faults_of_the_gate_after_the_answer_are_told() {
    let house = with_gate(House::plain());
    house.host.world.set_weather(Script::new(&[("gate-finish", Mishap::TimedOut)]));
    let seen = house.get(VIDEO);
    assert!(matches!(seen.faults[..], [(Tier::Gate, Fault::TimedOut { .. })]), "{:?}", seen.faults);
}
