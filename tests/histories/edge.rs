//! The Cache API of each data centre.

use std::cell::RefCell;
use std::collections::BTreeMap;
use std::rc::Rc;

use http::{HeaderMap, HeaderValue, header};
use video_resizer::cache::edge::METADATA_HEADER;
use video_resizer::cache::ports::{EdgeCache, EdgeCopy, EdgeFound, Fault};
use video_resizer::http::range_set::{RangeSet, Resolved};

use super::body::{End, SimBody, flow};
use super::dice::Dice;
use super::saboteur::{self, Passage};
use super::upstream::variant_of;
use super::weather::Trip;
use super::world::World;

/// A kept answer.
#[derive(Debug, Clone)]
pub(crate) struct Kept {
    pub(crate) headers: HeaderMap,
    pub(crate) bytes: Rc<[u8]>,
    pub(crate) until_ms: u64,
    pub(crate) is_whole: bool,
}

/// What one data centre keeps.
#[derive(Debug)]
pub(crate) struct Shelf {
    kept: RefCell<BTreeMap<String, Kept>>,
    /// Whether it slices, as production does, or ignores ranges, as some engines do.
    slices: bool,
}

impl Shelf {
    pub(crate) fn new(dice: &Dice) -> Self {
        Self { kept: RefCell::default(), slices: dice.chance(70) }
    }

    /// As if the data centre had no room.
    pub(crate) fn clear(&self) {
        self.kept.borrow_mut().clear();
    }

    /// As if every write had been aborted before its last byte, and committed as far as it came.
    pub(crate) fn shorten(&self) {
        for kept in self.kept.borrow_mut().values_mut() {
            kept.bytes = kept.bytes[..kept.bytes.len() - 1].into();
        }
    }

    /// As a purge of the zone does.
    pub(crate) fn purge(&self, bears: impl Fn(usize) -> bool) {
        self.kept.borrow_mut().retain(|url, _| !variant_of(url).is_some_and(&bears));
    }

    fn look(&self, url: &str, now_ms: u64) -> Option<Kept> {
        self.kept.borrow().get(url).filter(|kept| now_ms < kept.until_ms).cloned()
    }
}

/// The Cache API, asked from its own data centre.
#[derive(Debug)]
pub(crate) struct SimEdge {
    pub(crate) world: Rc<World>,
    pub(crate) dc: usize,
}

impl EdgeCache for SimEdge {
    type Body = SimBody;

    async fn find(
        &self,
        url: &str,
        range: Option<&HeaderValue>,
        budget_ms: u32,
    ) -> Result<Option<EdgeFound<SimBody>>, Fault> {
        let (world, here) = (&self.world, &self.world.shelves[self.dc]);
        let trip = Trip::draw(world, world.climate().edge);
        let kept = trip.read(world, budget_ms, || here.look(url, world.now_ms()));
        let kept = kept.await;
        world.tell(|| {
            let kept = kept.as_ref().map(|kept| kept.as_ref().map(|kept| kept.bytes.len()));
            format!("edge: {} found {url}: {kept:?}", self.dc)
        });
        let Some(kept) = kept? else { return Ok(None) };
        let total = kept.bytes.len() as u64;
        let metadata = kept.headers.get(METADATA_HEADER);
        let metadata = metadata.map(|text| text.to_str().unwrap().to_owned());
        let metadata = metadata.map(|text| saboteur::passing(world, Passage::OutOfEdge, text));
        let found = |status, metadata, content_range, bytes: Rc<[u8]>| {
            let length = Some(bytes.len() as u64);
            let body = SimBody::Stream(flow(world, bytes, 10, End::Whole));
            Some(EdgeFound { status, metadata, length, content_range, body })
        };
        let range = range.filter(|_| here.slices);
        let resolved = range.map(|range| RangeSet::parse(range.as_bytes()).unwrap().resolve(total));
        Ok(match resolved {
            None => found(200, metadata, None, kept.bytes),
            Some(Resolved::Parts(_) | Resolved::Whole) => panic!("more than one range of the edge"),
            Some(Resolved::Unsatisfiable) => {
                found(416, None, Some(format!("bytes */{total}")), Rc::from([]))
            }
            Some(Resolved::Part(range)) => {
                let (first, last) = (range.first(), range.last());
                let at = |offset| usize::try_from(offset).unwrap();
                let bytes = kept.bytes[at(first)..=at(last)].into();
                found(206, metadata, Some(format!("bytes {first}-{last}/{total}")), bytes)
            }
        })
    }

    async fn keep(&self, url: &str, copy: EdgeCopy<SimBody>, budget_ms: u32) -> Result<(), Fault> {
        let EdgeCopy { mut headers, length, body } = copy;
        let world = &self.world;
        let metadata = headers[METADATA_HEADER].to_str().unwrap().to_owned();
        let metadata = saboteur::passing(world, Passage::IntoEdge, metadata);
        headers.insert(METADATA_HEADER, HeaderValue::from_str(&metadata).unwrap());
        let (bytes, ended) = body.read().await;
        let is_whole = ended && bytes.len() as u64 == length;
        if !is_whole && !world.climate().commits_aborted {
            return Err(Fault::BrokenOff);
        }
        let (dc, url, committing) = (self.dc, url.to_owned(), Rc::clone(world));
        let trip = Trip::draw(world, world.climate().edge);
        let kept = trip.write(world, budget_ms, move || {
            let world = &committing;
            let max_age_s = max_age_s(&headers);
            let until_ms = world.now_ms() + max_age_s * 1000;
            let kept = Kept { headers, bytes: bytes.into(), until_ms, is_whole };
            world.tell(|| format!("edge: {dc} kept {url} for {max_age_s} s"));
            world.judge.shelved(world, &url, &kept);
            world.shelves[dc].kept.borrow_mut().insert(url, kept);
            Ok(())
        });
        let kept = kept.await;
        if is_whole { kept } else { Err(Fault::BrokenOff) }
    }

    async fn remove(&self, url: &str, budget_ms: u32) -> Result<(), Fault> {
        let (dc, url, committing) = (self.dc, url.to_owned(), Rc::clone(&self.world));
        let trip = Trip::draw(&self.world, self.world.climate().edge);
        let removed = trip.write(&self.world, budget_ms, move || {
            committing.shelves[dc].kept.borrow_mut().remove(&url);
            Ok(())
        });
        removed.await
    }
}

/// `max-age` of what is kept, or seen.
pub(crate) fn max_age_s(headers: &HeaderMap) -> u64 {
    let value = headers.get(header::CACHE_CONTROL).map(|value| value.to_str().unwrap());
    let after = value.and_then(|value| value.split("max-age=").nth(1)).unwrap_or("0");
    after.split(',').next().unwrap().trim().parse().unwrap()
}
