//! One ordered rendition: everything that is decided about it before any tier is asked.

use http::HeaderName;

use super::bypass::Bypass;
use super::entry::Metadata;
use super::key::{self, Namespace};
use super::tags;
use crate::config::{Config, Origin};
use crate::guard::access::Pass;
use crate::media::sources::{self, Source};
use crate::purge::ledger::{Ledger, Standing};
use crate::purge::target::Subject;
use crate::request::Wanted;
use crate::request::ask::Ask;
use crate::request::path::SourcePath;
use crate::request::recipe::Recipe;

/// What is asked, and the names it is kept under.
#[derive(Debug, Clone)]
pub struct Rendition<'a> {
    /// The host it is asked on.
    pub host: String,
    /// The video.
    pub path: SourcePath,
    /// The rule its sources come from.
    pub origin: &'a Origin,
    /// Where the original may be, in the order it is tried.
    pub sources: Vec<Source>,
    /// What the request asked, made canonical.
    pub wanted: Wanted,
    /// Name in Workers KV.
    pub kv_key: String,
    /// Name in the Cache API.
    pub edge_url: String,
    /// Handles for purging.
    pub tags: Vec<String>,
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
        ask: &Ask,
        config: &Config,
        origin: &'a Origin,
        path: SourcePath,
        wanted: Wanted,
        bypass: Bypass,
    ) -> Self {
        let request_origin = ask.origin();
        let sources = sources::locate(origin, &path, &request_origin);
        // Where the video lies on the request's own host, another host means another video.
        let host = sources.iter().any(|source| source.own_host).then_some(ask.host.as_str());
        let version = config.cache.version;
        let namespace = Namespace { origin: &origin.name, host, version };
        let kv_key = key::kv_key(namespace, &path, &wanted.recipe);
        let edge_url = key::edge_url(&request_origin, &path, &wanted.recipe, version);
        let tags =
            tags::tags(&config.tags, origin, &path, &wanted.recipe, wanted.preset.as_deref());
        let host = ask.host.clone();
        let pass = Pass::Open;
        Self {
            host,
            path,
            origin,
            sources,
            wanted,
            kv_key,
            edge_url,
            tags,
            bypass,
            pass,
            by_operator: false,
        }
    }

    /// What a purge that bears on it may be aimed at.
    pub fn subject(&self) -> Subject<'_> {
        Subject {
            host: Some(&self.host),
            path: Some(self.path.without_slash()),
            kv_key: &self.kv_key,
            tags: &self.tags,
        }
    }

    /// What purges mean for what was kept of it, which may have been kept with other tags.
    pub fn standing(&self, ledger: &Ledger, metadata: &Metadata) -> Standing {
        let standing = ledger.standing(metadata.heard, &self.subject());
        if metadata.tags == self.tags {
            return standing;
        }
        let as_kept = Subject { tags: &metadata.tags, ..self.subject() };
        standing.max(ledger.standing(metadata.heard, &as_kept))
    }

    /// What the transformer is to call its source for the sake of purges. The same rendition may have been asked by the
    /// name of any preset before, and been purged by it: what was made of it then has one name with what is made now.
    pub fn purged(&self, ledger: &Ledger, config: &Config) -> u64 {
        let presets = config.presets.keys().map(|preset| tags::preset_tag(&config.tags, preset));
        let tags: Vec<String> = self.tags.iter().cloned().chain(presets).collect();
        ledger.version_of(&Subject { tags: &tags, ..self.subject() })
    }

    /// The same, with another name for one of its sources, by which the transformer tells it from what it was before.
    #[must_use]
    pub fn of_version(&self, source: u8, version: Option<&String>) -> Self {
        let mut rendition = self.clone();
        for it in rendition.sources.iter_mut().filter(|it| it.index == source) {
            it.version = version.cloned();
        }
        rendition
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
