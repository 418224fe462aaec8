//! Every operation of the object's life fails in every way, one by one and in pairs.

use video_resizer::purge::ledger::{Ledger, Standing};
use video_resizer::purge::receipt::ZonePart;
use video_resizer::purge::target::Subject;

use super::fakes::{MISHAPS, Mishap, Object, Platform, by_tag};

const TAGS: [&str; 2] = ["red", "green"];

/// Two purges, the second while everybody is told of the first; who is not answered asks again.
fn live(mishaps: &[(usize, Mishap)]) -> Platform {
    let platform = Platform::default();
    platform.now_ms.set(1_000_000);
    platform.mishaps.borrow_mut().extend(mishaps.iter().copied());
    let mut object = Object::on(&platform);
    let mut acknowledged = Vec::new();
    for tag in TAGS {
        for _ in 0..4 {
            if let Some(receipt) = object.purge(by_tag(tag)) {
                acknowledged.push((receipt.written.number, tag));
                break;
            }
        }
        object.ring();
    }
    object.rest();
    assert_eq!(acknowledged.len(), TAGS.len(), "{mishaps:?}: who asks again is answered");
    assert!(acknowledged.is_sorted_by(|one, next| one.0 < next.0), "{mishaps:?}: {acknowledged:?}");
    platform.mishaps.borrow_mut().clear();
    object.rest();
    platform.pass_to(platform.now_ms.get() + 60_000);

    let in_kv = Ledger::decode(platform.in_kv.borrow().as_ref().unwrap()).unwrap();
    for (number, tag) in acknowledged {
        let receipt = object.receipt(number);
        assert_eq!(receipt.written.asked.tags, [tag], "{mishaps:?}");
        assert_eq!(standing(&in_kv, number - 1, tag), Standing::Purged, "{mishaps:?}");
        assert!(receipt.mirrored_ms.is_some(), "{mishaps:?}: {receipt:?}");
        assert!(matches!(receipt.zone, ZonePart::Done { .. }), "{mishaps:?}: {receipt:?}");
        let calls = platform.calls.borrow();
        assert!(calls.iter().any(|call| call.body.as_ref().unwrap().contains(tag)), "{mishaps:?}");
    }
    assert_told(&platform, mishaps);
    drop(object);
    platform
}

fn standing(ledger: &Ledger, heard: u64, tag: &str) -> Standing {
    let tags = [tag.to_owned()];
    ledger.standing(heard, &Subject { host: None, path: None, kv_key: "video:a", tags: &tags })
}

/// No two that were told anything by the same number were told different things, and nothing was taken back.
fn assert_told(platform: &Platform, mishaps: &[(usize, Mishap)]) {
    let told = platform.told.borrow();
    for (at, one) in told.iter().enumerate() {
        for other in &told[at..] {
            let (older, newer) =
                if one.number() <= other.number() { (one, other) } else { (other, one) };
            if older.number() == newer.number() {
                assert_eq!(older, newer, "{mishaps:?}: one number, two meanings");
            }
            for tag in TAGS {
                for heard in 0..older.number() {
                    let (before, after) =
                        (standing(older, heard, tag), standing(newer, heard, tag));
                    assert!(after >= before, "{mishaps:?}: {tag} was purged and is not any more");
                }
            }
        }
    }
}

#[test]
fn whatever_fails_once_no_purge_is_lost_and_no_number_means_two_things() {
    let operations = live(&[]).operations.get();
    assert!((15..100).contains(&operations), "{operations}");
    for at in 0..operations {
        for mishap in MISHAPS {
            live(&[(at, mishap)]);
        }
    }
}

#[test]
fn whatever_fails_twice_no_purge_is_lost_and_no_number_means_two_things() {
    let operations = live(&[]).operations.get();
    for first in 0..operations {
        for second in first + 1..operations {
            for one in MISHAPS {
                for other in MISHAPS {
                    live(&[(first, one), (second, other)]);
                }
            }
        }
    }
}
