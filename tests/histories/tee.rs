//! One body for two readers, who may lag behind each other by what memory allows.

use std::cell::RefCell;
use std::collections::VecDeque;
use std::pin::Pin;
use std::rc::Rc;
use std::sync::{Arc, Mutex};
use std::task::{Context, Poll, Wake, Waker};

use futures_util::{Stream, StreamExt};
use video_resizer::cache::ports::Fault;

use super::body::Pieces;
use super::clockwork::Sleep;
use super::world::World;

/// Bytes one branch may lag behind the other.
const LAG_BYTES: usize = 24;
const COPY: usize = 1;

/// The viewer's branch and the copy's. A copy that takes nothing for `patience_ms` is let go.
pub(crate) fn tee(world: &Rc<World>, source: Pieces, patience_ms: u64) -> (Pieces, Pieces) {
    assert!(patience_ms > 0, "every wait has a bound");
    let tee = Rc::new(RefCell::new(Tee {
        world: Rc::clone(world),
        source: Some(source),
        patience_ms,
        queues: Default::default(),
        gone: [false; 2],
        is_let_go: false,
        waiting_since_ms: 0,
        both: Arc::default(),
    }));
    let branch =
        |which| Branch { tee: Rc::clone(&tee), which, nap: None, is_over: false }.boxed_local();
    (branch(0), branch(COPY))
}

struct Tee {
    world: Rc<World>,
    source: Option<Pieces>,
    patience_ms: u64,
    queues: [VecDeque<Result<Vec<u8>, Fault>>; 2],
    gone: [bool; 2],
    is_let_go: bool,
    /// Since when there is something for the copy that it does not take.
    waiting_since_ms: u64,
    both: Arc<Both>,
}

/// Wakes both branches: either may have to go on where the other stopped.
#[derive(Default)]
struct Both(Mutex<Vec<Waker>>);

impl Wake for Both {
    fn wake(self: Arc<Self>) {
        let wakers = std::mem::take(&mut *self.0.lock().unwrap());
        wakers.into_iter().for_each(Waker::wake);
    }
}

impl Tee {
    fn lag(&self, which: usize) -> usize {
        self.queues[which].iter().flatten().map(Vec::len).sum()
    }
}

struct Branch {
    tee: Rc<RefCell<Tee>>,
    which: usize,
    nap: Option<Sleep>,
    is_over: bool,
}

impl Stream for Branch {
    type Item = Result<Vec<u8>, Fault>;

    fn poll_next(self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Option<Self::Item>> {
        let this = self.get_mut();
        if this.is_over {
            return Poll::Ready(None);
        }
        let (mine, other) = (this.which, 1 - this.which);
        let mut guard = this.tee.borrow_mut();
        let tee = &mut *guard;
        let now_ms = tee.world.clock.now_ms();
        if mine == COPY && tee.is_let_go {
            tee.queues[COPY].clear();
            this.is_over = true;
            return Poll::Ready(Some(Err(Fault::BrokenOff)));
        }
        if let Some(item) = tee.queues[mine].pop_front() {
            tee.waiting_since_ms = if mine == COPY { now_ms } else { tee.waiting_since_ms };
            Arc::clone(&tee.both).wake();
            return Poll::Ready(Some(item));
        }
        if !tee.gone[other] && tee.lag(other) >= LAG_BYTES {
            let patient_until_ms = tee.waiting_since_ms + tee.patience_ms;
            if other == COPY && now_ms >= patient_until_ms {
                (tee.gone[COPY], tee.is_let_go) = (true, true);
                Arc::clone(&tee.both).wake();
            } else {
                if other == COPY {
                    let mut nap = tee.world.clock.sleep(patient_until_ms - now_ms);
                    let _ = Pin::new(&mut nap).poll(context);
                    this.nap = Some(nap);
                }
                tee.both.0.lock().unwrap().push(context.waker().clone());
                return Poll::Pending;
            }
        }
        let Some(source) = &mut tee.source else { return Poll::Ready(None) };
        tee.both.0.lock().unwrap().push(context.waker().clone());
        let waker = Waker::from(Arc::clone(&tee.both));
        let Poll::Ready(item) = source.poll_next_unpin(&mut Context::from_waker(&waker)) else {
            return Poll::Pending;
        };
        if !matches!(item, Some(Ok(_))) {
            tee.source = None;
        }
        if let Some(item) = &item
            && !tee.gone[other]
        {
            if other == COPY && tee.queues[COPY].is_empty() {
                tee.waiting_since_ms = now_ms;
            }
            tee.queues[other].push_back(item.clone());
        }
        Arc::clone(&tee.both).wake();
        Poll::Ready(item)
    }
}

impl Drop for Branch {
    /// One branch's end by its reader never ends the other.
    fn drop(&mut self) {
        let mut tee = self.tee.borrow_mut();
        tee.gone[self.which] = true;
        tee.queues[self.which].clear();
        let both = Arc::clone(&tee.both);
        drop(tee);
        both.wake();
    }
}
