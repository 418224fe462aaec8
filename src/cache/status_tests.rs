use super::*;

fn trace(edge: (Lookup, Option<Result<(), NotKept>>), kv: Option<Lookup>) -> Trace {
    Trace {
        edge: TierTrace { lookup: Some(edge.0), took_ms: 3, kept: edge.1 },
        kv: TierTrace { lookup: kv, took_ms: 7, kept: None },
        ..Trace::default()
    }
}

#[test]
fn every_look_up_has_its_words() {
    for (lookup, words) in [
        (Lookup::Hit { ttl_s: 60 }, "hit; ttl=60"),
        (Lookup::Hit { ttl_s: -1 }, "hit; ttl=-1"),
        (Lookup::Remembered(Unfit::Partial), "hit; detail=partial"),
        (Lookup::Miss, "fwd=uri-miss"),
        (Lookup::Stale, "fwd=stale"),
        (Lookup::Broken, "fwd=miss; detail=fault"),
        (Lookup::NotAsked(NotKept::Off), "fwd=bypass; detail=off"),
        (Lookup::NotAsked(NotKept::Bypass), "fwd=bypass; detail=bypass"),
    ] {
        let status = trace((lookup, None), None).cache_status();
        assert_eq!(status, format!("video-resizer-edge; {words}"));
    }
}

#[test]
fn the_tier_nearest_the_origin_comes_first_and_alone_says_what_came_from_there() {
    let mut trace = trace((Lookup::Miss, Some(Ok(()))), Some(Lookup::Miss));
    trace.kv.kept = Some(Err(NotKept::TooLarge));
    trace.attempts.push(Attempt { source: 0, unfit: None, status: Some(200), took_ms: 5 });
    assert_eq!(
        trace.cache_status(),
        "video-resizer-kv; fwd=uri-miss; fwd-status=200; detail=too-large, \
         video-resizer-edge; fwd=uri-miss; stored"
    );
}

#[test]
fn why_a_look_up_went_on_is_not_overwritten_by_why_nothing_was_kept() {
    let trace = trace((Lookup::Broken, Some(Err(NotKept::Fork))), None);
    assert_eq!(trace.cache_status(), "video-resizer-edge; fwd=miss; detail=fault");
}

#[test]
fn a_stale_answer_says_so() {
    let mut trace = trace((Lookup::Miss, None), Some(Lookup::Hit { ttl_s: -5 }));
    trace.phase = Phase::Stale;
    assert_eq!(
        trace.cache_status(),
        "video-resizer-kv; hit; ttl=-5, video-resizer-edge; fwd=uri-miss",
        "to a HEAD, which makes nothing"
    );
    trace.attempts.push(Attempt { source: 0, unfit: None, status: None, took_ms: 0 });
    assert_eq!(
        trace.cache_status(),
        "video-resizer-kv; hit; ttl=-5; detail=stale-if-error, video-resizer-edge; fwd=uri-miss"
    );
}

#[test]
fn server_timing_lists_what_was_waited_for_and_nothing_that_was_not() {
    let mut trace = trace((Lookup::NotAsked(NotKept::Off), None), Some(Lookup::Miss));
    let unfit = Some(Unfit::TimedOut);
    trace.attempts.push(Attempt { source: 0, unfit, status: None, took_ms: 11 });
    trace.attempts.push(Attempt { source: 1, unfit: None, status: Some(200), took_ms: 13 });
    trace.original_ms = Some(17);
    assert_eq!(
        trace.server_timing(99),
        "kv;dur=7, transform;dur=11;desc=timed-out, transform;dur=13, original;dur=17, total;dur=99"
    );
}

#[test]
fn faults_are_told_with_their_tier() {
    let faults =
        vec![(Tier::Edge, Fault::TimedOut { budget_ms: 5 }), (Tier::Kv, Fault::Corrupt("x"))];
    let trace = Trace { faults, ..Trace::default() };
    assert_eq!(trace.faults(), "edge: no answer within 5 ms; kv: corrupt: x");
}

#[test]
fn phases_and_tiers_have_words_of_their_own() {
    let phases: std::collections::BTreeSet<_> = Phase::ALL.map(Phase::as_str).into();
    assert_eq!(phases.len(), Phase::ALL.len());
    let tiers = [Tier::Edge, Tier::Kv, Tier::Transform, Tier::Probe, Tier::Original];
    let words: std::collections::BTreeSet<_> = tiers.map(Tier::as_str).into();
    assert_eq!(words.len(), tiers.len());
}
