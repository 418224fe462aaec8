//! What is decided only when somebody looks: a state nobody looks at multiplies no paths.

use std::cell::RefCell;
use std::fmt;

type Planting<T> = Box<dyn FnOnce(&T)>;

/// Something that is done to a tier just before the first look-up in it.
pub(crate) struct Surprise<T>(RefCell<Option<Planting<T>>>);

impl<T> Surprise<T> {
    pub(crate) fn set(&self, planting: impl FnOnce(&T) + 'static) {
        *self.0.borrow_mut() = Some(Box::new(planting));
    }

    pub(crate) fn spring(&self, tier: &T) {
        if let Some(planting) = self.0.take() {
            planting(tier);
        }
    }
}

impl<T> Default for Surprise<T> {
    fn default() -> Self {
        Self(RefCell::new(None))
    }
}

impl<T> fmt::Debug for Surprise<T> {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str("Surprise")
    }
}
