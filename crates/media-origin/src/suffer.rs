//! How faults change an answer on its way to the wire.

use std::io;
use std::pin::Pin;
use std::time::Duration;

use axum::body::{Body, BodyDataStream};
use axum::http::{HeaderName, HeaderValue, Response, StatusCode, header};
use bytes::{Bytes, BytesMut};
use futures_util::StreamExt;
use futures_util::stream;

use crate::fault::Fault;
use crate::refusal::error_response;
use crate::wire::WireHandle;

/// What becomes of the making of an answer.
#[derive(Debug)]
pub(crate) enum Course {
    /// The answer is made as usual.
    Made,
    /// The source is answered as it is.
    Untransformed,
    /// This is the answer; nothing is made.
    Instead(Box<Response<Body>>),
}

/// The faults that come before the answer is made, in their order.
pub(crate) async fn before(faults: &[Fault], wire: &WireHandle) -> Course {
    let mut course = Course::Made;
    for fault in faults {
        match fault {
            Fault::Latency { ms } => tokio::time::sleep(Duration::from_millis(*ms)).await,
            Fault::Hang { ms } => {
                tokio::time::sleep(Duration::from_millis(*ms)).await;
                wire.cut();
                return Course::Instead(Box::default());
            }
            Fault::Reset => {
                wire.cut();
                return Course::Instead(Box::default());
            }
            Fault::Status { status } => {
                let status = StatusCode::from_u16(*status).unwrap_or(StatusCode::BAD_GATEWAY);
                let mut response = Response::new(Body::from(format!("{status}, as ordered\n")));
                *response.status_mut() = status;
                course = Course::Instead(Box::new(response));
            }
            Fault::ErrorIn200 { code } => {
                let response = error_response(StatusCode::OK, *code, "as ordered");
                course = Course::Instead(Box::new(response));
            }
            Fault::Untransformed => course = Course::Untransformed,
            Fault::Drip { .. }
            | Fault::Truncate { .. }
            | Fault::NoLength
            | Fault::TruncateNoLength { .. }
            | Fault::Header { .. } => {}
        }
    }
    course
}

/// The faults that change an answer already made, in their order.
pub(crate) fn after(
    faults: &[Fault],
    wire: &WireHandle,
    mut response: Response<Body>,
) -> Response<Body> {
    for fault in faults {
        match fault {
            Fault::Drip { ms, pieces } => {
                let length = content_length(&response);
                response = response.map(|body| dripping(body, length, *ms, *pieces));
            }
            Fault::Truncate { bytes } => {
                let wire = wire.clone();
                response = response.map(|body| cut_short(body, *bytes, wire, Ending::Close));
            }
            Fault::NoLength => {
                response.headers_mut().remove(header::CONTENT_LENGTH);
                response = response.map(|body| Body::from_stream(body.into_data_stream()));
            }
            Fault::TruncateNoLength { bytes } => {
                let wire = wire.clone();
                response.headers_mut().remove(header::CONTENT_LENGTH);
                response = response.map(|body| cut_short(body, *bytes, wire, Ending::Reset));
            }
            Fault::Header { name, value } => {
                if let (Ok(name), Ok(value)) =
                    (HeaderName::try_from(name), HeaderValue::try_from(value))
                {
                    response.headers_mut().insert(name, value);
                }
            }
            Fault::Latency { .. }
            | Fault::ErrorIn200 { .. }
            | Fault::Untransformed
            | Fault::Status { .. }
            | Fault::Reset
            | Fault::Hang { .. } => {}
        }
    }
    response
}

fn content_length(response: &Response<Body>) -> Option<u64> {
    response.headers().get(header::CONTENT_LENGTH)?.to_str().ok()?.parse().ok()
}

/// The body in `pieces` equal pieces, each after its share of `ms`.
fn dripping(body: Body, length: Option<u64>, ms: u64, pieces: u64) -> Body {
    let piece_bytes = length.map_or(PIECE_BYTES_UNKNOWN, |length| length.div_ceil(pieces)).max(1);
    let piece_bytes = usize::try_from(piece_bytes).unwrap_or(usize::MAX);
    let pause = Duration::from_millis(ms) / u32::try_from(pieces).unwrap_or(u32::MAX).max(1);
    let rest = (body.into_data_stream(), BytesMut::new());
    Body::from_stream(stream::try_unfold(rest, move |(mut body, mut held)| async move {
        while held.len() < piece_bytes {
            match body.next().await {
                Some(piece) => held.extend_from_slice(&piece.map_err(io::Error::other)?),
                None => break,
            }
        }
        if held.is_empty() {
            return Ok::<_, io::Error>(None);
        }
        tokio::time::sleep(pause).await;
        let piece = held.split_to(piece_bytes.min(held.len())).freeze();
        Ok(Some((piece, (body, held))))
    }))
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Ending {
    /// The client sees an orderly end of the connection (FIN).
    Close,
    /// The client sees a reset (RST).
    Reset,
}

/// What is left of a body that will be cut short.
struct Remnant {
    body: BodyDataStream,
    left: u64,
    wire: WireHandle,
    ending: Ending,
}

/// The first `bytes` of the body, all of them on the wire, and then a failure.
/// A body no longer than that is complete, but for a reset, which comes in any case.
fn cut_short(body: Body, bytes: u64, wire: WireHandle, ending: Ending) -> Body {
    let remnant = Remnant { body: body.into_data_stream(), left: bytes, wire, ending };
    Body::from_stream(stream::try_unfold(remnant, |mut remnant| async move {
        while let Some(piece) = Pin::new(&mut remnant.body).next().await {
            let mut piece: Bytes = piece.map_err(io::Error::other)?;
            if piece.is_empty() {
                continue;
            }
            if remnant.left == 0 {
                break;
            }
            piece.truncate(usize::try_from(remnant.left).unwrap_or(usize::MAX));
            remnant.left -= u64::try_from(piece.len()).unwrap_or(remnant.left);
            return Ok(Some((piece, remnant)));
        }
        if remnant.left > 0 && remnant.ending == Ending::Close {
            return Ok::<_, io::Error>(None);
        }
        remnant.wire.flushed().await;
        if remnant.ending == Ending::Reset {
            remnant.wire.cut();
        }
        Err(io::Error::other("cut short, as ordered"))
    }))
}

const PIECE_BYTES_UNKNOWN: u64 = 64 * 1024;
