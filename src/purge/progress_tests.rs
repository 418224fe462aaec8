#![allow(clippy::unwrap_used)]

use super::*;
use crate::json;

const DAY_MS: u64 = 86_400_000;

#[test]
fn a_purge_is_done_with_since_the_first_milestone_at_or_behind_it() {
    let mut milestones = Milestones::default();
    milestones.reach(2, 20);
    milestones.reach(2, 25);
    milestones.reach(5, 50);
    milestones.reach(4, 60);
    let when =
        |milestones: &Milestones| (1..=6).map(|number| milestones.when(number)).collect::<Vec<_>>();
    assert_eq!(when(&milestones), [Some(20), Some(20), Some(50), Some(50), Some(50), None]);
    milestones.forget_before(3);
    assert_eq!(milestones.when(4), Some(50));
    milestones.forget_before(9);
    assert_eq!(milestones.last(), 5, "how far it is is never forgotten");
}

#[test]
fn nothing_is_certain_while_an_earlier_write_to_kv_may_still_arrive() {
    let mut progress = Progress::default();
    assert_eq!(progress.mirror_due_ms(1), Some(0));
    progress.not_mirrored(1_000);
    assert_eq!(progress.mirror_due_ms(1), Some(2_000));
    progress.mirrored(1, 2_000, 2_100);
    assert_eq!((progress.mirrored.when(1), progress.mirror_due_ms(1)), (None, Some(61_000)));
    assert_eq!(progress.mirror_due_ms(2), Some(3_100), "a new purge does not wait for that");
    progress.mirrored(1, 60_999, 61_000);
    assert_eq!(progress.mirrored.when(1), None);
    progress.mirrored(1, 62_000, 62_100);
    assert_eq!((progress.mirrored.when(1), progress.mirror_due_ms(1)), (Some(62_100), None));
}

#[test]
fn kv_that_takes_nothing_is_asked_ever_more_seldom_and_at_least_once_a_minute() {
    let mut progress = Progress::default();
    let mut waits = Vec::new();
    for _ in 0..9 {
        progress.not_mirrored(0);
        waits.push(progress.mirror_due_ms(1).unwrap() / 1_000);
    }
    assert_eq!(waits, [1, 2, 4, 8, 16, 32, 60, 60, 60]);
}

#[test]
fn purges_are_forgotten_when_the_longest_that_was_ever_configured_is_over_and_not_before() {
    let mut progress = Progress::default();
    progress.recorded(1, true, 0);
    progress.recorded(2, true, 29 * DAY_MS);
    progress.recorded(3, true, 30 * DAY_MS);
    assert_eq!(progress.forgotten(10 * DAY_MS, 40 * DAY_MS - 1), None);
    assert_eq!(progress.forgotten(100 * DAY_MS, 40 * DAY_MS), None, "it was longer for a while");
    assert_eq!(progress.forgotten(10 * DAY_MS, 130 * DAY_MS - 1), None);
    assert_eq!(progress.forgotten(10 * DAY_MS, 130 * DAY_MS), Some(2));
    assert_eq!(progress.forgotten(10 * DAY_MS, 130 * DAY_MS), None);
    assert_eq!(progress.forgotten(10 * DAY_MS, 160 * DAY_MS), Some(3));
}

#[test]
fn a_clock_that_goes_back_forgets_nothing_early() {
    let mut progress = Progress::default();
    progress.recorded(1, true, 90 * DAY_MS);
    progress.recorded(2, true, 0);
    assert_eq!(progress.forgotten(10 * DAY_MS, 129 * DAY_MS), None);
    assert_eq!(progress.forgotten(10 * DAY_MS, 130 * DAY_MS), Some(2));
}

#[test]
fn only_hard_purges_are_swept() {
    let mut progress = Progress::default();
    progress.recorded(1, false, 0);
    assert_eq!(progress.round(1), None);
    progress.recorded(2, true, 0);
    progress.recorded(3, false, 0);
    assert_eq!(progress.round(3).unwrap().number, 3);
    progress.swept(3, None, 1, true, 5);
    assert_eq!(progress.when_swept(2), Some(Swept { at_ms: 5, deleted: 1 }));
    assert_eq!(progress.round(3), None);
}

#[test]
fn the_progress_is_these_bytes_in_the_storage() {
    let mut progress = Progress::default();
    let text = r#"{"mirrored":[],"zone":[],"written":0,"mirror_next_ms":0,"mirror_failures":0,"doubt_until_ms":0,"hard":0,"round":null,"rounds":[],"epochs":[],"remembered_ms":0}"#;
    assert_eq!(json::write(&progress), text);
    progress.recorded(1, true, DAY_MS);
    progress.recorded(2, true, 90 * DAY_MS);
    progress.mirrored(1, 5, 6);
    progress.zone.reach(2, 7);
    progress.round(1);
    progress.swept(1, None, 4, true, 8);
    progress.round(2);
    progress.swept(2, Some("c".into()), 3, false, 9);
    progress.not_mirrored(10);
    progress.forgotten(11, 12);
    let text = r#"{"mirrored":[[1,6]],"zone":[[2,7]],"written":1,"mirror_next_ms":1010,"mirror_failures":1,"doubt_until_ms":60010,"hard":2,"round":{"number":2,"cursor":"c","deleted":3},"rounds":[[1,{"at_ms":8,"deleted":4}]],"epochs":[[0,1],[3,2]],"remembered_ms":11}"#;
    assert_eq!(json::write(&progress), text);
    assert_eq!(json::read::<Progress>(text).unwrap(), progress);
}
