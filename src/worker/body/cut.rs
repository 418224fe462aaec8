//! A body cut: texts of ours, and some of its bytes.

use std::collections::VecDeque;

use futures_util::{StreamExt, stream};

use super::blocks::Blocks;
use super::bytes::Bytes;
use crate::cache::ports::Fault;
use crate::http::cut::{Cut, Piece};
use crate::http::range::ByteRange;

/// Only what `cut` says of `blocks`, in one pass: what lies before a piece is read and dropped, and what lies behind
/// the last is not read. A body that ends before is [`Fault::Corrupt`].
pub(super) fn cut(blocks: Blocks, cut: &Cut) -> Blocks {
    let pieces = cut.pieces().iter().cloned().collect();
    let cutter = Cutter { blocks, pieces, block: Bytes::copy(b""), at: 0 };
    Blocks::new(stream::unfold(cutter, |mut cutter| async {
        let block = cutter.next().await.transpose()?;
        Some((block, cutter))
    }))
}

struct Cutter {
    blocks: Blocks,
    /// What is still to be sent; the first may be sent in part.
    pieces: VecDeque<Piece>,
    block: Bytes,
    /// Where in the body the block begins.
    at: u64,
}

impl Cutter {
    async fn next(&mut self) -> Result<Option<Bytes>, Fault> {
        loop {
            let range = match self.pieces.pop_front() {
                None => return Ok(None),
                Some(Piece::Text(text)) => return Ok(Some(Bytes::copy(text.as_bytes()))),
                Some(Piece::Bytes(range)) => range,
            };
            // Pieces ascend, so no byte is wanted that lies before this block.
            let end = self.at + u64::from(self.block.length());
            if range.first() >= end {
                let block = self.blocks.next().await;
                self.block = block.ok_or(Fault::Corrupt("a body shorter than its cut"))??;
                self.at = end;
                self.pieces.push_front(Piece::Bytes(range));
                continue;
            }
            let rest = ByteRange::new(end, range.last()).map(Piece::Bytes);
            if let Some(rest) = rest {
                self.pieces.push_front(rest);
            }
            let [from, to] = [range.first(), end.min(range.last() + 1)].map(|at| at - self.at);
            return Ok(Some(self.block.part(offset(from), offset(to))));
        }
    }
}

/// Inside a block: at most its length, a u32.
fn offset(bytes: u64) -> u32 {
    u32::try_from(bytes).unwrap_or(u32::MAX)
}
