//! Who asks for too much that is not made yet waits; whoever asks for what is there never does.

use serde_json::json;
use video_resizer::limits::LIMIT_PERIOD_S;

use super::VIDEO;
use crate::fakes::log::Ear;
use crate::fakes::upstream::Making;
use crate::fakes::viewer::{Asking, House, get, head};
use crate::fakes::weather::{Mishap, Script};

const DAY_S: u64 = 86_400;

/// Asked by a viewer of this address.
fn from(address: &str, url: &str) -> Asking {
    get(url).with("cf-connecting-ip", address)
}

fn limited_to(limit: u32) -> House {
    let house = House::plain();
    house.host.bind_limiter(limit);
    house
}

fn width(width: u16) -> String {
    format!("/clips/a.mp4?width={width}")
}

#[test]
fn too_many_misses_are_told_to_wait_and_cost_nothing_but_the_look() {
    let house = limited_to(2);
    for side in [100, 200] {
        let seen = house.send(&from("198.51.100.7", &width(side)));
        assert_eq!(seen.status, 200);
        assert_eq!(seen.cost[..4], ["edge-find", "kv-find", "limit", "transform"]);
    }
    let (seen, log) = Ear::listen(|| house.send(&from("198.51.100.7", &width(300))));
    assert_eq!((seen.status, seen.problem("code")), (429, json!("too-many-misses")));
    assert_eq!(seen.cost, ["edge-find", "kv-find", "limit"]);
    assert_eq!(seen.settled, [""; 0], "nothing is kept of it");
    assert_eq!(seen.header("retry-after"), LIMIT_PERIOD_S.to_string());
    assert_eq!(seen.header("cache-control"), "no-store");
    assert!(log.contains("phase=\"limited\""), "{log}");
    // Somebody else has a count of their own, and so does each IPv6 network.
    assert_eq!(house.send(&from("198.51.100.8", &width(300))).status, 200);
    assert_eq!(house.send(&from("2001:db8:1:2::1", &width(400))).status, 200);
    assert_eq!(house.send(&from("2001:db8:1:2::2", &width(500))).status, 200);
    assert_eq!(house.send(&from("2001:db8:1:2::3", &width(600))).status, 429);
}

#[test]
fn a_hit_is_never_counted_on_whichever_tier() {
    let house = limited_to(1);
    let asking = from("198.51.100.7", VIDEO);
    assert_eq!(house.send(&asking).status, 200);
    assert_eq!(house.send(&from("198.51.100.7", &width(100))).status, 429);
    for _ in 0..3 {
        assert_eq!(house.send(&asking).cost, ["edge-find"]);
    }
    house.elsewhere();
    let in_kv = house.send(&asking);
    assert!(!in_kv.cost.contains(&"limit"), "{:?}", in_kv.cost);
    // Past its lifetime it is served at once, and renewed: still a hit.
    house.pass_s(DAY_S + 1);
    let renewable = house.send(&asking);
    assert_eq!((renewable.status, renewable.cost.contains(&"limit")), (200, false));
    // So is the memory of a failure.
    house.host.upstream.makes(Making::SaysError(9404));
    assert_eq!(house.send(&from("203.0.113.1", &width(200))).status, 404);
    let remembered = house.send(&from("198.51.100.7", &width(200)));
    assert_eq!((remembered.status, remembered.cost.contains(&"limit")), (404, false));
}

#[test]
fn what_is_old_is_served_instead_and_a_failure_that_is_old_is_not() {
    let house = limited_to(1);
    let asking = from("198.51.100.7", VIDEO);
    let made = house.send(&asking);
    house.pass_s(DAY_S + 3_601);
    let old = house.send(&asking);
    assert_eq!((old.status, &old.bytes), (200, &made.bytes));
    assert_eq!(old.cost, ["edge-find", "kv-find", "limit"]);
    assert!(old.cache().contains("video-resizer-kv; hit; ttl=-"), "{}", old.cache());
    assert_eq!(house.send(&asking.clone().range("bytes=0-9")).bytes, made.bytes[..10]);

    let broken =
        House::new(&json!({"ttl": {"clientError": 60}, "staleIfError": {"clientError": 3_600}}));
    broken.host.bind_limiter(1);
    broken.host.upstream.makes(Making::SaysError(9404));
    assert_eq!(broken.send(&asking).status, 404);
    broken.pass_s(61);
    assert_eq!(broken.send(&asking).problem("code"), "too-many-misses");
}

#[test]
fn nobody_is_counted_who_pays_for_nothing_or_is_the_operator_or_has_no_name() {
    let house = limited_to(1);
    assert_eq!(house.send(&from("198.51.100.7", &width(100))).status, 200);
    let costs_nothing = head(&width(200)).with("cf-connecting-ip", "198.51.100.7");
    let wants_what_is_kept =
        from("198.51.100.7", &width(300)).with("cache-control", "only-if-cached");
    let is_operator = from("198.51.100.7", &width(400)).by_operator();
    let has_no_name = get(&width(500));
    for (asking, status) in
        [(costs_nothing, 200), (wants_what_is_kept, 504), (is_operator, 200), (has_no_name, 200)]
    {
        let seen = house.send(&asking);
        assert_eq!((seen.status, seen.cost.contains(&"limit")), (status, false), "{asking:?}");
    }
    assert_eq!(house.host.limiter.get().unwrap().counts.borrow().len(), 1);
    let off = House::new(&json!({"rateLimit": {"misses": false}}));
    off.host.bind_limiter(0);
    assert_eq!(
        off.send(&from("198.51.100.7", VIDEO)).cost,
        ["edge-find", "kv-find", "transform", "probe"]
    );
}

#[test]
fn a_way_around_the_caches_is_a_miss_like_any_other() {
    let house = House::new(&json!({"bypass": {"access": "open"}}));
    house.host.bind_limiter(2);
    let around = from("198.51.100.7", VIDEO).with("x-bypass-cache", "around");
    assert_eq!([0; 3].map(|_| house.send(&around).status), [200, 200, 429]);
    assert_eq!(house.send(&around.by_operator()).status, 200);
}

#[test]
fn a_limiter_that_fails_or_is_slow_limits_nobody_and_is_told_of() {
    for mishap in [Mishap::Refused, Mishap::TimedOut] {
        let house = limited_to(0);
        house.host.world.set_weather(Script::new(&[("limit", mishap)]));
        let (seen, log) = Ear::listen(|| house.send(&from("198.51.100.7", VIDEO)));
        assert_eq!(seen.status, 200, "{mishap:?}");
        assert!(log.contains("faults=\"limiter: "), "{log}");
        assert_eq!(house.send(&from("198.51.100.7", &width(100))).status, 429);
    }
}

#[test]
fn the_gate_is_not_asked_for_whoever_has_to_wait() {
    let house = limited_to(0);
    house.host.bind_gate();
    let seen = house.send(&from("198.51.100.7", VIDEO));
    assert_eq!((seen.status, seen.cost), (429, vec!["edge-find", "kv-find", "limit"]));
}
