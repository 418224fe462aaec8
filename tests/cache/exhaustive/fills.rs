//! Every way the fill of a body in chunks can go wrong: whoever comes next gets all of it, or a miss.

use std::cell::RefCell;
use std::rc::Rc;

use serde_json::{Value, json};
use video_resizer::cache::entry::{Entry, Metadata};
use video_resizer::cache::owed::Owed;
use video_resizer::cache::ports::Fault;
use video_resizer::cache::status::Tier;
use video_resizer::cache::storage;
use video_resizer::front;

use crate::fakes::body::FakeBody;
use crate::fakes::run::{run, run_until_death};
use crate::fakes::upstream::{Making, Source};
use crate::fakes::viewer::{House, get};
use crate::fakes::weather::{Calm, Gen, Mishap, Script, Weather};
use crate::fakes::world::Operation;

const VIDEO: &str = "/clips/a.mp4?width=640&height=360";
const KEY: &str = "video:clips/a.mp4:w=640:h=360:f=mp4";
/// Bytes of the body, bytes of a chunk, and how many of them there are.
const BYTES: usize = 64;
const CHUNK: usize = 24;
const CHUNKS: usize = 3;

/// What went wrong with each operation, in order.
type Drawn = Rc<RefCell<Vec<(String, Mishap)>>>;

/// Draws what goes wrong with every write.
#[derive(Debug)]
struct Winds(Rc<Gen>, Drawn);

impl Weather for Winds {
    fn next(&self, operation: &Operation, possible: &[Mishap]) -> Mishap {
        let name = match operation {
            Operation::KvKeep { key } => format!("keep {key}"),
            Operation::KvRemove { key } => format!("remove {key}"),
            Operation::EdgeKeep { .. } => "edge".to_owned(),
            Operation::EdgeFind { .. }
            | Operation::EdgeRemove { .. }
            | Operation::KvFind { .. }
            | Operation::KvList { .. }
            | Operation::GateAsk { .. }
            | Operation::Limit { .. }
            | Operation::DocumentGet { .. }
            | Operation::DocumentPut { .. }
            | Operation::ObjectAsk { .. }
            | Operation::Fetch { .. }
            | Operation::Fork => return Mishap::None,
        };
        let mishap = self.0.pick(possible);
        self.1.borrow_mut().push((name, mishap));
        mishap
    }
}

fn house(more: &Value) -> House {
    let house = House::of_tiny_chunks(more);
    house.host.upstream.sources_are(|_| Source::Fails);
    house
}

fn without_edge() -> Value {
    json!({"cache": {"edge": false}})
}

/// Never more than two chunks were held, and the head; none of them any more.
fn memory_was_bounded(house: &House) {
    let bodies = house.host.world.bodies();
    assert!(bodies.pieces_max <= (2 * CHUNK + CHUNK) as u64, "{bodies:?}");
    assert_eq!(bodies.pieces, 0, "held for ever");
}

/// What a reader elsewhere finds while nothing can be made; `right` are the bytes there may be.
#[track_caller]
fn is_whole_or_a_miss(house: &House, right: &[&[u8]]) -> Option<usize> {
    house.host.world.set_weather(Calm);
    house.elsewhere();
    house.host.upstream.makes(Making::Status(503));
    let seen = house.get(VIDEO);
    assert!(seen.whole, "begun, and broken");
    let found = right.iter().position(|right| *right == seen.bytes);
    assert_eq!(seen.status, if found.is_some() { 200 } else { 503 });
    if found.is_none() {
        house.host.upstream.makes(Making::Good);
        house.elsewhere();
        let made = house.get(VIDEO);
        assert_eq!((made.status, made.bytes.len(), made.whole), (200, BYTES, true));
        house.elsewhere();
        assert_eq!(house.get(VIDEO).bytes, made.bytes, "nothing is in its way");
    }
    found
}

/// How one thing is written: once, or again where it failed; whether it happened, and whether that is known.
fn write(drawn: &mut &[(String, Mishap)], name: &str) -> (bool, bool) {
    let mut happened = false;
    for _ in 0..2 {
        let Some(((next, mishap), rest)) = drawn.split_first() else { panic!("{name} is missing") };
        assert_eq!(next, name);
        *drawn = rest;
        happened |= *mishap != Mishap::Refused;
        if *mishap == Mishap::None {
            return (happened, true);
        }
    }
    (happened, false)
}

/// Walks every path of one fill; gives back how many there are.
fn every_path_of(more: &Value, making: Making) -> usize {
    let generator = Rc::new(Gen::default());
    let mut paths = 0;
    while generator.turn() {
        paths += 1;
        let house = house(more);
        house.host.upstream.makes(making);
        let drawn: Drawn = Rc::default();
        house.host.world.set_weather(Winds(Rc::clone(&generator), Rc::clone(&drawn)));
        let seen = house.get(VIDEO);
        let right = house.host.upstream.last_made();
        assert!(seen.whole && seen.bytes == *right, "no write concerns a viewer");
        memory_was_bounded(&house);

        let drawn = drawn.borrow();
        let (edge, left): (Vec<_>, Vec<_>) =
            drawn.iter().cloned().partition(|(name, _)| name == "edge");
        let is_told = seen.faults.iter().any(|(tier, _)| *tier == Tier::Kv);
        let is_published = kv_is_as_drawn(&house, &left, is_told);
        let edge_fails = edge.iter().any(|(_, mishap)| *mishap != Mishap::None);
        let is_told = seen.faults.iter().any(|(tier, _)| *tier == Tier::Edge);
        assert_eq!(is_told, edge_fails, "{:?}", seen.faults);
        let found = is_whole_or_a_miss(&house, &[&right]);
        assert_eq!(found.is_some(), is_published, "{drawn:?}");
    }
    paths
}

/// What happened to KV is what must; gives back whether the entry can be found.
fn kv_is_as_drawn(house: &House, drawn: &[(String, Mishap)], is_told: bool) -> bool {
    let generation = drawn[0].0.trim_start_matches("keep chunk:").split(':').next().unwrap();
    let chunk = |index: usize| format!("chunk:{generation}:{index:03}");
    let mut left = drawn;
    let mut there = Vec::new();
    for index in 0..CHUNKS {
        let (happened, is_known) = write(&mut left, &format!("keep {}", chunk(index)));
        if happened {
            there.push(chunk(index));
        }
        if is_known {
            continue;
        }
        // Taken back, as far as that goes.
        for index in 0..=index {
            let Some(((next, mishap), rest)) = left.split_first() else { panic!("{drawn:?}") };
            assert_eq!(*next, format!("remove {}", chunk(index)));
            left = rest;
            if *mishap != Mishap::None {
                break;
            }
            there.retain(|key| *key != chunk(index));
        }
        assert!(left.is_empty() && is_told, "{drawn:?}");
        assert_eq!(house.kv_keys(), there, "{drawn:?}");
        return false;
    }
    let (happened, is_known) = write(&mut left, &format!("keep {KEY}"));
    assert_eq!(left, [], "the last of all");
    assert_eq!(is_told, !is_known, "{drawn:?}");
    if happened {
        there.push(KEY.to_owned());
    }
    // Nobody knows whether it can be found, so nothing is taken back.
    assert_eq!(house.kv_keys(), there, "{drawn:?}");
    happened
}

/// Tries of one write that end well: at once, or after a refusal or a lost acknowledgement.
const WELL: usize = 3;
/// Tries that do not.
const BADLY: usize = 4;
/// Paths of three chunks and what publishes them. Of what is taken back each removal may be refused.
const WRITES: usize =
    BADLY * 2 + WELL * BADLY * 3 + WELL * WELL * BADLY * 4 + WELL * WELL * WELL * (BADLY + WELL);

#[test]
fn every_way_to_write_a_body_in_chunks_leaves_all_of_it_or_a_miss() {
    for making in [Making::Good, Making::GoodWithoutLength] {
        assert_eq!(every_path_of(&without_edge(), making), WRITES, "{making:?}");
    }
}

#[test]
fn every_way_to_write_a_body_in_chunks_beside_the_edge_leaves_all_of_it_or_a_miss() {
    let edge = 3;
    for making in [Making::Good, Making::GoodWithoutLength] {
        assert_eq!(every_path_of(&json!({}), making), WRITES * edge, "{making:?}");
    }
}

#[test]
fn a_body_that_breaks_off_anywhere_is_a_miss_and_leaves_nothing() {
    for (more, announced) in
        [(json!({}), true), (json!({}), false), (without_edge(), true), (without_edge(), false)]
    {
        for sent in 0..BYTES {
            let house = house(&more);
            house.host.upstream.makes(Making::BreaksOffAfter(sent, announced));
            let seen = house.get(VIDEO);
            assert!(!seen.whole && seen.bytes.len() == sent, "{sent}");
            assert_eq!(house.kv_keys(), [""; 0], "{sent} {announced}: chunks are taken back");
            assert_eq!(house.edge_urls(), [""; 0], "{sent} {announced}");
            let chunks = seen.settled.iter().filter(|kind| **kind == "kv-keep").count();
            assert_eq!(chunks, sent / CHUNK, "what broke off was not written: {:?}", seen.settled);
            assert!(seen.faults.contains(&(Tier::Kv, Fault::BrokenOff)), "{:?}", seen.faults);
            memory_was_bounded(&house);
            assert_eq!(is_whole_or_a_miss(&house, &[]), None);
        }
    }
}

#[test]
fn an_isolate_that_dies_between_any_two_operations_leaves_all_of_it_or_a_miss() {
    // A chunk that cannot be written, so that the isolate also dies while it takes back.
    let unlucky =
        [("kv-keep", Mishap::None), ("kv-keep", Mishap::Refused), ("kv-keep", Mishap::Refused)];
    for (more, making, weather, is_good) in [
        (json!({}), Making::Good, &[][..], true),
        (json!({}), Making::GoodWithoutLength, &[], true),
        (without_edge(), Making::GoodWithoutLength, &[], true),
        (without_edge(), Making::Good, &unlucky, false),
        (without_edge(), Making::BreaksOffAfter(60, true), &[], false),
    ] {
        let mut outcomes = Vec::new();
        for operations in 0.. {
            let house = house(&more);
            house.host.upstream.makes(making);
            let (seen, owed) = house.answer(&get(VIDEO));
            house.host.world.set_weather(Script::new(weather));
            let is_done = settle_until_death(&house, owed.unwrap(), operations);
            outcomes.push(is_whole_or_a_miss(&house, &[&seen.bytes]).is_some());
            if is_done {
                break;
            }
        }
        assert!(outcomes.len() > CHUNKS, "{outcomes:?}");
        let published = outcomes.iter().position(|is_there| *is_there);
        assert_eq!(published, is_good.then_some(CHUNKS + 1), "three chunks, then the manifest");
        let after = &outcomes[published.unwrap_or(outcomes.len())..];
        assert!(after.iter().all(|is_there| *is_there), "{outcomes:?}");
    }
}

/// Does what is owed until the isolate dies after so many operations; whether it lived to the end.
fn settle_until_death(house: &House, owed: Owed<FakeBody>, operations: u32) -> bool {
    house.host.world.dies_after(Some(operations));
    let ask = get(VIDEO).ask();
    let settled = run_until_death(front::settle(&house.host, &ask, &house.config, owed));
    house.host.world.dies_after(None);
    house.host.world.forgive_leaks();
    memory_was_bounded(house);
    settled.is_some()
}

#[test]
fn a_fill_that_dies_anywhere_leaves_the_old_body_or_the_new_one_and_never_some_of_both() {
    let mut found = Vec::new();
    for operations in 0.. {
        let house = house(&json!({}));
        let old = house.get(VIDEO);
        house.pass_s(90_001);
        house.elsewhere();
        let (new, owed) = house.answer(&get(VIDEO));
        assert_ne!(old.bytes, new.bytes);
        let is_done = settle_until_death(&house, owed.unwrap(), operations);
        let is = is_whole_or_a_miss(&house, &[&old.bytes, &new.bytes]);
        found.push(is.expect("one of them"));
        if is_done {
            break;
        }
    }
    assert_eq!(found, [0, 0, 0, 0, 1, 1], "the manifest decides");
}

#[test]
fn a_body_of_any_length_comes_back_bit_for_bit() {
    for (more, making) in [
        (json!({}), Making::Good),
        (json!({}), Making::GoodWithoutLength),
        (without_edge(), Making::Good),
        (without_edge(), Making::GoodWithoutLength),
    ] {
        for length in 1..=5 * CHUNK {
            let house = house(&more);
            house.host.upstream.rendition_bytes.set(length);
            house.host.upstream.makes(making);
            let made = house.get(VIDEO);
            // Nobody can tell that what fills a chunk has ended there.
            let is_told = making == Making::Good || more != without_edge();
            let is_single = if is_told { length <= 32 } else { length < CHUNK };
            let chunks = if is_single { 0 } else { length.div_ceil(CHUNK) };
            assert_eq!(house.kv_keys().len(), chunks + 1, "{length} {making:?}");
            house.elsewhere();
            let kept = house.get(VIDEO);
            assert_eq!((kept.whole, kept.bytes == made.bytes), (true, true), "{length} {making:?}");
            assert_eq!(kept.header("content-length"), length.to_string());
            assert!(!kept.cost.contains(&"transform"));
            memory_was_bounded(&house);
        }
    }
}

#[test]
fn a_body_of_unknown_length_that_needs_too_many_chunks_is_taken_back() {
    for (length, is_kept) in [(490 * CHUNK, true), (490 * CHUNK + 1, false)] {
        let house = house(&without_edge());
        house.host.upstream.makes(Making::GoodOfUnannounced(length));
        let seen = house.get(VIDEO);
        assert_eq!(seen.bytes.len(), length);
        let count = |kind| seen.settled.iter().filter(|it| **it == kind).count();
        let (keeps, removals) = if is_kept { (491, 0) } else { (490, 490) };
        assert_eq!((count("kv-keep"), count("kv-remove")), (keeps, removals));
        assert_eq!(house.kv_keys().len(), if is_kept { 491 } else { 0 });
        let is_told = matches!(seen.faults[..], [(Tier::Kv, Fault::TooLarge { .. })]);
        assert_eq!(is_told, !is_kept, "{:?}", seen.faults);
        memory_was_bounded(&house);
    }
}

#[test]
fn a_body_of_another_length_than_it_was_announced_is_taken_back() {
    for bytes in [33, 40, 48, 63, 65, 72, 100] {
        let house = house(&json!({}));
        let body = FakeBody::whole(&house.host.world, vec![7; bytes].into());
        let metadata =
            Metadata { length: BYTES as u64, ..super::states::metadata('c', 1_000, 2_000) };
        let (kv, cache) = (&house.host.kv, &house.config.cache);
        let entry = Entry { metadata, body };
        let now_ms = house.host.world.now_ms();
        let kept = run(storage::keep(kv, KEY, entry, now_ms, cache, async || true));
        assert_eq!(kept, Err(Fault::BrokenOff), "{bytes}");
        assert_eq!(house.kv_keys(), [""; 0], "{bytes}");
        assert_eq!(house.host.world.bodies().leaked, 0);
    }
}
