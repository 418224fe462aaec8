//! Responsive sizing: a request without a size gets one of a few configured buckets.
//!
//! The first thing known about the viewer decides:
//!
//! 1. hints in the URL: `im-viewwidth`, `im-viewheight`, times the pixel ratio;
//! 2. `Sec-CH-Width` (or `Width`), which counts physical pixels already;
//! 3. `Sec-CH-Viewport-Width` (or `Viewport-Width`), times the pixel ratio;
//! 4. `CF-Device-Type`;
//! 5. `User-Agent`;
//! 6. nothing: the default bucket.
//!
//! The pixel ratio is `dpr`, else `im-density`, else `Sec-CH-DPR`, else `DPR`, else 1.
//! A width takes the smallest bucket that is at least as wide, else the largest.
//! Then, if the viewer saves data or has a slow line, no bucket above the `slow` one.
//! A header that makes no sense is as if it were absent.

use http::HeaderName;

use super::{
    ask::{
        Ask, CF_DEVICE_TYPE, DOWNLINK, DPR, ECT, SAVE_DATA, SEC_CH_DPR, SEC_CH_VIEWPORT_WIDTH,
        SEC_CH_WIDTH, VIEWPORT_WIDTH, WIDTH,
    },
    given::{Given, value},
    size::{Size, height_16_9, width_16_9},
    value::scaled,
};
use crate::{
    config::{Bucket, Responsive},
    limits::{DPR_THOUSANDTHS_MAX, DPR_THOUSANDTHS_MIN, USER_AGENT_BYTES_MAX, VIEWPORT_PX_MAX},
};

/// What chose a bucket.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Why {
    /// `imwidth` or `imheight`.
    Snapped,
    /// `im-viewwidth` or `im-viewheight`.
    UrlHint,
    /// `Sec-CH-Width` or `Width`.
    WidthHint,
    /// `Sec-CH-Viewport-Width` or `Viewport-Width`.
    ViewportHint,
    /// `CF-Device-Type`.
    DeviceType,
    /// `User-Agent`.
    UserAgent,
    /// Nothing was known of the viewer.
    Default,
}

/// What kept a viewer from a larger bucket.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Slow {
    /// `Save-Data: on`.
    SaveData,
    /// `ECT` of 3g or slower.
    Ect,
    /// `Downlink` under the configured bandwidth.
    Downlink,
}

impl Why {
    /// The word of logs and `?debug=view`.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Snapped => "imwidth",
            Self::UrlHint => "url-hint",
            Self::WidthHint => "width-hint",
            Self::ViewportHint => "viewport-hint",
            Self::DeviceType => "device-type",
            Self::UserAgent => "user-agent",
            Self::Default => "default",
        }
    }
}

impl Slow {
    /// The word of logs and `?debug=view`.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::SaveData => "save-data",
            Self::Ect => "ect",
            Self::Downlink => "downlink",
        }
    }
}

/// A bucket and how it was chosen.
#[derive(Debug)]
pub(super) struct Choice<'a> {
    pub(super) bucket: &'a Bucket,
    pub(super) why: Why,
    pub(super) slow: Option<Slow>,
    /// Every header that was looked at, present or not: the choice is a function of these alone.
    pub(super) consulted: Vec<HeaderName>,
}

/// The bucket of a viewer; `None` only where there are no buckets.
pub(super) fn choose<'a>(
    ask: &Ask,
    given: &Given<'_>,
    responsive: &'a Responsive,
) -> Option<Choice<'a>> {
    let mut viewer = Viewer { ask, given, consulted: Vec::new() };
    let (wanted, why) = viewer.bucket(responsive);
    let slow = if wanted > responsive.slow { viewer.slow(responsive) } else { None };
    let index = if slow.is_some() { responsive.slow } else { wanted };
    let bucket = responsive.buckets.get(index).or(responsive.buckets.last())?;
    Some(Choice { bucket, why, slow, consulted: viewer.consulted })
}

/// The smallest bucket at least as large as `imwidth` and `imheight`, times `dpr`; else the largest.
pub(super) fn snap<'a>(given: &Given<'_>, buckets: &'a [Bucket]) -> Option<&'a Bucket> {
    let dpr = value(given.dpr.as_ref()).unwrap_or(ONE);
    let wanted = |asked: Option<u16>| asked.map_or(0, |px| physical(px, dpr));
    let width = wanted(value(given.im_width.as_ref()));
    let height = wanted(value(given.im_height.as_ref()));
    let reaches = |bucket: &&Bucket| {
        let bucket_height = bucket.height.unwrap_or(height_16_9(bucket.width));
        u32::from(bucket.width) >= width && u32::from(bucket_height) >= height
    };
    buckets.iter().find(reaches).or(buckets.last())
}

impl Bucket {
    /// The bucket as a size.
    pub(super) fn size(&self) -> Size {
        Size { width: Some(self.width), height: self.height }
    }
}

/// The viewer, as far as the request tells.
struct Viewer<'a> {
    ask: &'a Ask,
    given: &'a Given<'a>,
    consulted: Vec<HeaderName>,
}

impl<'a> Viewer<'a> {
    fn bucket(&mut self, responsive: &Responsive) -> (usize, Why) {
        if let Some((wanted, why)) = self.wanted_px() {
            return (at_least(wanted, responsive), why);
        }
        let (index, why) = self.device(responsive);
        let Some(dpr) = value(self.given.dpr.as_ref()) else { return (index, why) };
        let width = responsive.buckets.get(index).map_or(0, |bucket| bucket.width);
        (at_least(physical(width, dpr), responsive), why)
    }

    /// Physical pixels of width, if the viewer told.
    fn wanted_px(&mut self) -> Option<(u32, Why)> {
        let width = value(self.given.view_width.as_ref());
        let by_height = value(self.given.view_height.as_ref()).map(width_16_9);
        if let Some(width) = width.into_iter().chain(by_height).min() {
            return Some((physical(width, self.pixel_ratio()), Why::UrlHint));
        }
        if let Some(width) = self.pixels(&SEC_CH_WIDTH).or_else(|| self.pixels(&WIDTH)) {
            return Some((width.into(), Why::WidthHint));
        }
        let viewport =
            self.pixels(&SEC_CH_VIEWPORT_WIDTH).or_else(|| self.pixels(&VIEWPORT_WIDTH))?;
        Some((physical(viewport, self.pixel_ratio()), Why::ViewportHint))
    }

    fn device(&mut self, responsive: &Responsive) -> (usize, Why) {
        let by_type = self.header(&CF_DEVICE_TYPE).and_then(Device::of_type);
        if let Some(device) = by_type {
            return (device.bucket(responsive), Why::DeviceType);
        }
        match self.header(&http::header::USER_AGENT).and_then(Device::of_user_agent) {
            Some(device) => (device.bucket(responsive), Why::UserAgent),
            None => (responsive.default, Why::Default),
        }
    }

    fn pixel_ratio(&mut self) -> u32 {
        let given = self.given.dpr.as_ref().or(self.given.view_density.as_ref());
        value(given).or_else(|| self.ratio(&SEC_CH_DPR)).or_else(|| self.ratio(&DPR)).unwrap_or(ONE)
    }

    fn slow(&mut self, responsive: &Responsive) -> Option<Slow> {
        if self.header(&SAVE_DATA).is_some_and(|it| it.trim().eq_ignore_ascii_case("on")) {
            return Some(Slow::SaveData);
        }
        let slow_ect = |ect: &str| {
            ["slow-2g", "2g", "3g"].iter().any(|slow| ect.trim().eq_ignore_ascii_case(slow))
        };
        if self.header(&ECT).is_some_and(slow_ect) {
            return Some(Slow::Ect);
        }
        let bandwidth = self.header(&DOWNLINK).and_then(|mbps| scaled(mbps.trim(), 1_000))?;
        let enough = responsive.slow_downlink_mbps.saturating_mul(1_000);
        (bandwidth < enough).then_some(Slow::Downlink)
    }

    fn pixels(&mut self, name: &HeaderName) -> Option<u16> {
        let px = scaled(self.header(name)?.trim(), 1)?.min(VIEWPORT_PX_MAX.into());
        u16::try_from(px).ok().filter(|px| *px > 0)
    }

    fn ratio(&mut self, name: &HeaderName) -> Option<u32> {
        let ratio = scaled(self.header(name)?.trim(), ONE)?;
        (ratio >= DPR_THOUSANDTHS_MIN).then_some(ratio.min(DPR_THOUSANDTHS_MAX))
    }

    /// The only way to a header here, so that nothing is consulted unseen.
    fn header(&mut self, name: &HeaderName) -> Option<&'a str> {
        if !self.consulted.contains(name) {
            self.consulted.push(name.clone());
        }
        self.ask.header(name)
    }
}

/// What the viewer holds.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Device {
    Mobile,
    Tablet,
    Desktop,
}

impl Device {
    fn of_type(device_type: &str) -> Option<Self> {
        match device_type.trim() {
            "mobile" => Some(Self::Mobile),
            "tablet" => Some(Self::Tablet),
            "desktop" => Some(Self::Desktop),
            _ => None,
        }
    }

    /// Tablets first: an iPad calls itself mobile too. A tool like curl is no device.
    fn of_user_agent(user_agent: &str) -> Option<Self> {
        let read = user_agent.get(..user_agent.len().min(USER_AGENT_BYTES_MAX))?;
        let lower = read.to_ascii_lowercase();
        let says = |words: &[&str]| words.iter().any(|word| lower.contains(word));
        if says(&["ipad", "tablet", "playbook", "silk", "kindle"]) {
            return Some(Self::Tablet);
        }
        if says(&["mobile", "iphone", "ipod", "opera mini", "webos"]) {
            return Some(Self::Mobile);
        }
        // Chrome on Android says "Mobile" on phones only.
        if says(&["android"]) {
            return Some(Self::Tablet);
        }
        says(&["mozilla/", "opera/"]).then_some(Self::Desktop)
    }

    fn bucket(self, responsive: &Responsive) -> usize {
        match self {
            Self::Mobile => responsive.mobile,
            Self::Tablet => responsive.tablet,
            Self::Desktop => responsive.desktop,
        }
    }
}

/// One, in thousandths.
pub(super) const ONE: u32 = 1_000;

/// CSS pixels times a pixel ratio, rounded up so that no pixel is missing.
fn physical(css_px: u16, dpr: u32) -> u32 {
    (u32::from(css_px) * dpr).div_ceil(ONE)
}

fn at_least(wanted: u32, responsive: &Responsive) -> usize {
    let buckets = &responsive.buckets;
    let reaches = |bucket: &Bucket| u32::from(bucket.width) >= wanted;
    buckets.iter().position(reaches).unwrap_or(buckets.len().saturating_sub(1))
}
