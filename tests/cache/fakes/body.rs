//! Bodies of real bytes, whole or short, that tell how they ended.

use std::cell::RefCell;
use std::ops::Range;
use std::rc::Rc;

use futures_util::future::join;
use futures_util::stream::LocalBoxStream;
use futures_util::{FutureExt, StreamExt};
use video_resizer::cache::ports::{Body, Ending, Fault, Part};
use video_resizer::http::cut::{Cut, Piece};

use super::held::{FakeHeld, hold};
use super::run::run;
use super::weather::Mishap;
use super::world::{Operation, World};

/// A stream of bytes. Dropped without being read or discarded, it counts as leaked.
#[derive(Debug)]
pub(crate) struct FakeBody(Kind);

#[derive(Debug)]
enum Kind {
    Empty,
    Text(String),
    Stream(Stream),
    Chain(Chain),
}

#[derive(Debug)]
struct Stream {
    world: Rc<World>,
    bytes: Rc<[u8]>,
    /// What of `bytes` is still to come.
    window: Range<usize>,
    /// Whether it breaks after these bytes instead of ending.
    breaks: bool,
    ended: bool,
}

/// Parts that are asked for when somebody reads.
struct Chain {
    parts: LocalBoxStream<'static, Result<Part<FakeBody>, Fault>>,
    length: u64,
    ended: Rc<RefCell<Option<Result<(), Fault>>>>,
}

impl std::fmt::Debug for Chain {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        formatter.debug_struct("Chain").field("length", &self.length).finish_non_exhaustive()
    }
}

impl Chain {
    /// Reads every part, as a viewer does who stays; and tells in which world.
    fn read(mut self) -> (Read, Option<Rc<World>>) {
        let (mut bytes, mut world) = (Vec::new(), None);
        let mut coming = run(self.parts.next());
        let read = loop {
            let Part { body, cut } = match coming {
                None => break Ok(()),
                Some(Err(fault)) => break Err(fault),
                Some(Ok(part)) => part,
            };
            if let Kind::Stream(stream) = &body.0 {
                world = Some(Rc::clone(&stream.world));
            }
            // The next one is asked for while this one is on its way.
            let passing_on = async { body.send(&cut, &mut bytes) };
            let (next, passed) = run(join(self.parts.next(), passing_on));
            if let Err(fault) = passed {
                if let Some(Ok(unread)) = next {
                    unread.body.discard();
                }
                break Err(fault);
            }
            coming = next;
        };
        let whole = read.is_ok();
        assert!(!whole || bytes.len() as u64 == self.length, "a chain of another length");
        *self.ended.borrow_mut() = Some(read);
        (Read { bytes, whole }, world)
    }
}

/// How a body ended for whoever read it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Read {
    pub(crate) bytes: Vec<u8>,
    /// Whether the end was one.
    pub(crate) whole: bool,
}

impl FakeBody {
    /// A body that ends where it should.
    pub(crate) fn whole(world: &Rc<World>, bytes: Rc<[u8]>) -> Self {
        let window = 0..bytes.len();
        Self::stream(world, bytes, window, false)
    }

    /// A body that breaks off after `length` bytes.
    pub(crate) fn short(world: &Rc<World>, bytes: Rc<[u8]>, length: usize) -> Self {
        let window = 0..length.min(bytes.len());
        Self::stream(world, bytes, window, true)
    }

    fn stream(world: &Rc<World>, bytes: Rc<[u8]>, window: Range<usize>, breaks: bool) -> Self {
        world.count(|bodies| bodies.grown += 1);
        let world = Rc::clone(world);
        Self(Kind::Stream(Stream { world, bytes, window, breaks, ended: false }))
    }

    /// Sends what a cut says, and tells how that ended.
    fn send(self, cut: &Cut, to: &mut Vec<u8>) -> Result<(), Fault> {
        let Read { bytes, whole } = self.read();
        for piece in cut.pieces() {
            match piece {
                Piece::Text(text) => to.extend_from_slice(text.as_bytes()),
                Piece::Bytes(range) => {
                    let (first, end) = (offset(range.first()), offset(range.last() + 1));
                    to.extend_from_slice(&bytes[first.min(bytes.len())..end.min(bytes.len())]);
                    if end > bytes.len() {
                        let short = Fault::Corrupt("a part shorter than it was");
                        return Err(if whole { short } else { Fault::BrokenOff });
                    }
                }
            }
        }
        Ok(())
    }

    /// A chain is read when it is branched or cut: nobody can tell the difference here.
    fn settle(&mut self) {
        let Kind::Chain(_) = &self.0 else { return };
        let Kind::Chain(chain) = std::mem::replace(&mut self.0, Kind::Empty) else { return };
        let (Read { bytes, whole }, world) = chain.read();
        let world = world.expect("a chain without a first part");
        let window = 0..bytes.len();
        *self = Self::stream(&world, bytes.into(), window, !whole);
    }

    /// Reads all there is.
    pub(crate) fn read(self) -> Read {
        match self.0 {
            Kind::Chain(chain) => chain.read().0,
            Kind::Empty => Read { bytes: Vec::new(), whole: true },
            Kind::Text(text) => Read { bytes: text.into_bytes(), whole: true },
            Kind::Stream(mut stream) => {
                stream.end(|bodies| bodies.read += 1);
                let bytes = stream.bytes[stream.window.clone()].to_vec();
                Read { bytes, whole: !stream.breaks }
            }
        }
    }

    /// The isolate died: nobody is left to read or discard.
    pub(crate) fn abandon(self) {
        if let Kind::Stream(mut stream) = self.0 {
            stream.end(|_| {});
        }
    }
}

impl Stream {
    fn end(&mut self, how: impl FnOnce(&mut super::world::Bodies)) {
        self.ended = true;
        self.world.count(how);
    }

    fn remaining(&self) -> u64 {
        self.window.len() as u64
    }
}

impl Drop for Stream {
    fn drop(&mut self) {
        if !self.ended {
            self.world.count(|bodies| bodies.leaked += 1);
        }
    }
}

impl Body for FakeBody {
    type Held = FakeHeld;

    fn empty() -> Self {
        Self(Kind::Empty)
    }

    fn text(text: String) -> Self {
        Self(Kind::Text(text))
    }

    fn of(front: &[u8], held: &FakeHeld) -> Self {
        let bytes = [front, held.bytes()].concat();
        Self::whole(held.world(), bytes.into())
    }

    fn fork(&mut self, patience_ms: u32) -> Result<Self, Fault> {
        assert!(patience_ms > 0, "every wait has a bound");
        self.settle();
        match &self.0 {
            Kind::Chain(_) => unreachable!("it was settled"),
            Kind::Empty => Ok(Self::empty()),
            Kind::Text(text) => Ok(Self::text(text.clone())),
            Kind::Stream(stream) => {
                let possible = [Mishap::None, Mishap::Refused];
                if let Some(fault) = stream.world.begin(Operation::Fork, &possible).fault() {
                    return Err(fault);
                }
                stream.world.count(|bodies| bodies.forked += 1);
                let (bytes, window) = (Rc::clone(&stream.bytes), stream.window.clone());
                Ok(Self::stream(&stream.world, bytes, window, stream.breaks))
            }
        }
    }

    /// Nothing stalls here.
    fn stalling(self, stall_ms: u32) -> Self {
        assert!(stall_ms > 0, "every wait has a bound");
        self
    }

    async fn take(&mut self, bytes: u64) -> Result<FakeHeld, Fault> {
        self.settle();
        let Kind::Stream(stream) = &mut self.0 else { panic!("only a stream is taken from") };
        let start = stream.window.start;
        let end = stream.window.end.min(start + offset(bytes));
        stream.window.start = end;
        if stream.window.is_empty() && ((end - start) as u64) < bytes {
            if !stream.ended {
                stream.end(|bodies| bodies.read += 1);
            }
            if stream.breaks {
                return Err(Fault::BrokenOff);
            }
        }
        Ok(hold(&stream.world, stream.bytes[start..end].to_vec()))
    }

    fn chain(
        parts: impl futures_util::Stream<Item = Result<Part<Self>, Fault>> + 'static,
        length: u64,
        stall_ms: u32,
    ) -> (Self, Ending) {
        assert!(stall_ms > 0, "every wait has a bound");
        let ended = Rc::new(RefCell::new(None));
        let told = Rc::clone(&ended);
        let chain = Chain { parts: parts.boxed_local(), length, ended };
        // Who never read it has seen nothing go wrong.
        let ending = async move { told.borrow_mut().take().unwrap_or(Ok(())) };
        (Self(Kind::Chain(chain)), ending.boxed_local())
    }

    fn cut(mut self, cut: Cut) -> Self {
        self.settle();
        let Kind::Stream(mut stream) = self.0 else { panic!("only a stream is cut") };
        let source = &stream.bytes[stream.window.clone()];
        let mut bytes = Vec::new();
        let mut ends_early = false;
        for piece in cut.pieces() {
            match piece {
                Piece::Text(text) => bytes.extend_from_slice(text.as_bytes()),
                Piece::Bytes(range) => {
                    let (first, end) = (offset(range.first()), offset(range.last() + 1));
                    ends_early = end > source.len();
                    bytes
                        .extend_from_slice(&source[first.min(source.len())..end.min(source.len())]);
                }
            }
            if ends_early {
                break;
            }
        }
        assert!(stream.breaks || !ends_early, "a cut beyond the end of a whole body");
        stream.breaks = ends_early;
        stream.window = 0..bytes.len();
        stream.bytes = bytes.into();
        Self(Kind::Stream(stream))
    }

    async fn measure(mut self, bytes_max: u64) -> (Self, Option<u64>) {
        self.settle();
        let Kind::Stream(stream) = &self.0 else { return (self, Some(0)) };
        let length = stream.remaining();
        stream.world.count(|bodies| {
            bodies.held_max = bodies.held_max.max(length.min(bytes_max));
        });
        let measured = (!stream.breaks && length <= bytes_max).then_some(length);
        (self, measured)
    }

    fn discard(self) {
        // A chain gives back what it has opened by itself.
        if let Kind::Stream(mut stream) = self.0
            && !stream.ended
        {
            stream.end(|bodies| bodies.discarded += 1);
        }
    }
}

fn offset(bytes: u64) -> usize {
    usize::try_from(bytes).unwrap()
}
