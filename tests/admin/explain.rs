//! What a request would do is told without doing any of it.

use serde_json::{Value, json};

use crate::desk::{Came, get, house, make};
use crate::fakes::upstream::Making;
use crate::fakes::viewer::House;
use crate::fakes::weather::{Mishap, Script};

const VIDEO: &str = "/clips/a.mp4?width=640";

fn escaped(url: &str) -> String {
    url.replace('%', "%25").replace('?', "%3F").replace('&', "%26").replace('=', "%3D")
}

#[track_caller]
fn explain(house: &House, url: &str) -> Came {
    house.host.world.take_journal();
    let kept = format!("{:?}", house.host.kv.kept.borrow());
    let came = make(house, &get(&format!("/explain?url={}", escaped(url))));
    assert_eq!(kept, format!("{:?}", house.host.kv.kept.borrow()), "something was kept");
    let is_a_look = |kind: &&str| matches!(*kind, "edge-find" | "kv-find");
    assert!(came.cost.iter().all(is_a_look), "{:?}", came.cost);
    assert!(came.cost.len() <= 2, "{:?}", came.cost);
    came
}

fn tiers(document: &Value) -> (&str, &str, &str) {
    let state = |tier: &str| document["tiers"][tier]["state"].as_str().unwrap();
    (state("edge"), state("kv"), document["next"].as_str().unwrap())
}

#[test]
fn every_state_of_the_tiers_is_looked_at_and_left_as_it_is() {
    let house = house(&json!({"staleWhileRevalidate": {"ok": 0}}));
    let before = explain(&house, VIDEO);
    assert_eq!(tiers(&before.good()), ("absent", "absent", "fill"));
    assert_eq!(before.cost, ["edge-find", "kv-find"]);
    house.get(VIDEO);
    assert_eq!(tiers(&explain(&house, VIDEO).good()), ("fresh", "fresh", "edge hit"));
    let elsewhere = house.in_another_data_centre();
    assert_eq!(
        tiers(&explain(&elsewhere, VIDEO).good()),
        ("absent", "fresh", "kv hit, copy to the edge")
    );
    house.host.world.pass_ms(86_400_000);
    let (_, kv, next) = {
        let came = explain(&house, VIDEO).good();
        let it = tiers(&came);
        (0, it.1.to_owned(), it.2.to_owned())
    };
    assert_eq!((kv.as_str(), next.as_str()), ("stale", "fill; the stale entry where that fails"));
}

#[test]
fn it_says_through_the_gate_where_there_is_one_and_does_not_ask_it() {
    let house = house(&json!({}));
    house.host.bind_gate();
    assert_eq!(tiers(&explain(&house, VIDEO).good()).2, "fill through the gate");
}

#[test]
fn an_entry_is_told_with_its_age_its_time_left_and_its_generation() {
    let house = house(&json!({}));
    house.get(VIDEO);
    house.host.world.pass_ms(100_000);
    let document = explain(&house, VIDEO).good();
    let edge = &document["tiers"]["edge"];
    assert!((100..102).contains(&edge["age_s"].as_u64().unwrap()), "{edge}");
    assert_eq!(edge["generation"].as_str().unwrap().len(), 32);
    let left_s = edge["fresh_for_s"].as_u64().unwrap();
    assert_eq!(
        edge["age_s"].as_u64().unwrap() + left_s,
        document["rendition"]["ttl_s"]["ok"].as_u64().unwrap() - 1
    );
}

#[test]
fn a_remembered_failure_is_told_with_its_reason() {
    let house = house(&json!({"sources": {"fallbackToOriginal": false}}));
    house.host.upstream.makes(Making::SaysError(9404));
    house.get(VIDEO);
    let document = explain(&house, VIDEO).good();
    assert_eq!(
        document["tiers"]["kv"]["reason"],
        json!({"name": "transform-error", "number": 9404})
    );
    assert!(document["next"].as_str().unwrap().contains("remembered failure"));
}

#[test]
fn a_tier_that_is_off_or_broken_is_told_and_one_that_is_off_not_asked() {
    let off = house(&json!({"cache": {"edge": false}}));
    let came = explain(&off, VIDEO);
    assert_eq!(tiers(&came.good()), ("off", "absent", "fill"));
    assert_eq!(came.cost, ["kv-find"]);
    let broken = house(&json!({}));
    broken.host.world.set_weather(Script::new(&[("kv-find", Mishap::TimedOut)]));
    let document = explain(&broken, VIDEO).good();
    assert_eq!(document["tiers"]["kv"]["state"], "broken");
}

#[test]
fn what_decides_about_a_rendition_is_told() {
    let house = house(&json!({}));
    let document = explain(&house, "https://other.example/clips/a.mp4?width=640").good();
    assert_eq!(document["decision"], "render");
    assert_eq!(document["url"], "https://other.example/clips/a.mp4?width=640");
    assert_eq!(document["rule"]["name"], "default");
    let rendition = &document["rendition"];
    assert_eq!(rendition["kv_key"], "video:clips/a.mp4:w=640:f=mp4");
    assert!(
        rendition["sources"][0]["transformation"].as_str().unwrap().contains("/cdn-cgi/media/")
    );
}

#[test]
fn the_headers_of_the_request_that_is_explained_are_its_own() {
    let house = house(&json!({}));
    let target = "/explain?url=/clips/a.mp4&header=Sec-CH-Viewport-Width:%20400&header=X-Nothing:1&header=Authorization:Bearer%20x";
    let document = make(&house, &get(target)).good();
    assert_eq!(document["rendition"]["sizing"]["from"], "bucket");
    assert!(
        document["rendition"]["vary"].as_array().unwrap().contains(&json!("sec-ch-viewport-width"))
    );
    assert_eq!(document["ignored_headers"], json!(["x-nothing", "authorization"]));
}

#[test]
fn the_header_that_leads_around_the_caches_is_one_of_the_request() {
    let asked = "/explain?url=/clips/a.mp4&header=X-Around:around";
    let open = house(&json!({"bypass": {"access": "open", "header": "x-around"}}));
    let document = make(&open, &get(asked)).good();
    assert_eq!(document["ignored_headers"], json!([]));
    assert_eq!(tiers(&document), ("bypass", "bypass", "fill"));
    let reserved = house(&json!({"bypass": {"header": "x-around"}}));
    let document = make(&reserved, &get(asked)).good();
    assert_eq!(tiers(&document), ("absent", "absent", "fill"), "it is nobody's who explains");
}

#[test]
fn what_is_no_rendition_is_told_for_what_it_is_and_costs_nothing() {
    let house = house(&json!({"passThrough": {"url": "https://www.example"}}));
    for (url, decision, member, value) in [
        ("/page.html?a=1", "pass-through", "to", json!("https://www.example/page.html?a=1")),
        ("/clips/a.mp4?width=5", "refused", "code", json!("parameter-invalid")),
        ("/clips/a.mp4?width=5", "refused", "status", json!(400)),
        ("/_resizer/config", "admin", "url", json!("https://v.example/_resizer/config")),
        ("/_resizer/source/x/default/0/a.mp4", "refused", "status", json!(404)),
    ] {
        let came = explain(&house, url);
        let document = came.good();
        assert_eq!((&document["decision"], &document[member]), (&json!(decision), &value), "{url}");
        assert!(came.cost.is_empty(), "{:?}", came.cost);
    }
    for url in
        ["", "ftp://x/a.mp4", "https:///a.mp4", "https://a b/", "https://u@h/a.mp4", "/a b.mp4"]
    {
        let came =
            make(&house, &get(&format!("/explain?url={}", escaped(url).replace(' ', "%20"))));
        assert_eq!(came.bad(400, "invalid"), ["url"], "{url}");
    }
    let many = "&header=a:b".repeat(17);
    assert_eq!(
        make(&house, &get(&format!("/explain?url=/a.mp4{many}"))).bad(400, "invalid"),
        ["header"]
    );
}
