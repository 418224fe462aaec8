#![allow(clippy::unwrap_used)]
use http::{HeaderName, HeaderValue};

use super::*;
use crate::request::recipe::{Fit as BoxFit, Format, Mode};

fn recipe(mode: Mode, format: Format) -> Recipe {
    Recipe {
        mode,
        width: None,
        height: None,
        fit: BoxFit::Contain,
        audio: true,
        format,
        time_ms: 0,
        duration_ms: None,
        quality: None,
        image_count: None,
    }
}

fn of(
    status: u16,
    headers: &[(&'static str, &str)],
    source_length: Option<u64>,
) -> Result<Fit, Unfit> {
    let mut map = HeaderMap::new();
    for (name, value) in headers {
        map.append(HeaderName::from_static(name), HeaderValue::from_str(value).unwrap());
    }
    let reply = Reply { status, headers: map, body: () };
    judge(&recipe(Mode::Video, Format::Mp4), &Ok(reply), source_length)
}

const MP4: (&str, &str) = ("content-type", "video/mp4");

const fn fit(length: Option<u64>) -> Fit {
    Fit { length, not_kept: None }
}

#[test]
fn a_whole_answer_of_the_ordered_type_is_fit() {
    assert_eq!(of(200, &[MP4, ("content-length", "9")], None), Ok(fit(Some(9))));
    assert_eq!(of(200, &[MP4], None), Ok(fit(None)));
    assert_eq!(of(200, &[("content-type", "Video/MP4; codecs=avc1")], None), Ok(fit(None)));
    assert_eq!(of(200, &[MP4, ("content-length", "9")], Some(10)), Ok(fit(Some(9))));
}

#[test]
fn an_error_code_outweighs_everything_else() {
    for (value, code) in
        [("err=9404", 9404), ("internal=ok/- err=9517, q=0", 9517), ("err=what", 0), ("a;err=1", 1)]
    {
        for status in [200, 206, 404, 502] {
            let headers = [MP4, ("cf-resized", value), ("content-length", "9")];
            assert_eq!(of(status, &headers, None), Err(Unfit::TransformError(code)), "{value}");
        }
    }
    let fine = [MP4, ("cf-resized", "internal=ok/m q=0 n=68")];
    assert_eq!(of(200, &fine, None), Ok(fit(None)), "the header alone is no error");
}

#[test]
fn any_other_status_is_unfit() {
    for status in [201, 204, 301, 304, 400, 404, 429, 500, 503] {
        assert_eq!(of(status, &[MP4], None), Err(Unfit::Status(status)));
    }
    assert_eq!(of(206, &[MP4], None), Err(Unfit::Partial));
}

#[test]
fn every_mode_has_one_type_and_no_other_is_fit() {
    for (mode, format, own) in [
        (Mode::Video, Format::Mp4, "video/mp4"),
        (Mode::Frame, Format::Jpg, "image/jpeg"),
        (Mode::Frame, Format::Png, "image/png"),
        (Mode::Spritesheet, Format::Jpg, "image/jpeg"),
        (Mode::Audio, Format::M4a, "audio/mp4"),
    ] {
        for other in ["video/mp4", "image/jpeg", "image/png", "audio/mp4", "text/html", ""] {
            let mut headers = HeaderMap::new();
            headers.insert(header::CONTENT_TYPE, HeaderValue::from_str(other).unwrap());
            let reply = Reply { status: 200, headers, body: () };
            let verdict = judge(&recipe(mode, format), &Ok(reply), None);
            assert_eq!(verdict.is_ok(), own == other, "{mode:?} {other}");
        }
    }
    assert_eq!(of(200, &[], None), Err(Unfit::ContentType), "no type is no video");
}

#[test]
fn no_bytes_and_the_sources_own_bytes_are_no_rendition() {
    assert_eq!(of(200, &[MP4, ("content-length", "0")], None), Err(Unfit::Empty));
    assert_eq!(of(200, &[MP4, ("content-length", "9")], Some(9)), Err(Unfit::Untransformed));
    assert_eq!(of(200, &[MP4], Some(9)), Ok(fit(None)), "without a length nothing is known");
}

#[test]
fn a_length_counts_only_when_there_is_one_and_it_is_a_number() {
    assert_eq!(
        of(200, &[MP4, ("content-length", "9"), ("content-length", "9")], None),
        Ok(fit(None))
    );
    assert_eq!(of(200, &[MP4, ("content-length", "-9")], None), Ok(fit(None)));
    assert_eq!(of(200, &[MP4, ("content-length", " 9 ")], None), Ok(fit(Some(9))));
}

#[test]
fn what_is_private_is_served_and_not_kept() {
    for (name, value, reason) in [
        ("set-cookie", "a=b", NotKept::SetCookie),
        ("cache-control", "no-store", NotKept::NoStore),
        ("cache-control", "max-age=5, Private", NotKept::Private),
        ("cache-control", "private=\"x\"", NotKept::Private),
    ] {
        let verdict = of(200, &[MP4, (name, value)], None).unwrap();
        assert_eq!(verdict.not_kept, Some(reason), "{value}");
    }
    for value in ["public, max-age=5", "no-cache", "x-private", ""] {
        assert_eq!(of(200, &[MP4, ("cache-control", value)], None), Ok(fit(None)), "{value}");
    }
}

#[test]
fn no_answer_is_told_from_a_late_one() {
    let judge = |fault| {
        judge(&recipe(Mode::Video, Format::Mp4), &Err::<Reply<()>, _>(fault), None).unwrap_err()
    };
    assert_eq!(judge(Fault::TimedOut { budget_ms: 1 }), Unfit::TimedOut);
    for fault in [
        Fault::Unavailable(String::new()),
        Fault::Corrupt(""),
        Fault::TooLarge { bytes: 1, bytes_max: 0 },
        Fault::SecretMissing(String::new()),
    ] {
        assert_eq!(judge(fault), Unfit::NoAnswer);
    }
}
