//! Metadata of entries: the text that lies in KV and at the edge, whoever wrote it.

use video_resizer::cache::entry::{Metadata, Outcome};
use video_resizer::cache::reply;
use video_resizer::limits::KV_METADATA_BYTES_MAX;

/// What is read keeps the promises of its type; written again it is read as the same.
pub fn holds(input: &[u8]) {
    let Ok(text) = std::str::from_utf8(input) else { return };
    let Ok(metadata) = Metadata::decode(text) else { return };
    assert!(text.len() <= KV_METADATA_BYTES_MAX);
    keeps_its_promises(&metadata);
    // Fields that are the default may be left out by the writer and are not by us, so what fitted may have to shrink.
    let Ok(written) = metadata.encode() else { return };
    assert!(written.len() <= KV_METADATA_BYTES_MAX, "{} bytes", written.len());
    let again = Metadata::decode(&written).expect("what this house writes");
    if serde_json::to_string(&metadata).is_ok_and(|whole| whole.len() <= KV_METADATA_BYTES_MAX) {
        assert_eq!(again, metadata);
    }
    keeps_its_promises(&again);
    assert_eq!(again.encode().as_ref(), Ok(&written), "a second writing is the first");
}

fn keeps_its_promises(metadata: &Metadata) {
    let generation = metadata.generation.as_bytes();
    assert!(generation.len() == 32 && generation.iter().all(u8::is_ascii_hexdigit));
    assert_eq!(reply::validators(metadata).etag.opaque(), metadata.generation);
    assert!(metadata.began_ms <= metadata.created_ms, "{metadata:?}");
    assert!(metadata.created_ms <= metadata.fresh_until_ms, "{metadata:?}");
    assert!(metadata.fresh_until_ms <= metadata.stale_until_ms, "{metadata:?}");
    let good = metadata.outcome() == Outcome::Rendition;
    assert_eq!((metadata.status == 200, metadata.length > 0), (good, good), "{metadata:?}");
}
