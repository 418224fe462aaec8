//! A body branched, at a pace all branches can keep.
//!
//! The platform's own `tee()` holds for the slower branch whatever the faster one has read, up to the memory of the
//! isolate. Here one reader feeds a queue for each branch, and each has a bound: the viewer's is wide enough for a player
//! that pauses, a copy's is not, for its reader holds chunks of its own. At the bound the source is not read until the
//! slowest branch has caught up, and a copy that does not is let go.

use std::cell::{Cell, RefCell};
use std::collections::VecDeque;
use std::future::poll_fn;
use std::pin::{Pin, pin};
use std::rc::Rc;
use std::task::{Context, Poll, Waker};

use futures_util::future::{Either, select};
use futures_util::{Stream, StreamExt};

use super::blocks::Blocks;
use super::bytes::Bytes;
use crate::cache::ports::Fault;
use crate::limits::{
    COPY_LAG_BYTES_MAX, FORK_AHEAD_BYTES_MAX, FORKS_LAG_BYTES_MAX, VIEWER_LAG_BYTES_MAX,
};
use crate::worker::budget::sleep;
use crate::worker::task::spawn;

thread_local! {
    /// Bytes that wait in the forks of this isolate, each counted once.
    static WAITING: Cell<u64> = const { Cell::new(0) };
}

#[derive(Default)]
struct Fork {
    /// The viewer's, then those of the copies.
    lanes: Vec<Lane>,
    /// Set once the source has no more.
    end: Option<Result<(), Fault>>,
    pump: Option<Waker>,
}

/// What one branch has still to take.
#[derive(Default)]
struct Lane {
    queue: VecDeque<Rc<Block>>,
    bytes: u64,
    /// Whether its reader is busy with what it took last.
    is_busy: bool,
    /// How long it may take nothing while others wait for it; the viewer's is not limited.
    patience_ms: Option<u32>,
    /// For how long it has taken nothing of what waits.
    idle_ms: u32,
    /// Nobody reads it any more.
    is_left: bool,
    /// It held the others up for too long.
    is_let_go: bool,
    reader: Option<Waker>,
}

impl Lane {
    fn is_gone(&self) -> bool {
        self.is_left || self.is_let_go
    }

    fn is_waited_for(&self) -> bool {
        !self.is_gone() && (self.is_busy || !self.queue.is_empty())
    }

    /// How far it may lag behind.
    fn bytes_max(&self) -> u64 {
        if self.patience_ms.is_some() { COPY_LAG_BYTES_MAX } else { VIEWER_LAG_BYTES_MAX }
    }

    fn clear(&mut self) {
        self.queue.clear();
        self.bytes = 0;
    }

    fn wake(&mut self) {
        if let Some(reader) = self.reader.take() {
            reader.wake();
        }
    }
}

/// A block that waits for its readers.
struct Block(Bytes);

impl Block {
    fn new(bytes: Bytes) -> Rc<Self> {
        WAITING.set(WAITING.get() + u64::from(bytes.length()));
        Rc::new(Self(bytes))
    }
}

impl Drop for Block {
    fn drop(&mut self) {
        WAITING.set(WAITING.get().saturating_sub(u64::from(self.0.length())));
    }
}

impl Fork {
    fn is_abandoned(&self) -> bool {
        self.lanes.iter().all(Lane::is_gone)
    }

    fn has_room(&self) -> bool {
        let lanes = || self.lanes.iter().filter(|lane| !lane.is_gone());
        let fastest = lanes().map(|lane| lane.bytes).min().unwrap_or(0);
        let slowest = lanes().map(|lane| lane.bytes).max().unwrap_or(0);
        fastest < FORK_AHEAD_BYTES_MAX
            && lanes().all(|lane| lane.bytes < lane.bytes_max())
            // However full the isolate is, one block at a time goes through, so nobody waits for ever.
            && (slowest == 0 || WAITING.get() < FORKS_LAG_BYTES_MAX)
    }

    fn push(&mut self, bytes: Bytes) {
        let block = Block::new(bytes);
        for lane in self.lanes.iter_mut().filter(|lane| !lane.is_gone()) {
            lane.bytes += u64::from(block.0.length());
            lane.queue.push_back(Rc::clone(&block));
            lane.wake();
        }
    }

    fn end(&mut self, end: Result<(), Fault>) {
        self.end = Some(end);
        self.lanes.iter_mut().for_each(Lane::wake);
    }

    fn wake_pump(&mut self) {
        if let Some(pump) = self.pump.take() {
            pump.wake();
        }
    }
}

/// Reads the source as long as there is room, and then stays until all branches have taken everything or are gone.
async fn pump(mut source: Blocks, fork: &RefCell<Fork>) {
    loop {
        until(fork, |fork| fork.has_room() || fork.is_abandoned()).await;
        let abandoned = until(fork, Fork::is_abandoned);
        match select(source.next(), pin!(abandoned)).await {
            Either::Left((Some(Ok(block)), _)) => fork.borrow_mut().push(block),
            Either::Left((Some(Err(fault)), _)) => break fork.borrow_mut().end(Err(fault)),
            Either::Left((None, _)) => break fork.borrow_mut().end(Ok(())),
            Either::Right(_) => return,
        }
    }
    drop(source);
    until(fork, |fork| !fork.lanes.iter().any(Lane::is_waited_for)).await;
}

/// Waits until it is so; whatever changes a fork wakes the pump.
async fn until(fork: &RefCell<Fork>, is_so: impl Fn(&Fork) -> bool) {
    poll_fn(|context| {
        let mut fork = fork.borrow_mut();
        if is_so(&fork) {
            return Poll::Ready(());
        }
        fork.pump = Some(context.waker().clone());
        Poll::Pending
    })
    .await;
}

/// Lets every copy go that has taken nothing for too long of what waits for it.
///
/// It also wakes the pump now and then: room that other requests made may not wake it, for the platform lets no
/// request run in the name of another.
async fn watch(fork: &RefCell<Fork>, tick_ms: u32) {
    loop {
        sleep(tick_ms).await;
        let mut fork = fork.borrow_mut();
        for lane in fork.lanes.iter_mut().filter(|lane| lane.is_waited_for()) {
            lane.idle_ms = lane.idle_ms.saturating_add(tick_ms);
            if lane.patience_ms.is_some_and(|patience_ms| lane.idle_ms >= patience_ms) {
                lane.is_let_go = true;
                lane.clear();
                lane.wake();
            }
        }
        fork.wake_pump();
    }
}

/// How finely patience is measured.
const TICKS: u32 = 8;
const TICK_MS_MIN: u32 = 10;
const TICK_MS_MAX: u32 = 250;

/// One end of a fork. Dropped, it leaves the others alone; with the last the source is dropped.
pub(in crate::worker) struct Branch {
    fork: Rc<RefCell<Fork>>,
    lane: usize,
}

impl Branch {
    /// The viewer's branch of `source`, and for now the only one. A source that breaks breaks all.
    pub(super) fn of(source: Blocks, patience_ms: u32) -> Self {
        let fork = Fork { lanes: vec![Lane::default()], ..Fork::default() };
        let fork = Rc::new(RefCell::new(fork));
        let branch = Self { fork: Rc::clone(&fork), lane: 0 };
        let tick_ms = (patience_ms / TICKS).clamp(TICK_MS_MIN, TICK_MS_MAX);
        spawn(async move {
            select(pin!(pump(source, &fork)), pin!(watch(&fork, tick_ms))).await;
        });
        branch
    }

    /// Another that yields what this one has still to yield: a copy, which is let go once it takes nothing for
    /// `patience_ms`.
    pub(super) fn copy(&self, patience_ms: u32) -> Self {
        let mut fork = self.fork.borrow_mut();
        let mut copy = Lane { patience_ms: Some(patience_ms), ..Lane::default() };
        if let Some(lane) = fork.lanes.get(self.lane) {
            copy.queue.clone_from(&lane.queue);
            copy.bytes = lane.bytes;
            copy.is_let_go = lane.is_let_go;
        }
        fork.lanes.push(copy);
        Self { fork: Rc::clone(&self.fork), lane: fork.lanes.len() - 1 }
    }
}

impl Stream for Branch {
    type Item = Result<Bytes, Fault>;

    fn poll_next(self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Option<Self::Item>> {
        let mut fork = self.fork.borrow_mut();
        let end = fork.end.clone();
        let Some(lane) = fork.lanes.get_mut(self.lane) else { return Poll::Ready(None) };
        (lane.is_busy, lane.idle_ms) = (false, 0);
        let block = lane.queue.pop_front();
        let next = match (&block, end) {
            _ if lane.is_let_go => Poll::Ready(Some(Err(Fault::BrokenOff))),
            (Some(block), _) => {
                lane.bytes = lane.bytes.saturating_sub(u64::from(block.0.length()));
                lane.is_busy = true;
                Poll::Ready(Some(Ok(block.0.clone())))
            }
            (None, Some(Ok(()))) => Poll::Ready(None),
            (None, Some(Err(fault))) => Poll::Ready(Some(Err(fault))),
            (None, None) => {
                lane.reader = Some(context.waker().clone());
                Poll::Pending
            }
        };
        fork.wake_pump();
        next
    }
}

impl Drop for Branch {
    fn drop(&mut self) {
        let mut fork = self.fork.borrow_mut();
        if let Some(lane) = fork.lanes.get_mut(self.lane) {
            lane.is_left = true;
            lane.clear();
        }
        fork.wake_pump();
    }
}
