//! Histories with purges told in full, each for one thing it proves.

use std::cell::RefCell;
use std::rc::Rc;

use video_resizer::cache::entry::Metadata;
use video_resizer::purge::ledger::Mode;
use video_resizer::purge::target::Target;

use super::office::elsewhere;
use super::pledge::bound_ms;
use super::saboteur::Sabotage;
use super::stage::{Purging, Setup, Stage};
use super::upstream::{HOST, OTHER_HOST, State, key_of};
use super::visit::{Ended, Plan, Seen};
use super::weather::Climate;

const PURGING: Purging =
    Purging { refresh_ms: 1_000, is_full: false, zone: 0, skew_ms: 0, sabotage: None };

fn calm(seed: u64) -> Setup {
    Setup { lifetime_s: 600, purging: Some(PURGING), is_told: true, ..Setup::calm(seed) }
}

fn stage(setup: Setup) -> Stage {
    let stage = Stage::new(setup);
    stage.world.studio.length.set(25);
    stage
}

fn record(stage: &Stage, mode: Mode, target: Target) {
    stage.world.office.record(&stage.world, mode, vec![target]);
}

/// Somebody comes, and everything that was begun comes to its end.
fn visited(stage: &mut Stage, plan: Plan) -> Rc<RefCell<Seen>> {
    let seen = stage.visit(plan);
    stage.settle();
    seen
}

#[track_caller]
fn is_right(stage: &Stage) {
    assert_eq!(stage.world.judge.violation(), None, "{}", stage.world.journal());
}

#[track_caller]
fn orders(stage: &Stage, count: u32) {
    assert_eq!(stage.world.studio.orders.get(), count, "{}", stage.world.journal());
}

fn path() -> Target {
    Target::Path("clips/a.mp4".to_owned())
}

#[test]
fn whatever_it_is_called_by_a_purge_makes_what_is_kept_be_made_anew_once() {
    let targets = [
        Target::Everything,
        path(),
        Target::Variant(key_of(0)),
        Target::Host(HOST.to_owned()),
        Target::Prefix(video_resizer::purge::target::Prefix {
            host: HOST.to_owned(),
            path: "clips/a".to_owned(),
        }),
    ];
    let tags = super::upstream::tags_of(0).into_iter().map(Target::Tag);
    for target in targets.into_iter().chain(tags) {
        let mut stage = stage(calm(1));
        visited(&mut stage, Plan::plain(0, 0));
        record(&stage, Mode::Hard, target.clone());
        stage.pass(bound_ms(&stage.world) + 5_000);
        for (dc, isolate) in [(0, 0), (0, 1), (1, 0), (1, 1)] {
            visited(&mut stage, Plan { isolate, ..Plan::plain(dc, 0) });
        }
        orders(&stage, 2);
        is_right(&stage);
    }
}

#[test]
fn a_purge_of_something_else_costs_nobody_anything() {
    for mode in [Mode::Hard, Mode::Soft] {
        let mut stage = stage(calm(2));
        visited(&mut stage, Plan::plain(0, 0));
        for index in 0..20 {
            record(&stage, mode, elsewhere(index));
        }
        record(&stage, mode, Target::Tag("asset:clips/b.mp4".to_owned()));
        record(&stage, mode, Target::Variant(key_of(2)));
        record(&stage, mode, Target::Host("w.example".to_owned()));
        stage.pass(bound_ms(&stage.world) + 5_000);
        for dc in [0, 1, 0, 1] {
            let seen = visited(&mut stage, Plan::plain(dc, 0));
            assert!(!seen.borrow().renews, "{}", stage.world.journal());
        }
        orders(&stage, 1);
        is_right(&stage);
    }
}

#[test]
fn who_knows_of_a_purge_does_not_take_what_another_made_in_ignorance_of_it() {
    let climate = Climate { order_ms: 7_000, ..Climate::CALM };
    let mut stage = stage(Setup { climate, ..calm(3) });
    // An isolate that does not know yet begins a fill right before the purge.
    let leader = stage.visit(Plan::plain(0, 0));
    stage.pass_until(|world| world.studio.orders.get() == 1);
    record(&stage, Mode::Hard, path());
    stage.pass_until(|world| world.office.is_mirrored());
    let Some(dc) = (0..2).find(|dc| {
        let seen = stage.world.kv.look(&stage.world, *dc, "purges", 30);
        seen.is_some()
    }) else {
        panic!("nobody sees it")
    };
    let follower = stage.visit(Plan { isolate: 1, ..Plan::plain(dc, 0) });
    stage.settle();
    let (leader, follower) = (leader.borrow(), follower.borrow());
    assert_eq!((follower.status, follower.ended), (200, Ended::Whole));
    assert_ne!(leader.header("etag"), follower.header("etag"), "{}", stage.world.journal());
    orders(&stage, 2);
    is_right(&stage);
}

#[test]
fn a_failure_that_was_purged_is_not_remembered() {
    for (mode, has_edge) in [Mode::Hard, Mode::Soft].into_iter().zip([true, true]) {
        let mut stage = stage(Setup { has_edge, ..calm(4) });
        stage.world.studio.set_state(0, State::Missing, stage.world.now_ms());
        let gone = visited(&mut stage, Plan::plain(0, 0));
        assert_eq!(gone.borrow().status, 404);
        stage.world.studio.set_state(0, State::Holds, stage.world.now_ms());
        stage.pass(1_000);
        record(&stage, mode, path());
        stage.pass(bound_ms(&stage.world) + 5_000);
        visited(&mut stage, Plan::plain(0, 0));
        let there = visited(&mut stage, Plan::plain(0, 0));
        assert_eq!(there.borrow().status, 200, "{mode:?}\n{}", stage.world.journal());
        is_right(&stage);
    }
}

#[test]
fn an_extension_knows_of_no_purge_that_its_fill_did_not_know_of() {
    for (sabotage, is_broken) in [(None, false), (Some(Sabotage::ExtensionsAreFills), true)] {
        let purging = Some(Purging { sabotage, ..PURGING });
        let setup =
            Setup { centres: 1, lifetime_s: 100, while_revalidate_s: 600, purging, ..calm(5) };
        let mut stage = stage(setup);
        visited(&mut stage, Plan::plain(0, 0));
        stage.pass(101_000);
        // Its source is being asked when somebody purges it, and this isolate hears of it before it is written.
        stage.visit(Plan::plain(0, 0));
        stage.pass_until(|world| !world.studio.vouched.borrow().is_empty());
        record(&stage, Mode::Hard, path());
        let isolate = 0;
        stage.world.heard.borrow_mut().insert(isolate, 1);
        stage.settle();
        stage.pass(bound_ms(&stage.world) + 5_000);
        visited(&mut stage, Plan::plain(0, 0));
        let violation = stage.world.judge.violation();
        assert_eq!(violation.is_some(), is_broken, "{violation:?}\n{}", stage.world.journal());
    }
}

#[test]
fn what_was_purged_softly_is_made_anew_behind_whoever_is_told_of_it() {
    for single_bytes_max in [0, 1_000] {
        let mut stage = stage(Setup { has_edge: false, single_bytes_max, ..calm(6) });
        stage.world.studio.length.set(200);
        // So slow that the purge is heard of everywhere before it is written.
        stage.visit(Plan { pace_ms: 60_000, ..Plan::plain(0, 0) });
        stage.pass(10_000);
        record(&stage, Mode::Soft, path());
        // Elsewhere somebody looks for it in vain again and again, until it is there.
        let world = Rc::clone(&stage.world);
        while world.kv.truth(&key_of(0), world.now_ms()).is_none() {
            stage.pass(5_000);
            world.kv.look(&world, 1, &key_of(0), 60);
        }
        assert!(world.now_ms() > world.office.purges.borrow()[0].recorded_ms + bound_ms(&world));
        let told = visited(&mut stage, Plan::plain(1, 0));
        let is_told = told.borrow().header("cache-status").contains("collapsed");
        assert!(is_told, "{}", world.journal());
        is_right(&stage);
    }
}

#[test]
fn a_failure_that_began_before_a_purge_is_not_remembered_as_if_it_came_after() {
    let climate = Climate { order_ms: 7_000, ..Climate::CALM };
    let mut in_time = 0;
    for seed in 0..40 {
        let mut stage = stage(Setup { has_backup: true, centres: 1, climate, ..calm(seed) });
        stage.world.studio.set_state(0, State::Missing, stage.world.now_ms());
        // Who has looked for the mirror in vain knows no better for half a minute.
        stage.visit(Plan::plain(0, 1));
        stage.pass(29_500);
        let first = stage.visit(Plan::plain(0, 0));
        stage.pass_until(|world| world.studio.orders.get() == 2);
        // Its first source has said no, or is about to, when there is something there and the old is purged.
        record(&stage, Mode::Hard, path());
        stage.pass(1_000);
        stage.visit(Plan::plain(0, 1));
        stage.pass(200);
        let has_heard = stage.world.heard.borrow().get(&0) == Some(&1);
        if !has_heard || stage.world.studio.orders.get() > 2 {
            continue;
        }
        in_time += 1;
        stage.settle();
        assert_eq!(first.borrow().status, 404);
        let kept = stage.world.kv.truth(&key_of(0), stage.world.now_ms());
        assert!(kept.is_none(), "{}", stage.world.journal());
    }
    assert!(in_time > 5, "only {in_time}");
}

#[test]
fn what_a_host_was_purged_of_is_not_brought_back_by_way_of_another() {
    let mut stage = stage(calm(7));
    visited(&mut stage, Plan { host: OTHER_HOST, ..Plan::plain(0, 0) });
    visited(&mut stage, Plan::plain(0, 0));
    stage.world.studio.change(0);
    stage.pass(1_000);
    record(&stage, Mode::Hard, Target::Host(HOST.to_owned()));
    stage.pass(bound_ms(&stage.world) + 5_000);
    // What is in KV has just been lost, so that whoever comes first on the other host makes it.
    let world = Rc::clone(&stage.world);
    world.kv.lose(&world, &key_of(0));
    world.shelves.iter().for_each(super::edge::Shelf::clear);
    visited(&mut stage, Plan { host: OTHER_HOST, ..Plan::plain(0, 0) });
    visited(&mut stage, Plan::plain(0, 0));
    is_right(&stage);
}

#[test]
fn an_entry_of_a_release_that_knew_no_purges_is_as_old_as_the_first() {
    let mut stage = stage(Setup { has_edge: false, ..calm(8) });
    visited(&mut stage, Plan::plain(0, 0));
    let at_rest = stage.world.kv.truth(&key_of(0), stage.world.now_ms()).unwrap();
    let metadata = Metadata::decode(&at_rest.metadata).unwrap();
    assert!(metadata.heard == 0 && !at_rest.metadata.contains("\"h\""), "{}", at_rest.metadata);
    record(&stage, Mode::Hard, path());
    stage.pass(bound_ms(&stage.world) + 5_000);
    visited(&mut stage, Plan::plain(0, 0));
    orders(&stage, 2);
    is_right(&stage);
}

#[test]
fn a_clock_that_is_wrong_by_an_hour_brings_nothing_back() {
    for skew_ms in [-3_600_000, 3_600_000] {
        let purging = Some(Purging { skew_ms: 3_600_000, ..PURGING });
        let mut stage = stage(Setup { purging, lifetime_s: 36_000, ..calm(9) });
        stage.turn_clock(0, 0, skew_ms);
        visited(&mut stage, Plan::plain(0, 0));
        record(&stage, Mode::Hard, path());
        let bound_ms = bound_ms(&stage.world) - stage.world.judge.skew_ms.get();
        stage.pass(bound_ms + 5_000);
        for (dc, isolate) in [(1, 0), (0, 1), (0, 0)] {
            visited(&mut stage, Plan { isolate, ..Plan::plain(dc, 0) });
        }
        orders(&stage, 2);
        is_right(&stage);
    }
}
