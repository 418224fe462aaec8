//! A recipe as the zone's transformation spells it: `<base>/<OPTIONS>/<SOURCE>`
//! (stream/transform-videos).
//!
//! The order of options is fixed: the service's own cache and bill go by the whole URL.

use crate::request::recipe::{Fit, Mode, Recipe};

/// The URL that makes this rendition of `source`, a full `http(s)` URL.
pub fn url(base: &str, recipe: &Recipe, source: &str) -> String {
    format!("{base}/{}/{source}", options(recipe))
}

/// The comma-separated options. What is the service's default is left out, but for the mode.
pub fn options(recipe: &Recipe) -> String {
    let Recipe {
        mode,
        width,
        height,
        fit,
        audio,
        format,
        time_ms,
        duration_ms,
        quality: _, // has already capped width and height; the service has no such option
        image_count,
    } = recipe;
    let mut options = vec![format!("mode={}", mode.as_str())];
    options.extend(width.map(|px| format!("width={px}")));
    options.extend(height.map(|px| format!("height={px}")));
    if *fit != Fit::Contain {
        options.push(format!("fit={}", fit.as_str()));
    }
    if *time_ms > 0 {
        options.push(format!("time={}", seconds(*time_ms)));
    }
    options.extend(duration_ms.map(|ms| format!("duration={}", seconds(ms))));
    if !audio {
        options.push("audio=false".to_owned());
    }
    // The service knows `format` for frames and audio only.
    if matches!(mode, Mode::Frame | Mode::Audio) && *format != mode.default_format() {
        options.push(format!("format={}", format.as_str()));
    }
    options.extend(image_count.map(|count| format!("imageCount={count}")));
    options.join(",")
}

/// `5s` where the time is whole seconds, else `1500ms`.
pub fn seconds(ms: u32) -> String {
    if ms.is_multiple_of(1000) { format!("{}s", ms / 1000) } else { format!("{ms}ms") }
}
