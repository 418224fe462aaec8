//! `CONFIGURATION_REFERENCE.md`: every key, every example, every message.

use video_resizer::config::{Config, layers, live, reference};
use video_resizer::limits;

use crate::{hold, read};

const REFERENCE: &str = "CONFIGURATION_REFERENCE.md";

#[test]
fn the_configuration_reference_has_every_row_of_the_table() {
    hold(REFERENCE, "src/config/table.rs", &reference::markdown());
}

#[test]
fn every_json_example_of_the_configuration_reference_is_a_good_configuration() {
    let document = read(REFERENCE);
    let examples: Vec<_> = document
        .split("```json\n")
        .skip(1)
        .map(|rest| rest.split_once("```").expect("the end of a block").0)
        .collect();
    assert!(examples.len() >= 9, "only {} examples found", examples.len());
    let defaults = format!("{:?}", Config::defaults());
    for example in examples {
        let config = Config::check(&example).expect(example);
        assert_ne!(format!("{config:?}"), defaults, "shows nothing: {example}");
    }
}

#[test]
fn the_error_examples_of_the_configuration_reference_are_what_is_said() {
    let text = r#"{"cache": {"enableKVCache": true}, "origins": [{"name": "a", "pattern": "^/(.+)$", "sources":
        [{"url": "https://a.example/$1"}, {"url": "ftp://media.example.com/$1"}]}]}"#;
    let errors = layers::assemble(Some(text), None).unwrap_err();
    let said = errors.iter().map(ToString::to_string).collect::<Vec<_>>().join("\n");
    assert!(read(REFERENCE).contains(&format!("```text\n{said}\n```")), "{said}");
}

#[test]
fn the_configuration_reference_tells_the_names_and_numbers_of_the_code() {
    let document = read(REFERENCE);
    for text in [
        format!("`{}`", layers::VARS_LAYER),
        format!("`{}`", layers::STORED_LAYER),
        format!("every {} seconds", live::REFRESH_MS / 1_000),
        format!("at most {} seconds of KV's own caching", live::STORED_CACHE_TTL_S),
        format!("under {} seconds lives at the edge only", limits::KV_EXPIRATION_TTL_S_MIN),
        format!("the first {}", video_resizer::config::ERRORS_MAX),
    ] {
        assert!(document.contains(&text), "{text}");
    }
    assert_eq!(limits::CONFIG_BYTES_MAX, 262_144);
    assert!(document.contains("at most 262,144 bytes"));
}
