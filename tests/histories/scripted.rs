//! Histories told in full, each for one thing it proves.

use std::rc::Rc;

use video_resizer::cache::entry::Metadata;
use video_resizer::cache::gate::{Question, Verdict};
use video_resizer::limits::{LEASE_AGE_MS_MAX, LEASE_MS};

use super::kv::Value;
use super::stage::{Setup, Stage};
use super::upstream::State;
use super::visit::{Ended, Leaves, Part, Plan};
use super::weather::Climate;
use super::world::World;

const KEY: &str = "video:clips/a.mp4:w=640:f=mp4";
/// Bodies that lie in one value, and in eight chunks.
const LENGTHS: [usize; 2] = [25, 60];

fn stage(setup: Setup, length: usize) -> Stage {
    let stage = Stage::new(Setup { is_told: true, ..setup });
    stage.world.studio.length.set(length);
    stage
}

/// Whether anybody leads at the gate.
fn is_led(world: &World) -> bool {
    !world.gates.borrow().is_empty()
}

fn at_rest(world: &World) -> Option<Value> {
    world.kv.truth(KEY, world.now_ms())
}

fn generation(value: Option<Value>) -> Option<String> {
    value.map(|value| Metadata::decode(&value.metadata).unwrap().generation)
}

fn chunks(world: &World) -> usize {
    let all = world.kv.all(world.now_ms());
    all.iter().filter(|(key, _)| key.starts_with("chunk:")).count()
}

/// Somebody else takes the lead at the gate, as if its holder had not been heard of for too long.
fn take_over(world: &World) -> u64 {
    let mut gates = world.gates.borrow_mut();
    let later_ms = world.now_ms() + LEASE_MS;
    let enter = Question::Enter { unusable: None };
    let verdict = gates.get_mut(KEY).unwrap().answer(&enter, later_ms, later_ms);
    let Some(Verdict::Lead { token }) = verdict else { panic!("{verdict:?}") };
    token
}

#[track_caller]
fn is_right(stage: &Stage) {
    let violation = stage.world.judge.violation();
    assert_eq!(violation, None, "{}", stage.world.journal());
}

#[track_caller]
fn orders(stage: &Stage, count: u32) {
    assert_eq!(stage.world.studio.orders.get(), count, "{}", stage.world.journal());
}

#[test]
fn when_the_leader_is_killed_in_the_middle_of_its_fill_a_follower_takes_over() {
    for length in LENGTHS {
        let mut stage = stage(Setup::calm(1), length);
        let leader = stage.visit(Plan::plain(0, 0));
        stage.pass_until(is_led);
        let follower = stage.visit(Plan { isolate: 1, ..Plan::plain(0, 0) });
        stage.pass_until(|world| !world.studio.made.borrow().is_empty());
        stage.pass(150);
        stage.kill(0, 0);
        stage.settle();
        assert!(leader.borrow().is_killed);
        let follower = follower.borrow();
        assert_eq!((follower.status, follower.ended), (200, Ended::Whole));
        let waited_ms = follower.answered_ms.unwrap() - follower.asked_ms;
        assert!(waited_ms >= LEASE_MS - 1_000, "it did not wait: {waited_ms} ms");
        orders(&stage, 2);
        is_right(&stage);
    }
}

#[test]
fn a_follower_elsewhere_who_has_already_looked_in_vain_finds_what_was_made() {
    for length in LENGTHS {
        for has_edge in [true, false] {
            let mut stage = stage(Setup { has_edge, ..Setup::calm(2) }, length);
            let leader = stage.visit(Plan::plain(0, 0));
            stage.pass_until(is_led);
            let follower = stage.visit(Plan::plain(1, 0));
            stage.settle();
            let (leader, follower) = (leader.borrow(), follower.borrow());
            assert_eq!((follower.status, follower.ended), (200, Ended::Whole));
            assert_eq!(leader.header("etag"), follower.header("etag"));
            assert!(follower.header("cache-status").contains("collapsed"), "{follower:#?}");
            orders(&stage, 1);
            is_right(&stage);
        }
    }
}

#[test]
fn a_viewer_who_leaves_in_the_middle_leaves_a_whole_rendition_behind() {
    for length in LENGTHS {
        let mut stage = stage(Setup::calm(3), length);
        let first = stage.visit(Plan { leaves: Leaves::After(1), ..Plan::plain(0, 0) });
        stage.settle();
        assert_eq!(first.borrow().ended, Ended::Left);
        let next = stage.visit(Plan::plain(1, 0));
        stage.settle();
        assert_eq!((next.borrow().status, next.borrow().ended), (200, Ended::Whole));
        orders(&stage, 1);
        is_right(&stage);
    }
}

#[test]
fn a_leader_whose_viewer_leaves_before_the_answer_fills_for_those_who_wait() {
    for length in LENGTHS {
        let mut stage = stage(Setup::calm(4), length);
        // At the gate it leads; the order takes longer than this.
        stage.visit(Plan { leaves: Leaves::BeforeAnswer(400), ..Plan::plain(0, 0) });
        stage.pass_until(is_led);
        stage.pass(60);
        let follower = stage.visit(Plan::plain(1, 0));
        stage.settle();
        let follower = follower.borrow();
        assert_eq!((follower.status, follower.ended), (200, Ended::Whole));
        assert_eq!(stage.seen[0].borrow().ended, Ended::Left);
        orders(&stage, 1);
        is_right(&stage);
    }
}

#[test]
fn two_fills_of_one_variant_without_a_gate_never_mix() {
    for seed in 0..60 {
        for length in LENGTHS {
            let mut stage =
                stage(Setup { has_gate: false, centres: 3, ..Setup::calm(seed) }, length);
            stage.visit(Plan::plain(0, 0));
            stage.visit(Plan::plain(1, 0));
            // Somebody reads all the while; whatever is found is of one of them, or made a third time.
            for _ in 0..8 {
                stage.pass(400);
                stage.visit(Plan::plain(2, 0));
            }
            stage.settle();
            assert!(stage.world.studio.orders.get() >= 2);
            for seen in &stage.seen {
                assert_eq!(seen.borrow().ended, Ended::Whole, "{}", stage.world.journal());
            }
            is_right(&stage);
        }
    }
}

#[test]
fn two_data_centres_that_renew_at_once_ask_the_source_once_and_order_nothing() {
    for length in LENGTHS {
        let mut stage = stage(Setup::calm(5), length);
        stage.visit(Plan::plain(0, 0));
        stage.pass(104_000);
        let before = at_rest(&stage.world).unwrap();
        let late = [stage.visit(Plan::plain(0, 0)), stage.visit(Plan::plain(1, 0))];
        stage.settle();
        for seen in late {
            assert_eq!((seen.borrow().status, seen.borrow().ended), (200, Ended::Whole));
        }
        orders(&stage, 1);
        assert_eq!(stage.world.studio.vouched.borrow().len(), 1, "{}", stage.world.journal());
        let after = at_rest(&stage.world);
        assert_eq!(generation(after.clone()), generation(Some(before.clone())));
        assert!(after.unwrap().until_ms > before.until_ms);
        is_right(&stage);
    }
}

#[test]
fn who_has_lost_the_lease_publishes_nothing_and_takes_back_its_chunks() {
    for length in LENGTHS {
        let mut stage = stage(Setup::calm(6), length);
        let leader = stage.visit(Plan::plain(0, 0));
        stage.pass_until(|world| !world.studio.made.borrow().is_empty());
        take_over(&stage.world);
        stage.settle();
        assert_eq!(leader.borrow().ended, Ended::Whole, "its viewer is none the wiser");
        assert!(at_rest(&stage.world).is_none(), "{}", stage.world.journal());
        assert_eq!(chunks(&stage.world), 0);
        is_right(&stage);
    }
}

#[test]
fn a_renewal_that_has_lost_the_lease_does_not_stand_before_what_is_newer() {
    for length in LENGTHS {
        let mut stage = stage(Setup::calm(7), length);
        stage.visit(Plan::plain(0, 0));
        stage.pass(104_000);
        let before = at_rest(&stage.world).unwrap();
        stage.visit(Plan::plain(0, 0));
        stage.pass_until(|world| !world.studio.vouched.borrow().is_empty());
        take_over(&stage.world);
        stage.settle();
        let after = at_rest(&stage.world).unwrap();
        assert_eq!(after.until_ms, before.until_ms, "{}", stage.world.journal());
        is_right(&stage);
    }
}

#[test]
fn who_finds_an_old_version_broken_does_not_take_away_the_new_one() {
    let mut stage = stage(
        Setup {
            has_edge: false,
            centres: 1,
            climate: Climate { order_ms: 100, ..Climate::CALM },
            ..Setup::calm(8)
        },
        60,
    );
    stage.visit(Plan::plain(0, 0));
    stage.settle();
    let world = Rc::clone(&stage.world);
    let old = at_rest(&world);
    // Its last but one chunk is lost, and somebody begins to read.
    let lost = world.kv.all(world.now_ms()).into_iter().find(|(key, _)| key.ends_with(":006"));
    world.kv.lose(&world, &lost.unwrap().0);
    let reader = stage.visit(Plan { pace_ms: 3_000, ..Plan::plain(0, 0) });
    stage.pass_until(|_| !reader.borrow().bytes.is_empty());
    // Before the end is found to be broken, there is another version.
    world.kv.lose(&world, KEY);
    world.gates.borrow_mut().clear();
    stage.visit(Plan::plain(0, 0));
    stage.pass_until(|world| {
        let now = generation(at_rest(world));
        now.is_some() && now != generation(old.clone())
    });
    let new = generation(at_rest(&world));
    assert_eq!(reader.borrow().ended, Ended::Open, "{}", world.journal());
    stage.settle();
    assert_eq!(reader.borrow().ended, Ended::Broken, "{}", world.journal());
    assert_eq!(generation(at_rest(&world)), new, "{}", world.journal());
    is_right(&stage);
}

#[test]
fn what_turns_out_to_be_broken_is_gone_for_everybody_and_made_anew() {
    let mut stage = stage(Setup { has_edge: false, ..Setup::calm(11) }, 60);
    stage.visit(Plan::plain(0, 0));
    stage.settle();
    let world = Rc::clone(&stage.world);
    let lost = world.kv.all(world.now_ms()).into_iter().find(|(key, _)| key.ends_with(":002"));
    world.kv.lose(&world, &lost.unwrap().0);
    let broken = stage.visit(Plan::plain(0, 0));
    stage.settle();
    assert_eq!((broken.borrow().ended, broken.borrow().bytes.len()), (Ended::Broken, 16));
    assert!(at_rest(&world).is_none(), "{}", world.journal());
    // The gate has forgotten it as well.
    let next = stage.visit(Plan::plain(0, 0));
    stage.settle();
    assert_eq!((next.borrow().status, next.borrow().ended), (200, Ended::Whole));
    orders(&stage, 2);
    is_right(&stage);
}

#[test]
fn what_is_shorter_at_the_edge_than_it_was_is_as_good_as_absent() {
    for part in [Part::All, Part::Span(3, 9), Part::Last(4)] {
        let mut stage = stage(Setup { centres: 1, ..Setup::calm(12) }, 25);
        stage.visit(Plan::plain(0, 0));
        stage.settle();
        stage.world.shelves[0].shorten();
        let next = stage.visit(Plan { part, ..Plan::plain(0, 0) });
        stage.settle();
        assert_eq!(next.borrow().ended, Ended::Whole, "{}", stage.world.journal());
        orders(&stage, 1);
        is_right(&stage);
    }
}

#[test]
fn stores_and_gates_that_never_answer_cost_a_viewer_their_budgets_and_no_more() {
    let climate = Climate { kv: 100, edge: 100, gate: 100, hangs: true, ..Climate::CALM };
    let mut stage = stage(Setup { climate, ..Setup::calm(13) }, 60);
    let first = stage.visit(Plan::plain(0, 0));
    stage.settle();
    let first = first.borrow();
    assert_eq!((first.status, first.ended), (200, Ended::Whole));
    let budgets_ms = 300 + 600 + 500;
    let order_ms = 2_000 + 1_000;
    let waited_ms = first.answered_ms.unwrap() - first.asked_ms;
    assert!(waited_ms <= budgets_ms + order_ms, "{waited_ms} ms\n{}", stage.world.journal());
    is_right(&stage);
}

#[test]
fn a_chunk_that_never_comes_is_asked_for_twice_and_then_the_body_is_made_anew() {
    let mut stage = stage(Setup { has_edge: false, ..Setup::calm(14) }, 60);
    stage.visit(Plan::plain(0, 0));
    stage.settle();
    let reader = stage.visit(Plan { part: Part::Span(20, 22), ..Plan::plain(0, 0) });
    // The entry is on its way; whatever is asked for from now on is not.
    stage.pass(0);
    stage.world.set_climate(Climate { kv: 100, gate: 100, hangs: true, ..Climate::CALM });
    stage.settle();
    let reader = reader.borrow();
    assert_eq!((reader.status, reader.ended), (206, Ended::Whole));
    let waited_ms = reader.answered_ms.unwrap() - reader.asked_ms;
    assert!(waited_ms <= 200 + 2 * 600 + 500 + 3_000, "{waited_ms} ms\n{}", stage.world.journal());
    orders(&stage, 2);
    is_right(&stage);
}

#[test]
fn a_part_of_a_large_body_reads_no_chunk_it_does_not_touch() {
    let mut stage = stage(Setup { has_edge: false, ..Setup::calm(9) }, 60);
    stage.visit(Plan::plain(0, 0));
    stage.settle();
    let before = stage.world.journal().len();
    let part = stage.visit(Plan { part: Part::Span(20, 27), ..Plan::plain(0, 0) });
    stage.settle();
    assert_eq!((part.borrow().status, part.borrow().bytes.len()), (206, 8));
    let journal = stage.world.journal()[before..].to_owned();
    let read: Vec<_> = journal.lines().filter(|line| line.contains("found chunk:")).collect();
    assert_eq!(read.len(), 2, "{journal}");
    is_right(&stage);
}

#[test]
fn a_source_that_is_gone_takes_its_renditions_with_it_when_they_are_renewed() {
    let mut stage = stage(Setup { has_edge: false, ..Setup::calm(10) }, 60);
    stage.visit(Plan::plain(0, 0));
    stage.pass(104_000);
    stage.world.studio.set_state(0, State::Missing, stage.world.now_ms());
    let late = stage.visit(Plan::plain(0, 0));
    stage.pass(2_000);
    let gone = stage.visit(Plan::plain(0, 0));
    stage.settle();
    assert_eq!((late.borrow().status, gone.borrow().status), (200, 404));
    is_right(&stage);
}

#[test]
fn a_viewer_so_slow_that_the_lease_grows_too_old_leaves_a_whole_rendition_behind() {
    let setup = Setup { has_edge: false, lifetime_s: 3_600, ..Setup::calm(15) };
    let mut stage = stage(setup, 600);
    let slow = stage.visit(Plan { pace_ms: 60_000, ..Plan::plain(0, 0) });
    stage.settle();
    let slow = slow.borrow();
    assert!(stage.world.now_ms() - slow.asked_ms > LEASE_AGE_MS_MAX);
    assert!(at_rest(&stage.world).is_some(), "{}", stage.world.journal());
    let next = stage.visit(Plan::plain(1, 0));
    stage.settle();
    assert_eq!((next.borrow().status, next.borrow().ended), (200, Ended::Whole));
    assert_eq!(next.borrow().header("etag"), slow.header("etag"));
    orders(&stage, 1);
    is_right(&stage);
}
