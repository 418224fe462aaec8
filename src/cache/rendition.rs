//! One ordered rendition: everything that is decided about it before any tier is asked.

use std::cell::OnceCell;

use http::HeaderName;

use super::bypass::Bypass;
use super::entry::Metadata;
use super::key::{self, Namespace};
use super::tags;
use crate::config::{Config, Origin, Tags};
use crate::guard::access::Pass;
use crate::media::sources::{self, Source};
use crate::purge::ledger::{Ledger, Standing};
use crate::purge::target::Subject;
use crate::request::Wanted;
use crate::request::ask::Ask;
use crate::request::path::SourcePath;
use crate::request::recipe::Recipe;

/// What is asked, and the names it is kept under. What a hit has no use for is worked out when it is asked for.
#[derive(Debug, Clone)]
pub struct Rendition<'a> {
    /// The request it is asked with.
    ask: &'a Ask,
    /// The video.
    pub path: SourcePath,
    /// The rule its sources come from.
    pub origin: &'a Origin,
    sources: OnceCell<Vec<Source>>,
    /// What the request asked, made canonical.
    pub wanted: Wanted,
    /// Name in Workers KV.
    pub kv_key: String,
    /// Name in the Cache API.
    pub edge_url: String,
    tags: OnceCell<Vec<String>>,
    tags_config: &'a Tags,
    /// Which tiers are read and written.
    pub bypass: Bypass,
    /// Why the request may have it.
    pub pass: Pass,
    /// Whether an operator asks: whose misses are not counted.
    pub by_operator: bool,
}

impl<'a> Rendition<'a> {
    /// Gathers what follows from request and configuration, as for a viewer who may have everything; asks nobody.
    pub fn new(
        ask: &'a Ask,
        config: &'a Config,
        origin: &'a Origin,
        path: SourcePath,
        wanted: Wanted,
        bypass: Bypass,
    ) -> Self {
        let request_origin = ask.origin();
        // Where the video lies on the request's own host, another host means another video.
        let is_here = sources::are_on_host(origin, &request_origin);
        let host = is_here.then_some(ask.host.as_str());
        let version = config.cache.version;
        let namespace = Namespace { origin: &origin.name, host, version };
        Self {
            kv_key: key::kv_key(namespace, &path, &wanted.recipe),
            edge_url: key::edge_url(&request_origin, &path, &wanted.recipe, version),
            ask,
            path,
            origin,
            sources: OnceCell::new(),
            wanted,
            tags: OnceCell::new(),
            tags_config: &config.tags,
            bypass,
            pass: Pass::Open,
            by_operator: false,
        }
    }

    /// Where the original may be, in the order it is tried.
    pub fn sources(&self) -> &[Source] {
        let locate = || sources::locate(self.origin, &self.path, &self.ask.origin());
        self.sources.get_or_init(locate)
    }

    /// Handles for purging.
    pub fn tags(&self) -> &[String] {
        let preset = self.wanted.preset.as_deref();
        let make = || tags::tags(self.tags_config, self.origin, &self.path, self.recipe(), preset);
        self.tags.get_or_init(make)
    }

    /// What a purge that bears on it may be aimed at.
    pub fn subject(&self) -> Subject<'_> {
        Subject {
            host: Some(&self.ask.host),
            path: Some(self.path.without_slash()),
            kv_key: &self.kv_key,
            tags: self.tags(),
        }
    }

    /// What purges mean for what was kept of it, which may have been kept with other tags.
    pub fn standing(&self, ledger: &Ledger, metadata: &Metadata) -> Standing {
        if metadata.heard >= ledger.number() {
            // As it is of most hits: its tags need not even be made.
            return Standing::Valid;
        }
        let standing = ledger.standing(metadata.heard, &self.subject());
        if metadata.tags == self.tags() {
            return standing;
        }
        let as_kept = Subject { tags: &metadata.tags, ..self.subject() };
        standing.max(ledger.standing(metadata.heard, &as_kept))
    }

    /// What the transformer is to call its source for the sake of purges. The same rendition may have been asked by the
    /// name of any preset before, and been purged by it: what was made of it then has one name with what is made now.
    pub fn purged(&self, ledger: &Ledger, config: &Config) -> u64 {
        let presets = config.presets.keys().map(|preset| tags::preset_tag(&config.tags, preset));
        let tags: Vec<String> = self.tags().iter().cloned().chain(presets).collect();
        ledger.version_of(&Subject { tags: &tags, ..self.subject() })
    }

    /// The same, with another name for one of its sources, by which the transformer tells it from what it was before.
    #[must_use]
    pub fn of_version(&self, source: u8, version: Option<&String>) -> Self {
        let mut sources = self.sources().to_vec();
        for it in sources.iter_mut().filter(|it| it.index == source) {
            it.version = version.cloned();
        }
        Self { sources: sources.into(), ..self.clone() }
    }

    /// What is made.
    pub fn recipe(&self) -> &Recipe {
        &self.wanted.recipe
    }

    /// The request headers this answer depends on.
    pub fn vary(&self) -> &[HeaderName] {
        &self.wanted.vary
    }
}
