//! Who may ask what of an origin, and what free choice may cost.

use std::collections::BTreeSet;

use serde_json::{Value, json};

use crate::fakes::upstream::{Making, Source};
use crate::fakes::viewer::{House, Seen, asking, get, head};

/// Requests that choose nothing, in every way there is.
const PRESETS: [&str; 8] = [
    "/a.mp4",
    "/a.mp4?derivative=mobile",
    "/a.mp4?impolicy=thumbnail&filename=x&loop&muted=1&preload=auto",
    "/a.mp4?imwidth=700",
    "/a.mp4?imheight=700&imdensity=2",
    "/a.mp4?im-viewwidth=700",
    "/a.mp4?utm_source=x&fbclid=y",
    "/a.mp4?nocache=1",
];
/// Requests that choose something, and what.
const CHOICES: [(&str, &[&str]); 5] = [
    ("/a.mp4?width=640", &["width"]),
    ("/a.mp4?derivative=mobile&time=1", &["time"]),
    ("/a.mp4?derivative=mobile&dpr=1.1", &["dpr"]),
    ("/a.mp4?q=low&f=mp4", &["format", "quality"]),
    ("/a.mp4?mute=1&imwidth=700", &["audio"]),
];

fn house(access: &str, more: &Value) -> House {
    let mut document = json!({
        "origins": [{
            "name": "default", "pattern": "^/(.+)$", "access": access,
            "sources": [{"url": "https://source.example/$1"}]
        }],
        "signing": {"keys": {"k1": "SIGN_1"}}
    });
    for (key, value) in more.as_object().unwrap() {
        document["origins"][0][key] = value.clone();
    }
    House::new(&document)
}

#[track_caller]
fn is_refused(seen: &Seen, choices: &[&str]) {
    assert_eq!((seen.status, seen.problem("code")), (403, json!("not-allowed-here")));
    assert_eq!(seen.problem("parameters"), json!(choices));
    let allowed = seen.problem("allowed");
    assert!(allowed.as_str().unwrap().starts_with("ask for a preset"), "{allowed}");
    assert_eq!(seen.header("cache-control"), "no-store");
    assert_eq!((seen.cost.len(), seen.settled.len()), (0, 0), "nobody is asked");
}

#[test]
fn presets_and_what_is_chosen_for_the_viewer_are_free_where_nothing_else_is() {
    for access in ["presets", "signed-or-preset"] {
        let house = house(access, &json!({}));
        for url in PRESETS {
            assert_eq!(house.get(url).status, 200, "{access} {url}");
        }
        let phone = get("/a.mp4").with("sec-ch-width", "1234").with("sec-ch-dpr", "1.337");
        assert_eq!(house.send(&phone).status, 200);
        for (url, choices) in CHOICES {
            is_refused(&house.get(url), choices);
            assert_eq!(house.send(&head(url)).status, 403);
            assert_eq!(house.send(&get(url).range("bytes=0-1")).status, 403);
            assert_eq!(house.send(&asking("OPTIONS", url)).status, 204);
        }
    }
}

#[test]
fn the_operator_may_ask_anything_of_every_origin() {
    for access in ["open", "signed", "signed-or-preset", "presets"] {
        let house = house(access, &json!({}));
        for (url, _) in CHOICES {
            let operator = house.send(&get(url).by_operator());
            let scope = if access == "open" { "public" } else { "private" };
            let said = operator.header("cache-control");
            assert_eq!((operator.status, said.split(',').next()), (200, Some(scope)), "{access}");
            let guess = get(url).with("authorization", "Bearer a guess of some length");
            let wanted = if access == "open" { 200 } else { 403 };
            assert_eq!(house.send(&guess).status, wanted, "{access} {url}");
        }
    }
}

#[test]
fn what_is_missing_for_the_operator_alone_is_for_no_cache_between_to_remember() {
    for (access, kept) in [("open", "public, max-age=60"), ("presets", "no-store")] {
        let house = house(access, &json!({}));
        house.host.upstream.makes(Making::SaysError(9404));
        house.host.upstream.sources_are(|_| Source::Missing);
        let seen = house.send(&get("/a.mp4?width=640").by_operator());
        assert_eq!((seen.status, seen.header("cache-control")), (404, kept), "{access}");
    }
}

#[test]
fn an_open_origin_looks_at_no_signature_and_neither_does_one_of_presets() {
    let house = house("open", &json!({}));
    for (url, _) in CHOICES {
        assert_eq!(house.get(&format!("{url}&sig=nonsense&sig=2&exp=0&kid=x")).status, 200);
    }
    let house = self::house("presets", &json!({}));
    assert_eq!(house.get("/a.mp4?sig=nonsense&exp=0").status, 200);
    is_refused(&house.get("/a.mp4?width=640&sig=nonsense"), &["width"]);
}

#[test]
fn where_presets_are_free_a_bad_signature_is_refused_only_for_what_needs_one() {
    let house = house("signed-or-preset", &json!({}));
    let seen = house.get("/a.mp4?width=640&sig=nonsense");
    assert_eq!((seen.status, seen.problem("code")), (403, json!("signature-invalid")));
    let seen = house.get("/a.mp4?derivative=mobile&sig=nonsense&exp=0");
    assert_eq!((seen.status, seen.max_age_s()), (200, 86_400));
}

#[test]
fn each_origin_has_a_door_of_its_own() {
    let source = json!([{"url": "https://source.example/$1"}]);
    let house = House::new(&json!({"origins": [
        {"name": "vault", "pattern": "^/vault/(.+)$", "access": "presets", "sources": source},
        {"name": "default", "pattern": "^/(.+)$", "sources": source}
    ]}));
    assert_eq!(house.get("/vault/a.mp4?width=640").status, 403);
    assert_eq!(house.get("/vault/a.mp4").status, 200);
    assert_eq!(house.get("/a.mp4?width=640").status, 200);
    for path in ["//vault/a.mp4", "/%76ault/a.mp4", "/vault/%61.mp4"] {
        let seen = house.get(&format!("{path}?width=640"));
        let other = seen.status == 200 && !seen.header("x-origin").contains("vault");
        assert!(seen.status == 403 || other, "{path}");
    }
}

#[test]
fn a_parameter_that_is_not_allowed_asks_nobody() {
    let house = house("open", &json!({"parameters": {"allow": ["width", "derivative"]}}));
    for (query, name) in [("time=1", "time"), ("dpr=2", "dpr"), ("f=png", "f")] {
        let seen = house.get(&format!("/a.mp4?width=640&{query}"));
        assert_eq!((seen.status, seen.problem("code")), (400, json!("parameter-invalid")));
        assert_eq!(seen.problem("parameter"), json!(name));
        assert_eq!(seen.problem("expected"), json!("only width, derivative can be asked here"));
        assert_eq!(seen.cost, [""; 0]);
    }
    let mut lenient = house.config.clone();
    lenient.parameters = video_resizer::config::Strictness::Lenient;
    let house = House { config: lenient, ..house };
    let seen = house.get("/a.mp4?width=640&time=1");
    assert_eq!((seen.status, house.kv_keys()), (200, vec!["video:a.mp4:w=640:f=mp4".to_owned()]));
    let warning = seen.header("x-param-warnings");
    assert_eq!(
        warning,
        "time: ignored, \"1\" is not possible: only width, derivative can be asked here"
    );
}

#[test]
fn a_hundred_odd_sizes_cost_a_transform_a_rung_and_are_everywhere_called_by_it() {
    let house = house("open", &json!({"ladder": {"widths": [320, 640], "heights": [180]}}));
    for n in 0..100 {
        let seen = house.get(&format!("/a.mp4?width={}&height={}", 11 + n * 17, 10 + n));
        assert_eq!(seen.status, 200);
        let width = if 11 + n * 17 <= 320 { "320" } else { "640" };
        assert_eq!(seen.header("x-resolved-width"), width);
        assert!(seen.header("x-param-warnings").ends_with("is not made here, 180 is"));
    }
    let transforms: BTreeSet<String> = house
        .host
        .upstream
        .calls
        .borrow()
        .iter()
        .filter(|call| call.url.contains("/cdn-cgi/media/"))
        .map(|call| call.url.clone())
        .collect();
    let ordered = |width: u16| {
        format!(
            "https://v.example/cdn-cgi/media/mode=video,width={width},height=180/https://source.example/a.mp4"
        )
    };
    assert_eq!(transforms, [ordered(320), ordered(640)].into());
    let of = |width: u16| format!("video:a.mp4:w={width}:h=180:f=mp4");
    assert_eq!(house.kv_keys(), [of(320), of(640)]);
    let at = |width: u16| format!("https://v.example/a.mp4?width={width}&height=180&format=mp4");
    assert_eq!(house.edge_urls(), [at(320), at(640)]);
}

#[test]
fn debugging_shows_the_ladder_and_what_it_changed() {
    let house =
        house("signed-or-preset", &json!({"ladder": {"widths": [320, 640], "timeStep": "2s"}}));
    let seen = house.send(&get("/a.mp4?width=321&time=1&debug=view").by_operator());
    let document: Value = serde_json::from_slice(&seen.bytes).unwrap();
    assert_eq!(
        document["ladder"],
        json!({"widths": [320, 640], "heights": [], "time_step_ms": 2_000, "duration_step_ms": 0})
    );
    let said = ["width: 321 is not made here, 640 is", "time: 1s is not made here, 0s is"];
    assert_eq!(document["warnings"], json!(said));
    assert_eq!(document["access"]["choices"], json!(["width", "time"]));
    assert_eq!(document["access"]["needs_signature"], true);
    assert_eq!(document["kv_key"], "video:a.mp4:w=640:f=mp4");
}
