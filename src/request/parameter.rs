//! Every parameter of the URL API, once: its names in every dialect, its values, what it does.
//!
//! The README's table is [`markdown_table`], and [`super::given`] reads requests by [`find`]:
//! a parameter cannot be read and not documented, or documented and not read.

use std::fmt::Write;

/// A parameter, whatever it is called in a dialect.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
#[allow(missing_docs, reason = "each is described by its row of the table")]
pub enum Parameter {
    Width,
    Height,
    Mode,
    Fit,
    Audio,
    Format,
    Quality,
    Time,
    Duration,
    ImageCount,
    Derivative,
    Dpr,
    ImWidth,
    ImHeight,
    ViewWidth,
    ViewHeight,
    ViewDensity,
    Filename,
    Loop,
    Autoplay,
    Muted,
    Preload,
    Debug,
    Unsupported,
}

/// One row of the table.
#[derive(Debug)]
pub struct Row {
    /// Which parameter.
    pub parameter: Parameter,
    /// The name in documents, messages and canonical URLs.
    pub name: &'static str,
    /// Its other names.
    pub aliases: &'static [Alias],
    /// The values it takes, for people.
    pub values: &'static str,
    /// What becomes of it.
    pub effect: Effect,
    /// What it does, in one sentence, for people.
    pub meaning: &'static str,
}

/// Another name of a parameter.
#[derive(Debug, Clone, Copy)]
pub struct Alias {
    /// The name.
    pub name: &'static str,
    /// Where it comes from.
    pub dialect: Dialect,
    /// Whether it says the opposite: `mute` is `audio` inverted.
    pub sense: Sense,
}

/// Where a name comes from. The order is the order of authority.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Dialect {
    /// The canonical names and the short forms of the first video-resizer.
    Own,
    /// Akamai Image and Video Manager. Where a name of ours says something else, ours wins.
    Akamai,
}

/// Whether a name says what its parameter says.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Sense {
    /// The same.
    Same,
    /// Yes means no.
    Inverted,
}

/// What becomes of a parameter.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Effect {
    /// It is part of the recipe, so of the key.
    Recipe,
    /// It helps to choose a size; the size is part of the recipe.
    Sizing,
    /// It changes a header of the answer and no byte of the video.
    Header,
    /// It is the operator's: never part of a recipe.
    Reserved,
    /// It changes nothing, with the reason as a warning.
    Ignored(&'static str),
    /// It is answered 400 with the reason, or ignored with a warning where the configuration is lenient.
    Refused(&'static str),
}

/// A row of the table and the name by which it was found.
#[derive(Debug, Clone, Copy)]
pub struct Found {
    /// The row.
    pub row: &'static Row,
    /// The dialect of the name.
    pub dialect: Dialect,
    /// Whether the name inverts the value.
    pub sense: Sense,
}

/// The row of a name, in any case; `None` for a name that means nothing here, like `utm_source`.
pub fn find(name: &str) -> Option<Found> {
    TABLE.iter().find_map(|row| {
        if row.name.eq_ignore_ascii_case(name) {
            return Some(Found { row, dialect: Dialect::Own, sense: Sense::Same });
        }
        let alias = row.aliases.iter().find(|alias| alias.name.eq_ignore_ascii_case(name))?;
        Some(Found { row, dialect: alias.dialect, sense: alias.sense })
    })
}

/// The table as Markdown, for the README.
pub fn markdown_table() -> String {
    let mut table =
        String::from("| parameter | also | values | what it does |\n|---|---|---|---|\n");
    for row in TABLE {
        let aliases: Vec<_> = row.aliases.iter().map(Alias::markdown).collect();
        let fate = match row.effect {
            Effect::Recipe | Effect::Sizing | Effect::Header | Effect::Reserved => String::new(),
            Effect::Ignored(reason) => format!(" Ignored with a warning: {reason}."),
            Effect::Refused(reason) => format!(" Refused: {reason}."),
        };
        // Writing to a `String` cannot fail.
        let _ = writeln!(
            table,
            "| `{}` | {} | {} | {}{fate} |",
            row.name,
            aliases.join(", "),
            row.values,
            row.meaning
        );
    }
    table
}

impl Alias {
    fn markdown(&self) -> String {
        let inverted = match self.sense {
            Sense::Same => "",
            Sense::Inverted => " (inverted)",
        };
        let dialect = match self.dialect {
            Dialect::Own => "",
            Dialect::Akamai => " (Akamai)",
        };
        format!("`{}`{inverted}{dialect}", self.name)
    }
}

const fn own(name: &'static str) -> Alias {
    Alias { name, dialect: Dialect::Own, sense: Sense::Same }
}

const fn akamai(name: &'static str) -> Alias {
    Alias { name, dialect: Dialect::Akamai, sense: Sense::Same }
}

const MUTE: Alias = Alias { name: "mute", dialect: Dialect::Own, sense: Sense::Inverted };

const NO_OPTION: &str = "the platform has no such option";
const NO_PICTURE_FILTER: &str = "it is for still images and has no meaning for video";

const fn refused(name: &'static str, meaning: &'static str) -> Row {
    Row {
        parameter: Parameter::Unsupported,
        name,
        aliases: &[],
        values: "any",
        effect: Effect::Refused(NO_OPTION),
        meaning,
    }
}

const fn ignored(name: &'static str, reason: &'static str, meaning: &'static str) -> Row {
    Row {
        parameter: Parameter::Unsupported,
        name,
        aliases: &[],
        values: "any",
        effect: Effect::Ignored(reason),
        meaning,
    }
}

/// Every parameter, in the order of the documents.
pub static TABLE: &[Row] = &[
    Row {
        parameter: Parameter::Width,
        name: "width",
        aliases: &[own("w")],
        values: "pixels, 10 to 2000",
        effect: Effect::Recipe,
        meaning: "Width of the picture.",
    },
    Row {
        parameter: Parameter::Height,
        name: "height",
        aliases: &[own("h")],
        values: "pixels, 10 to 2000",
        effect: Effect::Recipe,
        meaning: "Height of the picture.",
    },
    Row {
        parameter: Parameter::Mode,
        name: "mode",
        aliases: &[],
        values: "`video`, `frame`, `spritesheet`, `audio`",
        effect: Effect::Recipe,
        meaning: "What is made of the video; without it `format` decides, else `video`.",
    },
    Row {
        parameter: Parameter::Fit,
        name: "fit",
        aliases: &[akamai("obj-fit")],
        values: "`contain`, `scale-down`, `cover`; `crop` is `cover`, `fill` is `contain`",
        effect: Effect::Recipe,
        meaning: "How the picture meets a box of another shape; `contain` by default.",
    },
    Row {
        parameter: Parameter::Audio,
        name: "audio",
        aliases: &[MUTE],
        values: "`true`, `false`, `1`, `0`, `yes`, `no`",
        effect: Effect::Recipe,
        meaning: "Whether a video keeps its sound; `true` by default.",
    },
    Row {
        parameter: Parameter::Format,
        name: "format",
        aliases: &[own("f"), akamai("imformat")],
        values: "`mp4` (`h264`), `jpg` (`jpeg`), `png`, `m4a`",
        effect: Effect::Recipe,
        meaning: "File format; without a `mode`, `m4a` makes audio and `jpg` or `png` a frame.",
    },
    Row {
        parameter: Parameter::Quality,
        name: "quality",
        aliases: &[own("q")],
        values: "`low`, `medium`, `high`, `auto`",
        effect: Effect::Recipe,
        meaning: "Caps the resolution; `auto` lets the viewer's device choose it instead of a preset.",
    },
    Row {
        parameter: Parameter::Time,
        name: "time",
        aliases: &[own("start")],
        values: "0 to 10m, as in `5`, `5s`, `1.5s`, `3500ms`, `2m`",
        effect: Effect::Recipe,
        meaning: "Where the rendition starts, or the moment of a frame.",
    },
    Row {
        parameter: Parameter::Duration,
        name: "duration",
        aliases: &[own("dur")],
        values: "1s to 60s, spelled like `time`",
        effect: Effect::Recipe,
        meaning: "How long the rendition is; to the end by default.",
    },
    Row {
        parameter: Parameter::ImageCount,
        name: "imageCount",
        aliases: &[],
        values: "1 to 1000",
        effect: Effect::Recipe,
        meaning: "Pictures on a spritesheet.",
    },
    Row {
        parameter: Parameter::Derivative,
        name: "derivative",
        aliases: &[akamai("impolicy")],
        values: "the name of a preset",
        effect: Effect::Recipe,
        meaning: "Takes what is not asked from a preset of the configuration.",
    },
    Row {
        parameter: Parameter::Dpr,
        name: "dpr",
        aliases: &[akamai("imdensity")],
        values: "0.1 to 4",
        effect: Effect::Sizing,
        meaning: "Multiplies the size that is asked, preset or chosen.",
    },
    Row {
        parameter: Parameter::ImWidth,
        name: "imwidth",
        aliases: &[],
        values: "pixels, 1 to 16384",
        effect: Effect::Sizing,
        meaning: "Akamai: the smallest configured size at least this wide, else the largest.",
    },
    Row {
        parameter: Parameter::ImHeight,
        name: "imheight",
        aliases: &[],
        values: "pixels, 1 to 16384",
        effect: Effect::Sizing,
        meaning: "Akamai: the smallest configured size at least this high, else the largest.",
    },
    Row {
        parameter: Parameter::ViewWidth,
        name: "im-viewwidth",
        aliases: &[],
        values: "pixels, 1 to 16384",
        effect: Effect::Sizing,
        meaning: "Akamai: the viewport's width, instead of the client hint.",
    },
    Row {
        parameter: Parameter::ViewHeight,
        name: "im-viewheight",
        aliases: &[],
        values: "pixels, 1 to 16384",
        effect: Effect::Sizing,
        meaning: "Akamai: the viewport's height; a 16:9 picture is not wider than it allows.",
    },
    Row {
        parameter: Parameter::ViewDensity,
        name: "im-density",
        aliases: &[],
        values: "0.1 to 4",
        effect: Effect::Sizing,
        meaning: "Akamai: the screen's pixel ratio, instead of the client hint.",
    },
    Row {
        parameter: Parameter::Filename,
        name: "filename",
        aliases: &[],
        values: "letters, digits, `.`, `-`, `_`, at most 120",
        effect: Effect::Header,
        meaning: "Name of the file when it is saved.",
    },
    Row {
        parameter: Parameter::Loop,
        name: "loop",
        aliases: &[],
        values: "like `audio`; empty is yes",
        effect: Effect::Header,
        meaning: "Tells the player, in `X-Playback-Loop`.",
    },
    Row {
        parameter: Parameter::Autoplay,
        name: "autoplay",
        aliases: &[],
        values: "like `audio`; empty is yes",
        effect: Effect::Header,
        meaning: "Tells the player, in `X-Playback-Autoplay`.",
    },
    Row {
        parameter: Parameter::Muted,
        name: "muted",
        aliases: &[],
        values: "like `audio`; empty is yes",
        effect: Effect::Header,
        meaning: "Tells the player, in `X-Playback-Muted`; `mute` takes the sound away.",
    },
    Row {
        parameter: Parameter::Preload,
        name: "preload",
        aliases: &[],
        values: "`none`, `metadata`, `auto`",
        effect: Effect::Header,
        meaning: "Tells the player, in `X-Playback-Preload`.",
    },
    Row {
        parameter: Parameter::Debug,
        name: "debug",
        aliases: &[],
        values: "`view`",
        effect: Effect::Reserved,
        meaning: "Shows the decision instead of the video, to those who may see it.",
    },
    ignored(
        "compression",
        "the platform has no such option; quality caps the resolution",
        "Compression of the first video-resizer.",
    ),
    ignored(
        "imref",
        "it is advice to Akamai's policies, and there are none here",
        "Akamai: reference values of a policy.",
    ),
    ignored("im-palette", NO_PICTURE_FILTER, "Akamai: palette."),
    ignored("im-colorspace", NO_PICTURE_FILTER, "Akamai: colour space."),
    ignored("composite", NO_PICTURE_FILTER, "Akamai: overlay."),
    ignored("layer", NO_PICTURE_FILTER, "Akamai: overlay."),
    refused("fps", "Frames per second."),
    refused("speed", "Playback speed."),
    refused("rotate", "Rotation."),
    refused("crop", "A part of the picture; `fit=cover` crops to a box."),
    refused("bitrate", "Bits per second; `quality` caps the resolution."),
];

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]

    use std::collections::BTreeSet;

    use super::*;
    use crate::limits;

    #[test]
    fn every_name_is_one_row_s_alone() {
        let names: Vec<_> = TABLE
            .iter()
            .flat_map(|row| {
                std::iter::once(row.name).chain(row.aliases.iter().map(|alias| alias.name))
            })
            .map(str::to_ascii_lowercase)
            .collect();
        let unique: BTreeSet<_> = names.iter().collect();
        assert_eq!(unique.len(), names.len());
    }

    #[test]
    fn every_name_of_the_predecessors_is_known() {
        for name in [
            "width",
            "w",
            "height",
            "h",
            "mode",
            "fit",
            "obj-fit",
            "audio",
            "mute",
            "format",
            "f",
            "imformat",
            "time",
            "start",
            "duration",
            "dur",
            "quality",
            "q",
            "compression",
            "filename",
            "derivative",
            "impolicy",
            "imageCount",
            "imagecount",
            "loop",
            "autoplay",
            "muted",
            "preload",
            "dpr",
            "imdensity",
            "imwidth",
            "imheight",
            "imref",
            "im-viewwidth",
            "im-viewheight",
            "im-density",
            "fps",
            "speed",
            "rotate",
            "crop",
            "bitrate",
            "debug",
        ] {
            assert!(find(name).is_some(), "{name}");
            assert!(find(&name.to_ascii_uppercase()).is_some(), "{name}");
        }
        assert!(find("utm_source").is_none());
        assert!(find("").is_none());
    }

    #[test]
    fn the_bounds_that_are_documented_are_the_bounds_that_are_kept() {
        let values = |name: &str| find(name).unwrap().row.values;
        let sides = format!("pixels, {} to {}", limits::SIDE_PX_MIN, limits::SIDE_PX_MAX);
        assert_eq!((values("width"), values("height")), (sides.as_str(), sides.as_str()));
        let minutes = limits::TIME_MS_MAX / 60_000;
        assert!(values("time").starts_with(&format!("0 to {minutes}m,")));
        let (min, max) = (limits::DURATION_MS_MIN / 1_000, limits::DURATION_MS_MAX / 1_000);
        assert!(values("duration").starts_with(&format!("{min}s to {max}s,")));
        assert_eq!(values("imageCount"), format!("1 to {}", limits::IMAGE_COUNT_MAX));
        let viewport = format!("pixels, 1 to {}", limits::VIEWPORT_PX_MAX);
        for name in ["imwidth", "imheight", "im-viewwidth", "im-viewheight"] {
            assert_eq!(values(name), viewport);
        }
        assert!(values("filename").ends_with(&format!("at most {}", limits::FILENAME_CHARS_MAX)));
        let ratio = format!(
            "0.{} to {}",
            limits::DPR_THOUSANDTHS_MIN / 100,
            limits::DPR_THOUSANDTHS_MAX / 1_000
        );
        assert_eq!((values("dpr"), values("im-density")), (ratio.as_str(), ratio.as_str()));
    }

    #[test]
    fn the_documents_show_every_row_whole() {
        let table = markdown_table();
        assert_eq!(table.lines().count(), TABLE.len() + 2);
        assert!(table.lines().all(|line| line.matches('|').count() == 5), "{table}");
        let audio = "| `audio` | `mute` (inverted) | `true`, `false`, `1`, `0`, `yes`, `no` | \
                     Whether a video keeps its sound; `true` by default. |";
        let fps = "| `fps` |  | any | Frames per second. \
                   Refused: the platform has no such option. |";
        assert!(table.contains(audio) && table.contains(fps), "{table}");
        assert!(table.contains("`f`, `imformat` (Akamai)"));
    }
}
