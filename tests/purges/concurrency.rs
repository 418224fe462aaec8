//! Many ask at once, and the object is awake meanwhile.

use std::cell::Cell;
use std::collections::BTreeSet;

use futures_util::future::{join, join_all};
use video_resizer::cache::ports::{Clock, Fault};
use video_resizer::json::Value;
use video_resizer::purge::ledger::{Ledger, Standing};
use video_resizer::purge::order::Order;
use video_resizer::purge::question::{Answer, AuditedPurge, Question, Round};
use video_resizer::purge::receipt::ZonePart;
use video_resizer::purge::target::Subject;

use super::fakes::{Mishap, Object, Platform, by_tag};

#[test]
fn of_fifty_purges_at_once_none_is_lost_and_each_has_its_own_number() {
    let platform = Platform::default();
    let mut object = Object::on(&platform);
    let (answers, woken) = object
        .run(async |object| {
            let orders = (0..50).map(|index| by_tag(&format!("tag-{index}")));
            let purges = orders.map(|order| object.asked(Question::Record(order)));
            join(join_all(purges), object.woken()).await
        })
        .unwrap();
    woken.unwrap();
    let mut numbers = BTreeSet::new();
    for (index, answer) in answers.into_iter().enumerate() {
        let Answer::Recorded { receipt, .. } = answer.unwrap() else { panic!() };
        assert!(numbers.insert(receipt.written.number));
        assert_eq!(receipt.written.asked.tags, [format!("tag-{index}")]);
    }
    assert_eq!(numbers, (1..=50).collect());
    object.rest();
    for number in 1..=50 {
        let receipt = object.receipt(number);
        assert!(receipt.mirrored_ms.is_some() && matches!(receipt.zone, ZonePart::Done { .. }));
    }
}

#[test]
fn while_kv_takes_its_time_the_object_is_not_woken_again_and_again() {
    let platform = Platform::default();
    platform.now_ms.set(1_000_000);
    let mut object = Object::on(&platform);
    object.purge(by_tag("red")).unwrap();
    object.rest();
    platform.pass_to(2_000_000);
    object.purge(by_tag("green")).unwrap();
    let at = platform.operations.get();
    platform.mishaps.borrow_mut().insert(at, Mishap::Slow);
    let is_mirrored = Cell::new(false);
    let ((), alarms) = object
        .run(async |object| {
            let ringing = async {
                let mut alarms = 0;
                while !is_mirrored.get() {
                    if platform.alarm_ms.get().is_some_and(|at_ms| at_ms <= platform.now_ms.get()) {
                        platform.alarm_ms.set(None);
                        alarms += 1;
                        object.woken().await.unwrap();
                    }
                    platform.sleep(1).await;
                }
                alarms
            };
            let mirroring = async {
                object.mirrored().await;
                is_mirrored.set(true);
            };
            // Whoever is named first begins first: the write goes on behind the answer.
            join(mirroring, ringing).await
        })
        .unwrap();
    assert!(alarms < 12, "{alarms} alarms in five seconds");
    object.rest();
    assert!(object.receipt(2).mirrored_ms.is_some());
}

#[test]
fn a_write_that_fails_leaves_nothing_in_memory_that_is_not_written() {
    let platform = Platform::default();
    let mut object = Object::on(&platform);
    object.purge(by_tag("red")).unwrap();
    // Of the next purge: it is set to wake, then written.
    let at = platform.operations.get() + 1;
    platform.mishaps.borrow_mut().insert(at, Mishap::Refused);
    assert!(object.purge(by_tag("green")).is_none());
    let Some(Answer::Log { receipts, .. }) = object.ask(Question::Log { before: None, limit: 9 })
    else {
        panic!()
    };
    assert_eq!(receipts.len(), 1);
    assert_eq!(object.purge(by_tag("blue")).unwrap().written.number, 2);
}

#[test]
fn an_object_that_has_lost_everything_goes_on_from_what_kv_has() {
    let platform = Platform::default();
    let mut object = Object::on(&platform);
    object.purge(by_tag("red")).unwrap();
    object.purge(by_tag("green")).unwrap();
    object.rest();
    platform.storage.borrow_mut().clear();
    let mut another = Object::on(&platform);
    assert_eq!(another.purge(by_tag("blue")).unwrap().written.number, 3);
    let Some(Answer::Ledger { ledger }) = another.ask(Question::Ledger) else { panic!() };
    let ledger = Ledger::decode(&ledger).unwrap();
    let tags = ["red".to_owned()];
    let subject = Subject { host: None, path: None, kv_key: "", tags: &tags };
    assert_eq!(ledger.standing(0, &subject), Standing::Purged, "nor is a purge forgotten");
}

#[test]
fn where_kv_does_not_say_what_it_has_nothing_is_numbered() {
    let platform = Platform::default();
    // Its storage is empty, which is read first.
    platform.mishaps.borrow_mut().insert(1, Mishap::Refused);
    let mut object = Object::on(&platform);
    assert!(object.purge(by_tag("red")).is_none());
    assert_eq!(object.purge(by_tag("red")).unwrap().written.number, 1);
}

#[test]
fn the_log_is_read_page_by_page_from_the_newest_and_ends() {
    let platform = Platform::default();
    let mut object = Object::on(&platform);
    for index in 0..25 {
        object.purge(by_tag(&index.to_string())).unwrap();
    }
    let (mut before, mut pages) = (None, Vec::new());
    loop {
        let Some(Answer::Log { receipts, before: next }) =
            object.ask(Question::Log { before, limit: 12 })
        else {
            panic!()
        };
        pages.push(receipts.iter().map(|it| it.written.number).collect::<Vec<_>>());
        before = next;
        if before.is_none() {
            break;
        }
    }
    let wanted: Vec<Vec<u64>> = vec![(14..=25).rev().collect(), (2..=13).rev().collect(), vec![1]];
    assert_eq!(pages, wanted);
}

#[test]
fn only_the_newest_receipts_are_kept() {
    let platform = Platform::default();
    let mut object = Object::on(&platform);
    for _ in 0..1_003 {
        object.purge(by_tag("red")).unwrap();
    }
    assert!(matches!(object.ask(Question::Receipt { number: 3 }), Some(Answer::Receipt(None))));
    assert_eq!(object.receipt(4).written.number, 4);
    let receipts =
        platform.storage.borrow().keys().filter(|name| name.starts_with("receipt:")).count();
    assert_eq!(receipts, 1_000);
}

fn audited(id: &str, at_ms: u64, payload: &str) -> AuditedPurge {
    let order: Order = by_tag(id);
    AuditedPurge { id: id.to_owned(), at_ms, payload: payload.to_owned(), order }
}

fn took(object: &mut Object<'_>, purges: Vec<AuditedPurge>, until_ms: u64) -> (usize, u64, u64) {
    let Some(Answer::Audited { applied, repeated, echoes, .. }) =
        object.ask(Question::Audited { purges, until_ms })
    else {
        panic!()
    };
    (applied.len(), repeated, echoes)
}

#[test]
fn a_record_of_the_audit_log_is_applied_once_whatever_becomes_of_the_acknowledgement() {
    for mishap in [Mishap::LostAck, Mishap::DeathAfter, Mishap::Refused, Mishap::DeathBefore] {
        for later in 0..3 {
            let platform = Platform::default();
            platform.now_ms.set(1_000_000);
            let mut object = Object::on(&platform);
            object.purge(by_tag("red")).unwrap();
            let records = || vec![audited("a1", 10, "x"), audited("a2", 20, "y")];
            let at = platform.operations.get() + later;
            platform.mishaps.borrow_mut().insert(at, mishap);
            let ask = |object: &mut Object<'_>| {
                object.ask(Question::Audited { purges: records(), until_ms: 30 })
            };
            let answered = (0..3).filter_map(|_| ask(&mut object)).count();
            assert!(answered >= 2, "one of three fails");
            platform.mishaps.borrow_mut().clear();
            let Some(Answer::Log { receipts, .. }) =
                object.ask(Question::Log { before: None, limit: 9 })
            else {
                panic!()
            };
            assert_eq!(receipts.len(), 3, "{mishap:?} {later}");
            assert_eq!(took(&mut object, records(), 40), (0, 2, 0), "{mishap:?} {later}");
            assert!(matches!(
                object.ask(Question::AuditState),
                Some(Answer::AuditState { until_ms: Some(40) })
            ));
        }
    }
}

#[test]
fn a_clock_that_was_ahead_makes_no_record_of_the_audit_log_apply_twice_or_get_lost() {
    const DAY_MS: u64 = 86_400_000;
    let platform = Platform::default();
    platform.now_ms.set(100 * DAY_MS);
    let mut object = Object::on(&platform);
    // The worker that read the log was three days ahead of the object.
    took(&mut object, Vec::new(), 103 * DAY_MS);
    let now_ms = platform.now_ms.get();
    let Some(Answer::AuditState { until_ms: Some(until_ms) }) = object.ask(Question::AuditState)
    else {
        panic!()
    };
    assert!(until_ms <= now_ms, "what comes from now on is read");
    let record = || vec![audited("a1", now_ms, "x")];
    assert_eq!(took(&mut object, record(), now_ms), (1, 0, 0));
    assert_eq!(took(&mut object, record(), now_ms + 60_000), (0, 1, 0));
    // The object's own clock was ahead, and is right again.
    platform.now_ms.set(103 * DAY_MS);
    took(&mut object, Vec::new(), 103 * DAY_MS);
    platform.now_ms.set(now_ms + 120_000);
    let record = || vec![audited("a2", now_ms + 120_000, "x")];
    assert_eq!(took(&mut object, record(), now_ms + 120_000), (1, 0, 0));
    assert_eq!(took(&mut object, record(), now_ms + 180_000), (0, 1, 0));
}

#[test]
fn a_purge_of_our_own_comes_back_from_the_audit_log_and_is_known_once() {
    let platform = Platform::default();
    platform.now_ms.set(1_000_000_000);
    let mut object = Object::on(&platform);
    object.purge(by_tag("red")).unwrap();
    object.rest();
    let call = platform.calls.borrow()[0].clone();
    let sent = Value::parse(&call.body.unwrap()).unwrap();
    let digest = video_resizer::purge::zone::payload_digest(&sent);
    let now_ms = platform.now_ms.get();
    assert_eq!(took(&mut object, vec![audited("far", now_ms + 3_600_000, &digest)], 1), (1, 0, 0));
    assert_eq!(took(&mut object, vec![audited("ours", now_ms, &digest)], 1), (0, 0, 1));
    assert_eq!(took(&mut object, vec![audited("ours", now_ms, &digest)], 1), (0, 1, 0));
    assert_eq!(took(&mut object, vec![audited("theirs", now_ms, &digest)], 1), (1, 0, 0));
    let calls = platform.calls.borrow().len();
    object.rest();
    assert_eq!(
        platform.calls.borrow().len(),
        calls,
        "what the zone told us is not told to the zone"
    );
}

#[test]
fn a_round_of_deletion_is_for_the_purges_before_it_and_the_next_for_those_since() {
    let platform = Platform::default();
    let mut object = Object::on(&platform);
    let round = |object: &mut Object<'_>| -> Option<Round> {
        let Some(Answer::Sweep { round, .. }) = object.ask(Question::Sweep) else { panic!() };
        round
    };
    assert_eq!(round(&mut object), None, "nothing was purged");
    object.purge(by_tag("red")).unwrap();
    assert_eq!(round(&mut object), Some(Round { number: 1, cursor: None, deleted: 0 }));
    object.purge(by_tag("green")).unwrap();
    let swept = |number, cursor: Option<&str>, deleted, is_complete| {
        let cursor = cursor.map(str::to_owned);
        Question::Swept { number, cursor, deleted, is_complete }
    };
    object.ask(swept(1, Some("c"), 3, false)).unwrap();
    assert_eq!(round(&mut object), Some(Round { number: 1, cursor: Some("c".into()), deleted: 3 }));
    assert_eq!(object.receipt(1).swept, None);
    object.ask(swept(1, None, 2, true)).unwrap();
    object.ask(swept(1, None, 2, true)).unwrap();
    assert_eq!(object.receipt(1).swept.unwrap().deleted, 5);
    assert_eq!(object.receipt(2).swept, None);
    assert_eq!(round(&mut object), Some(Round { number: 2, cursor: None, deleted: 0 }));
}

#[test]
fn what_the_storage_says_is_wrong_with_it_is_said_to_who_asked() {
    let platform = Platform::default();
    platform.mishaps.borrow_mut().insert(0, Mishap::Refused);
    let mut object = Object::on(&platform);
    let failed = object.run(async |object| object.asked(Question::Ledger).await).unwrap();
    assert_eq!(failed, Err(Fault::Unavailable("lost".to_owned())));
}
