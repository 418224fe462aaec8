//! Where a size comes from, what is made of it, and what the answer varies on.

use http::{HeaderName, header::USER_AGENT};

use super::fixture::{ask, config, key, notes, read, spelled, unresponsive};
use crate::request::{
    Sizing, Wanted,
    ask::{
        CF_DEVICE_TYPE, DOWNLINK, DPR, ECT, SAVE_DATA, SEC_CH_DPR, SEC_CH_VIEWPORT_WIDTH,
        SEC_CH_WIDTH, VIEWPORT_WIDTH, WIDTH,
    },
    hints::{Slow, Why},
    recipe::Quality,
};

const IPHONE: &str = "Mozilla/5.0 (iPhone; CPU iPhone OS 18_0 like Mac OS X) Mobile/15E148";
const IPAD: &str = "Mozilla/5.0 (iPad; CPU OS 16_0 like Mac OS X) Mobile/15E148";
const PIXEL: &str = "Mozilla/5.0 (Linux; Android 15; Pixel 9) Chrome/140.0 Mobile Safari/537.36";
const GALAXY_TAB: &str = "Mozilla/5.0 (Linux; Android 15; SM-X910) Chrome/140.0 Safari/537.36";
const FIREFOX: &str = "Mozilla/5.0 (X11; Linux x86_64; rv:140.0) Gecko/20100101 Firefox/140.0";

#[track_caller]
fn viewer(query: &str, headers: &[(HeaderName, &'static str)]) -> Wanted {
    super::fixture::asked(&ask(query, headers), None, &config()).unwrap()
}

fn bucket(name: &str, why: Why, slow: Option<Slow>) -> Sizing {
    Sizing::Bucket { name: name.to_owned(), why, slow }
}

#[test]
fn the_first_thing_known_about_the_viewer_chooses_the_bucket() {
    for (headers, name, why) in [
        (vec![(SEC_CH_WIDTH, "640")], "small", Why::WidthHint),
        (vec![(SEC_CH_WIDTH, "641"), (SEC_CH_DPR, "3")], "medium", Why::WidthHint),
        (vec![(WIDTH, "900"), (SEC_CH_VIEWPORT_WIDTH, "100")], "large", Why::WidthHint),
        (vec![(SEC_CH_VIEWPORT_WIDTH, "390"), (SEC_CH_DPR, "3")], "large", Why::ViewportHint),
        (vec![(SEC_CH_VIEWPORT_WIDTH, "390")], "small", Why::ViewportHint),
        (vec![(VIEWPORT_WIDTH, "427"), (DPR, "2.0")], "medium", Why::ViewportHint),
        (vec![(VIEWPORT_WIDTH, "427"), (DPR, "2.01")], "large", Why::ViewportHint),
        (vec![(VIEWPORT_WIDTH, "213"), (DPR, "3.005")], "medium", Why::ViewportHint),
        (vec![(VIEWPORT_WIDTH, "160"), (DPR, "10")], "small", Why::ViewportHint),
        (vec![(VIEWPORT_WIDTH, "999999")], "full", Why::ViewportHint),
        (vec![(CF_DEVICE_TYPE, "mobile"), (USER_AGENT, FIREFOX)], "small", Why::DeviceType),
        (vec![(CF_DEVICE_TYPE, "tablet")], "large", Why::DeviceType),
        (vec![(CF_DEVICE_TYPE, "desktop")], "full", Why::DeviceType),
        (vec![(USER_AGENT, IPHONE)], "small", Why::UserAgent),
        (vec![(USER_AGENT, PIXEL)], "small", Why::UserAgent),
        (vec![(USER_AGENT, IPAD)], "large", Why::UserAgent),
        (vec![(USER_AGENT, GALAXY_TAB)], "large", Why::UserAgent),
        (vec![(USER_AGENT, FIREFOX)], "full", Why::UserAgent),
        (vec![(USER_AGENT, "curl/8.0")], "medium", Why::Default),
        (vec![], "medium", Why::Default),
    ] {
        assert_eq!(viewer("", &headers).sizing, bucket(name, why, None), "{headers:?}");
    }
}

#[test]
fn hints_that_make_no_sense_are_as_if_absent() {
    for garbage in ["", "0", "-5", "wide", "1e3", "NaN", "640px", "0.4", "99999999999999"] {
        let headers = [
            (SEC_CH_WIDTH, garbage),
            (WIDTH, garbage),
            (SEC_CH_VIEWPORT_WIDTH, garbage),
            (VIEWPORT_WIDTH, garbage),
            (CF_DEVICE_TYPE, garbage),
            (SAVE_DATA, garbage),
            (ECT, garbage),
            (DOWNLINK, "x"),
        ];
        assert_eq!(viewer("", &headers).recipe, viewer("", &[]).recipe, "{garbage}");
        let ratio = [(SEC_CH_VIEWPORT_WIDTH, "640"), (SEC_CH_DPR, "0.01"), (DPR, "-2")];
        assert_eq!(viewer("", &ratio).sizing, bucket("small", Why::ViewportHint, None));
    }
}

#[test]
fn a_viewer_with_a_slow_line_gets_no_bucket_above_the_slow_one() {
    for (header, value, slow) in [
        (SAVE_DATA, "on", Some(Slow::SaveData)),
        (SAVE_DATA, "off", None),
        (ECT, "slow-2g", Some(Slow::Ect)),
        (ECT, "2g", Some(Slow::Ect)),
        (ECT, "3g", Some(Slow::Ect)),
        (ECT, "4g", None),
        (DOWNLINK, "4.99", Some(Slow::Downlink)),
        (DOWNLINK, "5", None),
    ] {
        let wide = viewer("", &[(SEC_CH_WIDTH, "1900"), (header.clone(), value)]);
        let name = if slow.is_some() { "medium" } else { "full" };
        assert_eq!(wide.sizing, bucket(name, Why::WidthHint, slow), "{header} {value}");
        let narrow = viewer("", &[(SEC_CH_WIDTH, "600"), (header, value)]);
        assert_eq!(narrow.sizing, bucket("small", Why::WidthHint, None));
    }
}

#[test]
fn hints_in_the_url_win_over_hints_in_headers() {
    let headers = [(SEC_CH_WIDTH, "1900"), (SEC_CH_DPR, "2"), (SEC_CH_VIEWPORT_WIDTH, "1900")];
    for (query, name) in [
        ("im-viewwidth=320", "small"),
        ("im-viewwidth=320&im-density=3", "large"),
        ("im-viewwidth=320&im-density=3&dpr=1", "small"),
        ("im-viewwidth=1900&im-viewheight=360&im-density=1", "small"),
        ("im-viewheight=720&im-density=1", "large"),
    ] {
        assert_eq!(viewer(query, &headers).sizing, bucket(name, Why::UrlHint, None), "{query}");
    }
    assert_eq!(
        viewer("im-viewwidth=320&im-density=1", &headers).vary,
        [] as [HeaderName; 0],
        "a small bucket that the URL alone chose varies on nothing"
    );
    assert_eq!(viewer("im-viewwidth=320", &headers).vary, [SEC_CH_DPR]);
}

#[test]
fn vary_names_every_header_that_was_consulted_and_no_other() {
    let nothing_known =
        [SEC_CH_WIDTH, WIDTH, SEC_CH_VIEWPORT_WIDTH, VIEWPORT_WIDTH, CF_DEVICE_TYPE, USER_AGENT];
    assert_eq!(viewer("", &[]).vary, nothing_known);
    let wide = viewer("", &[(SEC_CH_WIDTH, "1900"), (USER_AGENT, FIREFOX)]);
    assert_eq!(wide.vary, [SEC_CH_WIDTH, SAVE_DATA, ECT, DOWNLINK]);
    let viewport = viewer("", &[(SEC_CH_VIEWPORT_WIDTH, "600")]);
    assert_eq!(viewport.vary, [SEC_CH_WIDTH, WIDTH, SEC_CH_VIEWPORT_WIDTH, SEC_CH_DPR, DPR]);
}

#[test]
fn a_size_that_the_url_decides_varies_on_nothing() {
    for query in ["w=640", "h=360", "derivative=mobile", "imwidth=700", "mode=audio"] {
        let headers = [(SEC_CH_WIDTH, "1900"), (USER_AGENT, IPHONE), (SAVE_DATA, "on")];
        let with_hints = viewer(query, &headers);
        assert_eq!(with_hints.vary, [] as [HeaderName; 0], "{query}");
        assert_eq!(with_hints.recipe, viewer(query, &[]).recipe, "{query}");
    }
}

#[test]
fn a_size_comes_from_the_first_that_has_one() {
    let responsive_off = unresponsive();
    let off = |query| super::fixture::asked(&ask(query, &[]), None, &responsive_off).unwrap();
    assert_eq!(viewer("w=640&derivative=mobile", &[]).sizing, Sizing::Asked);
    assert_eq!(viewer("derivative=mobile", &[]).sizing, Sizing::Preset);
    assert_eq!(viewer("derivative=mobile&imwidth=800&q=high", &[]).recipe.width, Some(854));
    assert_eq!(viewer("derivative=silent", &[]).sizing, bucket("medium", Why::Default, None));
    assert_eq!(viewer("mode=audio", &[]).sizing, Sizing::NoPicture);
    assert_eq!(off("").sizing, Sizing::Source);
    assert_eq!(spelled(&off("")), "f=mp4");
    assert_eq!(off("q=low").sizing, Sizing::Quality);
    assert_eq!(spelled(&off("q=low")), "h=480:f=mp4:q=low");
}

#[test]
fn akamai_s_sizes_snap_up_to_a_bucket() {
    for (query, wanted) in [
        ("imwidth=1", "w=640:h=360:f=mp4"),
        ("imwidth=640", "w=640:h=360:f=mp4"),
        ("imwidth=641", "w=854:h=480:f=mp4"),
        ("imwidth=1000", "w=1280:f=mp4"),
        ("imwidth=9999", "w=1920:h=1080:f=mp4"),
        ("imheight=480", "w=854:h=480:f=mp4"),
        ("imheight=720", "w=1280:f=mp4"),
        ("imheight=721", "w=1920:h=1080:f=mp4"),
        ("imwidth=100&imheight=481", "w=1280:f=mp4"),
        ("imwidth=400&imdensity=2", "w=854:h=480:f=mp4"),
    ] {
        assert_eq!(key(read(query)), wanted, "{query}");
    }
    assert_eq!(read("imwidth=1000").unwrap().sizing, bucket("large", Why::Snapped, None));
}

#[test]
fn a_pixel_ratio_multiplies_what_is_asked_and_picks_among_buckets_elsewhere() {
    for (query, wanted) in [
        ("w=640&h=360&dpr=2", "w=1280:h=720:f=mp4"),
        ("w=1600&h=900&dpr=3", "w=2000:h=1126:f=mp4"),
        ("w=641&dpr=1", "w=641:f=mp4"),
        ("impolicy=mobile&imdensity=1.5&q=high", "w=960:h=540:f=mp4:q=high"),
        ("dpr=1", "w=854:h=480:f=mp4"),
        ("dpr=1.4", "w=1280:f=mp4"),
        ("dpr=4", "w=1920:h=1080:f=mp4"),
    ] {
        assert_eq!(key(read(query)), wanted, "{query}");
        assert_eq!(notes(&read(query).unwrap()), [] as [&str; 0], "{query}");
    }
    let phone = viewer("dpr=2", &[(SEC_CH_VIEWPORT_WIDTH, "400"), (SEC_CH_DPR, "4")]);
    assert_eq!(phone.sizing, bucket("medium", Why::ViewportHint, None));
}

#[test]
fn a_quality_caps_every_size() {
    for (query, wanted) in [
        ("w=1920&h=1080&q=low", "w=854:h=480:f=mp4:q=low"),
        ("w=1920&h=1080&q=medium", "w=1280:h=720:f=mp4:q=medium"),
        ("w=1920&h=1080&q=high", "w=1920:h=1080:f=mp4:q=high"),
        ("w=1920&q=low", "w=854:f=mp4:q=low"),
        ("h=1080&q=low", "h=480:f=mp4:q=low"),
        ("w=960&h=540&dpr=2&q=medium", "w=1280:h=720:f=mp4:q=medium"),
        ("imwidth=1900&q=low", "w=854:h=480:f=mp4:q=low"),
        ("q=low", "w=854:h=480:f=mp4:q=low"),
    ] {
        assert_eq!(key(read(query)), wanted, "{query}");
    }
}

#[test]
fn the_origin_s_quality_is_the_default_one() {
    let of = |query| {
        spelled(&super::fixture::asked(&ask(query, &[]), Some(Quality::Low), &config()).unwrap())
    };
    assert_eq!(of("w=1920"), "w=854:f=mp4:q=low");
    assert_eq!(of("w=1920&q=low"), of("w=1920"));
    assert_eq!(of("w=1920&q=high"), "w=1920:f=mp4:q=high");
    assert_eq!(of("w=1920&q=auto"), "w=1920:f=mp4");
    let preset =
        super::fixture::asked(&ask("derivative=mobile", &[]), Some(Quality::High), &config());
    assert_eq!(key(preset), "w=640:h=360:f=mp4:q=low");
    assert_eq!(of("mode=audio"), "mode=audio:f=m4a");
}

#[test]
fn an_automatic_quality_prefers_the_viewer_s_device_to_a_preset_but_not_to_a_size_that_is_asked() {
    let phone = [(SEC_CH_WIDTH, "1000")];
    let auto = viewer("derivative=mobile&q=auto", &phone);
    assert_eq!(auto.sizing, bucket("large", Why::WidthHint, None));
    assert_eq!(spelled(&auto), "w=1280:f=mp4");
    let asked = viewer("w=320&quality=auto", &phone);
    assert_eq!(spelled(&asked), "w=320:f=mp4");
    assert_eq!(notes(&asked), ["quality: overruled by the size that is asked"]);
    let off =
        super::fixture::asked(&ask("derivative=mobile&q=auto", &phone), None, &unresponsive());
    let off = off.unwrap();
    assert_eq!(spelled(&off), "w=640:h=360:f=mp4");
    assert_eq!(notes(&off), ["q: ignored, responsive sizing is switched off"]);
}

#[test]
fn a_size_parameter_that_did_not_count_is_said() {
    let off = unresponsive();
    for (config, query, headers, wanted) in [
        (config(), "w=99&imwidth=5", vec![], "imwidth: overruled by the size that is asked"),
        (config(), "w=99&im-density=2", vec![], "im-density: overruled by the size that is asked"),
        (
            config(),
            "imwidth=5&im-viewwidth=9",
            vec![],
            "im-viewwidth: overruled by imwidth or imheight",
        ),
        (config(), "imwidth=5&q=auto", vec![], "q: overruled by imwidth or imheight"),
        (
            config(),
            "derivative=mobile&im-viewwidth=9",
            vec![],
            "im-viewwidth: ignored, the viewer's device does not decide this size",
        ),
        (
            config(),
            "dpr=2",
            vec![(SEC_CH_WIDTH, "640")],
            "dpr: ignored, the viewer's width hint counts physical pixels already",
        ),
        (off.clone(), "dpr=2", vec![], "dpr: ignored, there is no size to multiply"),
        (off, "fit=cover", vec![], "fit: ignored, there is no size to fit into"),
    ] {
        let answer = super::fixture::asked(&ask(query, &headers), None, &config).unwrap();
        assert_eq!(notes(&answer), [wanted], "{query}");
    }
}
