//! Different viewers of one URL.

use serde_json::json;

use crate::fakes::viewer::{House, asking, get};

const BARE: &str = "/clips/a.mp4";
const PHONE: &str =
    "Mozilla/5.0 (iPhone; CPU iPhone OS 18_0 like Mac OS X) Mobile/15E148 Safari/604.1";
const DESK: &str = "Mozilla/5.0 (X11; Linux x86_64) AppleWebKit/537.36 Chrome/130.0 Safari/537.36";

#[test]
fn two_devices_on_one_url_keep_two_renditions_and_each_finds_its_own() {
    let house = House::plain();
    let phone = house.send(&get(BARE).with("user-agent", PHONE));
    let desk = house.send(&get(BARE).with("user-agent", DESK));
    assert_eq!(
        (phone.header("x-resolved-width"), desk.header("x-resolved-width")),
        ("640", "1280")
    );
    assert_eq!(
        house.kv_keys(),
        ["video:clips/a.mp4:w=1280:h=720:f=mp4", "video:clips/a.mp4:w=640:h=360:f=mp4"]
    );
    assert_eq!(house.edge_urls().len(), 2, "the Cache API does not look at Vary");
    for (device, first) in [(PHONE, &phone), (DESK, &desk)] {
        let again = house.send(&get(BARE).with("user-agent", device));
        assert_eq!((again.cost.as_slice(), &again.bytes), (&["edge-find"][..], &first.bytes));
    }
    let asked = house.get("/clips/a.mp4?width=640&height=360");
    assert_eq!(asked.bytes, phone.bytes, "who asks for that size shares it");
}

#[test]
fn vary_names_what_decided_and_nothing_else() {
    let house = House::plain();
    let by_device = house.send(&get(BARE).with("user-agent", PHONE));
    let vary = by_device.header("vary").to_ascii_lowercase();
    assert!(vary.contains("user-agent") && vary.contains("sec-ch-viewport-width"), "{vary}");
    assert!(by_device.header("accept-ch").contains("Sec-CH-Viewport-Width"));

    let by_url = house.get("/clips/a.mp4?width=640");
    assert_eq!((by_url.header("vary"), by_url.header("accept-ch")), ("", ""));

    let same = house.send(&get(BARE).with("user-agent", PHONE));
    assert_eq!(same.header("vary"), by_device.header("vary"), "a hit varies as the miss did");
}

#[test]
fn a_client_hint_chooses_a_bucket_and_never_a_size_of_its_own() {
    let house = House::plain();
    for width in ["700", "701", "850"] {
        house.send(&get(BARE).with("sec-ch-viewport-width", width));
    }
    assert_eq!(house.kv_keys(), ["video:clips/a.mp4:w=854:h=480:f=mp4"]);
}

#[test]
fn a_preset_shares_the_rendition_of_its_size_and_tells_its_name() {
    let house = House::plain();
    house.get("/clips/a.mp4?width=640&height=360");
    let preset = house.get("/clips/a.mp4?derivative=mobile");
    assert_eq!(preset.cost, ["edge-find"]);
    assert_eq!(preset.header("x-derivative"), "mobile");
    assert_eq!(house.get("/clips/a.mp4?impolicy=mobile").cost, ["edge-find"]);
}

#[test]
fn what_the_player_is_told_changes_headers_and_no_rendition() {
    let house = House::plain();
    house.get("/clips/a.mp4?width=640");
    let seen = house.get("/clips/a.mp4?width=640&loop=true&muted=1&preload=none&filename=x.mp4");
    assert_eq!(seen.cost, ["edge-find"]);
    assert_eq!(seen.header("x-playback-loop"), "true");
    assert_eq!(seen.header("x-playback-muted"), "true");
    assert_eq!(seen.header("x-playback-preload"), "none");
    assert_eq!(seen.header("content-disposition"), "inline; filename=\"x.mp4\"");
}

#[test]
fn what_was_built_on_the_predecessors_headers_goes_on_working() {
    let house = House::plain();
    let seen = house.get("/clips/a.mp4?width=640");
    assert_eq!(seen.header("x-cache-key"), "video:clips/a.mp4:w=640:f=mp4");
    assert_eq!((seen.header("x-origin"), seen.header("x-source-type")), ("default", "remote"));
    let without =
        House::new(&json!({"headers": {"predecessors": false, "set": {"x-team": "video"}}}));
    let seen = without.get("/clips/a.mp4?width=640");
    assert_eq!((seen.header("x-cache-key"), seen.header("x-team")), ("", "video"));
}

#[test]
fn what_was_asked_and_not_done_is_said() {
    let house = House::plain();
    let seen = house.get("/clips/a.mp4?width=640&compression=high");
    assert!(seen.header("x-param-warnings").contains("compression"), "{seen:?}");
    assert_eq!(house.get("/clips/a.mp4?width=640").header("x-param-warnings"), "");

    let lenient = House::new(&json!({"parameters": "lenient"}));
    let seen = lenient.get("/clips/a.mp4?width=5&height=360");
    assert_eq!(seen.status, 200);
    assert!(seen.header("x-param-warnings").contains("width"), "{seen:?}");
}

#[test]
fn a_page_elsewhere_may_read_answers_where_the_operator_lets_it() {
    let house = House::plain();
    let seen = house.send(&get("/clips/a.mp4?width=640").with("origin", "https://page.example"));
    assert_eq!(seen.header("access-control-allow-origin"), "*");

    let house = House::new(&json!({"cors": {"allowOrigins": ["https://page.example"]}}));
    for (origin, allowed) in
        [("https://page.example", "https://page.example"), ("https://x.example", "")]
    {
        let seen = house.send(&get("/clips/a.mp4?width=640").with("origin", origin));
        assert_eq!(seen.header("access-control-allow-origin"), allowed);
        assert!(
            seen.header("vary").to_ascii_lowercase().contains("origin"),
            "one copy, two answers"
        );
        let error = house.send(&get("/clips/a.mp4?width=5").with("origin", origin));
        assert_eq!(error.header("access-control-allow-origin"), allowed, "errors are read too");
    }
}

#[test]
fn a_preflight_is_answered_by_nobody_but_the_configuration() {
    let house = House::plain();
    let preflight = asking("OPTIONS", BARE)
        .with("origin", "https://page.example")
        .with("access-control-request-method", "GET")
        .with("access-control-request-headers", "range");
    let seen = house.send(&preflight);
    assert_eq!((seen.status, seen.cost.len()), (204, 0));
    assert_eq!(seen.header("access-control-allow-methods"), "GET, HEAD, OPTIONS");
    assert!(seen.header("access-control-allow-headers").contains("range"));
    assert_eq!(house.send(&asking("OPTIONS", BARE)).header("allow"), "GET, HEAD, OPTIONS");
}
