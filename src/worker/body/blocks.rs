//! Bytes on their way, block by block.

use std::collections::VecDeque;
use std::pin::Pin;
use std::task::{Context, Poll};

use futures_util::stream::{self, LocalBoxStream};
use futures_util::{Stream, StreamExt};
use js_sys::{Date, Uint8Array};
use wasm_bindgen::{JsCast, JsValue};
use web_sys::ReadableStream;

use super::binding::{ReadResult, Readable, Reader as JsReader};
use super::bytes::Bytes;
use crate::cache::ports::Fault;
use crate::worker::binding::object;
use crate::worker::budget::{fault, settled, within};
use crate::worker::platform;

/// Bytes that one read has room for. The platform's own default is 4 KiB, and each read is a turn of the event loop;
/// KV and the Cache API give at most this much at once.
const BLOCK_BYTES: u32 = 64 * 1024;

/// What a quick source is waited for. A read leaves 6 KiB behind for the collector, whatever its size, and the
/// collector comes late: at 64 KiB a read, each 200 MiB cost the process 20 MiB more.
const BLOCK_BYTES_MAX: u32 = 512 * 1024;

/// What the slowest source gives in a millisecond that may still be waited for where it is given up when it stalls: a
/// read that waits for more looks like a stall, for it tells of nothing until it has all.
const BYTES_A_MS_MIN: u32 = 256;

/// A source is quick while what was waited for takes no longer. One that is not is not waited for: what is there goes
/// on at once.
const QUICK_MS: f64 = 20.0;

/// A body as blocks. Dropped before its end, its source is told that nobody reads on.
pub(in crate::worker) struct Blocks {
    /// What was read already and comes first.
    read: VecDeque<Bytes>,
    rest: LocalBoxStream<'static, Result<Bytes, Fault>>,
}

impl Blocks {
    /// Blocks as they come.
    pub(super) fn new(rest: impl Stream<Item = Result<Bytes, Fault>> + 'static) -> Self {
        Self { read: VecDeque::new(), rest: rest.fuse().boxed_local() }
    }

    /// One block, or none.
    pub(super) fn held(block: Option<Bytes>) -> Self {
        Self { read: block.into_iter().collect(), rest: stream::empty().boxed_local() }
    }

    /// What comes out of a reader.
    pub(super) fn of(reader: Reader) -> Self {
        Self::new(stream::unfold(reader, |mut reader| async {
            let block = reader.block().await.transpose()?;
            Some((block, reader))
        }))
    }

    /// The same blocks, broken where none comes for `stall_ms`. What a cut passes over comes like all else: of a source
    /// that is slow and never silent, the end of a chunk can be read as well.
    pub(super) fn stalling(self, stall_ms: u32) -> Self {
        Self::new(stream::unfold(self, move |mut blocks| async move {
            let block = match within(stall_ms, blocks.next()).await {
                Ok(block) => block?,
                Err(late) => Err(late),
            };
            Some((block, blocks))
        }))
    }

    /// Puts blocks that were read back to the front, in their order.
    pub(super) fn put_back(&mut self, blocks: impl IntoIterator<Item = Bytes>) {
        let behind = std::mem::take(&mut self.read);
        self.read = blocks.into_iter().chain(behind).collect();
    }

    /// The same blocks, and then the fault that was met behind them.
    pub(super) fn broken(read: Vec<Bytes>, fault: Fault) -> Self {
        let rest = stream::once(std::future::ready(Err(fault))).boxed_local();
        Self { read: read.into(), rest }
    }
}

impl Stream for Blocks {
    type Item = Result<Bytes, Fault>;

    fn poll_next(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Option<Self::Item>> {
        match self.read.pop_front() {
            Some(block) => Poll::Ready(Some(Ok(block))),
            None => self.rest.poll_next_unpin(context),
        }
    }
}

/// The only reader of a stream of the platform. Dropped before the end, it cancels the stream.
pub(super) struct Reader {
    js: JsReader,
    /// Whether it reads into arrays of ours, as all streams of the platform can; one that JavaScript made may not.
    is_byob: bool,
    /// Bytes that the next read waits for.
    at_least: u32,
    /// Bytes that a read waits for at the most.
    at_least_max: u32,
    is_over: bool,
}

impl Reader {
    /// Fails where somebody else is reading already.
    pub(super) fn of(stream: &ReadableStream) -> Result<Self, Fault> {
        let stream: &Readable = stream.unchecked_ref();
        let options = object(&[("mode", "byob".into())]);
        if let Ok(js) = stream.get_reader(&options) {
            return Ok(Self::new(js, true));
        }
        let js = stream.get_reader(&JsValue::UNDEFINED).map_err(|error| fault(&error))?;
        Ok(Self::new(js, false))
    }

    fn new(js: JsReader, is_byob: bool) -> Self {
        Self { js, is_byob, at_least: 1, at_least_max: BLOCK_BYTES_MAX, is_over: false }
    }

    /// The same, of a source that is given up once a read takes `stall_ms`.
    pub(super) fn stalling(mut self, stall_ms: u32) -> Self {
        self.at_least_max = stall_ms.saturating_mul(BYTES_A_MS_MIN).clamp(1, BLOCK_BYTES_MAX);
        self
    }

    /// Whether [`Reader::fill`] can be used.
    pub(super) fn is_byob(&self) -> bool {
        self.is_byob
    }

    /// What is there, or of a quick source at most twice what the last read brought; `None` at the end.
    async fn block(&mut self) -> Result<Option<Bytes>, Fault> {
        if !self.is_byob {
            return self.settled(self.js.read()).await;
        }
        let room = self.at_least.max(BLOCK_BYTES);
        let began_ms = Date::now();
        let read = self.js.read_at_least(self.at_least, &Uint8Array::new_with_length(room));
        let Some(block) = self.settled(read).await? else { return Ok(None) };
        let is_quick = Date::now() - began_ms <= QUICK_MS;
        let twice = block.length().saturating_mul(2).clamp(1, self.at_least_max);
        self.at_least = if is_quick { twice } else { 1 };
        // A few bytes may wait in a queue for long; they keep no whole block alive there.
        Ok(Some(if block.length() < room / 2 { block.front(block.length()) } else { block }))
    }

    /// The next `bytes`, fewer only where the stream ends.
    pub(super) async fn fill(&mut self, bytes: u32) -> Result<Bytes, Fault> {
        let read = self.js.read_at_least(bytes, &Uint8Array::new_with_length(bytes));
        Ok(match self.settled(read).await? {
            Some(block) if block.length() == bytes => block,
            Some(block) => block.front(block.length()),
            None => Bytes::copy(b""),
        })
    }

    /// Lets somebody else read on.
    pub(super) fn release(mut self) {
        self.is_over = self.js.release_lock().is_ok();
    }

    async fn settled(
        &mut self,
        read: Result<js_sys::Promise, JsValue>,
    ) -> Result<Option<Bytes>, Fault> {
        let Ok(result) = settled(read).await else {
            self.is_over = true;
            return Err(Fault::BrokenOff);
        };
        let result: ReadResult = result.unchecked_into();
        if result.done() {
            self.is_over = true;
            return Ok(None);
        }
        let block: Uint8Array =
            result.value().dyn_into().map_err(|_| Fault::Corrupt("a stream not of bytes"))?;
        // What JavaScript made may be in use there.
        Ok(Some(if self.is_byob { Bytes::own(block) } else { Bytes::borrow(block) }))
    }
}

impl Drop for Reader {
    fn drop(&mut self) {
        if !self.is_over
            && let Ok(cancelled) = self.js.cancel()
        {
            platform::forget(&cancelled);
        }
    }
}
