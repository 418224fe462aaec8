//! Random histories, many of them. `HISTORY=<seed>` runs one again, `EVENTS=<n>` only its beginning,
//! `HISTORIES=<n>` another number of them.

use super::history::check;

const HISTORIES: u64 = 2_000;

fn number(name: &str) -> Option<u64> {
    std::env::var(name).ok().and_then(|text| text.parse().ok())
}

#[test]
fn in_every_history_a_viewer_gets_what_was_made_and_nothing_else() {
    if let Some(seed) = number("HISTORY") {
        return check(seed, number("EVENTS").map(|count| usize::try_from(count).unwrap()));
    }
    let histories = number("HISTORIES").unwrap_or(HISTORIES);
    let threads = std::thread::available_parallelism().map_or(1, |cores| cores.get() as u64);
    std::thread::scope(|scope| {
        for first in 0..threads {
            let step = usize::try_from(threads).unwrap();
            scope.spawn(move || {
                (first..histories).step_by(step).for_each(|seed| check(seed, None));
            });
        }
    });
}
