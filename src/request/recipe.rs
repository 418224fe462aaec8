//! The canonical form of a rendition: two requests for the same bytes have the same recipe.

use std::fmt::{self, Write};

/// Everything that can change the bytes of a rendition, and nothing else.
///
/// A `Recipe` in hand is valid: sizes and times are within [`crate::limits`],
/// options that mean nothing in its mode are absent, defaults have one spelling.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct Recipe {
    /// What is made of the video.
    pub mode: Mode,
    /// Pixels, 10 to 2,000; never in audio mode.
    pub width: Option<u16>,
    /// Pixels, 10 to 2,000; never in audio mode.
    pub height: Option<u16>,
    /// How the picture meets the box; [`Fit::Contain`] where there is no box.
    pub fit: Fit,
    /// Whether sound is kept; always `true` outside video mode.
    pub audio: bool,
    /// The file format, spelled out even where it is the mode's default.
    pub format: Format,
    /// Where it starts, in milliseconds; 0 is the beginning.
    pub time_ms: u32,
    /// How long it is, in milliseconds; `None` is to the end, never in frame mode.
    pub duration_ms: Option<u32>,
    /// The quality that was asked by name and has already capped `width` and `height`.
    pub quality: Option<Quality>,
    /// Pictures on a spritesheet.
    pub image_count: Option<u16>,
}

/// What is made of the video.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Mode {
    /// An MP4 with H.264 and AAC.
    Video,
    /// One still picture.
    Frame,
    /// Many small pictures in one JPEG.
    Spritesheet,
    /// The sound alone, as M4A.
    Audio,
}

/// How the picture meets a box of another shape.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Fit {
    /// As large as fits inside.
    Contain,
    /// The same, never enlarged.
    ScaleDown,
    /// Fills the box, cropped.
    Cover,
}

/// The file format of a rendition.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Format {
    /// Video.
    Mp4,
    /// Frame or spritesheet.
    Jpg,
    /// Frame.
    Png,
    /// Audio.
    M4a,
}

/// A resolution asked by name; the table is configuration.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Quality {
    /// The smallest picture.
    Low,
    /// In between.
    Medium,
    /// The largest picture.
    High,
}

/// One option of a recipe as it is written down.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct SpelledOption {
    /// Its name in keys: `w`.
    pub key: &'static str,
    /// Its name in URLs: `width`.
    pub parameter: &'static str,
    /// What it is.
    pub value: Spelling,
}

/// The value of an option. As text it is letters, digits and hyphens only: it needs no escaping anywhere.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Spelling {
    /// One word of several.
    Word(&'static str),
    /// Pixels or pictures.
    Number(u16),
    /// Milliseconds: `5s` where they are whole seconds, else `1500ms`.
    Time(u32),
}

impl Spelling {
    /// Writes `name=value` behind a text.
    pub fn assign(self, name: &str, text: &mut String) {
        text.push_str(name);
        text.push('=');
        match self {
            Self::Word(word) => text.push_str(word),
            Self::Number(_) | Self::Time(_) => {
                // Writing to a `String` cannot fail.
                let _ = write!(text, "{self}");
            }
        }
    }
}

impl fmt::Display for Spelling {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        match *self {
            Self::Word(word) => out.write_str(word),
            Self::Number(number) => write!(out, "{number}"),
            Self::Time(ms) if ms.is_multiple_of(1_000) => write!(out, "{}s", ms / 1_000),
            Self::Time(ms) => write!(out, "{ms}ms"),
        }
    }
}

impl Recipe {
    /// Every option in its one order and spelling; what is default is left out, but never the format.
    ///
    /// Two different recipes have different options. They are stored in keys:
    /// a change here makes every kept rendition a stranger.
    pub fn options(&self) -> impl Iterator<Item = SpelledOption> + use<> {
        let Self {
            mode,
            width,
            height,
            fit,
            audio,
            format,
            time_ms,
            duration_ms,
            quality,
            image_count,
        } = *self;
        let word = |word| Some(Spelling::Word(word));
        [
            ("mode", "mode", word(mode.as_str()).filter(|_| mode != Mode::Video)),
            ("w", "width", width.map(Spelling::Number)),
            ("h", "height", height.map(Spelling::Number)),
            ("fit", "fit", word(fit.as_str()).filter(|_| fit != Fit::Contain)),
            ("f", "format", word(format.as_str())),
            ("q", "quality", quality.map(|quality| Spelling::Word(quality.as_str()))),
            ("t", "time", (time_ms != 0).then_some(Spelling::Time(time_ms))),
            ("d", "duration", duration_ms.map(Spelling::Time)),
            ("a", "audio", word("false").filter(|_| !audio)),
            ("n", "imageCount", image_count.map(Spelling::Number)),
        ]
        .into_iter()
        .filter_map(|(key, parameter, value)| Some(SpelledOption { key, parameter, value: value? }))
    }

    /// The options as a URL query: `width=640&height=360&format=mp4`.
    ///
    /// Asked again of a configuration without presets, ladders or an origin's quality, it gives this recipe;
    /// only a recipe without a size may be given one by responsive sizing.
    pub fn canonical_query(&self) -> String {
        let mut query = String::with_capacity(64);
        for SpelledOption { parameter, value, .. } in self.options() {
            if !query.is_empty() {
                query.push('&');
            }
            value.assign(parameter, &mut query);
        }
        query
    }
}

impl Mode {
    /// Every mode.
    pub const ALL: [Self; 4] = [Self::Video, Self::Frame, Self::Spritesheet, Self::Audio];

    /// The word of the URL API and of the transformation.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Video => "video",
            Self::Frame => "frame",
            Self::Spritesheet => "spritesheet",
            Self::Audio => "audio",
        }
    }

    /// The formats it can be made in, its default first.
    pub const fn formats(self) -> &'static [Format] {
        match self {
            Self::Video => &[Format::Mp4],
            Self::Frame => &[Format::Jpg, Format::Png],
            Self::Spritesheet => &[Format::Jpg],
            Self::Audio => &[Format::M4a],
        }
    }

    /// The format made when none is asked.
    pub const fn default_format(self) -> Format {
        match self {
            Self::Video => Format::Mp4,
            Self::Frame | Self::Spritesheet => Format::Jpg,
            Self::Audio => Format::M4a,
        }
    }
}

impl Fit {
    /// Every fit.
    pub const ALL: [Self; 3] = [Self::Contain, Self::ScaleDown, Self::Cover];

    /// The word of the URL API and of the transformation.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Contain => "contain",
            Self::ScaleDown => "scale-down",
            Self::Cover => "cover",
        }
    }
}

impl Format {
    /// Every format.
    pub const ALL: [Self; 4] = [Self::Mp4, Self::Jpg, Self::Png, Self::M4a];

    /// The word of the URL API and of the transformation.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Mp4 => "mp4",
            Self::Jpg => "jpg",
            Self::Png => "png",
            Self::M4a => "m4a",
        }
    }

    /// What a viewer means who asks this format and no mode.
    pub const fn natural_mode(self) -> Mode {
        match self {
            Self::Mp4 => Mode::Video,
            Self::Jpg | Self::Png => Mode::Frame,
            Self::M4a => Mode::Audio,
        }
    }

    /// The media type a rendition of this format must have.
    pub const fn content_type(self) -> &'static str {
        match self {
            Self::Mp4 => "video/mp4",
            Self::Jpg => "image/jpeg",
            Self::Png => "image/png",
            Self::M4a => "audio/mp4",
        }
    }
}

impl Quality {
    /// Every quality.
    pub const ALL: [Self; 3] = [Self::Low, Self::Medium, Self::High];

    /// The word of the URL API.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Low => "low",
            Self::Medium => "medium",
            Self::High => "high",
        }
    }
}
