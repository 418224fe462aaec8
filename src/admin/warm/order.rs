//! What is asked to be warmed, checked whole before anything is begun.
//!
//! `{"urls": […]}`, or `{"sources": […], "presets": […]}` for every source in every preset, or in every responsive size
//! where no preset is named. `"by"` says who wants it.

use super::one;
use crate::admin::refusal::Wrong;
use crate::cache::ports::{Clock, Secrets};
use crate::config::Config;
use crate::json::{Map, Value};
use crate::limits::{BY_CHARS_MAX, WARM_ITEMS_MAX, WARM_NAMED_MAX};
use crate::request::ask::Ask;
use crate::request::url;
use crate::sorted::Sorted;

/// What is asked to be warmed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Order {
    /// Who wants it; empty where nobody said.
    pub by: String,
    /// Absolute URLs, each of another rendition, in the order they were named; 1 to [`WARM_ITEMS_MAX`].
    pub urls: Vec<String>,
}

/// Reads a document that was sent with `ask`. Each thing that is wrong is named, up to [`WARM_NAMED_MAX`] of them.
pub fn read(
    host: &(impl Secrets + Clock),
    ask: &Ask,
    config: &Config,
    document: &Value,
) -> Result<Order, Vec<Wrong>> {
    let Value::Object(members) = document else {
        return Err(vec![Wrong::new("", "write an object with urls, or with sources and presets")]);
    };
    let mut wrong: Vec<Wrong> = members
        .keys()
        .filter(|name| !["urls", "sources", "presets", "by"].contains(&name.as_str()))
        .map(|name| Wrong::new(format!("/{}", escaped(name)), "it is no member of this document"))
        .collect();
    let by = signed(members, &mut wrong);
    let named = named(members, ask, config, &mut wrong);
    let mut order = Order { by, urls: Vec::new() };
    let mut keys = Sorted::default();
    for Named { at, url } in named {
        let Some(asked) = url::read(&url, Some(ask)) else {
            let wanted = "write an absolute http or https URL, or a path that begins with a slash";
            wrong.push(Wrong::new(at, wanted));
            continue;
        };
        match one::ordered(host, &asked, config) {
            Err(why) => wrong.push(Wrong::new(at, why)),
            Ok(rendition) => {
                if keys.insert(rendition.kv_key, ()).is_none() {
                    order.urls.push(url::write(&asked));
                }
            }
        }
    }
    if order.urls.len() > WARM_ITEMS_MAX {
        let count = order.urls.len();
        wrong.push(Wrong::new(
            "",
            format!("these are {count} renditions, and a job warms {WARM_ITEMS_MAX}"),
        ));
    }
    if wrong.is_empty() { Ok(order) } else { Err(wrong) }
}

/// A URL, and where in the document it comes from.
struct Named {
    at: String,
    url: String,
}

/// Everything that is named, in bounds; empty only where something is wrong.
fn named(members: &Map, ask: &Ask, config: &Config, wrong: &mut Vec<Wrong>) -> Vec<Named> {
    let has = |name| members.contains_key(name);
    match (has("urls"), has("sources"), has("presets")) {
        (true, false, false) => {
            let urls = texts(members, "urls", wrong);
            urls.into_iter().map(|(at, url)| Named { at, url: url.to_owned() }).collect()
        }
        (false, true, _) => product(members, ask, config, wrong),
        (true, _, _) => {
            wrong.push(Wrong::new("/urls", "write either urls, or sources and presets"));
            Vec::new()
        }
        (false, false, _) => {
            wrong.push(Wrong::new("", "write urls, or sources and presets"));
            Vec::new()
        }
    }
}

/// Every source in every preset.
fn product(members: &Map, ask: &Ask, config: &Config, wrong: &mut Vec<Wrong>) -> Vec<Named> {
    let sources = texts(members, "sources", wrong);
    let presets = match members.get("presets") {
        None => Vec::new(),
        Some(Value::Array(presets)) if presets.is_empty() => Vec::new(),
        Some(_) => texts(members, "presets", wrong),
    };
    for (at, preset) in &presets {
        if !config.presets.contains_key(*preset) {
            wrong.push(Wrong::new(at.clone(), "no preset of this name is configured"));
        }
    }
    if !wrong.is_empty() {
        return Vec::new();
    }
    let queries: Vec<String> = if presets.is_empty() {
        let buckets = config.responsive.buckets.iter();
        buckets.map(|bucket| format!("imwidth={}", bucket.width)).collect()
    } else {
        presets.iter().map(|(_, preset)| format!("derivative={preset}")).collect()
    };
    if sources.len().saturating_mul(queries.len()) > WARM_NAMED_MAX {
        let many = format!("with presets these are more than {WARM_NAMED_MAX} renditions");
        wrong.push(Wrong::new("/sources", many));
        return Vec::new();
    }
    let url = |source: &str, query| {
        format!("{}/{}?{query}", ask.origin(), source.strip_prefix('/').unwrap_or(source))
    };
    let of_source = |(at, source): (String, &str)| {
        // In the URL it would begin the query, or end all of it.
        if source.contains(['?', '#']) {
            wrong
                .push(Wrong::new(at, "write a path, percent-encoded as in a URL, without a query"));
            return Vec::new();
        }
        let named = |query| Named { at: at.clone(), url: url(source, query) };
        queries.iter().map(named).collect()
    };
    sources.into_iter().flat_map(of_source).collect()
}

/// The texts of a list of 1 to [`WARM_NAMED_MAX`], each with its place.
fn texts<'a>(members: &'a Map, name: &str, wrong: &mut Vec<Wrong>) -> Vec<(String, &'a str)> {
    let list = members.get(name).and_then(Value::as_array);
    let Some(list) = list.filter(|list| (1..=WARM_NAMED_MAX).contains(&list.len())) else {
        let wanted = format!("write a list of 1 to {WARM_NAMED_MAX} texts");
        wrong.push(Wrong::new(format!("/{name}"), wanted));
        return Vec::new();
    };
    let mut texts = Vec::with_capacity(list.len());
    for (index, value) in list.iter().enumerate() {
        let at = format!("/{name}/{index}");
        match value.as_str() {
            Some(text) => texts.push((at, text)),
            None => wrong.push(Wrong::new(at, "write a text")),
        }
    }
    texts
}

fn signed(members: &Map, wrong: &mut Vec<Wrong>) -> String {
    let fits = |by: &&str| by.chars().count() <= BY_CHARS_MAX && !by.chars().any(char::is_control);
    let Some(by) = members.get("by") else { return String::new() };
    if let Some(by) = by.as_str().filter(fits) {
        return by.to_owned();
    }
    let wanted =
        format!("write a text of at most {BY_CHARS_MAX} characters, no control characters");
    wrong.push(Wrong::new("/by", wanted));
    String::new()
}

/// A name as a JSON pointer writes it (RFC 6901, 3).
fn escaped(name: &str) -> String {
    name.replace('~', "~0").replace('/', "~1")
}

#[cfg(test)]
#[path = "order_tests.rs"]
mod tests;
