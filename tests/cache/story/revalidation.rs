//! A source is asked whether it has changed before anything is made of it again.

use http::header;
use serde_json::{Value, json};
use video_resizer::cache::entry::Outcome;
use video_resizer::cache::ports::{Call, Purpose};

use super::{KEY, VIDEO};
use crate::fakes::upstream::{Making, Source};
use crate::fakes::viewer::{House, get, head};
use crate::fakes::weather::{Mishap, Script};

pub(super) const CHANGED: [Option<&str>; 2] = [Some("\"changed\""), None];
pub(super) const DAY_S: u64 = 86_400;

/// A source that knows conditional requests, and a rendition of it.
pub(super) fn filled(more: &Value) -> House {
    made_in(House::new(more))
}

pub(super) fn made_in(house: House) -> House {
    house.host.upstream.knows_conditions.set(true);
    house.host.upstream.validators.set([Some("\"first\""), Some("Mon, 01 Jun 2026 10:00:00 GMT")]);
    house.get(VIDEO);
    house
}

pub(super) fn calls(house: &House, purpose: Purpose) -> Vec<Call> {
    let calls = house.host.upstream.calls.borrow();
    calls.iter().filter(|call| call.purpose == purpose).cloned().collect()
}

pub(super) fn made(house: &House) -> usize {
    house.host.upstream.made.borrow().len()
}

#[test]
fn the_source_is_asked_by_what_it_said_of_itself_and_by_nothing_of_the_viewers() {
    let house = filled(&json!({}));
    house.pass_s(DAY_S + 1);
    house.send(&get(VIDEO).range("bytes=0-1").with("if-none-match", "\"mine\""));
    let asked = calls(&house, Purpose::Probe).pop().unwrap();
    assert_eq!(
        (asked.method.as_str(), asked.url.as_str()),
        ("HEAD", "https://source.example/clips/a.mp4")
    );
    let value = |name| {
        let mut values = asked.headers.iter().filter(|(sent, _)| *sent == name);
        let value = values.next().map(|(_, value)| value.to_str().unwrap().to_owned());
        assert!(values.next().is_none(), "{name} twice");
        value
    };
    assert_eq!(value(header::IF_NONE_MATCH).as_deref(), Some("\"first\""));
    assert_eq!(value(header::IF_MODIFIED_SINCE).as_deref(), Some("Mon, 01 Jun 2026 10:00:00 GMT"));
    assert_eq!(value(header::RANGE), None);
}

#[test]
fn a_changed_source_is_made_again_under_a_name_of_its_own() {
    let house = filled(&json!({}));
    house.pass_s(DAY_S + 1);
    house.host.upstream.validators.set(CHANGED);
    let past = house.get(VIDEO);
    assert_eq!(past.settled, ["kv-find", "probe", "transform", "probe", "kv-keep", "edge-keep"]);
    let orders = calls(&house, Purpose::Transform);
    let names: Vec<&str> = orders.iter().map(|call| call.url.rsplit_once('/').unwrap().1).collect();
    assert_eq!(names[0], "a.mp4");
    let version = names[1].strip_prefix("a.mp4?v=").expect("a version");
    assert!(version.len() == 16 && version.bytes().all(|b| b.is_ascii_hexdigit()), "{version}");
    let new = house.get(VIDEO);
    assert_ne!(new.header("etag"), past.header("etag"));
    assert_eq!(new.bytes, *house.host.upstream.last_made());

    // From then on it is the new state that is asked for.
    house.pass_s(DAY_S + 1);
    assert!(!house.get(VIDEO).settled.contains(&"transform"));
    house.host.upstream.validators.set([Some("\"third\""), None]);
    house.pass_s(DAY_S + 1);
    house.get(VIDEO);
    let third = calls(&house, Purpose::Transform).pop().unwrap().url;
    assert!(third.contains("?v=") && third != orders[1].url, "{third}");
}

#[test]
fn a_source_that_has_changed_keeps_its_new_name_as_long_as_anything_is_kept_of_it() {
    // Once behind a viewer's back, and once before one who finds only what is good for emergencies.
    for past_s in [1, 3_601] {
        let house = filled(&json!({}));
        house.host.upstream.validators.set(CHANGED);
        house.pass_s(DAY_S + 1);
        house.get(VIDEO);
        let orders = || calls(&house, Purpose::Transform);
        let named = orders().pop().unwrap().url;
        assert!(named.contains("?v="), "{named}");
        house.host.upstream.sources_are(|_| Source::Fails);
        house.pass_s(DAY_S + past_s);
        house.elsewhere();
        house.get(VIDEO);
        assert_eq!(orders().len(), 3);
        assert_eq!(orders().pop().unwrap().url, named, "{past_s} s past its lifetime");
    }
}

#[test]
fn a_source_that_knows_no_conditions_is_held_to_what_it_says() {
    for (now, transforms) in [
        ([Some("\"first\""), Some("Tue, 02 Jun 2026 10:00:00 GMT")], 1),
        ([Some("\"first\""), None], 1),
        ([Some("\"second\""), Some("Mon, 01 Jun 2026 10:00:00 GMT")], 2),
        ([None, Some("Mon, 01 Jun 2026 10:00:00 GMT")], 2),
        ([None, None], 2),
    ] {
        let house = filled(&json!({}));
        house.host.upstream.knows_conditions.set(false);
        house.host.upstream.validators.set(now);
        house.pass_s(DAY_S + 1);
        house.get(VIDEO);
        assert_eq!(made(&house), transforms, "{now:?}");
    }
}

#[test]
fn what_is_fresh_is_asked_about_at_most_once_in_the_configured_window() {
    let house = filled(&json!({"sources": {"revalidateAfter": 1_000}}));
    let asked = || calls(&house, Purpose::Probe).len();
    assert_eq!(asked(), 1, "when it was made");
    house.pass_s(999);
    assert_eq!(house.get(VIDEO).settled, [""; 0]);
    house.pass_s(1);
    for _ in 0..3 {
        assert_eq!(house.get(VIDEO).cost, ["edge-find"], "no viewer ever waits for it");
    }
    assert_eq!(asked(), 2, "an edge hit renews as well");
    house.elsewhere();
    assert_eq!(house.get(VIDEO).settled, ["edge-keep"], "nor does any other data centre ask");
    house.pass_s(1_000);
    house.elsewhere();
    assert_eq!(house.get(VIDEO).settled, ["edge-keep", "kv-find", "probe", "kv-keep", "edge-keep"]);
    assert_eq!((asked(), made(&house)), (3, 1));

    let house = filled(&json!({}));
    house.pass_s(DAY_S - 10);
    assert_eq!(house.get(VIDEO).settled, [""; 0], "0 is never, while it is fresh");
}

#[test]
fn a_change_is_noticed_within_the_window_though_the_lifetime_is_long() {
    let house = filled(&json!({"sources": {"revalidateAfter": 1_000}}));
    house.pass_s(1_000);
    house.host.upstream.validators.set(CHANGED);
    for asking in [get(VIDEO).range("bytes=0-1"), head(VIDEO), get(VIDEO)] {
        house.send(&asking);
        assert_eq!(made(&house), 2, "{asking:?}");
    }
    assert_eq!(house.get(VIDEO).bytes, *house.host.upstream.last_made());
}

#[test]
fn an_edge_far_away_hears_of_it_from_kv_without_asking_the_source() {
    let here = filled(&json!({"sources": {"revalidateAfter": 1_000}}));
    let there = here.in_another_data_centre();
    there.get(VIDEO);
    here.pass_s(1_000);
    here.host.upstream.validators.set(CHANGED);
    here.get(VIDEO);
    let asked = calls(&here, Purpose::Probe).len();
    assert_eq!(there.get(VIDEO).settled, ["kv-find", "edge-keep"]);
    assert_eq!(there.get(VIDEO).bytes, *here.host.upstream.last_made());
    assert_eq!(calls(&here, Purpose::Probe).len(), asked);

    // A body in chunks is not read for that: the next viewer brings it along.
    let here = made_in(House::of_tiny_chunks(&json!({"sources": {"revalidateAfter": 1_000}})));
    let there = here.in_another_data_centre();
    there.get(VIDEO);
    here.pass_s(1_000);
    here.host.upstream.validators.set(CHANGED);
    here.get(VIDEO);
    assert_eq!(there.get(VIDEO).settled, ["kv-find", "edge-remove"]);
    let next = there.get(VIDEO);
    assert_eq!(
        (&next.bytes[..], next.settled),
        (&here.host.upstream.last_made()[..], vec!["edge-keep"])
    );
}

#[test]
fn a_silent_source_changes_nothing_and_is_left_alone_for_the_window() {
    let silences: [fn(&House); 2] = [
        |house| house.host.upstream.sources_are(|_| Source::Fails),
        |house| house.host.world.set_weather(Script::new(&[("probe", Mishap::TimedOut)])),
    ];
    for silence in silences {
        let house = filled(&json!({"sources": {"revalidateAfter": 1_000}}));
        let before = house.in_kv(KEY);
        house.pass_s(1_000);
        silence(&house);
        assert_eq!(house.get(VIDEO).settled, ["kv-find", "probe", "kv-keep", "edge-keep"]);
        let after = house.in_kv(KEY);
        assert_eq!((&after.generation, made(&house)), (&before.generation, 1));
        assert_eq!(after.fresh_until_ms, before.fresh_until_ms, "it earns no new lifetime");
        let seen = house.get(VIDEO);
        assert_eq!((seen.settled.len(), seen.max_age_s(), seen.age_s()), (0, DAY_S, 1_000));
        house.pass_s(900);
        assert_eq!(house.get(VIDEO).settled, [""; 0], "it is left alone");
        house.pass_s(100);
        assert!(house.get(VIDEO).settled.contains(&"probe"));
    }
}

#[test]
fn a_silent_source_of_what_is_past_its_lifetime_is_given_to_the_transformer() {
    let house = filled(&json!({}));
    house.pass_s(DAY_S + 1);
    house.host.upstream.sources_are(|_| Source::Fails);
    let past = house.get(VIDEO);
    assert_eq!(past.settled, ["kv-find", "probe", "transform", "probe", "kv-keep", "edge-keep"]);
    let order = calls(&house, Purpose::Transform).pop().unwrap();
    assert!(order.url.ends_with("/a.mp4"), "{}", order.url);
}

#[test]
fn a_source_that_is_gone_is_remembered() {
    let house = filled(&json!({"sources": {"revalidateAfter": 1_000}}));
    house.pass_s(1_000);
    house.host.upstream.sources_are(|_| Source::Missing);
    house.host.upstream.makes(Making::SaysError(9404));
    let last = house.get(VIDEO);
    assert_eq!((last.status, last.whole), (200, true));
    assert_eq!(last.settled, ["kv-find", "probe", "transform", "probe", "kv-keep", "edge-keep"]);
    assert!(matches!(house.in_kv(KEY).outcome(), Outcome::Failure(_)));
    assert_eq!(house.get(VIDEO).status, 404);
    house.elsewhere();
    assert_eq!(house.get(VIDEO).status, 404);
}

#[test]
fn what_its_source_said_nothing_of_is_made_anew() {
    for more in [json!({"sources": {"probe": false}}), json!({})] {
        let house = House::new(&more);
        house.host.upstream.validators.set([None, None]);
        house.get(VIDEO);
        house.pass_s(DAY_S + 1);
        house.elsewhere();
        let seen = house.get(VIDEO);
        assert_eq!(seen.settled[..2], ["kv-find", "transform"], "{:?}", seen.settled);
    }
    let house = House::new(&json!({"sources": {"revalidateAfter": 1_000}}));
    house.host.upstream.validators.set([None, None]);
    house.get(VIDEO);
    house.pass_s(2_000);
    assert_eq!(house.get(VIDEO).settled, [""; 0], "while it is fresh there is nothing to ask");
}

#[test]
fn the_source_it_was_made_of_is_asked_with_its_credentials() {
    let house = House::new(&json!({"origins": [{
        "name": "vault", "pattern": "^/(.+)$",
        "sources": [
            {"url": "https://public.example/$1"},
            {"url": "https://vault.example/$1", "auth": {"type": "bearer", "secret": "VAULT"}}
        ]
    }]}));
    let mut secrets = house.host.secrets.borrow_mut();
    secrets.insert("VAULT".to_owned(), "the source's own token".to_owned());
    secrets.insert("SOURCE_RELAY_KEY".to_owned(), "a relay key of some length".to_owned());
    drop(secrets);
    house.host.upstream.makes_of(|url| {
        if url.contains("public.example") { Making::Status(404) } else { Making::Good }
    });
    house.get(VIDEO);
    house.pass_s(DAY_S + 1);
    assert_eq!(house.get(VIDEO).settled, ["kv-find", "probe", "kv-keep", "edge-keep"]);
    let asked = calls(&house, Purpose::Probe).pop().unwrap();
    assert_eq!(asked.url, "https://vault.example/clips/a.mp4");
    assert!(asked.headers.iter().any(|(name, _)| *name == header::AUTHORIZATION));

    // What has changed is made of the same source, relayed, under a name of its own.
    house.host.upstream.validators.set(CHANGED);
    house.pass_s(DAY_S + 1);
    house.get(VIDEO);
    let order = calls(&house, Purpose::Transform).pop().unwrap().url;
    assert!(order.contains("/vault/1/clips/a.mp4?v="), "{order}");
}
