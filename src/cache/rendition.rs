//! One ordered rendition: everything that is decided about it before any tier is asked.

use http::HeaderName;

use super::bypass::Bypass;
use super::key::{self, Namespace};
use super::tags;
use crate::config::{Config, Origin};
use crate::guard::access::Pass;
use crate::media::sources::{self, Source};
use crate::request::Wanted;
use crate::request::ask::Ask;
use crate::request::path::SourcePath;
use crate::request::recipe::Recipe;

/// What is asked, and the names it is kept under.
#[derive(Debug, Clone)]
pub struct Rendition<'a> {
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
        Self { path, origin, sources, wanted, kv_key, edge_url, tags, bypass, pass: Pass::Open }
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
