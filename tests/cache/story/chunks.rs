//! Bodies that no single value holds: cut, published last, read only where they are wanted.

use serde_json::json;
use video_resizer::cache::ports::Body;
use video_resizer::cache::status::Tier;
use video_resizer::cache::storage::chunks::Mark;
use video_resizer::cache::storage::manifest::Manifest;
use video_resizer::front::{self, Handled};

use super::{EDGE_URL, KEY, VIDEO};
use crate::fakes::run::run;
use crate::fakes::upstream::Making;
use crate::fakes::viewer::{House, get, head};
use crate::fakes::weather::{Mishap, Script};
use crate::fakes::world::Operation;

const MIB: usize = 1024 * 1024;

fn chunk_keys(house: &House) -> Vec<String> {
    house.kv_keys().into_iter().filter(|key| key.starts_with("chunk:")).collect()
}

#[test]
fn a_body_in_chunks_comes_from_every_tier_byte_for_byte_the_same() {
    let house = House::of_tiny_chunks(&json!({}));
    let miss = house.get(VIDEO);
    assert_eq!(miss.settled, ["kv-keep", "kv-keep", "kv-keep", "kv-keep", "edge-keep"]);
    let edge = house.get(VIDEO);
    assert_eq!(edge.cost, ["edge-find"]);
    house.elsewhere();
    let kv = house.get(VIDEO);
    assert_eq!(kv.cost, ["edge-find", "kv-find", "kv-find", "kv-find"], "the first is all head");
    assert_eq!(kv.settled, ["edge-keep"]);
    let edge_again = house.get(VIDEO);
    assert_eq!(edge_again.cost, ["edge-find"]);
    for later in [&edge, &kv, &edge_again] {
        assert_eq!((later.status, &later.bytes), (200, &miss.bytes));
        for name in ["etag", "last-modified", "content-length", "content-type", "cache-control"] {
            assert_eq!(later.header(name), miss.header(name), "{name}");
        }
    }
    assert_eq!(house.host.upstream.made.borrow().len(), 1, "it was made once");
}

#[test]
fn the_value_at_the_entrys_key_is_the_manifest_and_the_bodys_beginning() {
    let house = House::of_tiny_chunks(&json!({}));
    let miss = house.get(VIDEO);
    let metadata = house.in_kv(KEY);
    assert_eq!(format!("\"{}\"", metadata.generation), miss.header("etag"));
    let chunks = metadata.chunks.unwrap();
    assert_eq!((metadata.length, chunks.bytes, chunks.head_bytes), (64, 24, 24));

    let kept = house.host.kv.kept.borrow();
    let (text, beginning) =
        kept[KEY].bytes.split_at(usize::try_from(chunks.manifest_bytes).unwrap());
    assert_eq!(beginning, &miss.bytes[..24]);
    let manifest = Manifest::decode(text).unwrap();
    let lengths: Vec<u64> = manifest.chunks.iter().map(|chunk| chunk.length).collect();
    assert_eq!(
        (lengths.as_slice(), &manifest.generation),
        (&[24, 24, 16][..], &metadata.generation)
    );
    let keys = chunk_keys(&house);
    for (index, key) in (0..).zip(&keys) {
        assert_eq!(*key, format!("chunk:{}:00{index}", metadata.generation));
        let mark = Mark::decode(kept[key].metadata.as_deref().unwrap()).unwrap();
        assert_eq!((mark.index, mark.entry_key.as_str()), (index, KEY));
        assert_eq!(mark.generation, metadata.generation);
        let beyond_ms = kept[key].until_ms - kept[KEY].until_ms;
        assert!(
            beyond_ms.abs_diff(7 * 86_400_000) <= 1_000,
            "{beyond_ms} ms longer than the entry"
        );
        assert!(kept[key].until_ms.abs_diff(manifest.until_ms) <= 1_000);
    }
    assert_eq!(keys.len(), 3);
}

#[test]
fn a_range_reads_the_chunks_it_touches_each_once_and_no_others() {
    let house = House::of_tiny_chunks(&json!({}));
    let whole = house.get(VIDEO).bytes;
    house.elsewhere();
    for (range, first, last, chunks) in [
        ("bytes=0-1", 0, 1, &[][..]),
        ("bytes=0-23", 0, 23, &[]),
        ("bytes=23-24", 23, 24, &["001"]),
        ("bytes=24-47", 24, 47, &["001"]),
        ("bytes=40-50", 40, 50, &["001", "002"]),
        ("bytes=-1", 63, 63, &["002"]),
        ("bytes=5-", 5, 63, &["001", "002"]),
    ] {
        let part = house.send(&get(VIDEO).range(range));
        assert_eq!((part.status, part.bytes.as_slice()), (206, &whole[first..=last]), "{range}");
        assert_eq!(part.header("content-range"), format!("bytes {first}-{last}/64"));
        let looked: Vec<&str> = part.operations.iter().filter_map(chunk_of).collect();
        assert_eq!(looked, chunks, "{range}");
        assert_eq!(part.settled, [""; 0], "who reads a part has none for the edge: {range}");
    }
}

fn chunk_of(operation: &Operation) -> Option<&str> {
    let Operation::KvFind { key } = operation else { return None };
    key.strip_prefix("chunk:")?.split(':').nth(1)
}

#[test]
fn what_has_no_bytes_to_send_looks_at_no_chunk() {
    let house = House::of_tiny_chunks(&json!({}));
    let made = house.get(VIDEO);
    house.elsewhere();
    for (asking, status) in [
        (head(VIDEO), 200),
        (get(VIDEO).with("if-none-match", made.header("etag")), 304),
        (get(VIDEO).with("if-match", "\"other\""), 412),
        (get(VIDEO).range("bytes=64-"), 416),
    ] {
        let seen = house.send(&asking);
        assert_eq!((seen.status, seen.settled.len()), (status, 0), "{asking:?}");
        assert_eq!(seen.cost, ["edge-find", "kv-find"], "{asking:?}");
        if status == 200 {
            assert_eq!(seen.header("content-length"), "64");
            assert_eq!(seen.header("etag"), made.header("etag"));
        }
    }
}

#[test]
fn a_cold_range_of_a_large_body_is_answered_at_once_and_all_of_it_is_kept() {
    let house = House::of_tiny_chunks(&json!({}));
    let part = house.send(&get(VIDEO).range("bytes=30-39"));
    let whole = house.host.upstream.last_made();
    assert_eq!((part.status, part.bytes.as_slice()), (206, &whole[30..40]));
    house.elsewhere();
    assert_eq!(house.get(VIDEO).bytes, *whole);
    assert_eq!(house.host.upstream.made.borrow().len(), 1);
}

#[test]
fn sixty_mebibytes_come_back_bit_for_bit_and_at_most_two_chunks_and_the_head_are_held() {
    let house = House::plain();
    house.host.upstream.makes(Making::GoodOf(60 * MIB));
    let miss = house.get(VIDEO);
    assert_eq!(chunk_keys(&house).len(), 8);
    let bodies = house.host.world.bodies();
    assert_eq!((bodies.pieces_max, bodies.pieces), ((2 * 8 + 1) * MIB as u64, 0));
    house.elsewhere();
    let kv = house.get(VIDEO);
    assert!(kv.whole && kv.bytes == miss.bytes);
    let part = house.send(&get(VIDEO).range("bytes=1048576-1048577"));
    assert_eq!(part.bytes, miss.bytes[MIB..MIB + 2], "the first behind the head");
}

#[test]
fn entries_are_read_as_they_were_cut_whatever_the_configuration_says_today() {
    let mut house = House::of_tiny_chunks(&json!({}));
    let made = house.get(VIDEO);
    for (single_bytes_max, chunk_bytes) in [(32, 10), (1_000, 1_000), (8, 8)] {
        house.elsewhere();
        house.config.cache.single_bytes_max = single_bytes_max;
        house.config.cache.chunk_bytes = chunk_bytes;
        let seen = house.get(VIDEO);
        assert_eq!((seen.whole, &seen.bytes), (true, &made.bytes), "{chunk_bytes}");
        assert!(!seen.cost.contains(&"transform"));
    }
}

#[test]
fn a_viewer_who_leaves_leaves_nothing_open_and_breaks_nothing() {
    let house = House::of_tiny_chunks(&json!({}));
    house.get(VIDEO);
    for asking in [get(VIDEO), get(VIDEO).range("bytes=30-"), get(VIDEO).range("bytes=1-50")] {
        house.elsewhere();
        let ask = asking.ask();
        let handled = run(front::handle(&house.host, &ask, &house.config));
        let Handled::Answer { reply, owed } = handled else { panic!("passed through") };
        reply.body.discard();
        if let Some(owed) = owed {
            assert_eq!(run(front::settle(&house.host, &ask, &house.config, owed)), []);
        }
        let bodies = house.host.world.bodies();
        assert_eq!((bodies.leaked, bodies.open()), (0, 0), "{asking:?}");
    }
    house.elsewhere();
    assert!(house.get(VIDEO).whole);
}

#[test]
fn a_broken_entry_that_another_fill_has_replaced_stays() {
    let house = House::of_tiny_chunks(&json!({}));
    house.get(VIDEO);
    house.elsewhere();
    let lost = chunk_keys(&house).pop().unwrap();
    let (broken, owed) = house.answer(&get(VIDEO).range("bytes=0-30"));
    assert!(broken.whole, "it does not touch the lost one");
    house.settle(&get(VIDEO), owed);
    house.host.kv.kept.borrow_mut().remove(&lost);
    let (broken, owed) = house.answer(&get(VIDEO));
    assert!(!broken.whole);

    // The operator's colleague is faster.
    house.host.kv.kept.borrow_mut().remove(KEY);
    let other = house.in_another_data_centre();
    let new = other.get(VIDEO);
    assert_ne!(new.header("etag"), broken.header("etag"));
    let settled = house.settle(&get(VIDEO), owed);
    assert!(settled.contains(&"kv-find") && !settled.contains(&"kv-remove"), "{settled:?}");
    house.elsewhere();
    assert_eq!(house.get(VIDEO).bytes, new.bytes);
}

#[test]
fn an_entry_that_could_not_be_retired_is_retired_by_the_next_who_meets_it() {
    for weather in [
        &[
            ("kv-find", Mishap::None),
            ("kv-find", Mishap::None),
            ("kv-find", Mishap::None),
            ("kv-find", Mishap::Refused),
        ][..],
        &[("kv-remove", Mishap::Refused)],
    ] {
        let house = House::of_tiny_chunks(&json!({}));
        house.get(VIDEO);
        house.elsewhere();
        let lost = chunk_keys(&house).pop().unwrap();
        house.host.kv.kept.borrow_mut().remove(&lost);
        house.host.world.set_weather(Script::new(weather));
        let broken = house.get(VIDEO);
        assert!(!broken.whole);
        assert_eq!(
            broken.faults.iter().filter(|(tier, _)| *tier == Tier::Kv).count(),
            2,
            "{:?}",
            broken.faults
        );
        assert!(house.kv_keys().contains(&KEY.to_owned()));
        assert!(!house.get(VIDEO).whole);
        assert!(!house.kv_keys().contains(&KEY.to_owned()));
    }
}

#[test]
fn promotion_carries_what_is_left_of_the_lifetime_and_no_word_of_chunks() {
    let house = House::of_tiny_chunks(&json!({}));
    house.get(VIDEO);
    house.pass_s(80_000);
    house.elsewhere();
    let kv = house.get(VIDEO);
    let kept = house.host.edge.kept.borrow()[EDGE_URL].clone();
    assert_eq!(kept.headers["cache-control"], "public, max-age=6399");
    assert_eq!(*kept.bytes, kv.bytes);
    let metadata = house.host.edge.metadata(EDGE_URL).unwrap();
    assert!(!metadata.contains("\"k\":"), "{metadata}");
}
