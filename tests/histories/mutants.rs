//! That histories of purges can fail: one part of the rule is broken, and one of the first histories tells.

use super::purges::run;
use super::saboteur::Sabotage;

/// One of so many histories notices it, in these words.
#[track_caller]
fn is_noticed(sabotage: Sabotage, within: u64, words: &str) {
    let violation = |seed| run(seed, Some(sabotage), false).err().map(|(violation, _)| violation);
    let noticed = (0..within).find_map(|seed| Some((seed, violation(seed)?)));
    let Some((seed, why)) = noticed else { panic!("{sabotage:?}: nobody notices") };
    println!("{sabotage:?}: history {seed}");
    assert!(why.contains(words), "{sabotage:?}: history {seed}: {why}");
}

#[test]
fn a_fill_that_notes_what_was_heard_when_it_ends_is_noticed() {
    is_noticed(Sabotage::HeardAtTheEnd, 1000, "had purged");
}

#[test]
fn a_fill_that_claims_to_have_heard_of_everything_is_noticed() {
    is_noticed(Sabotage::HeardOfEverything, 60, "had purged");
}

#[test]
fn clocks_that_are_compared_are_noticed() {
    is_noticed(Sabotage::ClocksAreCompared, 60, "had purged");
}

#[test]
fn an_isolate_that_never_looks_again_is_noticed() {
    is_noticed(Sabotage::NeverLooksAgain, 60, "had purged");
}

#[test]
fn an_isolate_that_answers_before_it_has_looked_is_noticed() {
    is_noticed(Sabotage::NobodyWaitsForALook, 60, "had purged");
}

#[test]
fn folding_that_loses_what_it_folds_is_noticed() {
    is_noticed(Sabotage::FoldingDrops, 200, "had purged");
}

#[test]
fn a_mirror_that_is_older_than_it_is_said_to_be_is_noticed() {
    is_noticed(Sabotage::MirrorLagsBehind, 60, "had purged");
}

#[test]
fn a_soft_purge_that_means_nothing_is_noticed() {
    is_noticed(Sabotage::SoftMeansNothing, 500, "nobody renews it");
}

#[test]
fn a_hard_purge_that_is_taken_for_a_soft_one_is_noticed() {
    is_noticed(Sabotage::HardIsSoft, 60, "had purged");
}

#[test]
fn an_edge_that_nobody_judges_is_noticed() {
    is_noticed(Sabotage::EdgeIsNotJudged, 60, "had purged");
}

#[test]
fn a_store_that_nobody_judges_is_noticed() {
    is_noticed(Sabotage::KvIsNotJudged, 60, "had purged");
}

#[test]
fn what_is_told_at_the_gate_and_not_judged_is_noticed() {
    is_noticed(Sabotage::ToldIsNotJudged, 200, "had purged");
}

#[test]
fn orders_that_name_no_purge_are_noticed() {
    is_noticed(Sabotage::OrdersNameNoPurge, 60, "had purged");
}

#[test]
fn an_edge_that_forgets_what_was_heard_is_noticed() {
    is_noticed(Sabotage::EdgeForgetsWhatWasHeard, 60, "never kept again");
}
