//! What holds for every request: one recipe for all its spellings, two recipes never spelled alike,
//! and nothing that panics.

use std::fmt::Write;

use http::HeaderValue;
use proptest::{prelude::*, sample::select};

use super::fixture::{ask, config, lenient, spelled, unresponsive};
use crate::{
    config::Config,
    limits::{SIDE_PX_MAX, SIDE_PX_MIN},
    request::{
        self, Wanted,
        ask::{
            CF_DEVICE_TYPE, DOWNLINK, DPR, ECT, HEADERS, SAVE_DATA, SEC_CH_DPR,
            SEC_CH_VIEWPORT_WIDTH, SEC_CH_WIDTH, VIEWPORT_WIDTH, WIDTH,
        },
        recipe::{Fit, Mode, Quality, Recipe},
        rejection::Rejection,
    },
};

fn read(query: &str, config: &Config) -> Result<Wanted, Rejection> {
    super::fixture::asked(&ask(query, &[]), None, config)
}

/// Every spelling of one parameter with one value.
fn spellings(parameter: usize, value: u16) -> Vec<String> {
    let named = |names: &[&str], values: &[String]| -> Vec<String> {
        let pair =
            |name: &&str| values.iter().map(move |value| format!("{name}={value}")).collect();
        names.iter().flat_map(|name| -> Vec<String> { pair(name) }).collect()
    };
    let words = |words: &[&str]| words.iter().map(|&word| word.to_owned()).collect::<Vec<_>>();
    let time = |seconds: u16| {
        let ms = u32::from(seconds) * 1_000;
        vec![
            seconds.to_string(),
            format!("{seconds}s"),
            format!("{seconds}.0S"),
            format!("{ms}ms"),
            format!("{}.{:03}ms", ms, 0),
            format!("0{seconds}.000"),
        ]
    };
    let side = 10 + value % 1_991;
    match parameter {
        0 => {
            named(&["width", "w", "W"], &[side.to_string(), format!("0{side}"), format!("+{side}")])
        }
        // `%3N` is the digit N, so the digits after it may stand as they are.
        1 => named(&["height", "h", "Height"], &[side.to_string(), format!("%3{side}")]),
        2 => named(&["fit", "obj-fit"], &words(&["cover", "crop", "COVER", "c%6fver"])),
        3 => {
            let mut all = named(&["audio"], &words(&["false", "0", "no"]));
            all.extend(named(&["mute"], &words(&["true", "1", "", "YES"])));
            all
        }
        4 => named(&["time", "start", "TIME"], &time(value % 601)),
        5 => named(&["duration", "dur"], &time(1 + value % 60)),
        6 => named(&["quality", "q"], &words(&["medium", "Medium"])),
        7 => named(&["format", "f", "imformat"], &words(&["mp4", "h264", "MP4"])),
        8 => named(&["derivative", "impolicy"], &words(&["silent"])),
        _ => named(&["dpr", "imdensity"], &words(&["2", "2.0", "02"])),
    }
}

/// The same request spelled twice, in two orders, the second with repetitions and strangers in it.
fn spelled_twice() -> impl Strategy<Value = (String, String)> {
    let choice =
        (any::<bool>(), any::<u16>(), any::<prop::sample::Index>(), any::<prop::sample::Index>());
    proptest::collection::vec(choice, 10).prop_flat_map(|choices| {
        let mut one = Vec::new();
        let mut other = vec!["utm_source=x".to_owned(), "debug".to_owned()];
        for (parameter, (given, value, first, second)) in choices.into_iter().enumerate() {
            if given {
                let all = spellings(parameter, value);
                one.push(first.get(&all).clone());
                other.push(second.get(&all).clone());
                other.push(first.get(&all).clone());
            }
        }
        (Just(one).prop_shuffle(), Just(other).prop_shuffle())
            .prop_map(|(one, other)| (one.join("&"), other.join("&&")))
    })
}

/// Any recipe that keeps the promises of [`Recipe`].
fn recipes() -> impl Strategy<Value = Recipe> {
    let side = || proptest::option::of(SIDE_PX_MIN..=SIDE_PX_MAX);
    let quality = proptest::option::of(select(Quality::ALL.to_vec()));
    let time = || prop_oneof![Just(0), 0_u32..=600_000, (0_u32..=600).prop_map(|s| s * 1_000)];
    (
        (select(Mode::ALL.to_vec()), side(), side(), select(Fit::ALL.to_vec()), any::<bool>()),
        (any::<bool>(), time(), proptest::option::of(1_000_u32..=60_000), quality),
        proptest::option::of(1_u16..=100),
    )
        .prop_map(
            |((mode, width, height, fit, audio), (png, time_ms, length, quality), count)| {
                let pictured = mode != Mode::Audio;
                let (width, height) = (width.filter(|_| pictured), height.filter(|_| pictured));
                let boxed = width.is_some() || height.is_some();
                let formats = mode.formats();
                Recipe {
                    mode,
                    width,
                    height,
                    fit: if boxed { fit } else { Fit::Contain },
                    audio: audio || mode != Mode::Video,
                    format: formats[usize::from(png) % formats.len()],
                    time_ms,
                    duration_ms: length.filter(|_| mode != Mode::Frame),
                    quality: quality.filter(|_| pictured),
                    image_count: count.filter(|_| mode == Mode::Spritesheet),
                }
            },
        )
}

fn key(recipe: &Recipe) -> String {
    let mut key = String::new();
    for option in recipe.options() {
        write!(key, ":{}={}", option.key, option.value).unwrap();
    }
    key
}

fn assert_promises_kept(recipe: &Recipe) {
    let pictured = recipe.mode != Mode::Audio;
    for side in [recipe.width, recipe.height].into_iter().flatten() {
        assert!((SIDE_PX_MIN..=SIDE_PX_MAX).contains(&side) && pictured, "{recipe:?}");
    }
    let boxed = recipe.width.is_some() || recipe.height.is_some();
    assert!(boxed || recipe.fit == Fit::Contain, "{recipe:?}");
    assert!(recipe.audio || recipe.mode == Mode::Video, "{recipe:?}");
    assert!(recipe.mode.formats().contains(&recipe.format), "{recipe:?}");
    assert!(recipe.time_ms <= 600_000, "{recipe:?}");
    assert!(recipe.duration_ms.is_none_or(|ms| (1_000..=60_000).contains(&ms)), "{recipe:?}");
    assert!(recipe.duration_ms.is_none() || recipe.mode != Mode::Frame, "{recipe:?}");
    assert!(recipe.image_count.is_none() || recipe.mode == Mode::Spritesheet, "{recipe:?}");
    assert!(recipe.quality.is_none() || pictured, "{recipe:?}");
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(400))]

    #[test]
    fn every_spelling_and_order_of_one_request_is_one_recipe((one, other) in spelled_twice()) {
        let first = read(&one, &config()).unwrap();
        let second = read(&other, &config()).unwrap();
        prop_assert_eq!(&first.recipe, &second.recipe, "{} against {}", one, other);
        prop_assert_eq!(&first.notes, &vec![]);
        prop_assert_eq!(&second.notes, &vec![]);
    }

    #[test]
    fn two_recipes_never_share_a_key(one in recipes(), other in recipes()) {
        prop_assert_eq!(key(&one) == key(&other), one == other);
    }

    #[test]
    fn a_recipe_next_to_another_has_another_key(one in recipes(), width in 10_u16..=2_000,
                                                ms in 0_u32..=600_000, audio in any::<bool>()) {
        for other in [
            Recipe { width: Some(width), ..one.clone() },
            Recipe { height: Some(width), ..one.clone() },
            Recipe { time_ms: ms, ..one.clone() },
            Recipe { duration_ms: Some(ms), ..one.clone() },
            Recipe { audio, ..one.clone() },
            Recipe { image_count: Some(width), ..one.clone() },
            Recipe { quality: None, ..one.clone() },
            Recipe { fit: Fit::ScaleDown, ..one.clone() },
        ] {
            prop_assert_eq!(key(&one) == key(&other), one == other);
        }
    }

    #[test]
    fn the_canonical_query_gives_the_recipe_back(recipe in recipes()) {
        // The second reading, because the first may have capped a size by the quality.
        let config = unresponsive();
        let first = read(&recipe.canonical_query(), &config).unwrap();
        assert_promises_kept(&first.recipe);
        prop_assert_eq!(&first.notes, &vec![]);
        if recipe.quality.is_none() {
            prop_assert_eq!(&first.recipe, &recipe);
        }
        let second = read(&first.recipe.canonical_query(), &config).unwrap();
        prop_assert_eq!(second.recipe, first.recipe);
    }

    #[test]
    fn the_canonical_query_of_a_responsive_answer_gives_it_back((one, _) in spelled_twice()) {
        let config = config();
        let first = read(&one, &config).unwrap();
        let again = read(&first.recipe.canonical_query(), &config).unwrap();
        prop_assert_eq!(again.recipe, first.recipe);
    }

    #[test]
    fn nothing_that_is_sent_makes_it_panic_or_break_a_promise(
        text in any::<String>(),
        pairs in proptest::collection::vec(
            (select(request::parameter::TABLE.iter().map(|row| row.name).collect::<Vec<_>>()),
             "\\PC{0,8}|[0-9]{1,6}(\\.[0-9]{1,4})?(s|ms|m)?|true|%[0-9a-f]{2}|auto|cover|frame|audio|m4a|png|mobile|sheet"),
            0..8),
        headers in proptest::collection::vec((select(HEADERS.to_vec()), any::<Vec<u8>>()), 0..8),
        quality in proptest::option::of(select(Quality::ALL.to_vec())),
    ) {
        let pairs: Vec<_> = pairs.iter().map(|(name, value)| format!("{name}={value}")).collect();
        for query in [text, pairs.join("&")] {
            let mut ask = ask(&query, &[]);
            for (name, value) in &headers {
                if let Ok(value) = HeaderValue::from_bytes(value) {
                    ask.headers.insert(name.clone(), value);
                }
            }
            for config in [config(), lenient(), unresponsive()] {
                if let Ok(wanted) = super::fixture::asked(&ask, quality, &config) {
                    assert_promises_kept(&wanted.recipe);
                }
            }
        }
    }

    #[test]
    fn leniency_refuses_no_parameter(
        name in select(request::parameter::TABLE.iter().map(|row| row.name).collect::<Vec<_>>()),
        value in "\\PC{0,20}", second in "[0-9a-z]{0,6}",
    ) {
        let query = format!("{name}={}&{name}={second}", value.replace('&', ""));
        prop_assert!(read(&query, &lenient()).is_ok(), "{}", query);
    }

    #[test]
    fn a_header_that_vary_does_not_name_changes_nothing(
        query in select(vec!["", "dpr=2", "im-viewwidth=500", "im-density=2", "w=99", "q=auto",
                             "derivative=mobile", "mode=audio", "imwidth=700"]),
        before in hints(), after in hints(),
    ) {
        let config = config();
        let with = |headers: &[(http::HeaderName, &'static str)]| {
            super::fixture::asked(&ask(query, headers), None, &config).unwrap()
        };
        let first = with(&before);
        let kept = before.iter().filter(|(name, _)| first.vary.contains(name));
        let changed = after.iter().filter(|(name, _)| !first.vary.contains(name));
        let second = with(&kept.chain(changed).cloned().collect::<Vec<_>>());
        prop_assert_eq!(&second.recipe, &first.recipe, "vary {:?}", first.vary);
        prop_assert_eq!(&second.vary, &first.vary);
    }

    #[test]
    fn responsive_sizing_makes_no_more_sizes_than_there_are_buckets(
        headers in hints(), dpr in 100_u32..=4_000, width in 1_u32..=16_384,
    ) {
        let sizes = ["w=640:h=360:f=mp4", "w=854:h=480:f=mp4", "w=1280:f=mp4", "w=1920:h=1080:f=mp4"];
        let dpr = f64::from(dpr) / 1_000.0;
        for query in [format!("dpr={dpr}"), format!("im-viewwidth={width}&dpr={dpr}"), format!("imwidth={width}&dpr={dpr}")] {
            let wanted = super::fixture::asked(&ask(&query, &headers), None, &config()).unwrap();
            prop_assert!(sizes.contains(&spelled(&wanted).as_str()), "{}", spelled(&wanted));
        }
    }
}

/// Every header that sizing may consult.
static CONSULTED: [http::HeaderName; 11] = [
    SEC_CH_WIDTH,
    WIDTH,
    SEC_CH_VIEWPORT_WIDTH,
    VIEWPORT_WIDTH,
    SEC_CH_DPR,
    DPR,
    SAVE_DATA,
    ECT,
    DOWNLINK,
    CF_DEVICE_TYPE,
    http::header::USER_AGENT,
];

/// Some of the headers that may tell about a viewer.
fn hints() -> impl Strategy<Value = Vec<(http::HeaderName, &'static str)>> {
    let values = |name: &str| match name {
        "user-agent" => vec!["Mozilla/5.0 (iPad)", "Mozilla/5.0 (X11)", "Mobile", "curl/8"],
        "cf-device-type" => vec!["mobile", "tablet", "desktop", "fridge"],
        "save-data" => vec!["on", "off"],
        "ect" => vec!["2g", "4g"],
        "downlink" => vec!["0.5", "50"],
        "sec-ch-dpr" | "dpr" => vec!["1", "2", "3.5", "x"],
        _ => vec!["100", "700", "1000", "1900", "9999", "", "x"],
    };
    CONSULTED
        .iter()
        .map(|name| {
            let named = select(values(name.as_str())).prop_map(move |value| (name.clone(), value));
            proptest::option::of(named)
        })
        .collect::<Vec<_>>()
        .prop_map(|all| all.into_iter().flatten().collect())
}
