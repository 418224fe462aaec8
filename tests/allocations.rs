//! Goal: what a request allocates is known, and grows by nobody's oversight.
//! Method: the parts of `bench/native` are done once more after they have been done once, every allocation is counted,
//! and a bound that is passed fails. `npm run bench:pure` shows them all, with what else they cost.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, clippy::indexing_slicing)]

use allocation_counter::measure;

#[path = "../bench/native/src/lib.rs"]
#[allow(unreachable_pub)] // they are a crate of their own in bench/native/
mod parts;

/// What a request is before any tier is asked: its path and query read, what it asks made canonical, its names.
const DECIDE_MAX: u64 = 8;
/// The same without a size, where the viewer's hints choose it.
const DECIDE_BY_HINTS_MAX: u64 = 8;
/// The whole of a hit at the edge, from the request to the headers of its answer, the platform's own excepted.
const EDGE_HIT_MAX: u64 = 50;
/// The same without a size, where the viewer's hints choose it.
const EDGE_HIT_BY_HINTS_MAX: u64 = 54;
/// The same for a range.
const EDGE_HIT_RANGE_MAX: u64 = 56;
/// The same for a viewer who has it.
const EDGE_HIT_304_MAX: u64 = 50;
/// The whole of a hit in KV, which is copied to the edge.
const KV_HIT_MAX: u64 = 75;

const BOUNDS: [(&str, u64); 7] = [
    ("decide", DECIDE_MAX),
    ("decide, by hints", DECIDE_BY_HINTS_MAX),
    ("edge hit", EDGE_HIT_MAX),
    ("edge hit, by hints", EDGE_HIT_BY_HINTS_MAX),
    ("edge hit, range", EDGE_HIT_RANGE_MAX),
    ("edge hit, 304", EDGE_HIT_304_MAX),
    ("kv hit", KV_HIT_MAX),
];

/// Allocations of a part after its first time, growing included.
fn allocations(part: &parts::Part) -> u64 {
    let mut once = (part.prepare)();
    once();
    measure(once).count_total
}

#[test]
fn no_part_of_a_hit_allocates_more_than_its_bound() {
    let over: Vec<String> = BOUNDS
        .iter()
        .map(|(name, max)| {
            let part = parts::ALL.iter().find(|part| part.name == *name).expect(name);
            (part, allocations(part), max)
        })
        .filter(|(_, count, max)| count > max)
        .map(|(part, count, max)| {
            format!("{part} allocates {count} times, at most {max} is allowed")
        })
        .collect();
    assert_eq!(over, [""; 0]);
}

#[test]
fn every_part_is_done_as_often_as_asked_and_allocates_the_same_each_time() {
    for part in &parts::ALL {
        assert_eq!(allocations(part), allocations(part), "{part}");
    }
}
