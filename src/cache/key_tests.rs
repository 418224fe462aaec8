#![allow(clippy::unwrap_used)]
use proptest::{option, prelude::*, sample::select};

use super::*;
use crate::request::recipe::{Fit, Format, Mode, Quality};

const VIDEO: Recipe = Recipe {
    mode: Mode::Video,
    width: Some(640),
    height: Some(360),
    fit: Fit::Contain,
    audio: true,
    format: Format::Mp4,
    time_ms: 0,
    duration_ms: None,
    quality: None,
    image_count: None,
};

fn path(text: &str) -> SourcePath {
    SourcePath::parse(text).unwrap()
}

fn of(origin: &str, host: Option<&str>, version: u32, raw: &str, recipe: &Recipe) -> String {
    kv_key(Namespace { origin, host, version }, &path(raw), recipe)
}

#[test]
fn keys_are_these_for_ever_because_entries_live_under_them() {
    let high = Recipe { quality: Some(Quality::High), ..VIDEO };
    let full = Recipe {
        fit: Fit::Cover,
        audio: false,
        time_ms: 1_500,
        duration_ms: Some(5_000),
        quality: Some(Quality::Low),
        ..VIDEO
    };
    let frame = Recipe { mode: Mode::Frame, format: Format::Png, height: None, ..VIDEO };
    let sheet = Recipe {
        mode: Mode::Spritesheet,
        format: Format::Jpg,
        image_count: Some(9),
        ..frame.clone()
    };
    let audio = Recipe { mode: Mode::Audio, format: Format::M4a, width: None, ..frame.clone() };
    let bare = Recipe { width: None, height: None, ..VIDEO };
    for (key, expected) in [
        (
            of("default", None, 0, "/videos/sample.mp4", &high),
            "video:videos/sample.mp4:w=640:h=360:f=mp4:q=high",
        ),
        (of("default", None, 0, "/a.mp4", &bare), "video:a.mp4:f=mp4"),
        (
            of("default", None, 0, "/a.mp4", &full),
            "video:a.mp4:w=640:h=360:fit=cover:f=mp4:q=low:t=1500ms:d=5s:a=false",
        ),
        (of("default", None, 0, "/a.mp4", &frame), "video:a.mp4:mode=frame:w=640:f=png"),
        (of("default", None, 0, "/a.mp4", &sheet), "video:a.mp4:mode=spritesheet:w=640:f=jpg:n=9"),
        (of("default", None, 0, "/a.mp4", &audio), "video:a.mp4:mode=audio:f=m4a"),
        (
            of("films", Some("v.example:8787"), 3, "/a:b/c%20d.mp4", &bare),
            "video:a%3ab/c%20d.mp4:f=mp4:o=films:host=v.example%3a8787:v=3",
        ),
    ] {
        assert_eq!(key, expected);
    }
}

#[test]
fn a_key_over_the_limit_ends_in_a_hash_of_the_whole() {
    let long = format!("/{}.mp4", "a".repeat(600));
    let key = of("default", None, 0, &long, &VIDEO);
    assert_eq!(key.len(), KV_KEY_BYTES_MAX);
    assert!(key.starts_with("video:aaaa"));
    let (_, hash) = key.rsplit_once('~').unwrap();
    let whole = format!("video:{}.mp4:w=640:h=360:f=mp4", "a".repeat(600));
    assert_eq!(hash, digest_128(&whole));
    assert_ne!(key, of("default", None, 1, &long, &VIDEO), "what was cut off still counts");

    let fitting = KV_KEY_BYTES_MAX - "video:.mp4:w=640:h=360:f=mp4".len();
    let key = of("default", None, 0, &format!("/{}.mp4", "a".repeat(fitting)), &VIDEO);
    assert!(key.len() == KV_KEY_BYTES_MAX && !key.contains('~'), "512 bytes fit exactly");
}

#[test]
fn a_digest_is_the_beginning_of_the_sha_256() {
    assert_eq!(digest_128(""), "e3b0c44298fc1c149afbf4c8996fb924");
}

#[test]
fn the_edge_url_is_the_public_one_in_its_canonical_spelling() {
    assert_eq!(
        edge_url("https://v.example", &path("/a%20b.mp4"), &VIDEO, 0),
        "https://v.example/a%20b.mp4?width=640&height=360&format=mp4"
    );
    assert_eq!(
        edge_url("http://127.0.0.1:8787", &path("/a.mp4"), &VIDEO, 2),
        "http://127.0.0.1:8787/a.mp4?width=640&height=360&format=mp4&v=2"
    );
}

/// Everything a key is made of.
#[derive(Debug, Clone, PartialEq, Eq)]
struct Named {
    origin: String,
    host: Option<String>,
    version: u32,
    path: SourcePath,
    recipe: Recipe,
}

impl Named {
    fn key(&self) -> String {
        let Self { origin, host, version, path, recipe } = self;
        kv_key(Namespace { origin, host: host.as_deref(), version: *version }, path, recipe)
    }
}

fn recipe() -> impl Strategy<Value = Recipe> {
    (
        select(Mode::ALL.to_vec()),
        (option::of(10..13_u16), option::of(10..13_u16)),
        (select(Fit::ALL.to_vec()), any::<bool>(), select(Format::ALL.to_vec())),
        (select(vec![0, 1, 1_000, 60_000_u32]), option::of(select(vec![1_000, 1_001_u32]))),
        option::of(select(Quality::ALL.to_vec())),
        option::of(1..3_u16),
    )
        .prop_map(
            |(
                mode,
                (width, height),
                (fit, audio, format),
                (time_ms, duration_ms),
                quality,
                image_count,
            )| {
                Recipe {
                    mode,
                    width,
                    height,
                    fit,
                    audio,
                    format,
                    time_ms,
                    duration_ms,
                    quality,
                    image_count,
                }
            },
        )
}

fn named() -> impl Strategy<Value = Named> {
    // Paths that look like options, like escapes and like hashed tails; short and long.
    let pieces = select(vec![
        "a", ":", "=", "w=640", ":o=x", ":v=1", "%3a", "%3A", "~", "/", "host", "f=mp4",
    ]);
    let path = (proptest::collection::vec(pieces, 1..6), select(vec![0, 0, 490, 600_usize]))
        .prop_filter_map("no path", |(pieces, padding)| {
            let raw = format!("/{}{}.mp4", "p".repeat(padding), pieces.concat());
            SourcePath::parse(&raw).ok()
        });
    (
        select(vec!["default", "x", "y", "v-1"]),
        option::of(select(vec!["a.example", "a.example:1", "b.example"])),
        0..3_u32,
        path,
        recipe(),
    )
        .prop_map(|(origin, host, version, path, recipe)| Named {
            origin: origin.to_owned(),
            host: host.map(ToOwned::to_owned),
            version,
            path,
            recipe,
        })
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(2_000))]

    #[test]
    fn two_renditions_never_share_a_key_and_every_key_fits(one in named(), two in named()) {
        let (key, other) = (one.key(), two.key());
        prop_assert_eq!(key == other, one == two);
        prop_assert!(key.len() <= KV_KEY_BYTES_MAX);
        prop_assert!(key.bytes().all(|byte| byte.is_ascii_graphic()), "{}", key);
    }

    /// Differing in one part only is where keys would be mixed up.
    #[test]
    fn every_part_of_the_name_counts(one in named(), two in named(), part in 0..5) {
        let mut mixed = one.clone();
        match part {
            0 => mixed.origin = two.origin,
            1 => mixed.host = two.host,
            2 => mixed.version = two.version,
            3 => mixed.path = two.path,
            _ => mixed.recipe = two.recipe,
        }
        prop_assert_eq!(one.key() == mixed.key(), one == mixed);
        let at = |named: &Named| edge_url("https://v.example", &named.path, &named.recipe, named.version);
        prop_assert_eq!(
            at(&one) == at(&mixed),
            (&one.path, &one.recipe, one.version) == (&mixed.path, &mixed.recipe, mixed.version)
        );
    }
}
