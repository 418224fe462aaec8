//! Goal: documents say what the code does.
//! Method: what can be written from the code is rendered again and compared (`UPDATE=1` writes it);
//! what people write is searched for names and numbers that the code does not have.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, clippy::indexing_slicing)]

mod api;
mod architecture;
mod caching;
mod configuration;
mod everywhere;
mod readme;

use std::fs;
use std::path::{Path, PathBuf};

/// Closes every generated part.
const END: &str = "<!-- end of the generated part -->\n";

fn root() -> &'static Path {
    Path::new(env!("CARGO_MANIFEST_DIR"))
}

#[track_caller]
fn read(document: &str) -> String {
    fs::read_to_string(root().join(document)).expect(document)
}

/// The part of a document that is written from `source` is `wanted`; with `UPDATE=1` it is made so.
#[track_caller]
fn hold(document: &str, source: &str, wanted: &str) {
    let begin = format!("<!-- generated from {source}: UPDATE=1 cargo test --test documents -->\n");
    let text = read(document);
    let (before, rest) = text.split_once(&begin).unwrap_or_else(|| panic!("{begin}"));
    let (generated, after) = rest.split_once(END).expect("the marker of its end");
    let wanted = format!("\n{wanted}\n");
    if generated == wanted {
        return;
    }
    assert!(
        std::env::var_os("UPDATE").is_some(),
        "{document} is older than {source}: run UPDATE=1 cargo test --test documents -- --test-threads 1"
    );
    fs::write(root().join(document), format!("{before}{begin}{wanted}{END}{after}")).unwrap();
}

/// Every file below `folder` that ends in `extension`, relative to the root, sorted.
fn files(folder: &str, extension: &str) -> Vec<String> {
    let mut found = Vec::new();
    let mut folders = vec![PathBuf::from(folder)];
    while let Some(folder) = folders.pop() {
        for entry in fs::read_dir(root().join(&folder)).expect("a folder") {
            let path = folder.join(entry.unwrap().file_name());
            if root().join(&path).is_dir() {
                folders.push(path);
            } else if path.extension().is_some_and(|it| it == extension) {
                found.push(path.to_str().unwrap().trim_start_matches("./").to_owned());
            }
        }
    }
    found.sort();
    found
}

/// Every document that people read first.
fn documents() -> Vec<String> {
    let mut documents = files("docs", "md");
    let others = [
        "README.md",
        "KV_CACHING.md",
        "CONFIGURATION_REFERENCE.md",
        "crates/media-origin/README.md",
    ];
    documents.extend(others.map(str::to_owned));
    documents
}

/// What stands between backticks on one line.
fn code_spans(text: &str) -> Vec<&str> {
    text.lines().flat_map(|line| line.split('`').skip(1).step_by(2)).collect()
}
