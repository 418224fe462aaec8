//! `/cdn-cgi/media/<OPTIONS>/<SOURCE>`: the stand-in for Media Transformations.

use std::sync::Arc;

use axum::body::Body;
use axum::extract::{ConnectInfo, Request, State};
use axum::http::{HeaderMap, HeaderName, HeaderValue, Method, Response, StatusCode, header};

use crate::Origin;
use crate::bill::operations;
use crate::clock;
use crate::fault::{Fault, Place};
use crate::fault_path::FaultPath;
use crate::fetch::SourceUrl;
use crate::ffmpeg::{self, RunError, TRANSFORM_TIMEOUT};
use crate::file_reply::OpenFile;
use crate::options::{Options, Output};
use crate::output_cache::Kept;
use crate::refusal::{Code, Refusal};
use crate::suffer::{self, Course};
use crate::wire::WireHandle;

/// What every transformation URL begins with.
pub(crate) const PREFIX: &str = "/cdn-cgi/media/";

/// Answers a request for a transformation, faults included.
///
/// `Range` and conditional headers are not looked at: what the platform does with them on an
/// output is not documented, so the answer is always the whole.
pub(crate) async fn handle(
    State(origin): State<Arc<Origin>>,
    ConnectInfo(wire): ConnectInfo<WireHandle>,
    request: Request,
) -> Response<Body> {
    let (request, _body) = request.into_parts();
    if !matches!(request.method, Method::GET | Method::HEAD) {
        let mut response = Response::new(Body::empty());
        *response.status_mut() = StatusCode::METHOD_NOT_ALLOWED;
        response.headers_mut().insert(header::ALLOW, HeaderValue::from_static("GET, HEAD"));
        return response;
    }
    origin.bill.requested();
    // As it was sent: the platform's cache and bill go by the whole URL.
    let url = request.uri.path_and_query().map_or("", |url| url.as_str());
    let job = Job::parse(url, origin.require_https);
    let mut faults = job.as_ref().map_or_else(|_| Vec::new(), |job| job.faults.clone());
    faults.extend(origin.faults.meet(Place::Transform, url));
    let answered = match (suffer::before(&faults, &wire).await, job) {
        (Course::Instead(response), _) => Ok(*response),
        (Course::Made | Course::Untransformed, Err(refusal)) => Err(refusal),
        (Course::Made, Ok(job)) => transformed(&origin, url, job).await,
        (Course::Untransformed, Ok(job)) => untransformed(&origin, &job).await,
    };
    let mut response = answered.unwrap_or_else(|refusal| refusal.response());
    if request.method == Method::HEAD {
        *response.body_mut() = Body::empty();
    }
    suffer::after(&faults, &wire, response)
}

/// A transformation URL, understood.
#[derive(Debug)]
struct Job {
    options: Options,
    source: SourceUrl,
    faults: Vec<Fault>,
}

impl Job {
    fn parse(url: &str, require_https: bool) -> Result<Self, Refusal> {
        let (options, source) = url
            .strip_prefix(PREFIX)
            .and_then(|rest| rest.split_once('/'))
            .ok_or_else(|| Refusal::new(Code::Option, "write <OPTIONS>/<SOURCE>"))?;
        let options = Options::parse(options)
            .map_err(|error| Refusal::new(Code::Option, error.to_string()))?;
        let source = SourceUrl::parse(source, require_https)?;
        let faults = FaultPath::parse(source.path())
            .map_err(|reason| Refusal::new(Code::Option, reason))?
            .on_transform;
        Ok(Self { options, source, faults })
    }

    /// The name for `Content-Disposition`: the one asked for, else the source's with the
    /// extension of the output, reduced to what the documentation allows in one.
    fn file_name(&self) -> String {
        if let Some(name) = &self.options.filename {
            return name.clone();
        }
        let last = self.source.path().rsplit('/').next().unwrap_or_default();
        let stem = last.rsplit_once('.').map_or(last, |(stem, _)| stem);
        let plain = |c: char| if c.is_ascii_alphanumeric() || c == '-' { c } else { '_' };
        let stem: String = stem.chars().map(plain).take(STEM_CHARS_MAX).collect();
        let stem = if stem.is_empty() { "media" } else { &stem };
        format!("{stem}.{}", self.options.extension())
    }
}

async fn transformed(origin: &Arc<Origin>, url: &str, job: Job) -> Result<Response<Body>, Refusal> {
    let name = format!("inline; filename=\"{}\"", job.file_name());
    let content_type = job.options.content_type();
    let (task_origin, task_url) = (Arc::clone(origin), url.to_owned());
    // A task of its own: on the platform too, a client that leaves does not stop the work.
    let (kept, status) = tokio::spawn(async move { output(&task_origin, &task_url, &job).await })
        .await
        .map_err(|error| Refusal::internal("the transformation ended", &error))??;
    origin.bill.delivered(clock::now(), url, kept.operations);
    let mut response = Response::new(Body::empty());
    let headers = response.headers_mut();
    headers.insert(header::CONTENT_TYPE, HeaderValue::from_static(content_type));
    headers.insert(header::CONTENT_LENGTH, HeaderValue::from(kept.file.bytes()));
    if let Ok(name) = HeaderValue::try_from(name) {
        headers.insert(header::CONTENT_DISPOSITION, name);
    }
    set_cache_status(headers, status);
    *response.body_mut() = kept.file.body();
    Ok(response)
}

/// The output of `url`, from the cache or made now; made once however many ask.
async fn output(origin: &Origin, url: &str, job: &Job) -> Result<(Kept, &'static str), Refusal> {
    let unreadable = |error| Refusal::internal("the output cache cannot be read", &error);
    if let Some(kept) = origin.outputs.find(url).await.map_err(unreadable)? {
        return Ok((kept, "HIT"));
    }
    let _turn = origin.flights.turn(url).await;
    if let Some(kept) = origin.outputs.find(url).await.map_err(unreadable)? {
        return Ok((kept, "HIT"));
    }
    let source = origin.fetcher.fetch(&job.source, &origin.scratch).await?;
    let facts = origin
        .ffmpeg
        .probe(source.file.path())
        .await
        .map_err(|error| Refusal::internal("ffprobe", &error))?
        .filter(|facts| facts.duration_ms > 0)
        .ok_or_else(|| Refusal::new(Code::NotAVideo, "the source is not an MP4 or GIF"))?;
    if facts.duration_ms > SOURCE_MS_MAX {
        return Err(Refusal::new(Code::Source, "the source is longer than 10 minutes"));
    }
    if job.options.output == Output::Audio && !facts.has_audio {
        return Err(Refusal::new(Code::NotAVideo, "the source has no sound"));
    }
    let covered_ms = ffmpeg::covered_ms(&job.options, &facts);
    let nothing_there = || Refusal::new(Code::Option, "time is past the end of the source");
    if covered_ms == 0 {
        return Err(nothing_there());
    }
    let making = origin.scratch.file(job.options.extension());
    let arguments = ffmpeg::arguments(&job.options, &facts, source.file.path(), making.path());
    origin.ffmpeg.run(arguments, TRANSFORM_TIMEOUT).await.map_err(|error| match error {
        RunError::Failed(said) => {
            Refusal::new(Code::NotAVideo, format!("the source cannot be decoded: {said}"))
        }
        RunError::NotStarted(_) | RunError::TooSlow(_) => Refusal::internal("ffmpeg", &error),
    })?;
    let lost = |error| Refusal::internal("the output cannot be kept", &error);
    // Opened before it is published, so that clearing the cache meanwhile takes nothing away.
    let file = OpenFile::open(making.path()).await.map_err(lost)?.ok_or_else(nothing_there)?;
    origin.bill.transformed();
    let operations = operations(&job.options, covered_ms);
    origin.outputs.keep(&origin.scratch, url, making, operations).await.map_err(lost)?;
    Ok((Kept { file, operations }, "MISS"))
}

/// The fault seen in the field: the source as it is, under the transformation's URL.
async fn untransformed(origin: &Origin, job: &Job) -> Result<Response<Body>, Refusal> {
    let source = origin.fetcher.fetch(&job.source, &origin.scratch).await?;
    let failed = |error| Refusal::internal("the source cannot be read", &error);
    let file = OpenFile::open(source.file.path()).await.map_err(failed)?;
    let file = file.ok_or_else(|| Refusal::internal("the source cannot be read", &"it is gone"))?;
    let mut response = Response::new(Body::empty());
    let headers = response.headers_mut();
    if let Some(content_type) = source.content_type {
        headers.insert(header::CONTENT_TYPE, content_type);
    }
    headers.insert(header::CONTENT_LENGTH, HeaderValue::from(file.bytes()));
    set_cache_status(headers, "MISS");
    *response.body_mut() = file.body();
    Ok(response)
}

fn set_cache_status(headers: &mut HeaderMap, status: &'static str) {
    headers.insert(CACHE_STATUS, HeaderValue::from_static(status));
}

const CACHE_STATUS: HeaderName = HeaderName::from_static("cf-cache-status");
/// "Length must be 10 minutes or less" (Media Transformations, source video requirements).
const SOURCE_MS_MAX: u64 = 600_000;
const STEM_CHARS_MAX: usize = 100;

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    #[track_caller]
    fn job(url: &str) -> Job {
        Job::parse(url, false).unwrap()
    }

    #[test]
    fn the_query_of_the_url_belongs_to_its_source() {
        let job = job("/cdn-cgi/media/width=640/http://a.test/b.mp4?v=2&w=1");
        assert_eq!(job.source, SourceUrl::parse("http://a.test/b.mp4?v=2&w=1", false).unwrap());
    }

    #[test]
    fn an_output_is_named_after_its_source_unless_asked_otherwise() {
        for (url, name) in [
            ("/cdn-cgi/media/mode=frame/http://a.test/x/my%22clip.mov?y", "my_22clip.jpg"),
            ("/cdn-cgi/media/mode=audio,filename=song.m4a/http://a.test/b.mp4", "song.m4a"),
            ("/cdn-cgi/media/mode=video/http://a.test/", "media.mp4"),
        ] {
            assert_eq!(job(url).file_name(), name);
        }
    }

    #[test]
    fn what_cannot_be_fetched_is_refused_before_any_fetch() {
        for (url, code) in [
            ("/cdn-cgi/media/width=640", 9_401),
            ("/cdn-cgi/media//http://a.test/b.mp4", 9_401),
            ("/cdn-cgi/media/width=640/", 9_401),
            ("/cdn-cgi/media/width=640/videos/b.mp4", 9_401),
            ("/cdn-cgi/media/width=640/ftp://a.test/b.mp4", 9_401),
            ("/cdn-cgi/media/width=640/http://a.test/fault/explode/videos/b.mp4", 9_401),
            ("/cdn-cgi/media/width=640/http://a.test/b c.mp4", 9_406),
            ("/cdn-cgi/media/width=640/http://a.test/é.mp4", 9_406),
            (
                "/cdn-cgi/media/width=640/http://a.test/cdn-cgi/media/width=9/http://a.test/b.mp4",
                9_401,
            ),
        ] {
            assert_eq!(Job::parse(url, false).unwrap_err().code(), code, "{url}");
        }
        let url = "/cdn-cgi/media/width=640/http://a.test/b.mp4";
        assert_eq!(Job::parse(url, true).unwrap_err().code(), 9_406);
    }
}
