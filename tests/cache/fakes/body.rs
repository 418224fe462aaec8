//! Bodies of real bytes, whole or short, that tell how they ended.

use std::ops::Range;
use std::rc::Rc;

use video_resizer::cache::ports::{Body, Fault};
use video_resizer::http::cut::{Cut, Piece};

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

    /// Reads all there is.
    pub(crate) fn read(self) -> Read {
        match self.0 {
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
    fn empty() -> Self {
        Self(Kind::Empty)
    }

    fn text(text: String) -> Self {
        Self(Kind::Text(text))
    }

    fn fork(&mut self) -> Result<Self, Fault> {
        match &self.0 {
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

    fn cut(self, cut: Cut) -> Self {
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

    async fn measure(self, bytes_max: u64) -> (Self, Option<u64>) {
        let Kind::Stream(stream) = &self.0 else { return (self, Some(0)) };
        let length = stream.remaining();
        stream.world.count(|bodies| {
            bodies.held_max = bodies.held_max.max(length.min(bytes_max));
        });
        let measured = (!stream.breaks && length <= bytes_max).then_some(length);
        (self, measured)
    }

    fn discard(self) {
        if let Kind::Stream(mut stream) = self.0 {
            stream.end(|bodies| bodies.discarded += 1);
        }
    }
}

fn offset(bytes: u64) -> usize {
    usize::try_from(bytes).unwrap()
}
