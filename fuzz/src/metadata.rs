//! Metadata of entries: the text that lies in KV and at the edge, whoever wrote it.

use video_resizer::cache::entry::{Metadata, Outcome};
use video_resizer::cache::reply;
use video_resizer::cache::storage::chunks::{Head, Layout, Place, steps};
use video_resizer::http::cut::{Cut, Piece};
use video_resizer::http::range::ByteRange;
use video_resizer::json;
use video_resizer::limits::KV_METADATA_BYTES_MAX;

/// What is read keeps the promises of its type; written again it is read as the same.
pub fn holds(input: &[u8]) {
    let Ok(text) = std::str::from_utf8(input) else { return };
    let Ok(metadata) = Metadata::decode(text) else { return };
    assert!(text.len() <= KV_METADATA_BYTES_MAX);
    keeps_its_promises(&metadata);
    is_found_in_its_chunks(&metadata);
    // Fields that are the default may be left out by the writer and are not by us, so what fitted may have to shrink.
    let Ok(written) = metadata.encode() else { return };
    assert!(written.len() <= KV_METADATA_BYTES_MAX, "{} bytes", written.len());
    let again = Metadata::decode(&written).expect("what this house writes");
    if json::write(&metadata).len() <= KV_METADATA_BYTES_MAX {
        assert_eq!(again, metadata);
    }
    keeps_its_promises(&again);
    assert_eq!(again.encode().as_ref(), Ok(&written), "a second writing is the first");
}

fn keeps_its_promises(metadata: &Metadata) {
    let generation = metadata.generation.as_bytes();
    assert!(generation.len() == 32 && generation.iter().all(u8::is_ascii_hexdigit));
    assert_eq!(reply::validators(metadata).etag.opaque(), metadata.generation);
    let Metadata { began_ms, created_ms, fresh_until_ms, stale_until_ms, .. } = *metadata;
    let times = [began_ms, created_ms, fresh_until_ms, stale_until_ms, metadata.kept_until_ms()];
    assert!(times.is_sorted(), "{metadata:?}");
    assert!((created_ms..=fresh_until_ms).contains(&metadata.as_of_ms()), "{metadata:?}");
    let good = metadata.outcome() == Outcome::Rendition;
    assert_eq!((metadata.status == 200, metadata.length > 0), (good, good), "{metadata:?}");
}

/// Whatever is cut of a body in chunks is read from where it lies, every byte once and in order.
fn is_found_in_its_chunks(metadata: &Metadata) {
    let Some(chunks) = metadata.chunks else { return };
    let Some(layout) = Layout::new(metadata.length, chunks.bytes) else { return };
    let head = Head { behind: chunks.manifest_bytes, bytes: chunks.head_bytes };
    let last = metadata.length - 1;
    for (first, last) in [(0, last), (0, 0), (last / 3, last / 2), (last, last)] {
        let Some(range) = ByteRange::new(first, last) else { continue };
        for head in [None, Some(head)] {
            let mut at = first;
            for step in steps(layout, head, &Cut::of(range)) {
                let begins = match step.place {
                    Place::Head => -i128::from(head.expect("a head to read").behind),
                    Place::Chunk(index) => {
                        i128::from(layout.chunk(index).expect("a chunk").first())
                    }
                };
                for piece in step.cut.pieces() {
                    let Piece::Bytes(range) = piece else { panic!("{piece:?} is nowhere") };
                    let offset = i128::from(range.first()) + begins;
                    assert_eq!(offset, i128::from(at), "{step:?} of {metadata:?}");
                    at += range.length();
                }
            }
            assert_eq!(at, last + 1, "bytes are missing of {range:?} of {metadata:?}");
        }
    }
}
