//! The manifest of a body in chunks: what each chunk must be. It is written last, and publishes the body.

use std::fmt::Write;

use super::chunks::Layout;
use crate::cache::entry::is_generation;
use crate::cache::ports::Fault;
use crate::json::{self, Foreign, record};
use crate::limits::MANIFEST_BYTES_MAX;

/// The only format version so far.
const VERSION: u8 = 1;
/// Characters of a SHA-256 in hex.
const DIGEST_CHARS: usize = 64;

/// What a body in chunks is made of.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Manifest {
    version: u8,
    /// Generation of the body, which its chunks are named after.
    pub generation: String,
    /// Bytes of every chunk but the last.
    pub chunk_bytes: u64,
    /// When KV forgets the chunks, in milliseconds since 1970.
    pub until_ms: u64,
    /// The chunks in their order.
    pub chunks: Vec<Chunk>,
}

record! { Manifest, Refused {
    "v" => version,
    "g" => generation,
    "b" => chunk_bytes,
    "u" => until_ms,
    "c" => chunks,
} }

/// What one chunk must be.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Chunk {
    /// Bytes.
    pub length: u64,
    /// SHA-256 in lower-case hex.
    pub sha256: String,
}

record! { Chunk, Refused {
    "n" => length,
    "h" => sha256,
} }

impl Manifest {
    /// A manifest without chunks so far.
    pub fn new(generation: String, chunk_bytes: u64, until_ms: u64) -> Self {
        Self { version: VERSION, generation, chunk_bytes, until_ms, chunks: Vec::new() }
    }

    /// Adds the next chunk.
    pub fn push(&mut self, length: u64, sha256: [u8; 32]) {
        self.chunks.push(Chunk { length, sha256: hex(sha256) });
    }

    /// Bytes of the whole body.
    pub fn length(&self) -> u64 {
        self.chunks.iter().map(|chunk| chunk.length).sum()
    }

    /// JSON of at most [`MANIFEST_BYTES_MAX`] bytes.
    pub fn encode(&self) -> Result<String, Fault> {
        let text = json::write(self);
        let bytes = text.len() as u64;
        if bytes > MANIFEST_BYTES_MAX {
            return Err(Fault::TooLarge { bytes, bytes_max: MANIFEST_BYTES_MAX });
        }
        Ok(text)
    }

    /// Reads what [`Manifest::encode`] wrote; anything else is [`Fault::Corrupt`].
    pub fn decode(bytes: &[u8]) -> Result<Self, Fault> {
        if bytes.len() as u64 > MANIFEST_BYTES_MAX {
            return Err(Fault::Corrupt("a manifest is too long"));
        }
        let manifest = std::str::from_utf8(bytes).map_err(|_| Foreign).and_then(json::read::<Self>);
        let manifest = manifest.map_err(|Foreign| Fault::Corrupt("a manifest is not ours"))?;
        if manifest.version != VERSION {
            return Err(Fault::Corrupt("a manifest has another version"));
        }
        if !is_generation(&manifest.generation) {
            return Err(Fault::Corrupt("generation is not 32 hex digits"));
        }
        let length = manifest.chunks.iter().try_fold(0_u64, |sum, it| sum.checked_add(it.length));
        let layout = length.and_then(|length| Layout::new(length, manifest.chunk_bytes));
        let Some(layout) = layout else { return Err(Fault::Corrupt("chunks that cannot be")) };
        let fits = (0..).zip(&manifest.chunks).all(|(index, chunk)| {
            let is_digest = chunk.sha256.len() == DIGEST_CHARS
                && chunk.sha256.bytes().all(|b| matches!(b, b'0'..=b'9' | b'a'..=b'f'));
            is_digest && layout.chunk(index).is_some_and(|range| range.length() == chunk.length)
        });
        if !fits || layout.count() != manifest.chunks.len() as u64 {
            return Err(Fault::Corrupt("chunks that cannot be"));
        }
        Ok(manifest)
    }

    /// Whether a chunk with this digest is the one that was written.
    pub fn vouches_for(&self, index: usize, sha256: [u8; 32]) -> bool {
        self.chunks.get(index).is_some_and(|chunk| chunk.sha256 == hex(sha256))
    }
}

fn hex(bytes: [u8; 32]) -> String {
    bytes.iter().fold(String::with_capacity(DIGEST_CHARS), |mut text, byte| {
        // Writing to a String cannot fail.
        let _ = write!(text, "{byte:02x}");
        text
    })
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    fn manifest() -> Manifest {
        let mut manifest = Manifest::new("0".repeat(31) + "a", 10, 1_700_000_000_000);
        manifest.push(10, [1; 32]);
        manifest.push(3, [0xfe; 32]);
        manifest
    }

    #[test]
    fn the_first_version_is_written_as_these_bytes_for_as_long_as_entries_live() {
        let text = format!(
            r#"{{"v":1,"g":"0000000000000000000000000000000a","b":10,"u":1700000000000,"c":[{{"n":10,"h":"{}"}},{{"n":3,"h":"{}"}}]}}"#,
            "01".repeat(32),
            "fe".repeat(32)
        );
        assert_eq!(manifest().encode().unwrap(), text);
        assert_eq!(Manifest::decode(text.as_bytes()).unwrap(), manifest());
        assert_eq!(manifest().length(), 13);
    }

    #[test]
    fn a_chunk_is_vouched_for_by_its_own_digest_in_its_own_place() {
        let manifest = manifest();
        assert!(manifest.vouches_for(0, [1; 32]) && manifest.vouches_for(1, [0xfe; 32]));
        assert!(!manifest.vouches_for(1, [1; 32]) && !manifest.vouches_for(2, [1; 32]));
    }

    #[test]
    fn what_this_house_cannot_have_written_is_refused() {
        let good = manifest().encode().unwrap();
        for (bad, why) in [
            (String::new(), "nothing"),
            ("{}".to_owned(), "empty"),
            (good.replace("000a", "000"), "a generation too short"),
            (good.replace("000a", "000g"), "a generation that is none"),
            (good.replace("\"v\":1", "\"v\":2"), "another version"),
            (good.replace("\"b\":10", "\"b\":0"), "chunks of nothing"),
            (good.replace("\"b\":10", "\"b\":9"), "a first chunk longer than chunks are"),
            (good.replace("\"n\":10", "\"n\":9"), "a first chunk shorter than chunks are"),
            (good.replace("\"n\":3", "\"n\":0"), "a last chunk of nothing"),
            (good.replace("\"n\":3", "\"n\":18446744073709551615"), "more than there is"),
            (good.replace("0101", "01"), "a digest too short"),
            (good.replace("0101", "0G01"), "a digest that is none"),
            (good.replace("fefe", "FEFE"), "a digest in another spelling"),
            (good.replace("\"v\":1", "\"v\":1,\"z\":1"), "an unknown field"),
            (good.replace("\"c\":[", "\"c\":[],\"d\":["), "no chunks"),
            (good.clone() + &" ".repeat(64 * 1024), "too long"),
        ] {
            assert!(matches!(Manifest::decode(bad.as_bytes()), Err(Fault::Corrupt(_))), "{why}");
        }
    }

    #[test]
    fn the_largest_body_has_a_manifest_that_fits() {
        let mut manifest = Manifest::new("f".repeat(32), u64::MAX / 1_000, u64::MAX);
        for _ in 0..crate::limits::CHUNKS_MAX {
            manifest.push(u64::MAX / 1_000, [0xff; 32]);
        }
        let text = manifest.encode().unwrap();
        assert!(text.len() as u64 <= MANIFEST_BYTES_MAX, "{} bytes", text.len());
        assert_eq!(Manifest::decode(text.as_bytes()).unwrap(), manifest);
    }
}
