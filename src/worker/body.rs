//! Bodies as the platform's own streams. Their bytes never enter wasm memory: a chunk is passed on by its
//! JavaScript handle.

use js_sys::{Array, BigInt, Reflect, Uint8Array};
use wasm_bindgen::{JsCast, JsValue};
use wasm_bindgen_futures::{JsFuture, spawn_local};
use web_sys::{
    ReadableStream, ReadableStreamDefaultReader, TransformStream, WritableStreamDefaultWriter,
};

use super::binding::FixedLengthStream;
use crate::cache::ports::{Body, Fault};
use crate::http::range::ByteRange;

/// Bytes nobody in here looks at.
#[derive(Debug)]
pub(super) enum NativeBody {
    /// None.
    Empty,
    /// A document the core wrote.
    Text(String),
    /// Bytes that were measured, held by the platform. A stream made of them must not be forked: workerd never
    /// ends the branches when they are held to a length. Each branch gets a stream of its own instead.
    Held(web_sys::Blob),
    /// A stream of the platform.
    Stream(ReadableStream),
    /// A stream that is held to its length already. It must neither be forked nor held to a length again:
    /// workerd takes one such stream piped into another for a worker that hangs.
    Sized(ReadableStream),
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
            Self::Held(blob) => Ok(Self::Held(blob.clone())),
            Self::Sized(_) => Err(Fault::Unavailable("the stream is cut already".to_owned())),
            Self::Stream(stream) => {
                if stream.locked() {
                    return Err(Fault::Unavailable("the stream is being read".to_owned()));
                }
                let branches = stream.tee();
                let (one, other) = (branches.get(0), branches.get(1));
                *stream = one.unchecked_into();
                Ok(Self::Stream(other.unchecked_into()))
            }
        }
    }

    fn slice(self, range: ByteRange) -> Self {
        let stream = match self {
            Self::Stream(stream) => stream,
            Self::Held(ref blob) => {
                // Bytes of a held body are far below the 2^53 a double counts exactly.
                #[allow(clippy::cast_precision_loss)]
                let (first, end) = (range.first() as f64, (range.last() + 1) as f64);
                return blob.slice_with_f64_and_f64(first, end).map_or(self, Self::Held);
            }
            Self::Empty | Self::Text(_) | Self::Sized(_) => return self,
        };
        let Ok(fixed) = FixedLengthStream::new(BigInt::from(range.length())) else {
            return Self::Stream(stream);
        };
        let (readable, writable) = (fixed.readable(), fixed.writable());
        spawn_local(async move {
            // A viewer who leaves makes the write fail; there is nobody left to tell.
            let _ = cut(&stream, &writable, range).await;
        });
        Self::Sized(readable)
    }

    async fn measure(self, bytes_max: u64) -> (Self, Option<u64>) {
        let stream = match self {
            Self::Stream(stream) => stream,
            Self::Held(ref blob) => {
                let length = bytes_of(blob);
                return (self, Some(length));
            }
            Self::Empty | Self::Text(_) | Self::Sized(_) => return (self, None),
        };
        let Ok(pipe) = TransformStream::new() else { return (Self::Stream(stream), None) };
        let reader = reader(&stream);
        let held = Array::new();
        let mut length = 0;
        loop {
            match read(&reader).await {
                Ok(Some(chunk)) => {
                    length += u64::from(chunk.length());
                    held.push(&chunk);
                    if length > bytes_max {
                        return (Self::Stream(resumed(&pipe, held, reader)), None);
                    }
                }
                Ok(None) => {
                    return match web_sys::Blob::new_with_u8_array_sequence(&held) {
                        Ok(blob) => (Self::Held(blob), Some(length)),
                        Err(_) => (Self::Stream(resumed(&pipe, held, reader)), Some(length)),
                    };
                }
                Err(_) => return (Self::Stream(resumed(&pipe, held, reader)), None),
            }
        }
    }

    fn discard(self) {
        if let Self::Stream(stream) | Self::Sized(stream) = self {
            spawn_local(async move {
                let _ = JsFuture::from(stream.cancel()).await;
            });
        }
    }
}

/// The bytes of a held body.
#[allow(clippy::cast_possible_truncation, clippy::cast_sign_loss)] // a count of bytes in memory
fn bytes_of(blob: &web_sys::Blob) -> u64 {
    blob.size() as u64
}

/// `stream` as one whose length the platform knows, so that it is sent with `Content-Length`, and broken off
/// where it turns out to be another.
pub(super) fn of_length(stream: ReadableStream, length: u64) -> ReadableStream {
    let Ok(held) = held_to(&stream, length) else { return stream };
    spawn_local(async move {
        // What breaks here breaks the reader of the other end as well.
        let _ = held.kept.await;
    });
    held.readable
}

/// A stream whose length the platform knows, and whether it kept it.
pub(super) struct Held {
    /// The bytes; broken off where there are more or fewer than announced.
    pub(super) readable: ReadableStream,
    /// Resolves when exactly the announced bytes went through, and is rejected when they never will.
    pub(super) kept: JsFuture,
}

/// Holds `stream` to `length` bytes.
pub(super) fn held_to(stream: &ReadableStream, length: u64) -> Result<Held, JsValue> {
    let fixed = FixedLengthStream::new(BigInt::from(length))?;
    let kept = JsFuture::from(stream.pipe_to(&fixed.writable()));
    Ok(Held { readable: fixed.readable(), kept })
}

/// Passes on only the bytes of `range`, then lets go of the source.
async fn cut(
    stream: &ReadableStream,
    writable: &web_sys::WritableStream,
    range: ByteRange,
) -> Result<(), JsValue> {
    let reader = reader(stream);
    let writer = writable.get_writer()?;
    let passed = pass(&reader, &writer, range).await;
    match &passed {
        Ok(()) => {
            // A cancelled branch of a fork waits until the other one ends, and the viewer would wait with it.
            let cancelled = JsFuture::from(reader.cancel());
            JsFuture::from(writer.close()).await?;
            let _ = cancelled.await;
        }
        Err(error) => {
            let _ = JsFuture::from(reader.cancel_with_reason(error)).await;
            let _ = JsFuture::from(writer.abort_with_reason(error)).await;
        }
    }
    passed
}

async fn pass(
    reader: &ReadableStreamDefaultReader,
    writer: &WritableStreamDefaultWriter,
    range: ByteRange,
) -> Result<(), JsValue> {
    let (first, end) = (range.first(), range.last() + 1);
    let mut at: u64 = 0;
    while at < end {
        let Some(chunk) = read(reader).await? else {
            return Err(JsValue::from_str("the body is shorter than its length"));
        };
        let length = u64::from(chunk.length());
        let from = first.saturating_sub(at).min(length);
        let to = end.saturating_sub(at).min(length);
        at += length;
        if from < to {
            // Both fit: they are at most the length of the chunk, a u32.
            let part = chunk.subarray(offset(from), offset(to));
            JsFuture::from(writer.write_with_chunk(&part)).await?;
        }
    }
    Ok(())
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
