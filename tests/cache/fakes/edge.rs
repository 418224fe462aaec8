//! The Cache API of one data centre, in memory.
//!
//! It gives back what a `match` gives back to the port: status, the metadata header, `Content-Range` and the
//! bytes; like the platform it keeps `Cache-Tag` to itself. [`Slicing`] says what it does with a `Range`.

use std::cell::{Cell, RefCell};
use std::collections::BTreeMap;
use std::rc::Rc;

use http::{HeaderMap, HeaderValue, header};
use video_resizer::cache::edge::{CACHE_TAG, METADATA_HEADER};
use video_resizer::cache::ports::{Body, EdgeCache, EdgeCopy, EdgeFound, Fault};
use video_resizer::http::range_set::{RangeSet, Resolved};

use super::body::FakeBody;
use super::surprise::Surprise;
use super::weather::Mishap;
use super::world::{Operation, World};

/// What a `match` with a `Range` answers.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Slicing {
    /// 200 with everything, as some engines do.
    Ignores,
    /// 206 with the part, and 416 where there is none, as production does.
    Slices,
    /// 206 with another part than was asked.
    Misslices,
}

/// A kept answer.
#[derive(Debug, Clone)]
pub(crate) struct Kept {
    pub(crate) headers: HeaderMap,
    pub(crate) bytes: Rc<[u8]>,
    /// When the platform forgets it; later for entries that tests plant.
    pub(crate) until_ms: u64,
}

/// `caches.default`.
#[derive(Debug)]
pub(crate) struct FakeEdge {
    world: Rc<World>,
    pub(crate) slicing: Cell<Slicing>,
    pub(crate) kept: RefCell<BTreeMap<String, Kept>>,
    /// What turns out to be there at the first look.
    pub(crate) surprise: Surprise<Self>,
}

impl FakeEdge {
    pub(crate) fn new(world: &Rc<World>) -> Self {
        let world = Rc::clone(world);
        let surprise = Surprise::default();
        Self { world, slicing: Cell::new(Slicing::Slices), kept: RefCell::default(), surprise }
    }

    /// As if another data centre were asked.
    pub(crate) fn clear(&self) {
        self.kept.borrow_mut().clear();
    }

    /// Puts an entry there that nobody here would have put.
    pub(crate) fn plant(&self, url: &str, metadata: Option<&str>, bytes: &[u8]) {
        let mut headers = HeaderMap::new();
        if let Some(metadata) = metadata {
            headers.insert(METADATA_HEADER, HeaderValue::from_str(metadata).unwrap());
        }
        let kept = Kept { headers, bytes: bytes.into(), until_ms: u64::MAX };
        self.kept.borrow_mut().insert(url.to_owned(), kept);
    }

    /// The metadata of the entry at `url`.
    pub(crate) fn metadata(&self, url: &str) -> Option<String> {
        let kept = self.kept.borrow();
        Some(kept.get(url)?.headers.get(METADATA_HEADER)?.to_str().unwrap().to_owned())
    }

    fn answer(&self, kept: &Kept, range: Option<&HeaderValue>) -> EdgeFound<FakeBody> {
        let metadata = kept.headers.get(METADATA_HEADER);
        let metadata = metadata.map(|text| text.to_str().unwrap().to_owned());
        let found = |status, content_range, bytes: Rc<[u8]>| {
            let length = Some(bytes.len() as u64);
            // The platform's own refusal has none of the entry's headers.
            let metadata = metadata.clone().filter(|_| status != 416);
            let body = FakeBody::whole(&self.world, bytes);
            EdgeFound { status, metadata, length, content_range, body }
        };
        let total = kept.bytes.len() as u64;
        let asked = range.map(|range| RangeSet::parse(range.as_bytes()).unwrap().resolve(total));
        let shift = match self.slicing.get() {
            Slicing::Ignores => return found(200, None, Rc::clone(&kept.bytes)),
            Slicing::Slices => 0,
            Slicing::Misslices => 1,
        };
        match asked {
            None => found(200, None, Rc::clone(&kept.bytes)),
            Some(Resolved::Parts(_) | Resolved::Whole) => panic!("more than one range of the edge"),
            Some(Resolved::Unsatisfiable) => {
                found(416, Some(format!("bytes */{total}")), Rc::from([]))
            }
            Some(Resolved::Part(range)) => {
                let first = range.first() + shift;
                let last = (range.last() + shift).min(total - 1);
                let bytes = (first..=last).map(|at| kept.bytes[usize::try_from(at).unwrap()]);
                let content_range = format!("bytes {first}-{last}/{total}");
                found(206, Some(content_range), bytes.collect())
            }
        }
    }
}

impl EdgeCache for FakeEdge {
    type Body = FakeBody;

    async fn find(
        &self,
        url: &str,
        range: Option<&HeaderValue>,
        budget_ms: u32,
    ) -> Result<Option<EdgeFound<FakeBody>>, Fault> {
        assert!(budget_ms > 0, "every read has a budget");
        self.world.lives().await;
        let operation = Operation::EdgeFind {
            url: url.to_owned(),
            range: range.map(|range| range.to_str().unwrap().to_owned()),
        };
        let possible = [Mishap::None, Mishap::Refused, Mishap::TimedOut, Mishap::Corrupt];
        let mishap = self.world.begin(operation, &possible);
        if matches!(mishap, Mishap::None | Mishap::Corrupt) {
            self.surprise.spring(self);
        }
        let kept = self.kept.borrow();
        let Some(kept) = kept.get(url).filter(|kept| self.world.now_ms() < kept.until_ms) else {
            return mishap.fault().map_or(Ok(None), Err);
        };
        match mishap {
            Mishap::None => Ok(Some(self.answer(kept, range))),
            Mishap::Corrupt => {
                let found = self.answer(kept, range);
                Ok(Some(EdgeFound { metadata: damaged(found.metadata), ..found }))
            }
            Mishap::Refused | Mishap::TimedOut | Mishap::LostAck => {
                mishap.fault().map_or(Ok(None), Err)
            }
        }
    }

    async fn keep(&self, url: &str, copy: EdgeCopy<FakeBody>, budget_ms: u32) -> Result<(), Fault> {
        assert!(budget_ms > 0, "every write has a budget");
        self.world.lives().await;
        let operation = Operation::EdgeKeep { url: url.to_owned() };
        let possible = [Mishap::None, Mishap::Refused, Mishap::LostAck];
        let mishap = self.world.begin(operation, &possible);
        let EdgeCopy { headers, length, body } = copy;
        assert!(url.starts_with("https://") && !url.contains('#'), "{url}");
        assert!(!headers.contains_key(header::SET_COOKIE), "the platform refuses cookies");
        assert!(headers.contains_key(CACHE_TAG), "an entry nobody could purge");
        if mishap == Mishap::Refused {
            body.discard();
            return Err(mishap.fault().unwrap());
        }
        let read = body.read();
        let is_whole = read.whole && read.bytes.len() as u64 == length;
        // The local simulator commits an aborted write as far as it came.
        let until_ms = self.world.now_ms() + max_age_s(&headers) * 1000;
        let kept = Kept { headers, bytes: read.bytes.into(), until_ms };
        self.kept.borrow_mut().insert(url.to_owned(), kept);
        if !is_whole {
            return Err(Fault::BrokenOff);
        }
        mishap.fault().map_or(Ok(()), Err)
    }

    async fn remove(&self, url: &str, budget_ms: u32) -> Result<(), Fault> {
        assert!(budget_ms > 0, "every write has a budget");
        self.world.lives().await;
        let operation = Operation::EdgeRemove { url: url.to_owned() };
        let mishap = self.world.begin(operation, &[Mishap::None, Mishap::Refused]);
        if mishap == Mishap::None {
            self.kept.borrow_mut().remove(url);
        }
        mishap.fault().map_or(Ok(()), Err)
    }
}

fn max_age_s(headers: &HeaderMap) -> u64 {
    let value = headers[header::CACHE_CONTROL].to_str().unwrap();
    let seconds = value.split("max-age=").nth(1).expect("an entry without a lifetime");
    seconds.parse().expect("a lifetime in seconds")
}

/// Metadata that lost its end.
pub(crate) fn damaged(metadata: Option<String>) -> Option<String> {
    metadata.map(|text| text[..text.len() / 2].to_owned())
}
