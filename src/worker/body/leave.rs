//! A body leaves: as what the platform takes for one, and with it the work of handing its bytes over.

use std::cell::Cell;
use std::pin::pin;

use futures_util::future::{Either, LocalBoxFuture, ready, select};
use futures_util::{FutureExt, StreamExt};
use js_sys::BigInt;
use wasm_bindgen::JsValue;

use super::NativeBody;
use super::binding::{FixedLengthStream, IdentityTransformStream, Writer};
use super::blocks::Blocks;
use super::bytes::Bytes;
use crate::cache::ports::Fault;
use crate::worker::budget::{fault, settled, sleep, within};
use crate::worker::platform;

/// The handing over of a body. Nothing is handed over unless somebody polls it.
///
/// It is done when the last byte has been taken, or the taker has left; it fails where the source breaks or is of
/// another length than was announced, and then the taker finds a broken stream.
pub(in crate::worker) struct Handing {
    /// `None` where there is nothing to do.
    work: Option<LocalBoxFuture<'static, Result<(), Fault>>>,
    /// What is handed over at once: its memory is needed until the taker is done with it.
    held: Option<Bytes>,
}

impl Handing {
    fn of(work: impl Future<Output = Result<(), Fault>> + 'static) -> Self {
        Self { work: Some(work.boxed_local()), held: None }
    }

    /// Nothing is left to do.
    fn done() -> Self {
        Self { work: None, held: None }
    }

    /// What is left to do, if anything is; whose fault a failure was is told where the body came from.
    pub(in crate::worker) fn work(self) -> Option<impl Future<Output = ()>> {
        self.work.map(|work| work.map(drop))
    }
}

impl NativeBody {
    /// This body as a `BodyInit` (fetch standard), or `null`.
    ///
    /// With a `length` it is a stream whose length the platform knows: it is sent with `Content-Length`, and breaks
    /// where it turns out to be another. A taker who takes nothing for `patience_ms` is waited for no longer.
    pub(in crate::worker) fn leave(
        self,
        length: Option<u64>,
        patience_ms: Option<u32>,
    ) -> Result<(JsValue, Handing), Fault> {
        Ok(match self {
            Self::Empty => (JsValue::NULL, Handing::done()),
            Self::Text(text) => (JsValue::from_str(&text), Handing::done()),
            Self::Held(bytes) => {
                if length.is_some_and(|length| length != u64::from(bytes.length())) {
                    return Err(Fault::BrokenOff);
                }
                (bytes.view().into(), Handing { held: Some(bytes), work: None })
            }
            Self::Stream(unread) if patience_ms.is_none() => {
                let is_known = unread.length == length;
                let stream = unread.into_stream();
                let Some(length) = length.filter(|_| !is_known) else {
                    return Ok((stream.into(), Handing::done()));
                };
                let fixed = FixedLengthStream::new(BigInt::from(length));
                let fixed = fixed.map_err(|error| fault(&error))?;
                let piped = settled(Ok(stream.pipe_to(&fixed.writable())));
                let handing = piped.map(|piped| piped.map(drop).map_err(|_| Fault::BrokenOff));
                (fixed.readable().into(), Handing::of(handing))
            }
            body @ (Self::Stream(_) | Self::Blocks { .. } | Self::Branch { .. }) => {
                let length = length.or(body.length());
                // No stream of the platform can be piped into such a one but those it got from outside.
                let pipe = match length {
                    Some(length) => FixedLengthStream::new(BigInt::from(length)).map(Into::into),
                    None => IdentityTransformStream::new(),
                };
                let pipe: IdentityTransformStream = pipe.map_err(|error| fault(&error))?;
                let sink = Sink::of(&pipe)?;
                let handing = hand_over(body.into_blocks(), sink, length, patience_ms);
                (pipe.readable().into(), Handing::of(handing))
            }
        })
    }
}

async fn hand_over(
    mut blocks: Blocks,
    sink: Sink,
    length: Option<u64>,
    patience_ms: Option<u32>,
) -> Result<(), Fault> {
    let mut left = length;
    while let Some(block) = blocks.next().await {
        let block = block?;
        if let Some(left) = &mut left {
            *left = left.checked_sub(u64::from(block.length())).ok_or(Fault::BrokenOff)?;
        }
        if patiently(patience_ms, sink.write(&block)).await?.is_err() {
            return Ok(()); // the taker has left
        }
    }
    if left.is_some_and(|left| left > 0) {
        return Err(Fault::BrokenOff);
    }
    patiently(patience_ms, sink.close()).await
}

async fn patiently<F: Future>(patience_ms: Option<u32>, work: F) -> Result<F::Output, Fault> {
    match patience_ms {
        Some(patience_ms) => within(patience_ms, work).await,
        None => Ok(work.await),
    }
}

/// The only writer of a stream. Dropped before it is closed, it breaks the stream.
struct Sink {
    writer: Writer,
    is_closed: Cell<bool>,
}

impl Sink {
    fn of(pipe: &IdentityTransformStream) -> Result<Self, Fault> {
        let writer = pipe.writable().get_writer().map_err(|error| fault(&error))?;
        if let Ok(closed) = writer.closed() {
            platform::forget(&closed); // its rejection is told by the next write as well
        }
        Ok(Self { writer, is_closed: Cell::new(false) })
    }

    /// Settles when the bytes have been taken; fails when nobody takes any more.
    async fn write(&self, block: &Bytes) -> Result<(), Fault> {
        settled(self.writer.write(block.view())).await.map(drop)
    }

    async fn close(&self) {
        self.is_closed.set(true);
        let _ = settled(self.writer.close()).await; // refused, the taker has left
    }
}

impl Drop for Sink {
    fn drop(&mut self) {
        if !self.is_closed.get()
            && let Ok(aborted) = self.writer.abort(&JsValue::from_str("the body broke off"))
        {
            platform::forget(&aborted);
        }
    }
}

/// Awaits a write whose value is being handed over. `budget_ms` begins with the last byte.
///
/// Whatever broke on the way here, it is [`Fault::BrokenOff`]: the Cache API says nothing of it, and the local KV
/// keeps what came until then.
pub(in crate::worker) async fn kept<T>(
    put: impl Future<Output = Result<T, Fault>>,
    handing: Handing,
    budget_ms: u32,
) -> Result<(), Fault> {
    let Handing { work, held } = handing;
    let work = work.unwrap_or_else(|| ready(Ok(())).boxed_local());
    let kept = match select(pin!(put), work).await {
        Either::Right((handed, put)) => {
            let put = within(budget_ms, put).await;
            handed.map_err(|_| Fault::BrokenOff).and(put.and_then(|put| put.map(drop)))
        }
        // The news of what broke may come a turn later. What is not handed over by then nobody wants.
        Either::Left((put, work)) => {
            let handed = match select(work, pin!(sleep(0))).await {
                Either::Left((handed, _)) => handed,
                Either::Right(_) => Ok(()),
            };
            handed.map_err(|_| Fault::BrokenOff).and(put.map(drop))
        }
    };
    drop(held);
    kept
}
