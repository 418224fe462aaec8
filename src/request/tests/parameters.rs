//! Every parameter by its values, good and bad, and how parameters meet each other.

use super::fixture::{ask, config, key, lenient, notes, read};
use crate::{
    config::{BypassAction, Config},
    limits::{QUERY_BYTES_MAX, QUERY_PARAMETERS_MAX},
    request::{Playback, Preload, rejection::Rejection},
    sorted::Sorted,
};

#[track_caller]
fn keys(table: &[(&str, &str)]) {
    for (query, wanted) in table {
        assert_eq!(key(read(query)), *wanted, "{query}");
    }
}

#[track_caller]
fn noted(query: &str, wanted: &[&str]) {
    assert_eq!(notes(&read(query).expect(query)), wanted, "{query}");
}

#[test]
fn the_key_of_the_seed_is_spelled_as_the_seed_spells_it() {
    keys(&[
        ("width=640&height=360&format=mp4&quality=high", "w=640:h=360:f=mp4:q=high"),
        ("q=high&h=360&f=h264&w=640", "w=640:h=360:f=mp4:q=high"),
    ]);
}

#[test]
fn every_option_has_its_place_in_the_key() {
    keys(&[
        (
            "w=640&fit=cover&mute=1&start=5&dur=1500ms",
            "w=640:fit=cover:f=mp4:t=5s:d=1500ms:a=false",
        ),
        ("w=640&obj-fit=crop", "w=640:fit=cover:f=mp4"),
        ("w=640&obj-fit=fill&audio=yes&time=0", "w=640:f=mp4"),
        ("w=640&fit=scale-down", "w=640:fit=scale-down:f=mp4"),
        ("mode=frame&w=320&time=2m&format=png", "mode=frame:w=320:f=png:t=120s"),
        (
            "mode=spritesheet&h=90&imagecount=12&duration=10",
            "mode=spritesheet:h=90:f=jpg:d=10s:n=12",
        ),
        ("mode=audio&duration=1m", "mode=audio:f=m4a:d=60s"),
    ]);
}

#[test]
fn a_format_without_a_mode_means_what_it_says() {
    keys(&[
        ("format=m4a", "mode=audio:f=m4a"),
        ("imformat=jpeg&w=100", "mode=frame:w=100:f=jpg"),
        ("f=png&w=100", "mode=frame:w=100:f=png"),
        ("f=h264&w=100", "w=100:f=mp4"),
        ("derivative=sheet&f=jpg&w=100", "mode=spritesheet:w=100:f=jpg:d=10s:n=9"),
        ("derivative=sheet&f=png&w=100", "mode=frame:w=100:f=png"),
    ]);
}

#[test]
fn a_format_that_the_mode_cannot_make_is_refused() {
    keys(&[
        ("mode=frame&format=mp4", "400 format=mp4 is not possible: jpg or png in frame mode"),
        ("mode=video&f=m4a", "400 f=m4a is not possible: mp4 in video mode"),
        ("mode=spritesheet&f=png", "400 f=png is not possible: jpg in spritesheet mode"),
        ("mode=audio&f=jpg", "400 f=jpg is not possible: m4a in audio mode"),
    ]);
    let wanted = super::fixture::asked(&ask("mode=audio&f=jpg", &[]), None, &lenient());
    assert_eq!(key(wanted), "mode=audio:f=m4a");
}

#[test]
fn a_value_that_cannot_be_used_is_named_with_what_would_be_accepted() {
    let pixels = "a whole number of pixels from 10 to 2000";
    let viewport = "a whole number of pixels from 1 to 16384";
    let times = "as in 5, 5s, 1.5s, 3500ms or 2m";
    let platform = "the platform has no such option";
    for (query, expected) in [
        ("width=5", pixels.to_owned()),
        ("width=99999", pixels.to_owned()),
        ("W=abc", pixels.to_owned()),
        ("height=-1", pixels.to_owned()),
        ("h=", pixels.to_owned()),
        ("imwidth=0", viewport.to_owned()),
        ("imheight=16385", viewport.to_owned()),
        ("im-viewwidth=1.5", viewport.to_owned()),
        ("im-viewheight=x", viewport.to_owned()),
        ("im-density=9", "a number from 0.1 to 4".to_owned()),
        ("dpr=0", "a number from 0.1 to 4".to_owned()),
        ("imdensity=NaN", "a number from 0.1 to 4".to_owned()),
        ("time=soon", format!("a time from 0s to 600s, {times}")),
        ("start=601", format!("a time from 0s to 600s, {times}")),
        ("duration=0", format!("a time from 1s to 60s, {times}")),
        ("dur=5m", format!("a time from 1s to 60s, {times}")),
        ("imageCount=0", "a whole number from 1 to 100".to_owned()),
        ("mode=gif", "one of video, frame, spritesheet, audio".to_owned()),
        ("fit=pad", "one of contain, scale-down, cover".to_owned()),
        ("audio=maybe", "true or false".to_owned()),
        ("mute=2", "true or false".to_owned()),
        ("format=av1", "one of mp4, jpg, png, m4a; the platform makes no other".to_owned()),
        ("quality=best", "one of low, medium, high, auto".to_owned()),
        ("preload=all", "one of none, metadata, auto".to_owned()),
        ("loop=x", "true or false".to_owned()),
        ("derivative=tv", "one of mobile, poster, sheet, silent".to_owned()),
        ("impolicy=", "one of mobile, poster, sheet, silent".to_owned()),
        ("fps=60", platform.to_owned()),
        ("speed=2", platform.to_owned()),
        ("rotate=90", platform.to_owned()),
        ("crop=1", platform.to_owned()),
        ("bitrate=1M", platform.to_owned()),
    ] {
        let (parameter, value) = query.split_once('=').unwrap();
        let rejection = Rejection::Parameter {
            parameter: parameter.to_owned(),
            value: value.to_owned(),
            expected: expected.clone(),
        };
        assert_eq!(read(query), Err(rejection), "{query}");
        // Where the configuration is lenient it is as if it were absent, but said.
        let forgiven = super::fixture::asked(&ask(query, &[]), None, &lenient()).unwrap();
        let note = format!("{parameter}: ignored, \"{value}\" is not possible: {expected}");
        assert_eq!(notes(&forgiven), [note], "{query}");
        assert_eq!(forgiven.recipe, read("").unwrap().recipe, "{query}");
    }
}

#[test]
fn a_value_that_cannot_be_decoded_matters_only_where_the_name_is_known() {
    keys(&[
        ("width=%zz", "400 width=%zz is not possible: percent-encoded UTF-8"),
        ("width=6%ff", "400 width=6%ff is not possible: percent-encoded UTF-8"),
        ("w=640&utm=%zz&%ff=%ff", "w=640:f=mp4"),
    ]);
}

#[test]
fn the_size_of_a_query_is_bounded_where_values_are_forgiven_too() {
    let long = "x".repeat(QUERY_BYTES_MAX + 1);
    let many = "x&".repeat(QUERY_PARAMETERS_MAX + 1);
    for config in [config(), lenient()] {
        let status = |query: &str| super::fixture::asked(&ask(query, &[]), None, &config);
        assert_eq!(status(&long).unwrap_err().status(), 414);
        assert_eq!(status(&many).unwrap_err().status(), 400);
    }
}

#[test]
fn unknown_names_and_the_operator_s_names_are_passed_over() {
    for query in
        ["w=640&utm_source=x&v=2&__r2src=y", "w=640&debug=view", "nocache=1&w=640&NoCache=2"]
    {
        assert_eq!(key(read(query)), "w=640:f=mp4", "{query}");
        noted(query, &[]);
    }
}

#[test]
fn a_name_that_the_operator_gave_to_bypass_is_no_parameter() {
    let mut config = config();
    config.bypass.parameters.insert("w".to_owned(), BypassAction::Around);
    let wanted = super::fixture::asked(&ask("W=5&height=90", &[]), None, &config);
    assert_eq!(key(wanted), "h=90:f=mp4");
}

#[test]
fn the_canonical_query_spells_every_option_out() {
    for (query, wanted) in [
        (
            "d=x&w=640&h=360&obj-fit=crop&q=high&start=5&dur=1500ms&mute=1",
            "width=640&height=360&fit=cover&format=mp4&quality=high&time=5s&duration=1500ms&audio=false",
        ),
        (
            "mode=spritesheet&imagecount=9&h=90",
            "mode=spritesheet&height=90&format=jpg&imageCount=9",
        ),
    ] {
        assert_eq!(read(query).unwrap().recipe.canonical_query(), wanted);
    }
}

#[test]
fn the_same_parameter_twice_is_fine_when_it_says_the_same() {
    for query in ["w=640&width=0640&W=640", "w=640&time=5&start=5s&time=5000ms&time=5&t=1"] {
        noted(query, &[]);
    }
    keys(&[("w=640&audio=false&mute=true", "w=640:f=mp4:a=false")]);
}

#[test]
fn the_same_parameter_with_two_values_is_refused_or_the_first_counts() {
    for (query, parameter, first) in [
        ("w=640&width=320", "width", "w=640:f=mp4"),
        ("width=320&w=640", "width", "w=320:f=mp4"),
        ("w=640&audio=true&mute=true", "audio", "w=640:f=mp4"),
        ("imformat=jpg&imformat=png&w=99", "format", "mode=frame:w=99:f=jpg"),
    ] {
        let rejection = Rejection::Duplicate { parameter: parameter.to_owned() };
        assert_eq!(read(query), Err(rejection), "{query}");
        let wanted = super::fixture::asked(&ask(query, &[]), None, &lenient()).unwrap();
        assert_eq!(
            notes(&wanted),
            [format!("{parameter}: given more than once, the first counts")]
        );
        assert_eq!(key(Ok(wanted)), first);
    }
}

#[test]
fn our_own_name_overrules_akamai_s_in_any_order() {
    for (query, wanted, note) in [
        ("imformat=png&f=jpg&w=99", "mode=frame:w=99:f=jpg", "imformat: overruled by format"),
        ("f=jpg&w=99&imformat=png", "mode=frame:w=99:f=jpg", "imformat: overruled by format"),
        ("w=99&fit=cover&obj-fit=fill", "w=99:fit=cover:f=mp4", "obj-fit: overruled by fit"),
        ("w=99&imdensity=2&dpr=1", "w=99:f=mp4", "imdensity: overruled by dpr"),
        ("w=99&impolicy=silent&derivative=sheet", "", "impolicy: overruled by derivative"),
    ] {
        noted(query, &[note]);
        if !wanted.is_empty() {
            assert_eq!(key(read(query)), wanted, "{query}");
        }
    }
    assert_eq!(read("w=99&impolicy=silent&derivative=sheet").unwrap().preset.unwrap(), "sheet");
}

#[test]
fn a_preset_fills_in_what_the_request_left_out() {
    keys(&[
        ("derivative=mobile", "w=640:h=360:f=mp4:q=low"),
        ("impolicy=mobile&width=320", "w=320:h=360:f=mp4:q=low"),
        ("derivative=mobile&quality=high&start=5", "w=640:h=360:f=mp4:q=high:t=5s"),
        ("derivative=silent&w=99", "w=99:fit=cover:f=mp4:d=5s:a=false"),
        ("derivative=poster&w=99", "mode=frame:w=99:f=png:t=3s"),
        ("derivative=poster&w=99&start=0&f=jpg", "mode=frame:w=99:f=jpg"),
        ("derivative=silent&w=99&audio=true&fit=contain&dur=7", "w=99:f=mp4:d=7s"),
    ]);
    assert_eq!(read("impolicy=mobile").unwrap().preset.as_deref(), Some("mobile"));
    assert_eq!(read("w=99").unwrap().preset, None);
}

#[test]
fn what_a_preset_says_that_the_mode_has_no_use_for_is_left_out_in_silence() {
    for (query, wanted) in [
        ("derivative=silent&mode=frame&w=99", "mode=frame:w=99:fit=cover:f=jpg"),
        ("derivative=mobile&mode=audio", "mode=audio:f=m4a"),
        ("derivative=poster&mode=video&w=99", "w=99:f=mp4:t=3s"),
        ("derivative=sheet&mode=video&w=99", "w=99:f=mp4:d=10s"),
    ] {
        assert_eq!(key(read(query)), wanted);
        noted(query, &[]);
    }
}

#[test]
fn what_the_viewer_gave_and_the_mode_has_no_use_for_is_left_out_and_said() {
    for (query, wanted, said) in [
        (
            "mode=frame&w=99&dur=5",
            "mode=frame:w=99:f=jpg",
            vec!["dur: it means nothing in frame mode"],
        ),
        ("w=99&imageCount=5", "w=99:f=mp4", vec!["imageCount: it means nothing in video mode"]),
        (
            "mode=frame&w=99&mute=1&loop",
            "mode=frame:w=99:f=jpg",
            vec!["mute: it means nothing in frame mode", "loop: it means nothing in frame mode"],
        ),
        (
            "f=m4a&w=99&h=50&q=low&dpr=2&imwidth=9&im-viewwidth=9&fit=cover",
            "mode=audio:f=m4a",
            ["w", "h", "dpr", "q", "imwidth", "im-viewwidth", "fit"]
                .map(|name| format!("{name}: it means nothing in audio mode").leak() as &str)
                .to_vec(),
        ),
        (
            "mode=audio&audio=false",
            "mode=audio:f=m4a",
            vec!["audio: it means nothing in audio mode"],
        ),
        ("mode=audio&audio=true", "mode=audio:f=m4a", vec![]),
        (
            "w=99&compression=high&imref=a%3Db",
            "w=99:f=mp4",
            vec![
                "compression: ignored, the platform has no such option; quality caps the resolution",
                "imref: ignored, it is advice to Akamai's policies, and there are none here",
            ],
        ),
    ] {
        assert_eq!(key(read(query)), wanted, "{query}");
        noted(query, &said);
    }
}

#[test]
fn what_the_player_is_told_is_no_part_of_the_recipe() {
    let told = read("w=99&loop&autoplay=no&muted=1&preload=metadata&filename=Clip_1.mp4").unwrap();
    let plain = read("w=99").unwrap();
    assert_eq!(told.recipe, plain.recipe);
    assert_eq!(told.filename.as_deref(), Some("Clip_1.mp4"));
    assert_eq!(
        told.playback,
        Playback {
            looping: Some(true),
            autoplay: Some(false),
            muted: Some(true),
            preload: Some(Preload::Metadata)
        }
    );
    assert_eq!((plain.playback, plain.filename), (Playback::default(), None));
}

#[test]
fn an_unknown_preset_lists_no_more_names_than_a_line_holds() {
    let mut config = config();
    let preset = config.presets.get("mobile").unwrap().clone();
    config.presets = (0..12).map(|number| (format!("p{number:02}"), preset.clone())).collect();
    let known = "p00, p01, p02, p03, p04, p05, p06, p07 and 4 more";
    let refused =
        |config: &Config| key(super::fixture::asked(&ask("derivative=tv", &[]), None, config));
    assert_eq!(refused(&config), format!("400 derivative=tv is not possible: one of {known}"));
    config.presets = Sorted::default();
    assert_eq!(refused(&config), "400 derivative=tv is not possible: no preset is configured");
}
