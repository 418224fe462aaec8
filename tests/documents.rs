//! Goal: documents and tables say the same.
//! Method: the generated part is rendered again and compared; `UPDATE=1` writes it.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, clippy::indexing_slicing)]

use std::path::PathBuf;

use video_resizer::config::{Config, layers, live, reference};
use video_resizer::limits;

const BEGIN: &str =
    "<!-- generated from src/config/table.rs: UPDATE=1 cargo test --test documents -->\n";
const END: &str = "<!-- end of the generated part -->\n";

fn reference_path() -> PathBuf {
    PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("CONFIGURATION_REFERENCE.md")
}

fn reference() -> String {
    std::fs::read_to_string(reference_path()).unwrap()
}

#[test]
fn the_configuration_reference_has_every_row_of_the_table() {
    let document = reference();
    let (before, rest) = document.split_once(BEGIN).expect("the marker of its beginning");
    let (generated, after) = rest.split_once(END).expect("the marker of its end");
    let wanted = format!("\n{}\n", reference::markdown());
    if std::env::var_os("UPDATE").is_some() {
        std::fs::write(reference_path(), format!("{before}{BEGIN}{wanted}{END}{after}")).unwrap();
    } else {
        assert!(generated == wanted, "run UPDATE=1 cargo test --test documents");
    }
}

#[test]
fn every_json_example_of_the_configuration_reference_is_a_good_configuration() {
    let document = reference();
    let examples: Vec<_> = document
        .split("```json\n")
        .skip(1)
        .map(|rest| rest.split_once("```").expect("the end of a block").0)
        .collect();
    assert!(examples.len() >= 9, "only {} examples found", examples.len());
    let defaults = format!("{:?}", Config::defaults());
    for example in examples {
        let document = serde_json::from_str(example).expect(example);
        let config = Config::check(&document).expect(example);
        assert_ne!(format!("{config:?}"), defaults, "shows nothing: {example}");
    }
}

#[test]
fn the_error_examples_of_the_configuration_reference_are_what_is_said() {
    let text = r#"{"cache": {"enableKVCache": true}, "origins": [{"name": "a", "pattern": "^/(.+)$", "sources":
        [{"url": "https://a.example/$1"}, {"url": "ftp://media.example.com/$1"}]}]}"#;
    let errors = layers::assemble(Some(text), None).unwrap_err();
    let said = errors.iter().map(ToString::to_string).collect::<Vec<_>>().join("\n");
    assert!(reference().contains(&format!("```text\n{said}\n```")), "{said}");
}

#[test]
fn the_configuration_reference_tells_the_names_and_numbers_of_the_code() {
    let document = reference();
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
