//! How many paths there must be, as a product of the states: a choice that is lost, or asked twice, shows here.

use video_resizer::cache::status::Phase;

use super::model::Asked;
use super::states;

/// What can become of a write: done, refused, or done without an acknowledgement.
const WRITE: u32 = 3;
/// The isolate dies before the first write.
const DEATH: u32 = 1;
/// What can go wrong with a fetch: refused, too slow.
const MISHAPS: u32 = 2;
/// Sources that have the video.
const HOLDING: u32 = 2;

/// The number of paths that end in each phase.
pub(super) fn paths(asked: Asked) -> Vec<(Phase, u32)> {
    let sources = u32::try_from(states::sources(asked).len()).unwrap();
    // Refused, absent, old, corrupt; and for a range sliced wrongly.
    let edge_misses = if asked == Asked::Range { 5 } else { 4 };
    // Refused, absent, dead, an old failure, corrupt, without metadata.
    let kv_misses = 6;
    let probes = MISHAPS + sources;

    // Two branches where the viewer gets one; then KV alone, or both tiers, from two more.
    let viewer_fork = u32::from(asked != Asked::Head);
    let both = viewer_fork + DEATH + WRITE + WRITE * WRITE;
    let unread = viewer_fork + DEATH + 1;
    let per_source = match asked {
        // Good, without length, breaking off; of no length and breaking off, or empty; two not kept.
        Asked::Get | Asked::Head => 3 * both + 2 * unread + 2,
        // What breaks off while it is measured is not kept; what is empty is not served.
        Asked::Range => 3 * both + 3,
    };
    // The original is taken for a rendition unless its length was told.
    let made = probes * per_source + (probes - 1) * both;
    // Two kinds of no answer and seven of a bad one; a range finds an empty one as well.
    let bad = if asked == Asked::Range { 10 } else { 9 };
    let unfit = probes * bad + 1;

    // The original is asked: where the probe broke its source is still to be seen.
    let originals = MISHAPS * HOLDING + HOLDING;
    let absent = sources - HOLDING;
    let no_originals = MISHAPS * (MISHAPS + absent) + HOLDING * MISHAPS + absent * (MISHAPS + 1);
    let memory_at_edge = DEATH + WRITE;
    let memory_in_both = DEATH + WRITE * WRITE;
    // No answer, too slow, 503: not remembered. Two say 404: no original. The rest is kept at the edge.
    let weighted = 3 + (bad - 3 - 2) * memory_at_edge;
    let to_original = weighted * originals + memory_at_edge;
    let to_failure =
        weighted * no_originals + MISHAPS * memory_at_edge + 2 * probes * memory_in_both;

    let (cold, old) = (edge_misses * kv_misses, edge_misses);
    let hits = if asked == Asked::Range { 2 } else { 1 };
    // A failure remembered at the edge leads to the original, one in KV is a 404.
    let remembered = MISHAPS + absent + edge_misses;
    match asked {
        Asked::Get | Asked::Range => vec![
            (Phase::EdgeHit, hits),
            (Phase::KvHit, edge_misses * (viewer_fork + DEATH + WRITE)),
            (Phase::Miss, (cold + old) * made),
            (Phase::Stale, old * unfit),
            (Phase::Original, cold * to_original + HOLDING),
            (Phase::Failed, cold * to_failure + remembered),
            (Phase::HeadUnfilled, 0),
        ],
        Asked::Head => vec![
            (Phase::EdgeHit, hits),
            (Phase::KvHit, edge_misses * (DEATH + WRITE)),
            (Phase::Miss, old * made),
            (Phase::Stale, old * unfit),
            (Phase::Original, HOLDING),
            (Phase::Failed, cold + remembered),
            (Phase::HeadUnfilled, cold * (probes - 1)),
        ],
    }
}
