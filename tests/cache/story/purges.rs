//! What was purged is never served again, whatever tier has it and whoever was making it.

use std::rc::Rc;

use serde_json::json;
use video_resizer::cache::ports::{Fault, Purpose};
use video_resizer::cache::status::Tier;
use video_resizer::purge::ledger::Mode;
use video_resizer::purge::target::{Prefix, Target};

use super::turns::with_gate;
use super::{KEY, VIDEO};
use crate::fakes::upstream::{Making, ORIGINAL_BYTES};
use crate::fakes::viewer::{House, get};

/// The isolate hears of a purge.
fn purged(house: &House, mode: Mode, target: Target) {
    house.host.ledger.borrow_mut().record(mode, &[target]);
}

fn path() -> Target {
    Target::Path("clips/a.mp4".to_owned())
}

/// What the transformer was last asked to make.
#[track_caller]
fn last_order(house: &House) -> String {
    let calls = house.host.upstream.calls.borrow();
    let orders = calls.iter().rev().find(|call| call.purpose == Purpose::Transform);
    orders.expect("an order").url.clone()
}

#[test]
fn a_hard_purge_makes_every_tier_miss_and_nothing_else() {
    let house = House::plain();
    let (made, other) = (house.get(VIDEO), house.get("/clips/b.mp4?width=640"));
    purged(&house, Mode::Hard, path());
    let seen = house.get(VIDEO);
    assert_eq!(seen.cost, ["edge-find", "kv-find", "transform", "probe"]);
    assert_ne!((seen.header("etag"), &seen.bytes), (made.header("etag"), &made.bytes));
    assert_eq!(house.get(VIDEO).bytes, seen.bytes, "and is kept again");
    house.elsewhere();
    let again = house.get(VIDEO);
    assert_eq!((again.cost, again.bytes), (vec!["edge-find", "kv-find"], seen.bytes));
    let other_again = house.get("/clips/b.mp4?width=640");
    assert_eq!(
        (other_again.cost.len(), other_again.bytes),
        (2, other.bytes),
        "only the edge was emptied"
    );
}

#[test]
fn whatever_it_was_aimed_at_it_is_met() {
    let prefix = |host: &str| Target::Prefix(Prefix { host: host.into(), path: "clips/".into() });
    for target in [
        Target::Everything,
        Target::Tag("ASSET:clips/a.mp4".into()),
        Target::Tag("folder:clips".into()),
        Target::Tag("size:640x360".into()),
        Target::Variant(KEY.into()),
        Target::Host("v.example".into()),
        prefix(""),
        prefix("v.example"),
        path(),
    ] {
        let house = House::plain();
        house.get(VIDEO);
        purged(&house, Mode::Hard, target.clone());
        assert!(house.get(VIDEO).cost.contains(&"transform"), "{target:?}");
    }
    for target in [
        Target::Tag("size:641x360".into()),
        Target::Variant(format!("{KEY}:q=high")),
        Target::Host("w.example".into()),
        prefix("w.example"),
    ] {
        let house = House::plain();
        house.get(VIDEO);
        purged(&house, Mode::Hard, target.clone());
        assert_eq!(house.get(VIDEO).cost, ["edge-find"], "{target:?}");
    }
}

#[test]
fn an_entry_is_held_to_the_tags_it_was_kept_with_and_to_those_it_has_now() {
    for tag in ["was", "is"] {
        let before = House::new(&json!({"tags": {"extra": ["was"]}}));
        before.get(VIDEO);
        let house = House { host: before.host, ..House::new(&json!({"tags": {"extra": ["is"]}})) };
        purged(&house, Mode::Hard, Target::Tag(tag.into()));
        assert!(house.get(VIDEO).cost.contains(&"transform"), "{tag}");
    }
}

#[test]
fn the_transformation_is_not_asked_for_what_it_made_before_a_purge() {
    let house = House::plain();
    house.get(VIDEO);
    assert!(last_order(&house).ends_with("https://source.example/clips/a.mp4"));
    purged(&house, Mode::Hard, Target::Path("clips/b.mp4".into()));
    purged(&house, Mode::Soft, path());
    house.get(VIDEO);
    assert!(last_order(&house).ends_with("https://source.example/clips/a.mp4?v=2"));
    purged(&house, Mode::Hard, path());
    house.get(VIDEO);
    assert!(last_order(&house).ends_with("https://source.example/clips/a.mp4?v=3"));
}

#[test]
fn a_preset_that_was_purged_is_made_anew_by_whoever_spells_it_out_as_well() {
    let preset = json!({"presets": {"small": {"width": 640, "height": 360}}});
    let house = House::new(&preset);
    let made = house.get("/clips/a.mp4?derivative=small");
    purged(&house, Mode::Hard, Target::Tag("derivative:small".into()));
    let seen = house.get(VIDEO);
    assert_ne!(seen.bytes, made.bytes);
    assert!(
        last_order(&house).ends_with("?v=1"),
        "the transformer has the old one by the same URL"
    );
}

#[test]
fn a_soft_purge_serves_what_there_is_once_while_one_refresh_runs() {
    for is_at_edge in [true, false] {
        let house = House::plain();
        let made = house.get(VIDEO);
        house.pass_s(10);
        purged(&house, Mode::Soft, path());
        if !is_at_edge {
            house.elsewhere();
        }
        let (seen, owed) = house.answer(&get(VIDEO));
        assert_eq!((seen.status, &seen.bytes), (200, &made.bytes));
        assert!(seen.age_s() >= seen.max_age_s(), "no browser keeps it: {seen:#?}");
        assert!(seen.cache().contains("stale-while-revalidate"), "{}", seen.cache());
        let (_, second) = house.answer(&get(VIDEO));
        assert_eq!(house.settle(&get(VIDEO), second)[..1], ["kv-find"]);
        let renewed = house.get(VIDEO);
        assert_eq!(renewed.cost, ["edge-find"]);
        assert_ne!(renewed.bytes, made.bytes, "a purge wants new bytes, whatever the source says");
        assert_eq!(house.settle(&get(VIDEO), owed), [""; 0], "one refresh is enough");
    }
}

#[test]
fn a_soft_purge_is_served_where_no_staleness_is_configured_and_where_no_new_one_can_be_made() {
    let house = House::new(&json!({"staleWhileRevalidate": {"ok": 0}, "staleIfError": {"ok": 0}}));
    let made = house.get(VIDEO);
    purged(&house, Mode::Soft, path());
    house.host.upstream.makes(Making::Status(503));
    for _ in 0..3 {
        assert_eq!(house.get(VIDEO).bytes, made.bytes);
    }
}

#[test]
fn a_refresh_in_one_data_centre_is_found_by_the_next() {
    let house = House::plain();
    house.host.bind_gate();
    house.get(VIDEO);
    let other = house.in_another_data_centre();
    other.get(VIDEO);
    for house in [&house, &other] {
        purged(house, Mode::Soft, path());
    }
    house.get(VIDEO);
    let stale = other.get(VIDEO);
    assert!(!stale.settled.contains(&"transform"), "{:?}", stale.settled);
    assert_eq!(other.get(VIDEO).bytes, *house.host.upstream.last_made());
}

#[test]
fn what_was_purged_by_the_name_of_a_preset_is_not_made_of_the_old_copy_without_that_name() {
    let house = House::new(&json!({"presets": {"small": {"width": 640, "height": 360}}}));
    house.get("/clips/a.mp4?derivative=small");
    purged(&house, Mode::Hard, Target::Tag("derivative:small".into()));
    let seen = house.get(VIDEO);
    assert!(seen.cost.contains(&"transform"), "{:?}", seen.cost);
    assert!(last_order(&house).ends_with("?v=1"), "{}", last_order(&house));
}

#[test]
fn a_fill_in_progress_during_a_purge_is_not_kept_and_not_served_afterwards() {
    let house = House::plain();
    let (seen, owed) = house.answer(&get(VIDEO));
    purged(&house, Mode::Hard, path());
    assert_eq!(seen.status, 200, "whoever asked before the purge gets it");
    assert_eq!(house.settle(&get(VIDEO), owed), [""; 0], "nothing is written");
    assert!(house.get(VIDEO).cost.contains(&"transform"));
}

#[test]
fn a_fill_that_knew_nothing_of_the_purge_is_kept_and_not_served() {
    let house = House::plain();
    let knows = house.in_another_data_centre();
    purged(&knows, Mode::Hard, path());
    house.get(VIDEO);
    let seen = knows.get(VIDEO);
    assert!(seen.cost.contains(&"transform"), "{:?}", seen.cost);
    assert!(last_order(&knows).ends_with("?v=1"), "nor what the transformer made of it");
}

#[test]
fn who_waited_for_a_fill_that_was_purged_meanwhile_does_not_get_it() {
    for making in [Making::Good, Making::Status(404)] {
        let leader = with_gate(House::plain());
        let follower = leader.in_another_data_centre();
        leader.host.upstream.makes(making);
        let (_, owed) = leader.answer(&get(VIDEO));
        leader.host.upstream.makes(Making::Good);
        purged(&follower, Mode::Hard, path());
        let gate = Rc::clone(follower.host.gate.get().unwrap());
        gate.meanwhile.set(move |_| leader.settle_unheard(VIDEO, owed));
        let seen = follower.send(&get(VIDEO));
        assert!(seen.cost.contains(&"transform"), "{making:?}: {:?}", seen.cost);
        assert_eq!(seen.status, 200);
    }
}

#[test]
fn the_memory_of_a_failure_can_be_purged() {
    let house = House::plain();
    house.host.upstream.makes(Making::SaysError(9412));
    assert_eq!(house.get(VIDEO).status, 502);
    house.host.upstream.makes(Making::Good);
    assert_eq!(house.get(VIDEO).status, 502);
    purged(&house, Mode::Hard, path());
    assert_eq!(house.get(VIDEO).status, 200);
}

#[test]
fn what_is_stale_and_was_purged_stands_in_for_nothing() {
    let house = House::new(&json!({"staleWhileRevalidate": {"ok": 0}}));
    house.get(VIDEO);
    house.pass_s(86_401);
    house.elsewhere();
    purged(&house, Mode::Hard, path());
    house.host.upstream.makes(Making::Status(500));
    assert_eq!(house.get(VIDEO).bytes.len(), ORIGINAL_BYTES, "the original is better");
}

#[test]
fn an_unchanged_source_extends_nothing_that_was_purged() {
    let house = House::plain();
    let made = house.get(VIDEO);
    house.pass_s(86_401);
    house.elsewhere();
    let (seen, owed) = house.answer(&get(VIDEO));
    assert_eq!(seen.bytes, made.bytes);
    purged(&house, Mode::Hard, path());
    house.settle(&get(VIDEO), owed);
    assert_ne!(house.get(VIDEO).bytes, made.bytes);
}

#[test]
fn a_large_body_that_is_purged_while_it_is_written_is_not_published() {
    let house = House::of_tiny_chunks(&json!({}));
    let (_, owed) = house.answer(&get(VIDEO));
    purged(&house, Mode::Hard, path());
    let faults = owed.map(|owed| {
        crate::fakes::run::run(video_resizer::front::settle(
            &house.host,
            &get(VIDEO).ask(),
            &house.config,
            owed,
        ))
    });
    assert_eq!(faults, Some(vec![(Tier::Kv, Fault::Purged)]));
    assert!(!house.kv_keys().contains(&KEY.to_owned()));
}
