//! From the size of a source and the size asked for to the size made.

use crate::options::{AskedSize, Fit};

/// Pixels across and down.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Size {
    /// Pixels across.
    pub(crate) width: u32,
    /// Pixels down.
    pub(crate) height: u32,
}

/// What to do to each picture: scale to one size, then keep the centre of another.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Shape {
    /// The whole picture is scaled to this.
    pub(crate) scaled: Size,
    /// The output; smaller than `scaled` only when the fit is cover.
    pub(crate) cropped: Size,
}

/// Whether odd sizes are possible.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Parity {
    /// Any number of pixels: still pictures.
    Any,
    /// Even numbers only, rounded down: yuv420p halves the colour planes.
    Even,
}

impl Shape {
    /// The shape of an output made from `source`, whose sides are not zero.
    pub(crate) fn of(source: Size, asked: AskedSize, parity: Parity) -> Self {
        let Size { width, height } = source;
        let within = match (asked.width, asked.height) {
            (None, None) => return Self::whole(source, parity),
            (Some(width), None) => Size { width, height: scaled(height, width, source.width) },
            (None, Some(height)) => Size { width: scaled(width, height, source.height), height },
            (Some(box_width), Some(box_height)) => {
                let by_width = Size { width: box_width, height: scaled(height, box_width, width) };
                let by_height =
                    Size { width: scaled(width, box_height, height), height: box_height };
                let width_bounds = u64::from(box_width) * u64::from(height)
                    <= u64::from(box_height) * u64::from(width);
                match asked.fit {
                    Fit::Contain | Fit::ScaleDown if width_bounds => by_width,
                    Fit::Contain | Fit::ScaleDown => by_height,
                    Fit::Cover => {
                        let cover = if width_bounds { by_height } else { by_width };
                        let cropped = Size { width: box_width, height: box_height };
                        return Self {
                            scaled: rounded(cover, parity),
                            cropped: rounded(cropped, parity),
                        };
                    }
                }
            }
        };
        if asked.fit == Fit::ScaleDown && within.width > width {
            return Self::whole(source, parity);
        }
        Self::whole(within, parity)
    }

    fn whole(size: Size, parity: Parity) -> Self {
        let size = rounded(size, parity);
        Self { scaled: size, cropped: size }
    }
}

/// `side * numerator / denominator`, to the nearest pixel.
fn scaled(side: u32, numerator: u32, denominator: u32) -> u32 {
    let denominator = u64::from(denominator.max(1));
    let side = (u64::from(side) * u64::from(numerator) + denominator / 2) / denominator;
    u32::try_from(side).unwrap_or(u32::MAX)
}

fn rounded(size: Size, parity: Parity) -> Size {
    let pixels = |count: u32| match parity {
        Parity::Any => count.max(1),
        Parity::Even => (count & !1).max(2),
    };
    Size { width: pixels(size.width), height: pixels(size.height) }
}

#[cfg(test)]
mod tests {
    use super::*;

    const HD: Size = Size { width: 1280, height: 720 };

    #[track_caller]
    fn made(asked: (Option<u32>, Option<u32>), fit: Fit) -> (u32, u32) {
        let shape = Shape::of(HD, AskedSize { width: asked.0, height: asked.1, fit }, Parity::Even);
        assert!(shape.scaled.width >= shape.cropped.width);
        assert!(shape.scaled.height >= shape.cropped.height);
        (shape.cropped.width, shape.cropped.height)
    }

    #[test]
    fn contain_lies_within_scales_both_ways_and_keeps_the_aspect_ratio() {
        assert_eq!(made((None, None), Fit::Contain), (1280, 720));
        assert_eq!(made((Some(640), None), Fit::Contain), (640, 360));
        assert_eq!(made((None, Some(360)), Fit::Contain), (640, 360));
        assert_eq!(made((Some(640), Some(640)), Fit::Contain), (640, 360));
        assert_eq!(made((Some(2000), Some(90)), Fit::Contain), (160, 90));
        assert_eq!(made((Some(1920), Some(1080)), Fit::Contain), (1920, 1080));
        assert_eq!(made((Some(720), None), Fit::Contain), (720, 404));
    }

    #[test]
    fn scale_down_never_enlarges() {
        assert_eq!(made((Some(1920), Some(1080)), Fit::ScaleDown), (1280, 720));
        assert_eq!(made((Some(2000), None), Fit::ScaleDown), (1280, 720));
        assert_eq!(made((Some(2000), Some(360)), Fit::ScaleDown), (640, 360));
    }

    #[test]
    fn cover_fills_the_box_and_cuts_the_rest() {
        assert_eq!(made((Some(400), Some(400)), Fit::Cover), (400, 400));
        let asked = AskedSize { width: Some(400), height: Some(400), fit: Fit::Cover };
        let shape = Shape::of(HD, asked, Parity::Any);
        assert_eq!(shape.scaled, Size { width: 711, height: 400 });
        assert_eq!(made((Some(640), None), Fit::Cover), (640, 360));
        assert_eq!(made((Some(1000), Some(100)), Fit::Cover), (1000, 100));
    }

    #[test]
    fn no_side_vanishes_however_flat_the_source() {
        let flat = Size { width: 2000, height: 2 };
        let asked = AskedSize { width: Some(10), height: None, fit: Fit::Contain };
        for (parity, least) in [(Parity::Any, 1), (Parity::Even, 2)] {
            assert_eq!(Shape::of(flat, asked, parity).cropped.height, least);
        }
    }
}
