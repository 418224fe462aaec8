//! Many who come at once, in fair weather: one of them makes it, and everybody gets it.

use video_resizer::cache::entry::Metadata;

use super::dice::Dice;
use super::history::part;
use super::stage::{Setup, Stage};
use super::upstream::State;
use super::visit::{Ended, Leaves, Plan};
use super::weather::Climate;

const CROWDS: u64 = 150;

/// A world in fair weather whose bodies lie in one value, or in chunks.
fn fair(seed: u64, dice: &Dice, order_ms: u64) -> Stage {
    let setup = Setup {
        centres: 1 + dice.index(3),
        has_edge: dice.chance(70),
        single_bytes_max: dice.pick(&[0, 40, 100]),
        chunk_bytes: dice.pick(&[7, 16]),
        climate: Climate { order_ms, ..Climate::CALM },
        is_told: true,
        ..Setup::calm(seed)
    };
    let stage = Stage::new(setup);
    stage.world.studio.length.set(20 + dice.index(50));
    stage.world.studio.announces.set(Some(dice.chance(50)));
    stage
}

/// So many viewers of one variant, all within `within_ms`; some ask for parts, some leave early.
fn crowd(stage: &mut Stage, dice: &Dice, viewers: u64, within_ms: u64) {
    for _ in 0..viewers {
        let dc = dice.index(stage.centres());
        let leaves =
            if dice.chance(20) { Leaves::After(1 + dice.index(10)) } else { Leaves::Never };
        let (isolate, pace_ms) = (dice.index(2), dice.pick(&[0, 0, 200]));
        let plan = Plan { isolate, pace_ms, leaves, part: part(dice), ..Plan::plain(dc, 0) };
        stage.visit(plan);
        stage.pass(dice.below(2 * within_ms / viewers + 1));
    }
}

/// Everybody who was not killed got all of what was asked, of one and the same version where one is said.
#[track_caller]
fn all_are_served(stage: &Stage, seed: u64, is_same: bool) {
    if let Some(violation) = stage.world.judge.violation() {
        panic!("crowd {seed}: {violation}\n{}", stage.world.journal());
    }
    let mut tags: Vec<String> = Vec::new();
    for answer in &stage.seen {
        let answer = answer.borrow();
        if answer.is_killed {
            continue;
        }
        let is_good = matches!(answer.status, 200 | 206 | 416) && answer.ended != Ended::Broken;
        assert!(is_good, "crowd {seed}: {answer:#?}\n{}", stage.world.journal());
        tags.extend(answer.headers.get("etag").map(|tag| tag.to_str().unwrap().to_owned()));
    }
    tags.sort();
    tags.dedup();
    assert!(!is_same || tags.len() == 1, "crowd {seed}: {tags:?}\n{}", stage.world.journal());
}

#[test]
fn however_many_come_at_once_in_however_many_data_centres_one_order_serves_them_all() {
    for seed in 0..CROWDS {
        let dice = Dice::new(seed);
        let mut stage = fair(seed, &dice, 5_000);
        let viewers = dice.between(2, 16);
        crowd(&mut stage, &dice, viewers, 900);
        stage.settle();
        all_are_served(&stage, seed, true);
        assert_eq!(stage.world.studio.orders.get(), 1, "crowd {seed}");
        stage.clean();
        all_are_served(&stage, seed, true);
    }
}

#[test]
fn a_filler_who_takes_longer_than_a_lease_lasts_unheard_is_still_the_only_one() {
    for seed in 0..20 {
        let dice = Dice::new(seed);
        let mut stage = fair(seed, &dice, 5_000);
        stage.world.studio.length.set(70);
        // Its viewer is slow, and so are the copies.
        stage.visit(Plan { pace_ms: 2_500, ..Plan::plain(0, 0) });
        for _ in 0..12 {
            stage.pass(1_000);
            stage.visit(Plan::plain(stage.centres() - 1, 0));
        }
        stage.settle();
        all_are_served(&stage, seed, true);
        assert_eq!(stage.world.studio.orders.get(), 1, "crowd {seed}");
    }
}

#[test]
fn when_the_first_filler_dies_one_more_order_serves_the_rest() {
    let mut second_orders = 0;
    for seed in 0..CROWDS {
        let dice = Dice::new(seed);
        let mut stage = fair(seed, &dice, 2_000);
        let viewers = dice.between(2, 12);
        crowd(&mut stage, &dice, viewers, 400);
        stage.pass(dice.below(2_500));
        let first = stage.seen[0].borrow().plan;
        stage.kill(first.dc, first.isolate);
        stage.settle();
        all_are_served(&stage, seed, false);
        let orders = stage.world.studio.orders.get();
        assert!(orders <= 2, "crowd {seed}: {orders} orders\n{}", stage.world.journal());
        second_orders += orders - 1;
    }
    assert!(second_orders > 20, "hardly anybody was killed in time: {second_orders}");
}

#[test]
fn what_has_expired_is_renewed_once_for_all_who_come_and_ordered_anew_only_where_the_source_changed()
 {
    for seed in 0..CROWDS {
        let dice = Dice::new(seed);
        let mut stage = fair(seed, &dice, 5_000);
        stage.visit(Plan::plain(0, 0));
        // Everybody has forgotten that there was nothing, and it has just expired.
        stage.pass(110_000);
        let changes = dice.chance(50);
        if changes {
            stage.world.studio.change(0);
        }
        let viewers = dice.between(2, 12);
        crowd(&mut stage, &dice, viewers, 300);
        stage.settle();
        all_are_served(&stage, seed, false);
        for seen in &stage.seen[1..] {
            let (seen, first) = (seen.borrow(), stage.seen[0].borrow());
            let waited_ms = seen.answered_ms.unwrap() - seen.asked_ms;
            assert!(waited_ms < 500, "crowd {seed}: waited {waited_ms} ms for what was there");
            assert!(seen.status == 416 || seen.header("etag") == first.header("etag"));
        }
        let orders = stage.world.studio.orders.get();
        let expected = if changes { 2 } else { 1 };
        assert_eq!(orders, expected, "crowd {seed}\n{}", stage.world.journal());
    }
}

#[test]
fn what_is_stale_is_better_than_an_error_and_nothing_is_better_than_what_is_too_old() {
    for seed in 0..40 {
        let dice = Dice::new(seed);
        let mut stage = fair(seed, &dice, 5_000);
        stage.visit(Plan::plain(0, 0));
        stage.pass(100_000);
        stage.world.studio.set_state(0, State::Fails, stage.world.now_ms());
        // Beyond what may be served while it is renewed, within what may be served on errors.
        stage.pass(70_000);
        let late = stage.visit(Plan::plain(0, 0));
        // KV may still have it when its time is over.
        let key = "video:clips/a.mp4:w=640:f=mp4";
        let value = stage.world.kv.truth(key, stage.world.now_ms()).unwrap();
        let metadata = Metadata::decode(&value.metadata).unwrap();
        stage.pass(metadata.kept_until_ms() + 1 - stage.world.now_ms());
        let dead = stage.visit(Plan::plain(0, 0));
        stage.settle();
        assert_eq!(stage.world.judge.violation(), None, "crowd {seed}");
        assert_eq!((late.borrow().status, late.borrow().ended), (200, Ended::Whole));
        assert_eq!(dead.borrow().status, 502);
    }
}

#[test]
fn a_failure_that_is_over_costs_the_crowd_that_comes_after_it_one_order() {
    for seed in 0..40 {
        let dice = Dice::new(seed);
        let mut stage = fair(seed, &dice, 3_000);
        stage.world.studio.set_state(0, State::Fails, stage.world.now_ms());
        let failed = stage.visit(Plan::plain(0, 0));
        stage.settle();
        assert_eq!((failed.borrow().status, stage.world.studio.orders.get()), (502, 1));
        // The gate still tells of it, and nobody remembers it.
        stage.world.studio.set_state(0, State::Holds, stage.world.now_ms());
        crowd(&mut stage, &dice, 8, 300);
        stage.settle();
        stage.seen.remove(0);
        all_are_served(&stage, seed, true);
        let orders = stage.world.studio.orders.get();
        assert_eq!(orders, 2, "crowd {seed}\n{}", stage.world.journal());
    }
}
