//! Who gets in, and what of a call is refused before anything is done.

use std::rc::Rc;

use http::Method;
use serde_json::json;
use video_resizer::admin::routes::{Needs, ROUTES, Takes};
use video_resizer::limits::{ADMIN_BODY_BYTES_MAX, CONFIG_BYTES_MAX};

use crate::desk::{Call, at, bearer, call, get, house, make, put};
use crate::fakes::limiter::FakeLimiter;
use crate::fakes::viewer::{self, ADMIN_TOKEN, House};

/// A target of every call, with a name where the pattern has one.
fn targets() -> impl Iterator<Item = (&'static video_resizer::admin::routes::Route, String)> {
    ROUTES.iter().map(|route| {
        let path = route.path.split('{').next().unwrap();
        let name = if path == route.path { "" } else { "1" };
        (route, format!("/_resizer{path}{name}"))
    })
}

#[test]
fn without_a_token_to_have_nothing_is_there() {
    let house = House::plain();
    house.host.secrets.borrow_mut().clear();
    for (route, target) in targets() {
        for call in [
            at(route.method.clone(), &target),
            at(route.method.clone(), &target).with("authorization", &bearer(ADMIN_TOKEN)),
        ] {
            let came = make(&house, &call);
            came.bad(404, "not-found");
            assert!(came.cost.is_empty(), "{:?}", came.cost);
        }
    }
    make(&house, &at(Method::GET, "/_resizer")).bad(404, "not-found");
    make(&house, &at(Method::GET, "/_resizer/")).bad(404, "not-found");
}

#[test]
fn too_many_calls_are_refused_whatever_the_token_and_nothing_where_there_is_none_to_have() {
    let from = |call: Call| call.with("cf-connecting-ip", "198.51.100.7");
    let limited = house(&json!({}));
    limited.host.admin_limiter.set(Rc::new(FakeLimiter::new(&limited.host.world, 1))).unwrap();
    assert_eq!(make(&limited, &from(get("/config"))).status, 200);
    make(&limited, &from(get("/config"))).bad(429, "too-many-requests");
    make(&limited, &from(at(Method::GET, "/_resizer/config"))).bad(429, "too-many-requests");
    limited.host.secrets.borrow_mut().clear();
    make(&limited, &from(at(Method::GET, "/_resizer/config"))).bad(404, "not-found");
}

#[test]
fn a_stranger_learns_nothing_but_that_a_token_is_needed() {
    let house = house(&json!({}));
    let nowhere = at(Method::GET, "/_resizer/nowhere");
    for call in targets().map(|(route, target)| at(route.method.clone(), &target)).chain([nowhere])
    {
        for call in [call.clone(), call.with("authorization", "Bearer of-nothing-of-ours")] {
            let came = make(&house, &call.sending("{"));
            came.bad(401, "unauthorized");
            assert_eq!(came.header("www-authenticate"), "Bearer");
            assert!(came.cost.is_empty(), "{:?}", came.cost);
        }
    }
    assert_eq!(house.host.world.bodies().grown, 0, "no body of a stranger is taken up");
}

#[test]
fn who_may_look_may_look_at_everything_and_write_nothing() {
    let house = house(&json!({}));
    for (route, target) in targets() {
        let came = make(&house, &at(route.method.clone(), &target).sending("{}").by_a_looker());
        let is_kept_out = came.status == 403;
        assert_eq!(is_kept_out, route.needs != Needs::Read, "{target}: {}", came.text);
        if is_kept_out {
            came.bad(403, "forbidden");
            assert!(came.cost.is_empty(), "{:?}", came.cost);
        }
        let came = make(
            &house,
            &at(route.method.clone(), &target)
                .sending("{}")
                .with("authorization", &bearer(ADMIN_TOKEN)),
        );
        assert!(
            !matches!(came.status, 401 | 403 | 404 | 405) || route.path.contains('{'),
            "{target}"
        );
    }
}

#[test]
fn who_may_look_may_try_what_is_only_tried() {
    let house = house(&json!({}));
    let tried = put("/config?dry_run=true", &json!({"ttl": {"ok": 5}})).by_a_looker();
    assert_eq!(make(&house, &tried).good(), json!({"dry_run": true, "valid": true}));
    let tried = put("/config?dry_run=false", &json!({})).by_a_looker();
    make(&house, &tried).bad(403, "forbidden");
    // A configuration is no order: what it says of itself opens nothing.
    let told = put("/config", &json!({"dry_run": true})).by_a_looker();
    make(&house, &told).bad(403, "forbidden");
    assert!(house.host.admin.book.storage.kept.borrow().is_empty());
}

#[test]
fn a_path_that_is_not_there_is_told_apart_from_a_method_that_is_not_served() {
    let house = house(&json!({}));
    for target in ["/nowhere", "", "/", "/config/", "/CONFIG", "/config/versions"] {
        let came = make(&house, &get(target));
        came.bad(404, "not-found");
    }
    let came = make(&house, &call(Method::DELETE, "/config"));
    came.bad(405, "method-not-allowed");
    assert_eq!(came.header("allow"), "GET, PUT, HEAD");
    let came = make(&house, &call(Method::OPTIONS, "/config/rollback"));
    came.bad(405, "method-not-allowed");
    assert_eq!(came.header("allow"), "POST");
    assert_eq!(make(&house, &call(Method::HEAD, "/config")).status, 200);
}

#[test]
fn a_body_that_is_no_json_or_too_long_is_refused_and_a_whole_configuration_is_not() {
    let house = house(&json!({}));
    for route in ROUTES.iter().filter(|route| route.takes == Takes::Json) {
        let call = call(route.method.clone(), route.path);
        make(&house, &call.clone().sending("{}").of_no_type()).bad(415, "not-json");
        make(&house, &call.clone().sending("{}").with("content-type", "text/json"))
            .bad(415, "not-json");
        assert_eq!(make(&house, &call.clone().sending("")).bad(400, "invalid"), [""]);
        assert_eq!(make(&house, &call.clone().sending("{")).bad(400, "invalid"), [""]);
        assert_eq!(make(&house, &call.clone().sending(b"\"\xff\"")).bad(400, "invalid"), [""]);
        let too_long = " ".repeat(usize::try_from(ADMIN_BODY_BYTES_MAX).unwrap() + 1);
        make(&house, &call.clone().sending(too_long)).bad(413, "too-large");
        let most =
            format!("{{}}{}", " ".repeat(usize::try_from(ADMIN_BODY_BYTES_MAX).unwrap() - 2));
        assert_ne!(make(&house, &call.sending(most)).status, 413);
    }
    let longest = format!("{{}}{}", " ".repeat(CONFIG_BYTES_MAX - 2));
    let put = call(Method::PUT, "/config").with("content-type", "application/json; charset=utf-8");
    assert_eq!(make(&house, &put.sending(longest.clone())).good()["version"], 1);
    let longer = call(Method::PUT, "/config").sending(format!("{longest} "));
    assert_eq!(make(&house, &longer).bad(422, "invalid-configuration"), ["(worker-config)"]);
}

#[test]
fn every_parameter_that_a_call_does_not_know_is_named() {
    let house = house(&json!({}));
    for (target, at) in [
        ("/config?x=1&y=2", vec!["x", "y"]),
        ("/variants?Source=a.mp4", vec!["Source"]),
        ("/variants?limit=5&limit=6", vec!["limit"]),
        ("/variants?source=%ff", vec!["source"]),
        ("/variants?limit=0", vec!["limit"]),
        ("/variants?limit=1001", vec!["limit"]),
        ("/variants?limit=%2B5", vec!["limit"]),
        ("/variants?cursor=nonsense", vec!["cursor"]),
        ("/config/diff", vec!["from"]),
        ("/config/diff?from=0", vec!["from"]),
        ("/config/diff?from=1", vec!["from"]),
        ("/explain", vec!["url"]),
        ("/explain?url=clips/a.mp4", vec!["url"]),
        ("/explain?url=/a.mp4&header=nonsense", vec!["header[0]"]),
        ("/config/versions/x", vec!["n"]),
    ] {
        assert_eq!(make(&house, &get(target)).bad(400, "invalid"), at, "{target}");
    }
    assert_eq!(
        make(&house, &put("/config?dry_run=1", &json!({}))).bad(400, "invalid"),
        ["dry_run"]
    );
    let many = format!("/config?{}", "a=1&".repeat(65));
    assert_eq!(make(&house, &get(&many)).bad(400, "invalid"), ["(query)"]);
}

#[test]
fn the_api_is_where_the_configuration_says_and_nowhere_else() {
    let house = house(&json!({"admin": {"prefix": "/ops/video"}}));
    let operator = |target| at(Method::GET, target).with("authorization", &bearer(ADMIN_TOKEN));
    assert_eq!(make(&house, &operator("/ops/video/config")).status, 200);
    let elsewhere = viewer::get("/_resizer/config").with("authorization", &bearer(ADMIN_TOKEN));
    let seen = house.send(&elsewhere);
    assert_eq!((seen.status, seen.problem("code")), (404, json!("not-found")));
}
