//! One viewer: what is asked, how it is read, and what was seen.

use std::cell::RefCell;
use std::pin::pin;
use std::rc::Rc;

use futures_util::StreamExt;
use futures_util::future::{Either, select};
use http::{HeaderMap, HeaderValue, Method, header};
use video_resizer::cache::ports::Reply;
use video_resizer::config::Config;
use video_resizer::front::{self, Handled};
use video_resizer::request::ask::Ask;

use super::answers;
use super::body::SimBody;
use super::clockwork::Owner;
use super::host::SimHost;
use super::upstream::{HOST, VARIANTS};
use super::world::World;

/// Milliseconds what is owed may take once its viewer is gone (workers/platform/limits).
const GRACE_MS: u64 = 30_000;

/// What of a body is asked.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Part {
    All,
    From(usize),
    Span(usize, usize),
    Last(usize),
    Two([(usize, usize); 2]),
}

impl Part {
    pub(crate) fn header(self) -> Option<String> {
        match self {
            Self::All => None,
            Self::From(first) => Some(format!("bytes={first}-")),
            Self::Span(first, last) => Some(format!("bytes={first}-{last}")),
            Self::Last(count) => Some(format!("bytes=-{count}")),
            Self::Two([(a, b), (c, d)]) => Some(format!("bytes={a}-{b},{c}-{d}")),
        }
    }

    /// First and last byte of what this is of a body of so many; nothing where it cannot be satisfied.
    pub(crate) fn of(self, total: usize) -> Vec<(usize, usize)> {
        let clipped =
            |(first, last): (usize, usize)| (first < total).then(|| (first, last.min(total - 1)));
        match self {
            Self::All => vec![(0, total - 1)],
            Self::From(first) => clipped((first, total)).into_iter().collect(),
            Self::Span(first, last) => clipped((first, last)).into_iter().collect(),
            Self::Last(0) => Vec::new(),
            Self::Last(count) => vec![(total.saturating_sub(count), total - 1)],
            Self::Two(spans) => spans.into_iter().filter_map(clipped).collect(),
        }
    }
}

/// When a viewer leaves.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Leaves {
    Never,
    /// So many milliseconds after asking, if nothing has come by then.
    BeforeAnswer(u64),
    /// After so many bytes.
    After(usize),
}

/// What a viewer does.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Plan {
    pub(crate) dc: usize,
    /// Where it is asked.
    pub(crate) host: &'static str,
    /// Which of the data centre's isolates.
    pub(crate) isolate: usize,
    pub(crate) variant: usize,
    pub(crate) is_head: bool,
    pub(crate) part: Part,
    /// Whether it names the version it last saw.
    pub(crate) is_conditional: bool,
    /// Milliseconds between two pieces it reads, at the most.
    pub(crate) pace_ms: u64,
    pub(crate) leaves: Leaves,
}

impl Plan {
    /// Somebody who wants all of it, and stays.
    pub(crate) fn plain(dc: usize, variant: usize) -> Self {
        Self {
            dc,
            host: HOST,
            isolate: 0,
            variant,
            is_head: false,
            part: Part::All,
            is_conditional: false,
            pace_ms: 0,
            leaves: Leaves::Never,
        }
    }

    fn ask(&self, known: Option<&str>) -> Ask {
        let (path, width) = VARIANTS[self.variant];
        let mut headers = HeaderMap::new();
        if let Some(range) = self.part.header() {
            headers.insert(header::RANGE, HeaderValue::from_str(&range).unwrap());
        }
        if let Some(known) = known.filter(|_| self.is_conditional) {
            headers.insert(header::IF_NONE_MATCH, HeaderValue::from_str(known).unwrap());
        }
        Ask {
            method: if self.is_head { Method::HEAD } else { Method::GET },
            scheme: "https".to_owned(),
            host: self.host.to_owned(),
            path: format!("/{path}"),
            query: format!("width={width}"),
            headers,
        }
    }
}

/// How an answer ended for its viewer.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Ended {
    /// Not yet; or its isolate died.
    Open,
    Whole,
    Broken,
    Left,
}

/// What a viewer saw.
#[derive(Debug)]
#[allow(clippy::struct_excessive_bools)] // what happened to them and what did not
pub(crate) struct Seen {
    pub(crate) visit: usize,
    pub(crate) plan: Plan,
    pub(crate) asked_ms: u64,
    pub(crate) answered_ms: Option<u64>,
    pub(crate) status: u16,
    pub(crate) headers: HeaderMap,
    pub(crate) bytes: Vec<u8>,
    pub(crate) ended: Ended,
    /// When the last byte was read.
    pub(crate) read_ms: u64,
    /// Whether what was served is made anew behind its back.
    pub(crate) renews: bool,
    /// Whether KV did not tell its isolate of purges.
    pub(crate) is_deaf: bool,
    /// Whether nothing is owed any more.
    pub(crate) is_settled: bool,
    pub(crate) is_killed: bool,
}

impl Seen {
    pub(crate) fn new(visit: usize, plan: Plan, asked_ms: u64) -> Self {
        Self {
            visit,
            plan,
            asked_ms,
            answered_ms: None,
            status: 0,
            headers: HeaderMap::new(),
            bytes: Vec::new(),
            ended: Ended::Open,
            read_ms: 0,
            renews: false,
            is_deaf: false,
            is_settled: false,
            is_killed: false,
        }
    }

    /// A header's value; empty when absent.
    pub(crate) fn header(&self, name: &str) -> &str {
        self.headers.get(name).map_or("", |value| value.to_str().unwrap())
    }
}

/// One visit, from the question to everything that is owed.
pub(crate) async fn attend(
    world: Rc<World>,
    config: Rc<Config>,
    host: Rc<SimHost>,
    seen: Rc<RefCell<Seen>>,
    known: Option<String>,
) {
    let (plan, visit) = (seen.borrow().plan, seen.borrow().visit);
    let ask = plan.ask(known.as_deref());
    world.tell(|| format!("asks {plan:?}"));
    let Some(handled) = answered(&world, &config, &host, &ask, &seen).await else { return };
    let Handled::Answer { reply, owed } = handled else { panic!("a video was passed through") };
    world.tell(|| format!("{} {:?}", reply.status, reply.headers.get("cache-status")));
    seen.borrow_mut().renews = owed.as_ref().is_some_and(|owed| owed.renewal);
    let is_over = Rc::new(RefCell::new(false));
    let (over, owner) = (Rc::clone(&is_over), Owner { isolate: Some(host.isolate), visit });
    let (settling, settled, ask) = (Rc::clone(&world), Rc::clone(&seen), ask.clone());
    let (host, config) = (Rc::clone(&host), Rc::clone(&config));
    let settle = async move {
        if let Some(owed) = owed {
            let work = pin!(front::settle(&*host, &ask, &config, owed));
            let end = pin!(async {
                while !*over.borrow() {
                    settling.clock.sleep(1_000).await;
                }
                settling.clock.sleep(GRACE_MS).await;
            });
            match select(work, end).await {
                Either::Left((faults, _)) => {
                    settling.tell(|| format!("settled {faults:?}"));
                    settling.judge.visit_over(&settling, visit);
                }
                Either::Right(_) => {
                    settling.tell(|| "was ended by the platform".to_owned());
                    settling.judge.ended([visit]);
                }
            }
        } else {
            settling.judge.visit_over(&settling, visit);
        }
        settled.borrow_mut().is_settled = true;
    };
    world.clock.spawn(owner, settle);
    if seen.borrow().ended == Ended::Open {
        read(&world, &seen, reply).await;
    }
    *is_over.borrow_mut() = true;
    answers::check(&world, &seen.borrow());
}

/// The core's answer; `None` where its viewer has left, and nothing goes on without them.
async fn answered(
    world: &World,
    config: &Config,
    host: &Rc<SimHost>,
    ask: &Ask,
    seen: &RefCell<Seen>,
) -> Option<Handled<SimBody>> {
    let (leaves, visit) = (seen.borrow().plan.leaves, seen.borrow().visit);
    let handling = pin!(async {
        host.keep_up(config.purge.refresh_ms).await;
        seen.borrow_mut().is_deaf = host.is_deaf.get();
        front::handle(&**host, ask, config).await
    });
    let Leaves::BeforeAnswer(ms) = leaves else { return Some(handling.await) };
    let handling = match select(handling, pin!(world.clock.sleep(ms))).await {
        Either::Left((handled, _)) => return Some(handled),
        Either::Right(((), handling)) => handling,
    };
    seen.borrow_mut().ended = Ended::Left;
    let goes_on = world.outliving.borrow().contains(&visit);
    world.tell(|| format!("left, and goes on: {goes_on}"));
    if goes_on {
        let grace = pin!(world.clock.sleep(GRACE_MS));
        if let Either::Left((handled, _)) = select(handling, grace).await {
            return Some(handled);
        }
    }
    // Its isolate's other requests go on; this one is ended where it stands.
    world.judge.ended([visit]);
    seen.borrow_mut().is_settled = true;
    None
}

/// Reads an answer as the plan says; a body that is not as long as was announced has broken off.
async fn read(world: &Rc<World>, seen: &Rc<RefCell<Seen>>, reply: Reply<SimBody>) {
    let plan = seen.borrow().plan;
    let Reply { status, headers, body } = reply;
    let length = headers.get(header::CONTENT_LENGTH).map(|value| value.to_str().unwrap().parse());
    let length: Option<usize> = length.map(Result::unwrap);
    {
        let mut seen = seen.borrow_mut();
        (seen.status, seen.headers) = (status, headers);
        seen.answered_ms = Some(world.now_ms());
    }
    let mut pieces = body.into_pieces();
    let ended = loop {
        if plan.is_head {
            break Ended::Whole;
        }
        let piece = pieces.next().await;
        if plan.pace_ms > 0 {
            world.clock.sleep(world.dice.between(0, plan.pace_ms)).await;
        }
        let mut seen = seen.borrow_mut();
        match piece {
            Some(Ok(piece)) => seen.bytes.extend(piece),
            None if length.is_none_or(|length| length == seen.bytes.len()) => break Ended::Whole,
            Some(Err(_)) | None => break Ended::Broken,
        }
        if matches!(plan.leaves, Leaves::After(bytes) if seen.bytes.len() >= bytes) {
            break Ended::Left;
        }
    };
    drop(pieces);
    seen.borrow_mut().ended = ended;
    seen.borrow_mut().read_ms = world.now_ms();
    world.tell(|| format!("{ended:?} after {} bytes", seen.borrow().bytes.len()));
}
