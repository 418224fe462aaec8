#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, clippy::indexing_slicing)]

use super::*;
use crate::json;

fn receipt() -> Receipt {
    let mut order = Order::of(Mode::Hard, "ann".into(), "new cut".into());
    order.aim_at_tag("campaign".into());
    Receipt {
        written: Written::of(order, 17, Via::Api, (1_000, 1_000), Some(3)),
        mirrored_ms: Some(2_000),
        heard_by_ms: Some(5_000),
        zone: ZonePart::Done { at_ms: Some(7_000) },
        swept: None,
        now_ms: 9_000,
    }
}

#[test]
fn a_receipt_is_this_document() {
    assert_eq!(
        receipt().json().to_string(),
        concat!(
            r#"{"at":"1970-01-01T00:00:01.000Z","by":"ann","complete":true,"complete_at":"1970-01-01T00:00:07.000Z","id":"p17","mode":"hard","note":"new cut","number":17,"remarks":[],"#,
            r#""targets":{"everything":false,"hosts":[],"paths":[],"prefixes":[],"tags":["campaign"],"urls":[]},"#,
            r#""tiers":{"deletion":{"deleted":0,"state":"pending"},"isolates":{"heard_everywhere_by":"1970-01-01T00:00:05.000Z","mirrored_at":"1970-01-01T00:00:02.000Z","state":"done"},"#,
            r#""ledger":{"at":"1970-01-01T00:00:01.000Z","state":"done"},"transformation":{"state":"done","version":"17"},"#,
            r#""zone":{"done":3,"last_error":null,"next_try_at":null,"requests":3,"state":"done"}},"via":"api"}"#
        )
    );
}

#[test]
fn a_purge_is_complete_when_every_isolate_has_heard_and_the_zone_is_done_and_not_before() {
    let waiting = || Waiting { left: 1, last_error: "no".into(), next_try_ms: 1 };
    let complete = |change: fn(&mut Receipt)| {
        let mut receipt = receipt();
        change(&mut receipt);
        receipt.complete_ms()
    };
    assert_eq!(complete(|_| ()), Some(7_000));
    assert_eq!(complete(|it| it.zone = ZonePart::Off), Some(5_000));
    assert_eq!(complete(|it| it.zone = ZonePart::Done { at_ms: None }), Some(5_000));
    assert_eq!(complete(|it| it.now_ms = 4_999), None);
    assert_eq!(complete(|it| it.heard_by_ms = None), None);
    for zone in [ZonePart::Pending(waiting()), ZonePart::Failing(waiting())] {
        let receipt = Receipt { zone, ..receipt() };
        assert_eq!(receipt.complete_ms(), None);
        let document: serde_json::Value =
            serde_json::from_str(&receipt.json().to_string()).unwrap();
        assert_eq!(document["tiers"]["zone"]["done"], 2);
    }
}

#[test]
fn where_isolates_look_decides_when_they_have_heard() {
    let age_ms = heard::age_ms_max(5_000);
    assert_eq!(heard_by_ms(ReadFrom::Kv, 5_000, 1, None), None);
    let visible_ms = heard::visible_everywhere_ms();
    assert_eq!(heard_by_ms(ReadFrom::Kv, 5_000, 1, Some(2)), Some(2 + visible_ms + age_ms));
    assert_eq!(heard_by_ms(ReadFrom::Ledger, 5_000, 1, None), Some(1 + age_ms));
}

#[test]
fn a_purge_has_one_name() {
    assert_eq!((id(17).as_str(), number("p17")), ("p17", Some(17)));
    for other in ["", "p", "17", "p017", "p+17", "p0", "P17", "p17 ", "p99999999999999999999"] {
        assert_eq!(number(other), None, "{other}");
    }
}

#[test]
fn a_receipt_is_these_bytes_on_the_wire_and_in_the_storage() {
    let waiting = || Waiting { left: 1, last_error: "no".into(), next_try_ms: 2 };
    for (zone, text) in [
        (ZonePart::Off, r#"{"state":"off"}"#),
        (ZonePart::Done { at_ms: None }, r#"{"state":"done","at_ms":null}"#),
        (ZonePart::Done { at_ms: Some(7) }, r#"{"state":"done","at_ms":7}"#),
        (
            ZonePart::Pending(waiting()),
            r#"{"state":"pending","left":1,"last_error":"no","next_try_ms":2}"#,
        ),
        (
            ZonePart::Failing(waiting()),
            r#"{"state":"failing","left":1,"last_error":"no","next_try_ms":2}"#,
        ),
    ] {
        assert_eq!(json::write(&zone), text);
        assert_eq!(json::read::<ZonePart>(text).unwrap(), zone);
    }
    let asked =
        r#"{"tags":["campaign"],"paths":[],"prefixes":[],"urls":[],"hosts":[],"everything":false}"#;
    let mut it = receipt();
    let text = format!(
        r#"{{"written":{{"number":17,"at_ms":1000,"recorded_ms":1000,"via":"api","mode":"hard","by":"ann","note":"new cut","asked":{asked},"zone_items":3}},"mirrored_ms":2000,"heard_by_ms":5000,"zone":{{"state":"done","at_ms":7000}},"swept":null,"now_ms":9000}}"#
    );
    assert_eq!(json::write(&it), text);
    assert_eq!(json::read::<Receipt>(&text).unwrap(), it);
    it.written.via = Via::AuditLog;
    it.written.remarks.push("more".into());
    it.written.zone_items = None;
    it.mirrored_ms = None;
    it.swept = Some(Swept { at_ms: 8, deleted: 9 });
    let text = format!(
        r#"{{"written":{{"number":17,"at_ms":1000,"recorded_ms":1000,"via":"audit-log","mode":"hard","by":"ann","note":"new cut","asked":{asked},"remarks":["more"]}},"mirrored_ms":null,"heard_by_ms":5000,"zone":{{"state":"done","at_ms":7000}},"swept":{{"at_ms":8,"deleted":9}},"now_ms":9000}}"#
    );
    assert_eq!(json::write(&it), text);
    assert_eq!(json::read::<Receipt>(&text).unwrap(), it);
}
