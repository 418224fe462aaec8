//! Random histories, many of them. `HISTORY=<seed>` runs one again, `EVENTS=<n>` only its beginning,
//! `HISTORIES=<n>` another number of them.

use std::num::NonZero;

use super::history::{Sights, check};

const HISTORIES: u64 = 2_000;
/// What must be seen in so many.
const SIGHTS: [&str; 19] = [
    "200",
    "206",
    "304",
    "404",
    "416",
    "502",
    "504",
    "multipart",
    "edge; hit",
    "kv; hit",
    "ttl=-",
    "fwd=stale",
    "collapsed",
    "original",
    "Whole",
    "Broken",
    "Left",
    "Open",
    "killed",
];

fn number(name: &str) -> Option<u64> {
    std::env::var(name).ok().and_then(|text| text.parse().ok())
}

#[test]
fn in_every_history_a_viewer_gets_what_was_made_and_nothing_else() {
    if let Some(seed) = number("HISTORY") {
        check(seed, number("EVENTS").map(|count| usize::try_from(count).unwrap()));
        return;
    }
    let histories = number("HISTORIES").unwrap_or(HISTORIES);
    let threads = std::thread::available_parallelism().map_or(1, NonZero::get);
    let mut sights = Sights::new();
    std::thread::scope(|scope| {
        let run = |first| (first..histories).step_by(threads).flat_map(|seed| check(seed, None));
        let runs: Vec<_> =
            (0..).take(threads).map(|first| scope.spawn(move || run(first).collect())).collect();
        sights.extend(runs.into_iter().flat_map(|run| -> Sights { run.join().unwrap() }));
    });
    // Or the worlds are too small to prove anything.
    let missed = SIGHTS.into_iter().filter(|sight| !sights.contains(*sight)).collect::<Vec<_>>();
    assert!(histories < HISTORIES || missed.is_empty(), "never seen: {missed:?}");
}
