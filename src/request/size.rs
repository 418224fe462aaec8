//! Arithmetic of sizes: whole pixels in, whole pixels within the limits out.

use crate::{config::Limits, limits::SIDE_PX_MIN};

/// A box for the picture; a side that is `None` follows the picture's shape.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub(super) struct Size {
    pub(super) width: Option<u16>,
    pub(super) height: Option<u16>,
}

/// A factor, exact.
#[derive(Debug, Clone, Copy)]
struct Ratio {
    of: u32,
    to: u32,
}

impl Size {
    /// No side is known: there is no box.
    pub(super) fn is_open(self) -> bool {
        self.width.is_none() && self.height.is_none()
    }

    /// The sides that are missing here, from another size.
    pub(super) fn or(self, other: Self) -> Self {
        Self { width: self.width.or(other.width), height: self.height.or(other.height) }
    }

    /// Times a ratio in thousandths, or as far as the limits allow without changing the shape.
    pub(super) fn times(self, thousandths: u32, limits: &Limits) -> Self {
        let mut ratio = Ratio { of: thousandths, to: 1_000 };
        for (side, max) in [(self.width, limits.width_max), (self.height, limits.height_max)] {
            if let Some(side) = side.filter(|side| *side > 0) {
                ratio = ratio.min(Ratio { of: max.into(), to: side.into() });
            }
        }
        self.scaled(ratio, limits)
    }

    /// The same size, or the largest of its shape that the limits allow.
    pub(super) fn within(self, limits: &Limits) -> Self {
        self.times(1_000, limits)
    }

    /// No higher than `height_max`, keeping the shape that was asked.
    ///
    /// - Both sides known: scaled together, rounded to even numbers.
    /// - Only the width: no wider than a 16:9 picture of that height.
    /// - Only the height: the smaller of the two.
    /// - Neither: the height is `height_max`.
    ///
    /// Capping what is already capped changes nothing.
    pub(super) fn capped(self, height_max: u16, limits: &Limits) -> Self {
        let height_max = height_max.min(limits.height_max).max(SIDE_PX_MIN);
        match (self.width, self.height) {
            (Some(_), Some(height)) if height > height_max => {
                let ratio = Ratio { of: height_max.into(), to: height.into() };
                Self { height: Some(height_max), ..self.scaled(ratio, limits) }
            }
            (Some(_), Some(_)) => self,
            (Some(width), None) => {
                let width = width.min(width_16_9(height_max)).min(limits.width_max);
                Self { width: Some(width), height: None }
            }
            (None, height) => Self {
                width: None,
                height: Some(height.map_or(height_max, |it| it.min(height_max))),
            },
        }
    }

    fn scaled(self, ratio: Ratio, limits: &Limits) -> Self {
        let side = |side: u16, max: u16| ratio.of_side(side).min(max).max(SIDE_PX_MIN);
        Self {
            width: self.width.map(|width| side(width, limits.width_max)),
            height: self.height.map(|height| side(height, limits.height_max)),
        }
    }
}

impl Ratio {
    fn min(self, other: Self) -> Self {
        let smaller =
            u64::from(self.of) * u64::from(other.to) <= u64::from(other.of) * u64::from(self.to);
        if smaller { self } else { other }
    }

    /// The nearest even number, because video has no odd sides; one to one changes nothing.
    fn of_side(self, side: u16) -> u16 {
        if self.of == self.to {
            return side;
        }
        let to = u64::from(self.to).max(1);
        let even = (u64::from(side) * u64::from(self.of) + to) / (2 * to) * 2;
        u16::try_from(even).unwrap_or(u16::MAX)
    }
}

/// The width of a 16:9 picture of this height, to the nearest even number: 854 of 480.
pub(super) fn width_16_9(height: u16) -> u16 {
    Ratio { of: 16, to: 9 }.of_side(height)
}

/// The height of a 16:9 picture of this width, to the nearest even number: 480 of 854.
pub(super) fn height_16_9(width: u16) -> u16 {
    Ratio { of: 9, to: 16 }.of_side(width)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    const LIMITS: Limits = Limits {
        width_max: 2_000,
        height_max: 2_000,
        time_ms_max: 0,
        duration_ms_max: 0,
        image_count_max: 0,
    };

    fn size(width: u16, height: u16) -> Size {
        let side = |side| (side > 0).then_some(side);
        Size { width: side(width), height: side(height) }
    }

    #[test]
    fn a_ratio_multiplies_both_sides_and_stops_at_the_limits_without_changing_the_shape() {
        for (before, thousandths, after) in [
            (size(640, 360), 2_000, size(1_280, 720)),
            (size(641, 0), 1_000, size(641, 0)),
            (size(641, 0), 1_500, size(962, 0)),
            (size(1_600, 900), 2_000, size(2_000, 1_126)),
            (size(900, 1_600), 2_000, size(1_126, 2_000)),
            (size(0, 1_900), 4_000, size(0, 2_000)),
            (size(4_000, 2_000), 1_000, size(2_000, 1_000)),
            (size(20, 20), 100, size(10, 10)),
            (size(0, 0), 2_000, size(0, 0)),
        ] {
            assert_eq!(before.times(thousandths, &LIMITS), after, "{before:?}");
        }
    }

    #[test]
    fn a_cap_keeps_the_shape_that_was_asked() {
        for (before, cap, after) in [
            (size(1_920, 1_080), 720, size(1_280, 720)),
            (size(1_920, 1_080), 480, size(854, 480)),
            (size(1_080, 1_920), 720, size(406, 720)),
            (size(640, 360), 480, size(640, 360)),
            (size(1_920, 0), 480, size(854, 0)),
            (size(641, 0), 480, size(641, 0)),
            (size(0, 1_080), 480, size(0, 480)),
            (size(0, 360), 480, size(0, 360)),
            (size(0, 0), 480, size(0, 480)),
        ] {
            assert_eq!(before.capped(cap, &LIMITS), after, "{before:?}");
        }
    }

    proptest! {
        #[test]
        fn every_result_is_within_the_limits_and_a_cap_holds_at_once(
            width in any::<u16>(), height in any::<u16>(), cap in any::<u16>(),
            thousandths in 0_u32..=4_000, width_max in 10_u16..=2_000, height_max in 10_u16..=2_000,
        ) {
            let limits = Limits { width_max, height_max, ..LIMITS };
            let sized = size(width, height).times(thousandths, &limits);
            let capped = sized.capped(cap, &limits);
            for it in [sized, capped] {
                prop_assert!(it.width.is_none_or(|side| (10..=width_max).contains(&side)));
                prop_assert!(it.height.is_none_or(|side| (10..=height_max).contains(&side)));
            }
            prop_assert!(capped.height.is_none_or(|height| height <= cap.max(10)));
            prop_assert_eq!(capped.capped(cap, &limits), capped);
            prop_assert_eq!(sized.within(&limits), sized);
        }
    }
}
