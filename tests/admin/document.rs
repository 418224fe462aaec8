//! The document of the API and its routes are held to each other.

use std::collections::{BTreeMap, BTreeSet};

use serde_json::{Value, json};
use video_resizer::admin::openapi::{DOCUMENT, SERVER};
use video_resizer::admin::routes::{Needs, ROUTES, Route, Takes};

use crate::desk::{READ_TOKEN, at, bearer, house, make};

fn document() -> Value {
    serde_json::from_str(DOCUMENT).expect("JSON")
}

/// Every call of the document, by method and path.
fn calls(document: &Value) -> BTreeMap<(String, String), &Value> {
    let mut calls = BTreeMap::new();
    for (path, methods) in document["paths"].as_object().unwrap() {
        for (method, call) in methods.as_object().unwrap() {
            calls.insert((method.clone(), path.clone()), call);
        }
    }
    calls
}

fn key(route: &Route) -> (String, String) {
    (route.method.as_str().to_ascii_lowercase(), route.path.to_owned())
}

fn referred<'a>(document: &'a Value, value: &'a Value) -> &'a Value {
    match value["$ref"].as_str() {
        Some(to) => document.pointer(to.strip_prefix('#').unwrap()).expect(to),
        None => value,
    }
}

#[test]
fn every_route_is_described_and_nothing_else_is() {
    let document = document();
    let described: BTreeSet<_> = calls(&document).into_keys().collect();
    let served: BTreeSet<_> = ROUTES.iter().map(key).collect();
    assert_eq!(described, served);
}

#[test]
fn every_route_is_described_as_it_is() {
    let document = document();
    let calls = calls(&document);
    for route in ROUTES {
        let call = calls[&key(route)];
        let mut operation = format!("{:?}", route.operation);
        operation.replace_range(..1, &operation[..1].to_ascii_lowercase());
        assert_eq!(call["operationId"], operation);
        let scope = match route.needs {
            Needs::Read => "read",
            Needs::Full => "full",
            Needs::FullUnlessDry => "full-unless-dry",
        };
        assert_eq!(call["x-scope"], scope, "{operation}");
        assert_eq!(call["requestBody"].is_object(), route.takes == Takes::Json, "{operation}");
        let parameters = call["parameters"].as_array().cloned().unwrap_or_default();
        let of = |place: &str| -> BTreeSet<String> {
            let all = parameters.iter().map(|it| referred(&document, it));
            let here = all.filter(|it| it["in"] == place);
            here.map(|it| it["name"].as_str().unwrap().to_owned()).collect()
        };
        assert_eq!(
            of("query"),
            route.query.iter().map(|it| (*it).to_owned()).collect(),
            "{operation}"
        );
        let in_path =
            route.path.split_once('{').map(|(_, name)| name.trim_end_matches('}').to_owned());
        assert_eq!(of("path"), in_path.into_iter().collect(), "{operation}");

        let statuses: BTreeSet<u16> =
            call["responses"].as_object().unwrap().keys().map(|it| it.parse().unwrap()).collect();
        let mut wanted = BTreeSet::from([400, 401, 404, 405, 429]);
        if route.needs != Needs::Read {
            wanted.insert(403);
        }
        if route.takes == Takes::Json {
            wanted.extend([413, 415]);
        }
        assert!(statuses.is_superset(&wanted), "{operation}: {statuses:?}");
        assert!(statuses.contains(&200) || statuses.contains(&202), "{operation}");
    }
}

/// What the whole document says, place by place.
fn each(value: &Value, at: &str, look: &mut impl FnMut(&str, &Value)) {
    look(at, value);
    match value {
        Value::Object(members) => {
            for (name, member) in members {
                each(member, &format!("{at}/{name}"), look);
            }
        }
        Value::Array(elements) => {
            for (index, element) in elements.iter().enumerate() {
                each(element, &format!("{at}/{index}"), look);
            }
        }
        Value::Null | Value::Bool(_) | Value::Number(_) | Value::String(_) => {}
    }
}

#[test]
fn every_reference_leads_somewhere_every_part_is_used_and_every_object_is_closed() {
    let document = document();
    let mut used = BTreeSet::new();
    each(&document, "", &mut |at, value| {
        if let Some(to) = value["$ref"].as_str() {
            assert!(document.pointer(&to[1..]).is_some(), "{at} leads to {to}");
            used.insert(to[1..].to_owned());
        }
        if value["type"] == "object" && !at.contains("/example") {
            assert!(
                !value["additionalProperties"].is_null() || value.as_object().unwrap().len() == 1,
                "{at} is open"
            );
        }
    });
    for kind in ["schemas", "responses", "parameters"] {
        for name in document["components"][kind].as_object().unwrap().keys() {
            let part = format!("/components/{kind}/{name}");
            assert!(used.contains(&part), "{part} is used nowhere");
        }
    }
}

#[test]
fn every_answer_that_is_promised_has_an_example() {
    let document = document();
    for ((method, path), call) in calls(&document) {
        for (status, response) in call["responses"].as_object().unwrap() {
            let content = referred(&document, response)["content"].as_object().unwrap();
            let (kind, content) = content.iter().next().unwrap();
            let is_this = path == "/openapi.json" && status == "200";
            assert!(is_this || content["example"].is_object(), "{method} {path} {status}");
            let is_report = path == "/health" && status == "503";
            let is_problem = status.as_str() >= "400" && !is_report;
            assert_eq!(kind == "application/problem+json", is_problem, "{method} {path} {status}");
            if is_problem {
                assert_eq!(content["example"]["status"].to_string(), *status, "{method} {path}");
            }
        }
    }
}

#[test]
fn the_document_is_served_with_the_server_that_was_asked_and_without_spaces() {
    let house = house(&json!({"admin": {"prefix": "/ops"}}));
    let call = at(http::Method::GET, "/ops/openapi.json");
    let came = make(&house, &call.with("authorization", &bearer(READ_TOKEN)));
    let mut wanted = document();
    assert_eq!(wanted["servers"][0]["url"], SERVER);
    wanted["servers"][0]["url"] = json!("https://v.example/ops");
    assert_eq!(came.good(), wanted);
    assert!(came.text.len() < DOCUMENT.len() * 2 / 3);
    assert!(came.cost.is_empty(), "{:?}", came.cost);
}
