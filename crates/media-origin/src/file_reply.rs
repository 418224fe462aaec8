//! A file as a good origin serves it: ranges, validators, exact lengths (RFC 9110).

use std::io::{self, SeekFrom};
use std::ops::Range;
use std::path::Path;
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use axum::body::Body;
use axum::http::{HeaderMap, HeaderName, HeaderValue, Method, Response, StatusCode, header};
use bytes::Bytes;
use futures_util::stream::{self, Stream};
use tokio::fs::File;
use tokio::io::{AsyncReadExt, AsyncSeekExt};

/// An open file with what its headers say, all of one generation of it.
#[derive(Debug)]
pub(crate) struct OpenFile {
    file: File,
    bytes: u64,
    /// Whole seconds, as `Last-Modified` can say.
    modified: SystemTime,
    etag: String,
}

impl OpenFile {
    /// Opens `path`; `None` when there is no such file.
    pub(crate) async fn open(path: &Path) -> io::Result<Option<Self>> {
        let file = match File::open(path).await {
            Ok(file) => file,
            Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(None),
            Err(error) => return Err(error),
        };
        let facts = file.metadata().await?;
        let age = facts.modified()?.duration_since(UNIX_EPOCH).unwrap_or_default();
        Ok(Some(Self {
            file,
            bytes: facts.len(),
            modified: UNIX_EPOCH + Duration::from_secs(age.as_secs()),
            // Strong because files are replaced, never written to: nanoseconds tell them apart.
            etag: format!("\"{:x}-{:x}\"", facts.len(), age.as_nanos()),
        }))
    }

    /// Length of the file.
    pub(crate) fn bytes(&self) -> u64 {
        self.bytes
    }

    /// The whole file as a body, nothing else said about it.
    pub(crate) fn body(self) -> Body {
        Body::from_stream(pieces(self.file, self.bytes))
    }

    /// The answer to a GET or HEAD.
    pub(crate) async fn reply(
        mut self,
        method: &Method,
        request: &HeaderMap,
        content_type: &'static str,
    ) -> io::Result<Response<Body>> {
        let mut response = Response::new(Body::empty());
        let headers = response.headers_mut();
        set(headers, header::ETAG, &self.etag);
        set(headers, header::LAST_MODIFIED, &httpdate::fmt_http_date(self.modified));
        set(headers, header::ACCEPT_RANGES, "bytes");
        if self.is_unchanged(request) {
            *response.status_mut() = StatusCode::NOT_MODIFIED;
            return Ok(response);
        }
        set(headers, header::CONTENT_TYPE, content_type);
        let part = if method == Method::GET && self.may_be_partial(request) {
            asked_part(request, self.bytes)
        } else {
            Part::Whole
        };
        let range = match part {
            Part::Whole => 0..self.bytes,
            Part::Some(range) => {
                let last = range.end.saturating_sub(1);
                let content_range = format!("bytes {}-{last}/{}", range.start, self.bytes);
                set(headers, header::CONTENT_RANGE, &content_range);
                *response.status_mut() = StatusCode::PARTIAL_CONTENT;
                range
            }
            Part::Unsatisfiable => {
                set(headers, header::CONTENT_RANGE, &format!("bytes */{}", self.bytes));
                headers.remove(header::CONTENT_TYPE);
                headers.insert(header::CONTENT_LENGTH, HeaderValue::from(0));
                *response.status_mut() = StatusCode::RANGE_NOT_SATISFIABLE;
                return Ok(response);
            }
        };
        let length = range.end - range.start;
        response.headers_mut().insert(header::CONTENT_LENGTH, HeaderValue::from(length));
        if method == Method::GET {
            self.file.seek(SeekFrom::Start(range.start)).await?;
            *response.body_mut() = Body::from_stream(pieces(self.file, length));
        }
        Ok(response)
    }

    /// RFC 9110 section 13.2.2: If-None-Match decides alone when it is there.
    fn is_unchanged(&self, request: &HeaderMap) -> bool {
        if request.contains_key(header::IF_NONE_MATCH) {
            return request
                .get_all(header::IF_NONE_MATCH)
                .iter()
                .filter_map(|value| value.to_str().ok())
                .flat_map(|value| value.split(','))
                .map(str::trim)
                .any(|tag| tag == "*" || tag.strip_prefix("W/").unwrap_or(tag) == self.etag);
        }
        date(request, &header::IF_MODIFIED_SINCE).is_some_and(|since| self.modified <= since)
    }

    /// RFC 9110 section 13.1.5: a range is for the generation the client has, or not at all.
    fn may_be_partial(&self, request: &HeaderMap) -> bool {
        match request.get(header::IF_RANGE) {
            None => true,
            Some(tag) if tag.as_bytes().starts_with(b"\"") => tag == self.etag.as_str(),
            Some(_) => date(request, &header::IF_RANGE) == Some(self.modified),
        }
    }
}

#[derive(Debug, PartialEq, Eq)]
enum Part {
    Whole,
    Some(Range<u64>),
    Unsatisfiable,
}

/// The single range asked for; several, or none that can be read, mean the whole.
fn asked_part(request: &HeaderMap, bytes: u64) -> Part {
    let asked = request.get(header::RANGE).and_then(|value| value.to_str().ok());
    let Some((first, last)) =
        asked.and_then(|asked| asked.strip_prefix("bytes=")).and_then(|set| set.split_once('-'))
    else {
        return Part::Whole;
    };
    let position = |text: &str| {
        let digits = !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_digit());
        // More digits than fit is past any end.
        digits.then(|| text.parse::<u64>().unwrap_or(u64::MAX))
    };
    let range = match (position(first), position(last)) {
        (Some(first), Some(last)) if first <= last => first..last.saturating_add(1).min(bytes),
        (Some(first), None) if last.is_empty() => first..bytes,
        (None, Some(suffix)) if first.is_empty() => bytes.saturating_sub(suffix)..bytes,
        (Some(_) | None, Some(_) | None) => return Part::Whole,
    };
    if range.is_empty() { Part::Unsatisfiable } else { Part::Some(range) }
}

fn date(request: &HeaderMap, name: &HeaderName) -> Option<SystemTime> {
    httpdate::parse_http_date(request.get(name)?.to_str().ok()?).ok()
}

fn set(headers: &mut HeaderMap, name: HeaderName, value: &str) {
    if let Ok(value) = HeaderValue::from_str(value) {
        headers.insert(name, value);
    }
}

fn pieces(file: File, bytes: u64) -> impl Stream<Item = io::Result<Bytes>> + Send {
    stream::try_unfold((file, bytes), |(mut file, left)| async move {
        if left == 0 {
            return Ok(None);
        }
        let size = usize::try_from(left).unwrap_or(PIECE_BYTES).min(PIECE_BYTES);
        let mut piece = vec![0; size];
        let read = file.read(&mut piece).await?;
        if read == 0 {
            return Err(io::ErrorKind::UnexpectedEof.into());
        }
        piece.truncate(read);
        let left = left.saturating_sub(u64::try_from(read).unwrap_or(left));
        Ok(Some((Bytes::from(piece), (file, left))))
    })
}

const PIECE_BYTES: usize = 64 * 1024;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_asked_part_is_read_as_rfc_9110_section_14_says() {
        for (asked, part) in [
            ("bytes=0-", Part::Some(0..10)),
            ("bytes=0-1", Part::Some(0..2)),
            ("bytes=9-9", Part::Some(9..10)),
            ("bytes=4-99", Part::Some(4..10)),
            ("bytes=4-99999999999999999999999", Part::Some(4..10)),
            ("bytes=-3", Part::Some(7..10)),
            ("bytes=-99", Part::Some(0..10)),
            ("bytes=10-", Part::Unsatisfiable),
            ("bytes=99999999999999999999999-", Part::Unsatisfiable),
            ("bytes=-0", Part::Unsatisfiable),
            ("bytes=5-4", Part::Whole),
            ("bytes=-", Part::Whole),
            ("bytes=0-1,3-4", Part::Whole),
            ("bytes=a-b", Part::Whole),
            ("bytes=+1-2", Part::Whole),
            ("items=0-1", Part::Whole),
        ] {
            let mut headers = HeaderMap::new();
            headers.insert(header::RANGE, HeaderValue::from_static(asked));
            assert_eq!(asked_part(&headers, 10), part, "{asked}");
        }
        assert_eq!(asked_part(&HeaderMap::new(), 10), Part::Whole);
    }
}
