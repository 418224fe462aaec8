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

#[cfg(test)]
mod tests {
    use super::*;
    use crate::request::recipe::{Format, Quality};

    const VIDEO: Recipe = Recipe {
        mode: Mode::Video,
        width: Some(640),
        height: Some(360),
        fit: Fit::Contain,
        audio: true,
        format: Format::Mp4,
        time_ms: 0,
        duration_ms: None,
        quality: None,
        image_count: None,
    };

    #[test]
    fn every_mode_is_spelled_like_this_for_ever_because_the_bill_goes_by_it() {
        let plain = Recipe { width: None, height: None, ..VIDEO };
        let full = Recipe {
            fit: Fit::Cover,
            audio: false,
            time_ms: 5_000,
            duration_ms: Some(2_500),
            quality: Some(Quality::High),
            ..VIDEO
        };
        let frame = Recipe { mode: Mode::Frame, format: Format::Jpg, ..VIDEO };
        let png = Recipe { format: Format::Png, time_ms: 1_500, height: None, ..frame.clone() };
        let sheet = Recipe {
            mode: Mode::Spritesheet,
            format: Format::Jpg,
            duration_ms: Some(10_000),
            image_count: Some(25),
            ..plain.clone()
        };
        let audio = Recipe { mode: Mode::Audio, format: Format::M4a, ..plain.clone() };
        let cut = Recipe { time_ms: 60_000, duration_ms: Some(1_000), ..audio.clone() };
        let small = Recipe { fit: Fit::ScaleDown, width: None, ..VIDEO };
        for (recipe, spelled) in [
            (VIDEO, "mode=video,width=640,height=360"),
            (plain, "mode=video"),
            (full, "mode=video,width=640,height=360,fit=cover,time=5s,duration=2500ms,audio=false"),
            (small, "mode=video,height=360,fit=scale-down"),
            (frame, "mode=frame,width=640,height=360"),
            (png, "mode=frame,width=640,time=1500ms,format=png"),
            (sheet, "mode=spritesheet,duration=10s,imageCount=25"),
            (audio, "mode=audio"),
            (cut, "mode=audio,time=60s,duration=1s"),
        ] {
            assert_eq!(options(&recipe), spelled);
            assert_eq!(
                url("https://z.example/cdn-cgi/media", &recipe, "https://s.example/a%20b.mp4"),
                format!("https://z.example/cdn-cgi/media/{spelled}/https://s.example/a%20b.mp4")
            );
        }
    }
}
