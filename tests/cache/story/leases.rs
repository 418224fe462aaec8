//! The lease of who makes it for all: how it is kept, to whom it goes, and what who lost it leaves undone.

use serde_json::json;
use video_resizer::cache::gate::Verdict;
use video_resizer::cache::status::Tier;
use video_resizer::limits::LEASE_AGE_MS_MAX;

use super::turns::{ENTER, taken, with_gate};
use super::{KEY, VIDEO};
use crate::fakes::upstream::Making;
use crate::fakes::viewer::{House, get};
use crate::fakes::weather::{Mishap, Script};

#[test]
fn the_lease_of_an_isolate_that_died_goes_to_whoever_waits() {
    let leader = with_gate(House::plain());
    let follower = leader.in_another_data_centre();
    leader.send_and_die(&get(VIDEO));
    let seen = follower.get(VIDEO);
    assert_eq!(seen.cost[2..], ["gate-enter", "gate-wait", "transform", "probe"]);
    assert!(seen.settled.contains(&"gate-finish"), "it leads now: {:?}", seen.settled);
}

#[test]
fn a_slow_transform_is_said_at_the_gate_for_as_long_as_it_takes() {
    let house = with_gate(House::plain());
    house.host.upstream.slowness.set(40);
    let seen = house.get(VIDEO);
    let beats = seen.cost.iter().filter(|kind| **kind == "gate-beat").count();
    assert!(beats >= 10, "{:?}", seen.cost);
    assert!(seen.settled.contains(&"gate-finish"));
    assert!(house.kv_keys().contains(&KEY.to_owned()), "the lease was never lost");
}

#[test]
fn who_lost_the_lease_keeps_nothing_in_kv() {
    let lose = |house: &House| {
        let (seen, owed) = house.answer(&get(VIDEO));
        // It was silent for too long, and another was let in.
        house.pass_s(11);
        taken(house);
        (seen, house.settle(&get(VIDEO), owed))
    };
    let house = with_gate(House::plain());
    let (seen, settled) = lose(&house);
    assert!(seen.whole, "no viewer is concerned");
    assert_eq!(settled, ["gate-publish", "gate-fail"]);
    assert_eq!((house.kv_keys().len(), house.edge_urls().len()), (0, 0));
    assert_eq!(house.host.world.bodies().leaked, 0);

    let house = with_gate(House::of_tiny_chunks(&json!({})));
    let (seen, settled) = lose(&house);
    assert!(seen.whole);
    let expected = [
        "kv-keep",
        "kv-keep",
        "kv-keep",
        "gate-publish",
        "kv-remove",
        "kv-remove",
        "kv-remove",
        "edge-keep",
        "gate-finish",
    ];
    assert_eq!(settled, expected, "its chunks are taken back");
    assert_eq!(house.kv_keys(), [""; 0]);
    assert!(matches!(house.host.bind_gate().answer(KEY, &ENTER), Some(Verdict::Follow { .. })));
}

#[test]
fn a_gate_that_cannot_be_asked_does_not_forbid_to_publish() {
    for house in [House::plain(), House::of_tiny_chunks(&json!({}))] {
        let house = with_gate(house);
        let weather = [("gate-publish", Mishap::TimedOut), ("gate-finish", Mishap::Refused)];
        house.host.world.set_weather(Script::new(&weather));
        let seen = house.get(VIDEO);
        assert!(house.kv_keys().contains(&KEY.to_owned()));
        let told: Vec<Tier> = seen.faults.iter().map(|(tier, _)| *tier).collect();
        assert_eq!(told, [Tier::Gate], "that nobody hears of it");
    }
}

#[test]
fn what_a_slow_viewer_drew_out_past_the_age_of_a_lease_is_kept_where_nobody_else_was_let_in() {
    let house = with_gate(House::of_tiny_chunks(&json!({})));
    let (_, owed) = house.answer(&get(VIDEO));
    house.host.world.pass_ms(2 * LEASE_AGE_MS_MAX);
    let settled = house.settle(&get(VIDEO), owed);
    assert!(settled.contains(&"gate-publish"), "{settled:?}");
    assert!(house.kv_keys().contains(&KEY.to_owned()), "it is paid for, and nobody has another");

    // Somebody else was let in: then it is theirs.
    let house = with_gate(House::of_tiny_chunks(&json!({})));
    let (_, owed) = house.answer(&get(VIDEO));
    house.host.world.pass_ms(LEASE_AGE_MS_MAX);
    taken(&house);
    house.settle(&get(VIDEO), owed);
    assert_eq!(house.kv_keys(), [""; 0]);
}

#[test]
fn while_the_original_is_asked_for_the_others_still_wait() {
    let house = with_gate(House::plain());
    house.host.upstream.makes(Making::WrongType);
    house.host.upstream.slowness.set(40);
    let seen = house.get(VIDEO);
    let after = seen.cost.iter().rposition(|kind| *kind == "probe").unwrap();
    assert!(seen.cost[after..].contains(&"original"), "{:?}", seen.cost);
    let beats = seen.cost[after..].iter().filter(|kind| **kind == "gate-beat").count();
    assert!(beats >= 10, "{:?}", seen.cost);
}

#[test]
fn who_lost_the_lease_remembers_no_failure_where_another_has_made_it() {
    for making in [Making::SaysError(9404), Making::WrongType] {
        let house = with_gate(House::new(&json!({"sources": {"fallbackToOriginal": false}})));
        house.host.upstream.makes(making);
        let (failed, owed) = house.answer(&get(VIDEO));
        assert!(failed.status >= 400);
        // It was silent for too long, and another was let in and made it.
        house.pass_s(11);
        house.host.upstream.makes(Making::Good);
        let made = house.get(VIDEO);
        assert_eq!(made.status, 200);
        house.pass_s(1);
        let settled = house.settle(&get(VIDEO), owed);
        assert_eq!(house.get(VIDEO).bytes, made.bytes, "{settled:?}");
    }
}
