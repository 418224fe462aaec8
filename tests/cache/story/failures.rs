//! When no rendition can be made: the next source, what is old, the original, and only then an honest error.

use std::cell::Cell;

use serde_json::{Value, json};
use video_resizer::cache::reason::Unfit;

use super::VIDEO;
use crate::fakes::upstream::{Making, ORIGINAL_BYTES, Source, original_bytes};
use crate::fakes::viewer::{House, get, head};
use crate::fakes::weather::{Mishap, Script};

/// Every reason, how it comes about, what the viewer gets when nothing helps, and whether it is remembered.
const REASONS: [(Cause, &str, u16, bool); 20] = [
    (Cause::Makes(Making::SaysError(9404)), "transform-error", 404, true),
    (Cause::Makes(Making::SaysError(9407)), "transform-error", 504, true),
    (Cause::Makes(Making::SaysError(9504)), "transform-error", 504, true),
    (Cause::Makes(Making::SaysError(9412)), "transform-error", 502, true),
    (Cause::Makes(Making::SaysError(9517)), "transform-error", 502, true),
    (Cause::Makes(Making::Status(404)), "status", 404, true),
    (Cause::Makes(Making::Status(410)), "status", 404, true),
    (Cause::Makes(Making::Status(403)), "status", 502, true),
    (Cause::Makes(Making::Status(301)), "status", 301, true),
    (Cause::Makes(Making::Status(429)), "status", 503, false),
    (Cause::Makes(Making::Status(503)), "status", 503, false),
    (Cause::Makes(Making::Status(504)), "status", 504, true),
    (Cause::Makes(Making::Partial), "partial", 502, true),
    (Cause::Makes(Making::WrongType), "content-type", 502, true),
    (Cause::Makes(Making::Empty), "empty", 502, true),
    (Cause::Makes(Making::Untransformed), "untransformed", 502, true),
    (Cause::Meets(Mishap::Refused), "no-answer", 502, false),
    (Cause::Meets(Mishap::TimedOut), "timed-out", 504, false),
    (Cause::HasNoRelayKey, "relay-key-missing", 502, false),
    (Cause::LeadsAstray, "source-refused", 502, true),
];

#[derive(Debug, Clone, Copy)]
enum Cause {
    Makes(Making),
    Meets(Mishap),
    HasNoRelayKey,
    /// Whoever asks the source for its length is sent inside.
    LeadsAstray,
}

fn private() -> Value {
    json!({"origins": [{
        "name": "default", "pattern": "^/(.+)$",
        "sources": [{"url": "https://source.example/$1", "auth": {"type": "bearer", "secret": "S"}}]
    }]})
}

fn house(cause: Cause, fallback: bool) -> House {
    let mut document = json!({"sources": {"fallbackToOriginal": fallback}});
    if matches!(cause, Cause::HasNoRelayKey) {
        document["origins"] = private()["origins"].clone();
    }
    let house = House::new(&document);
    house.host.secrets.borrow_mut().insert("S".to_owned(), "a secret".to_owned());
    match cause {
        Cause::Makes(making) => house.host.upstream.makes(making),
        Cause::Meets(mishap) => {
            house.host.world.set_weather(Script::new(&[("transform", mishap)]));
        }
        Cause::HasNoRelayKey => {}
        Cause::LeadsAstray => {
            let is_sent = Cell::new(false);
            house.host.upstream.sources_are(move |_| {
                if is_sent.replace(true) {
                    Source::Holds
                } else {
                    Source::Redirects(302, "https://127.0.0.1/a.mp4")
                }
            });
        }
    }
    house
}

#[test]
fn every_reason_is_named_has_its_status_and_keeps_no_rendition() {
    for (cause, reason, status, remembered) in REASONS {
        let house = house(cause, false);
        let seen = house.get(VIDEO);
        assert_eq!(seen.status, status, "{cause:?}");
        assert_eq!(seen.problem("reason"), reason, "{cause:?}");
        assert_eq!(seen.problem("status"), status, "{cause:?}");
        assert!(seen.header("server-timing").contains(&format!("desc={reason}")), "{cause:?}");
        let fresh = match status {
            404 => "public, max-age=60",
            301 => "public, max-age=3600",
            _ => "no-store",
        };
        assert_eq!(seen.header("cache-control"), fresh, "{cause:?}");
        assert_eq!(seen.settled.is_empty(), !remembered, "{cause:?}");
        for kept in house.host.edge.kept.borrow().values() {
            assert_eq!(kept.bytes.len(), 0, "{cause:?}");
        }
        for kept in house.host.kv.kept.borrow().values() {
            assert_eq!(kept.bytes.len(), 0, "{cause:?}");
        }
        house.host.upstream.makes(Making::Good);
        let again = house.get(VIDEO);
        let is_asked_again = again.cost.contains(&"transform");
        let could_be = !matches!(cause, Cause::HasNoRelayKey);
        assert_eq!(is_asked_again, !remembered && could_be, "{cause:?}");
    }
}

#[test]
fn no_reason_is_left_out_of_these_stories() {
    for (name, _) in Unfit::ALL_NAMES {
        assert!(REASONS.iter().any(|(_, reason, _, _)| *reason == name), "{name}");
    }
}

#[test]
fn the_original_stands_in_for_a_video_that_could_not_be_resized_and_is_never_kept() {
    for (cause, reason, _, remembered) in REASONS {
        let house = house(cause, true);
        let seen = house.get(VIDEO);
        let is_there =
            !matches!(cause, Cause::Makes(Making::SaysError(9404 | 9412) | Making::Status(301)));
        assert_eq!(seen.cost.contains(&"original"), is_there, "{cause:?}");
        if !is_there {
            assert!(seen.status >= 300, "{cause:?}");
            continue;
        }
        assert_eq!((seen.status, &seen.bytes), (200, &original_bytes()), "{cause:?}");
        assert_eq!(seen.header("cache-control"), "no-store", "{cause:?}");
        assert_eq!(seen.header("x-source-type"), "passthrough");
        assert_eq!(seen.header("etag"), "\"original\"", "its own name, not the rendition's");
        let lengths =
            house.host.kv.kept.borrow().values().map(|kept| kept.bytes.len()).sum::<usize>();
        assert_eq!(lengths, 0, "{cause:?}");

        if remembered {
            let again = house.get(VIDEO);
            assert_eq!(
                again.cost,
                ["edge-find", "original"],
                "the failure is remembered: {cause:?}"
            );
            assert_eq!(again.bytes, original_bytes());
            assert!(again.cache().contains(&format!("hit; detail={reason}")), "{}", again.cache());
        }
    }
}

#[test]
fn the_original_answers_the_viewers_own_range_and_head() {
    let house = House::plain();
    house.host.upstream.makes(Making::WrongType);
    let part = house.send(&get(VIDEO).range("bytes=100-199"));
    assert_eq!((part.status, part.bytes.as_slice()), (206, &original_bytes()[100..200]));
    let none = house.send(&get(VIDEO).range("bytes=9999-"));
    assert_eq!(none.status, 416);
    let headed = house.send(&head(VIDEO));
    assert_eq!(
        (headed.status, headed.header("content-length")),
        (200, ORIGINAL_BYTES.to_string().as_str())
    );
    assert_eq!(headed.cost, ["edge-find", "original"]);
}

#[test]
fn a_picture_is_never_replaced_by_a_whole_video() {
    for mode in ["mode=frame", "mode=spritesheet", "mode=audio"] {
        let house = House::plain();
        house.host.upstream.makes(Making::WrongType);
        let seen = house.get(&format!("/clips/a.mp4?{mode}"));
        assert_eq!(seen.status, 502, "{mode}");
        assert_eq!(seen.cost, ["edge-find", "kv-find", "transform", "probe"], "{mode}");
    }
}

#[test]
fn only_when_the_original_is_gone_too_the_viewer_gets_an_error() {
    for (state, mishap) in
        [(Source::Missing, None), (Source::Fails, None), (Source::Holds, Some(Mishap::Refused))]
    {
        let house = House::plain();
        house.host.upstream.makes(Making::WrongType);
        house.host.upstream.sources_are(move |_| state);
        if let Some(mishap) = mishap {
            house.host.world.set_weather(Script::new(&[("original", mishap)]));
        }
        let seen = house.get(VIDEO);
        assert_eq!(seen.status, 502, "{state:?}");
        assert_eq!(seen.problem("reason"), "content-type", "what went wrong first");
        assert_eq!(seen.problem("request_id"), seen.header("x-request-id"));
    }
}

#[test]
fn an_untransformed_original_is_known_by_its_length() {
    let house = House::plain();
    house.host.upstream.makes(Making::Untransformed);
    assert!(house.get(VIDEO).cache().contains("stored"), "the failure is");
    assert_eq!(house.get(VIDEO).header("x-source-type"), "passthrough");

    let unprobed = House::new(&json!({"sources": {"probe": false}}));
    unprobed.host.upstream.makes(Making::Untransformed);
    let seen = unprobed.get(VIDEO);
    assert_eq!(seen.cost, ["edge-find", "kv-find", "transform"]);
    assert_eq!(seen.header("x-source-type"), "remote", "nobody asked the source");
}

#[test]
fn a_source_that_does_not_tell_its_length_does_not_hinder_a_rendition() {
    let house = House::plain();
    house.host.upstream.sources_are(|_| Source::HoldsUnannounced);
    assert_eq!(house.get(VIDEO).header("x-source-type"), "remote");

    for mishap in [Mishap::Refused, Mishap::TimedOut] {
        let house = House::plain();
        house.host.world.set_weather(Script::new(&[("probe", mishap)]));
        assert_eq!(house.get(VIDEO).settled, ["kv-keep", "edge-keep"]);
    }
}

#[test]
fn head_of_something_never_made_is_404_where_no_source_has_it() {
    let house = House::plain();
    house.host.upstream.sources_are(|_| Source::Missing);
    let seen = house.send(&head(VIDEO));
    assert_eq!((seen.status, seen.settled.len()), (404, 0));
    house.host.upstream.sources_are(|_| Source::Fails);
    assert_eq!(
        house.send(&head(VIDEO)).status,
        200,
        "one that does not answer counts as having it"
    );
    house.host.upstream.sources_are(|_| Source::Holds);
    house.host.world.set_weather(Script::new(&[("probe", Mishap::TimedOut)]));
    assert_eq!(house.send(&head(VIDEO)).status, 200);
}
