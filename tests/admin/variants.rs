//! What is stored is listed, page by page, and looking changes nothing.

use serde_json::{Value, json};

use crate::desk::{get, house, make};
use crate::fakes::viewer::House;
use crate::fakes::weather::{Mishap, Script};

fn filled() -> House {
    let house = house(&json!({}));
    for width in 0..7 {
        house.get(&format!("/clips/a.mp4?width={}", 100 + width));
    }
    house.get("/clips/b.mp4?width=640");
    house.get("/clips/a.mp4.mp4?width=640");
    house.host.world.take_journal();
    house
}

fn keys(document: &Value) -> Vec<&str> {
    let variants = document["variants"].as_array().unwrap();
    variants.iter().map(|variant| variant["key"].as_str().unwrap()).collect()
}

/// Every page of a list.
fn pages(house: &House, target: &str) -> Vec<Value> {
    let mut pages = vec![make(house, &get(target)).good()];
    while let Some(cursor) = pages.last().unwrap()["cursor"].as_str() {
        let page = make(house, &get(&format!("{target}&cursor={cursor}"))).good();
        pages.push(page);
        assert!(pages.len() < 50, "a list without an end");
    }
    pages
}

#[test]
fn a_source_has_its_variants_and_no_others() {
    let house = filled();
    let pages = pages(&house, "/variants?source=clips/a.mp4&limit=3");
    assert!(pages.iter().all(|page| keys(page).len() <= 3));
    let all: Vec<_> = pages.iter().flat_map(keys).collect();
    let wanted: Vec<_> =
        (0..7).map(|it| format!("video:clips/a.mp4:w={}:f=mp4", 100 + it)).collect();
    assert_eq!(all, wanted);
    assert_eq!(
        make(&house, &get("/variants?source=/clips/none.mp4")).good(),
        json!({"variants": [], "cursor": null})
    );
}

#[test]
fn without_a_source_all_are_listed_and_nothing_is_written_or_read_whole() {
    let house = filled();
    let came = make(&house, &get("/variants?limit=1000"));
    assert_eq!(keys(&came.good()).len(), 9);
    assert!(came.cost.iter().all(|kind| *kind == "kv-list"), "{:?}", came.cost);
}

#[test]
fn a_variant_says_what_it_is() {
    let house = filled();
    let document = make(&house, &get("/variants?source=clips/b.mp4")).good();
    let variant = &document["variants"][0];
    for (member, value) in [
        ("source", json!("clips/b.mp4")),
        ("origin", json!("default")),
        ("options", json!("w=640:f=mp4")),
        ("status", json!(200)),
        ("state", json!("fresh")),
        ("reason", Value::Null),
        ("chunks", json!(0)),
    ] {
        assert_eq!(variant[member], value, "{member}");
    }
    assert!(variant["tags"].as_array().unwrap().contains(&json!("asset:clips/b.mp4")));
    house.host.world.pass_ms(24 * 3_600_000);
    let document = make(&house, &get("/variants?source=clips/b.mp4")).good();
    assert!(
        document["variants"].as_array().unwrap().first().is_none_or(|it| it["state"] != "fresh")
    );
}

#[test]
fn what_cannot_be_read_is_shown() {
    let house = house(&json!({}));
    house.host.kv.plant("video:a.mp4:w=1", Some("{}"), b"x");
    house.host.kv.plant("video:a.mp4:w=2", None, b"x");
    let document = make(&house, &get("/variants?source=a.mp4")).good();
    let states: Vec<_> =
        document["variants"].as_array().unwrap().iter().map(|it| &it["state"]).collect();
    assert_eq!(states, ["unreadable", "unreadable"]);
}

#[test]
fn a_cursor_of_another_list_is_refused_and_a_store_that_does_not_answer_is_named() {
    let house = filled();
    let page = make(&house, &get("/variants?source=clips/a.mp4&limit=1")).good();
    let cursor = page["cursor"].as_str().unwrap();
    let other = get(&format!("/variants?source=clips/b.mp4&cursor={cursor}"));
    assert_eq!(make(&house, &other).bad(400, "invalid"), ["cursor"]);
    house.host.world.set_weather(Script::new(&[("kv-list", Mishap::TimedOut)]));
    let came = make(&house, &get("/variants"));
    came.bad(503, "unavailable");
    assert_eq!(came.json()["binding"], "VIDEO_TRANSFORMATIONS_CACHE");
}
