//! Bytes that are held in the platform's memory.

use std::rc::Rc;

use sha2::{Digest, Sha256};
use video_resizer::cache::ports::{Fault, Held};

use super::world::World;

/// A handle on bytes that are held; the world knows how many.
#[derive(Debug, Clone)]
pub(crate) struct FakeHeld(Rc<HeldBytes>);

#[derive(Debug)]
struct HeldBytes {
    world: Rc<World>,
    bytes: Vec<u8>,
}

/// Holds bytes until the last copy of the handle is gone.
pub(crate) fn hold(world: &Rc<World>, bytes: Vec<u8>) -> FakeHeld {
    world.hold(bytes.len() as u64);
    FakeHeld(Rc::new(HeldBytes { world: Rc::clone(world), bytes }))
}

impl FakeHeld {
    pub(crate) fn bytes(&self) -> &[u8] {
        &self.0.bytes
    }

    pub(crate) fn world(&self) -> &Rc<World> {
        &self.0.world
    }
}

impl Drop for HeldBytes {
    fn drop(&mut self) {
        self.world.let_go(self.bytes.len() as u64);
    }
}

impl Held for FakeHeld {
    fn length(&self) -> u64 {
        self.0.bytes.len() as u64
    }

    fn front(&self, bytes: u64) -> Self {
        let bytes = self.0.bytes.len().min(usize::try_from(bytes).unwrap());
        hold(&self.0.world, self.0.bytes[..bytes].to_vec())
    }

    async fn sha256(&self) -> Result<[u8; 32], Fault> {
        Ok(Sha256::digest(&self.0.bytes).into())
    }

    fn to_vec(&self) -> Vec<u8> {
        self.0.bytes.clone()
    }
}
