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
    for seed in 0..number("HISTORIES").unwrap_or(HISTORIES) {
        check(seed, None);
    }
}
