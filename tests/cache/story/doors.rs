//! The front door: what goes on untouched, what is explained, and what is refused before anything is asked.

use serde_json::{Value, json};

use super::{KEY, VIDEO};
use crate::fakes::viewer::{House, Seen, asking, get};

#[track_caller]
fn asks_nobody(house: &House, seen: &Seen) {
    assert_eq!(seen.cost, [""; 0]);
    assert_eq!(seen.settled, [""; 0]);
    assert_eq!((house.kv_keys().len(), house.edge_urls().len()), (0, 0));
}

#[test]
fn what_is_no_video_passes_through_untouched_with_a_mark_against_loops() {
    let house = House::plain();
    for path in ["/", "/index.html?width=5", "/clips/a.MP3", "/api/mp4", "/clips/a.mp4/"] {
        let (url, mark) = house.passes(&get(path));
        assert_eq!(url, format!("https://v.example{path}"));
        assert_eq!(mark[0].1, "v.example; by=video-resizer");
        assert_eq!(mark[1].1, "1.1 v.example (video-resizer)");
    }
    let (_, mark) = house.passes(&get("/").with("cdn-loop", "cdn-a"));
    assert_eq!(mark[0].1, "cdn-a, v.example; by=video-resizer");
    house.passes(&asking("POST", "/form"));

    let house = House::new(&json!({"passThrough": {"url": "https://www.example"}}));
    assert_eq!(house.passes(&get("/x?y=z")).0, "https://www.example/x?y=z");

    let house = House::new(&json!({"passThrough": {"enabled": false}}));
    assert_eq!(house.get("/index.html").status, 404);
}

#[test]
fn the_extensions_of_videos_are_configuration() {
    let house = House::new(&json!({"videoExtensions": ["mkv"]}));
    assert_eq!(house.get("/a.MKV?width=640").status, 200);
    house.passes(&get("/a.mp4?width=640"));
}

#[test]
fn a_request_that_came_back_is_refused_and_a_forged_mark_opens_nothing() {
    let house = House::plain();
    for mark in ["v.example; by=video-resizer", "cdn-a, V.Example; by=video-resizer"] {
        for path in [VIDEO, "/index.html"] {
            let seen = house.send(&get(path).with("cdn-loop", mark));
            assert_eq!(seen.status, 508, "{mark} {path}");
            assert_eq!(seen.problem("code"), "loop");
            asks_nobody(&house, &seen);
        }
    }
    for mark in
        ["v.example", "w.example; by=video-resizer", "by=video-resizer", "v.example; by=other"]
    {
        let seen = house.send(&get(VIDEO).with("cdn-loop", mark));
        assert_eq!(seen.status, 200, "{mark}");
    }
    let marks: Vec<_> = house
        .host
        .upstream
        .calls
        .borrow()
        .iter()
        .map(|call| call.headers.iter().find(|(name, _)| name == "cdn-loop").cloned().unwrap().1)
        .collect();
    assert!(
        marks.iter().all(|mark| mark.to_str().unwrap().ends_with("v.example; by=video-resizer"))
    );
}

#[test]
fn only_get_head_and_options_are_served() {
    let house = House::plain();
    for method in ["POST", "PUT", "DELETE", "PATCH", "PURGE", "TRACE"] {
        let seen = house.send(&asking(method, VIDEO));
        assert_eq!((seen.status, seen.header("allow")), (405, "GET, HEAD, OPTIONS"), "{method}");
        asks_nobody(&house, &seen);
    }
}

#[test]
fn bad_parameters_are_refused_with_the_name_the_value_and_the_bounds() {
    let house = House::plain();
    for (query, code, parameter) in [
        ("width=5", "parameter-invalid", "width"),
        ("width=99999", "parameter-invalid", "width"),
        ("time=soon", "parameter-invalid", "time"),
        ("derivative=nope", "parameter-invalid", "derivative"),
        ("mode=hologram", "parameter-invalid", "mode"),
        ("width=100&width=200", "parameter-duplicate", "width"),
        ("rotate=90", "parameter-invalid", "rotate"),
    ] {
        let seen = house.get(&format!("/clips/a.mp4?{query}"));
        assert_eq!(seen.status, 400, "{query}");
        assert_eq!(seen.problem("code"), code, "{query}");
        assert_eq!(seen.problem("parameter"), parameter, "{query}");
        assert!(!seen.problem("expected").as_str().unwrap().is_empty(), "{query}");
        assert_eq!(seen.header("cache-control"), "no-store");
        asks_nobody(&house, &seen);
    }
    let long = house.get(&format!("/clips/a.mp4?{}", "x".repeat(10_000)));
    assert_eq!((long.status, long.problem("code")), (414, json!("query-too-long")));
    asks_nobody(&house, &long);
}

#[test]
fn paths_that_cannot_name_a_video_fetch_nothing() {
    let house = House::plain();
    for path in [
        "/../etc/a.mp4",
        "/clips/%2e%2e/%2e%2e/a.mp4",
        "/clips/..%2fa.mp4",
        "/a%00.mp4",
        "/a%0d%0aHost:x.mp4",
        "/a%zz.mp4",
        "/./a.mp4",
    ] {
        let seen = house.get(path);
        assert_eq!(seen.status, 400, "{path}");
        asks_nobody(&house, &seen);
    }
    let long = house.get(&format!("/{}.mp4", "a".repeat(3_000)));
    assert_eq!(long.status, 414);
    asks_nobody(&house, &long);
}

#[test]
fn no_path_chooses_the_host_that_is_asked() {
    let house = House::plain();
    for path in [
        "//evil.example/a.mp4",
        "/https://evil.example/a.mp4",
        "/@evil.example/a.mp4",
        "/%40evil.example/a.mp4",
        "/.evil.example/a.mp4",
        "/%5cevil.example/a.mp4",
        "/a.mp4%3f@evil.example/b.mp4",
        "/%23@evil.example/a.mp4",
        "/169.254.169.254/latest/a.mp4",
    ] {
        let (seen, owed) = house.answer(&get(&format!("{path}?width=640")));
        if let Some(owed) = owed {
            owed.copies.unwrap().entry.body.abandon();
        }
        for call in house.host.upstream.calls.borrow().iter() {
            let (base, source) = match call.url.find("/mode=video,width=640/") {
                Some(at) => (&call.url[..at], &call.url[at + "/mode=video,width=640/".len()..]),
                None => ("https://v.example/cdn-cgi/media", &call.url[..]),
            };
            assert_eq!(base, "https://v.example/cdn-cgi/media", "{path}");
            assert!(source.starts_with("https://source.example/"), "{path}: {source}");
            assert!(!source.contains(['#', '?', '\\']), "{path}: {source}");
        }
        assert!(matches!(seen.status, 200 | 400), "{path}: {}", seen.status);
    }
}

#[test]
fn debug_view_explains_to_the_operator_and_tells_strangers_nothing() {
    let house = House::plain();
    let view = format!("{VIDEO}&debug=view");
    let stranger = house.get(&view);
    assert_eq!(stranger.header("content-type"), "video/mp4", "a stranger gets the video");

    let house = House::plain();
    let seen = house.send(&get(&view).by_operator());
    assert_eq!((seen.status, seen.header("cache-control")), (200, "no-store"));
    asks_nobody(&house, &seen);
    let document: Value = serde_json::from_slice(&seen.bytes).unwrap();
    assert_eq!(document["kv_key"], KEY);
    assert_eq!(document["sources"][0]["url"], "https://source.example/clips/a.mp4");
    assert_eq!(document["ttl_s"]["ok"], 86_400);
    assert_eq!(document["edge"], json!({"on": true, "read": true, "write": true}));

    let open = House::new(&json!({"debug": {"enabled": true}}));
    assert_eq!(open.get(&view).header("content-type"), "application/json");
}

#[test]
fn only_the_whole_admin_token_makes_an_operator() {
    let view = format!("{VIDEO}&debug=view");
    let is_operator = |house: &House, authorization: &str| {
        let seen = house.send(&get(&view).with("authorization", authorization));
        seen.header("content-type") == "application/json"
    };
    let house = House::plain();
    assert!(is_operator(&house, "Bearer an operator's long token"));
    assert!(is_operator(&house, "bearer an operator's long token"), "a scheme has no case");
    for wrong in [
        "Bearer an operator's long toke",
        "Bearer an operator's long token!",
        "Bearer ",
        "Bearer an operator's LONG token",
        "Basic an operator's long token",
        "an operator's long token",
    ] {
        assert!(!is_operator(&house, wrong), "{wrong}");
    }
    house.host.secrets.borrow_mut().insert("ADMIN_TOKEN".to_owned(), "short".to_owned());
    assert!(!is_operator(&house, "Bearer short"), "a short token is none");
    house.host.secrets.borrow_mut().clear();
    assert!(!is_operator(&house, "Bearer "));
}
