//! Bodies as the platform's own streams. Their bytes never enter wasm memory: they are passed on by the handles of
//! arrays in JavaScript's, block by block.
//!
//! A body that is cut, chained or branched is no stream but a run of [`Blocks`] until it [leaves](NativeBody::leave),
//! so that however often it was changed on the way, its bytes go through one stream of the platform and no more.

mod binding;
mod blocks;
mod bytes;
mod chain;
mod cut;
mod fork;
mod held;
mod leave;

use std::fmt;

use futures_util::{Stream, StreamExt};
use wasm_bindgen::JsCast;
use web_sys::{ReadableStream, Response};

use self::binding::Readable;
use self::blocks::{Blocks, Reader};
use self::bytes::Bytes;
use self::fork::Branch;
pub(super) use self::held::NativeHeld;
use self::held::gather;
pub(super) use self::leave::kept;
use crate::cache::ports::{Body, Ending, Fault, Part};
use crate::http::cut::Cut;
use crate::worker::platform;

/// Bytes nobody in here looks at. Dropped, it tells the platform that nobody will read them.
pub(super) enum NativeBody {
    /// None.
    Empty,
    /// A document the core wrote.
    Text(String),
    /// Bytes in JavaScript's memory.
    Held(Bytes),
    /// A stream of the platform as it came. Its length is never certain: of an upstream that is cut short, it simply
    /// ends in some places.
    Stream(Unread),
    /// Bytes that come from us.
    Blocks {
        /// The bytes.
        blocks: Blocks,
        /// Their number, where it is certain: they break where it turns out to be another.
        length: Option<u64>,
    },
    /// What others read as well.
    Branch {
        /// Our end of it.
        branch: Branch,
        /// As that of [`NativeBody::Blocks`].
        length: Option<u64>,
    },
}

impl NativeBody {
    /// The body of an answer. What its `Content-Length` says is an announcement, not a certainty.
    pub(super) fn of_response(response: &Response) -> Self {
        response.body().map_or(Self::Empty, Self::of_stream)
    }

    /// A stream of the platform.
    pub(super) fn of_stream(stream: ReadableStream) -> Self {
        Self::Stream(Unread { stream, length: None, stall_ms: None, is_taken: false })
    }

    /// The body of an answer of the Cache API, which announces a length only where it has counted the bytes.
    pub(super) fn of_cache(response: &Response, length: Option<u64>) -> Self {
        let unread = |stream| Unread { stream, length, stall_ms: None, is_taken: false };
        response.body().map_or(Self::Empty, |stream| Self::Stream(unread(stream)))
    }

    /// How many bytes it has, where that is certain.
    fn length(&self) -> Option<u64> {
        match self {
            Self::Empty => Some(0),
            Self::Text(text) => Some(text.len() as u64),
            Self::Held(bytes) => Some(u64::from(bytes.length())),
            Self::Stream(_) => None,
            Self::Blocks { length, .. } | Self::Branch { length, .. } => *length,
        }
    }

    fn into_blocks(self) -> Blocks {
        match self {
            Self::Empty => Blocks::held(None),
            Self::Text(text) => Blocks::held(Some(Bytes::copy(text.as_bytes()))),
            Self::Held(bytes) => Blocks::held(Some(bytes)),
            Self::Stream(unread) => {
                unread.blocks().unwrap_or_else(|fault| Blocks::broken(Vec::new(), fault))
            }
            Self::Blocks { blocks, .. } => blocks,
            Self::Branch { branch, .. } => Blocks::new(branch),
        }
    }
}

impl Body for NativeBody {
    type Held = NativeHeld;

    fn empty() -> Self {
        Self::Empty
    }

    fn text(text: String) -> Self {
        Self::Text(text)
    }

    fn of(front: &[u8], held: &NativeHeld) -> Self {
        if front.is_empty() {
            return Self::Held(held.0.clone());
        }
        Self::Held(Bytes::join(&[Bytes::copy(front), held.0.clone()]))
    }

    fn fork(&mut self, patience_ms: u32) -> Result<Self, Fault> {
        let (source, length) = match std::mem::replace(self, Self::Empty) {
            Self::Empty => return Ok(Self::Empty),
            Self::Text(text) => {
                *self = Self::Text(text.clone());
                return Ok(Self::Text(text));
            }
            Self::Held(bytes) => {
                *self = Self::Held(bytes.clone());
                return Ok(Self::Held(bytes));
            }
            Self::Branch { branch, length } => {
                let copy = branch.copy(patience_ms);
                *self = Self::Branch { branch, length };
                return Ok(Self::Branch { branch: copy, length });
            }
            Self::Stream(unread) => match unread.blocks() {
                Ok(blocks) => (blocks, None),
                Err(fault) => {
                    *self = Self::Stream(unread);
                    return Err(fault);
                }
            },
            Self::Blocks { blocks, length } => (blocks, length),
        };
        let branch = Branch::of(source, patience_ms);
        let copy = branch.copy(patience_ms);
        *self = Self::Branch { branch, length };
        Ok(Self::Branch { branch: copy, length })
    }

    fn cut(self, cut: Cut) -> Self {
        let length = Some(cut.length());
        Self::Blocks { blocks: cut::cut(self.into_blocks(), &cut), length }
    }

    fn stalling(mut self, stall_ms: u32) -> Self {
        if let Self::Stream(unread) = &mut self {
            unread.stall_ms = Some(stall_ms);
        }
        self // what is at hand never stalls
    }

    async fn take(&mut self, bytes: u64) -> Result<NativeHeld, Fault> {
        let bytes_max = u64::from(u32::MAX);
        let bytes = u32::try_from(bytes).map_err(|_| Fault::TooLarge { bytes, bytes_max })?;
        if let Self::Stream(unread) = self
            && unread.stall_ms.is_none()
        {
            let mut reader = Reader::of(&unread.stream)?;
            if reader.is_byob() {
                let taken = reader.fill(bytes).await?;
                reader.release();
                return Ok(NativeHeld(taken));
            }
            *self = Self::Blocks { blocks: Blocks::of(reader), length: None };
        }
        if !matches!(self, Self::Blocks { .. }) {
            let whole = std::mem::replace(self, Self::Empty);
            let length = whole.length();
            *self = Self::Blocks { blocks: whole.into_blocks(), length };
        }
        let Self::Blocks { blocks, length } = self else { return Err(Fault::BrokenOff) };
        let taken = gather(blocks, bytes).await?;
        *length = length.map(|length| length.saturating_sub(u64::from(taken.length())));
        Ok(NativeHeld(taken))
    }

    fn chain(
        parts: impl Stream<Item = Result<Part<Self>, Fault>> + 'static,
        length: u64,
        stall_ms: u32,
    ) -> (Self, Ending) {
        let (blocks, ending) = chain::chain(parts, length, stall_ms);
        (Self::Blocks { blocks, length: Some(length) }, ending)
    }

    async fn measure(self, bytes_max: u64) -> (Self, Option<u64>) {
        let (mut read, mut length) = (Vec::new(), 0);
        let mut blocks = self.into_blocks();
        while let Some(block) = blocks.next().await {
            match block {
                Ok(block) => {
                    length += u64::from(block.length());
                    read.push(block);
                }
                Err(fault) => {
                    let blocks = Blocks::broken(read, fault);
                    return (Self::Blocks { blocks, length: None }, None);
                }
            }
            if length > bytes_max {
                blocks.put_back(read);
                return (Self::Blocks { blocks, length: None }, None);
            }
        }
        (Self::Held(Bytes::join(&read)), Some(length))
    }

    fn discard(self) {
        drop(self);
    }
}

/// A stream of the platform nobody has read yet. Dropped, it is cancelled.
pub(super) struct Unread {
    stream: ReadableStream,
    /// The length that the platform itself knows it by, and sends it with.
    length: Option<u64>,
    /// How long it may give nothing. It is of no account where nobody here reads it: whoever takes the whole as it is
    /// takes it from the platform itself.
    stall_ms: Option<u32>,
    is_taken: bool,
}

impl Unread {
    /// From here on it is whoever has the blocks that answers for the stream.
    fn blocks(&self) -> Result<Blocks, Fault> {
        let reader = Reader::of(&self.stream)?;
        Ok(match self.stall_ms {
            Some(stall_ms) => Blocks::of(reader.stalling(stall_ms)).stalling(stall_ms),
            None => Blocks::of(reader),
        })
    }

    fn into_stream(mut self) -> ReadableStream {
        self.is_taken = true;
        self.stream.clone()
    }
}

impl Drop for Unread {
    fn drop(&mut self) {
        // Whoever has a reader answers for the stream.
        if !self.is_taken
            && !self.stream.locked()
            && let Ok(cancelled) = self.stream.unchecked_ref::<Readable>().cancel()
        {
            platform::forget(&cancelled);
        }
    }
}

impl fmt::Debug for NativeBody {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(match self {
            Self::Empty => "Empty",
            Self::Text(_) => "Text",
            Self::Held(_) => "Held",
            Self::Stream(_) => "Stream",
            Self::Blocks { .. } => "Blocks",
            Self::Branch { .. } => "Branch",
        })
    }
}
