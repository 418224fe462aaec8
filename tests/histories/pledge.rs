//! What a purge promises, held against every answer: after its bound nothing of a fill that started before it.

use video_resizer::purge::heard::{age_ms_max, visible_everywhere_ms};
use video_resizer::purge::ledger::Mode;

use super::office::Purge;
use super::upstream::{PATHS, VARIANTS};
use super::visit::Seen;
use super::world::World;

/// Milliseconds after a purge was mirrored from which on no request gets what was purged.
pub(crate) fn bound_ms(world: &World) -> u64 {
    visible_everywhere_ms() + age_ms_max(world.judge.refresh_ms.get()) + world.judge.skew_ms.get()
}

/// Checks one answer.
pub(crate) fn check(world: &World, seen: &Seen) {
    let variant = seen.plan.variant;
    let purges = world.office.purges.borrow();
    // An isolate to which KV does not answer goes on with what it knows.
    if purges.is_empty() || seen.answered_ms.is_none() || seen.is_deaf {
        return;
    }
    let Some(begun_ms) = begun_ms(world, seen) else { return };
    let due = |purge: &&Purge| {
        let is_over = |mirrored_ms| seen.asked_ms > mirrored_ms + bound_ms(world);
        purge.mirrored_ms.is_some_and(is_over)
            && purge.bears(variant, seen.plan.host)
            && begun_ms < purge.recorded_ms
    };
    let told = seen.header("cache-status");
    // HEAD of what is too old pays for nothing.
    let is_unpaid = seen.plan.is_head && told.contains("ttl=-");
    let is_being_renewed = seen.renews || told.contains("stale-if-error") || is_unpaid;
    for purge in purges.iter().filter(due) {
        if purge.mode == Mode::Hard {
            let (number, visit) = (purge.number, seen.visit);
            let what = format!("visit {visit} got what purge {number} had purged: {seen:#?}");
            world.judge.fail(world, what);
        } else if !is_being_renewed {
            let (number, visit) = (purge.number, seen.visit);
            let what = format!(
                "visit {visit} got what purge {number} had purged, and nobody renews it: {seen:#?}"
            );
            world.judge.fail(world, what);
        }
    }
}

/// When the fill of an answer started, at the latest; `None` for an answer of no fill.
fn begun_ms(world: &World, seen: &Seen) -> Option<u64> {
    let generation = seen.header("etag").trim_matches('"').to_owned();
    if seen.header("x-source-type") == "passthrough" {
        return None;
    }
    if !generation.is_empty() {
        let is_of = |made: &super::upstream::Made| made.variant == seen.plan.variant;
        let candidates = world.judge.saw(world, &generation, "an answer", is_of);
        let made = world.studio.made.borrow();
        return candidates.into_iter().map(|index| made[index].ordered_ms).max();
    }
    // That there is no such source is true, or was when somebody last asked.
    let (path, _) = VARIANTS[seen.plan.variant];
    let path = PATHS.iter().position(|it| *it == path).unwrap();
    (seen.status == 404 && world.climate().upstream == 0)
        .then(|| world.studio.unwell_until_ms(path))
}
