//! What every answer must be, whatever the weather: exactly what was made, for as long as it may be, in time.

use http::header;

use super::edge::max_age_s;
use super::pledge;
use super::upstream::{PATHS, VARIANTS, original_of};
use super::visit::{Ended, Part, Seen};
use super::world::World;

/// Checks an answer as far as it has come.
pub(crate) fn check(world: &World, seen: &Seen) {
    let judge = &world.judge;
    pledge::check(world, seen);
    if seen.answered_ms.is_none() || seen.plan.is_head {
        return;
    }
    let checked = match seen.status {
        200 | 206 if seen.header("x-source-type") == "passthrough" => original(seen),
        200 | 206 => rendition(world, seen),
        416 => unsatisfiable(world, seen),
        _ => Ok(()),
    };
    if let Err(why) = checked {
        judge.fail(world, format!("visit {} saw {why}: {seen:#?}", seen.visit));
    }
}

/// The original instead is an original, and nothing else.
fn original(seen: &Seen) -> Result<(), String> {
    if seen.status != 200 {
        return Ok(());
    }
    let (path, _) = VARIANTS[seen.plan.variant];
    let path = PATHS.iter().position(|it| *it == path).unwrap();
    let is_some = (0..50).map(|version| original_of(path, version)).any(|original| {
        original.starts_with(&seen.bytes)
            && (seen.ended != Ended::Whole || original.len() == seen.bytes.len())
    });
    if is_some { Ok(()) } else { Err("another original".to_owned()) }
}

fn rendition(world: &World, seen: &Seen) -> Result<(), String> {
    let generation = seen.header("etag").trim_matches('"').to_owned();
    let asked = seen.plan.part;
    let is_whole = seen.ended == Ended::Whole;
    let judge = &world.judge;
    let candidates = judge.saw(world, &generation, "an answer", |made| {
        if made.variant != seen.plan.variant {
            return false;
        }
        let total = made.bytes.len();
        let expected = match (seen.status, seen.header("content-range")) {
            (200, _) => made.bytes.to_vec(),
            (_, "") => match multipart(seen, &generation, total, &made.bytes) {
                Some(expected) => expected,
                None => return false,
            },
            (_, told) => {
                let spans = asked.of(total);
                let [(first, last)] = spans[..] else { return false };
                if told != format!("bytes {first}-{last}/{total}") {
                    return false;
                }
                made.bytes[first..=last].to_vec()
            }
        };
        expected.starts_with(&seen.bytes) && (!is_whole || expected.len() == seen.bytes.len())
    });
    let answered_ms = seen.answered_ms.unwrap_or_default();
    let fresh_ms = judge.fresh_ms(world, &candidates);
    if seen.asked_ms > fresh_ms + judge.window_ms.get() {
        let over_ms = seen.asked_ms - fresh_ms - judge.window_ms.get();
        return Err(format!("something {over_ms} ms too old"));
    }
    if seen.headers.contains_key(header::AGE) {
        let age_s: u64 = seen.header("age").parse().unwrap();
        let told_s = max_age_s(&seen.headers).saturating_sub(age_s);
        let left_s = fresh_ms.saturating_sub(answered_ms) / 1000;
        if told_s > left_s + 1 {
            return Err(format!("something fresh for {told_s} s that has {left_s} s left"));
        }
    }
    Ok(())
}

/// The parts of a multipart answer, as its own headers name them and this rendition has them.
fn multipart(seen: &Seen, boundary: &str, total: usize, bytes: &[u8]) -> Option<Vec<u8>> {
    let spans = seen.plan.part.of(total);
    if !matches!(seen.plan.part, Part::Two(_)) || spans.len() != 2 {
        return None;
    }
    let mut expected = Vec::new();
    for (first, last) in spans {
        let head = format!(
            "\r\n--{boundary}\r\nContent-Type: video/mp4\r\nContent-Range: bytes {first}-{last}/{total}\r\n\r\n"
        );
        expected.extend_from_slice(head.as_bytes());
        expected.extend_from_slice(&bytes[first..=last]);
    }
    expected.extend_from_slice(format!("\r\n--{boundary}--\r\n").as_bytes());
    // Whether the first boundary follows a line break of its own is the writer's choice.
    if !seen.bytes.starts_with(b"\r\n") {
        expected.drain(..2);
    }
    Some(expected)
}

fn unsatisfiable(world: &World, seen: &Seen) -> Result<(), String> {
    let told = seen.header("content-range").to_owned();
    let made = world.studio.made.borrow();
    let is_of_some = made.iter().any(|made| {
        let total = made.bytes.len();
        made.variant == seen.plan.variant
            && told == format!("bytes */{total}")
            && seen.plan.part.of(total).is_empty()
    });
    // The original's own server may have refused.
    let of_original = told == "bytes */90";
    if is_of_some || of_original {
        Ok(())
    } else {
        Err("a refusal of a range that is there".into())
    }
}
