//! The origin proper: samples, public and private.

use std::io;
use std::sync::Arc;

use axum::body::Body;
use axum::extract::{ConnectInfo, Request, State};
use axum::http::request::Parts;
use axum::http::{HeaderMap, HeaderValue, Method, Response, StatusCode, header};
use futures_util::StreamExt;
use tokio::io::AsyncWriteExt;

use crate::Origin;
use crate::clock;
use crate::fault::Place;
use crate::fault_path::FaultPath;
use crate::file_reply::OpenFile;
use crate::samples::SampleName;
use crate::suffer::{self, Course};
use crate::wire::WireHandle;

/// Answers any method on a sample, faults included.
pub(crate) async fn handle(
    State(origin): State<Arc<Origin>>,
    ConnectInfo(wire): ConnectInfo<WireHandle>,
    request: Request,
) -> Response<Body> {
    let uri = request.uri().clone();
    let read = match FaultPath::parse(uri.path()) {
        Ok(read) => read,
        Err(reason) => return plain(StatusCode::NOT_FOUND, &reason),
    };
    let whole = uri.path_and_query().map_or(uri.path(), |whole| whole.as_str());
    let mut faults = read.on_source;
    faults.extend(origin.faults.meet(Place::Source, whole));
    let response = match suffer::before(&faults, &wire).await {
        Course::Made | Course::Untransformed => {
            sample(&origin, read.rest, request).await.unwrap_or_else(|error| {
                plain(StatusCode::INTERNAL_SERVER_ERROR, &format!("the file fails: {error}"))
            })
        }
        Course::Instead(response) => *response,
    };
    suffer::after(&faults, &wire, response)
}

async fn sample(origin: &Origin, path: &str, request: Request) -> io::Result<Response<Body>> {
    let (guard, name) = match path.strip_prefix("/videos/") {
        Some(name) => (None, name),
        None => match Guard::on(path) {
            Some((guard, name)) => (Some(guard), name),
            None => return Ok(plain(StatusCode::NOT_FOUND, "no such place")),
        },
    };
    let Some(name) = SampleName::parse(name) else {
        return Ok(plain(StatusCode::BAD_REQUEST, "that is not the name of a sample"));
    };
    if let Some(guard) = guard
        && !guard.lets_in(request.headers())
    {
        return Ok(guard.refusal());
    }
    let (request, body) = request.into_parts();
    match request.method {
        Method::GET | Method::HEAD => read(origin, &name, &request).await,
        Method::PUT if guard.is_none() => put(origin, &name, body).await,
        Method::DELETE if guard.is_none() => delete(origin, &name).await,
        _ => {
            let allowed = if guard.is_none() { "GET, HEAD, PUT, DELETE" } else { "GET, HEAD" };
            let mut response = plain(StatusCode::METHOD_NOT_ALLOWED, allowed);
            response.headers_mut().insert(header::ALLOW, HeaderValue::from_static(allowed));
            Ok(response)
        }
    }
}

async fn read(origin: &Origin, name: &SampleName, request: &Parts) -> io::Result<Response<Body>> {
    let found = origin.samples.find(name).await;
    let path = found.map_err(|error| io::Error::other(error.to_string()))?;
    let file = match path {
        Some(path) => OpenFile::open(&path).await?,
        None => None,
    };
    match file {
        Some(file) => file.reply(&request.method, &request.headers, name.content_type()).await,
        None => Ok(plain(StatusCode::NOT_FOUND, "no such sample; generated ones have bounds")),
    }
}

/// Replaces a sample in one step; readers of the old one go on reading the old one.
async fn put(origin: &Origin, name: &SampleName, body: Body) -> io::Result<Response<Body>> {
    let arriving = origin.scratch.file("put");
    let mut file = tokio::fs::File::create(arriving.path()).await?;
    let mut body = body.into_data_stream();
    let mut left = PUT_BYTES_MAX;
    while let Some(piece) = body.next().await {
        let Ok(piece) = piece else {
            return Ok(plain(StatusCode::BAD_REQUEST, "the body broke off"));
        };
        let Some(rest) = left.checked_sub(piece.len()) else {
            let reason = format!("a sample has at most {PUT_BYTES_MAX} bytes");
            return Ok(plain(StatusCode::PAYLOAD_TOO_LARGE, &reason));
        };
        left = rest;
        file.write_all(&piece).await?;
    }
    file.flush().await?;
    // The file system's own times are too coarse (4 ms and more) to tell apart two files put in
    // a row, and the ETag goes by them.
    file.into_std().await.set_modified(clock::now())?;
    let place = origin.samples.place(name);
    let status = match tokio::fs::metadata(&place).await {
        Ok(_) => StatusCode::NO_CONTENT,
        Err(_) => StatusCode::CREATED,
    };
    // A directory of this name, or a file where a directory is needed.
    match arriving.publish(&place).await {
        Ok(()) => Ok(empty(status)),
        Err(error) => Ok(plain(StatusCode::CONFLICT, &format!("it cannot be there: {error}"))),
    }
}

async fn delete(origin: &Origin, name: &SampleName) -> io::Result<Response<Body>> {
    match tokio::fs::remove_file(origin.samples.place(name)).await {
        Ok(()) => Ok(empty(StatusCode::NO_CONTENT)),
        Err(_) => Ok(plain(StatusCode::NOT_FOUND, "nobody put such a sample")),
    }
}

/// How a private sample is guarded.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Guard {
    Bearer,
    Basic,
    Header,
}

impl Guard {
    fn on(path: &str) -> Option<(Self, &str)> {
        let (guard, name) = path.strip_prefix("/private/")?.split_once('/')?;
        let guard = match guard {
            "bearer" => Self::Bearer,
            "basic" => Self::Basic,
            "header" => Self::Header,
            _ => return None,
        };
        Some((guard, name))
    }

    fn lets_in(self, request: &HeaderMap) -> bool {
        let (name, value) = match self {
            Self::Bearer => (header::AUTHORIZATION.as_str(), "Bearer local-secret"),
            // base64 of `local:secret`
            Self::Basic => (header::AUTHORIZATION.as_str(), "Basic bG9jYWw6c2VjcmV0"),
            Self::Header => ("x-origin-key", "local-secret"),
        };
        request.get(name).is_some_and(|given| given == value)
    }

    fn refusal(self) -> Response<Body> {
        let mut response = plain(StatusCode::UNAUTHORIZED, "this sample is private");
        let challenge = match self {
            Self::Bearer => Some("Bearer"),
            Self::Basic => Some("Basic realm=\"local\""),
            Self::Header => None,
        };
        if let Some(challenge) = challenge {
            let value = HeaderValue::from_static(challenge);
            response.headers_mut().insert(header::WWW_AUTHENTICATE, value);
        }
        response
    }
}

fn plain(status: StatusCode, text: &str) -> Response<Body> {
    let mut response = empty(status);
    let plain = HeaderValue::from_static("text/plain; charset=utf-8");
    response.headers_mut().insert(header::CONTENT_TYPE, plain);
    *response.body_mut() = Body::from(format!("{text}\n"));
    response
}

fn empty(status: StatusCode) -> Response<Body> {
    let mut response = Response::new(Body::empty());
    *response.status_mut() = status;
    response
}

/// More than the largest source of the platform, so that its limit can be tried.
const PUT_BYTES_MAX: usize = 256 * 1024 * 1024;
