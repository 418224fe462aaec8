//! Signed URLs: what they open, for how long, and what of them goes no further than the front door.

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use hmac::{Hmac, Mac};
use serde_json::{Value, json};
use sha2::Sha256;
use video_resizer::guard::signature::canonical;
use video_resizer::request::path::SourcePath;
use video_resizer::request::query::Query;

use super::{EDGE_URL, KEY, VIDEO};
use crate::fakes::log::Ear;
use crate::fakes::upstream::{Making, Source};
use crate::fakes::viewer::{House, Seen, asking, configuration, get, head};
use crate::fakes::world::BEGINNING_MS;

const NOW_S: u64 = BEGINNING_MS / 1000;
const KEYS: [(&str, &str); 2] = [("k1", "the first signing key"), ("k2", "the second signing key")];

/// A house whose only origin asks for signatures, with two keys.
fn house(more: &Value) -> House {
    let mut document = json!({
        "origins": [{
            "name": "default", "pattern": "^/(.+)$", "access": "signed",
            "sources": [{"url": "https://source.example/$1"}]
        }],
        "signing": {"keys": {"k1": "SIGN_1", "k2": "SIGN_2"}}
    });
    for (key, value) in more.as_object().unwrap() {
        document[key] = value.clone();
    }
    let house = House::new(&document);
    for (secret, (_, key)) in ["SIGN_1", "SIGN_2"].into_iter().zip(KEYS) {
        house.host.secrets.borrow_mut().insert(secret.to_owned(), key.to_owned());
    }
    house
}

/// A URL signed with a key for so many seconds from the beginning.
fn signed_by(which: usize, url: &str, for_s: u64) -> String {
    let (kid, key) = KEYS[which];
    let ends = format!("exp={}&kid={kid}", NOW_S + for_s);
    let url = format!("{url}{}{ends}", if url.contains('?') { '&' } else { '?' });
    let (path, query) = url.split_once('?').unwrap();
    let path = SourcePath::parse(path).unwrap();
    let message = canonical(&path, &Query::parse(query).unwrap()).unwrap();
    let mut mac = Hmac::<Sha256>::new_from_slice(key.as_bytes()).unwrap();
    mac.update(message.as_bytes());
    format!("{url}&sig={}", URL_SAFE_NO_PAD.encode(mac.finalize().into_bytes()))
}

fn signed(url: &str, for_s: u64) -> String {
    signed_by(0, url, for_s)
}

#[track_caller]
fn is_refused(house: &House, seen: &Seen, code: &str) {
    assert_eq!((seen.status, seen.problem("code")), (403, json!(code)));
    assert_eq!(seen.header("cache-control"), "no-store");
    assert_eq!((seen.cost.len(), seen.settled.len()), (0, 0), "nobody is asked");
    assert_eq!(seen.header("cache-status"), "");
    assert!(house.host.upstream.calls.borrow().len() <= 2);
}

#[test]
fn a_signed_url_is_a_miss_then_a_hit_and_ends_with_its_last_second_though_the_edge_has_it() {
    let house = house(&json!({}));
    let url = signed(VIDEO, 1_000);
    assert_eq!(house.get(&url).cost, ["edge-find", "kv-find", "transform", "probe"]);
    assert_eq!(house.get(&url).cost, ["edge-find"]);
    house.pass_s(1_000);
    is_refused(&house, &house.get(&url), "signature-expired");
    assert_eq!(house.get(&url).problem("expires"), json!(NOW_S + 1_000));
    assert_eq!(house.get(&signed(VIDEO, 2_000)).cost, ["edge-find"], "signed anew it is there");
}

#[test]
fn nothing_of_a_signature_reaches_key_edge_tags_recipe_or_transformation() {
    let seen = |access: &str, url: &str| {
        let house = house(&json!({}));
        let mut document =
            configuration(&json!({"signing": {"keys": {"k1": "SIGN_1", "k2": "SIGN_2"}}}));
        document["origins"][0]["access"] = json!(access);
        let config = video_resizer::config::Config::check(&document).unwrap();
        let house = House { config, ..house };
        let answer = house.get(url);
        let calls: Vec<_> =
            house.host.upstream.calls.borrow().iter().map(|call| call.url.clone()).collect();
        assert_eq!(
            (answer.status, house.kv_keys(), house.edge_urls()),
            (200, vec![KEY.to_owned()], vec![EDGE_URL.to_owned()]),
            "{url}"
        );
        (answer.header("x-cache-key").to_owned(), house.in_kv(KEY), calls)
    };
    let unsigned = seen("open", VIDEO);
    for url in [signed_by(0, VIDEO, 10), signed_by(0, VIDEO, 99_999_999), signed_by(1, VIDEO, 10)] {
        for access in ["open", "signed", "signed-or-preset"] {
            let signed = seen(access, &url);
            assert_eq!((&signed.0, &signed.2), (&unsigned.0, &unsigned.2), "{access}");
            let (signed, unsigned) = (&signed.1, &unsigned.1);
            assert_eq!((&signed.options, &signed.tags), (&unsigned.options, &unsigned.tags));
            assert_eq!(signed.fresh_until_ms, unsigned.fresh_until_ms, "a copy outlives the URL");
        }
    }
}

#[test]
fn whoever_signs_and_for_how_long_all_share_one_entry() {
    let house = house(&json!({}));
    house.get(&signed_by(0, VIDEO, 100));
    for url in [signed_by(0, VIDEO, 200), signed_by(1, VIDEO, 300)] {
        assert_eq!(house.get(&url).cost, ["edge-find"]);
    }
}

#[test]
fn without_a_genuine_signature_a_hit_is_refused_like_a_miss() {
    let house = house(&json!({}));
    let url = signed(VIDEO, 100);
    for warm in [false, true] {
        if warm {
            house.get(&url);
        }
        is_refused(&house, &house.get(VIDEO), "signature-missing");
        for forged in [
            url.replace("640", "641"),
            url.replace("clips/a", "clips/b"),
            url.replace("kid=k1", "kid=k2"),
            url.replace("exp=1", "exp=2"),
            format!("{url}&nocache=1"),
            format!("{VIDEO}&sig="),
        ] {
            is_refused(&house, &house.get(&forged), "signature-invalid");
        }
        let twice = house.get(&format!("{url}&kid=k1"));
        assert_eq!((twice.status, twice.problem("code")), (400, json!("parameter-duplicate")));
    }
}

#[test]
fn head_ranges_and_conditions_are_guarded_alike_and_options_is_always_answered() {
    let house = house(&json!({}));
    let url = signed(VIDEO, 100);
    let etag = house.get(&url).header("etag").to_owned();
    assert_eq!(house.send(&head(&url)).status, 200);
    assert_eq!(house.send(&get(&url).range("bytes=0-9")).status, 206);
    assert_eq!(house.send(&get(&url).with("if-none-match", &etag)).status, 304);
    for url in [VIDEO.to_owned(), url.replace("640", "641")] {
        for asking in [
            head(&url),
            get(&url).range("bytes=0-9"),
            get(&url).with("if-none-match", &etag),
            get(&url).with("cache-control", "only-if-cached"),
        ] {
            let seen = house.send(&asking);
            assert_eq!((seen.status, seen.cost.len()), (403, 0), "{asking:?}");
        }
        assert_eq!(house.send(&asking("OPTIONS", &url)).status, 204);
    }
}

#[test]
fn a_viewer_shows_it_no_longer_than_its_url_lasts() {
    let house = house(&json!({}));
    let left_s = |seen: &Seen| seen.max_age_s() - seen.age_s();
    let miss = house.get(&signed(VIDEO, 600));
    assert_eq!(left_s(&miss), 599, "less the second in which it was made");
    house.pass_s(100);
    let hit = house.get(&signed(VIDEO, 600));
    assert!((498..=500).contains(&left_s(&hit)) && hit.age_s() >= 100, "{hit:#?}");
    let unchanged = house.send(&get(&signed(VIDEO, 600)).with("if-none-match", hit.header("etag")));
    assert_eq!(left_s(&unchanged), left_s(&hit));
    let long = house.get(&signed(VIDEO, 9_999_999));
    assert_eq!(long.max_age_s(), 86_400, "no longer than the entry either");
    house.elsewhere();
    assert!(left_s(&house.get(&signed(VIDEO, 600))) <= 500, "from KV alike");
    let operator = house.send(&get(VIDEO).by_operator());
    assert_eq!(operator.max_age_s(), 86_400, "an operator needs no URL that ends");
}

#[test]
fn what_is_remembered_as_missing_is_no_longer_so_than_its_url_lasts() {
    let house = house(&json!({"ttl": {"clientError": 3_600}}));
    house.host.upstream.makes(Making::SaysError(9404));
    house.host.upstream.sources_are(|_| Source::Missing);
    for _ in 0..2 {
        let seen = house.get(&signed(VIDEO, 600));
        assert_eq!(seen.status, 404);
        assert!((598..=600).contains(&seen.max_age_s()), "{}", seen.max_age_s());
    }
}

#[test]
fn a_key_is_rotated_without_a_moment_in_which_nobody_may() {
    let house = house(&json!({}));
    let (old, new) = (signed_by(0, VIDEO, 1_000), signed_by(1, VIDEO, 1_000));
    assert_eq!((house.get(&old).status, house.get(&new).status), (200, 200));
    let mut after = house.config.clone();
    after.signing.keys.remove("k1");
    let after = House { config: after, ..house };
    is_refused(&after, &after.get(&old), "signature-invalid");
    assert_eq!(after.get(&new).status, 200);
}

#[test]
fn a_missing_key_refuses_the_viewer_and_tells_the_operator_without_any_key() {
    let house = house(&json!({}));
    house.host.secrets.borrow_mut().remove("SIGN_1");
    let (seen, heard) = Ear::listen(|| house.get(&signed(VIDEO, 100)));
    is_refused(&house, &seen, "signature-invalid");
    assert!(heard.contains("a signing key is missing"), "{heard}");
    assert!(heard.contains("secret SIGN_1 is not set") && heard.contains("k1"), "{heard}");
    let body = String::from_utf8(seen.bytes).unwrap();
    assert!(!body.contains("SIGN_1") && !body.contains("secret"), "{body}");
    let (seen, heard) = Ear::listen(|| house.get(&signed_by(1, VIDEO, 100)));
    assert_eq!(seen.status, 200);
    assert!(!heard.contains("signing key") && !heard.contains(KEYS[1].1), "{heard}");
}

#[test]
fn what_is_stale_is_renewed_for_a_signed_url_as_for_any() {
    let house = house(&json!({"ttl": {"ok": 100}, "staleWhileRevalidate": {"ok": 1_000}}));
    house.get(&signed(VIDEO, 10_000));
    house.pass_s(200);
    house.elsewhere();
    let seen = house.get(&signed(VIDEO, 10_000));
    assert!(seen.cache().contains("stale"), "{}", seen.cache());
    assert!(seen.settled.contains(&"kv-keep"), "{:?}", seen.settled);
}

#[test]
fn debugging_says_what_is_needed_and_what_is_wrong_with_the_signature() {
    let house = house(&json!({}));
    let access = |url: &str| {
        let seen = house.send(&get(&format!("{url}&debug=view")).by_operator());
        let document: Value = serde_json::from_slice(&seen.bytes).unwrap();
        document["access"].clone()
    };
    let url = signed(VIDEO, 100);
    assert_eq!(
        access(&url),
        json!({
            "mode": "signed", "choices": ["width", "height"], "needs_signature": true, "by": "signature",
            "signature": {"valid": true, "kid": "k1", "expires": NOW_S + 100}
        })
    );
    assert_eq!(access(VIDEO)["by"], "operator");
    assert_eq!(access(VIDEO)["signature"]["code"], "signature-missing");
    assert_eq!(access(&url.replace("640", "641"))["signature"]["code"], "signature-invalid");
    house.pass_s(100);
    assert_eq!(access(&url)["signature"]["code"], "signature-expired");

    let open = self::house(&json!({"debug": {"enabled": true}}));
    let stranger = open.get(&format!("{}&debug=view", signed(VIDEO, 100)));
    let document: Value = serde_json::from_slice(&stranger.bytes).unwrap();
    assert_eq!(document["access"]["by"], "signature");
    is_refused(&open, &open.get(&format!("{VIDEO}&debug=view")), "signature-missing");
}
