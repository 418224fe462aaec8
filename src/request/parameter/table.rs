//! The rows, in the order of the documents. What a row promises is held to the parser by tests.

use super::{Alias, Dialect, Effect, Parameter, Row, Sense};
use crate::prose::Prose;

/// Every parameter, in the order of the documents.
pub static TABLE: &[Row] = &[
    Row {
        parameter: Parameter::Width,
        name: "width",
        aliases: &[own("w")],
        values: Prose::new("pixels, 10 to 2000"),
        effect: Effect::Recipe,
        meaning: Prose::new("Width of the picture."),
    },
    Row {
        parameter: Parameter::Height,
        name: "height",
        aliases: &[own("h")],
        values: Prose::new("pixels, 10 to 2000"),
        effect: Effect::Recipe,
        meaning: Prose::new("Height of the picture."),
    },
    Row {
        parameter: Parameter::Mode,
        name: "mode",
        aliases: &[],
        values: Prose::new("`video`, `frame`, `spritesheet`, `audio`"),
        effect: Effect::Recipe,
        meaning: Prose::new(
            "What is made of the video; without it `format` decides, else `video`.",
        ),
    },
    Row {
        parameter: Parameter::Fit,
        name: "fit",
        aliases: &[akamai("obj-fit")],
        values: Prose::new(
            "`contain`, `scale-down`, `cover`; `crop` is `cover`, `fill` is `contain`",
        ),
        effect: Effect::Recipe,
        meaning: Prose::new("How the picture meets a box of another shape; `contain` by default."),
    },
    Row {
        parameter: Parameter::Audio,
        name: "audio",
        aliases: &[MUTE],
        values: Prose::new("`true`, `false`, `1`, `0`, `yes`, `no`"),
        effect: Effect::Recipe,
        meaning: Prose::new("Whether a video keeps its sound; `true` by default."),
    },
    Row {
        parameter: Parameter::Format,
        name: "format",
        aliases: &[own("f"), akamai("imformat")],
        values: Prose::new("`mp4` (`h264`), `jpg` (`jpeg`), `png`, `m4a`"),
        effect: Effect::Recipe,
        meaning: Prose::new(
            "File format; without a `mode`, `m4a` makes audio and `jpg` or `png` a frame.",
        ),
    },
    Row {
        parameter: Parameter::Quality,
        name: "quality",
        aliases: &[own("q")],
        values: Prose::new("`low`, `medium`, `high`, `auto`"),
        effect: Effect::Recipe,
        meaning: Prose::new(
            "Caps the resolution; `auto` lets the viewer's device choose it instead of a preset.",
        ),
    },
    Row {
        parameter: Parameter::Time,
        name: "time",
        aliases: &[own("start")],
        values: Prose::new("0 to 10m, as in `5`, `5s`, `1.5s`, `3500ms`, `2m`"),
        effect: Effect::Recipe,
        meaning: Prose::new("Where the rendition starts, or the moment of a frame."),
    },
    Row {
        parameter: Parameter::Duration,
        name: "duration",
        aliases: &[own("dur")],
        values: Prose::new("1s to 60s, spelled like `time`"),
        effect: Effect::Recipe,
        meaning: Prose::new("How long the rendition is; to the end by default."),
    },
    Row {
        parameter: Parameter::ImageCount,
        name: "imageCount",
        aliases: &[],
        values: Prose::new("1 to 100"),
        effect: Effect::Recipe,
        meaning: Prose::new("Pictures on a spritesheet."),
    },
    Row {
        parameter: Parameter::Derivative,
        name: "derivative",
        aliases: &[akamai("impolicy")],
        values: Prose::new("the name of a preset"),
        effect: Effect::Recipe,
        meaning: Prose::new("Takes what is not asked from a preset of the configuration."),
    },
    Row {
        parameter: Parameter::Dpr,
        name: "dpr",
        aliases: &[akamai("imdensity")],
        values: Prose::new("0.1 to 4"),
        effect: Effect::Sizing,
        meaning: Prose::new("Multiplies the size that is asked, preset or chosen."),
    },
    Row {
        parameter: Parameter::ImWidth,
        name: "imwidth",
        aliases: &[],
        values: Prose::new("pixels, 1 to 16384"),
        effect: Effect::Sizing,
        meaning: Prose::new(
            "Akamai: the smallest configured size at least this wide, else the largest.",
        ),
    },
    Row {
        parameter: Parameter::ImHeight,
        name: "imheight",
        aliases: &[],
        values: Prose::new("pixels, 1 to 16384"),
        effect: Effect::Sizing,
        meaning: Prose::new(
            "Akamai: the smallest configured size at least this high, else the largest.",
        ),
    },
    Row {
        parameter: Parameter::ViewWidth,
        name: "im-viewwidth",
        aliases: &[],
        values: Prose::new("pixels, 1 to 16384"),
        effect: Effect::Sizing,
        meaning: Prose::new("Akamai: the viewport's width, instead of the client hint."),
    },
    Row {
        parameter: Parameter::ViewHeight,
        name: "im-viewheight",
        aliases: &[],
        values: Prose::new("pixels, 1 to 16384"),
        effect: Effect::Sizing,
        meaning: Prose::new(
            "Akamai: the viewport's height; a 16:9 picture is not wider than it allows.",
        ),
    },
    Row {
        parameter: Parameter::ViewDensity,
        name: "im-density",
        aliases: &[],
        values: Prose::new("0.1 to 4"),
        effect: Effect::Sizing,
        meaning: Prose::new("Akamai: the screen's pixel ratio, instead of the client hint."),
    },
    Row {
        parameter: Parameter::Filename,
        name: "filename",
        aliases: &[],
        values: Prose::new("letters, digits, `.`, `-`, `_`, at most 120"),
        effect: Effect::Header,
        meaning: Prose::new("Name of the file when it is saved."),
    },
    Row {
        parameter: Parameter::Loop,
        name: "loop",
        aliases: &[],
        values: Prose::new("like `audio`; empty is yes"),
        effect: Effect::Header,
        meaning: Prose::new("Tells the player, in `X-Playback-Loop`."),
    },
    Row {
        parameter: Parameter::Autoplay,
        name: "autoplay",
        aliases: &[],
        values: Prose::new("like `audio`; empty is yes"),
        effect: Effect::Header,
        meaning: Prose::new("Tells the player, in `X-Playback-Autoplay`."),
    },
    Row {
        parameter: Parameter::Muted,
        name: "muted",
        aliases: &[],
        values: Prose::new("like `audio`; empty is yes"),
        effect: Effect::Header,
        meaning: Prose::new(
            "Tells the player, in `X-Playback-Muted`; `mute` takes the sound away.",
        ),
    },
    Row {
        parameter: Parameter::Preload,
        name: "preload",
        aliases: &[],
        values: Prose::new("`none`, `metadata`, `auto`"),
        effect: Effect::Header,
        meaning: Prose::new("Tells the player, in `X-Playback-Preload`."),
    },
    Row {
        parameter: Parameter::Debug,
        name: "debug",
        aliases: &[],
        values: Prose::new("`view`"),
        effect: Effect::Reserved,
        meaning: Prose::new("Shows the decision instead of the video, to those who may see it."),
    },
    signature("exp", "seconds since 1970", "When a signed URL ends."),
    signature("kid", "the id of a key", "The key that signed the URL."),
    signature(
        "sig",
        "43 letters, digits, `-`, `_`",
        "Signature of the URL, where its origin asks for one.",
    ),
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
        values: Prose::new("any"),
        effect: Effect::Refused(NO_OPTION),
        meaning: Prose::new(meaning),
    }
}

const fn signature(name: &'static str, values: &'static str, meaning: &'static str) -> Row {
    let (parameter, effect) = (Parameter::Signature, Effect::Reserved);
    let (values, meaning) = (Prose::new(values), Prose::new(meaning));
    Row { parameter, name, aliases: &[], values, effect, meaning }
}

const fn ignored(name: &'static str, reason: &'static str, meaning: &'static str) -> Row {
    Row {
        parameter: Parameter::Unsupported,
        name,
        aliases: &[],
        values: Prose::new("any"),
        effect: Effect::Ignored(reason),
        meaning: Prose::new(meaning),
    }
}
