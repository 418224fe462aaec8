//! A request: its path and query on the first line, then lines of headers.
//!
//! Every request is read with a strict, a lenient, an unresponsive and a narrow configuration; what would be signed
//! of it does not depend on the order of its parameters either.

use std::sync::LazyLock;

use http::{HeaderMap, Method};
use serde_json::json;
use video_resizer::cache::key::{self, Namespace};
use video_resizer::config::{Config, Strictness};
use video_resizer::guard::signature;
use video_resizer::limits::{
    DURATION_MS_MAX, DURATION_MS_MIN, IMAGE_COUNT_MAX, KV_KEY_BYTES_MAX, PATH_BYTES_MAX,
    QUERY_PARAMETERS_MAX, SIDE_PX_MAX, SIDE_PX_MIN, TIME_MS_MAX,
};
use video_resizer::request::ask::{Ask, HEADERS};
use video_resizer::request::path::SourcePath;
use video_resizer::request::query::{Query, Value};
use video_resizer::request::recipe::{Fit, Mode, Recipe};
use video_resizer::request::{self, Wanted};

struct Configurations {
    strict: Config,
    lenient: Config,
    unresponsive: Config,
    narrow: Config,
}

static CONFIGURATIONS: LazyLock<Configurations> = LazyLock::new(|| {
    let presets = json!({
        "mobile": { "width": 640, "height": 360, "quality": "low" },
        "poster": { "mode": "frame", "format": "png", "time": "3s" },
        "sheet": { "mode": "spritesheet", "imageCount": 9, "duration": "10s" },
        "silent": { "audio": false, "fit": "cover", "duration": "5s" },
    });
    let with = |document| Config::check(&document).expect("a good configuration");
    Configurations {
        strict: with(json!({ "presets": presets })),
        lenient: with(json!({ "presets": presets, "parameters": "lenient" })),
        unresponsive: with(json!({ "responsive": { "enabled": false } })),
        narrow: with(json!({
            "presets": presets,
            "limits": { "widthMax": 1000, "timeMax": "2s", "durationMax": "8s", "imageCountMax": 5 },
            "ladder": { "widths": [99, 640, 1920], "timeStep": "700ms", "durationStep": "3s" },
        })),
    }
});

/// See the module.
pub fn holds(input: &[u8]) {
    let (line, lines) = super::first_line(input);
    let Ok(line) = std::str::from_utf8(line) else { return };
    let (raw_path, raw_query) = line.split_once('?').unwrap_or((line, ""));
    let headers = super::headers(lines, &HEADERS);
    let path = is_canonical(raw_path);
    is_split(raw_query);
    if let Some(path) = &path {
        is_signed(path, raw_query);
    }
    let Configurations { strict, lenient, unresponsive, narrow } = &*CONFIGURATIONS;
    for config in [strict, lenient, unresponsive, narrow] {
        let wanted = reads(raw_query, &headers, config);
        if let (Some(wanted), Some(path)) = (wanted, &path) {
            is_named(path, &wanted.recipe);
        }
    }
    comes_back(raw_query, &headers, unresponsive);
}

/// Reads a query; what comes of it keeps its promises, and does not depend on the order of the parameters.
pub fn reads(raw_query: &str, headers: &HeaderMap, config: &Config) -> Option<Wanted> {
    let wanted = read(raw_query, headers, config);
    if let Some(wanted) = &wanted {
        keeps_its_promises(&wanted.recipe);
    }
    // Where it is lenient, the first of two values that contradict each other counts.
    if config.parameters == Strictness::Strict {
        let backwards = raw_query.split('&').rev().collect::<Vec<_>>().join("&");
        let other = read(&backwards, headers, config);
        assert_eq!(decided(wanted.as_ref()), decided(other.as_ref()), "?{raw_query} backwards");
    }
    wanted
}

/// What is decided of a request; its notes stand in the order of the query.
fn decided(wanted: Option<&Wanted>) -> Option<Wanted> {
    Some(Wanted { notes: Vec::new(), ..wanted?.clone() })
}

fn read(raw_query: &str, headers: &HeaderMap, config: &Config) -> Option<Wanted> {
    let ask = Ask {
        method: Method::GET,
        scheme: "https".to_owned(),
        host: "videos.example.com".to_owned(),
        path: "/a.mp4".to_owned(),
        query: raw_query.to_owned(),
        headers: headers.clone(),
    };
    let query = Query::parse(raw_query).ok()?;
    match request::read(&ask, &query, config.origins.first()?, config) {
        Ok(wanted) => Some(wanted),
        Err(rejection) => {
            assert!(rejection.status().is_client_error(), "{rejection}");
            None
        }
    }
}

/// The path in its one spelling, which is its own one spelling.
fn is_canonical(raw_path: &str) -> Option<SourcePath> {
    let path = SourcePath::parse(raw_path).ok()?;
    let text = path.as_str();
    assert!(text.starts_with('/') && text.len() <= PATH_BYTES_MAX, "{text}");
    assert!(text.bytes().all(|byte| byte.is_ascii_graphic() && byte != b'\\'), "{text}");
    assert!(!text.split('/').any(|segment| segment == "." || segment == ".."), "{text}");
    assert_eq!(SourcePath::parse(text).as_ref(), Ok(&path));
    assert!(path.folders().all(|folder| path.without_slash().starts_with(folder)));
    assert!(path.extension().is_none_or(|extension| !extension.contains(['/', '.'])));
    Some(path)
}

/// A query is pairs of text; a name that is there is found.
fn is_split(raw_query: &str) {
    let Ok(query) = Query::parse(raw_query) else { return };
    assert!(query.pairs().count() <= QUERY_PARAMETERS_MAX);
    for pair in query.pairs() {
        if let Value::Garbled(raw) = pair.value {
            assert!(raw_query.contains(raw));
        }
        let first = query.pairs().find(|other| other.name.eq_ignore_ascii_case(&pair.name));
        let text = first.and_then(|first| match &first.value {
            Value::Text(text) => Some(&**text),
            Value::Garbled(_) => None,
        });
        assert_eq!(query.first(&pair.name), text);
    }
}

/// What is signed is three lines of visible ASCII, whatever is asked and in whichever order.
fn is_signed(path: &SourcePath, raw_query: &str) {
    let backwards = raw_query.split('&').rev().collect::<Vec<_>>().join("&");
    let signed = |query: &str| signature::canonical(path, &Query::parse(query).ok()?);
    let message = signed(raw_query);
    assert_eq!(message, signed(&backwards));
    let Some(message) = message else { return };
    assert_eq!(message.lines().count() + usize::from(message.ends_with('\n')), 3, "{message}");
    assert!(
        message.bytes().all(|byte| (b' '..=b'~').contains(&byte) || byte == b'\n'),
        "{message}"
    );
}

/// One recipe has one key, of a size that KV takes.
fn is_named(path: &SourcePath, recipe: &Recipe) {
    for (host, version) in [(None, 0), (Some("videos.example.com:8787"), u32::MAX)] {
        let key = key::kv_key(Namespace { origin: "default", host, version }, path, recipe);
        assert!(
            key.len() <= KV_KEY_BYTES_MAX && key.bytes().all(|byte| byte.is_ascii_graphic()),
            "{key}"
        );
    }
    let url = key::edge_url("https://videos.example.com", path, recipe, 1);
    assert!(url.parse::<http::Uri>().is_ok(), "{url}");
}

/// The canonical query of a recipe asks for that recipe.
fn comes_back(raw_query: &str, headers: &HeaderMap, config: &Config) {
    let Some(first) = read(raw_query, headers, config) else { return };
    let again = read(&first.recipe.canonical_query(), &HeaderMap::new(), config)
        .expect("a canonical query is a good one");
    assert_eq!(again.recipe, first.recipe);
    assert_eq!(again.notes, []);
}

fn keeps_its_promises(recipe: &Recipe) {
    let pictured = recipe.mode != Mode::Audio;
    for side in [recipe.width, recipe.height].into_iter().flatten() {
        assert!((SIDE_PX_MIN..=SIDE_PX_MAX).contains(&side) && pictured, "{recipe:?}");
    }
    let boxed = recipe.width.is_some() || recipe.height.is_some();
    assert!(boxed || recipe.fit == Fit::Contain, "{recipe:?}");
    assert!(recipe.audio || recipe.mode == Mode::Video, "{recipe:?}");
    assert!(recipe.mode.formats().contains(&recipe.format), "{recipe:?}");
    assert!(recipe.time_ms <= TIME_MS_MAX, "{recipe:?}");
    let lasts =
        recipe.duration_ms.is_none_or(|ms| (DURATION_MS_MIN..=DURATION_MS_MAX).contains(&ms));
    assert!(lasts && (recipe.duration_ms.is_none() || recipe.mode != Mode::Frame), "{recipe:?}");
    let counted = recipe.image_count.is_none_or(|count| (1..=IMAGE_COUNT_MAX).contains(&count));
    assert!(
        counted && (recipe.image_count.is_none() || recipe.mode == Mode::Spritesheet),
        "{recipe:?}"
    );
    assert!(recipe.quality.is_none() || pictured, "{recipe:?}");
}
