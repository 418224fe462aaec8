//! Seeded randomness: the same seed is the same history.

use std::cell::Cell;

/// A splitmix64 generator: small, and the same in every release of everything.
#[derive(Debug)]
pub(crate) struct Dice(Cell<u64>);

impl Dice {
    pub(crate) fn new(seed: u64) -> Self {
        Self(Cell::new(seed))
    }

    pub(crate) fn roll(&self) -> u64 {
        let state = self.0.get().wrapping_add(0x9e37_79b9_7f4a_7c15);
        self.0.set(state);
        let mixed = (state ^ (state >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        let mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        mixed ^ (mixed >> 31)
    }

    /// One of `0..of`.
    pub(crate) fn below(&self, of: u64) -> u64 {
        self.roll() % of
    }

    /// One of `from..=to`.
    pub(crate) fn between(&self, from: u64, to: u64) -> u64 {
        from + self.below(to - from + 1)
    }

    /// One of `0..of`, as an index.
    pub(crate) fn index(&self, of: usize) -> usize {
        usize::try_from(self.below(of as u64)).unwrap()
    }

    /// Whether something happens that does so this often.
    pub(crate) fn chance(&self, percent: u64) -> bool {
        percent > 0 && self.below(100) < percent
    }

    pub(crate) fn pick<T: Copy>(&self, of: &[T]) -> T {
        of[self.index(of.len())]
    }
}
