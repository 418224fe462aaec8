//! How many paths there must be, as a product of the states: a choice that is lost, or asked twice, shows here.

use video_resizer::cache::status::Phase;

use super::model::Asked;
use super::states;

/// What can become of a write: done, refused, or done without an acknowledgement.
const WRITE: u32 = 3;
/// The isolate dies before the first write.
const DEATH: u32 = 1;
/// The isolate dies before a renewal, or does not.
const RENEWAL: u32 = 2;
/// What can go wrong with a probe or an original: no answer.
const MISHAPS: u32 = 1;
/// Sources that have the video.
const HOLDING: u32 = 2;

/// The number of paths that end in each phase.
pub(super) fn paths(asked: Asked) -> Vec<(Phase, u32)> {
    let sources = u32::try_from(states::sources(asked).len()).unwrap();
    // Refused, absent, old, corrupt; and for a range sliced wrongly, or a failure, which has no bytes to
    // slice, refused at the second look.
    let edge_misses = if asked == Asked::Range { 6 } else { 4 };
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
        // What is empty is not served: it was measured.
        Asked::Range => 3 * both + unread + 2,
    };
    // The original is taken for a rendition unless its length was told.
    let made = probes * per_source + (probes - 1) * both;
    // Two kinds of no answer and seven of a bad one; a range finds an empty one as well.
    let bad = if asked == Asked::Range { 10 } else { 9 };

    // The original is asked: where the probe broke its source is still to be seen.
    let originals = MISHAPS * HOLDING + HOLDING;
    let absent = sources - HOLDING;
    let no_originals = MISHAPS * (MISHAPS + absent) + HOLDING * MISHAPS + absent * (MISHAPS + 1);
    let memory_at_edge = DEATH + WRITE;
    let memory_in_both = DEATH + WRITE * WRITE;
    // No answer, too slow, 503: not remembered. A plain 404 is kept in both tiers, and so is a 9404, which
    // has no original either. The rest is kept at the edge.
    let weighted = 3 + memory_in_both + (bad - 3 - 2) * memory_at_edge;
    let to_original = weighted * originals + memory_at_edge;
    let to_failure = weighted * no_originals + MISHAPS * memory_at_edge + probes * memory_in_both;

    // Of the bad ones two are of a source that is gone, which is told and remembered whatever there was.
    let gone = 2;
    let unfit_of_server = probes * (bad - gone) + 1;
    let gone_to_original = memory_in_both * originals;
    let gone_to_failure = memory_in_both * no_originals + probes * memory_in_both;

    let (cold, old) = (edge_misses * kv_misses, edge_misses);
    let renewed = edge_misses * RENEWAL;
    let hits = if asked == Asked::Range { 2 } else { 1 };
    // A failure remembered at the edge or in KV leads to the original; KV's owes the edge a copy.
    let remembered = 1 + edge_misses * memory_at_edge + renewed;
    match asked {
        Asked::Get | Asked::Range => vec![
            (Phase::EdgeHit, hits),
            (Phase::KvHit, edge_misses * (viewer_fork + DEATH + WRITE)),
            (Phase::Miss, (cold + old) * made),
            (Phase::Collapsed, 0),
            (Phase::StaleWhileRevalidate, renewed),
            (Phase::Stale, old * unfit_of_server),
            (Phase::Original, cold * to_original + old * gone_to_original + remembered * HOLDING),
            (
                Phase::Failed,
                cold * to_failure + old * gone_to_failure + remembered * (MISHAPS + absent),
            ),
            (Phase::HeadUnfilled, 0),
            (Phase::NotCached, 0),
            (Phase::Limited, 0),
        ],
        Asked::Head => vec![
            (Phase::EdgeHit, hits),
            (Phase::KvHit, edge_misses * (DEATH + WRITE)),
            (Phase::Miss, 0),
            (Phase::Collapsed, 0),
            (Phase::StaleWhileRevalidate, renewed),
            (Phase::Stale, old),
            (Phase::Original, remembered * HOLDING),
            (Phase::Failed, cold + remembered * (MISHAPS + absent)),
            (Phase::HeadUnfilled, cold * (probes - 1)),
            (Phase::NotCached, 0),
            (Phase::Limited, 0),
        ],
    }
}
