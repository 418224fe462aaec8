//! Bodies as the platform's own streams. Their bytes never enter wasm memory: a chunk is passed on by its
//! JavaScript handle.

use std::cell::Cell;
use std::rc::Rc;

use js_sys::{Array, BigInt, Promise, Reflect, Uint8Array};
use wasm_bindgen::{JsCast, JsValue};
use wasm_bindgen_futures::{JsFuture, spawn_local};
use web_sys::{
    ReadableStream, ReadableStreamDefaultReader, Response, TransformStream,
    WritableStreamDefaultWriter,
};

use super::binding::FixedLengthStream;
use crate::cache::ports::{Body, Fault};
use crate::http::cut::{Cut, Piece};

/// Bytes nobody in here looks at.
#[derive(Debug)]
pub(super) enum NativeBody {
    /// None.
    Empty,
    /// A document the core wrote.
    Text(String),
    /// A stream of the platform.
    Stream {
        /// The bytes.
        stream: ReadableStream,
        /// Their number, where it is certain: the stream has been made whole or broken off by then.
        ///
        /// What an upstream announces is not certain: cut short, its stream simply ends in some places.
        length: Option<u64>,
    },
}

impl NativeBody {
    /// The body of an answer. What its `Content-Length` says is an announcement, not a certainty.
    pub(super) fn of(response: &Response) -> Self {
        response.body().map_or(Self::Empty, |stream| Self::Stream { stream, length: None })
    }
}

impl Body for NativeBody {
    fn empty() -> Self {
        Self::Empty
    }

    fn text(text: String) -> Self {
        Self::Text(text)
    }

    fn fork(&mut self) -> Result<Self, Fault> {
        match self {
            Self::Empty => Ok(Self::Empty),
            Self::Text(text) => Ok(Self::Text(text.clone())),
            Self::Stream { stream, length } => {
                if stream.locked() {
                    return Err(Fault::Unavailable("the stream is being read".to_owned()));
                }
                let branches = stream.tee();
                let (one, other) = (branches.get(0), branches.get(1));
                *stream = one.unchecked_into();
                Ok(Self::Stream { stream: other.unchecked_into(), length: *length })
            }
        }
    }

    fn cut(self, cut: Cut) -> Self {
        let Self::Stream { stream, .. } = self else { return self };
        let length = cut.length();
        let Ok(fixed) = FixedLengthStream::new(BigInt::from(length)) else {
            return Self::Stream { stream, length: None };
        };
        let (readable, writable) = (fixed.readable(), fixed.writable());
        spawn_local(async move {
            // A viewer who leaves makes the write fail; there is nobody left to tell.
            let _ = send(&stream, &writable, &cut).await;
        });
        Self::Stream { stream: readable, length: Some(length) }
    }

    async fn measure(self, bytes_max: u64) -> (Self, Option<u64>) {
        let Self::Stream { stream, .. } = self else { return (self, None) };
        let broken_off = |stream| (Self::Stream { stream, length: None }, None);
        let Ok(pipe) = TransformStream::new() else { return broken_off(stream) };
        let reader = reader(&stream);
        let held = Array::new();
        let mut length = 0;
        loop {
            match read(&reader).await {
                Ok(Some(chunk)) => {
                    length += u64::from(chunk.length());
                    held.push(&chunk);
                    if length > bytes_max {
                        return broken_off(resumed(&pipe, held, reader));
                    }
                }
                Ok(None) => {
                    let Some(stream) = joined(&held, length) else {
                        return broken_off(resumed(&pipe, held, reader));
                    };
                    let length = Some(length);
                    return (Self::Stream { stream, length }, length);
                }
                Err(_) => return broken_off(resumed(&pipe, held, reader)),
            }
        }
    }

    fn discard(self) {
        if let Self::Stream { stream, .. } = self {
            forget(stream.cancel());
        }
    }
}

/// `stream` as one whose length the platform knows, so that it is sent with `Content-Length`, and broken off
/// where it turns out to be another.
///
/// A stream of certain length stays as it is: piped from one `FixedLengthStream` into another, workerd hangs.
pub(super) fn of_length(
    stream: ReadableStream,
    certain: Option<u64>,
    length: u64,
) -> (ReadableStream, Whole) {
    let whole = Whole::default();
    if certain == Some(length) {
        return (stream, whole);
    }
    let Ok(fixed) = FixedLengthStream::new(BigInt::from(length)) else { return (stream, whole) };
    let piped = stream.pipe_to(&fixed.writable());
    let broken_off = Rc::clone(&whole.broken_off);
    spawn_local(async move {
        // What breaks here breaks the reader of the other end as well.
        broken_off.set(JsFuture::from(piped).await.is_err());
    });
    (fixed.readable(), whole)
}

/// Whether a body that was passed on came to its announced end.
///
/// Who reads it is told by an error, except that the Cache API swallows it, and that the local KV keeps
/// what it got until then.
#[derive(Debug, Default)]
pub(super) struct Whole {
    broken_off: Rc<Cell<bool>>,
}

impl Whole {
    /// To be asked once its reader is done.
    pub(super) async fn confirm(&self) -> Result<(), Fault> {
        // The pipe has settled before its reader; one turn lets the news arrive here.
        let _ = JsFuture::from(Promise::resolve(&JsValue::UNDEFINED)).await;
        if self.broken_off.get() { Err(Fault::BrokenOff) } else { Ok(()) }
    }
}

/// Lets a promise settle unobserved, but not unhandled.
fn forget(promise: Promise) {
    spawn_local(async move {
        let _ = JsFuture::from(promise).await;
    });
}

/// Sends only what `cut` says, then lets go of the source.
async fn send(
    stream: &ReadableStream,
    writable: &web_sys::WritableStream,
    cut: &Cut,
) -> Result<(), JsValue> {
    let reader = reader(stream);
    let writer = writable.get_writer()?;
    let sent = send_pieces(&reader, &writer, cut.pieces()).await;
    // A branch's cancel is settled only once the other branch is done with as well (streams standard,
    // 4.9.1), so nobody here waits for it.
    let cancelled = match &sent {
        Ok(()) => reader.cancel(),
        Err(error) => reader.cancel_with_reason(error),
    };
    forget(cancelled);
    match &sent {
        Ok(()) => JsFuture::from(writer.close()).await?,
        Err(error) => JsFuture::from(writer.abort_with_reason(error)).await?,
    };
    sent
}

/// One pass over the source: what lies before a piece is read and dropped, a chunk that two pieces share is read once.
async fn send_pieces(
    reader: &ReadableStreamDefaultReader,
    writer: &WritableStreamDefaultWriter,
    pieces: &[Piece],
) -> Result<(), JsValue> {
    let mut chunk = Uint8Array::new_with_length(0);
    let mut chunk_at: u64 = 0;
    for piece in pieces {
        let range = match piece {
            Piece::Text(text) => {
                let text = Uint8Array::from(text.as_bytes());
                JsFuture::from(writer.write_with_chunk(&text)).await?;
                continue;
            }
            Piece::Bytes(range) => range,
        };
        let (mut at, mut left) = (range.first(), range.length());
        while left > 0 {
            let length = u64::from(chunk.length());
            // Pieces ascend, so no byte is wanted that lies before this chunk.
            let from = at.saturating_sub(chunk_at);
            if from >= length {
                chunk_at += length;
                chunk = read(reader).await?.ok_or("the body is shorter than its length")?;
                continue;
            }
            let taken = left.min(length - from);
            // Both fit: they are at most the length of the chunk, a u32.
            let part = chunk.subarray(offset(from), offset(from + taken));
            JsFuture::from(writer.write_with_chunk(&part)).await?;
            (at, left) = (at + taken, left - taken);
        }
    }
    Ok(())
}

/// The chunks as one body of the platform's own, whose length is certain.
fn joined(chunks: &Array, length: u64) -> Option<ReadableStream> {
    let whole = Uint8Array::new_with_length(u32::try_from(length).ok()?);
    let mut at = 0;
    for chunk in chunks.iter() {
        let chunk: Uint8Array = chunk.unchecked_into();
        whole.set(&chunk, at);
        at += chunk.length();
    }
    Response::new_with_opt_js_u8_array(Some(&whole)).ok()?.body()
}

/// What was read already, then the rest; a stream that broke breaks again.
fn resumed(
    pipe: &TransformStream,
    held: Array,
    reader: ReadableStreamDefaultReader,
) -> ReadableStream {
    let (readable, writable) = (pipe.readable(), pipe.writable());
    spawn_local(async move {
        let Ok(writer) = writable.get_writer() else { return };
        let written = async {
            for chunk in held.iter() {
                JsFuture::from(writer.write_with_chunk(&chunk)).await?;
            }
            while let Some(chunk) = read(&reader).await? {
                JsFuture::from(writer.write_with_chunk(&chunk)).await?;
            }
            JsFuture::from(writer.close()).await
        };
        if let Err(error) = written.await {
            let _ = JsFuture::from(reader.cancel_with_reason(&error)).await;
            let _ = JsFuture::from(writer.abort_with_reason(&error)).await;
        }
    });
    readable
}

fn reader(stream: &ReadableStream) -> ReadableStreamDefaultReader {
    stream.get_reader().unchecked_into()
}

async fn read(reader: &ReadableStreamDefaultReader) -> Result<Option<Uint8Array>, JsValue> {
    let result = JsFuture::from(reader.read()).await?;
    let done = Reflect::get(&result, &JsValue::from_str("done"))?;
    if done.is_truthy() {
        return Ok(None);
    }
    let chunk = Reflect::get(&result, &JsValue::from_str("value"))?;
    chunk.dyn_into::<Uint8Array>().map(Some)
}

fn offset(bytes: u64) -> u32 {
    u32::try_from(bytes).unwrap_or(u32::MAX)
}
