#![allow(clippy::unwrap_used)]
use proptest::{option, prelude::*};
use serde_json::json;

use super::*;
use crate::config::Config;
use crate::request::recipe::{Fit, Format};

fn config(prefix: &str, extra: &[&str], of_origin: &[&str]) -> Config {
    Config::check(&json!({
        "origins": [{
            "name": "films", "pattern": "^/", "tags": of_origin,
            "sources": [{"url": "https://source.example/a.mp4"}]
        }],
        "tags": {"prefix": prefix, "extra": extra}
    }))
    .unwrap()
}

fn recipe(mode: Mode, width: Option<u16>, height: Option<u16>) -> Recipe {
    Recipe {
        mode,
        width,
        height,
        fit: Fit::Contain,
        audio: true,
        format: Format::Mp4,
        time_ms: 0,
        duration_ms: None,
        quality: None,
        image_count: None,
    }
}

fn of(config: &Config, path: &str, recipe: &Recipe, preset: Option<&str>) -> Vec<String> {
    let path = SourcePath::parse(path).unwrap();
    tags(&config.tags, config.origins.first().unwrap(), &path, recipe, preset)
}

#[test]
fn a_rendition_can_be_purged_by_each_of_these() {
    let config = config("vr-", &["team"], &["paid"]);
    let recipe = recipe(Mode::Video, Some(640), None);
    assert_eq!(
        of(&config, "/a/b/c.mp4", &recipe, Some("mobile")),
        [
            "vr-asset:a/b/c.mp4",
            "vr-folder:a",
            "vr-folder:a/b",
            "vr-origin:films",
            "vr-mode:video",
            "vr-derivative:mobile",
            "vr-size:640xauto",
            "vr-paid",
            "vr-team",
        ]
    );
}

#[test]
fn what_does_not_apply_is_no_tag() {
    let config = config("", &[], &[]);
    let audio = recipe(Mode::Audio, None, None);
    assert_eq!(of(&config, "/a.mp4", &audio, None), ["asset:a.mp4", "origin:films", "mode:audio"]);
    let bare = recipe(Mode::Frame, None, None);
    assert_eq!(of(&config, "/a.mp4", &bare, None).last().unwrap(), "mode:frame");
}

#[test]
fn a_deep_path_keeps_its_top_folders_and_the_operators_tags() {
    let config = config("", &["x1", "x2", "x3", "x4", "x5"], &["o1", "o2", "o3", "o4", "o5"]);
    let deep = "/1/2/3/4/5/6/7/8/9/10/a.mp4";
    let tags = of(&config, deep, &recipe(Mode::Video, Some(10), Some(10)), Some("p"));
    assert_eq!(tags.iter().filter(|tag| tag.starts_with("folder:")).count(), FOLDER_TAGS_MAX);
    assert!(tags.contains(&"folder:1/2/3/4/5/6/7/8".to_owned()));
    assert!(tags.len() <= TAGS_MAX);
    assert_eq!(tags.last().unwrap(), "x5", "nothing of the operator's is cut off");
}

#[test]
fn a_comma_in_a_path_does_not_make_two_tags() {
    let config = config("", &[], &[]);
    let tags = of(&config, "/a,b.mp4", &recipe(Mode::Audio, None, None), None);
    assert_eq!(tags.first().unwrap(), "asset:a%2Cb.mp4");
    assert_eq!(header_value(&tags), "asset:a%2Cb.mp4,origin:films,mode:audio");
}

#[test]
fn the_short_form_is_the_tag_itself_or_a_hash_whatever_the_case() {
    let (fits, longer) = ("x".repeat(SHORT_BYTES_MAX), "X".repeat(SHORT_BYTES_MAX + 1));
    assert_eq!(short_form(&fits), fits);
    assert_eq!(short_form(&longer).len(), SHORT_BYTES_MAX);
    assert_eq!(short_form(&longer), short_form(&longer.to_lowercase()));
    assert_eq!(short_form(&short_form(&longer)), short_form(&longer), "it is its own short form");
}

proptest! {
    #[test]
    fn every_tag_is_one_the_platform_keeps(
        raw in "(/[ -~]{0,40}){1,12}\\.mp4",
        sides in (option::of(10..2_000_u16), option::of(10..2_000_u16)),
        preset in option::of("[a-z0-9_-]{1,32}"),
    ) {
        let Ok(path) = SourcePath::parse(&raw.replace(['%', '?'], "")) else { return Ok(()) };
        let config = config("p-", &["extra"], &["own"]);
        let recipe = recipe(Mode::Video, sides.0, sides.1);
        let tags = tags(&config.tags, config.origins.first().unwrap(), &path, &recipe, preset.as_deref());
        prop_assert!(tags.len() <= TAGS_MAX);
        for tag in &tags {
            prop_assert!(tag.len() <= TAG_BYTES_MAX && !tag.is_empty());
            prop_assert!(tag.bytes().all(|byte| byte.is_ascii_graphic() && byte != b','), "{}", tag);
        }
        prop_assert_eq!(header_value(&tags).split(',').count(), tags.len());
    }
}
