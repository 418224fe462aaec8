//! The book loses nothing: not to another who writes, not to KV that fails, not to who puts by hand.

use futures_util::future::join_all;
use serde_json::{Value, json};
use video_resizer::limits::{
    CONFIG_RETRY_MS_MIN, CONFIG_TRIES_MAX, CONFIG_VERSIONS_MAX, KV_LAG_MS,
};

use crate::desk::{get, house, made, make, put};
use crate::fakes::run::run;
use crate::fakes::viewer::House;
use crate::fakes::weather::{Mishap, Script};

const STORED: &str = "worker-config";

fn ttl(ok_s: u64) -> Value {
    json!({"ttl": {"ok": ok_s}})
}

#[track_caller]
fn put_ok(house: &House, ok_s: u64) -> Value {
    make(house, &put("/config", &ttl(ok_s))).good()
}

#[track_caller]
fn listed(house: &House) -> Value {
    make(house, &get("/config")).good()
}

fn in_kv(house: &House) -> String {
    house.host.admin.documents.kept.borrow().get(STORED).cloned().unwrap_or_default()
}

fn by_hand(house: &House, text: &str) {
    let mut kept = house.host.admin.documents.kept.borrow_mut();
    kept.insert(STORED.to_owned(), text.to_owned());
}

fn wake(house: &House) {
    house.host.admin.book.storage.alarm_ms.set(None);
    run(house.host.admin.book.book.wake(&house.host.desk())).unwrap();
}

fn all_documents(house: &House) -> Vec<String> {
    let kept = house.host.admin.book.storage.kept.borrow();
    kept.iter().filter(|(name, _)| name.starts_with("document/")).map(|it| it.1.clone()).collect()
}

#[test]
fn of_many_who_put_at_once_none_is_lost_and_kv_has_the_last() {
    let house = house(&json!({}));
    let calls: Vec<_> = (1..=7).map(|ok_s| put("/config", &ttl(ok_s * ok_s * 7))).collect();
    let came = run(join_all(calls.iter().map(|call| made(&house, call))));
    let mut numbers: Vec<u64> =
        came.iter().map(|it| it.good()["version"].as_u64().unwrap()).collect();
    numbers.sort_unstable();
    assert_eq!(numbers, (1..=7).collect::<Vec<_>>());
    let documents = all_documents(&house);
    assert_eq!(documents.len(), 7);
    assert_eq!(in_kv(&house), *documents.last().unwrap(), "KV has another than the newest");
    assert_eq!(listed(&house)["drift"], false);
}

#[test]
fn of_many_who_have_seen_the_same_one_wins() {
    let house = house(&json!({}));
    put_ok(&house, 60);
    let call = |ok_s| put("/config", &ttl(ok_s)).with("if-match", "\"1\"");
    let calls: Vec<_> = (1..=5).map(call).collect();
    let came = run(join_all(calls.iter().map(|call| made(&house, call))));
    let won = came.iter().filter(|it| it.status == 200).count();
    assert_eq!((won, came.iter().filter(|it| it.status == 412).count()), (1, 4));
}

#[test]
fn what_kv_does_not_take_is_written_when_the_book_is_woken() {
    let house = house(&json!({}));
    put_ok(&house, 60);
    house.host.world.set_weather(Script::new(&[("document-put", Mishap::Refused)]));
    let came = put_ok(&house, 90);
    assert_eq!(came, json!({"version": 2, "stored": false, "active_within_s": null}));
    assert_eq!(in_kv(&house), ttl(60).to_string());
    let alarm_ms = house.host.admin.book.storage.alarm_ms.get().unwrap();
    assert!(alarm_ms <= house.host.world.now_ms() + CONFIG_RETRY_MS_MIN);
    wake(&house);
    assert_eq!(in_kv(&house), ttl(90).to_string());
    assert_eq!(house.host.admin.book.storage.alarm_ms.get(), None, "nothing is left to do");
}

#[test]
fn what_kv_does_not_take_is_written_by_the_next_who_asks() {
    let house = house(&json!({}));
    put_ok(&house, 60);
    house.host.world.set_weather(Script::new(&[("document-put", Mishap::Refused)]));
    put_ok(&house, 90);
    let listed = listed(&house);
    assert_eq!((&listed["active"], &listed["drift"]), (&ttl(90), &json!(false)));
    assert_eq!(in_kv(&house), ttl(90).to_string());
}

#[test]
fn kv_that_never_takes_it_is_asked_more_and_more_seldom_and_in_the_end_not_at_all() {
    let house = house(&json!({}));
    let never = vec![("document-put", Mishap::Refused); 200];
    house.host.world.set_weather(Script::new(&never));
    put_ok(&house, 60);
    let (mut pauses, began_ms) = (Vec::new(), house.host.world.now_ms());
    while let Some(alarm_ms) = house.host.admin.book.storage.alarm_ms.get() {
        let pause_ms = alarm_ms.saturating_sub(house.host.world.now_ms());
        house.host.world.pass_ms(pause_ms);
        pauses.push(pause_ms);
        wake(&house);
    }
    assert_eq!(pauses.len(), usize::try_from(CONFIG_TRIES_MAX).unwrap());
    assert!(pauses.windows(2).all(|two| two[0] <= two[1]), "{pauses:?}");
    assert_eq!((pauses[0], *pauses.last().unwrap()), (2_000, 900_000));
    assert!(house.host.world.now_ms() - began_ms > 20 * 3_600_000, "about a day");
}

#[test]
fn a_lost_acknowledgement_is_written_once_more_and_no_drift() {
    let house = house(&json!({}));
    house.host.world.set_weather(Script::new(&[("document-put", Mishap::LostAck)]));
    assert_eq!(put_ok(&house, 60)["stored"], false);
    assert_eq!(listed(&house)["drift"], false);
    assert_eq!(listed(&house)["version"], 1);
}

#[test]
fn what_was_put_by_hand_is_told_and_becomes_a_version_before_it_is_replaced() {
    let house = house(&json!({}));
    put_ok(&house, 60);
    by_hand(&house, "{\"ttl\": {\"ok\": 77}}");
    let seen = make(&house, &get("/config"));
    assert_eq!((&seen.good()["active"], &seen.json()["drift"]), (&ttl(77), &json!(true)));
    let tag = seen.header("etag").to_owned();
    assert_eq!(seen.json()["version"], 1);
    assert!(tag.starts_with("\"1-") && tag.ends_with("-drift\""), "{tag}");
    let blind = put("/config", &ttl(90)).with("if-match", "\"1\"");
    make(&house, &blind).bad(412, "precondition-failed");
    let seeing = put("/config", &ttl(90)).with("if-match", &tag);
    assert_eq!(make(&house, &seeing).good()["version"], 3);
    let listed = listed(&house);
    assert_eq!((&listed["active"], &listed["drift"]), (&ttl(90), &json!(false)));
    assert!(listed["versions"][1]["note"].as_str().unwrap().contains("by hand"));
    assert_eq!(make(&house, &get("/config/versions/2")).text, "{\"ttl\": {\"ok\": 77}}");
}

#[test]
fn who_has_seen_one_document_that_was_put_by_hand_does_not_replace_another() {
    let house = house(&json!({}));
    put_ok(&house, 60);
    let tag_of = |document: &str| {
        by_hand(&house, document);
        make(&house, &get("/config")).header("etag").to_owned()
    };
    let seen = tag_of("{\"ttl\": {\"ok\": 77}}");
    assert_eq!(tag_of("{\"ttl\": {\"ok\": 77}}"), seen, "the same is the same");
    let newer = tag_of("{\"ttl\": {\"ok\": 78}}");
    let late = put("/config", &ttl(90)).with("if-match", &seen);
    let came = make(&house, &late);
    came.bad(412, "precondition-failed");
    assert_eq!(came.header("etag"), newer);
    assert_eq!(make(&house, &get("/config/diff?from=1")).good()["changes"][0]["to"], 78);
}

#[test]
fn what_was_in_kv_before_there_was_a_book_is_its_first_version() {
    let house = house(&json!({}));
    by_hand(&house, &ttl(33).to_string());
    assert_eq!(listed(&house)["drift"], true);
    assert_eq!(put_ok(&house, 60)["version"], 2);
    assert_eq!(make(&house, &get("/config/versions/1")).json(), ttl(33));
}

#[test]
fn what_isolates_can_never_have_taken_is_told_and_not_taken_in() {
    for text in ["{ no JSON", "[]"] {
        let house = house(&json!({}));
        put_ok(&house, 60);
        by_hand(&house, text);
        let seen = listed(&house);
        assert_eq!(seen["drift"], true, "{text}");
        assert_eq!(put_ok(&house, 90)["version"], 2);
    }
}

#[test]
fn an_old_version_that_kv_still_shows_is_no_drift_until_kv_must_have_caught_up() {
    let house = house(&json!({}));
    put_ok(&house, 60);
    put_ok(&house, 90);
    by_hand(&house, &ttl(60).to_string());
    assert_eq!(listed(&house)["drift"], false);
    house.host.world.pass_ms(KV_LAG_MS);
    assert_eq!(listed(&house)["drift"], true, "somebody has put it back by hand");
}

#[test]
fn a_document_that_was_deleted_by_hand_is_told() {
    let house = house(&json!({}));
    put_ok(&house, 60);
    put_ok(&house, 90);
    house.host.admin.documents.kept.borrow_mut().clear();
    let seen = listed(&house);
    assert_eq!((&seen["active"], &seen["drift"]), (&Value::Null, &json!(true)));
    assert_eq!(put_ok(&house, 30)["version"], 3, "nothing is nothing to take in");
}

#[test]
fn who_puts_by_hand_while_kv_has_not_taken_ours_came_later_and_wins() {
    let house = house(&json!({}));
    put_ok(&house, 60);
    house.host.world.set_weather(Script::new(&[("document-put", Mishap::Refused)]));
    put_ok(&house, 90);
    by_hand(&house, &ttl(77).to_string());
    wake(&house);
    assert_eq!(in_kv(&house), ttl(77).to_string());
    assert_eq!(listed(&house)["drift"], true);
    put_ok(&house, 30);
    assert_eq!(make(&house, &get("/config/versions/3")).json(), ttl(77));
    assert_eq!(make(&house, &get("/config/versions/2")).json(), ttl(90), "ours is not lost either");
}

#[test]
fn a_hundred_versions_are_kept_and_the_oldest_go_first() {
    let house = house(&json!({}));
    for ok_s in 1..=CONFIG_VERSIONS_MAX + 3 {
        put_ok(&house, ok_s);
    }
    let versions = listed(&house)["versions"].as_array().unwrap().clone();
    assert_eq!(versions.len() as u64, CONFIG_VERSIONS_MAX);
    assert_eq!((&versions[0]["version"], &versions[99]["version"]), (&json!(103), &json!(4)));
    assert_eq!(all_documents(&house).len() as u64, CONFIG_VERSIONS_MAX);
    make(&house, &get("/config/versions/3")).bad(404, "not-found");
    assert_eq!(make(&house, &get("/config/versions/4")).json(), ttl(4));
}
