//! Bodies that flow: bytes come piece by piece, in their own time, and may break off.

use std::cell::RefCell;
use std::collections::VecDeque;
use std::fmt;
use std::future::poll_fn;
use std::rc::Rc;
use std::task::{Poll, Waker};

use futures_util::future::{Either, select};
use futures_util::stream::{self, Fuse, LocalBoxStream};
use futures_util::{FutureExt, StreamExt};
use sha2::{Digest, Sha256};
use video_resizer::cache::ports::{Body, Ending, Fault, Held, Part};
use video_resizer::http::cut::{Cut, Piece};

use super::tee::tee;
use super::world::World;

/// Bytes on their way.
pub(crate) type Pieces = LocalBoxStream<'static, Result<Vec<u8>, Fault>>;

/// Bytes nobody in the core looks at.
pub(crate) enum SimBody {
    Empty,
    Text(String),
    Stream(Pieces),
}

impl fmt::Debug for SimBody {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str("SimBody")
    }
}

/// How a body ends.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum End {
    /// Where it should.
    Whole,
    /// With an error, after so many bytes.
    Breaks(usize),
    /// As if that were its end, after so many bytes.
    Stops(usize),
    /// It gives nothing for so long after so many bytes, and then breaks.
    Stalls(usize, u64),
}

/// Bytes that come in pieces of drawn sizes, at most `pause_ms` between two.
pub(crate) fn flow(world: &Rc<World>, bytes: Rc<[u8]>, pause_ms: u64, end: End) -> Pieces {
    let world = Rc::clone(world);
    let length = match end {
        End::Whole => bytes.len(),
        End::Breaks(after) | End::Stops(after) | End::Stalls(after, _) => after.min(bytes.len()),
    };
    let pieces = stream::unfold(Some(0), move |at: Option<usize>| {
        let (world, bytes) = (Rc::clone(&world), Rc::clone(&bytes));
        async move {
            let at = at?;
            if at == length {
                if let End::Stalls(_, ms) = end {
                    world.clock.sleep(ms).await;
                }
                let breaks = matches!(end, End::Breaks(_) | End::Stalls(..));
                return breaks.then_some((Err(Fault::BrokenOff), None));
            }
            if pause_ms > 0 {
                world.clock.sleep(world.dice.between(0, pause_ms)).await;
            }
            let piece = 1 + world.dice.index(16.max(bytes.len() / 4));
            let next = (at + piece).min(length);
            Some((Ok(bytes[at..next].to_vec()), Some(next)))
        }
    });
    pieces.boxed_local()
}

impl SimBody {
    pub(crate) fn into_pieces(self) -> Pieces {
        match self {
            Self::Empty => stream::empty().boxed_local(),
            Self::Text(text) => stream::once(async move { Ok(text.into_bytes()) }).boxed_local(),
            Self::Stream(pieces) => pieces,
        }
    }

    /// Everything, and whether its end was one.
    pub(crate) async fn read(self) -> (Vec<u8>, bool) {
        let (mut bytes, mut pieces) = (Vec::new(), self.into_pieces());
        while let Some(piece) = pieces.next().await {
            match piece {
                Ok(piece) => bytes.extend(piece),
                Err(_) => return (bytes, false),
            }
        }
        (bytes, true)
    }

    /// `front`, then the rest.
    fn resumed(front: Vec<u8>, rest: Pieces) -> Self {
        let front = (!front.is_empty()).then_some(Ok(front));
        Self::Stream(stream::iter(front).chain(rest).boxed_local())
    }
}

/// Only what a cut says; a body that ends before that breaks there, and `short` says of what.
fn cut_pieces(body: Pieces, cut: &Cut, short: Fault) -> Pieces {
    struct Cutting {
        body: Pieces,
        left: VecDeque<Piece>,
        /// What was read and not yet sent, and where in the body it stands.
        at: u64,
        buffer: Vec<u8>,
        /// Where in the body the next byte of the first piece stands.
        wanted: u64,
        short: Fault,
    }
    let left = cut.pieces().iter().cloned().collect();
    let cutting = Cutting { body, left, at: 0, buffer: Vec::new(), wanted: 0, short };
    let pieces = stream::unfold(Some(cutting), |cutting| async move {
        let mut it = cutting?;
        loop {
            let range = match it.left.front()? {
                Piece::Bytes(range) => *range,
                Piece::Text(text) => {
                    let text = text.clone().into_bytes();
                    it.left.pop_front();
                    return Some((Ok(text), Some(it)));
                }
            };
            it.wanted = it.wanted.max(range.first());
            let skipped = usize::try_from(it.wanted - it.at).unwrap().min(it.buffer.len());
            it.buffer.drain(..skipped);
            it.at += skipped as u64;
            if it.buffer.is_empty() {
                match it.body.next().await {
                    Some(Ok(piece)) => it.buffer = piece,
                    Some(Err(fault)) => return Some((Err(fault), None)),
                    None => return Some((Err(it.short), None)),
                }
                continue;
            }
            let wanted = usize::try_from(range.last() + 1 - it.wanted).unwrap();
            let sent: Vec<u8> = it.buffer.drain(..wanted.min(it.buffer.len())).collect();
            it.at += sent.len() as u64;
            it.wanted = it.at;
            if it.wanted > range.last() {
                it.left.pop_front();
            }
            return Some((Ok(sent), Some(it)));
        }
    });
    pieces.boxed_local()
}

impl Body for SimBody {
    type Held = SimHeld;

    fn empty() -> Self {
        Self::Empty
    }

    fn text(text: String) -> Self {
        Self::Text(text)
    }

    fn of(front: &[u8], held: &SimHeld) -> Self {
        let bytes = [front, &held.0].concat();
        Self::Stream(stream::once(async move { Ok(bytes) }).boxed_local())
    }

    fn fork(&mut self, patience_ms: u32) -> Result<Self, Fault> {
        match self {
            Self::Empty => Ok(Self::Empty),
            Self::Text(text) => Ok(Self::Text(text.clone())),
            Self::Stream(pieces) => {
                let source = std::mem::replace(pieces, stream::empty().boxed_local());
                let (viewer, copy) = tee(&World::here(), source, u64::from(patience_ms));
                *pieces = viewer;
                Ok(Self::Stream(copy))
            }
        }
    }

    fn cut(self, cut: Cut) -> Self {
        Self::Stream(cut_pieces(self.into_pieces(), &cut, Fault::BrokenOff))
    }

    /// What stalls here is a chunk.
    fn stalling(self, _: u32) -> Self {
        self
    }

    async fn take(&mut self, bytes: u64) -> Result<SimHeld, Fault> {
        let bytes = usize::try_from(bytes).unwrap();
        let mut pieces = std::mem::replace(self, Self::Empty).into_pieces();
        let mut taken = Vec::new();
        while taken.len() < bytes {
            match pieces.next().await {
                Some(Ok(piece)) => taken.extend(piece),
                Some(Err(_)) => return Err(Fault::BrokenOff),
                None => {
                    pieces = stream::empty().boxed_local();
                    break;
                }
            }
        }
        let rest = taken.split_off(bytes.min(taken.len()));
        *self = Self::resumed(rest, pieces);
        Ok(SimHeld(taken.into()))
    }

    fn chain(
        parts: impl stream::Stream<Item = Result<Part<Self>, Fault>> + 'static,
        length: u64,
        stall_ms: u32,
    ) -> (Self, Ending) {
        let ended = Rc::new(RefCell::new(Ended::default()));
        let told = Rc::clone(&ended);
        let parts = parts.boxed_local().fuse();
        let chain = Chain { parts, current: None, next: None, left: length, stall_ms, told };
        let pieces = stream::unfold(Some(chain), |chain| async move {
            let mut chain = chain?;
            match chain.next_piece().await {
                Ok(Some(piece)) => Some((Ok(piece), Some(chain))),
                Ok(None) => {
                    chain.tell(Ok(()));
                    None
                }
                Err(fault) => {
                    chain.tell(Err(fault.clone()));
                    Some((Err(fault), None))
                }
            }
        });
        let ending = poll_fn(move |context| {
            let mut ended = ended.borrow_mut();
            if let Some(how) = ended.how.clone() {
                return Poll::Ready(how);
            }
            ended.waker = Some(context.waker().clone());
            Poll::Pending
        });
        (Self::Stream(pieces.boxed_local()), ending.boxed_local())
    }

    async fn measure(self, bytes_max: u64) -> (Self, Option<u64>) {
        let (mut held, mut pieces) = (Vec::new(), self.into_pieces());
        loop {
            match pieces.next().await {
                Some(Ok(piece)) => held.extend(piece),
                Some(Err(fault)) => {
                    let broken = stream::once(async move { Err(fault) }).boxed_local();
                    return (Self::resumed(held, broken), None);
                }
                None => {
                    let length = held.len() as u64;
                    return (Self::resumed(held, stream::empty().boxed_local()), Some(length));
                }
            }
            if held.len() as u64 > bytes_max {
                return (Self::resumed(held, pieces), None);
            }
        }
    }

    fn discard(self) {}
}

/// Parts one after another; the next is asked for while one is read.
struct Chain {
    parts: Fuse<LocalBoxStream<'static, Result<Part<SimBody>, Fault>>>,
    current: Option<Pieces>,
    next: Option<Result<Part<SimBody>, Fault>>,
    left: u64,
    stall_ms: u32,
    told: Rc<RefCell<Ended>>,
}

#[derive(Default)]
struct Ended {
    how: Option<Result<(), Fault>>,
    waker: Option<Waker>,
}

impl Chain {
    async fn next_piece(&mut self) -> Result<Option<Vec<u8>>, Fault> {
        loop {
            let Some(current) = &mut self.current else {
                let part = match self.next.take() {
                    None => self.parts.next().await,
                    part => part,
                };
                let Some(part) = part else {
                    assert_eq!(self.left, 0, "a chain shorter than was said");
                    return Ok(None);
                };
                let Part { body, cut } = part?;
                let short = Fault::Corrupt("a part shorter than it was");
                self.current = Some(cut_pieces(body.into_pieces(), &cut, short));
                continue;
            };
            let (parts, next) = (&mut self.parts, &mut self.next);
            let piece = poll_fn(|context| {
                if next.is_none()
                    && let Poll::Ready(part) = parts.poll_next_unpin(context)
                {
                    *next = part;
                }
                current.poll_next_unpin(context)
            });
            let stall = World::here().clock.sleep(u64::from(self.stall_ms));
            match select(piece, stall).await {
                Either::Left((Some(piece), _)) => {
                    let piece = piece?;
                    self.left -= piece.len() as u64;
                    return Ok(Some(piece));
                }
                Either::Left((None, _)) => self.current = None,
                Either::Right(_) => return Err(Fault::TimedOut { budget_ms: self.stall_ms }),
            }
        }
    }

    fn tell(&self, how: Result<(), Fault>) {
        let mut ended = self.told.borrow_mut();
        ended.how.get_or_insert(how);
        let waker = ended.waker.take();
        drop(ended);
        if let Some(waker) = waker {
            waker.wake();
        }
    }
}

impl Drop for Chain {
    /// A reader who leaves is no fault.
    fn drop(&mut self) {
        self.tell(Ok(()));
    }
}

/// Bytes held in the platform's memory.
#[derive(Debug, Clone)]
pub(crate) struct SimHeld(Rc<[u8]>);

impl Held for SimHeld {
    fn length(&self) -> u64 {
        self.0.len() as u64
    }

    fn front(&self, bytes: u64) -> Self {
        Self(self.0[..self.0.len().min(usize::try_from(bytes).unwrap())].into())
    }

    async fn sha256(&self) -> Result<[u8; 32], Fault> {
        Ok(Sha256::digest(&self.0).into())
    }

    fn to_vec(&self) -> Vec<u8> {
        self.0.to_vec()
    }
}
