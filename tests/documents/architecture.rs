//! `docs/architecture.md`: the map is the tree, and what keeps an invariant exists.

use std::fmt::Write;

use crate::{code_spans, files, hold, read};

const ARCHITECTURE: &str = "docs/architecture.md";

/// The order in which a request meets them.
const FOLDERS: [&str; 10] =
    ["request", "guard", "cache", "media", "purge", "http", "json", "config", "admin", "worker"];

fn is_test(file: &str) -> bool {
    file.contains("/tests/") || file.ends_with("_tests.rs")
}

/// The first sentence of a file's own documentation, without rustdoc's link brackets.
#[track_caller]
fn first_sentence(file: &str) -> String {
    let text = read(file);
    let lines = text.lines().map_while(|line| line.strip_prefix("//!")).map(str::trim);
    let paragraph: Vec<_> = lines.take_while(|line| !line.is_empty()).collect();
    let paragraph = paragraph.join(" ").replace("[`", "`").replace("`]", "`");
    let sentence = paragraph.split(". ").next().unwrap().trim_end_matches(['.', ':']);
    assert!(!sentence.is_empty(), "{file} does not say what it is");
    format!("{sentence}.")
}

#[test]
fn the_map_has_every_module_and_no_other() {
    let modules: Vec<_> = files("src", "rs").into_iter().filter(|file| !is_test(file)).collect();
    let mut map = String::new();
    let mut section = |folder: &str, title: &str| {
        let _ = writeln!(map, "{title}\n\n| module | what it is |\n|---|---|");
        for file in &modules {
            let inside = file.strip_prefix(&format!("src/{folder}")).unwrap_or_default();
            let is_here =
                if folder.is_empty() { !inside.contains('/') } else { !inside.is_empty() };
            if is_here {
                let _ = writeln!(map, "| `{file}` | {} |", first_sentence(file));
            }
        }
        map.push('\n');
    };
    section("", "Outside any folder:");
    for folder in FOLDERS {
        section(&format!("{folder}/"), &format!("`src/{folder}/`:"));
    }
    for file in &modules {
        assert!(map.contains(&format!("`{file}`")), "{file} is in no folder of the map");
    }
    hold(ARCHITECTURE, "src", map.trim_end());
}

#[test]
fn every_test_that_keeps_an_invariant_exists() {
    let document = read(ARCHITECTURE);
    let (_, rest) = document.split_once("## What always holds").unwrap();
    let sources: String =
        files("src", "rs").iter().chain(&files("tests", "rs")).map(|file| read(file)).collect();
    let named: Vec<_> = code_spans(rest.split("\n## ").next().unwrap())
        .into_iter()
        .filter(|span| span.matches('_').count() >= 4)
        .collect();
    assert!(named.len() >= 7, "{named:?}");
    for name in named {
        assert!(sources.contains(&format!("fn {name}(")), "{name}");
    }
}

#[test]
fn every_lint_that_keeps_an_invariant_is_switched_on() {
    let document = read(ARCHITECTURE);
    let manifest = read("Cargo.toml");
    for lint in [
        "unwrap_used",
        "expect_used",
        "panic",
        "indexing_slicing",
        "wildcard_enum_match_arm",
        "unsafe_code",
    ] {
        assert!(document.contains(&format!("`{lint}`")), "{lint}");
        assert!(manifest.contains(&format!("\n{lint} = ")), "{lint}");
    }
}
