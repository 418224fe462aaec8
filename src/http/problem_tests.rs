//! Goal: row H4: every error names its cause, in the same bytes each time, and carries no markup.
//! Method: golden bodies, every rejection once, and hostile text.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, clippy::indexing_slicing)]

use serde_json::Value;

use super::*;
use proptest::prelude::*;

fn width(value: &str) -> Rejection {
    Rejection::Parameter {
        parameter: "width".into(),
        value: value.into(),
        expected: "10 to 2000 pixels".into(),
    }
}

fn text(problem: &Problem) -> String {
    problem.body()
}

#[test]
fn h4_a_bad_parameter_is_named_with_its_value_and_bounds() {
    assert_eq!(
        text(&Problem::rejected(&width("5"), "r-1").at("/a.mp4")),
        concat!(
            r#"{"type":"tag:video-resizer,2026:parameter-invalid","#,
            r#""title":"A parameter cannot be used","status":400,"#,
            r#""detail":"width=5 is not possible: 10 to 2000 pixels","#,
            r#""instance":"/a.mp4","code":"parameter-invalid","expected":"10 to 2000 pixels","#,
            r#""parameter":"width","request_id":"r-1","value":"5"}"#,
        )
    );
}

#[test]
fn h4_a_failed_rendition_says_the_upstream_code_and_when_to_return() {
    let problem = Problem::upstream(&UpstreamFailure {
        status: StatusCode::BAD_GATEWAY,
        reason: "source-not-found",
        upstream_code: Some(9404),
        request_id: "r-2",
        retry_after_s: Some(10),
    });
    assert_eq!(
        text(&problem),
        concat!(
            r#"{"type":"tag:video-resizer,2026:rendition-failed","#,
            r#""title":"The rendition could not be made","status":502,"#,
            r#""detail":"the transformation failed: source-not-found (error 9404)","#,
            r#""code":"rendition-failed","reason":"source-not-found","request_id":"r-2","#,
            r#""retry_after":10,"upstream_code":9404}"#,
        )
    );
    assert_eq!(problem.headers(None)["retry-after"], "10");
}

#[test]
fn a_failure_without_particulars_has_no_empty_members() {
    let problem = Problem::upstream(&UpstreamFailure {
        status: StatusCode::GATEWAY_TIMEOUT,
        reason: "timeout",
        upstream_code: None,
        request_id: "r-3",
        retry_after_s: None,
    });
    let body: Value = serde_json::from_str(&problem.body()).unwrap();
    assert_eq!(body["detail"], "the transformation failed: timeout");
    for absent in ["instance", "upstream_code", "retry_after"] {
        assert_eq!(body.get(absent), None, "{absent}");
    }
    assert!(!problem.headers(None).contains_key("retry-after"));
}

#[test]
fn h4_every_rejection_is_a_complete_document_of_its_own_type() {
    let rejections = [
        width("5"),
        Rejection::Duplicate { parameter: "width".into() },
        Rejection::QueryTooLong { bytes: 2, bytes_max: 1 },
        Rejection::TooManyParameters { count_max: 1 },
        Rejection::Path { reason: "dots" },
        Rejection::PathTooLong { bytes: 2, bytes_max: 1 },
        Rejection::NoOrigin,
        Rejection::Method { method: "TRACE".into() },
        Rejection::Loop,
    ];
    let mut types = std::collections::BTreeSet::new();
    let mut titles = std::collections::BTreeSet::new();
    for rejection in &rejections {
        let problem = Problem::rejected(rejection, "r");
        let body: Value = serde_json::from_str(&problem.body()).unwrap();
        assert_eq!(body["status"], rejection.status().as_u16());
        assert_eq!(body["code"], rejection.code());
        assert_eq!(body["detail"], rejection.to_string());
        assert_eq!(body["request_id"], "r");
        assert!(rejection.status().is_client_error() || *rejection == Rejection::Loop);
        types.insert(body["type"].as_str().unwrap().to_owned());
        titles.insert(body["title"].as_str().unwrap().to_owned());
    }
    assert_eq!((types.len(), titles.len()), (rejections.len(), rejections.len()));
}

#[test]
fn m5_a_refused_method_says_what_is_served() {
    let refused = Problem::rejected(&Rejection::Method { method: "POST".into() }, "r");
    assert_eq!(refused.status, StatusCode::METHOD_NOT_ALLOWED);
    assert_eq!(refused.headers(None)["allow"], "GET, HEAD, OPTIONS");
    assert!(!Problem::rejected(&Rejection::NoOrigin, "r").headers(None).contains_key("allow"));
}

#[test]
fn h5_a_problem_is_not_kept_unless_told_and_not_guessed_at() {
    let problem = Problem::rejected(&width("5"), "r");
    let headers = problem.headers(None);
    assert_eq!(headers["content-type"], "application/problem+json");
    assert_eq!(headers["x-content-type-options"], "nosniff");
    assert_eq!(headers["cache-control"], "no-store");
    assert_eq!(problem.headers(Some(30))["cache-control"], "public, max-age=30");
}

proptest! {
    #[test]
    fn any_text_comes_back_whole_and_without_markup(value in any::<String>(), at in any::<String>()) {
        let problem = Problem::rejected(&width(&value), &value).at(at.as_str());
        let text = text(&problem);
        prop_assert!(!text.contains(['<', '>', '&', '\r', '\n']), "{}", text);
        let body: Value = serde_json::from_str(&text).unwrap();
        prop_assert_eq!(body["value"].as_str(), Some(value.as_str()));
        prop_assert_eq!(body["instance"].as_str(), Some(at.as_str()));
    }

    #[test]
    fn markup_in_a_value_is_escaped_and_survives(value in "[<>&\"\\\\u0-9]{0,20}") {
        let text = text(&Problem::rejected(&width(&value), "r"));
        prop_assert!(!text.contains(['<', '>', '&']), "{}", text);
        let body: Value = serde_json::from_str(&text).unwrap();
        prop_assert_eq!(body["value"].as_str(), Some(value.as_str()));
    }
}
