//! Goal: what fuzzing once broke stays mended, and the fuzz targets fit the code.
//! Method: the properties of `fuzz/` are compiled here too, and hold for every seed; folders and
//! dictionaries are compared with what they are for.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, clippy::indexing_slicing)]

use std::collections::BTreeSet;
use std::fs;
use std::path::{Path, PathBuf};

use video_resizer::config::layers;
use video_resizer::config::table::KEYS;
use video_resizer::request::ask::HEADERS;
use video_resizer::request::parameter::TABLE;

#[path = "../fuzz/src/lib.rs"]
#[allow(unreachable_pub)] // they are a crate of their own in fuzz/
mod properties;

fn fuzz(folder: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("fuzz").join(folder)
}

/// The files of a folder, by their name without `.rs`.
#[track_caller]
fn names(folder: &str) -> BTreeSet<String> {
    let entries = fs::read_dir(fuzz(folder)).expect(folder);
    entries.map(|it| it.unwrap().path().file_stem().unwrap().to_str().unwrap().to_owned()).collect()
}

#[test]
fn every_property_holds_for_every_seed() {
    for (name, holds) in properties::ALL {
        let seeds = fs::read_dir(fuzz("seeds").join(name)).expect(name);
        let mut held = 0;
        for seed in seeds {
            let file = seed.unwrap().path();
            let input = fs::read(&file).unwrap();
            let outcome = std::panic::catch_unwind(|| holds(&input));
            assert!(outcome.is_ok(), "{} breaks it", file.display());
            held += 1;
        }
        assert!(held >= 3, "{name} has {held} seeds");
    }
}

#[test]
fn every_property_has_a_target_seeds_and_a_dictionary() {
    let all: BTreeSet<_> = properties::ALL.iter().map(|(name, _)| (*name).to_owned()).collect();
    for folder in ["fuzz_targets", "seeds", "dictionaries"] {
        assert_eq!(names(folder), all, "{folder}");
    }
    let manifest = fs::read_to_string(fuzz("Cargo.toml")).unwrap();
    for name in &all {
        let target = format!("name = \"{name}\"\npath = \"fuzz_targets/{name}.rs\"");
        assert!(manifest.contains(&target), "{name}");
        let source = fs::read_to_string(fuzz("fuzz_targets").join(format!("{name}.rs"))).unwrap();
        assert!(source.contains(&format!("| {name}::holds(input)")), "{name}");
    }
}

#[test]
fn a_number_becomes_another_whole_and_what_stands_around_it_stays() {
    let mut replaced = BTreeSet::new();
    for seed in 0..1_000 {
        let mut input = *b"{\"m\":400,\"h\":4}--------------------";
        let Some(size) = properties::numbers::replace(&mut input, 15, 35, seed) else { continue };
        replaced.insert(std::str::from_utf8(&input[..size]).unwrap().to_owned());
    }
    for other in [0, 399, 401, u64::MAX] {
        assert!(replaced.contains(&format!("{{\"m\":{other},\"h\":4}}")), "{replaced:?}");
    }
    assert!(replaced.contains("{\"m\":400,\"h\":18446744073709551615}"), "{replaced:?}");
    assert_eq!(properties::numbers::replace(&mut b"no number".to_vec(), 9, 9, 0), None);
    assert_eq!(properties::numbers::replace(&mut b"9".to_vec(), 1, 1, 2 * 8), None, "no room");
}

/// Of a document that is refused at its first key, nothing behind the checks is ever seen.
#[test]
fn the_seed_with_every_kind_of_key_is_a_good_configuration() {
    let document = fs::read_to_string(fuzz("seeds/configuration/every-kind-of-key")).unwrap();
    let refused = layers::assemble(Some(&document), None).err();
    assert_eq!(refused, None);
}

#[test]
fn the_dictionaries_have_every_name_of_the_tables() {
    let request = fs::read_to_string(fuzz("dictionaries").join("request")).unwrap();
    for row in TABLE {
        for name in std::iter::once(row.name).chain(row.aliases.iter().map(|alias| alias.name)) {
            assert!(request.contains(&format!("\"{name}=\"")), "{name}");
        }
    }
    for header in HEADERS.iter().filter(|header| header.as_str().contains("dpr")) {
        assert!(request.contains(&format!("\"\\x0A{header}: \"")), "{header}");
    }
    let configuration = fs::read_to_string(fuzz("dictionaries").join("configuration")).unwrap();
    for key in KEYS {
        for part in key.path.split('.').map(|part| part.trim_end_matches("[]")) {
            let word = format!("\"\\\"{part}\\\":\"");
            let is_there = part == "*" || configuration.contains(&word);
            assert!(is_there, "add {word} of {} to the dictionary", key.path);
        }
    }
}
