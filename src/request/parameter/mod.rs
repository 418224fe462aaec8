//! Every parameter of the URL API, once: its names in every dialect, its values, what it does.
//!
//! The README's table is `markdown_table`, and a request is read by [`find`]:
//! a parameter cannot be read and not documented, or documented and not read.

mod table;

#[cfg(not(target_family = "wasm"))]
use std::fmt::Write;

pub use table::TABLE;

use crate::prose::Prose;

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
    Signature,
    Unsupported,
}

impl Parameter {
    /// The first of its names; of those that are several rows, that of the first row.
    pub fn name(self) -> &'static str {
        TABLE.iter().find(|row| row.parameter == self).map_or("", |row| row.name)
    }
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
    pub values: Prose,
    /// What becomes of it.
    pub effect: Effect,
    /// What it does, in one sentence, for people.
    pub meaning: Prose,
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
    /// It is about the request, not about the video: never part of a recipe.
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
#[cfg(not(target_family = "wasm"))]
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

#[cfg(not(target_family = "wasm"))]
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

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]

    use std::collections::BTreeSet;

    use super::*;
    use crate::{config::Config, limits};

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
    fn the_bounds_that_are_documented_are_those_of_the_default_configuration() {
        let values = |name: &str| find(name).unwrap().row.values.as_str();
        let kept = Config::defaults().limits;
        let side = |max: u16| format!("pixels, {} to {max}", limits::SIDE_PX_MIN);
        assert_eq!(values("width"), side(kept.width_max));
        assert_eq!(values("height"), side(kept.height_max));
        let minutes = kept.time_ms_max / 60_000;
        assert!(values("time").starts_with(&format!("0 to {minutes}m,")));
        let (min, max) = (limits::DURATION_MS_MIN / 1_000, kept.duration_ms_max / 1_000);
        assert!(values("duration").starts_with(&format!("{min}s to {max}s,")));
        assert_eq!(values("imageCount"), format!("1 to {}", kept.image_count_max));
        let viewport = format!("pixels, 1 to {}", limits::VIEWPORT_PX_MAX);
        for name in ["imwidth", "imheight", "im-viewwidth", "im-viewheight"] {
            assert_eq!(values(name), viewport);
        }
        assert!(values("filename").ends_with(&format!("at most {}", limits::FILENAME_CHARS_MAX)));
        let (min, max) = (limits::DPR_THOUSANDTHS_MIN / 100, limits::DPR_THOUSANDTHS_MAX / 1_000);
        let ratio = format!("0.{min} to {max}");
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
