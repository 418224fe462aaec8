//! Every way the chunks of one body can be found, for every way of asking.
//!
//! What is right is what the same body says that lies in one value.

use std::cell::{Cell, RefCell};
use std::collections::BTreeMap;
use std::ops::Range;
use std::rc::{Rc, Weak};

use serde_json::json;
use video_resizer::cache::entry::{Metadata, generation};
use video_resizer::cache::ports::Fault;
use video_resizer::cache::status::Tier;
use video_resizer::cache::storage::chunks::{Mark, chunk_key};

use crate::fakes::kv::Kept;
use crate::fakes::upstream::Making;
use crate::fakes::viewer::{Asking, House, Seen, get, head};
use crate::fakes::weather::{Calm, Gen, Mishap, Script, Weather};
use crate::fakes::world::{Operation, World};

const VIDEO: &str = "/clips/a.mp4?width=640&height=360";
const KEY: &str = "video:clips/a.mp4:w=640:h=360:f=mp4";
/// Bytes of a chunk, but for the last one's 16. The first of the three is all head.
const CHUNK: usize = 24;

/// How a chunk is found.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Chunk {
    Sound,
    /// Refused, and there when it is asked for again.
    RefusedOnce,
    Refused,
    TimedOut,
    Missing,
    /// Not there yet.
    Late,
    /// Marked as of another body.
    Foreign,
    /// Marked as of another place.
    Misplaced,
    /// One byte short, and says so.
    Shorter,
    Damaged,
    Unmarked,
    /// Its first ten bytes, marked as all of them.
    Cut,
    /// Breaks off after half of its bytes.
    Breaks,
}

impl Chunk {
    const ALL: [Self; 13] = [
        Self::Sound,
        Self::RefusedOnce,
        Self::Refused,
        Self::TimedOut,
        Self::Missing,
        Self::Late,
        Self::Foreign,
        Self::Misplaced,
        Self::Shorter,
        Self::Damaged,
        Self::Unmarked,
        Self::Cut,
        Self::Breaks,
    ];
    /// Those that opening it tells, and nothing is sent of.
    const OPENING: usize = 9;
    /// The others.
    const OPENED: usize = 4;

    /// What must go wrong where the bytes up to `end` are wanted of `length`.
    fn trouble(self, end: usize, length: usize) -> Trouble {
        match self {
            Self::Refused => Trouble::Opening("unavailable", false),
            Self::TimedOut => Trouble::Opening("timed-out", false),
            Self::Missing | Self::Late => Trouble::Opening("missing", true),
            Self::Foreign | Self::Misplaced | Self::Shorter | Self::Damaged | Self::Unmarked => {
                Trouble::Opening("corrupt", true)
            }
            Self::Cut if end > 10 => Trouble::Reading("corrupt", true),
            Self::Breaks if end > length / 2 => Trouble::Reading("broken-off", false),
            Self::Sound | Self::RefusedOnce | Self::Cut | Self::Breaks => Trouble::None,
        }
    }

    /// How often it is asked for: what did not come may be a whim of the network.
    fn looks(self) -> usize {
        if matches!(self, Self::RefusedOnce | Self::Refused | Self::TimedOut) { 2 } else { 1 }
    }
}

/// What goes wrong with a chunk: the fault, and whether it condemns the entry.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Trouble {
    None,
    Opening(&'static str, bool),
    Reading(&'static str, bool),
}

/// A way of asking: what it says, and the bytes it touches.
struct Asked {
    asking: Asking,
    touches: Vec<Range<usize>>,
    is_whole: bool,
}

impl Asked {
    fn range(range: &str, touches: &[Range<usize>]) -> Self {
        Self { asking: get(VIDEO).range(range), touches: touches.to_vec(), is_whole: false }
    }

    fn one_range(range: &str, touched: Range<usize>) -> Self {
        Self::range(range, std::slice::from_ref(&touched))
    }

    /// The chunks it touches that the head does not hold, and where the last byte wanted of each ends in it.
    fn chunks(&self) -> Vec<(usize, usize)> {
        let ends = |index: usize| {
            let chunk = index * CHUNK..(index + 1) * CHUNK;
            let last = self.touches.iter().rfind(|it| it.start < chunk.end && it.end > chunk.start);
            last.map(|range| (index, range.end.min(chunk.end) - chunk.start))
        };
        [1, 2].into_iter().filter_map(ends).collect()
    }

    fn begins_with_head(&self) -> bool {
        self.touches.first().is_some_and(|range| range.start < CHUNK)
    }
}

/// What was drawn.
#[derive(Debug, Default)]
struct Drawn {
    is_slow: bool,
    chunks: BTreeMap<String, Chunk>,
    /// Every look at a chunk, and how many streams were open then.
    looks: Vec<(String, u32)>,
}

#[derive(Debug)]
struct Winds {
    generator: Rc<Gen>,
    drawn: Rc<RefCell<Drawn>>,
    draws_slowness: bool,
    slowness: Rc<Cell<u32>>,
    kept: Rc<RefCell<BTreeMap<String, Kept>>>,
    breaking: Rc<RefCell<std::collections::BTreeSet<String>>>,
    late: RefCell<Option<(String, Kept)>>,
    world: Weak<World>,
}

impl Weather for Winds {
    fn next(&self, operation: &Operation, _: &[Mishap]) -> Mishap {
        if let Some((key, kept)) = self.late.take() {
            self.kept.borrow_mut().insert(key, kept);
        }
        let Operation::KvFind { key } = operation else { return Mishap::None };
        let mut drawn = self.drawn.borrow_mut();
        if key == KEY && drawn.looks.is_empty() && self.draws_slowness {
            drawn.is_slow = self.generator.pick(&[false, true]);
            // Longer than anybody waits for the first chunk.
            self.slowness.set(if drawn.is_slow { 2 } else { 0 });
        }
        if !key.starts_with("chunk:") {
            return Mishap::None;
        }
        drawn.looks.push((key.clone(), self.world.upgrade().unwrap().bodies().open()));
        if let Some(chunk) = drawn.chunks.get(key) {
            let lasts = |of: Chunk| *chunk == of;
            return if lasts(Chunk::Refused) {
                Mishap::Refused
            } else if lasts(Chunk::TimedOut) {
                Mishap::TimedOut
            } else {
                Mishap::None
            };
        }
        let chunk = self.generator.pick(&Chunk::ALL);
        drawn.chunks.insert(key.clone(), chunk);
        self.find(key, chunk)
    }
}

impl Winds {
    fn find(&self, key: &str, chunk: Chunk) -> Mishap {
        let mut kept = self.kept.borrow_mut();
        let found = kept.get_mut(key).unwrap();
        let mut mark = Mark::decode(found.metadata.as_deref().unwrap()).unwrap();
        match chunk {
            Chunk::Sound => {}
            Chunk::RefusedOnce | Chunk::Refused => return Mishap::Refused,
            Chunk::TimedOut => return Mishap::TimedOut,
            Chunk::Missing => drop(kept.remove(key)),
            Chunk::Late => *self.late.borrow_mut() = kept.remove_entry(key),
            Chunk::Foreign => {
                mark.generation = generation(0xbad);
                found.metadata = Some(mark.encode().unwrap());
            }
            Chunk::Misplaced => {
                mark.index += 1;
                found.metadata = Some(mark.encode().unwrap());
            }
            Chunk::Shorter => {
                mark.length -= 1;
                found.metadata = Some(mark.encode().unwrap());
                found.bytes = found.bytes[..found.bytes.len() - 1].into();
            }
            Chunk::Damaged => return Mishap::Corrupt,
            Chunk::Unmarked => found.metadata = None,
            Chunk::Cut => found.bytes = found.bytes[..10].into(),
            Chunk::Breaks => drop(self.breaking.borrow_mut().insert(key.to_owned())),
        }
        Mishap::None
    }
}

/// Fills the house, and forgets the edge.
fn filled(house: House) -> House {
    house.get(VIDEO);
    house.elsewhere();
    house.pass_s(1);
    house
}

/// Walks every path; gives back how many there are.
fn every_path_of(asked: &Asked) -> usize {
    let single = House::plain();
    single.host.upstream.rendition_bytes.set(64);
    let right = filled(single).send(&asked.asking);
    let generator = Rc::new(Gen::default());
    let mut paths = 0;
    while generator.turn() {
        paths += 1;
        let house = filled(House::of_tiny_chunks(&json!({})));
        let drawn: Rc<RefCell<Drawn>> = Rc::default();
        house.host.world.set_weather(Winds {
            generator: Rc::clone(&generator),
            drawn: Rc::clone(&drawn),
            draws_slowness: asked.begins_with_head() && !asked.chunks().is_empty(),
            slowness: Rc::clone(&house.host.kv.slowness),
            kept: Rc::clone(&house.host.kv.kept),
            breaking: Rc::clone(&house.host.kv.breaking),
            late: RefCell::default(),
            world: Rc::downgrade(&house.host.world),
        });
        let seen = house.send(&asked.asking);
        check(asked, &house, &seen, &right, &drawn.borrow());
        assert_eq!(house.host.world.bodies().open(), 0, "a stream nobody ends");
        house.host.world.set_weather(Calm);
        house.host.kv.breaking.borrow_mut().clear();
        whoever_comes_next_gets_all_of_it(&house);
    }
    paths
}

/// What must go wrong, at which byte of the body, and how many chunks were looked at.
fn expected(asked: &Asked, generation: &str, drawn: &Drawn) -> (Trouble, usize, usize) {
    let chunks = asked.chunks();
    for (nth, (index, end)) in chunks.iter().enumerate() {
        let key = chunk_key(generation, *index as u64);
        let length = CHUNK.min(64 - index * CHUNK);
        let trouble = drawn.chunks[&key].trouble(*end, length);
        // What is found out by reading it is found out while the next one is asked for.
        let ahead = usize::from(matches!(trouble, Trouble::Reading(..)));
        if trouble != Trouble::None {
            return (trouble, index * CHUNK, (nth + 1 + ahead).min(chunks.len()));
        }
    }
    (Trouble::None, 64, chunks.len())
}

/// Each is asked for once, or again where it did not come; what is not touched is never asked for.
fn looked_as_little_as_possible(keys: &[String], drawn: &Drawn) {
    let mut looks = &drawn.looks[..];
    for key in keys {
        let times = looks.iter().take_while(|(look, _)| look == key).count();
        assert_eq!(times, drawn.chunks[key].looks(), "{drawn:?}");
        looks = &looks[times..];
    }
    assert_eq!(looks, [], "{drawn:?}");
    for (key, open) in &drawn.looks {
        assert!(*open <= 1, "{key} was asked for while {open} were open: {drawn:?}");
    }
}

fn check(asked: &Asked, house: &House, seen: &Seen, right: &Seen, drawn: &Drawn) {
    let generation = right.header("etag").replace('"', "");
    let chunks = asked.chunks();
    let (trouble, at, looked) = expected(asked, &generation, drawn);
    let keys = chunks[..looked].iter().map(|(index, _)| chunk_key(&generation, *index as u64));
    looked_as_little_as_possible(&keys.collect::<Vec<_>>(), drawn);
    let is_at_first = chunks.first().is_some_and(|(index, _)| index * CHUNK == at);
    let nothing_was_sent = is_at_first && (!asked.begins_with_head() || !drawn.is_slow);
    match trouble {
        Trouble::None => {
            assert_eq!((seen.status, &seen.bytes), (right.status, &right.bytes), "{drawn:?}");
            assert!(seen.whole);
            assert_eq!(seen.faults, [], "{drawn:?}");
            alike(seen, right);
            let to_edge: &[&str] = if asked.is_whole { &["edge-keep"] } else { &[] };
            assert_eq!(seen.settled, to_edge, "only who reads all of it has it for the edge");
        }
        Trouble::Opening(..) if nothing_was_sent => {
            assert_eq!(seen.status, right.status, "{drawn:?}");
            assert!(seen.whole && seen.cost.contains(&"transform"), "{drawn:?}");
            assert_ne!(seen.header("etag"), right.header("etag"));
            assert!(seen.cache().starts_with("video-resizer-kv; fwd=miss;"), "{}", seen.cache());
            let writes = ["kv-keep", "kv-keep", "kv-keep", "kv-keep", "edge-keep"];
            assert_eq!(seen.settled, writes, "it took the place of what was broken");
            assert_eq!(generation_kept(house), Some(seen.header("etag").replace('"', "")));
        }
        Trouble::Opening(fault, condemns) | Trouble::Reading(fault, condemns) => {
            alike(seen, right);
            assert!(!seen.whole, "short as if it were whole: {drawn:?}");
            assert!(right.bytes.starts_with(&seen.bytes), "{drawn:?}");
            assert!(seen.bytes.len() < right.bytes.len());
            if let [range] = &asked.touches[..] {
                let sent = at.max(range.start) - range.start;
                let is_exact = matches!(trouble, Trouble::Opening(..));
                assert!(if is_exact { seen.bytes.len() == sent } else { seen.bytes.len() >= sent });
            }
            let told: Vec<&str> = seen.faults.iter().map(|(_, fault)| fault.as_str()).collect();
            assert!(told.contains(&fault), "{told:?} {drawn:?}");
            assert!(seen.faults.iter().all(|(tier, _)| matches!(tier, Tier::Kv | Tier::Edge)));
            assert_eq!(seen.settled.contains(&"kv-remove"), condemns, "{drawn:?}");
            let kept = (!condemns).then_some(generation);
            assert_eq!(generation_kept(house), kept, "{drawn:?}");
            assert_eq!(house.edge_urls().len(), 0, "the edge has no part of it");
        }
    }
}

fn generation_kept(house: &House) -> Option<String> {
    let kept = house.host.kv.kept.borrow();
    let metadata = kept.get(KEY)?.metadata.clone().unwrap();
    Some(Metadata::decode(&metadata).unwrap().generation)
}

/// Nobody can tell by the headers how it lies in KV.
fn alike(seen: &Seen, right: &Seen) {
    for name in ["etag", "content-length", "content-range", "content-type", "accept-ranges"] {
        assert_eq!(seen.header(name), right.header(name), "{name}");
    }
}

/// Damage that nobody has met may break one more body, or two; then there is a new one.
fn whoever_comes_next_gets_all_of_it(house: &House) {
    house.elsewhere();
    for _ in 0..3 {
        let next = house.get(VIDEO);
        assert_eq!(next.status, 200);
        let made = house.host.upstream.made.borrow();
        let is_of = |made: &Rc<[u8]>| made.starts_with(&next.bytes);
        assert!(made.iter().any(is_of), "bytes that nobody made");
        if next.whole {
            assert_eq!(next.bytes.len(), 64);
            return;
        }
    }
    panic!("broken for ever");
}

#[test]
fn every_way_to_find_the_chunks_of_a_whole_body_keeps_every_promise() {
    let asked = Asked { asking: get(VIDEO), is_whole: true, ..Asked::one_range("bytes=0-", 0..64) };
    let behind = Chunk::OPENED * Chunk::ALL.len();
    assert_eq!(every_path_of(&asked), 2 * (Chunk::OPENING + behind), "each in time and late");
}

#[test]
fn every_way_to_find_the_chunks_of_a_range_keeps_every_promise() {
    let (all, opening, opened) = (Chunk::ALL.len(), Chunk::OPENING, Chunk::OPENED);
    for (range, touches, paths) in [
        ("bytes=2-5", 2..6, 1),
        ("bytes=0-23", 0..24, 1),
        ("bytes=30-39", 30..40, all),
        ("bytes=60-", 60..64, all),
        ("bytes=23-24", 23..25, 2 * all),
        ("bytes=40-55", 40..56, opening + opened * all),
        ("bytes=20-50", 20..51, 2 * (opening + opened * all)),
    ] {
        assert_eq!(every_path_of(&Asked::one_range(range, touches)), paths, "{range}");
    }
}

#[test]
fn every_way_to_find_the_chunks_of_several_ranges_keeps_every_promise() {
    let (all, opening, opened) = (Chunk::ALL.len(), Chunk::OPENING, Chunk::OPENED);
    for (range, touches, paths) in [
        ("bytes=2-5,8-9", &[2..6, 8..10][..], 1),
        ("bytes=26-29,40-43", &[26..30, 40..44], all),
        ("bytes=0-0,63-63", &[0..1, 63..64], 2 * all),
        ("bytes=2-5,26-29,50-59", &[2..6, 26..30, 50..60], 2 * (opening + opened * all)),
    ] {
        assert_eq!(every_path_of(&Asked::range(range, touches)), paths, "{range}");
    }
}

#[test]
fn an_answer_without_bytes_looks_at_no_chunk() {
    let asked = Asked { asking: head(VIDEO), touches: vec![], is_whole: false };
    assert_eq!(every_path_of(&asked), 1);
}

#[test]
fn a_body_that_breaks_is_never_the_last_word_even_when_nothing_can_be_made() {
    let house = filled(House::of_tiny_chunks(&json!({})));
    house.host.upstream.makes(Making::Status(503));
    house.host.upstream.sources_are(|_| crate::fakes::upstream::Source::Fails);
    let chunk = house.kv_keys().into_iter().find(|key| key.ends_with(":001")).unwrap();
    house.host.kv.kept.borrow_mut().remove(&chunk);
    let seen = house.get(VIDEO);
    assert_eq!((seen.status, seen.settled), (503, vec!["kv-find", "kv-remove"]), "retired unread");
    assert!(!house.kv_keys().contains(&KEY.to_owned()));
    assert_eq!(seen.faults, [] as [(Tier, Fault); 0]);
}

#[test]
fn a_chunk_that_could_not_be_reached_costs_the_entry_nothing_even_when_nothing_can_be_made() {
    for mishap in [Mishap::Refused, Mishap::TimedOut] {
        let house = filled(House::of_tiny_chunks(&json!({})));
        house.host.upstream.makes(Making::Status(503));
        house.host.upstream.sources_are(|_| crate::fakes::upstream::Source::Fails);
        let weather = [("kv-find", Mishap::None), ("kv-find", mishap), ("kv-find", mishap)];
        house.host.world.set_weather(Script::new(&weather));
        let seen = house.get(VIDEO);
        assert_eq!((seen.status, seen.settled), (503, vec![]), "{mishap:?}");
        assert_eq!(house.get(VIDEO).status, 200, "it is as good as ever");
    }
}
