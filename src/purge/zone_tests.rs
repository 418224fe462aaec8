#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, clippy::indexing_slicing)]
#![allow(clippy::unnecessary_wraps)] // as the API answers

use serde_json::json;

use super::*;
use crate::cache::ports::Secrets;
use crate::config::Config;
use crate::limits::{DURABLE_TEXT_BYTES_MAX, ECHO_KEPT_MS};
use crate::purge::aim;
use crate::purge::ledger::Mode;

struct Token;

impl Secrets for Token {
    fn secret(&self, _: &str) -> Option<String> {
        Some("t0ken".to_owned())
    }
}

fn settings(per_minute: u32) -> Settings {
    let document = json!({
        "purge": { "zoneId": "zone", "requestsPerMinute": per_minute },
        "tags": { "prefix": "v-" },
        "origins": [
            { "name": "a", "pattern": "^/a/(.*)$", "sources": [{ "url": "https://a.example/$1" }] },
            { "name": "b", "pattern": ".*", "sources": [{ "url": "https://b.example/" }] },
        ],
    });
    Settings::of(&Config::check(&document).unwrap(), &Token)
}

fn tag(text: &str) -> Item {
    Item::Tag(text.to_owned())
}

fn tags(range: std::ops::Range<usize>) -> Vec<Item> {
    range.map(|index| tag(&format!("tag-{index:04}"))).collect()
}

fn done() -> Result<ApiAnswer, Fault> {
    Ok(ApiAnswer { status: 200, retry_after_s: None, body: r#"{"success":true}"#.to_owned() })
}

fn failed(status: u16, retry_after_s: Option<u64>) -> Result<ApiAnswer, Fault> {
    let body = r#"{"success":false,"errors":[{"code":1,"message":"no"}]}"#.to_owned();
    Ok(ApiAnswer { status, retry_after_s, body })
}

fn listed(batch: &Batch) -> Vec<String> {
    let body = Value::parse(batch.call.body.as_ref().unwrap()).unwrap();
    let list = body.get("tags").or_else(|| body.get("files")).unwrap().as_array().unwrap();
    list.iter().map(|item| item.as_str().unwrap().to_owned()).collect()
}

#[test]
fn every_target_is_told_to_the_zone_as_narrowly_as_its_tags_allow_and_nothing_that_is_not_ours() {
    let ours = [tag("v-origin:a"), tag("v-origin:b")];
    let told = |aim: &dyn Fn(&mut Order)| {
        let mut order = Order::of(Mode::Hard, String::new(), String::new());
        aim(&mut order);
        items(&order, &settings(5))
    };
    let prefix = |text: &str| told(&|order| order.aim_at_prefix(aim::prefix(text).unwrap()));
    assert_eq!(told(&|order| order.aim_at_tag("campaign".into())), [tag("campaign")]);
    assert_eq!(
        told(&|order| order.aim_at_path(&aim::path("a/b,c.mp4").unwrap())),
        [tag("v-asset:a/b%2Cc.mp4")]
    );
    assert_eq!(prefix("/a/b/c"), [tag("v-folder:a/b")]);
    assert_eq!(prefix("v.example/a/b/"), [tag("v-folder:a/b")]);
    assert_eq!(prefix("/a/1/2/3/4/5/6/7/8/9/"), [tag("v-folder:a/1/2/3/4/5/6/7")]);
    assert_eq!(prefix("/a"), ours);
    assert_eq!(told(&|order| order.aim_at_host("v.example".into())), ours);
    assert_eq!(told(&Order::aim_at_everything), ours);
    let mut order = Order::of(Mode::Hard, String::new(), String::new());
    let config = Config::defaults();
    order.aim_at_url("https://v.example/a.mp4?width=64&height=36", &config).unwrap();
    let files = items(&order, &settings(5));
    assert!(
        matches!(&files[..], [Item::File(url)] if url.starts_with("https://v.example/a.mp4?")),
        "{files:?}"
    );
}

#[test]
fn a_request_has_at_most_a_hundred_items_of_one_kind_and_purges_share_it() {
    let (mut queue, settings) = (Queue::new(), settings(5));
    queue.add(tags(0..60), 1, &settings);
    queue.add(vec![Item::File("https://v.example/a".into())], 2, &settings);
    queue.add(tags(30..130), 3, &settings);
    assert_eq!((queue.left(1), queue.left(2), queue.left(3)), (60, 31, 100));
    let first = queue.next(3, &settings, 0).unwrap();
    assert_eq!(listed(&first).len(), 100);
    queue.settle(&first, &done(), 0, 0);
    assert_eq!(queue.first(), Some(2), "the first purge is told");
    let second = queue.next(3, &settings, 0).unwrap();
    assert_eq!(listed(&second), ["https://v.example/a"]);
    queue.settle(&second, &done(), 0, 0);
    let third = queue.next(3, &settings, 0).unwrap();
    assert_eq!(listed(&third).len(), 30);
    queue.settle(&third, &done(), 0, 0);
    assert!(queue.is_empty() && queue.first().is_none());
    assert_eq!(queue.next(3, &settings, 0), None);
}

#[test]
fn what_is_purged_again_while_the_zone_is_told_is_told_again() {
    let (mut queue, settings) = (Queue::new(), settings(5));
    queue.add(vec![tag("a"), tag("b")], 1, &settings);
    let batch = queue.next(1, &settings, 0).unwrap();
    queue.add(vec![tag("a")], 2, &settings);
    queue.settle(&batch, &done(), 0, 0);
    assert_eq!((queue.first(), queue.left(1), queue.left(2)), (Some(2), 0, 1));
    assert_eq!(listed(&queue.next(2, &settings, 0).unwrap()), ["a"]);
}

#[test]
fn the_plans_rate_is_kept_with_its_burst() {
    let (mut queue, settings) = (Queue::new(), settings(5));
    queue.add(tags(0..4_000), 1, &settings);
    let mut made_ms = Vec::new();
    let mut now_ms = 0;
    while let Some(due_ms) = queue.due_ms(&settings).filter(|_| made_ms.len() < 31) {
        now_ms = due_ms.max(now_ms + 1);
        if let Some(batch) = queue.next(1, &settings, now_ms) {
            made_ms.push(now_ms);
            queue.settle(&batch, &done(), now_ms, 0);
        }
    }
    assert!(made_ms[24] < 100, "{made_ms:?}");
    for pair in made_ms[25..].windows(2) {
        assert!((11_900..12_200).contains(&(pair[1] - pair[0])), "{made_ms:?}");
    }
}

#[test]
fn a_zone_that_fails_is_asked_again_ever_more_seldom_and_what_it_says_is_kept() {
    let (mut queue, settings) = (Queue::new(), settings(3_000));
    queue.add(tags(0..1), 1, &settings);
    let (mut now_ms, mut waits) = (0, Vec::new());
    for _ in 0..11 {
        let batch = queue.next(1, &settings, now_ms).expect("it is due");
        queue.settle(&batch, &failed(500, None), now_ms, 0);
        assert_eq!(queue.next(1, &settings, queue.next_try_ms() - 1), None);
        waits.push((queue.next_try_ms() - now_ms) / 1_000);
        now_ms = queue.next_try_ms();
    }
    assert_eq!(waits, [1, 2, 4, 8, 16, 32, 64, 128, 256, 300, 300]);
    assert_eq!(queue.last_error(), "Cloudflare's API answered 500: no");
    assert!(!queue.is_refused());
    let batch = queue.next(1, &settings, now_ms).unwrap();
    queue.settle(&batch, &done(), now_ms, 0);
    assert!(queue.is_empty() && queue.last_error().is_empty());
}

#[test]
fn what_the_zone_answers_decides_when_it_is_asked_next() {
    let fault = Err(Fault::TimedOut { budget_ms: 5 });
    let not_json = Ok(ApiAnswer { status: 200, retry_after_s: None, body: "<html>".into() });
    for (answer, wait_s, is_refused) in [
        (failed(429, Some(30)), 30, false),
        (failed(429, Some(86_400)), 900, false),
        (failed(429, None), 1, false),
        (failed(503, Some(7)), 7, false),
        (failed(400, None), 900, true),
        (failed(401, None), 900, true),
        (failed(403, None), 900, true),
        (failed(404, None), 900, true),
        (failed(200, None), 1, false),
        (failed(302, None), 1, false),
        (fault, 1, false),
        (not_json, 1, false),
    ] {
        let (mut queue, settings) = (Queue::new(), settings(3_000));
        queue.add(tags(0..1), 1, &settings);
        let batch = queue.next(1, &settings, 0).unwrap();
        queue.settle(&batch, &answer, 0, 0);
        assert_eq!(
            (queue.next_try_ms() / 1_000, queue.is_refused()),
            (wait_s, is_refused),
            "{answer:?}"
        );
        assert!(!queue.is_empty() && !queue.last_error().is_empty(), "{answer:?}");
    }
}

#[test]
fn an_address_that_is_not_in_the_zone_keeps_nothing_else_from_being_purged() {
    let (mut queue, settings) = (Queue::new(), settings(3_000));
    let file = |host: &str| Item::File(format!("https://{host}/a.mp4"));
    queue.add(vec![file("a.example"), file("other.test"), file("b.example")], 1, &settings);
    queue.add(tags(0..3), 2, &settings);
    let (mut now_ms, mut told) = (0, Vec::new());
    for _ in 0..9 {
        now_ms = now_ms.max(queue.next_try_ms());
        let Some(batch) = queue.next(2, &settings, now_ms) else { break };
        let items = listed(&batch);
        if items.iter().any(|item| item.contains("other.test")) {
            let body = r#"{"success":false,"errors":[{"code":1016,"message":"no"}]}"#.to_owned();
            let answer = Ok(ApiAnswer { status: 400, retry_after_s: None, body });
            queue.settle(&batch, &answer, now_ms, 0);
        } else {
            queue.settle(&batch, &done(), now_ms, 0);
            told.extend(items);
        }
    }
    assert!(queue.is_empty() && now_ms < 10_000, "{queue:?}");
    assert_eq!(told.len(), 5, "{told:?}");
    // A token that is wrong is no address that is.
    queue.add(vec![file("a.example")], 3, &settings);
    let batch = queue.next(3, &settings, now_ms).unwrap();
    let body = r#"{"success":false,"errors":[{"code":6003,"message":"no"}]}"#.to_owned();
    let answer = Ok(ApiAnswer { status: 400, retry_after_s: None, body });
    queue.settle(&batch, &answer, now_ms, 0);
    assert!(queue.is_refused() && queue.left(3) == 1);
}

#[test]
fn retries_are_spread_and_never_later_than_their_time() {
    let waits: std::collections::BTreeSet<u64> = (0..100_u128)
        .map(|jitter| {
            let (mut queue, settings) = (Queue::new(), settings(3_000));
            queue.add(tags(0..1), 1, &settings);
            let batch = queue.next(1, &settings, 0).unwrap();
            queue.settle(&batch, &failed(500, None), 0, jitter * 7_919);
            queue.next_try_ms()
        })
        .collect();
    assert!(waits.len() > 50 && waits.iter().all(|ms| (750..=1_000).contains(ms)), "{waits:?}");
}

#[test]
fn without_the_secret_everything_waits_and_says_for_what() {
    let (mut queue, mut settings) = (Queue::new(), settings(5));
    queue.add(tags(0..1), 1, &settings);
    settings.zone = Zone::WithoutToken;
    assert_eq!(queue.next(1, &settings, 0), None);
    assert!(queue.is_refused() && queue.last_error().contains("PURGE_API_TOKEN"));
    assert_eq!(queue.due_ms(&settings), Some(900_000));
    assert_eq!(queue.left(1), 1);
}

#[test]
fn however_much_waits_it_stays_within_its_bound_and_every_purge_is_still_waited_for() {
    let (mut queue, settings) = (Queue::new(), settings(5));
    for number in 1..=20 {
        let long = (0..100).map(|index| tag(&format!("{number}-{index}-{}", "x".repeat(1_000))));
        queue.add(long.collect(), number, &settings);
    }
    let text = crate::json::write(&queue);
    assert!(text.len() < 1_000_000, "{}", text.len());
    assert!((1..=20).all(|number| queue.left(number) > 0));
    let batch = queue.next(20, &settings, 0).unwrap();
    assert!(listed(&batch).contains(&"v-origin:a".to_owned()));
}

#[test]
fn however_many_short_tags_wait_they_fit_into_one_text_of_the_storage() {
    let (mut queue, settings) = (Queue::new(), settings(5));
    for number in 1..=60 {
        let short = (0..1_000).map(|index| tag(&format!("sku\\{number}-{index}")));
        queue.add(short.collect(), number, &settings);
        let text = crate::json::write(&queue);
        assert!(text.len() < DURABLE_TEXT_BYTES_MAX / 2, "{number}: {}", text.len());
        assert!((1..=number).all(|number| queue.left(number) > 0));
    }
}

#[test]
fn only_what_the_zone_did_is_an_echo_and_each_only_once_and_at_its_time() {
    let digest = |items: &[&str]| payload_digest(&json!({ "tags": items }).into());
    let sent = |answer: Result<ApiAnswer, Fault>| {
        let (mut queue, settings) = (Queue::new(), settings(5));
        queue.add(vec![tag("a"), tag("b")], 1, &settings);
        let batch = queue.next(1, &settings, 1_000_000).unwrap();
        queue.settle(&batch, &answer, 1_000_100, 0);
        queue
    };
    let mut queue = sent(done());
    assert!(!queue.takes_echo(&digest(&["a"]), 1_000_000), "other items");
    assert!(!queue.takes_echo(&payload_digest(&json!({ "hosts": ["a", "b"] }).into()), 1_000_000));
    assert!(!queue.takes_echo(&digest(&["a", "b"]), 1_300_001), "too late");
    assert!(queue.takes_echo(&digest(&["b", "a"]), 1_300_000), "in another order");
    assert!(!queue.takes_echo(&digest(&["a", "b"]), 1_000_000), "only once");
    for answer in [failed(429, None), failed(403, None), Err(Fault::TimedOut { budget_ms: 1 })] {
        assert!(!sent(answer.clone()).takes_echo(&digest(&["a", "b"]), 1_000_000), "{answer:?}");
    }
    let mut old = sent(done());
    old.add(vec![tag("c")], 2, &settings(5));
    old.next(2, &settings(5), 1_000_000 + ECHO_KEPT_MS).unwrap();
    assert!(!old.takes_echo(&digest(&["a", "b"]), 1_000_000), "kept for three days");
}

#[test]
fn the_queue_is_these_bytes_in_the_storage() {
    let (mut queue, settings) = (Queue::new(), settings(5));
    queue.add(vec![tag("a")], 1, &settings);
    let text = r#"{"waiting":[{"item":{"tag":"a"},"from":1,"to":1}],"spared":25000000,"as_of_ms":0,"next_try_ms":0,"failures":0,"last_error":"","is_refused":false,"echoes":[]}"#;
    assert_eq!(crate::json::write(&queue), text);
    assert_eq!(crate::json::read::<Queue>(text).unwrap(), queue);
}
