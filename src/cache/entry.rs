//! What is known of a kept rendition: at most 1,024 bytes of JSON beside the body, the same in every tier.
//!
//! Every stored byte says which version wrote it. Both ends check: [`Metadata::encode`] refuses what
//! does not fit, [`Metadata::decode`] refuses what this house cannot have written.

use std::fmt::Write;

use super::ports::Fault;
use super::reason::Unfit;
use super::tags;
use crate::json::{self, Foreign, record};
use crate::limits::{KV_METADATA_BYTES_MAX, KV_VALUE_BYTES_MAX};

/// The only format version so far. A new one keeps the readers of the old.
pub const VERSION: u8 = 1;

/// A kept rendition, or the memory that none could be made.
#[derive(Debug)]
pub struct Entry<B> {
    /// What is known of it.
    pub metadata: Metadata,
    /// Its bytes; empty for a remembered failure.
    pub body: B,
}

/// What is known of an entry. Times are milliseconds since 1970.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Metadata {
    /// Format version.
    pub version: u8,
    /// 32 hex digits, minted when the fill started; the entity tag is made of it.
    pub generation: String,
    /// 200, or the status of a remembered failure.
    pub status: u16,
    /// Media type; empty for a remembered failure.
    pub content_type: String,
    /// Bytes of the body.
    pub length: u64,
    /// When the fill started.
    pub began_ms: u64,
    /// The number of the last purge its isolate had heard of then; left out for 0.
    pub heard: u64,
    /// When the answer was there.
    pub created_ms: u64,
    /// Fresh before this moment.
    pub fresh_until_ms: u64,
    /// Past its lifetime, served at once while it is renewed, before this moment.
    pub renewable_until_ms: Option<u64>,
    /// May be served when nothing better can be made, before this moment.
    pub stale_until_ms: u64,
    /// When its source was last found unchanged.
    pub validated_ms: Option<u64>,
    /// When its source was last asked and nothing came of it.
    pub asked_ms: Option<u64>,
    /// How the body lies in KV, where it is not one value.
    pub chunks: Option<Chunks>,
    /// What the source said of itself when the fill started; left out when there is no room for it.
    pub source_state: Option<SourceState>,
    /// What its source was called when it was ordered, where it had changed before: see [`crate::media::order`].
    pub source_version: Option<String>,
    /// Name of the origin rule.
    pub origin: String,
    /// Path of the source; left out when there is no room for it (it is in the key as well).
    pub path: Option<String>,
    /// The options, as in the key.
    pub options: String,
    /// Preset that was asked by name.
    pub preset: Option<String>,
    /// Index of the source it was made from.
    pub source: u8,
    /// Cache tags; long ones in their short form where room is short.
    pub tags: Vec<String>,
    /// Why none could be made.
    pub unfit: Option<String>,
    /// The number that goes with it.
    pub unfit_number: Option<u16>,
    /// Where a remembered redirect leads.
    pub location: Option<String>,
}

record! { Metadata, Refused {
    "v" => version,
    "g" => generation,
    "s" => status,
    "ct" => content_type or nothing,
    "n" => length,
    "b" => began_ms,
    "h" => heard or nothing,
    "c" => created_ms,
    "f" => fresh_until_ms,
    "w" => renewable_until_ms or nothing,
    "u" => stale_until_ms,
    "a" => validated_ms or nothing,
    "q" => asked_ms or nothing,
    "k" => chunks or nothing,
    "y" => source_state or nothing,
    "m" => source_version or nothing,
    "o" => origin,
    "p" => path or nothing,
    "r" => options,
    "d" => preset or nothing,
    "i" => source or default,
    "t" => tags,
    "x" => unfit or nothing,
    "e" => unfit_number or nothing,
    "l" => location or nothing,
} }

/// How a body in chunks lies in KV.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Chunks {
    /// Bytes of every chunk but the last.
    pub bytes: u64,
    /// Bytes of the manifest, with which the value at the entry's own key begins.
    pub manifest_bytes: u64,
    /// Bytes of the body's beginning, which follow the manifest.
    pub head_bytes: u64,
}

record! { Chunks, Refused {
    "b" => bytes,
    "m" => manifest_bytes,
    "h" => head_bytes,
} }

/// What a source says of itself: enough to ask whether it has changed.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct SourceState {
    /// Its `ETag`, as it was sent.
    pub etag: Option<String>,
    /// Its `Last-Modified`, as it was sent.
    pub last_modified: Option<String>,
}

record! { SourceState, Refused {
    "e" => etag or nothing,
    "l" => last_modified or nothing,
} }

impl Metadata {
    /// JSON of at most [`KV_METADATA_BYTES_MAX`] bytes.
    ///
    /// Where the whole does not fit, first long tags take their short form, then the path goes, then what
    /// the source said of itself.
    pub fn encode(&self) -> Result<String, Fault> {
        let whole = json::write(self);
        if whole.len() <= KV_METADATA_BYTES_MAX {
            return Ok(whole);
        }
        let mut smaller = self.clone();
        for tag in &mut smaller.tags {
            *tag = tags::short_form(tag);
        }
        let short = json::write(&smaller);
        if short.len() <= KV_METADATA_BYTES_MAX {
            return Ok(short);
        }
        smaller.path = None;
        let without_path = json::write(&smaller);
        if without_path.len() <= KV_METADATA_BYTES_MAX {
            return Ok(without_path);
        }
        smaller.source_state = None;
        smaller.source_version = None;
        let least = json::write(&smaller);
        if least.len() <= KV_METADATA_BYTES_MAX {
            return Ok(least);
        }
        Err(Fault::TooLarge { bytes: least.len() as u64, bytes_max: KV_METADATA_BYTES_MAX as u64 })
    }

    /// Reads what [`Metadata::encode`] wrote; anything else is [`Fault::Corrupt`].
    pub fn decode(text: &str) -> Result<Self, Fault> {
        if text.len() > KV_METADATA_BYTES_MAX {
            return Err(Fault::Corrupt("metadata is too long"));
        }
        let metadata: Self =
            json::read(text).map_err(|Foreign| Fault::Corrupt("metadata is not ours"))?;
        if metadata.version != VERSION {
            return Err(Fault::Corrupt("metadata has another version"));
        }
        if !is_generation(&metadata.generation) {
            return Err(Fault::Corrupt("generation is not 32 hex digits"));
        }
        if metadata.began_ms > metadata.created_ms
            || metadata.created_ms > metadata.fresh_until_ms
            || metadata.fresh_until_ms > metadata.stale_until_ms
            || metadata.renewable_until_ms.is_some_and(|until| until <= metadata.fresh_until_ms)
            || [metadata.validated_ms, metadata.asked_ms]
                .into_iter()
                .flatten()
                .any(|at| at < metadata.created_ms || at > metadata.fresh_until_ms)
        {
            return Err(Fault::Corrupt("times are out of order"));
        }
        let good = metadata.unfit.is_none();
        if good != (metadata.status == 200) || good != (metadata.length > 0) {
            return Err(Fault::Corrupt("status, length and failure contradict each other"));
        }
        if let Some(chunks) = metadata.chunks
            && (!good
                || chunks.bytes == 0
                || chunks.manifest_bytes == 0
                || chunks.head_bytes > metadata.length
                // Both lie in one value.
                || chunks.manifest_bytes.saturating_add(chunks.head_bytes) > KV_VALUE_BYTES_MAX)
        {
            return Err(Fault::Corrupt("chunks that cannot be"));
        }
        Ok(metadata)
    }

    /// Until when KV has a use for it.
    pub fn kept_until_ms(&self) -> u64 {
        self.stale_until_ms.max(self.renewable_until_ms.unwrap_or(0))
    }

    /// When it was made, or last found to be as good as new.
    pub fn as_of_ms(&self) -> u64 {
        self.validated_ms.unwrap_or(self.created_ms)
    }

    /// When its source was last asked, or answered the transformer.
    pub fn last_asked_ms(&self) -> u64 {
        self.asked_ms.unwrap_or_else(|| self.as_of_ms())
    }

    /// Whether this is a rendition, or the memory of a failure.
    pub fn outcome(&self) -> Outcome {
        match &self.unfit {
            None => Outcome::Rendition,
            Some(name) => Outcome::Failure(
                Unfit::from_parts(name, self.unfit_number).unwrap_or(Unfit::Status(self.status)),
            ),
        }
    }
}

/// How a fill started.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Began {
    /// When; milliseconds since 1970.
    pub at_ms: u64,
    /// The number of the last purge its isolate had heard of.
    pub heard: u64,
}

/// What an entry holds.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Outcome {
    /// A rendition.
    Rendition,
    /// The memory that none could be made, and why.
    Failure(Unfit),
}

/// Whether a text is what [`generation`] makes.
pub fn is_generation(text: &str) -> bool {
    text.len() == 32 && text.bytes().all(|b| matches!(b, b'0'..=b'9' | b'a'..=b'f'))
}

/// 32 hex digits of 128 random bits.
pub fn generation(id: u128) -> String {
    let mut text = String::with_capacity(32);
    // Writing to a String cannot fail.
    let _ = write!(text, "{id:032x}");
    text
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    pub(crate) fn metadata() -> Metadata {
        Metadata {
            version: VERSION,
            generation: generation(0xfeed),
            status: 200,
            content_type: "video/mp4".into(),
            length: 512_000,
            began_ms: 1_700_000_000_000,
            heard: 0,
            created_ms: 1_700_000_000_900,
            fresh_until_ms: 1_700_086_400_900,
            renewable_until_ms: None,
            stale_until_ms: 1_700_172_800_900,
            validated_ms: None,
            asked_ms: None,
            chunks: None,
            source_state: None,
            source_version: None,
            origin: "videos".into(),
            path: Some("videos/sample.mp4".into()),
            options: "w=640:h=360:f=mp4".into(),
            preset: None,
            source: 0,
            tags: vec!["asset:videos/sample.mp4".into()],
            unfit: None,
            unfit_number: None,
            location: None,
        }
    }

    #[test]
    fn the_first_version_is_written_as_these_bytes_for_as_long_as_entries_live() {
        assert_eq!(
            metadata().encode().unwrap(),
            r#"{"v":1,"g":"0000000000000000000000000000feed","s":200,"ct":"video/mp4","n":512000,"b":1700000000000,"c":1700000000900,"f":1700086400900,"u":1700172800900,"o":"videos","p":"videos/sample.mp4","r":"w=640:h=360:f=mp4","i":0,"t":["asset:videos/sample.mp4"]}"#
        );
    }

    #[test]
    fn every_member_is_written_in_this_place_for_as_long_as_entries_live() {
        for text in [
            r#"{"v":1,"g":"0000000000000000000000000000feed","s":200,"ct":"video/mp4","n":51200000,"b":1700000000000,"h":17,"c":1700000000900,"f":1700086400900,"w":1700096400900,"u":1700172800900,"a":1700000000901,"q":1700000000902,"k":{"b":8388608,"m":1024,"h":1048576},"y":{"e":"\"abc\"","l":"Mon, 23 Nov 2026 03:00:45 GMT"},"m":"3","o":"videos","p":"videos/a.mp4","r":"w=640","d":"mobile","i":2,"t":["a","b"]}"#,
            r#"{"v":1,"g":"0000000000000000000000000000feed","s":302,"n":0,"b":1,"c":2,"f":3,"u":4,"y":{},"o":"videos","r":"w=640","i":0,"t":[],"x":"status","e":302,"l":"https://v.example/b.mp4"}"#,
        ] {
            let metadata = Metadata::decode(text).unwrap();
            assert_eq!(metadata.encode().unwrap(), text);
        }
    }

    #[test]
    fn what_is_encoded_decodes_to_the_same() {
        let mut failure = metadata();
        failure.status = 404;
        failure.length = 0;
        failure.content_type = String::new();
        failure.unfit = Some("transform-error".into());
        failure.unfit_number = Some(9404);
        for each in [metadata(), failure] {
            assert_eq!(Metadata::decode(&each.encode().unwrap()).unwrap(), each);
        }
    }

    #[test]
    fn a_failure_keeps_its_reason_and_number() {
        let mut failure = metadata();
        failure.status = 404;
        failure.unfit = Some("transform-error".into());
        failure.unfit_number = Some(9404);
        assert_eq!(failure.outcome(), Outcome::Failure(Unfit::TransformError(9404)));
    }

    #[test]
    fn too_many_long_tags_shrink_and_then_the_path_goes_and_then_it_is_refused() {
        let mut large = metadata();
        large.tags = (0..12).map(|i| format!("folder:{i}-{}", "x".repeat(100))).collect();
        let text = large.encode().unwrap();
        assert!(text.len() <= KV_METADATA_BYTES_MAX, "{}", text.len());
        assert!(text.contains("\"p\":"), "the path still fits: {text}");

        large.path = Some("p".repeat(900));
        assert_eq!(Metadata::decode(&large.encode().unwrap()).unwrap().path, None);

        large.options = "o".repeat(900);
        assert!(matches!(large.encode(), Err(Fault::TooLarge { .. })));
    }

    #[test]
    fn what_this_house_cannot_have_written_is_corrupt() {
        let good = metadata().encode().unwrap();
        let long = format!("{good}{}", " ".repeat(KV_METADATA_BYTES_MAX));
        for (bad, why) in [
            (String::new(), "empty"),
            ("null".into(), "no object"),
            (good.replace("\"v\":1", "\"v\":2"), "version"),
            (good.replace("feed", "fee!"), "generation"),
            (good.replace("\"c\":17", "\"c\":27"), "created after fresh"),
            (good.replace("\"b\":17", "\"b\":27"), "began after created"),
            (good.replace("\"u\":17", "\"u\":07"), "stale before fresh"),
            (good.replace("\"s\":200", "\"s\":404"), "a failure without a reason"),
            (good.replace("\"n\":512000", "\"n\":0"), "a rendition without bytes"),
            (good.replace("\"i\":0", "\"i\":0,\"z\":1"), "unknown field"),
            (long, "too long"),
        ] {
            assert!(matches!(Metadata::decode(&bad), Err(Fault::Corrupt(_))), "{why}: {bad}");
        }
    }
}
