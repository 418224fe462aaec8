//! What holds for every document: links lead somewhere, words of the log are the code's, and no
//! path of anybody's machine is in them.

use std::collections::BTreeSet;

use serde_json::Value;
use video_resizer::cache::status::Phase;
use video_resizer::config::live::REFRESH_MS;

use crate::{code_spans, documents, files, read, root};

/// GitHub's anchor of a heading.
fn anchor(heading: &str) -> String {
    let kept = heading.trim_start_matches('#').trim().to_lowercase();
    kept.chars()
        .filter(|it| it.is_alphanumeric() || matches!(it, ' ' | '-' | '_'))
        .map(|it| if it == ' ' { '-' } else { it })
        .collect()
}

/// The targets of `[text](target)` outside code blocks.
fn links(text: &str) -> Vec<&str> {
    let outside = text.split("```").step_by(2);
    outside
        .flat_map(|text| text.split("](").skip(1))
        .filter_map(|rest| rest.split(')').next())
        .collect()
}

#[test]
fn every_link_of_the_documents_leads_somewhere() {
    let mut followed = 0;
    for document in documents() {
        let text = read(&document);
        for link in links(&text).into_iter().filter(|link| !link.contains("://")) {
            let (path, fragment) = link.split_once('#').unwrap_or((link, ""));
            let folder = root().join(&document).parent().unwrap().to_owned();
            let target = if path.is_empty() { root().join(&document) } else { folder.join(path) };
            assert!(target.exists(), "{document} links to {link}");
            if !fragment.is_empty() {
                let text = std::fs::read_to_string(&target).expect(link);
                let mut headings = text.lines().filter(|line| line.starts_with('#'));
                assert!(headings.any(|it| anchor(it) == fragment), "{document} links to {link}");
            }
            followed += 1;
        }
    }
    assert!(followed >= 20, "only {followed} links found");
}

#[test]
fn no_document_has_a_path_of_a_machine() {
    let mut texts = documents();
    texts.extend(["wrangler.jsonc", "package.json", "Cargo.toml"].map(str::to_owned));
    for document in texts {
        let text = read(&document);
        for path in ["/work/", "/tmp/", "/root/", "/home/", "/Users/"] {
            // Not behind a letter: `docs/work/` would be nobody's.
            let found = text.match_indices(path).find(|(at, _)| {
                !text[..*at].ends_with(|before: char| before.is_alphanumeric() || before == '.')
            });
            assert!(found.is_none(), "{document}: {path}");
        }
    }
}

#[test]
fn every_decision_is_numbered_once_and_says_context_decision_and_consequences() {
    let decisions = files("docs/decisions", "md");
    assert!(decisions.len() >= 8);
    for (number, file) in (1..).zip(&decisions) {
        let name = file.rsplit('/').next().unwrap();
        assert!(name.starts_with(&format!("{number:04}-")), "{file}");
        let text = read(file);
        for part in ["\n## Context\n", "\n## Decision\n", "\n## Consequences\n"] {
            assert!(text.contains(part), "{file} has no {part}");
        }
    }
}

const OPERATIONS: &str = "docs/operations.md";

/// The first cells of the table with this header row.
fn rows(header: &str) -> BTreeSet<String> {
    let document = read(OPERATIONS);
    let (_, rest) = document.split_once(&format!("\n{header}\n")).expect(header);
    let rows = rest.lines().skip(1).take_while(|line| line.starts_with('|'));
    rows.flat_map(|row| code_spans(row.split('|').nth(1).unwrap()).into_iter().map(str::to_owned))
        .collect()
}

#[test]
fn every_phase_of_the_log_is_in_the_document() {
    let mut wanted: BTreeSet<_> =
        Phase::ALL.iter().map(|phase| phase.as_str().to_owned()).collect();
    wanted.extend(["answered", "pass-through"].map(str::to_owned));
    assert_eq!(rows("| `phase` | how it ended |"), wanted);
}

/// What stands before the parenthesis that closes a call.
fn arguments(rest: &str) -> &str {
    let mut depth = 1;
    let end = rest.find(|it| {
        depth += match it {
            '(' => 1,
            ')' => -1,
            _ => 0,
        };
        depth == 0
    });
    &rest[..end.expect("a closed call")]
}

#[test]
fn every_message_of_the_log_is_in_the_document_and_no_other() {
    let code: String = files("src", "rs").iter().map(|file| read(file)).collect();
    let mut said = BTreeSet::new();
    for call in ["tracing::info!(", "tracing::warn!(", "tracing::error!("] {
        for rest in code.split(call).skip(1) {
            let message = arguments(rest).rsplit('"').nth(1).unwrap();
            said.insert(message.to_owned());
        }
    }
    let mut wanted = rows("| message | what |");
    wanted.insert("request".to_owned());
    assert_eq!(said, wanted);
}

#[test]
fn the_line_of_the_log_has_the_fields_of_the_code() {
    let document = read(OPERATIONS);
    let (_, rest) = document.split_once("```json\n").unwrap();
    let line: Value = serde_json::from_str(rest.split_once("```").unwrap().0).unwrap();
    let mut fields: BTreeSet<_> = line.as_object().unwrap().keys().cloned().collect();
    assert!(fields.remove("level") && fields.remove("message"));
    let front = read("src/front.rs");
    let (_, log) = front.split_once("\nfn log<").unwrap();
    let (_, event) = log.split_once("tracing::info!(").unwrap();
    let event = event.split("\"request\"").next().unwrap();
    let named = event.lines().map(str::trim).filter(|line| !line.is_empty());
    let written: BTreeSet<_> =
        named.map(|line| line.split([' ', ',']).next().unwrap().to_owned()).collect();
    assert_eq!(fields, written);
}

#[test]
fn a_new_configuration_takes_effect_as_the_document_says() {
    let said = format!("look for it every {} seconds", REFRESH_MS / 1_000);
    assert!(read(OPERATIONS).contains(&said));
}
