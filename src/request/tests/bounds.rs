//! What an origin lets be asked: which parameters, how much of them, and in which steps.

use std::collections::BTreeSet;

use proptest::prelude::*;

use super::fixture::{ask, config, lenient, notes, spelled, unresponsive};
use crate::{
    config::{Config, Ladder, Limits, Origin},
    request::{
        self, Wanted,
        ask::SEC_CH_WIDTH,
        parameter::{Effect, TABLE},
        query::Query,
        rejection::Rejection,
    },
};

const WIDTHS: [u16; 4] = [320, 640, 1_280, 1_920];
const HEIGHTS: [u16; 3] = [180, 360, 1_080];

fn ladder() -> Ladder {
    Ladder {
        widths: WIDTHS.to_vec(),
        heights: HEIGHTS.to_vec(),
        time_step_ms: 500,
        duration_step_ms: 2_500,
    }
}

/// The default origin with something about it changed.
fn origin(change: impl FnOnce(&mut Origin)) -> Origin {
    let mut origin = config().origins[0].clone();
    change(&mut origin);
    origin
}

fn narrow() -> Limits {
    Limits {
        width_max: 1_000,
        height_max: 500,
        time_ms_max: 2_000,
        duration_ms_max: 4_000,
        image_count_max: 4,
    }
}

fn read(query: &str, origin: &Origin, config: &Config) -> Result<Wanted, Rejection> {
    request::read(&ask(query, &[]), &Query::parse(query)?, origin, config)
}

#[track_caller]
fn key(query: &str, origin: &Origin) -> String {
    spelled(&read(query, origin, &config()).expect(query))
}

#[test]
fn what_is_asked_beyond_an_origins_limits_is_refused_with_its_bounds() {
    let origin = origin(|origin| origin.limits = narrow());
    for (query, expected) in [
        ("width=1001", "10 to 1000"),
        ("h=501", "10 to 500"),
        ("time=2001ms", "0s to 2s"),
        ("duration=5s", "1s to 4s"),
        ("mode=spritesheet&imageCount=5", "1 to 4"),
    ] {
        let refused = read(query, &origin, &config()).unwrap_err().to_string();
        assert!(refused.contains(expected), "{refused}");
        let said = notes(&read(query, &origin, &lenient()).unwrap()).concat();
        assert!(said.contains(expected), "{said}");
    }
    for query in ["width=1000&height=500", "time=2s&duration=4s", "mode=spritesheet&imageCount=4"] {
        assert!(read(query, &origin, &config()).is_ok(), "{query}");
    }
}

#[test]
fn what_a_preset_or_a_bucket_says_beyond_an_origins_limits_becomes_the_limit() {
    let origin = origin(|origin| origin.limits = narrow());
    for (query, wanted) in [
        ("imwidth=1900", "w=888:h=500:f=mp4"),
        ("imwidth=1000", "w=1000:f=mp4"),
        ("derivative=mobile&dpr=3&q=high", "w=888:h=500:f=mp4:q=high"),
        ("derivative=poster&w=99", "mode=frame:w=99:f=png:t=2s"),
        ("derivative=sheet&w=99", "mode=spritesheet:w=99:f=jpg:d=4s:n=4"),
        ("derivative=silent&w=99", "w=99:fit=cover:f=mp4:d=4s:a=false"),
    ] {
        assert_eq!(key(query, &origin), wanted, "{query}");
    }
}

#[test]
fn a_parameter_that_is_not_allowed_is_a_bad_one_by_every_name_it_has() {
    let allow = |names: &[&str]| {
        let names = names.iter().map(|&name| name.to_owned()).collect();
        origin(|origin| origin.parameters = Some(names))
    };
    let few = allow(&["width", "derivative"]);
    for (query, name) in
        [("time=1", "time"), ("start=1", "start"), ("H=9", "H"), ("mute=1", "mute")]
    {
        let refused = read(query, &few, &config()).unwrap_err();
        let Rejection::Parameter { parameter, expected, .. } = &refused else {
            panic!("{refused}")
        };
        assert_eq!(
            (parameter.as_str(), expected.as_str()),
            (name, "only width, derivative can be asked here")
        );
        let wanted = read(&format!("w=640&{query}"), &few, &lenient()).unwrap();
        assert_eq!(spelled(&wanted), "w=640:f=mp4");
        assert_eq!(notes(&wanted).len(), 1, "{query}");
    }
    assert_eq!(key("w=640&impolicy=silent", &few), "w=640:fit=cover:f=mp4:d=5s:a=false");

    let none = allow(&[]);
    let refused = read("w=640", &none, &config()).unwrap_err().to_string();
    assert_eq!(refused, "w=640 is not possible: no parameter chooses anything here");
    // What changes no byte, what has a guard of its own, and what means nothing is not an origin's to allow.
    let free =
        "filename=a&loop&autoplay=1&muted=no&preload=auto&debug=view&sig=x&nocache&utm_source=x";
    assert_eq!(key(free, &none), "w=854:h=480:f=mp4");
    let refused = read("rotate=90", &none, &config()).unwrap_err().to_string();
    assert_eq!(refused, "rotate=90 is not possible: the platform has no such option");
}

#[test]
fn the_parameters_that_can_be_allowed_are_those_that_change_what_is_made() {
    let row = crate::config::table::KEYS
        .iter()
        .find(|key| key.path == "origins[].parameters.allow[]")
        .unwrap();
    let crate::config::Kind::Words(words) = row.kind else { panic!("{row:?}") };
    let changing: Vec<_> = TABLE
        .iter()
        .filter(|row| matches!(row.effect, Effect::Recipe | Effect::Sizing))
        .map(|row| row.name)
        .collect();
    assert_eq!(words, changing);
}

#[test]
fn a_choice_is_whatever_makes_more_than_presets_and_buckets() {
    let origin = origin(|_| {});
    for (query, wanted) in [
        ("", vec![]),
        ("derivative=mobile", vec![]),
        ("impolicy=sheet&filename=a&loop&preload=none", vec![]),
        ("imwidth=700&imheight=2&imdensity=1.337", vec![]),
        ("im-viewwidth=700&im-viewheight=9&im-density=3", vec![]),
        ("dpr=1.337", vec![]),
        ("derivative=silent&dpr=1.337", vec![]),
        ("derivative=mobile&dpr=1", vec![]),
        ("debug=view&nocache=1&sig=x&kid=y&exp=1&utm_source=x", vec![]),
        ("derivative=mobile&dpr=1.337", vec!["dpr"]),
        ("w=9999", vec![]),
        ("w=640&H=360", vec!["width", "height"]),
        ("derivative=mobile&mute=1&start=1&dur=2", vec!["audio", "time", "duration"]),
        ("mode=spritesheet&f=jpg&n=1&imageCount=2", vec!["mode", "format", "imageCount"]),
        ("q=low&obj-fit=crop", vec!["fit", "quality"]),
        ("q=auto", vec!["quality"]),
    ] {
        assert_eq!(read(query, &origin, &lenient()).unwrap().choices, wanted, "{query}");
    }
}

#[test]
fn each_side_goes_up_to_the_next_rung_on_its_own_and_the_top_rung_caps() {
    let origin = origin(|origin| origin.ladder = ladder());
    for (query, wanted) in [
        ("w=10&h=10", "w=320:h=180:f=mp4"),
        ("w=320&h=180", "w=320:h=180:f=mp4"),
        ("w=321&h=181", "w=640:h=360:f=mp4"),
        ("w=641", "w=1280:f=mp4"),
        ("h=361", "h=1080:f=mp4"),
        ("w=2000&h=2000", "w=1920:h=1080:f=mp4"),
        ("w=400&dpr=2", "w=1280:f=mp4"),
        ("w=100&derivative=mobile&q=high", "w=320:h=360:f=mp4:q=high"),
        ("derivative=mobile&dpr=1.01&q=high", "w=1280:h=1080:f=mp4:q=high"),
        ("w=641&q=low", "w=854:f=mp4:q=low"),
        ("mode=frame&w=500&f=png", "mode=frame:w=640:f=png"),
    ] {
        assert_eq!(key(query, &origin), wanted, "{query}");
    }
}

#[test]
fn presets_and_buckets_are_as_they_are_written() {
    let origin = origin(|origin| {
        origin.ladder = Ladder { widths: vec![333], heights: vec![222], ..ladder() }
    });
    for (query, wanted) in [
        ("derivative=mobile", "w=640:h=360:f=mp4:q=low"),
        ("derivative=mobile&dpr=1", "w=640:h=360:f=mp4:q=low"),
        ("imwidth=700", "w=854:h=480:f=mp4"),
        ("dpr=3", "w=1920:h=1080:f=mp4"),
        ("derivative=poster", "mode=frame:w=854:h=480:f=png:t=3s"),
        ("", "w=854:h=480:f=mp4"),
    ] {
        assert_eq!(key(query, &origin), wanted, "{query}");
        let wanted = read(query, &origin, &config()).unwrap();
        assert_eq!(notes(&wanted), [] as [&str; 0], "{query}");
    }
    let phone = ask("", &[(SEC_CH_WIDTH, "1000")]);
    let wanted = request::read(&phone, &Query::default(), &origin, &config()).unwrap();
    assert_eq!(spelled(&wanted), "w=1280:f=mp4");
}

#[test]
fn a_start_goes_back_to_its_step_and_a_length_on_to_its_own() {
    let origin = origin(|origin| origin.ladder = ladder());
    for (query, wanted) in [
        ("w=320&time=1.499", "w=320:f=mp4:t=1s"),
        ("w=320&time=499ms", "w=320:f=mp4"),
        ("w=320&time=10m", "w=320:f=mp4:t=600s"),
        ("w=320&duration=1", "w=320:f=mp4:d=2500ms"),
        ("w=320&duration=5001ms", "w=320:f=mp4:d=7500ms"),
        ("w=320&duration=60s", "w=320:f=mp4:d=60s"),
        ("w=320&derivative=silent", "w=320:fit=cover:f=mp4:d=5s:a=false"),
        ("mode=audio&duration=3s&time=777ms", "mode=audio:f=m4a:t=500ms:d=5s"),
    ] {
        assert_eq!(key(query, &origin), wanted, "{query}");
    }
    let presets = Ladder { time_step_ms: 2_000, duration_step_ms: 60_000, ..Ladder::default() };
    let origin = self::origin(|origin| origin.ladder = presets);
    assert_eq!(key("w=99&derivative=sheet", &origin), "mode=spritesheet:w=99:f=jpg:d=10s:n=9");
    assert_eq!(key("w=99&derivative=poster", &origin), "mode=frame:w=99:f=png:t=3s");
    let origin = self::origin(|origin| {
        origin.ladder = Ladder { duration_step_ms: 7_000, ..Ladder::default() };
    });
    assert_eq!(key("w=99&duration=57s", &origin), "w=99:f=mp4:d=60s", "the limit caps");
}

#[test]
fn what_the_ladder_changes_is_said_under_the_name_that_was_used() {
    let origin = origin(|origin| origin.ladder = ladder());
    let said = |query| notes(&read(query, &origin, &config()).unwrap());
    assert_eq!(
        said("w=321&Height=180&start=1.2&dur=3s"),
        [
            "w: 321 is not made here, 640 is",
            "start: 1200ms is not made here, 1s is",
            "dur: 3s is not made here, 5s is",
        ]
    );
    assert_eq!(said("width=2000"), ["width: 2000 is not made here, 1920 is"]);
    assert_eq!(said("width=320&height=1080&time=1s&duration=5s"), [] as [&str; 0]);
    assert_eq!(
        said("derivative=mobile&imdensity=1.1&q=high"),
        ["imdensity: 704 is not made here, 1280 is", "imdensity: 396 is not made here, 1080 is"]
    );
    assert_eq!(
        said("mode=frame&w=320&dur=3s"),
        ["dur: it means nothing in frame mode"],
        "what is not made is not made otherwise"
    );
}

#[test]
fn ten_thousand_odd_sizes_cost_as_many_variants_as_there_are_rungs() {
    let origin = origin(|origin| origin.ladder = ladder());
    let config = unresponsive();
    let variants = |queries: &mut dyn Iterator<Item = String>| {
        let keys = queries.map(|query| spelled(&read(&query, &origin, &config).unwrap()));
        keys.collect::<BTreeSet<_>>().len()
    };
    let side = |n: u32| 10 + n * 7_919 % 1_991;
    let ratio = |n: u32| f64::from(100 + n * 6_007 % 3_901) / 1_000.0;
    let all = 0..10_000;
    let widths = &mut all.clone().map(|n| format!("width={}", side(n)));
    assert_eq!(variants(widths), WIDTHS.len());
    let pairs = &mut all.clone().map(|n| format!("width={}&height={}", side(n), side(n * 31 + 7)));
    assert_eq!(variants(pairs), WIDTHS.len() * HEIGHTS.len());
    let ratios = &mut all.clone().map(|n| format!("width={}&dpr={}", side(n), ratio(n)));
    assert_eq!(variants(ratios), WIDTHS.len());
    let presets = &mut all.clone().map(|n| format!("derivative=mobile&q=auto&dpr={}", ratio(n)));
    assert!(variants(presets) <= WIDTHS.len() * HEIGHTS.len() + 1);
    let starts = &mut all.map(|n| format!("width=320&time={}ms", n * 59));
    assert_eq!(variants(starts), 600_000 / 500 - 20);
}

/// Sides, times and ladders of every kind, with limits around them.
fn ladders() -> impl Strategy<Value = (Ladder, Limits)> {
    let rungs = || proptest::collection::btree_set(10_u16..=2_000, 0..6);
    let limits = (10_u16..=2_000, 10_u16..=2_000, 0_u32..=600_000, 1_000_u32..=60_000);
    (rungs(), rungs(), 0_u32..=60_000, 0_u32..=60_000, limits).prop_map(
        |(widths, heights, time_step_ms, duration_step_ms, limits)| {
            let (width_max, height_max, time_ms_max, duration_ms_max) = limits;
            let limits =
                Limits { width_max, height_max, time_ms_max, duration_ms_max, image_count_max: 9 };
            let (widths, heights) = (widths.into_iter().collect(), heights.into_iter().collect());
            (Ladder { widths, heights, time_step_ms, duration_step_ms }.within(&limits), limits)
        },
    )
}

proptest! {
    #[test]
    fn what_is_made_is_no_smaller_than_what_is_asked_and_asked_again_is_the_same(
        (ladder, limits) in ladders(), width in 10_u16..=2_000, height in 10_u16..=2_000,
        time in 0_u32..=600_000, duration in 1_000_u32..=60_000,
    ) {
        let (width, height) = (width.min(limits.width_max), height.min(limits.height_max));
        let (time, duration) = (time.min(limits.time_ms_max), duration.min(limits.duration_ms_max));
        let origin = origin(|origin| (origin.ladder, origin.limits) = (ladder.clone(), limits));
        let query = format!("w={width}&h={height}&time={time}ms&duration={duration}ms");
        let made = read(&query, &origin, &config()).unwrap().recipe;

        for (asked, made, rungs, max) in [
            (width, made.width.unwrap(), &ladder.widths, limits.width_max),
            (height, made.height.unwrap(), &ladder.heights, limits.height_max),
        ] {
            prop_assert!(made <= max);
            prop_assert!(made >= asked || Some(&made) == rungs.last());
            prop_assert!(rungs.is_empty() && made == asked || rungs.contains(&made));
        }
        prop_assert!(made.time_ms <= time && time - made.time_ms < ladder.time_step_ms.max(1));
        let length = made.duration_ms.unwrap();
        prop_assert!(length >= duration && length <= limits.duration_ms_max);
        prop_assert!(length - duration < ladder.duration_step_ms.max(1));

        let again = read(&made.canonical_query(), &origin, &config()).unwrap();
        prop_assert_eq!(again.recipe, made);
        prop_assert_eq!(again.notes, vec![]);
    }
}
