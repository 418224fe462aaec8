//! What is stored of a source, or of all: KV's own list, decoded and said in words.

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;

use super::Answer;
use super::given::Given;
use super::ports::AdminHost;
use super::refusal::Refusal;
use crate::cache::entry::{Metadata, Outcome};
use crate::cache::freshness::{Freshness, judge};
use crate::cache::key::{PREFIX, digest_128};
use crate::cache::ports::{KvName, KvStore};
use crate::config::Config;
use crate::document::{Document, List, Object};
use crate::limits::{KV_KEY_BYTES_MAX, PAGE_DEFAULT, PAGE_LISTS_MAX, PAGE_MAX};
use crate::purge::ledger::{Ledger, Standing};
use crate::purge::target::{Subject, stored_path};
use crate::request::path::SourcePath;

/// Name of the binding of the KV namespace that holds renditions.
pub const RENDITIONS_BINDING: &str = "VIDEO_TRANSFORMATIONS_CACHE";
/// Bytes of a key that are certain: of one that is cut, the rest is a digest.
const CERTAIN_BYTES: usize = KV_KEY_BYTES_MAX - 33;
/// Hex digits of the seal of a cursor: a slip of the pen is found, nobody is kept out.
const SEAL_DIGITS: usize = 16;

/// The state of an entry in a word, by its times and what purges say of it.
pub fn state(metadata: &Metadata, standing: Standing, now_ms: u64) -> &'static str {
    if standing == Standing::Purged {
        return "purged";
    }
    match judge(&mut metadata.clone(), standing, now_ms) {
        Freshness::Fresh => "fresh",
        Freshness::Renewable => "renewable",
        Freshness::Stale => "stale",
        Freshness::Dead => "expired",
    }
}

/// An entry as JSON; what cannot be read is shown as `unreadable`, with its key alone.
pub fn shown(key: &str, metadata: Option<&str>, ledger: &Ledger, now_ms: u64) -> Document {
    let mut shown = Object::default();
    let Some(Ok(metadata)) = metadata.map(Metadata::decode) else {
        shown.text("key", key);
        shown.text_or_null("source", source_of(key).as_deref());
        shown.text("state", "unreadable");
        return shown.end();
    };
    let reason = match metadata.outcome() {
        Outcome::Rendition => None,
        Outcome::Failure(unfit) => Some(match unfit.number() {
            Some(number) => format!("{} {number}", unfit.as_str()),
            None => unfit.as_str().to_owned(),
        }),
    };
    let path = stored_path(key, &metadata);
    let subject = Subject::stored(key, path.as_deref(), &metadata.tags);
    let state = state(&metadata, ledger.standing(metadata.heard, &subject), now_ms);
    let chunks = metadata.chunks.map_or(0, |chunks| metadata.length.div_ceil(chunks.bytes.max(1)));
    let content_type = Some(metadata.content_type.as_str()).filter(|kind| !kind.is_empty());
    shown.number("bytes", metadata.length);
    shown.number("chunks", chunks);
    shown.text_or_null("content_type", content_type);
    shown.time("created", metadata.created_ms);
    shown.time("fresh_until", metadata.fresh_until_ms);
    shown.text("generation", &metadata.generation);
    shown.text("key", key);
    shown.text("options", &metadata.options);
    shown.text("origin", &metadata.origin);
    shown.text_or_null("preset", metadata.preset.as_deref());
    shown.text_or_null("reason", reason.as_deref());
    shown.text_or_null("source", metadata.path.clone().or_else(|| source_of(key)).as_deref());
    shown.time("stale_until", metadata.kept_until_ms());
    shown.text("state", state);
    shown.number("status", metadata.status.into());
    shown.texts("tags", &metadata.tags);
    shown.time_or_null("validated", metadata.validated_ms);
    shown.end()
}

/// `GET /variants`
pub(super) async fn list<H: AdminHost>(
    host: &H,
    config: &Config,
    given: &Given,
) -> Result<Answer, Refusal> {
    let limit = given.number("limit", 1, PAGE_MAX)?.unwrap_or(PAGE_DEFAULT);
    let limit = usize::try_from(limit).unwrap_or(usize::MAX);
    let wanted = given.parameter("source").map(Wanted::parse).transpose()?;
    let prefix = wanted.as_ref().map_or(PREFIX, |wanted| wanted.prefix.as_str());
    let mut cursor = match given.parameter("cursor") {
        Some(text) => Some(opened(prefix, text).ok_or_else(|| {
            Refusal::invalid("cursor", "it is not what the last page of this list gave")
        })?),
        None => None,
    };
    let (mut variants, mut count) = (List::default(), 0);
    for _ in 0..PAGE_LISTS_MAX {
        let left = u32::try_from(limit - count).unwrap_or(u32::MAX);
        let budget_ms = config.cache.kv_timeout_ms;
        let page = host.kv().list(prefix, cursor.as_deref(), left, budget_ms).await;
        let page =
            page.map_err(|fault| Refusal::Unavailable { binding: RENDITIONS_BINDING, fault })?;
        let (ledger, now_ms) = (host.ledger(), host.now_ms());
        let ours = page.entries.iter().filter(|name| wanted.as_ref().is_none_or(|it| it.has(name)));
        for KvName { key, metadata } in ours {
            variants.document(&shown(key, metadata.as_deref(), &ledger, now_ms));
            count += 1;
        }
        cursor = page.cursor;
        if cursor.is_none() || count >= limit {
            break;
        }
    }
    let cursor = cursor.map(|cursor| sealed(prefix, &cursor));
    let mut page = Object::default();
    page.text_or_null("cursor", cursor.as_deref());
    page.document("variants", &variants.end());
    Ok(Answer::ok(page.end()))
}

/// A source whose variants are wanted.
struct Wanted {
    source: String,
    /// What the key of every variant begins with.
    prefix: String,
    /// Whether the prefix holds the whole path.
    is_whole: bool,
}

impl Wanted {
    /// With or without a slash at the beginning, percent-encoded as in a URL.
    fn parse(text: &str) -> Result<Self, Refusal> {
        let path = format!("/{}", text.strip_prefix('/').unwrap_or(text));
        let path = SourcePath::parse(&path)
            .map_err(|rejection| Refusal::invalid("source", rejection.to_string()))?;
        let source = path.without_slash().to_owned();
        if source.is_empty() {
            return Err(Refusal::invalid("source", "leave it out to list everything"));
        }
        let mut prefix = format!("{PREFIX}{}", source.replace(':', "%3a"));
        let is_whole = prefix.len() <= CERTAIN_BYTES;
        // Keys are ASCII.
        prefix.truncate(CERTAIN_BYTES);
        Ok(Self { source, prefix, is_whole })
    }

    /// Whether a name that begins with the prefix is one of this source.
    fn has(&self, name: &KvName) -> bool {
        let rest = name.key.strip_prefix(self.prefix.as_str()).unwrap_or_default();
        if self.is_whole && !rest.starts_with(['~', ':']) && !rest.is_empty() {
            return false;
        }
        let metadata = name.metadata.as_deref().and_then(|text| Metadata::decode(text).ok());
        let path = metadata.and_then(|metadata| metadata.path);
        if self.is_whole && !rest.starts_with('~') {
            return true;
        }
        // Of a key that is cut the entry says what it is of, where it had room to; else it may be.
        path.is_none_or(|path| path == self.source)
    }
}

/// The source in a key; `None` where it is cut.
fn source_of(key: &str) -> Option<String> {
    let (path, _) = key.strip_prefix(PREFIX)?.split_once(':')?;
    Some(path.replace("%3a", ":"))
}

/// KV's cursor with a seal that ties it to its list.
fn sealed(prefix: &str, cursor: &str) -> String {
    format!("{}.{}", seal(prefix, cursor), URL_SAFE_NO_PAD.encode(cursor))
}

fn opened(prefix: &str, text: &str) -> Option<String> {
    let (given, cursor) = text.split_once('.')?;
    let cursor = String::from_utf8(URL_SAFE_NO_PAD.decode(cursor).ok()?).ok()?;
    (given == seal(prefix, &cursor)).then_some(cursor)
}

fn seal(prefix: &str, cursor: &str) -> String {
    let mut digest = digest_128(&format!("{prefix}\n{cursor}"));
    digest.truncate(SEAL_DIGITS);
    digest
}

#[cfg(test)]
#[path = "variants_tests.rs"]
mod tests;
