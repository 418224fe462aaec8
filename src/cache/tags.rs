//! Cache tags: the handles by which an operator purges many entries at once.
//!
//! A tag is printable ASCII without space or comma; the platform drops any other silently
//! (cache/how-to/purge-cache/purge-by-tags). It compares without regard to case.

use std::fmt::Write;

use crate::config::{Origin, Tags as TagsConfig};
use crate::limits::{FOLDER_TAGS_MAX, TAG_BYTES_MAX, TAGS_MAX};
use crate::request::path::SourcePath;
use crate::request::recipe::{Mode, Recipe};

use super::key::digest_128;

/// The tags of a rendition: asset, folder prefixes, origin, mode, derivative, dimensions, configured extras.
///
/// At most [`TAGS_MAX`] of at most [`TAG_BYTES_MAX`] bytes; a longer one takes its [`short_form`].
pub fn tags(
    config: &TagsConfig,
    origin: &Origin,
    path: &SourcePath,
    recipe: &Recipe,
    preset: Option<&str>,
) -> Vec<String> {
    let asset = path.without_slash();
    let mut tags = Vec::with_capacity(TAGS_MAX);
    tags.push(asset_tag(config, asset));
    tags.extend(folders(asset).map(|folder| folder_tag(config, folder)));
    tags.push(origin_tag(config, &origin.name));
    tags.push(prefixed(config, "mode:", recipe.mode.as_str()));
    tags.extend(preset.map(|preset| preset_tag(config, preset)));
    if recipe.mode != Mode::Audio && (recipe.width.is_some() || recipe.height.is_some()) {
        let size = format!("{}x{}", pixels(recipe.width), pixels(recipe.height));
        tags.push(prefixed(config, "size:", &size));
    }
    tags.extend(origin.tags.iter().chain(&config.extra).map(|tag| prefixed(config, "", tag)));
    tags.truncate(TAGS_MAX);
    tags
}

/// The value of `Cache-Tag`.
pub fn header_value(tags: &[String]) -> String {
    tags.join(",")
}

/// The form a tag takes where room is short: itself up to [`SHORT_BYTES_MAX`] bytes, else `~` and 32 hex
/// digits of its lower-case hash. A purge compares both forms.
pub fn short_form(tag: &str) -> String {
    if tag.len() <= SHORT_BYTES_MAX {
        tag.to_owned()
    } else {
        format!("~{}", digest_128(&tag.to_ascii_lowercase()))
    }
}

/// Bytes up to which a tag is its own short form.
pub const SHORT_BYTES_MAX: usize = 33;

/// Every folder above the asset, from the top: `a/b/c.mp4` lies in `a` and `a/b`.
fn folders(asset: &str) -> impl Iterator<Item = &str> {
    asset
        .match_indices('/')
        .filter_map(|(at, _)| asset.get(..at))
        .filter(|folder| !folder.is_empty())
        .take(FOLDER_TAGS_MAX)
}

fn pixels(side: Option<u16>) -> String {
    side.map_or_else(|| "auto".to_owned(), |side| side.to_string())
}

/// The tag of a source's entries; [`folder_tag`] and [`origin_tag`] are those of where it lies and of its rule.
pub fn asset_tag(config: &TagsConfig, asset: &str) -> String {
    prefixed(config, "asset:", asset)
}

/// The tag of everything in a folder.
pub fn folder_tag(config: &TagsConfig, folder: &str) -> String {
    prefixed(config, "folder:", folder)
}

/// The tag of everything of an origin's rule.
pub fn origin_tag(config: &TagsConfig, origin: &str) -> String {
    prefixed(config, "origin:", origin)
}

/// The tag of what was asked by the name of a preset.
pub fn preset_tag(config: &TagsConfig, preset: &str) -> String {
    prefixed(config, "derivative:", preset)
}

fn prefixed(config: &TagsConfig, kind: &str, name: &str) -> String {
    carried([&config.prefix, kind, name].concat())
}

/// The form of a tag that entries carry, and by which they are purged: what a tag may not hold is escaped, and one of
/// more than [`TAG_BYTES_MAX`] bytes takes its [`short_form`]. Paths are canonical, so it only ever meets commas in them.
pub fn carried(tag: String) -> String {
    let stands = |byte: u8| byte.is_ascii_graphic() && byte != b',';
    let clean = if tag.bytes().all(stands) { tag } else { escaped(&tag, stands) };
    if clean.len() > TAG_BYTES_MAX { short_form(&clean) } else { clean }
}

fn escaped(tag: &str, stands: impl Fn(u8) -> bool) -> String {
    let mut clean = String::with_capacity(tag.len() + 2);
    for byte in tag.bytes() {
        if stands(byte) {
            clean.push(char::from(byte));
        } else {
            // Writing to a String cannot fail.
            let _ = write!(clean, "%{byte:02X}");
        }
    }
    clean
}

#[cfg(test)]
#[path = "tags_tests.rs"]
mod tests;
