#![allow(clippy::unwrap_used, clippy::indexing_slicing)]

use serde_json::{Value, json};

use super::*;
use crate::cache::entry::{VERSION, generation};

fn metadata() -> Metadata {
    Metadata {
        version: VERSION,
        heard: 0,
        source_version: None,
        generation: generation(7),
        status: 200,
        content_type: "video/mp4".into(),
        length: 25,
        began_ms: 1_000,
        created_ms: 2_000,
        fresh_until_ms: 10_000,
        renewable_until_ms: Some(20_000),
        stale_until_ms: 30_000,
        validated_ms: None,
        asked_ms: None,
        chunks: None,
        source_state: None,
        origin: "default".into(),
        path: Some("a.mp4".into()),
        options: "w=640:f=mp4".into(),
        preset: None,
        source: 0,
        tags: vec!["asset:a.mp4".into()],
        unfit: None,
        unfit_number: None,
        location: None,
    }
}

#[test]
fn a_purge_says_more_than_the_clock_and_the_end_of_all_times_more_than_a_soft_one() {
    use Standing::{Purged, Soft, Valid};
    for (now_ms, standing, word) in [
        (9_999, Valid, "fresh"),
        (10_000, Valid, "renewable"),
        (20_000, Valid, "stale"),
        (30_000, Valid, "expired"),
        (9_999, Soft, "renewable"),
        (20_000, Soft, "stale"),
        (30_000, Soft, "expired"),
        (9_999, Purged, "purged"),
        (30_000, Purged, "purged"),
    ] {
        assert_eq!(state(&metadata(), standing, now_ms), word, "{now_ms} {standing:?}");
    }
}

fn read(document: &Document) -> Value {
    document.to_string().parse().unwrap()
}

#[test]
fn what_cannot_be_read_is_shown_all_the_same() {
    for text in [None, Some("{}"), Some("")] {
        let shown = shown("video:a/b%3ac.mp4:w=640", text, &Ledger::default(), 0);
        let wanted = json!({
            "key": "video:a/b%3ac.mp4:w=640", "source": "a/b:c.mp4", "state": "unreadable"
        });
        assert_eq!(read(&shown), wanted);
    }
}

#[test]
fn a_failure_has_its_reason_and_a_body_in_chunks_their_number() {
    let mut failure = metadata();
    (failure.status, failure.length, failure.content_type) = (404, 0, String::new());
    (failure.unfit, failure.unfit_number) = (Some("transform-error".into()), Some(9404));
    let text = failure.encode().unwrap();
    let seen = read(&shown("k", Some(&text), &Ledger::default(), 3_000));
    assert_eq!(
        (&seen["status"], &seen["reason"], &seen["content_type"]),
        (&json!(404), &json!("transform-error 9404"), &Value::Null)
    );
    let mut long = metadata();
    let chunks = crate::cache::entry::Chunks { bytes: 10, manifest_bytes: 80, head_bytes: 5 };
    long.chunks = Some(chunks);
    let text = long.encode().unwrap();
    let seen = read(&shown("k", Some(&text), &Ledger::default(), 3_000));
    assert_eq!((&seen["chunks"], &seen["bytes"]), (&json!(3), &json!(25)));
    assert_eq!(seen["created"], "1970-01-01T00:00:02.000Z");
    assert_eq!(seen["stale_until"], "1970-01-01T00:00:30.000Z");
}

fn name(key: &str, path: Option<&str>) -> KvName {
    let metadata = Metadata { path: path.map(str::to_owned), ..metadata() };
    KvName { key: key.to_owned(), metadata: Some(metadata.encode().unwrap()) }
}

#[test]
fn a_source_has_its_own_variants_and_not_those_of_one_whose_name_goes_on() {
    let wanted = Wanted::parse("clips/a.mp4").unwrap();
    assert_eq!(wanted.prefix, "video:clips/a.mp4");
    assert!(wanted.has(&name("video:clips/a.mp4:w=640", None)));
    assert!(wanted.has(&name("video:clips/a.mp4", None)));
    assert!(!wanted.has(&name("video:clips/a.mp4.mp4:w=640", Some("clips/a.mp4"))));
    assert!(!wanted.has(&name("video:clips/a.mp4/b.mp4:w=640", None)));
    assert_eq!(Wanted::parse("/clips/a:b.mp4").unwrap().prefix, "video:clips/a%3ab.mp4");
    for none in ["a\u{0}b", "", "/"] {
        assert!(Wanted::parse(none).is_err(), "{none}");
    }
}

#[test]
fn of_a_key_that_is_cut_the_entry_says_what_it_is_of() {
    let long = format!("{}.mp4", "x".repeat(600));
    let wanted = Wanted::parse(&long).unwrap();
    assert_eq!(wanted.prefix.len(), CERTAIN_BYTES);
    let key = format!("{}~{}", wanted.prefix, "0".repeat(32));
    assert_eq!(key.len(), KV_KEY_BYTES_MAX);
    assert!(wanted.has(&name(&key, Some(&long))));
    assert!(wanted.has(&name(&key, None)), "it may be");
    assert!(!wanted.has(&name(&key, Some("another.mp4"))));
    assert_eq!(source_of(&key), None);

    let nearly = Wanted::parse(&"y".repeat(CERTAIN_BYTES - PREFIX.len())).unwrap();
    let cut = format!("{}~{}", nearly.prefix, "0".repeat(32));
    assert!(nearly.is_whole && nearly.has(&name(&cut, Some(&nearly.source))));
    assert!(!nearly.has(&name(&cut, Some("another.mp4"))));
}

#[test]
fn a_cursor_goes_on_with_its_own_list_and_no_other() {
    let sealed = sealed("video:a", "next:7");
    assert_eq!(opened("video:a", &sealed).as_deref(), Some("next:7"));
    assert_eq!(opened("video:b", &sealed), None);
    for bad in ["", ".", "x.y", sealed.get(1..).unwrap()] {
        assert_eq!(opened("video:a", bad), None, "{bad}");
    }
}
