#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, clippy::indexing_slicing)]
use std::collections::BTreeSet;

use proptest::prelude::*;

use super::fake::{Breaks, End, FakeLedger, FakeLog, NOW_MS, Order, purge, run_on};
use super::*;
use crate::purge::ports::ApiAnswer;

const MINUTE_MS: u64 = 60_000;

/// What happens, one after another.
#[derive(Debug, Clone)]
enum Step {
    /// Somebody purges; the log shows it so many milliseconds later.
    Purge { late_ms: u64 },
    /// Time passes.
    Pass { ms: u64 },
    /// A run, whose log and ledger may fail; it has pages enough for all that there is.
    Run { fails_on_page: Option<usize>, breaks: Breaks, page: usize, order: Order, repeats: bool },
}

fn steps() -> impl Strategy<Value = Step> {
    let order = prop_oneof![Just(Order::Ascending), Just(Order::Descending), Just(Order::Shuffled)];
    let breaks =
        prop_oneof![8 => Just(Breaks::Never), 1 => Just(Breaks::Before), 1 => Just(Breaks::After)];
    let run =
        (proptest::option::weighted(0.3, 0..3_usize), breaks, 6..12_usize, order, any::<bool>());
    prop_oneof![
        4 => (0..AUDIT_AGAIN_MS).prop_map(|late_ms| Step::Purge { late_ms }),
        2 => Just(Step::Purge { late_ms: 0 }),
        4 => (0..10 * MINUTE_MS).prop_map(|ms| Step::Pass { ms }),
        1 => (0..7 * 24 * 60 * MINUTE_MS).prop_map(|ms| Step::Pass { ms }),
        6 => run.prop_map(|(fails_on_page, breaks, page, order, repeats)| Step::Run {
            fails_on_page, breaks, page, order, repeats,
        }),
    ]
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(200))]

    /// However late records come, whatever fails, and however long nobody looks: every purge is taken once.
    #[test]
    fn every_purge_is_taken_exactly_once(steps in proptest::collection::vec(steps(), 1..60), end in 0..3_usize) {
        let mut log = FakeLog { end: [End::Missing, End::Empty, End::Never][end], ..FakeLog::default() };
        let ledger = FakeLedger::default();
        run_on(&log, &ledger);
        let (mut made, mut now_ms) = (Vec::new(), NOW_MS);
        let mut out_of_sight_ms = now_ms;
        for step in steps {
            match step {
                Step::Purge { late_ms } => {
                    let id = format!("p{:03}", made.len());
                    log.add(purge(&id, now_ms), now_ms + late_ms);
                    out_of_sight_ms = out_of_sight_ms.max(now_ms + late_ms);
                    made.push(id);
                }
                Step::Pass { ms } => now_ms += ms,
                Step::Run { fails_on_page, breaks, page, order, repeats } => {
                    log.now_ms.set(now_ms);
                    (log.page, log.order) = (page, order);
                    log.repeats = repeats && log.end != End::Never;
                    *log.instead.borrow_mut() = fails_on_page.into_iter().flat_map(|page| {
                        let failed = ApiAnswer { status: 500, retry_after_s: None, body: String::new() };
                        (0..page).map(|_| None).chain([Some(Ok(failed))])
                    }).collect();
                    ledger.breaks.set(breaks);
                    run_on(&log, &ledger);
                    let taken = ledger.ids();
                    let once: BTreeSet<&String> = taken.iter().collect();
                    prop_assert_eq!(once.len(), taken.len(), "twice: {:?}", taken);
                }
            }
        }
        // In the end all is well, and nobody purges any more.
        log.instead.borrow_mut().clear();
        ledger.breaks.set(Breaks::Never);
        (log.page, log.order, log.repeats) = (100, Order::Ascending, false);
        for _ in 0..3 {
            log.now_ms.set(now_ms.max(out_of_sight_ms));
            prop_assert_eq!(run_on(&log, &ledger).fault, None);
        }
        let mut taken = ledger.ids();
        taken.sort();
        prop_assert_eq!(taken, made);
    }
}
