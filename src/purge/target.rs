//! What a purge is aimed at, and what it may bear on.

use crate::cache::entry::Metadata;
use crate::cache::key::PREFIX;
use crate::cache::tags;
use crate::json::{choice, record};
use crate::limits::{FOLDER_TAGS_MAX, LEDGER_BUCKETS, PURGE_PREFIX_BYTES_MAX};

/// What a purge is aimed at; these words are stored, and keep their meaning.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Target {
    /// Everything that is kept.
    Everything,
    /// What carries a cache tag, compared without regard to case.
    Tag(String),
    /// Every rendition of one source: its canonical path without the leading slash.
    Path(String),
    /// Every rendition of sources whose canonical path begins so, on one host or on all.
    Prefix(Prefix),
    /// One rendition, wherever it is served: its key in KV.
    Variant(String),
    /// What is served on this host.
    Host(String),
}

choice! { Target {
    "everything" => Everything,
    "tag" => Tag(tag),
    "path" => Path(path),
    "prefix" => Prefix(prefix),
    "variant" => Variant(key),
    "host" => Host(host),
} }

/// The beginning of a path, on one host or on all.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Prefix {
    /// Lower-case host with its port; empty for all.
    pub host: String,
    /// Canonical, without the leading slash, at most [`PURGE_PREFIX_BYTES_MAX`] bytes; may be empty.
    pub path: String,
}

record! { Prefix, PassedOver {
    "host" => host,
    "path" => path,
} }

impl Prefix {
    /// One text for both: `host/path`, `/path`.
    pub fn text(&self) -> String {
        format!("{}/{}", self.host, self.path)
    }

    /// Reads what [`Prefix::text`] wrote.
    pub fn parse(text: &str) -> Option<Self> {
        let (host, path) = text.split_once('/')?;
        (path.len() <= PURGE_PREFIX_BYTES_MAX)
            .then(|| Self { host: host.to_owned(), path: path.to_owned() })
    }

    /// Whether a source's path, served on a host where that is known, begins so.
    pub fn covers(&self, host: Option<&str>, path: &str) -> bool {
        let on_host = self.host.is_empty() || host.is_some_and(|host| same_host(host, &self.host));
        on_host && path.starts_with(&self.path)
    }

    /// The folder that all of it lies in, at most [`FOLDER_TAGS_MAX`] deep; empty for the top.
    pub(super) fn folder(&self) -> &str {
        folders(&self.path).last().unwrap_or_default()
    }
}

/// What a purge may bear on: one rendition, as a request or a store names it.
#[derive(Debug, Clone, Copy)]
pub struct Subject<'a> {
    /// The host it is asked on; `None` where that is not known.
    pub host: Option<&'a str>,
    /// The source's canonical path without the leading slash; `None` where it is not known.
    pub path: Option<&'a str>,
    /// Its key in KV.
    pub kv_key: &'a str,
    /// Its cache tags.
    pub tags: &'a [String],
}

/// Names a target, or a part of a subject, in eight bytes. Two that share one are purged together: that costs a
/// rendition made again, and never serves what was purged.
pub(super) type Digest = u64;

impl Target {
    /// `None` for what no single digest names.
    pub(super) fn digest(&self) -> Option<Digest> {
        Some(match self {
            Self::Everything | Self::Prefix(_) => return None,
            Self::Tag(tag) => tag_digest(tag),
            Self::Path(path) => digest(Kind::Path, "", path),
            Self::Variant(key) => digest(Kind::Variant, "", key),
            Self::Host(host) => host_digest(host),
        })
    }
}

/// Of everything that lies in a folder, on a host or (empty) on all.
pub(super) fn folder_digest(host: &str, folder: &str) -> Digest {
    let kind = if host.is_empty() { Kind::Folder } else { Kind::FolderOnHost };
    digest_of(kind, named(host), folder.bytes())
}

fn host_digest(host: &str) -> Digest {
    digest_of(Kind::Host, std::iter::empty(), named(host))
}

/// Whether this, or the bucket of it, is of something that is purged on one host and not on all.
pub(super) fn is_of_one_host(name: u64) -> bool {
    let kind = name.checked_shr(KIND_SHIFT).filter(|kind| *kind > 0);
    let kind = kind.unwrap_or(name / LEDGER_BUCKETS);
    kind == Kind::Host as u64 || kind == Kind::FolderOnHost as u64
}

impl<'a> Subject<'a> {
    /// What is stored under a key of KV, which may hold a part of what it says of itself; `path` is that of
    /// [`stored_path`].
    pub fn stored(kv_key: &'a str, path: Option<&'a str>, tags: &'a [String]) -> Self {
        Self { host: None, path, kv_key, tags }
    }

    /// Every digest under which it may have been purged.
    pub(super) fn digests(&self) -> impl Iterator<Item = Digest> {
        let of_path = self.path.into_iter().flat_map(|path| {
            let hosts = std::iter::once("").chain(self.host);
            let folders = hosts
                .flat_map(move |host| folders(path).map(move |folder| folder_digest(host, folder)));
            std::iter::once(digest(Kind::Path, "", path)).chain(folders)
        });
        let of_host = self.host.map(host_digest);
        self.tags
            .iter()
            .map(|tag| tag_digest(tag))
            .chain(of_path)
            .chain(std::iter::once(digest(Kind::Variant, "", self.kv_key)))
            .chain(of_host)
    }
}

/// The path of what is stored: its own, or that in its key; `None` where both had no room for it.
pub fn stored_path(kv_key: &str, metadata: &Metadata) -> Option<String> {
    let in_key = || {
        let (path, _) = kv_key.strip_prefix(PREFIX)?.split_once(':')?;
        Some(path.replace("%3a", ":"))
    };
    metadata.path.clone().or_else(in_key)
}

fn same_host(one: &str, other: &str) -> bool {
    rooted(one).eq_ignore_ascii_case(rooted(other))
}

/// One spelling of a host.
fn named(host: &str) -> impl Iterator<Item = u8> {
    rooted(host).bytes().map(|byte| byte.to_ascii_lowercase())
}

/// Without the dot of the root, which a viewer may write and means the same host (RFC 3986, 3.2.2).
fn rooted(host: &str) -> &str {
    host.strip_suffix('.').unwrap_or(host)
}

/// Folders of a path from the top, the first [`FOLDER_TAGS_MAX`] of them.
fn folders(path: &str) -> impl Iterator<Item = &str> {
    path.match_indices('/').filter_map(|(at, _)| path.get(..at)).take(FOLDER_TAGS_MAX)
}

/// A tag in metadata may have its short form, and a tag has no case: both forms have one digest.
fn tag_digest(tag: &str) -> Digest {
    let lower = |tag: &str| {
        let tag = tag.bytes().map(|byte| byte.to_ascii_lowercase());
        digest_of(Kind::Tag, std::iter::empty(), tag)
    };
    if tag.len() <= tags::SHORT_BYTES_MAX { lower(tag) } else { lower(&tags::short_form(tag)) }
}

#[derive(Clone, Copy)]
enum Kind {
    Tag = 1,
    Path = 2,
    Variant = 3,
    Host = 4,
    Folder = 5,
    FolderOnHost = 6,
}

fn digest(kind: Kind, first: &str, second: &str) -> Digest {
    digest_of(kind, first.bytes(), second.bytes())
}

/// The kind, and FNV-1a over both texts: fixed for ever, for ledgers are stored.
fn digest_of(
    kind: Kind,
    first: impl Iterator<Item = u8>,
    second: impl Iterator<Item = u8>,
) -> Digest {
    const OFFSET: u64 = 0xcbf2_9ce4_8422_2325;
    const PRIME: u64 = 0x0100_0000_01b3;
    let bytes = first.chain([0]).chain(second);
    let hash = bytes.fold(OFFSET, |hash, byte| (hash ^ u64::from(byte)).wrapping_mul(PRIME));
    (kind as u64) << KIND_SHIFT | hash >> (u64::BITS - KIND_SHIFT)
}

/// Bits of a digest below its kind.
const KIND_SHIFT: u32 = 60;

/// The bucket that a folded digest shares with others of its kind: of another kind, all that is served on a host
/// might share one with a path.
pub(super) fn bucket(digest: Digest) -> u64 {
    (digest >> KIND_SHIFT) * LEDGER_BUCKETS + digest % LEDGER_BUCKETS
}
