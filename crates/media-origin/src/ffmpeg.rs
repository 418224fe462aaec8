//! ffmpeg and ffprobe as bounded, killable work.

use std::ffi::{OsStr, OsString};
use std::fmt;
use std::path::Path;
use std::process::Stdio;
use std::time::Duration;

use serde::Deserialize;
use tokio::process::Command;
use tokio::sync::Semaphore;

use crate::geometry::{Parity, Shape, Size};
use crate::options::{DURATION_MS_MAX, Options, Output, Picture};

/// The right to run ffmpeg, [`RUNS_MAX`] at a time; the others queue.
#[derive(Debug)]
pub(crate) struct Ffmpeg {
    runs: Semaphore,
}

/// Why a run came to nothing.
#[derive(Debug)]
pub(crate) enum RunError {
    /// The program could not be started.
    NotStarted(std::io::Error),
    /// It ended badly; the end of what it said.
    Failed(String),
    /// It was killed after this long.
    TooSlow(Duration),
}

impl fmt::Display for RunError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::NotStarted(error) => write!(f, "it did not start: {error}"),
            Self::Failed(said) => write!(f, "it failed: {said}"),
            Self::TooSlow(limit) => write!(f, "it was killed after {} s", limit.as_secs()),
        }
    }
}

/// What the transformation needs to know of a source.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Facts {
    /// Length in milliseconds; 0 when the file does not say.
    pub(crate) duration_ms: u64,
    /// Size as it is displayed, rotation applied.
    pub(crate) size: Size,
    /// Whether there is sound.
    pub(crate) has_audio: bool,
}

impl Ffmpeg {
    /// Checks that both programs start; says in one sentence which does not.
    pub(crate) async fn find() -> Result<Self, String> {
        for program in ["ffmpeg", "ffprobe"] {
            output_of(program, [OsStr::new("-version")], PROBE_TIMEOUT).await.map_err(|error| {
                format!("{program} cannot be used ({error}): install the package ffmpeg")
            })?;
        }
        Ok(Self { runs: Semaphore::new(RUNS_MAX) })
    }

    /// Runs ffmpeg when its turn comes. Dropping the future kills it.
    pub(crate) async fn run(
        &self,
        arguments: Vec<OsString>,
        limit: Duration,
    ) -> Result<(), RunError> {
        let _turn = self
            .runs
            .acquire()
            .await
            .map_err(|closed| RunError::NotStarted(std::io::Error::other(closed)))?;
        output_of("ffmpeg", arguments, limit).await.map(drop)
    }

    /// What `file` is, or `None` when it is not a video this service takes (MP4, MOV or GIF).
    pub(crate) async fn probe(&self, file: &Path) -> Result<Option<Facts>, RunError> {
        let arguments = words(
            "-v error -protocol_whitelist file -format_whitelist mov,gif -of json -show_entries \
             stream=codec_type,width,height:stream_side_data=rotation:format=duration",
        )
        .chain([file.into()]);
        match output_of("ffprobe", arguments, PROBE_TIMEOUT).await {
            Ok(answer) => Ok(Probed::facts(&answer)),
            Err(RunError::Failed(_)) => Ok(None),
            Err(error @ (RunError::NotStarted(_) | RunError::TooSlow(_))) => Err(error),
        }
    }
}

async fn output_of(
    program: &str,
    arguments: impl IntoIterator<Item = impl AsRef<OsStr>>,
    limit: Duration,
) -> Result<Vec<u8>, RunError> {
    let child = Command::new(program)
        .args(arguments)
        .stdin(Stdio::null())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .kill_on_drop(true)
        .spawn()
        .map_err(RunError::NotStarted)?;
    let output = tokio::time::timeout(limit, child.wait_with_output())
        .await
        .map_err(|_elapsed| RunError::TooSlow(limit))?
        .map_err(RunError::NotStarted)?;
    if output.status.success() {
        return Ok(output.stdout);
    }
    let said = String::from_utf8_lossy(&output.stderr);
    let last = said.lines().last().unwrap_or("it said nothing");
    Err(RunError::Failed(last.chars().take(SAID_CHARS_MAX).collect()))
}

#[derive(Deserialize)]
struct Probed {
    #[serde(default)]
    streams: Vec<Stream>,
    #[serde(default)]
    format: Format,
}

#[derive(Deserialize)]
struct Stream {
    codec_type: Option<String>,
    width: Option<u32>,
    height: Option<u32>,
    #[serde(default)]
    side_data_list: Vec<SideData>,
}

#[derive(Deserialize)]
struct SideData {
    rotation: Option<f64>,
}

#[derive(Deserialize, Default)]
struct Format {
    duration: Option<String>,
}

impl Probed {
    fn facts(answer: &[u8]) -> Option<Facts> {
        let Self { streams, format } = serde_json::from_slice(answer).ok()?;
        let is = |stream: &Stream, kind| stream.codec_type.as_deref() == Some(kind);
        let video = streams.iter().find(|stream| is(stream, "video"))?;
        let (width, height) = (video.width.filter(|&w| w > 0)?, video.height.filter(|&h| h > 0)?);
        let turned = video
            .side_data_list
            .iter()
            .filter_map(|data| data.rotation)
            .any(|degrees| (degrees.abs() % 180.0 - 90.0).abs() < 1.0);
        let seconds: f64 = format.duration.and_then(|text| text.parse().ok()).unwrap_or(0.0);
        Some(Facts {
            duration_ms: u64::try_from(Duration::try_from_secs_f64(seconds).ok()?.as_millis())
                .ok()?,
            size: if turned {
                Size { width: height, height: width }
            } else {
                Size { width, height }
            },
            has_audio: streams.iter().any(|stream| is(stream, "audio")),
        })
    }
}

/// How much of the source an output covers, in milliseconds; 0 when it starts past the end.
pub(crate) fn covered_ms(options: &Options, facts: &Facts) -> u64 {
    let rest = facts.duration_ms.saturating_sub(options.time_ms);
    rest.min(options.duration_ms.unwrap_or(DURATION_MS_MAX))
}

/// The arguments that make `output` from `input`: the same arguments give the same bytes.
pub(crate) fn arguments(
    options: &Options,
    facts: &Facts,
    input: &Path,
    output: &Path,
) -> Vec<OsString> {
    let mut all: Vec<OsString> = words(
        "-nostdin -hide_banner -v error -y -protocol_whitelist file -format_whitelist mov,gif -ss",
    )
    .collect();
    all.push(seconds(options.time_ms).into());
    let covered = covered_ms(options, facts);
    if !matches!(options.output, Output::Frame(_)) {
        all.extend(["-t".into(), seconds(covered).into()]);
    }
    all.extend(["-i".into(), input.into()]);
    match options.output {
        Output::Video { audio } => {
            let scale = scale(Shape::of(facts.size, options.size, Parity::Even));
            all.extend(words("-map 0:v:0 -vf").chain([scale.into()]));
            all.extend(words(H264));
            if audio && facts.has_audio {
                all.extend(words("-map 0:a:0").chain(words(AAC)));
            }
            all.extend(words("-movflags +faststart -f mp4"));
        }
        Output::Frame(picture) => {
            let scale = scale(Shape::of(facts.size, options.size, Parity::Any));
            all.extend(words("-map 0:v:0 -frames:v 1 -vf").chain([scale.into()]));
            all.extend(words(match picture {
                Picture::Jpg => JPEG,
                Picture::Png => "-c:v png -f image2 -update 1",
            }));
        }
        Output::Spritesheet { image_count } => {
            let scale = scale(Shape::of(facts.size, options.size, Parity::Any));
            let (columns, rows) = grid(image_count);
            let sheet = format!(
                "fps={image_count}000/{},{scale},tile={columns}x{rows}:nb_frames={image_count}",
                covered.max(1)
            );
            all.extend(words("-map 0:v:0 -frames:v 1 -vf").chain([sheet.into()]));
            all.extend(words(JPEG));
        }
        Output::Audio => {
            all.extend(words("-map 0:a:0").chain(words(AAC)));
            all.extend(words("-movflags +faststart -f ipod"));
        }
    }
    all.extend(words(BITEXACT));
    all.push(output.into());
    all
}

/// The arguments that make a sample of `length_s` seconds, by itself and for ever the same.
pub(crate) fn sample_arguments(
    pattern: Pattern,
    length_s: u32,
    size: Size,
    output: &Path,
) -> Vec<OsString> {
    let Size { width, height } = size;
    let picture = format!("testsrc2=size={width}x{height}:rate=25:duration={length_s}");
    let tone = format!("sine=frequency=440:sample_rate=48000:duration={length_s}");
    let mut all: Vec<OsString> = words("-nostdin -hide_banner -v error -y -f lavfi -i").collect();
    all.push(picture.into());
    all.extend(words("-f lavfi -i").chain([tone.into()]));
    all.extend(words(H264));
    if pattern == Pattern::Noise {
        // Enough noise that no encoder can help, at a rate that keeps the sample under the
        // transformation's source limit.
        let rate = (NOISE_BYTES_AIM * 8 / u64::from(length_s.max(1))).min(NOISE_BITS_PER_S_MAX);
        let rate = rate.to_string();
        all.extend(words("-vf noise=alls=60:allf=t:all_seed=7"));
        for option in ["-b:v", "-maxrate", "-bufsize"] {
            all.extend([option.into(), rate.clone().into()]);
        }
    }
    all.extend(words(AAC));
    all.extend(words("-g 50 -movflags +faststart -f mp4"));
    all.extend(words(BITEXACT));
    all.push(output.into());
    all
}

/// What a generated sample shows.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Pattern {
    /// A moving test pattern: small files.
    Moving,
    /// Noise: large files, and large renditions of them.
    Noise,
}

/// The most nearly square grid, wider than high.
fn grid(count: u32) -> (u32, u32) {
    let columns = (1..=count).find(|side| side * side >= count).unwrap_or(1);
    (columns, count.div_ceil(columns))
}

fn scale(Shape { scaled, cropped }: Shape) -> String {
    let mut filter = format!("scale={}:{},setsar=1", scaled.width, scaled.height);
    if scaled != cropped {
        let crop = format!(",crop={}:{}", cropped.width, cropped.height);
        filter.push_str(&crop);
    }
    filter
}

fn seconds(ms: u64) -> String {
    format!("{}.{:03}", ms / 1_000, ms % 1_000)
}

fn words(text: &str) -> impl Iterator<Item = OsString> {
    text.split_whitespace().map(OsString::from)
}

/// Two cores are what a small machine has; a third run would only slow the first two.
const RUNS_MAX: usize = 2;
/// The longest any one transformation may take.
pub(crate) const TRANSFORM_TIMEOUT: Duration = Duration::from_mins(2);
/// The longest any one sample may take to make.
pub(crate) const SAMPLE_TIMEOUT: Duration = Duration::from_mins(10);
const PROBE_TIMEOUT: Duration = Duration::from_secs(20);
const SAID_CHARS_MAX: usize = 300;
/// A fixed number of threads: x264's output depends on it.
const H264: &str = "-c:v libx264 -preset ultrafast -crf 26 -threads 2 -pix_fmt yuv420p";
const AAC: &str = "-c:a aac -b:a 128k -ac 2";
const JPEG: &str = "-c:v mjpeg -q:v 3 -pix_fmt yuvj420p -f image2 -update 1";
/// No encoder name, no date: nothing in the bytes but the media.
const BITEXACT: &str = "-map_metadata -1 -fflags +bitexact -flags:v +bitexact -flags:a +bitexact";
const NOISE_BYTES_AIM: u64 = 70_000_000;
const NOISE_BITS_PER_S_MAX: u64 = 28_000_000;
