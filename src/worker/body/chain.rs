//! A body of many parts, read one after another.

use std::future::poll_fn;
use std::pin::Pin;
use std::task::Poll;

use futures_channel::oneshot;
use futures_util::stream::{LocalBoxStream, Peekable};
use futures_util::{FutureExt, Stream, StreamExt, stream};

use super::NativeBody;
use super::blocks::Blocks;
use super::bytes::Bytes;
use super::cut::cut;
use crate::cache::ports::{Body, Ending, Fault, Part};

/// The parts as one run of blocks, and how it ended: by a fault, or else well, or with nobody reading on.
///
/// Nothing is asked for before the first block is.
pub(super) fn chain(
    parts: impl Stream<Item = Result<Part<NativeBody>, Fault>> + 'static,
    length: u64,
    stall_ms: u32,
) -> (Blocks, Ending) {
    let (broken, ending) = oneshot::channel();
    let parts = Box::pin(parts.boxed_local().peekable());
    let chain = Chain { parts, current: None, left: length, stall_ms, broken: Some(broken) };
    let blocks = stream::unfold(chain, |mut chain| async {
        let block = chain.block().await.transpose()?;
        if let Err(fault) = &block
            && let Some(broken) = chain.broken.take()
        {
            // The other end may have no use for it.
            let _ = broken.send(fault.clone());
        }
        Some((block, chain))
    });
    // Ended, or left by its reader, the chain is dropped with nothing told.
    let ending = ending.map(|broken| broken.map_or(Ok(()), Err));
    (Blocks::new(blocks), ending.boxed_local())
}

type Parts = LocalBoxStream<'static, Result<Part<NativeBody>, Fault>>;

struct Chain {
    parts: Pin<Box<Peekable<Parts>>>,
    current: Option<Blocks>,
    /// Bytes still to come.
    left: u64,
    stall_ms: u32,
    broken: Option<oneshot::Sender<Fault>>,
}

impl Chain {
    async fn block(&mut self) -> Result<Option<Bytes>, Fault> {
        loop {
            if self.broken.is_none() {
                return Ok(None);
            }
            if self.current.is_none() {
                match self.parts.next().await {
                    Some(part) => {
                        let Part { body, cut: of } = part?;
                        let blocks = body.stalling(self.stall_ms).into_blocks();
                        self.current = Some(cut(blocks, &of));
                    }
                    None if self.left == 0 => return Ok(None),
                    None => return Err(Fault::Corrupt("parts shorter than their chain")),
                }
            }
            match self.pull().await.transpose()? {
                Some(block) => {
                    let left = self.left.checked_sub(u64::from(block.length()));
                    self.left = left.ok_or(Fault::Corrupt("parts longer than their chain"))?;
                    return Ok(Some(block));
                }
                None => self.current = None,
            }
        }
    }

    /// The current part's next block; meanwhile the next part is asked for, and no other.
    fn pull(&mut self) -> impl Future<Output = Option<Result<Bytes, Fault>>> {
        poll_fn(|context| {
            // Whether it is here is of no interest yet.
            let _ = self.parts.as_mut().poll_peek(context);
            match &mut self.current {
                Some(current) => Pin::new(current).poll_next(context),
                None => Poll::Ready(None),
            }
        })
    }
}
