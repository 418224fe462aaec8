//! The OPTIONS part of a transformation URL, parsed: an `Options` in hand is a valid one.
//!
//! Names, ranges and defaults are those of the Media Transformations page.
//! Where that page is silent (an option given twice, or to a mode that has no use for it),
//! this stand-in refuses, so that a sloppy caller is found here and not in production.

use std::fmt;

/// What one transformation is to make.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Options {
    /// The kind of output, with what only that kind can be asked.
    pub(crate) output: Output,
    /// Where the output starts in the source.
    pub(crate) time_ms: u64,
    /// How much of the source it covers; absent means the rest, at most [`DURATION_MS_MAX`].
    pub(crate) duration_ms: Option<u64>,
    /// The size asked for.
    pub(crate) size: AskedSize,
    /// The name for `Content-Disposition`; absent means that of the source.
    pub(crate) filename: Option<String>,
}

/// The kind of output.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Output {
    /// MP4 with H.264 and, when `audio`, AAC.
    Video {
        /// Whether the sound is kept.
        audio: bool,
    },
    /// One picture.
    Frame(Picture),
    /// Pictures of the whole range in one JPEG.
    Spritesheet {
        /// How many pictures.
        image_count: u32,
    },
    /// M4A with AAC.
    Audio,
}

/// The format of a frame.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Picture {
    /// JPEG.
    Jpg,
    /// PNG.
    Png,
}

/// The size asked for; what is absent follows from the source.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct AskedSize {
    /// Pixels across.
    pub(crate) width: Option<u32>,
    /// Pixels down.
    pub(crate) height: Option<u32>,
    /// How the source is made to fit.
    pub(crate) fit: Fit,
}

/// How a source is made to fit the size asked for. Aspect ratio is always kept.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Fit {
    /// Scaled up or down to lie within.
    Contain,
    /// Scaled down to lie within, never up.
    ScaleDown,
    /// Scaled up or down to cover, the rest cut off around the centre.
    Cover,
}

/// Which option is wrong, and how.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct OptionError {
    option: String,
    reason: String,
}

impl fmt::Display for OptionError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "option {:?} {}", self.option, self.reason)
    }
}

impl Options {
    /// Parses the comma-separated `key=value` list of a transformation URL.
    pub(crate) fn parse(text: &str) -> Result<Self, OptionError> {
        let given = Given::read(text)?;
        let mode = match given.mode {
            None | Some("video") => Mode::Video,
            Some("frame") => Mode::Frame,
            Some("spritesheet") => Mode::Spritesheet,
            Some("audio") => Mode::Audio,
            Some(other) => return Err(wrong("mode", other, "video, frame, spritesheet or audio")),
        };
        given.refuse_what_does_not_apply(mode)?;
        let audio = match given.audio {
            None | Some("true") => true,
            Some("false") if mode == Mode::Audio => {
                return Err(wrong("audio", "false", "true when mode=audio"));
            }
            Some("false") => false,
            Some(other) => return Err(wrong("audio", other, "true or false")),
        };
        let output = match mode {
            Mode::Video => Output::Video { audio },
            Mode::Frame => Output::Frame(match given.format {
                None | Some("jpg") => Picture::Jpg,
                Some("png") => Picture::Png,
                Some(other) => return Err(wrong("format", other, "jpg or png when mode=frame")),
            }),
            Mode::Spritesheet => Output::Spritesheet {
                image_count: number("imageCount", given.image_count, 1, IMAGE_COUNT_MAX)?
                    .unwrap_or(IMAGE_COUNT_DEFAULT),
            },
            Mode::Audio => match given.format {
                None | Some("m4a") => Output::Audio,
                Some(other) => return Err(wrong("format", other, "m4a when mode=audio")),
            },
        };
        Ok(Self {
            output,
            time_ms: span("time", given.time, 0, TIME_MS_MAX)?.unwrap_or(0),
            duration_ms: span("duration", given.duration, DURATION_MS_MIN, DURATION_MS_MAX)?,
            size: AskedSize {
                width: number("width", given.width, PIXELS_MIN, PIXELS_MAX)?,
                height: number("height", given.height, PIXELS_MIN, PIXELS_MAX)?,
                fit: match given.fit {
                    None | Some("contain") => Fit::Contain,
                    Some("scale-down") => Fit::ScaleDown,
                    Some("cover") => Fit::Cover,
                    Some(other) => {
                        return Err(wrong("fit", other, "contain, scale-down or cover"));
                    }
                },
            },
            filename: given.filename.map(filename).transpose()?,
        })
    }

    /// The media type of the output.
    pub(crate) fn content_type(&self) -> &'static str {
        match self.output {
            Output::Video { .. } => "video/mp4",
            Output::Frame(Picture::Jpg) | Output::Spritesheet { .. } => "image/jpeg",
            Output::Frame(Picture::Png) => "image/png",
            Output::Audio => "audio/mp4",
        }
    }

    /// The extension of the output's file name, without its dot.
    pub(crate) fn extension(&self) -> &'static str {
        match self.output {
            Output::Video { .. } => "mp4",
            Output::Frame(Picture::Jpg) | Output::Spritesheet { .. } => "jpg",
            Output::Frame(Picture::Png) => "png",
            Output::Audio => "m4a",
        }
    }
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Mode {
    Video,
    Frame,
    Spritesheet,
    Audio,
}

/// The values as they were written, each at most once.
#[derive(Default)]
struct Given<'a> {
    mode: Option<&'a str>,
    time: Option<&'a str>,
    duration: Option<&'a str>,
    width: Option<&'a str>,
    height: Option<&'a str>,
    fit: Option<&'a str>,
    audio: Option<&'a str>,
    format: Option<&'a str>,
    filename: Option<&'a str>,
    image_count: Option<&'a str>,
}

impl<'a> Given<'a> {
    fn read(text: &'a str) -> Result<Self, OptionError> {
        let mut given = Self::default();
        for part in text.split(',') {
            let (key, value) = part
                .split_once('=')
                .ok_or_else(|| refused(part, "is not written key=value".to_owned()))?;
            let place = match key {
                "mode" => &mut given.mode,
                "time" => &mut given.time,
                "duration" => &mut given.duration,
                "width" => &mut given.width,
                "height" => &mut given.height,
                "fit" => &mut given.fit,
                "audio" => &mut given.audio,
                "format" => &mut given.format,
                "filename" => &mut given.filename,
                "imageCount" => &mut given.image_count,
                _ => return Err(refused(key, "is unknown".to_owned())),
            };
            if place.replace(value).is_some() {
                return Err(refused(key, "is given twice".to_owned()));
            }
        }
        Ok(given)
    }

    fn refuse_what_does_not_apply(&self, mode: Mode) -> Result<(), OptionError> {
        let pictured = mode != Mode::Audio;
        let sounding = matches!(mode, Mode::Video | Mode::Audio);
        let still_or_sound = matches!(mode, Mode::Frame | Mode::Audio);
        for (option, value, applies) in [
            ("duration", self.duration, mode != Mode::Frame),
            ("width", self.width, pictured),
            ("height", self.height, pictured),
            ("fit", self.fit, pictured),
            ("audio", self.audio, sounding),
            ("format", self.format, still_or_sound),
            ("imageCount", self.image_count, mode == Mode::Spritesheet),
        ] {
            if value.is_some() && !applies {
                return Err(refused(option, "does not apply to this mode".to_owned()));
            }
        }
        Ok(())
    }
}

fn number(
    option: &str,
    given: Option<&str>,
    min: u32,
    max: u32,
) -> Result<Option<u32>, OptionError> {
    let Some(given) = given else { return Ok(None) };
    // `u32::from_str` takes a plus sign; the platform's numbers have none.
    let digits = given.bytes().all(|byte| byte.is_ascii_digit());
    match given.parse() {
        Ok(value) if digits && (min..=max).contains(&value) => Ok(Some(value)),
        Ok(_) | Err(_) => Err(wrong(option, given, &format!("{min} to {max}"))),
    }
}

fn span(option: &str, given: Option<&str>, min: u64, max: u64) -> Result<Option<u64>, OptionError> {
    let Some(given) = given else { return Ok(None) };
    match milliseconds(given) {
        Some(value) if (min..=max).contains(&value) => Ok(Some(value)),
        Some(_) | None => {
            let wanted = format!("{min}ms to {max}ms, written as 5s, 2m, 1.5s or 3500ms");
            Err(wrong(option, given, &wanted))
        }
    }
}

/// `5s`, `2m`, `3500ms` and decimals of them; a bare `0` needs no unit.
fn milliseconds(text: &str) -> Option<u64> {
    let (amount, unit_ms) = if let Some(amount) = text.strip_suffix("ms") {
        (amount, 1)
    } else if let Some(amount) = text.strip_suffix('s') {
        (amount, 1_000)
    } else if let Some(amount) = text.strip_suffix('m') {
        (amount, 60_000)
    } else {
        return (text == "0").then_some(0);
    };
    let (whole, decimals) = match amount.split_once('.') {
        Some((_, "")) => return None,
        Some(parts) => parts,
        None => (amount, ""),
    };
    let digits = |text: &str| text.bytes().all(|byte| byte.is_ascii_digit());
    if whole.is_empty() || whole.len() > WHOLE_DIGITS_MAX || decimals.len() > DECIMALS_MAX {
        return None;
    }
    if !digits(whole) || !digits(decimals) {
        return None;
    }
    let millionths: u64 = format!("{whole}{decimals:0<DECIMALS_MAX$}").parse().ok()?;
    Some(millionths * unit_ms / 1_000_000)
}

/// The documented pattern: word characters and dashes, at most one other character among them.
fn filename(given: &str) -> Result<String, OptionError> {
    let plain = |c: char| c.is_ascii_alphanumeric() || c == '-' || c == '_';
    let others: Vec<char> = given.chars().filter(|&c| !plain(c)).collect();
    let lies_within = given.starts_with(plain) && given.ends_with(plain);
    // The pattern's `.` is any character; only a dot is safe inside a quoted header value.
    let at_most_a_dot = matches!(others.as_slice(), [] | ['.']);
    if given.len() < 2 || given.len() > FILENAME_BYTES_MAX || !lies_within || !at_most_a_dot {
        return Err(wrong("filename", given, "2 to 120 of a-z A-Z 0-9 - _ with one dot inside"));
    }
    Ok(given.to_owned())
}

fn wrong(option: &str, given: &str, wanted: &str) -> OptionError {
    refused(option, format!("is {given:?}; it must be {wanted}"))
}

fn refused(option: &str, reason: String) -> OptionError {
    OptionError { option: option.to_owned(), reason }
}

// Ranges of the Media Transformations page.
/// The longest output.
pub(crate) const DURATION_MS_MAX: u64 = 60_000;
const DURATION_MS_MIN: u64 = 1_000;
const TIME_MS_MAX: u64 = 600_000;
const PIXELS_MIN: u32 = 10;
const PIXELS_MAX: u32 = 2_000;
const FILENAME_BYTES_MAX: usize = 120;
// Not documented for URLs; ours.
const IMAGE_COUNT_MAX: u32 = 100;
const IMAGE_COUNT_DEFAULT: u32 = 16;
/// Enough for ten minutes in milliseconds, and far from overflowing.
const WHOLE_DIGITS_MAX: usize = 7;
const DECIMALS_MAX: usize = 6;

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    #[test]
    fn the_defaults_are_the_documented_ones() {
        let options = Options::parse("mode=video").unwrap();
        assert_eq!(options.output, Output::Video { audio: true });
        assert_eq!((options.time_ms, options.duration_ms), (0, None));
        let size = AskedSize { width: None, height: None, fit: Fit::Contain };
        assert_eq!(options.size, size);
        assert_eq!(Options::parse("width=10").unwrap().output, options.output);
        let frame = Options::parse("mode=frame").unwrap();
        assert_eq!((frame.content_type(), frame.extension()), ("image/jpeg", "jpg"));
        let audio = Options::parse("mode=audio,audio=true,format=m4a").unwrap();
        assert_eq!((audio.content_type(), audio.extension()), ("audio/mp4", "m4a"));
    }

    #[test]
    fn every_option_is_read() {
        let options = Options::parse(
            "mode=video,time=1.5s,duration=0.5m,width=2000,height=10,fit=scale-down,audio=false,filename=a-b_c.mp4",
        )
        .unwrap();
        assert_eq!(options.output, Output::Video { audio: false });
        assert_eq!((options.time_ms, options.duration_ms), (1_500, Some(30_000)));
        let size = AskedSize { width: Some(2_000), height: Some(10), fit: Fit::ScaleDown };
        assert_eq!(options.size, size);
        assert_eq!(options.filename.as_deref(), Some("a-b_c.mp4"));
        let sheet = Options::parse("mode=spritesheet,imageCount=4,fit=cover").unwrap();
        assert_eq!(sheet.output, Output::Spritesheet { image_count: 4 });
        assert_eq!(sheet.size.fit, Fit::Cover);
        let png = Options::parse("mode=frame,format=png").unwrap();
        assert_eq!(png.output, Output::Frame(Picture::Png));
    }

    #[test]
    fn spans_of_time_are_read_exactly() {
        for (text, ms) in [
            ("0", Some(0)),
            ("0s", Some(0)),
            ("5s", Some(5_000)),
            ("10m", Some(600_000)),
            ("3500ms", Some(3_500)),
            ("0.001s", Some(1)),
            ("1.25m", Some(75_000)),
            ("5", None),
            (".5s", None),
            ("5.s", None),
            ("-1s", None),
            ("1e3s", None),
            ("1m30s", None),
            ("99999999s", None),
            ("s", None),
        ] {
            assert_eq!(milliseconds(text), ms, "{text}");
        }
    }

    #[test]
    fn what_the_platform_does_not_take_is_refused_and_named() {
        for (text, option) in [
            ("", "\"\""),
            ("width", "\"width\""),
            ("quality=high", "\"quality\""),
            ("width=640,width=640", "\"width\""),
            ("mode=gif", "\"mode\""),
            ("width=9", "\"width\""),
            ("width=2001", "\"width\""),
            ("width=+20", "\"width\""),
            ("height=10.5", "\"height\""),
            ("fit=crop", "\"fit\""),
            ("time=601s", "\"time\""),
            ("time=10", "\"time\""),
            ("duration=999ms", "\"duration\""),
            ("duration=60.001s", "\"duration\""),
            ("audio=1", "\"audio\""),
            ("mode=audio,audio=false", "\"audio\""),
            ("mode=frame,duration=5s", "\"duration\""),
            ("mode=audio,width=640", "\"width\""),
            ("mode=frame,format=webp", "\"format\""),
            ("mode=audio,format=mp3", "\"format\""),
            ("mode=video,format=mp4", "\"format\""),
            ("imageCount=4", "\"imageCount\""),
            ("mode=spritesheet,imageCount=0", "\"imageCount\""),
            ("filename=a b", "\"filename\""),
            ("filename=.mp4", "\"filename\""),
            ("filename=a.b.c", "\"filename\""),
            ("filename=a\"b", "\"filename\""),
        ] {
            let error = Options::parse(text).unwrap_err().to_string();
            assert!(error.starts_with(&format!("option {option}")), "{text}: {error}");
        }
        assert!(Options::parse(&format!("filename={}", "a".repeat(120))).is_ok());
        assert!(Options::parse(&format!("filename={}", "a".repeat(121))).is_err());
    }

    #[test]
    fn the_ends_of_every_range_are_inside_it() {
        for text in
            ["width=10", "width=2000", "time=10m", "duration=1s", "duration=1m", "filename=ab"]
        {
            assert!(Options::parse(text).is_ok(), "{text}");
        }
    }
}
