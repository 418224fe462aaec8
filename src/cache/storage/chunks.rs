//! How a body lies in chunks: where each begins, what it is called, and which of them a request touches.

use crate::cache::entry::Metadata;
use crate::cache::ports::Fault;
use crate::http::cut::{Cut, Piece};
use crate::http::range::ByteRange;
use crate::json::{self, Foreign, record};
use crate::limits::{CHUNKS_MAX, KV_METADATA_BYTES_MAX};

/// Every chunk's key begins with it, and no entry's does.
pub const CHUNK_PREFIX: &str = "chunk:";

/// The key of a chunk: named after its generation, so that two fills never write the same.
pub fn chunk_key(generation: &str, index: u64) -> String {
    format!("{CHUNK_PREFIX}{generation}:{index:03}")
}

/// How a body of this length is cut.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Layout {
    length: u64,
    chunk_bytes: u64,
}

impl Layout {
    /// `None` for a body of nothing, chunks of nothing, and more than [`CHUNKS_MAX`] of them.
    pub fn new(length: u64, chunk_bytes: u64) -> Option<Self> {
        let is_possible =
            length > 0 && chunk_bytes > 0 && length.div_ceil(chunk_bytes) <= CHUNKS_MAX;
        is_possible.then_some(Self { length, chunk_bytes })
    }

    /// How many chunks there are; at least one.
    pub fn count(self) -> u64 {
        self.length.div_ceil(self.chunk_bytes)
    }

    /// Which bytes of the body a chunk holds; `None` beyond the last.
    pub fn chunk(self, index: u64) -> Option<ByteRange> {
        let first = index.checked_mul(self.chunk_bytes).filter(|first| *first < self.length)?;
        let end = first.saturating_add(self.chunk_bytes).min(self.length);
        ByteRange::new(first, end - 1)
    }

    /// The chunk that holds the byte at this offset.
    fn holding(self, offset: u64) -> u64 {
        offset / self.chunk_bytes
    }
}

/// Where bytes of a body lie.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Place {
    /// In the value at the entry's own key, behind the manifest.
    Head,
    /// In this chunk.
    Chunk(u64),
}

/// What is sent of one place; the offsets are those of the value that lies there.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Step {
    /// Where.
    pub place: Place,
    /// What.
    pub cut: Cut,
}

/// What has to be read, in order, to send `cut` of a body: every place once, and none it does not touch.
///
/// The head serves the bytes it has where the value that holds it is at hand: `head` says how many, and
/// behind how many bytes of manifest.
pub fn steps(layout: Layout, head: Option<Head>, cut: &Cut) -> Vec<Step> {
    let mut steps: Vec<(Place, Vec<Piece>)> = Vec::new();
    let mut texts: Vec<Piece> = Vec::new();
    for piece in cut.pieces() {
        let range = match piece {
            Piece::Text(_) => {
                texts.push(piece.clone());
                continue;
            }
            Piece::Bytes(range) => range,
        };
        let mut at = range.first();
        while at <= range.last() {
            let Some((place, first, last, shift)) = whereabouts(layout, head, at) else { break };
            let last = last.min(range.last());
            let here = ByteRange::new(at - first + shift, last - first + shift);
            match steps.last_mut() {
                Some((same, pieces)) if *same == place => pieces.append(&mut texts),
                Some(_) | None => steps.push((place, std::mem::take(&mut texts))),
            }
            if let (Some((_, pieces)), Some(here)) = (steps.last_mut(), here) {
                pieces.push(Piece::Bytes(here));
            }
            at = last + 1;
        }
    }
    if let Some((_, pieces)) = steps.last_mut() {
        pieces.append(&mut texts);
    }
    steps
        .into_iter()
        .filter_map(|(place, pieces)| Some(Step { place, cut: Cut::new(pieces)? }))
        .collect()
}

/// The beginning of a body beside its manifest.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Head {
    /// Bytes of the manifest before it.
    pub behind: u64,
    /// Bytes of it.
    pub bytes: u64,
}

/// The place of the byte at this offset, which bytes of the body the place holds, and where in its value
/// the first of them stands.
fn whereabouts(layout: Layout, head: Option<Head>, offset: u64) -> Option<(Place, u64, u64, u64)> {
    if let Some(head) = head.filter(|head| offset < head.bytes) {
        return Some((Place::Head, 0, head.bytes - 1, head.behind));
    }
    let index = layout.holding(offset);
    let range = layout.chunk(index)?;
    Some((Place::Chunk(index), range.first(), range.last(), 0))
}

/// What stands beside a chunk: whose it is, so that it is never taken for another, and an orphan is known.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Mark {
    /// Generation of the body.
    pub generation: String,
    /// Its place in the body.
    pub index: u64,
    /// Its bytes.
    pub length: u64,
    /// When it was written, in milliseconds since 1970.
    pub written_ms: u64,
    /// Key of the entry it belongs to.
    pub entry_key: String,
}

record! { Mark, Refused {
    "g" => generation,
    "i" => index,
    "n" => length,
    "c" => written_ms,
    "k" => entry_key,
} }

impl Mark {
    /// JSON for the chunk's metadata.
    pub fn encode(&self) -> Result<String, Fault> {
        let text = json::write(self);
        let bytes = text.len() as u64;
        let bytes_max = KV_METADATA_BYTES_MAX as u64;
        if bytes > bytes_max { Err(Fault::TooLarge { bytes, bytes_max }) } else { Ok(text) }
    }

    /// Reads what [`Mark::encode`] wrote; anything else is [`Fault::Corrupt`].
    pub fn decode(text: &str) -> Result<Self, Fault> {
        if text.len() > KV_METADATA_BYTES_MAX {
            return Err(Fault::Corrupt("a mark is too long"));
        }
        json::read(text).map_err(|Foreign| Fault::Corrupt("a mark is not ours"))
    }

    /// Whether this is the chunk that the entry has at this place.
    pub fn belongs(&self, metadata: &Metadata, index: u64, range: ByteRange) -> Result<(), Fault> {
        if self.generation != metadata.generation || self.index != index {
            return Err(Fault::Corrupt("a chunk of another body"));
        }
        if self.length != range.length() {
            return Err(Fault::Corrupt("a chunk of another length"));
        }
        Ok(())
    }
}

#[cfg(test)]
#[path = "chunks_tests.rs"]
mod tests;
