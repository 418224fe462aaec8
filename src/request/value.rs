//! The text of a value becomes a typed one: numbers, times, yes and no, words.
//!
//! Every parser gives `Err` with what it would have accepted, as the end of the sentence
//! "width=5 is not possible: …". Nothing here is a float: a recipe must compare exactly.

use super::recipe::{Fit, Format, Mode, Quality, Spelling};
use crate::limits::{
    DPR_THOUSANDTHS_MAX, DPR_THOUSANDTHS_MIN, FILENAME_CHARS_MAX, SHOWN_VALUE_CHARS_MAX,
};

/// What would have been accepted.
pub(super) type Expected = String;

/// Whole pixels.
pub(super) fn pixels(text: &str, min: u16, max: u16) -> Result<u16, Expected> {
    whole(text, min, max).ok_or_else(|| format!("a whole number of pixels from {min} to {max}"))
}

/// A number of pictures, from 1.
pub(super) fn count(text: &str, max: u16) -> Result<u16, Expected> {
    whole(text, 1, max).ok_or_else(|| format!("a whole number from 1 to {max}"))
}

/// `5`, `5s`, `1.5s`, `3500ms`, `2m` as milliseconds, rounded to the nearest.
///
/// A player's `currentTime` has a dozen decimals, so any number of them is read.
pub(super) fn milliseconds(text: &str, min: u32, max: u32) -> Result<u32, Expected> {
    const UNITS_MS: [(&str, u32); 4] = [("ms", 1), ("s", 1_000), ("m", 60_000), ("", 1_000)];
    let read = |(unit, ms)| Some((without(text, unit)?, ms));
    let time = UNITS_MS.into_iter().find_map(read).and_then(|(number, ms)| scaled(number, ms));
    time.filter(|ms| (min..=max).contains(ms)).ok_or_else(|| {
        format!(
            "a time from {} to {}, as in 5, 5s, 1.5s, 3500ms or 2m",
            spelled_time(min),
            spelled_time(max)
        )
    })
}

/// A text without its end, which may be in any case; `None` where it ends otherwise.
fn without<'a>(text: &'a str, end: &str) -> Option<&'a str> {
    let (rest, tail) = text.split_at_checked(text.len().checked_sub(end.len())?)?;
    tail.eq_ignore_ascii_case(end).then_some(rest)
}

/// The one spelling of a time.
pub(super) fn spelled_time(ms: u32) -> String {
    Spelling::Time(ms).to_string()
}

/// A device pixel ratio in thousandths.
pub(super) fn pixel_ratio(text: &str) -> Result<u32, Expected> {
    let range = DPR_THOUSANDTHS_MIN..=DPR_THOUSANDTHS_MAX;
    scaled(text, 1_000).filter(|dpr| range.contains(dpr)).ok_or_else(|| {
        format!("a number from 0.{} to {}", DPR_THOUSANDTHS_MIN / 100, DPR_THOUSANDTHS_MAX / 1_000)
    })
}

/// Yes or no. An empty value is yes, as it is for an attribute of HTML: `?loop`.
pub(super) fn flag(text: &str) -> Result<bool, Expected> {
    word(
        text,
        &[
            ("true", true),
            ("false", false),
            ("1", true),
            ("0", false),
            ("yes", true),
            ("no", false),
            ("", true),
        ],
    )
    .ok_or_else(|| "true or false".to_owned())
}

/// The mode's own word.
pub(super) fn mode(text: &str) -> Result<Mode, Expected> {
    word(text, &Mode::ALL.map(|mode| (mode.as_str(), mode)))
        .ok_or_else(|| format!("one of {}", Mode::ALL.map(Mode::as_str).join(", ")))
}

/// The fit's own word, or Akamai's `crop` and `fill`.
pub(super) fn fit(text: &str) -> Result<Fit, Expected> {
    word(text, &Fit::ALL.map(|fit| (fit.as_str(), fit)))
        .or_else(|| word(text, &[("crop", Fit::Cover), ("fill", Fit::Contain)]))
        .ok_or_else(|| format!("one of {}", Fit::ALL.map(Fit::as_str).join(", ")))
}

/// The format's own word, `jpeg` or `h264`.
pub(super) fn format(text: &str) -> Result<Format, Expected> {
    word(text, &Format::ALL.map(|format| (format.as_str(), format)))
        .or_else(|| word(text, &[("jpeg", Format::Jpg), ("h264", Format::Mp4)]))
        .ok_or_else(|| {
            let formats = Format::ALL.map(Format::as_str).join(", ");
            format!("one of {formats}; the platform makes no other")
        })
}

/// What `quality` may say.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum AskedQuality {
    /// A cap by name.
    Named(Quality),
    /// No cap: the viewer's device decides the size.
    Auto,
}

/// A quality's name, or `auto`.
pub(super) fn quality(text: &str) -> Result<AskedQuality, Expected> {
    word(text, &Quality::ALL.map(|quality| (quality.as_str(), AskedQuality::Named(quality))))
        .or_else(|| word(text, &[("auto", AskedQuality::Auto)]))
        .ok_or_else(|| format!("one of {}, auto", Quality::ALL.map(Quality::as_str).join(", ")))
}

/// How much a player may fetch before it plays.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Preload {
    /// Nothing.
    None,
    /// Length and size.
    Metadata,
    /// As it likes.
    Auto,
}

impl Preload {
    /// Every preload.
    pub const ALL: [Self; 3] = [Self::None, Self::Metadata, Self::Auto];

    /// The word of HTML's `preload` attribute.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::None => "none",
            Self::Metadata => "metadata",
            Self::Auto => "auto",
        }
    }
}

/// A word of HTML's `preload` attribute.
pub(super) fn preload(text: &str) -> Result<Preload, Expected> {
    word(text, &Preload::ALL.map(|preload| (preload.as_str(), preload)))
        .ok_or_else(|| format!("one of {}", Preload::ALL.map(Preload::as_str).join(", ")))
}

/// A name for the downloaded file that needs no quoting in a header and no escaping on a disk.
pub(super) fn filename(text: &str) -> Result<String, Expected> {
    let plain = |byte: u8| byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'_' | b'.');
    let fine = (1..=FILENAME_CHARS_MAX).contains(&text.len())
        && text.bytes().all(plain)
        && !text.starts_with('.')
        && !text.ends_with('.');
    fine.then(|| text.to_owned()).ok_or_else(|| {
        format!(
            "at most {FILENAME_CHARS_MAX} letters, digits, dots, hyphens and underscores, no dot first or last"
        )
    })
}

/// A viewer's value as a message may repeat it: short, on one line.
pub(super) fn shown(value: &str) -> String {
    let printable = |character: char| {
        if character.is_control() { char::REPLACEMENT_CHARACTER } else { character }
    };
    let mut shown: String = value.chars().take(SHOWN_VALUE_CHARS_MAX).map(printable).collect();
    if value.chars().nth(SHOWN_VALUE_CHARS_MAX).is_some() {
        shown.pop();
        shown.push('…');
    }
    shown
}

/// ASCII digits and nothing else, within bounds.
pub(super) fn whole(text: &str, min: u16, max: u16) -> Option<u16> {
    let digits = !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_digit());
    let number = digits.then(|| text.parse().ok()).flatten()?;
    (min..=max).contains(&number).then_some(number)
}

/// A decimal number times `scale`, rounded to the nearest; no sign, no exponent.
pub(super) fn scaled(text: &str, scale: u32) -> Option<u32> {
    const DECIMALS: usize = 9;
    const ONE: u128 = 1_000_000_000;

    let (whole, decimals) = text.split_once('.').unwrap_or((text, "0"));
    let all_digits = |part: &str| part.bytes().all(|byte| byte.is_ascii_digit());
    if decimals.is_empty() || text.is_empty() || !all_digits(whole) || !all_digits(decimals) {
        return None;
    }
    let whole: u32 = if whole.is_empty() { 0 } else { whole.parse().ok()? };
    let kept = decimals.get(..decimals.len().min(DECIMALS))?;
    let missing = u32::try_from(DECIMALS - kept.len()).ok()?;
    let billionths = kept.parse::<u32>().ok()? * 10_u32.pow(missing);
    let exact = (u128::from(whole) * ONE + u128::from(billionths)) * u128::from(scale);
    u32::try_from((exact + ONE / 2) / ONE).ok()
}

fn word<T: Copy>(text: &str, words: &[(&str, T)]) -> Option<T> {
    words.iter().find(|(word, _)| word.eq_ignore_ascii_case(text)).map(|(_, meaning)| *meaning)
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]

    use proptest::prelude::*;

    use super::*;

    #[test]
    fn pixels_are_digits_within_bounds() {
        for (text, wanted) in [("10", 10), ("2000", 2000), ("0640", 640)] {
            assert_eq!(pixels(text, 10, 2000), Ok(wanted));
        }
        for text in
            ["", "9", "2001", "99999", "-10", "+10", "10.0", "1e2", "640px", "６４０", " 10"]
        {
            let expected = "a whole number of pixels from 10 to 2000".to_owned();
            assert_eq!(pixels(text, 10, 2000), Err(expected), "{text}");
        }
    }

    #[test]
    fn a_time_is_the_same_in_every_unit() {
        for (text, wanted) in [
            ("0", 0),
            ("5", 5_000),
            ("5s", 5_000),
            ("5S", 5_000),
            ("5000ms", 5_000),
            ("05.0", 5_000),
            ("1.5s", 1_500),
            (".5", 500),
            ("0.025m", 1_500),
            ("2m", 120_000),
            ("12.3456789012345", 12_346),
            ("1.0004", 1_000),
            ("0.5ms", 1),
            ("10m", 600_000),
        ] {
            assert_eq!(milliseconds(text, 0, 600_000), Ok(wanted), "{text}");
        }
        for text in [
            "",
            "s",
            "ms",
            "m",
            ".",
            "5.",
            "-1",
            "+1",
            "1e3",
            "1h",
            "1 s",
            "1,5",
            "10m1s",
            "601",
            "600000.6ms",
            "99999999999",
            "1.5.5",
            "NaN",
            "inf",
        ] {
            let expected = "a time from 0s to 600s, as in 5, 5s, 1.5s, 3500ms or 2m".to_owned();
            assert_eq!(milliseconds(text, 0, 600_000), Err(expected), "{text}");
        }
    }

    #[test]
    fn a_pixel_ratio_is_exact_to_the_thousandth() {
        for (text, wanted) in [("1", 1_000), ("2.625", 2_625), ("0.1", 100), ("4.0", 4_000)] {
            assert_eq!(pixel_ratio(text), Ok(wanted));
        }
        for text in ["0", "0.09", "4.001", "-1", "2x", ""] {
            assert_eq!(pixel_ratio(text), Err("a number from 0.1 to 4".to_owned()), "{text}");
        }
    }

    #[test]
    fn words_are_read_in_any_case_and_in_every_dialect() {
        assert_eq!(fit("Crop"), Ok(Fit::Cover));
        assert_eq!(fit("fill"), Ok(Fit::Contain));
        assert_eq!(format("JPEG"), Ok(Format::Jpg));
        assert_eq!(format("h264"), Ok(Format::Mp4));
        assert_eq!(quality("AUTO"), Ok(AskedQuality::Auto));
        for quality_word in Quality::ALL {
            assert_eq!(quality(quality_word.as_str()), Ok(AskedQuality::Named(quality_word)));
        }
        for mode_word in Mode::ALL {
            assert_eq!(mode(mode_word.as_str()), Ok(mode_word));
        }
        for (yes, no) in [("true", "false"), ("1", "0"), ("Yes", "NO")] {
            assert_eq!((flag(yes), flag(no)), (Ok(true), Ok(false)));
        }
        assert_eq!(flag(""), Ok(true));
    }

    #[test]
    fn a_word_that_is_unknown_names_the_known_ones() {
        assert_eq!(mode("gif"), Err("one of video, frame, spritesheet, audio".to_owned()));
        assert_eq!(fit("pad"), Err("one of contain, scale-down, cover".to_owned()));
        for other in ["h265", "vp9", "av1", "webm", "gif", ""] {
            let expected = "one of mp4, jpg, png, m4a; the platform makes no other".to_owned();
            assert_eq!(format(other), Err(expected));
        }
        assert_eq!(quality("80"), Err("one of low, medium, high, auto".to_owned()));
        assert_eq!(flag("on"), Err("true or false".to_owned()));
        assert_eq!(preload("all"), Err("one of none, metadata, auto".to_owned()));
    }

    #[test]
    fn a_filename_needs_no_quoting_anywhere() {
        for fine in ["a", "my-clip_2.mp4", "a.b.c", &"x".repeat(FILENAME_CHARS_MAX)] {
            assert_eq!(filename(fine), Ok(fine.to_owned()));
        }
        let long = "x".repeat(FILENAME_CHARS_MAX + 1);
        for bad in ["", ".mp4", "a.", "a b", "a/b", "..", "a\"b", "é", "a\r\nb", &long] {
            assert!(filename(bad).is_err(), "{bad}");
        }
    }

    #[test]
    fn a_shown_value_is_short_and_on_one_line() {
        assert_eq!(shown("a\r\nb\u{0}"), "a\u{fffd}\u{fffd}b\u{fffd}");
        let just = "é".repeat(SHOWN_VALUE_CHARS_MAX);
        assert_eq!(shown(&just), just);
        let shortened = shown(&format!("{just}x"));
        assert_eq!(shortened.chars().count(), SHOWN_VALUE_CHARS_MAX);
        assert!(shortened.ends_with('…'));
    }

    proptest! {
        #[test]
        fn a_time_is_read_back_as_it_was_spelled(ms in 0_u32..=600_000) {
            prop_assert_eq!(milliseconds(&spelled_time(ms), 0, 600_000), Ok(ms));
        }

        #[test]
        fn no_text_at_all_makes_it_panic(text in "\\PC*|[0-9.]{0,60}(s|m|ms)?") {
            let _ = milliseconds(&text, 0, u32::MAX);
            let _ = pixel_ratio(&text);
            let _ = pixels(&text, 0, u16::MAX);
            let _ = (flag(&text), mode(&text), fit(&text), format(&text), quality(&text));
            let _ = (preload(&text), filename(&text), shown(&text));
        }
    }
}
