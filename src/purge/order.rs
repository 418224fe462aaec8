//! What an operator wants purged: read from JSON, checked whole, every mistake named at once.

use super::aim::{self, host, path, prefix, tag};
use super::ledger::Mode;
use super::target::{Prefix, Target};
use crate::cache::bypass;
use crate::cache::rendition::Rendition;
use crate::config::Config;
use crate::json::{Map, Value, record};
use crate::limits::{BY_CHARS_MAX, NOTE_CHARS_MAX, PURGE_ERRORS_MAX, PURGE_TARGETS_MAX};
use crate::media::sources;
use crate::request;
use crate::request::path::SourcePath;
use crate::request::query::Query;
use crate::sorted::sort;

/// One purge that is wanted.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Order {
    /// Hard or soft.
    pub mode: Mode,
    /// What it is aimed at; never empty.
    pub targets: Vec<Target>,
    /// Where the Cache API keeps the single renditions among them.
    pub files: Vec<String>,
    /// The same in the operator's words.
    pub asked: Asked,
    /// What is purged beyond what was asked, and why.
    pub remarks: Vec<String>,
    /// Who wants it; may be empty.
    pub by: String,
    /// Why; may be empty.
    pub note: String,
}

record! { Order, PassedOver {
    "mode" => mode,
    "targets" => targets,
    "files" => files or nothing,
    "asked" => asked,
    "remarks" => remarks or nothing,
    "by" => by or default,
    "note" => note or default,
} }

/// Targets in the operator's words, canonical where that is one word for the same.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Asked {
    /// Cache tags, as entries carry them.
    pub tags: Vec<String>,
    /// Paths of sources, with their leading slash.
    pub paths: Vec<String>,
    /// `/path` or `host/path`.
    pub prefixes: Vec<String>,
    /// As they were given.
    pub urls: Vec<String>,
    /// Lower-case, with a port where it was given.
    pub hosts: Vec<String>,
    /// Everything.
    pub everything: bool,
}

record! { Asked, PassedOver {
    "tags" => tags,
    "paths" => paths,
    "prefixes" => prefixes,
    "urls" => urls,
    "hosts" => hosts,
    "everything" => everything,
} }

/// One mistake in what was given.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Mistake {
    /// Where in the document (RFC 6901): `/tags/3`.
    pub at: String,
    /// What is wrong, and what would be right.
    pub detail: String,
}

/// What is asked of a purge: to be done, or only to be tried.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Request {
    /// What.
    pub order: Order,
    /// Whether only to say what it would bear on.
    pub dry_run: bool,
}

/// Reads a document; all mistakes at once, of which the first [`PURGE_ERRORS_MAX`] are named.
pub fn read(document: &Value, config: &Config) -> Result<Request, Vec<Mistake>> {
    let Some(members) = document.as_object() else {
        return Err(vec![Mistake::new("", "write an object: { … }")]);
    };
    let mut reading = Reading { mistakes: Vec::new() };
    for name in members.keys().filter(|name| !MEMBERS.contains(&name.as_str())) {
        let known = MEMBERS.join(", ");
        reading.mistake(pointer(name), format!("it is no member of a purge; there are {known}"));
    }
    let mode = match members.get("mode").map(Value::as_str) {
        None | Some(Some("hard")) => Mode::Hard,
        Some(Some("soft")) => Mode::Soft,
        Some(_) => {
            reading.mistake("/mode".to_owned(), "write \"hard\" or \"soft\"".to_owned());
            Mode::Hard
        }
    };
    let everything = reading.flag(members, "everything");
    let dry_run = reading.flag(members, "dry_run");
    let by = reading.text(members, "by", BY_CHARS_MAX);
    let note = reading.text(members, "note", NOTE_CHARS_MAX);
    let count: usize = LISTS.iter().map(|name| length(members, name)).sum();
    if count > PURGE_TARGETS_MAX {
        let detail = format!("{count} targets are more than the {PURGE_TARGETS_MAX} of one call");
        return Err(vec![Mistake::new("", detail)]);
    }
    let mut order = Order {
        mode,
        targets: Vec::new(),
        files: Vec::new(),
        asked: Asked { everything, ..Asked::default() },
        remarks: Vec::new(),
        by,
        note,
    };
    if everything {
        order.targets.push(Target::Everything);
    }
    reading.each(members, "tags", |text| tag(text).map(|tag| order.aim_at_tag(tag)));
    reading.each(members, "paths", |text| path(text).map(|path| order.aim_at_path(&path)));
    reading
        .each(members, "prefixes", |text| prefix(text).map(|prefix| order.aim_at_prefix(prefix)));
    reading.each(members, "urls", |text| order.aim_at_url(text, config));
    reading.each(members, "hosts", |text| host(text).map(|host| order.aim_at_host(host)));
    order.settle();
    if reading.mistakes.is_empty() && order.targets.is_empty() {
        let detail = format!("name what to purge: {}, or \"everything\": true", LISTS.join(", "));
        reading.mistake(String::new(), detail);
    }
    reading.done().map(|()| Request { order, dry_run })
}

impl Order {
    /// An order that is aimed at nothing yet.
    pub fn of(mode: Mode, by: String, note: String) -> Self {
        let (targets, files, remarks) = (Vec::new(), Vec::new(), Vec::new());
        Self { mode, targets, files, asked: Asked::default(), remarks, by, note }
    }

    /// Everything that is kept.
    pub fn aim_at_everything(&mut self) {
        self.asked.everything = true;
        self.targets.push(Target::Everything);
    }

    /// What carries a tag that [`aim::tag`] has read.
    pub fn aim_at_tag(&mut self, tag: String) {
        self.asked.tags.push(tag.clone());
        self.targets.push(Target::Tag(tag));
    }

    /// Every rendition of one source.
    pub fn aim_at_path(&mut self, path: &SourcePath) {
        self.asked.paths.push(path.as_str().to_owned());
        self.targets.push(Target::Path(path.without_slash().to_owned()));
    }

    /// Every rendition of the sources whose path begins so.
    pub fn aim_at_prefix(&mut self, prefix: Prefix) {
        self.asked.prefixes.push(prefix.text());
        self.targets.push(Target::Prefix(prefix));
    }

    /// What is served on a host that [`aim::host`] has read.
    pub fn aim_at_host(&mut self, host: String) {
        self.asked.hosts.push(host.clone());
        self.targets.push(Target::Host(host));
    }

    /// The rendition of a URL; where the viewer has a say in which one that is, every rendition of its source.
    pub fn aim_at_url(&mut self, url: &str, config: &Config) -> Result<(), String> {
        let ask = aim::url(url)?;
        let path = SourcePath::parse(&ask.path).map_err(|rejection| rejection.to_string())?;
        if !path.is_one_of(&config.video_extensions) {
            return Err("it is no video of this worker".to_owned());
        }
        let origin = sources::rule(&config.origins, &path)
            .ok_or_else(|| "no origin is configured for its path".to_owned())?;
        let query = Query::parse(&ask.query).map_err(|rejection| rejection.to_string())?;
        let wanted = request::read(&ask, &query, origin, config)
            .map_err(|rejection| rejection.to_string())?;
        let source = path.without_slash().to_owned();
        let is_one = wanted.vary.is_empty();
        let rendition = Rendition::new(&ask, config, origin, path, wanted, bypass::NONE);
        self.asked.urls.push(url.to_owned());
        if is_one {
            self.targets.push(Target::Variant(rendition.kv_key));
            self.files.push(rendition.edge_url);
        } else {
            self.remarks.push(format!(
                "{url} names no size, so that its answer depends on the viewer: every rendition of /{source} is purged"
            ));
            self.targets.push(Target::Path(source));
        }
        Ok(())
    }

    /// Nothing twice; and what a hard purge leaves behind is remarked.
    pub fn settle(&mut self) {
        if self.mode == Mode::Hard {
            let hosts = self.targets.iter().filter_map(|target| match target {
                Target::Host(host) | Target::Prefix(Prefix { host, .. }) => Some(host.as_str()),
                Target::Everything | Target::Tag(_) | Target::Path(_) | Target::Variant(_) => None,
            });
            self.remarks.extend(hosts.filter(|host| !host.is_empty()).map(not_deleted));
        }
        let Asked { tags, paths, prefixes, urls, hosts, everything: _ } = &mut self.asked;
        for list in [tags, paths, prefixes, urls, hosts, &mut self.files, &mut self.remarks] {
            sort(list);
        }
        sort(&mut self.targets);
    }
}

/// KV keeps one entry for all hosts, so what was purged on one of them is not deleted there.
fn not_deleted(host: &str) -> String {
    format!(
        "what was kept before is not served on {host} any more; in KV, which knows no hosts, it stays until it expires"
    )
}

/// Members that list targets.
const LISTS: [&str; 5] = ["tags", "paths", "prefixes", "urls", "hosts"];
/// Every member.
const MEMBERS: [&str; 10] =
    ["tags", "paths", "prefixes", "urls", "hosts", "everything", "mode", "dry_run", "by", "note"];
/// Characters of a name that is unknown that are repeated.
const SHOWN_CHARS_MAX: usize = 64;

fn length(members: &Map, name: &str) -> usize {
    members.get(name).and_then(Value::as_array).map_or(0, Vec::len)
}

/// The place of a member (RFC 6901 3).
fn pointer(name: &str) -> String {
    let shown: String = name.chars().take(SHOWN_CHARS_MAX).collect();
    format!("/{}", shown.replace('~', "~0").replace('/', "~1"))
}

impl Mistake {
    fn new(at: impl Into<String>, detail: impl Into<String>) -> Self {
        Self { at: at.into(), detail: detail.into() }
    }
}

struct Reading {
    mistakes: Vec<Mistake>,
}

impl Reading {
    fn mistake(&mut self, at: String, detail: String) {
        self.mistakes.push(Mistake { at, detail });
    }

    fn flag(&mut self, members: &Map, name: &str) -> bool {
        match members.get(name) {
            None => false,
            Some(Value::Bool(flag)) => *flag,
            Some(_) => {
                self.mistake(pointer(name), "write true or false".to_owned());
                false
            }
        }
    }

    fn text(&mut self, members: &Map, name: &str, chars_max: usize) -> String {
        let Some(value) = members.get(name) else { return String::new() };
        let fits =
            |text: &&str| text.chars().count() <= chars_max && !text.chars().any(char::is_control);
        if let Some(text) = value.as_str().filter(fits) {
            return text.to_owned();
        }
        let wanted =
            format!("write a text of at most {chars_max} characters without control characters");
        self.mistake(pointer(name), wanted);
        String::new()
    }

    fn each(
        &mut self,
        members: &Map,
        name: &str,
        mut take: impl FnMut(&str) -> Result<(), String>,
    ) {
        let Some(value) = members.get(name) else { return };
        let Some(list) = value.as_array() else {
            return self.mistake(pointer(name), "write a list: [ … ]".to_owned());
        };
        for (index, item) in list.iter().enumerate() {
            let taken = match item.as_str() {
                Some(text) => take(text),
                None => Err("write a text in quotes".to_owned()),
            };
            if let Err(advice) = taken {
                self.mistake(format!("/{name}/{index}"), advice);
            }
        }
    }

    fn done(mut self) -> Result<(), Vec<Mistake>> {
        let more = self.mistakes.len().saturating_sub(PURGE_ERRORS_MAX);
        self.mistakes.truncate(PURGE_ERRORS_MAX);
        if more > 0 {
            self.mistakes.push(Mistake::new("", format!("{more} more mistakes are not named")));
        }
        if self.mistakes.is_empty() { Ok(()) } else { Err(self.mistakes) }
    }
}

#[cfg(test)]
#[path = "order_tests.rs"]
mod tests;
