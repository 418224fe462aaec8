//! The sweep deletes what was purged, nothing else, and comes round to all of it however often it is stopped.

use std::cell::RefCell;

use video_resizer::cache::ports::KvStore;
use video_resizer::cache::storage::scrub;
use video_resizer::limits::SWEEP_OPERATIONS_MAX;
use video_resizer::purge::ledger::{Ledger, Mode};
use video_resizer::purge::question::Round;
use video_resizer::purge::sweep::{Report, sweep};
use video_resizer::purge::target::Target;
use video_resizer::upkeep;

use super::{KEY, VIDEO};
use crate::fakes::run::run;
use crate::fakes::viewer::House;
use crate::fakes::weather::{Mishap, Script, Weather};
use crate::fakes::world::Operation;

fn path(name: &str) -> Target {
    Target::Path(format!("clips/{name}.mp4"))
}

/// A house whose isolate has heard of this purge, after it made six videos.
fn purged(targets: &[Target], mode: Mode) -> House {
    let house = House::plain();
    for name in ["a", "b", "c", "d", "e", "f"] {
        house.get(&format!("/clips/{name}.mp4?width=640&height=360"));
    }
    house.host.ledger.borrow_mut().record(mode, targets);
    house
}

fn swept(house: &House, ledger: &Ledger, round: &Round, operations_max: u64) -> Report {
    run(sweep(&house.host.kv, &house.config.cache, ledger, round, operations_max))
}

const ROUND: Round = Round { number: 1, cursor: None, deleted: 0 };

/// The names of the videos that KV has.
fn left(house: &House) -> String {
    let keys = house.kv_keys();
    let names = keys.iter().filter_map(|key| key.strip_prefix("video:clips/"));
    names.map(|rest| rest.split('.').next().unwrap()).collect()
}

#[test]
fn what_was_purged_hard_is_deleted_and_nothing_else() {
    let house = purged(&[path("b"), Target::Tag("asset:clips/e.mp4".into())], Mode::Hard);
    let ledger = house.host.ledger.borrow().clone();
    let report = swept(&house, &ledger, &ROUND, SWEEP_OPERATIONS_MAX);
    assert_eq!(report, Report { cursor: None, deleted: 2, is_complete: true, fault: None });
    assert_eq!(left(&house), "acdf");
    let softly = purged(&[Target::Everything], Mode::Soft);
    let ledger = softly.host.ledger.borrow().clone();
    assert_eq!(swept(&softly, &ledger, &ROUND, SWEEP_OPERATIONS_MAX).deleted, 0);
}

#[test]
fn a_run_does_no_more_than_it_may_and_the_next_goes_on() {
    let house = purged(&[Target::Everything], Mode::Hard);
    let ledger = house.host.ledger.borrow().clone();
    let (mut round, mut runs) = (ROUND, 0);
    loop {
        runs += 1;
        house.host.world.take_journal();
        let report = swept(&house, &ledger, &round, 1);
        let operations = house.host.world.take_journal().len();
        assert!(operations <= 1 + 2 * 2, "one page of this KV: {operations}");
        (round.cursor, round.deleted) = (report.cursor, round.deleted + report.deleted);
        if report.is_complete {
            break;
        }
    }
    assert_eq!((runs, round.deleted, left(&house).as_str()), (3, 6, ""));
}

#[test]
fn what_has_been_made_anew_since_it_was_listed_stays() {
    #[derive(Debug)]
    struct MadeAnew(RefCell<Option<Made>>);
    struct Made(Box<dyn FnOnce()>);
    impl std::fmt::Debug for Made {
        fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
            formatter.write_str("Made")
        }
    }
    impl Weather for MadeAnew {
        fn next(&self, operation: &Operation, _: &[Mishap]) -> Mishap {
            let due = if operation.kind() == "kv-find" { self.0.take() } else { None };
            if let Some(Made(make)) = due {
                make();
            }
            Mishap::None
        }
    }
    let house = purged(&[path("a")], Mode::Hard);
    let ledger = house.host.ledger.borrow().clone();
    let other = house.in_another_data_centre();
    *other.host.ledger.borrow_mut() = ledger.clone();
    let make = Made(Box::new(move || drop(other.get(VIDEO))));
    house.host.world.set_weather(MadeAnew(RefCell::new(Some(make))));
    let report = swept(&house, &ledger, &ROUND, SWEEP_OPERATIONS_MAX);
    assert_eq!((report.deleted, report.is_complete), (0, true));
    assert_eq!(house.in_kv(KEY).heard, 1);
}

#[test]
fn whatever_operation_fails_the_round_ends_with_everything_purged_deleted() {
    #[derive(Debug)]
    struct Nth(RefCell<usize>, Mishap);
    impl Weather for Nth {
        fn next(&self, _: &Operation, possible: &[Mishap]) -> Mishap {
            let left = *self.0.borrow();
            *self.0.borrow_mut() = left.wrapping_sub(1);
            if left == 0 && possible.contains(&self.1) { self.1 } else { Mishap::None }
        }
    }
    for nth in 0..15 {
        for mishap in [Mishap::Refused, Mishap::TimedOut, Mishap::LostAck] {
            let house = purged(&[path("b"), path("c"), path("f")], Mode::Hard);
            let ledger = house.host.ledger.borrow().clone();
            house.host.world.set_weather(Nth(RefCell::new(nth), mishap));
            let mut round = ROUND;
            let mut runs = 0;
            loop {
                runs += 1;
                assert!(runs < 5, "{nth} {mishap:?}");
                let report = swept(&house, &ledger, &round, SWEEP_OPERATIONS_MAX);
                assert_eq!(report.fault.is_none(), report.is_complete, "{nth} {mishap:?}");
                round.cursor = report.cursor;
                if report.is_complete {
                    break;
                }
            }
            assert_eq!(left(&house), "ade", "{nth} {mishap:?}");
        }
    }
}

#[test]
fn a_list_that_fails_may_do_so_for_its_cursor_and_begins_anew_and_a_deletion_begins_its_page_again()
{
    let house = purged(&[path("e"), path("f")], Mode::Hard);
    let ledger = house.host.ledger.borrow().clone();
    let refusing = |kind| Script::new(&[(kind, Mishap::Refused)]);
    let all = run(house.host.kv.list("video:", None, 2, 1)).unwrap();
    let later = Round { cursor: all.cursor, ..ROUND };
    for (kind, keeps) in [("kv-list", false), ("kv-find", true), ("kv-remove", true)] {
        house.host.world.set_weather(refusing(kind));
        let report = swept(&house, &ledger, &later, SWEEP_OPERATIONS_MAX);
        assert!(report.fault.is_some() && !report.is_complete, "{kind}");
        assert_eq!(report.cursor.is_some(), keeps, "{kind}");
    }
}

#[test]
fn who_has_begun_to_read_a_body_in_chunks_reads_on_for_the_scrub_takes_them_later() {
    let house = House::of_tiny_chunks(&serde_json::json!({}));
    house.get(VIDEO);
    let chunks = house.kv_keys().iter().filter(|key| key.starts_with("chunk:")).count();
    assert!(chunks > 1);
    house.host.ledger.borrow_mut().record(Mode::Hard, &[Target::Everything]);
    let ledger = house.host.ledger.borrow().clone();
    assert_eq!(swept(&house, &ledger, &ROUND, SWEEP_OPERATIONS_MAX).deleted, 1);
    assert_eq!(house.kv_keys().len(), chunks);
    house.pass_s(3_600);
    let report = run(scrub::scrub(&house.host.kv, &house.config.cache, house.host.world.now_ms()));
    assert_eq!(report.orphans, chunks as u64);
}

#[test]
fn the_clock_sweeps_what_the_ledger_tells_and_tells_it_what_came_of_it() {
    use video_resizer::admin::ports::{AdminHost, ask_ledger};
    use video_resizer::purge::order::Order;
    use video_resizer::purge::question::{Answer, Question};
    let house = House::plain();
    house.get(VIDEO);
    let mut order = Order::of(Mode::Hard, String::new(), String::new());
    order.aim_at_everything();
    let recorded = run(ask_ledger(&house.host, &Question::Record(order))).unwrap();
    let Answer::Recorded { ledger, .. } = recorded else { panic!() };
    house.host.hear_ledger(&ledger);
    run(upkeep::run(&house.host, &house.config));
    assert_eq!(left(&house), "");
    let Ok(Answer::Receipt(Some(receipt))) =
        run(ask_ledger(&house.host, &Question::Receipt { number: 1 }))
    else {
        panic!()
    };
    assert_eq!(receipt.swept.unwrap().deleted, 1);
    house.host.world.take_journal();
    run(upkeep::run(&house.host, &house.config));
    let lists = house.host.world.take_journal();
    let lists =
        lists.iter().filter(|it| matches!(it, Operation::KvList { prefix } if prefix == "video:"));
    assert_eq!(lists.count(), 1, "the scrub's own: there is nothing more to sweep");
}
