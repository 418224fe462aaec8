#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, clippy::indexing_slicing)]
use std::collections::BTreeSet;

use super::fake::{
    Breaks, CONFIG, End, FakeLedger, FakeLog, NOW_MS, Order, Pocket, ZONE, purge, run_on,
};
use super::*;
use crate::purge::ports::ApiAnswer;
use crate::purge::target::Target;
use futures_util::FutureExt;
use serde_json::{Value, json};

const MINUTE_MS: u64 = 60_000;
const HOUR_MS: u64 = 60 * MINUTE_MS;
const DAY_MS: u64 = 24 * HOUR_MS;

fn ids(count: usize) -> Vec<String> {
    (0..count).map(|index| format!("p{index:04}")).collect()
}

/// So many purges, each a second after the one before, the last a minute ago.
fn purges(count: usize) -> Vec<Value> {
    let first_ms = NOW_MS - MINUTE_MS - count as u64 * 1_000;
    (0..).zip(ids(count)).map(|(index, id)| purge(&id, first_ms + index * 1_000)).collect()
}

#[test]
fn every_purge_is_taken_once_whatever_the_pages_and_their_order() {
    for count in [0, 1, 2, 3, 4, 7] {
        for page in [1, 2, 3, 100] {
            for order in [Order::Ascending, Order::Descending, Order::Shuffled] {
                for end in [End::Missing, End::Empty, End::Never] {
                    // A log without an end has no page but empty ones after the last.
                    for repeats in
                        [false, true].into_iter().take(if end == End::Never { 1 } else { 2 })
                    {
                        let mut log = FakeLog::of(purges(count));
                        (log.page, log.order, log.end, log.repeats) = (page, order, end, repeats);
                        let ledger = FakeLedger::default();
                        let what = (count, page, order, end, repeats);
                        let first = run_on(&log, &ledger);
                        assert_eq!(first.fault, None, "{what:?}");
                        assert_eq!(
                            (ledger.ids(), first.purges),
                            (ids(count), count as u64),
                            "{what:?}"
                        );
                        assert_eq!(ledger.until_ms(), NOW_MS, "{what:?}");
                        log.now_ms.set(NOW_MS + MINUTE_MS);
                        assert_eq!(run_on(&log, &ledger).purges, 0, "{what:?}");
                        assert_eq!(ledger.ids().len(), count, "{what:?}");
                    }
                }
            }
        }
    }
}

#[test]
fn purges_of_one_instant_are_as_many_as_they_are() {
    let mut log = FakeLog::of(ids(5).iter().map(|id| purge(id, NOW_MS - 5_000)));
    log.page = 2;
    let ledger = FakeLedger::default();
    run_on(&log, &ledger);
    assert_eq!(ledger.ids(), ids(5));
}

#[test]
fn a_purge_says_who_made_it_when_and_that_it_is_hard() {
    let ledger = FakeLedger::default();
    run_on(&FakeLog::of([purge("t", NOW_MS - 5_000)]), &ledger);
    let taken = ledger.taken.borrow();
    let AuditedPurge { id, at_ms, order, .. } = &taken[0];
    assert_eq!((id.as_str(), *at_ms), ("t", NOW_MS - 5_000));
    assert_eq!(
        (order.by.as_str(), order.note.as_str()),
        ("ann@example.com", "purged at Cloudflare (dash)")
    );
    assert_eq!((order.mode, &order.targets), (Mode::Hard, &vec![Target::Tag("t".into())]));
}

#[test]
fn a_record_that_comes_up_to_an_hour_late_is_taken() {
    let log = FakeLog::default();
    log.add(purge("in-time", NOW_MS - MINUTE_MS), 0);
    log.add(purge("late", NOW_MS - MINUTE_MS), NOW_MS + 58 * MINUTE_MS);
    let ledger = FakeLedger::default();
    for minute in 0..70 {
        log.now_ms.set(NOW_MS + minute * MINUTE_MS);
        run_on(&log, &ledger);
    }
    assert_eq!(ledger.ids(), ["in-time", "late"]);
}

#[test]
fn the_first_run_looks_back_a_day() {
    let log = FakeLog::of([
        purge("older", NOW_MS - DAY_MS - 2 * HOUR_MS),
        purge("newer", NOW_MS - DAY_MS + 1),
    ]);
    let ledger = FakeLedger::default();
    run_on(&log, &ledger);
    assert_eq!(ledger.ids(), ["newer"]);
}

#[test]
fn after_downtime_a_run_goes_on_where_the_last_one_stopped() {
    for days in [1, 7, 29, 30] {
        let down_ms = days * DAY_MS;
        let ledger = FakeLedger::read_until(NOW_MS - down_ms);
        let log = FakeLog::of([purge("early", NOW_MS - down_ms + 1), purge("recent", NOW_MS - 1)]);
        assert_eq!(run_on(&log, &ledger).fault, None);
        assert_eq!(ledger.ids(), ["early", "recent"], "{days} days");
    }
}

#[test]
fn after_more_than_thirty_days_everything_is_purged_softly_once_and_what_is_left_of_the_log_is_read()
 {
    let ledger = FakeLedger::read_until(NOW_MS - 31 * DAY_MS);
    let log =
        FakeLog::of([purge("lost", NOW_MS - 30 * DAY_MS), purge("left", NOW_MS - 28 * DAY_MS)]);
    // It cannot be read today: tomorrow that is no reason to purge everything again.
    log.instead.borrow_mut().push_back(Some(Err(Fault::TimedOut { budget_ms: 1 })));
    assert!(run_on(&log, &ledger).fault.is_some());
    for minutes in [0, 1, 60] {
        log.now_ms.set(NOW_MS + minutes * MINUTE_MS);
        run_on(&log, &ledger);
    }
    let taken = ledger.taken.borrow();
    let found: Vec<_> =
        taken.iter().map(|it| (it.id.as_str(), it.order.mode, &it.order.targets[0])).collect();
    let gap = format!("gap:{}", NOW_MS - 31 * DAY_MS);
    let left = Target::Tag("left".into());
    assert_eq!(
        found,
        [(gap.as_str(), Mode::Soft, &Target::Everything), ("left", Mode::Hard, &left)]
    );
}

#[test]
fn whatever_fails_on_whichever_page_loses_no_purge_and_repeats_none() {
    let said = |status, body: &str| {
        Ok(ApiAnswer { status, retry_after_s: Some(60), body: body.to_owned() })
    };
    let faults: [Result<ApiAnswer, Fault>; 13] = [
        Err(Fault::TimedOut { budget_ms: 1 }),
        Err(Fault::Unavailable("no network".into())),
        said(429, r#"{"success":false,"errors":[{"message":"slow down"}]}"#),
        said(500, "<html>"),
        said(
            403,
            r#"{"success":false,"errors":[{"code":10000,"message":"Authentication error"}],"result":null}"#,
        ),
        said(301, ""),
        said(200, ""),
        said(200, "<html>"),
        said(200, "[]"),
        said(200, "{}"),
        said(200, r#"{"success":true,"result":null}"#),
        said(200, r#"{"success":false,"errors":[{"message":"no"}],"result":[]}"#),
        said(200, r#"{"success":true,"result":{"id":"p"}}"#),
    ];
    for fault in faults {
        for at in 0..4 {
            let mut log = FakeLog::of(purges(7));
            log.page = 2;
            log.instead.borrow_mut().extend((0..at).map(|_| None).chain([Some(fault.clone())]));
            let ledger = FakeLedger::read_until(NOW_MS - 2 * HOUR_MS);
            let report = run_on(&log, &ledger);
            assert!(report.fault.is_some(), "{fault:?}");
            assert_eq!(ledger.ids(), ids(2 * at), "what was found by then is taken: {fault:?}");
            assert_eq!(ledger.until_ms(), NOW_MS - 2 * HOUR_MS, "{fault:?}");
            log.now_ms.set(NOW_MS + MINUTE_MS);
            assert_eq!(run_on(&log, &ledger).fault, None);
            assert_eq!((ledger.ids(), ledger.until_ms()), (ids(7), NOW_MS + MINUTE_MS));
        }
    }
}

#[test]
fn the_fault_says_what_the_api_said_shortly_and_without_the_token() {
    let log = FakeLog::default();
    let body = json!({"errors": [{"message": "é".repeat(500)}]}).to_string();
    log.instead.borrow_mut().push_back(Some(Ok(ApiAnswer {
        status: 403,
        retry_after_s: None,
        body,
    })));
    let fault = run_on(&log, &FakeLedger::default()).fault.unwrap().to_string();
    assert!(
        fault.contains("answered 403 ééé") && fault.len() < 300 && !fault.contains("secret"),
        "{fault}"
    );
}

#[test]
fn a_page_that_comes_again_and_again_ends_the_run() {
    let log = FakeLog::default();
    let again =
        json!({"result": [purge("p", NOW_MS - 1)], "result_info": {"cursor": "same"}}).to_string();
    let answer = ApiAnswer { status: 200, retry_after_s: None, body: again };
    log.instead.borrow_mut().extend((0..100).map(|_| Some(Ok(answer.clone()))));
    let ledger = FakeLedger::default();
    let report = run_on(&log, &ledger);
    assert_eq!((report.pages, ledger.ids()), (2, vec!["p".to_owned()]));
    assert!(matches!(report.fault, Some(Fault::Corrupt(_))));
}

#[test]
fn a_cursor_under_its_other_name_is_followed() {
    let log = FakeLog::of([]);
    let first =
        json!({"result": [purge("p", NOW_MS - 1)], "result_info": {"cursors": {"after": "at/0"}}});
    let answer = ApiAnswer { status: 200, retry_after_s: None, body: first.to_string() };
    log.instead.borrow_mut().push_back(Some(Ok(answer)));
    assert_eq!(run_on(&log, &FakeLedger::default()).pages, 2);
    assert!(log.urls.borrow()[1].ends_with("&cursor=at%2F0"), "{:?}", log.urls);
}

#[test]
fn one_empty_page_is_not_the_end() {
    let log = FakeLog::of([purge("p", NOW_MS - 1)]);
    let empty = json!({"result": [], "result_info": {"cursor": "at/0"}}).to_string();
    let answer = ApiAnswer { status: 200, retry_after_s: None, body: empty };
    log.instead.borrow_mut().push_back(Some(Ok(answer)));
    let ledger = FakeLedger::default();
    run_on(&log, &ledger);
    assert_eq!(ledger.ids(), ["p"]);
}

#[test]
fn a_log_with_more_than_a_run_reads_is_read_in_several_and_nothing_is_skipped() {
    for order in [Order::Ascending, Order::Descending, Order::Shuffled] {
        // Over two days, the first moments crowded.
        let at = |index: u64| NOW_MS - 2 * DAY_MS + index * index * 6_000;
        let mut log = FakeLog::of((0..).zip(ids(120)).map(|(index, id)| purge(&id, at(index))));
        (log.page, log.order) = (2, order);
        let ledger = FakeLedger::read_until(NOW_MS - 3 * DAY_MS);
        // Where the API does not keep to the direction it is asked for, a run may get nowhere, and says so.
        for _ in 0..40 {
            let (before, until_ms) = (log.urls.borrow().len(), ledger.until_ms());
            let report = run_on(&log, &ledger);
            assert!(
                log.urls.borrow().len() - before
                    <= (AUDIT_PAGES_MAX * AUDIT_STRETCHES_MAX) as usize
            );
            assert_eq!(report.fault.is_none(), ledger.until_ms() > until_ms || until_ms == NOW_MS);
            let read = (0..).zip(ids(120)).filter(|(index, _)| at(*index) < report.until_ms);
            let taken = ledger.ids();
            assert!(
                read.into_iter().all(|(_, id)| taken.contains(&id)),
                "{order:?}: one is skipped"
            );
            assert_eq!(taken.iter().collect::<BTreeSet<_>>().len(), taken.len());
        }
        if order == Order::Ascending {
            assert_eq!((ledger.ids(), ledger.until_ms()), (ids(120), NOW_MS));
        }
    }
}

#[test]
fn an_hour_so_full_that_it_cannot_be_read_again_is_not_in_the_way_of_what_is_new() {
    // 40 in the last hour's last minutes fit, with what is new, only when the overlap is shorter.
    let seen = (0..45_u64)
        .map(|index| purge(&format!("s{index:02}"), NOW_MS - HOUR_MS + index * MINUTE_MS));
    let mut log = FakeLog::of(seen);
    let ledger = FakeLedger::read_until(NOW_MS - 2 * HOUR_MS);
    run_on(&log, &ledger);
    assert_eq!(ledger.ids().len(), 45);
    log.page = 4;
    log.now_ms.set(NOW_MS + MINUTE_MS);
    log.add(purge("new", NOW_MS + 1), 0);
    assert_eq!(run_on(&log, &ledger).fault, None);
    assert_eq!(ledger.ids().len(), 46);
    assert!(ledger.until_ms() > NOW_MS);
}

#[test]
fn a_page_that_is_too_large_is_asked_for_in_smaller_ones() {
    let mut log = FakeLog::of(purges(8));
    log.room = 1;
    let ledger = FakeLedger::read_until(NOW_MS - 2 * HOUR_MS);
    assert_eq!(run_on(&log, &ledger).fault, None);
    assert_eq!(ledger.ids(), ids(8));
    log.room = 0;
    log.now_ms.set(NOW_MS + MINUTE_MS);
    assert!(run_on(&log, &ledger).fault.is_some());
    assert_eq!(ledger.until_ms(), NOW_MS);
}

#[test]
fn a_ledger_that_does_not_hear_gets_it_all_again_and_one_that_is_not_heard_takes_nothing_twice() {
    for breaks in [Breaks::Before, Breaks::After] {
        let log = FakeLog::of(purges(3));
        let ledger = FakeLedger::default();
        ledger.breaks.set(breaks);
        assert!(run_on(&log, &ledger).fault.is_some());
        ledger.breaks.set(Breaks::Never);
        run_on(&log, &ledger);
        assert_eq!(ledger.ids(), ids(3), "{breaks:?}");
    }
}

#[test]
fn our_own_purges_and_those_that_failed_and_what_an_api_gives_unasked_are_counted_and_not_taken() {
    let at_ms = NOW_MS - 1_000;
    let altered = |id: &str, path: &str, value: Value| {
        let mut record = purge(id, at_ms);
        *record.pointer_mut(path).unwrap() = value;
        record
    };
    let log = FakeLog::of([
        altered("own", "/resource/request", json!({"tags": ["y", "x"]})),
        altered("failed", "/action/result", json!("failure")),
        altered("other-zone", "/zone/id", json!("another")),
        altered("other-product", "/resource/product", json!("dns_records")),
        altered("no-video", "/resource/request", json!({"files": ["https://v.example/logo.png"]})),
        json!({}),
        json!(null),
        json!("text"),
        purge("good", at_ms),
    ]);
    let ledger = FakeLedger::default();
    *ledger.own.borrow_mut() = Some(json!({"tags": ["x", "y"]}));
    let report = run_on(&log, &ledger);
    let Report { purges, own, failed, other, unread, .. } = report;
    assert_eq!((purges, own, failed, other, unread), (1, 1, 1, 6, 0));
    assert_eq!(ledger.ids(), ["good"]);
}

#[test]
fn what_is_not_understood_purges_everything_softly_once_beside_what_is() {
    let mut partly = purge("partly", NOW_MS - 2_000);
    partly["resource"]["request"] = json!({"tags": ["a", 5]});
    let mut wholly = purge("wholly", NOW_MS - 1_000);
    wholly["resource"]["request"] = json!({"everything": "now"});
    let log = FakeLog::of([partly, wholly]);
    let ledger = FakeLedger::default();
    assert_eq!(run_on(&log, &ledger).unread, 2);
    run_on(&log, &ledger);
    let taken = ledger.taken.borrow();
    let taken: Vec<_> =
        taken.iter().map(|it| (it.id.as_str(), it.order.mode, &it.order.targets[0])).collect();
    let (everything, tag) = (Target::Everything, Target::Tag("a".into()));
    assert_eq!(
        taken,
        [
            ("partly", Mode::Hard, &tag),
            ("partly:rest", Mode::Soft, &everything),
            ("wholly", Mode::Soft, &everything),
        ]
    );
}

#[test]
fn a_record_without_a_time_is_taken_once() {
    let mut timeless = purge("p", 0);
    timeless["action"].as_object_mut().unwrap().remove("time");
    let log = FakeLog::of([timeless]);
    let ledger = FakeLedger::default();
    for minute in 0..5 {
        log.now_ms.set(NOW_MS + minute * MINUTE_MS);
        run_on(&log, &ledger);
    }
    assert_eq!(ledger.ids(), ["p"]);
}

#[test]
fn a_clock_that_was_ahead_for_a_run_loses_nothing_afterwards() {
    let log = FakeLog::default();
    let ledger = FakeLedger::default();
    log.now_ms.set(NOW_MS + 10 * DAY_MS);
    run_on(&log, &ledger);
    log.now_ms.set(NOW_MS);
    run_on(&log, &ledger);
    log.add(purge("p", NOW_MS + 1), 0);
    log.now_ms.set(NOW_MS + MINUTE_MS);
    run_on(&log, &ledger);
    assert_eq!(ledger.ids(), ["p"]);
}

#[test]
fn more_than_the_ledger_takes_at_once_is_handed_over_in_parts_and_the_last_moves_the_watermark() {
    let count = 2 * AUDITED_MAX + 1;
    for breaks in [Breaks::Never, Breaks::Before, Breaks::After] {
        let ledger = FakeLedger::read_until(NOW_MS - HOUR_MS);
        ledger.breaks.set(breaks);
        let log = FakeLog::of(purges(count));
        run_on(&log, &ledger);
        let is_all = breaks == Breaks::Never;
        assert_eq!(ledger.until_ms() == NOW_MS, is_all, "{breaks:?}");
        assert_eq!(ledger.ids().len() == count, is_all, "{breaks:?}");
        ledger.breaks.set(Breaks::Never);
        run_on(&log, &ledger);
        assert_eq!((ledger.ids(), ledger.until_ms()), (ids(count), NOW_MS), "{breaks:?}");
    }
}

#[test]
fn without_an_account_nothing_is_asked_and_without_the_rest_it_is_said() {
    let run = |purge: Value, secrets: &'static [&'static str]| {
        let config = Config::check(&json!({"purge": purge})).unwrap();
        let (log, ledger, pocket) = (FakeLog::default(), FakeLedger::default(), Pocket(secrets));
        let run = follow(&log, &ledger, &pocket, &config, NOW_MS);
        let report = run.now_or_never().unwrap();
        assert_eq!((log.urls.borrow().len(), ledger.until_ms.get()), (0, None));
        report.map(|report| report.fault.unwrap().to_string())
    };
    assert_eq!(run(json!({"zoneId": ZONE}), &[AUDIT_TOKEN_SECRET]), None);
    let no_zone = run(json!({"accountId": "a"}), &[AUDIT_TOKEN_SECRET]).unwrap();
    assert!(no_zone.contains("purge.zoneId"), "{no_zone}");
    let no_token = run(json!({"accountId": "a", "zoneId": ZONE}), &["ADMIN_TOKEN"]).unwrap();
    assert!(no_token.contains(AUDIT_TOKEN_SECRET), "{no_token}");
}

#[test]
fn a_ledger_that_cannot_be_asked_ends_the_run_before_the_log_is_asked() {
    struct Silent;
    impl AuditLedger for Silent {
        async fn ask(&self, _: &Question) -> Result<Answer, Fault> {
            Ok(Answer::Noted)
        }
    }
    let log = FakeLog::default();
    let secrets = Pocket(&[AUDIT_TOKEN_SECRET]);
    let report = follow(&log, &Silent, &secrets, &CONFIG, NOW_MS).now_or_never().unwrap().unwrap();
    assert!(matches!(report.fault, Some(Fault::Corrupt(_))));
    assert!(log.urls.borrow().is_empty());
}
