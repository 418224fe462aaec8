//! The samples by name: shipped, put there by somebody, or generated when first asked for.

use std::io;
use std::path::{Component, Path, PathBuf};
use std::sync::Arc;

use percent_encoding::percent_decode_str;

use crate::ffmpeg::{Ffmpeg, Pattern, RunError, SAMPLE_TIMEOUT, sample_arguments};
use crate::flights::Flights;
use crate::geometry::Size;
use crate::scratch::Scratch;

/// A decoded relative path that stays inside its directory.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct SampleName(PathBuf);

impl SampleName {
    /// Reads the part of a URL path after `/videos/`; `None` when it could lead elsewhere.
    pub(crate) fn parse(encoded: &str) -> Option<Self> {
        let decoded = percent_decode_str(encoded).decode_utf8().ok()?;
        let hidden_or_odd = |part: &str| part.is_empty() || part.starts_with('.');
        if decoded.len() > NAME_BYTES_MAX
            || decoded.contains(['\0', '\\'])
            || decoded.split('/').any(hidden_or_odd)
        {
            return None;
        }
        let path = PathBuf::from(decoded.as_ref());
        path.components()
            .all(|component| matches!(component, Component::Normal(_)))
            .then_some(Self(path))
    }

    /// The media type its extension promises.
    pub(crate) fn content_type(&self) -> &'static str {
        match self.0.extension().and_then(|extension| extension.to_str()) {
            Some("mp4" | "m4v") => "video/mp4",
            Some("mov") => "video/quicktime",
            Some("webm") => "video/webm",
            Some("gif") => "image/gif",
            Some("jpg" | "jpeg") => "image/jpeg",
            Some("png") => "image/png",
            Some("m4a") => "audio/mp4",
            Some("html") => "text/html; charset=utf-8",
            Some("txt") => "text/plain; charset=utf-8",
            Some(_) | None => "application/octet-stream",
        }
    }
}

/// Where samples are and how new ones come to be.
#[derive(Debug)]
pub(crate) struct Samples {
    put: PathBuf,
    shipped: PathBuf,
    generated: PathBuf,
    scratch: Arc<Scratch>,
    ffmpeg: Arc<Ffmpeg>,
    flights: Flights,
}

impl Samples {
    /// Opens the samples under `state_dir`, the shipped one unpacked.
    pub(crate) fn open(
        state_dir: &Path,
        scratch: Arc<Scratch>,
        ffmpeg: Arc<Ffmpeg>,
    ) -> io::Result<Self> {
        let shipped = state_dir.join("shipped");
        std::fs::create_dir_all(&shipped)?;
        for (name, bytes) in SHIPPED {
            let path = shipped.join(name);
            // Left alone when it is there, so that its Last-Modified stays.
            if std::fs::read(&path).ok().as_deref() != Some(*bytes) {
                std::fs::write(&path, bytes)?;
            }
        }
        Ok(Self {
            put: state_dir.join("samples"),
            generated: state_dir.join("generated"),
            shipped,
            scratch,
            ffmpeg,
            flights: Flights::default(),
        })
    }

    /// The file of `name`, generated if need be; `None` when there is none.
    pub(crate) async fn find(
        self: &Arc<Self>,
        name: &SampleName,
    ) -> Result<Option<PathBuf>, RunError> {
        for dir in [&self.put, &self.shipped] {
            let path = dir.join(&name.0);
            if tokio::fs::metadata(&path).await.is_ok_and(|found| found.is_file()) {
                return Ok(Some(path));
            }
        }
        let Some(sample) = Generated::parse(&name.0) else { return Ok(None) };
        let samples = Arc::clone(self);
        // A task of its own: a client that leaves does not undo the work for the next one.
        tokio::spawn(async move { samples.generated(sample).await })
            .await
            .map_err(|error| RunError::NotStarted(io::Error::other(error)))?
            .map(Some)
    }

    /// Where somebody's own file of this name is kept; it goes before any other.
    pub(crate) fn place(&self, name: &SampleName) -> PathBuf {
        self.put.join(&name.0)
    }

    async fn generated(&self, sample: Generated) -> Result<PathBuf, RunError> {
        let name = sample.file_name();
        let path = self.generated.join(&name);
        let _turn = self.flights.turn(&name).await;
        if tokio::fs::metadata(&path).await.is_ok() {
            return Ok(path);
        }
        let making = self.scratch.file("mp4");
        let Generated { pattern, length_s, size } = sample;
        let arguments = sample_arguments(pattern, length_s, size, making.path());
        self.ffmpeg.run(arguments, SAMPLE_TIMEOUT).await?;
        making.publish(&path).await.map_err(RunError::NotStarted)?;
        Ok(path)
    }
}

/// A sample that ffmpeg makes: `generated/[noise-]<seconds>s-<width>x<height>.mp4`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct Generated {
    pattern: Pattern,
    length_s: u32,
    size: Size,
}

impl Generated {
    fn parse(name: &Path) -> Option<Self> {
        let name = name.to_str()?.strip_prefix("generated/")?.strip_suffix(".mp4")?;
        let (pattern, rest, length_s_max) = match name.strip_prefix("noise-") {
            Some(rest) => (Pattern::Noise, rest, NOISE_S_MAX),
            None => (Pattern::Moving, name, MOVING_S_MAX),
        };
        let (length_s, size) = rest.split_once("s-")?;
        let (width, height) = size.split_once('x')?;
        let sample = Self {
            pattern,
            length_s: length_s.parse().ok()?,
            size: Size { width: width.parse().ok()?, height: height.parse().ok()? },
        };
        let even = |side: u32| side.is_multiple_of(2);
        let fits = (1..=length_s_max).contains(&sample.length_s)
            && (SIDE_MIN..=WIDTH_MAX).contains(&sample.size.width)
            && (SIDE_MIN..=HEIGHT_MAX).contains(&sample.size.height)
            && even(sample.size.width)
            && even(sample.size.height);
        // One spelling, one file: `+5s-…` and `05s-…` are not names.
        (fits && name == sample.file_name().strip_suffix(".mp4")?).then_some(sample)
    }

    fn file_name(self) -> String {
        let Self { pattern, length_s, size: Size { width, height } } = self;
        let prefix = match pattern {
            Pattern::Moving => "",
            Pattern::Noise => "noise-",
        };
        format!("{prefix}{length_s}s-{width}x{height}.mp4")
    }
}

/// In the binary, so that it runs from anywhere.
const SHIPPED: &[(&str, &[u8])] =
    &[("big-buck-bunny-720p-5s.mp4", include_bytes!("../samples/big-buck-bunny-720p-5s.mp4"))];
const NAME_BYTES_MAX: usize = 512;
/// The platform's longest source.
const MOVING_S_MAX: u32 = 600;
const NOISE_S_MAX: u32 = 60;
const SIDE_MIN: u32 = 16;
const WIDTH_MAX: u32 = 1920;
const HEIGHT_MAX: u32 = 1080;

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    #[test]
    fn a_name_cannot_leave_its_directory() {
        for name in [
            "",
            "/etc/passwd",
            "..",
            "a/../b",
            "%2e%2e/a",
            "a%2f..%2fb",
            "a//b",
            "a/",
            ".hidden",
            "a%00b",
            "a\\b",
            "%ff",
        ] {
            assert_eq!(SampleName::parse(name), None, "{name}");
        }
        assert!(SampleName::parse(&"a".repeat(513)).is_none());
        let name = SampleName::parse("nature/my%20clip.mp4").unwrap();
        assert_eq!(name.0, PathBuf::from("nature/my clip.mp4"));
        assert_eq!(name.content_type(), "video/mp4");
    }

    #[test]
    fn generated_names_are_bounded_and_have_one_spelling() {
        let sample = |name: &str| Generated::parse(&Path::new("generated").join(name));
        let noise = sample("noise-20s-1280x720.mp4").unwrap();
        assert_eq!((noise.pattern, noise.length_s), (Pattern::Noise, 20));
        assert_eq!(noise.size, Size { width: 1280, height: 720 });
        assert_eq!(sample("600s-1920x1080.mp4").unwrap().pattern, Pattern::Moving);
        for name in [
            "601s-640x360.mp4",
            "noise-61s-640x360.mp4",
            "0s-640x360.mp4",
            "5s-641x360.mp4",
            "5s-1922x1080.mp4",
            "5s-1920x1082.mp4",
            "05s-640x360.mp4",
            "+5s-640x360.mp4",
            "5s-640x360.mov",
            "5s-640.mp4",
        ] {
            assert_eq!(sample(name), None, "{name}");
        }
        assert_eq!(Generated::parse(Path::new("5s-640x360.mp4")), None);
    }
}
