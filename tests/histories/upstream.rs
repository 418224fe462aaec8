//! The transformer and the sources: what they were asked, what they truly made, and of what.

use std::cell::{Cell, RefCell};
use std::collections::BTreeMap;
use std::rc::Rc;

use http::{HeaderMap, HeaderValue, Method, header};
use video_resizer::cache::ports::{Body, CF_RESIZED, Call, Fault, Purpose, Reply, Upstream};
use video_resizer::purge::target::Target;

use super::body::{End, SimBody, flow};
use super::dice::Dice;
use super::saboteur::Sabotage;
use super::weather::Trip;
use super::world::World;

/// The videos of every world, and the widths that are asked of them.
pub(crate) const VARIANTS: [(&str, u16); 3] =
    [("clips/a.mp4", 640), ("clips/b.mp4", 640), ("clips/a.mp4", 320)];
/// The paths of their sources.
pub(crate) const PATHS: [&str; 2] = ["clips/a.mp4", "clips/b.mp4"];

/// A source that never has anything.
pub(crate) const BACKUP: &str = "https://backup.example/$1";
/// The host that is asked.
pub(crate) const HOST: &str = "v.example";
/// Another, of the same zone and with the same videos.
pub(crate) const OTHER_HOST: &str = "w.example";

/// The key of a variant in KV.
pub(crate) fn key_of(variant: usize) -> String {
    let (path, width) = VARIANTS[variant];
    format!("video:{path}:w={width}:f=mp4")
}

/// The tags of a variant.
pub(crate) fn tags_of(variant: usize) -> Vec<String> {
    let (path, width) = VARIANTS[variant];
    let size = format!("size:{width}xauto");
    let all = ["folder:clips", "origin:default", "mode:video", &size].map(str::to_owned);
    all.into_iter().chain([format!("asset:{path}")]).collect()
}

/// Whether a purge of this bears on a variant as it is asked on a host, said plainly.
pub(crate) fn bears(target: &Target, variant: usize, host: &str) -> bool {
    let (path, _) = VARIANTS[variant];
    match target {
        Target::Everything => true,
        Target::Tag(tag) => tags_of(variant).contains(&tag.to_ascii_lowercase()),
        Target::Path(of) => of == path,
        Target::Prefix(of) => path.starts_with(&of.path) && (of.host.is_empty() || of.host == host),
        Target::Variant(key) => *key == key_of(variant),
        Target::Host(of) => of == host,
    }
}

/// Which variant a URL or a key names.
pub(crate) fn variant_of(name: &str) -> Option<usize> {
    let is_named =
        |(path, width): &(&str, u16)| name.contains(path) && name.contains(&format!("={width}"));
    VARIANTS.iter().position(is_named)
}

/// A rendition that was truly made.
#[derive(Debug)]
pub(crate) struct Made {
    pub(crate) variant: usize,
    /// Which version of its source it shows.
    pub(crate) source_version: u32,
    pub(crate) bytes: Rc<[u8]>,
    /// When it was first ordered.
    pub(crate) ordered_ms: u64,
    /// When its headers left last.
    pub(crate) answered_ms: u64,
    pub(crate) is_announced: bool,
}

/// How a source is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub(crate) enum State {
    #[default]
    Holds,
    Missing,
    Fails,
}

/// The truth about upstreams.
#[derive(Debug, Default)]
pub(crate) struct Studio {
    pub(crate) made: RefCell<Vec<Made>>,
    versions: [Cell<u32>; 2],
    states: [Cell<State>; 2],
    /// Orders and questions that are being answered, and changes that wait for them.
    busy: [Cell<u32>; 2],
    changes: [Cell<u32>; 2],
    /// When a source was found to be this version still: path, version, moment.
    pub(crate) vouched: RefCell<Vec<(usize, u32, u64)>>,
    /// Bytes of every rendition from now on; 0 draws them.
    pub(crate) length: Cell<usize>,
    /// Whether renditions announce their length; `None` draws it.
    pub(crate) announces: Cell<Option<bool>>,
    pub(crate) orders: Cell<u32>,
    /// Whether what was made is kept for ever, by the whole URL of its order.
    pub(crate) keeps: Cell<bool>,
    kept: RefCell<BTreeMap<String, usize>>,
    /// When each source was last not well.
    unwell_ms: [Cell<u64>; 2],
}

impl Studio {
    /// Another video under the same path, as soon as nobody is in the middle of asking about this one.
    ///
    /// A source that changes between the order and the probe beside it would give the old bytes the new
    /// name; the core cannot tell, and no model could forgive it.
    pub(crate) fn change(&self, path: usize) {
        self.changes[path].set(self.changes[path].get() + 1);
        self.settle(path);
    }

    /// Orders that named a purge.
    pub(crate) fn orders_named(&self) -> usize {
        self.kept.borrow().keys().filter(|url| url.contains("?v=")).count()
    }

    pub(crate) fn set_state(&self, path: usize, state: State, now_ms: u64) {
        if self.states[path].replace(state) != State::Holds {
            self.unwell_ms[path].set(now_ms);
        }
    }

    /// Whether every change has been made.
    pub(crate) fn is_settled(&self, path: usize) -> bool {
        self.changes[path].get() == 0
    }

    /// Until when a source was not well; 0 where it always was.
    pub(crate) fn unwell_until_ms(&self, path: usize) -> u64 {
        let is_well = self.states[path].get() == State::Holds;
        if is_well { self.unwell_ms[path].get() } else { u64::MAX }
    }

    fn settle(&self, path: usize) {
        if self.busy[path].get() == 0 {
            self.versions[path].set(self.versions[path].get() + self.changes[path].take());
        }
    }
}

/// Somebody is being answered about a path.
struct Busy(Rc<World>, usize);

impl Busy {
    fn new(world: &Rc<World>, path: usize) -> Self {
        let busy = &world.studio.busy[path];
        busy.set(busy.get() + 1);
        Self(Rc::clone(world), path)
    }
}

impl Drop for Busy {
    fn drop(&mut self) {
        let busy = &self.0.studio.busy[self.1];
        busy.set(busy.get() - 1);
        self.0.studio.settle(self.1);
    }
}

/// Everything over HTTP.
#[derive(Debug)]
pub(crate) struct SimUpstream {
    pub(crate) world: Rc<World>,
}

impl SimUpstream {
    fn transform(&self, url: &str, path: usize, ordered_ms: u64) -> Reply<SimBody> {
        let (world, studio, dice) = (&self.world, &self.world.studio, &self.world.dice);
        let is_plain = world.office.sabotage.get() == Some(Sabotage::OrdersNameNoPurge);
        let url = if is_plain { url.split("?v=").next().unwrap() } else { url };
        if let Some(index) = studio.kept.borrow().get(url).copied() {
            return self.send(index);
        }
        match studio.states[path].get() {
            State::Holds if !url.contains("backup.example") => {}
            State::Holds | State::Missing => return says_error("err=9404"),
            State::Fails => return says_error("err=9509"),
        }
        let climate = world.climate();
        if dice.chance(climate.upstream) {
            return says_error("err=9523");
        }
        let variant = variant_of(url).expect("an order of another variant");
        let mut made = studio.made.borrow_mut();
        let length = match studio.length.get() {
            0 => 1 + dice.index(70),
            length => length,
        };
        let bytes: Rc<[u8]> = bytes_of(made.len() as u64 + 1, length).into();
        let is_announced = studio.announces.get().unwrap_or_else(|| dice.chance(60));
        let index = made.len();
        made.push(Made {
            variant,
            ordered_ms,
            source_version: studio.versions[path].get(),
            bytes,
            answered_ms: world.now_ms(),
            is_announced,
        });
        drop(made);
        if studio.keeps.get() {
            studio.kept.borrow_mut().insert(url.to_owned(), index);
        }
        self.send(index)
    }

    /// Sends what was made, now or before.
    fn send(&self, index: usize) -> Reply<SimBody> {
        let (world, dice, climate) = (&self.world, &self.world.dice, self.world.climate());
        let mut made = world.studio.made.borrow_mut();
        let made = &mut made[index];
        made.answered_ms = world.now_ms();
        let (bytes, length, is_announced) =
            (Rc::clone(&made.bytes), made.bytes.len(), made.is_announced);
        let mut end = End::Whole;
        if dice.chance(climate.bodies) {
            let after = dice.index(length);
            end = match dice.below(3) {
                0 => End::Breaks(after),
                // Cut short, a stream of announced length simply ends in some places.
                1 if is_announced => End::Stops(after),
                _ => End::Stalls(after, dice.between(1_000, 30_000)),
            };
        }
        world.tell(|| {
            let Made { source_version, ordered_ms, .. } = made;
            let age_ms = world.now_ms() - *ordered_ms;
            format!("made {index} of version {source_version}, {length} bytes, {end:?}, ordered {age_ms} ms ago")
        });
        let mut headers = HeaderMap::new();
        headers.insert(header::CONTENT_TYPE, HeaderValue::from_static("video/mp4"));
        if is_announced {
            headers.insert(header::CONTENT_LENGTH, HeaderValue::from(length));
        }
        let body = SimBody::Stream(flow(world, bytes, 100, end));
        Reply { status: 200, headers, body }
    }

    fn source(&self, call: &Call, path: usize) -> Reply<SimBody> {
        let studio = &self.world.studio;
        let mut headers = HeaderMap::new();
        let status = match studio.states[path].get() {
            State::Holds => 200,
            State::Missing => 404,
            State::Fails => 503,
        };
        if status != 200 {
            return Reply { status, headers, body: SimBody::empty() };
        }
        let version = studio.versions[path].get();
        let etag = format!("\"{version}\"");
        headers.insert(header::ETAG, HeaderValue::from_str(&etag).unwrap());
        let condition = call.headers.iter().find(|(name, _)| name == header::IF_NONE_MATCH);
        if condition.is_some_and(|(_, value)| value == etag.as_str()) {
            return Reply { status: 304, headers, body: SimBody::empty() };
        }
        let bytes = original_of(path, version);
        headers.insert(header::CONTENT_LENGTH, HeaderValue::from(bytes.len()));
        headers.insert(header::CONTENT_TYPE, HeaderValue::from_static("video/mp4"));
        let body = match call.method {
            Method::HEAD => SimBody::empty(),
            _ => SimBody::Stream(flow(&self.world, bytes.into(), 20, End::Whole)),
        };
        Reply { status, headers, body }
    }
}

impl Upstream for SimUpstream {
    type Body = SimBody;

    async fn fetch(&self, call: &Call) -> Result<Reply<SimBody>, Fault> {
        let (world, studio) = (&self.world, &self.world.studio);
        let path = PATHS.iter().position(|path| call.url.contains(path)).expect("a path of ours");
        let _busy = Busy::new(world, path);
        let ordered_ms = world.now_ms();
        let trip = Trip::draw(world, world.climate().upstream);
        if call.purpose == Purpose::Transform {
            studio.orders.set(studio.orders.get() + 1);
            let work_ms = world.dice.between(50, world.climate().order_ms);
            let made = trip.working(work_ms);
            return made
                .read(world, call.budget_ms, || self.transform(&call.url, path, ordered_ms))
                .await;
        }
        let reply = trip.read(world, call.budget_ms, || self.source(call, path)).await;
        world.tell(|| format!("source {path}: {:?}", reply.as_ref().map(|reply| reply.status)));
        if let Ok(Reply { status: 304, headers, .. }) = &reply {
            let version = headers[header::ETAG].to_str().unwrap().trim_matches('"').parse();
            studio.vouched.borrow_mut().push((path, version.unwrap(), world.now_ms()));
        }
        reply
    }
}

/// 200 and no video, as the transformer says that it failed.
fn says_error(error: &'static str) -> Reply<SimBody> {
    let mut headers = HeaderMap::new();
    headers.insert(CF_RESIZED, HeaderValue::from_static(error));
    Reply { status: 200, headers, body: SimBody::text("an error page".to_owned()) }
}

/// The bytes of a version of an original.
pub(crate) fn original_of(path: usize, version: u32) -> Vec<u8> {
    bytes_of(1_000_000 + 1_000 * path as u64 + u64::from(version), 90)
}

/// Bytes in which no two seeds look alike for long.
fn bytes_of(seed: u64, length: usize) -> Vec<u8> {
    let dice = Dice::new(seed);
    (0..length).map(|_| dice.roll().to_be_bytes()[0]).collect()
}
