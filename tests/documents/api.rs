//! `docs/api.md`: headers, codes, and what follows from a failure.

use std::collections::BTreeSet;
use std::fmt::Write;

use serde_json::Value;
use video_resizer::cache::reason::Unfit;
use video_resizer::http::cors::EXPOSED;
use video_resizer::http::problem::{Problem, TYPE_PREFIX};
use video_resizer::limits::{LIMIT_PERIOD_S, PATH_BYTES_MAX, RETRY_AFTER_S_DEFAULT};
use video_resizer::media::failure;
use video_resizer::request::ask;
use video_resizer::request::rejection::Rejection;

use crate::{code_spans, files, hold, read};

const API: &str = "docs/api.md";

/// The cells of the first column of every table below a heading.
fn first_column(heading: &str) -> Vec<String> {
    let document = read(API);
    let (_, rest) = document.split_once(&format!("\n## {heading}\n")).expect(heading);
    let section = rest.split("\n## ").next().unwrap();
    section
        .lines()
        .filter(|line| line.starts_with("| `"))
        .flat_map(|line| code_spans(line.split('|').nth(1).unwrap()))
        .map(str::to_ascii_lowercase)
        .collect()
}

#[test]
fn every_request_header_that_is_read_is_in_the_document_and_no_other() {
    let mut said: BTreeSet<_> = first_column("What a request may say").into_iter().collect();
    assert!(said.remove("x-bypass-cache") && said.remove("bypass.header"));
    let read: BTreeSet<_> = ask::HEADERS.iter().map(|name| name.as_str().to_owned()).collect();
    assert_eq!(said, read);
}

/// Headers as the code names them: `"x-origin"`, or `header::CONTENT_TYPE`.
fn is_in_the_code(name: &str, code: &str) -> bool {
    let constant = name.replace('-', "_").to_ascii_uppercase();
    code.contains(&format!("from_static(\"{name}\")"))
        || code.contains(&format!("header::{constant}"))
}

#[test]
fn every_response_header_of_the_document_is_one_that_the_code_sends() {
    let code: String = files("src", "rs").iter().map(|file| read(file)).collect();
    let said = first_column("What an answer says");
    assert!(said.len() >= 30, "{said:?}");
    for name in &said {
        assert!(is_in_the_code(name, &code), "{name}");
    }
    for name in EXPOSED.split(", ").map(str::to_ascii_lowercase) {
        assert!(said.contains(&name), "{name} may be read by pages, and is in no table");
    }
    for file in ["src/front.rs", "src/cache/reply.rs"] {
        let code = read(file);
        let sent = code.split("HeaderName::from_static(\"").skip(1);
        for name in sent.map(|rest| rest.split('"').next().unwrap()) {
            assert!(said.iter().any(|it| it == name), "{name} of {file} is in no table");
        }
    }
}

/// One of each; a new one does not compile until it is here.
fn rejections() -> Vec<Rejection> {
    let text = || "…".to_owned();
    let all = vec![
        Rejection::Parameter { parameter: text(), value: text(), expected: text() },
        Rejection::Duplicate { parameter: text() },
        Rejection::TooManyParameters { count_max: 0 },
        Rejection::QueryTooLong { bytes: 0, bytes_max: 0 },
        Rejection::Path { reason: "…" },
        Rejection::PathTooLong { bytes: 0, bytes_max: 0 },
        Rejection::NoOrigin,
        Rejection::Method { method: text() },
        Rejection::SignatureMissing,
        Rejection::SignatureInvalid { reason: "…" },
        Rejection::SignatureExpired { expires_s: 0 },
        Rejection::NotAllowedHere { parameters: Vec::new(), allowed: "…" },
        Rejection::Loop,
    ];
    for one in &all {
        match one {
            Rejection::Parameter { .. }
            | Rejection::Duplicate { .. }
            | Rejection::TooManyParameters { .. }
            | Rejection::QueryTooLong { .. }
            | Rejection::Path { .. }
            | Rejection::PathTooLong { .. }
            | Rejection::NoOrigin
            | Rejection::Method { .. }
            | Rejection::SignatureMissing
            | Rejection::SignatureInvalid { .. }
            | Rejection::SignatureExpired { .. }
            | Rejection::NotAllowedHere { .. }
            | Rejection::Loop => {}
        }
    }
    all
}

#[test]
fn every_code_of_a_problem_is_in_the_document() {
    let mut table =
        String::from("| code | status | title | members of its own |\n|---|---|---|---|\n");
    let problems = rejections().into_iter().map(|rejection| Problem::rejected(&rejection, "…"));
    for problem in problems.chain([Problem::not_found("…"), Problem::too_many_misses("…", 0)]) {
        let members: Vec<_> =
            problem.extensions.iter().map(|(member, _)| format!("`{member}`")).collect();
        let (code, status, title) = (problem.code, problem.status.as_u16(), problem.title);
        let _ = writeln!(table, "| `{code}` | {status} | {title} | {} |", members.join(", "));
    }
    hold(API, "src/request/rejection.rs", &table);
}

#[test]
fn the_example_of_a_problem_is_what_is_said() {
    let rejection = Rejection::Parameter {
        parameter: "width".to_owned(),
        value: "5".to_owned(),
        expected: "a whole number of pixels from 10 to 2000".to_owned(),
    };
    let problem = Problem::rejected(&rejection, "1634fa814ec4e7af69f3e7b89eb5a4d7");
    let said = problem.at("/videos/big-buck-bunny-720p-5s.mp4").body();
    let document = read(API);
    let (_, rest) = document.split_once("```json\n").unwrap();
    let example: Value = serde_json::from_str(rest.split_once("```").unwrap().0).unwrap();
    assert_eq!(example, serde_json::from_str::<Value>(&said).unwrap());
    assert!(document.contains(&format!("`type` is `{TYPE_PREFIX}`")));
}

#[test]
fn the_example_of_a_signed_url_is_one_of_the_vectors_that_signers_are_held_to() {
    let vectors: Value = serde_json::from_str(&read("tests/signature-vectors.json")).unwrap();
    let document = read(API);
    let shown = |vector: &Value| {
        let url = vector["signed"].as_str().unwrap().split('#').next().unwrap();
        let signed = vector["canonical"].as_str().unwrap();
        url.starts_with("https://")
            && document.contains(&format!("```text\n{url}\n```"))
            && document.contains(&format!("```text\n{signed}\n```"))
    };
    assert!(vectors.as_array().unwrap().iter().any(shown));
}

#[test]
fn what_follows_from_a_failure_is_in_the_document() {
    let yes = |it: bool| if it { "yes" } else { "no" };
    let codes = [9401, 9402, 9404, 9406, 9407, 9408, 9412, 9419, 9504, 9509, 9517, 9523];
    let statuses = [301, 404, 410, 429, 500, 503, 504];
    let named = [
        Unfit::Partial,
        Unfit::ContentType,
        Unfit::Empty,
        Unfit::Untransformed,
        Unfit::NoAnswer,
        Unfit::TimedOut,
        Unfit::RelayKeyMissing,
        Unfit::SourceRefused,
    ];
    let all = codes.map(Unfit::TransformError).into_iter();
    let all = all.chain(statuses.map(Unfit::Status)).chain(named);
    let mut table = String::from(
        "| reason | number | status | next source | original | remembered |\n|---|---|---|---|---|---|\n",
    );
    for unfit in all {
        let it = failure::consequence(unfit);
        let _ = writeln!(
            table,
            "| `{}` | {} | {} | {} | {} | {} |",
            unfit.as_str(),
            unfit.number().map_or_else(String::new, |number| number.to_string()),
            it.status.as_u16(),
            yes(it.next_source),
            yes(it.original),
            yes(it.remembered),
        );
    }
    hold(API, "src/media/failure.rs", &table);
}

#[test]
fn the_numbers_of_the_document_are_the_codes() {
    let document = read(API);
    assert_eq!(PATH_BYTES_MAX, 2_048);
    assert!(document.contains("over 2,048 bytes"));
    assert!(document.contains(&format!("the transformation's or {RETRY_AFTER_S_DEFAULT};")));
    assert!(document.contains(&format!("; {LIMIT_PERIOD_S} of a 429 |")));
}
