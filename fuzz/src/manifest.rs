//! What lies beside and before the chunks of a large body: any bytes as a manifest, and as the mark of a chunk.

use video_resizer::cache::storage::chunks::{Layout, Mark};
use video_resizer::cache::storage::manifest::Manifest;
use video_resizer::limits::{CHUNKS_MAX, MANIFEST_BYTES_MAX};

/// What is read keeps the promises of its type; written again it is read as the same.
pub fn holds(input: &[u8]) {
    if let Ok(manifest) = Manifest::decode(input) {
        keeps_its_promises(&manifest);
        let written = manifest.encode().expect("what was read can be written");
        assert!(written.len() as u64 <= MANIFEST_BYTES_MAX);
        assert_eq!(Manifest::decode(written.as_bytes()).as_ref(), Ok(&manifest));
    }
    let mark = std::str::from_utf8(input).ok().and_then(|text| Mark::decode(text).ok());
    if let Some(mark) = mark {
        let written = mark.encode().expect("what was read can be written");
        assert_eq!(Mark::decode(&written).as_ref(), Ok(&mark));
    }
}

/// The chunks are those of a body of their length, one after the other.
fn keeps_its_promises(manifest: &Manifest) {
    let layout = Layout::new(manifest.length(), manifest.chunk_bytes).expect("a body in chunks");
    assert_eq!(layout.count(), manifest.chunks.len() as u64);
    assert!((1..=CHUNKS_MAX).contains(&layout.count()), "{layout:?}");
    let mut at = 0;
    for (index, chunk) in (0..).zip(&manifest.chunks) {
        let range = layout.chunk(index).expect("a chunk of the layout");
        assert_eq!((range.first(), range.length()), (at, chunk.length), "{layout:?}");
        at += chunk.length;
    }
    assert_eq!(at, manifest.length());
}
