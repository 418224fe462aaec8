//! What is asked freely is made in a few sizes only: up to the next rung, and the largest caps.
//!
//! Ten thousand odd widths then cost as many renditions as there are rungs.
//! Presets and buckets are not climbed with: there are few of them, and each is meant as it is written.

use super::{
    given::{Asked, Given, name},
    note::Notes,
    size::Size,
    value::spelled_time,
};
use crate::config::Ladder;

impl Ladder {
    /// Each side on its own: the smallest rung that is at least as large, else the largest.
    pub(super) fn size(&self, size: Size) -> Size {
        Size {
            width: size.width.map(|width| rung(&self.widths, width)),
            height: size.height.map(|height| rung(&self.heights, height)),
        }
    }

    /// Back to a multiple of the step: a clip begins no later than it was asked to.
    pub(super) fn time_ms(&self, ms: u32) -> u32 {
        ms - ms.checked_rem(self.time_step_ms).unwrap_or_default()
    }

    /// On to a multiple of the step, as far as `max_ms` allows: a clip is no shorter than it was asked to be.
    pub(super) fn duration_ms(&self, ms: u32, max_ms: u32) -> u32 {
        let step_ms = self.duration_step_ms.max(1);
        ms.checked_next_multiple_of(step_ms).unwrap_or(u32::MAX).min(max_ms)
    }
}

fn rung(rungs: &[u16], side: u16) -> u16 {
    *rungs.iter().find(|rung| **rung >= side).or(rungs.last()).unwrap_or(&side)
}

/// A size that is asked, on the ladder; what that changes is noted under the name that was used for it.
pub(super) fn climb(size: Size, ladder: &Ladder, given: &Given<'_>, notes: &mut Notes) -> Size {
    let snapped = ladder.size(size);
    let dpr = name(given.dpr.as_ref());
    for (asked, before, after) in [
        (name(given.width.as_ref()), size.width, snapped.width),
        (name(given.height.as_ref()), size.height, snapped.height),
    ] {
        // A side that a preset completed has no name of its own, and is not worth a note.
        if let (Some(parameter), Some(before), Some(after)) = (asked.or(dpr), before, after)
            && before != after
        {
            notes.snapped(parameter, &before.to_string(), &after.to_string());
        }
    }
    snapped
}

/// A moment or a length as it is made: one that is asked is on its step, a preset's within the limit.
///
/// `used` is what the mode makes of both.
pub(super) fn step(
    asked: Option<&Asked<'_, u32>>,
    used: Option<u32>,
    max: u32,
    step: impl FnOnce(u32) -> u32,
    notes: &mut Notes,
) -> Option<u32> {
    let before = used?;
    let Some(asked) = asked else { return Some(before.min(max)) };
    let after = step(before);
    if before != after {
        notes.snapped(asked.parameter, &spelled_time(before), &spelled_time(after));
    }
    Some(after)
}
