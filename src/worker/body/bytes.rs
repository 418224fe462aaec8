//! An array of bytes in JavaScript's memory.

use std::rc::Rc;

use js_sys::{ArrayBuffer, Uint8Array};

/// Bytes nobody writes to any more. Copies share them.
///
/// With the last copy their memory is given back at once: left to the collector, 70 MiB of it pile up while a large
/// body passes. What the platform was given before that keeps the memory it reads.
#[derive(Debug, Clone)]
pub(in crate::worker) struct Bytes {
    view: Uint8Array,
    /// `None` where somebody else may use the memory as well.
    memory: Option<Rc<Memory>>,
}

#[derive(Debug)]
struct Memory(ArrayBuffer);

impl Drop for Memory {
    fn drop(&mut self) {
        // It fails only where the memory is somebody else's by now.
        let _ = self.0.transfer_with_length(0);
    }
}

impl Bytes {
    /// Takes an array over, with all the memory it is a part of.
    pub(super) fn own(view: Uint8Array) -> Self {
        let memory = Memory(view.buffer());
        Self { view, memory: Some(Rc::new(memory)) }
    }

    /// An array that has other users.
    pub(super) fn borrow(view: Uint8Array) -> Self {
        Self { view, memory: None }
    }

    /// A copy of bytes of ours.
    pub(super) fn copy(bytes: &[u8]) -> Self {
        Self::own(Uint8Array::from(bytes))
    }

    /// These arrays as one.
    pub(super) fn join(parts: &[Self]) -> Self {
        let whole = Uint8Array::new_with_length(parts.iter().map(Self::length).sum());
        let mut at = 0;
        for part in parts {
            whole.set(&part.view, at);
            at += part.length();
        }
        Self::own(whole)
    }

    /// How many.
    pub(super) fn length(&self) -> u32 {
        self.view.length()
    }

    /// Those from `from` up to `to`, in the same memory.
    pub(super) fn part(&self, from: u32, to: u32) -> Self {
        Self { view: self.view.subarray(from, to), memory: self.memory.clone() }
    }

    /// A copy of the first `bytes`, in memory of its own.
    pub(super) fn front(&self, bytes: u32) -> Self {
        Self::own(self.view.slice(0, bytes))
    }

    /// The array itself.
    pub(super) fn view(&self) -> &Uint8Array {
        &self.view
    }
}
