//! How each kind of target is written: read strictly, for what is misunderstood here is not purged.

use http::uri::Authority;

use super::target::Prefix;
use crate::cache::tags;
use crate::limits::{
    PURGE_HOST_BYTES_MAX, PURGE_PREFIX_BYTES_MAX, PURGE_TAG_BYTES_MAX, PURGE_URL_BYTES_MAX,
};
use crate::request::ask::Ask;
use crate::request::path::SourcePath;
use crate::request::url;

/// A cache tag in the form in which entries carry it; the error is advice.
pub fn tag(text: &str) -> Result<String, String> {
    within(text, PURGE_TAG_BYTES_MAX)?;
    if text.is_empty() {
        return Err("a tag is not empty".to_owned());
    }
    if !text.bytes().all(|byte| byte.is_ascii_graphic() && byte != b',') {
        let advice = "a tag is visible ASCII without spaces and commas; write others percent-encoded, as %2C";
        return Err(advice.to_owned());
    }
    Ok(tags::carried(text.to_owned()))
}

/// The path of a source, with or without its leading slash; the error is advice.
pub fn path(text: &str) -> Result<SourcePath, String> {
    if text.contains("://") {
        return Err("write the path alone, or put the address into urls".to_owned());
    }
    if text.contains(['?', '#']) {
        return Err("leave out the query; for one rendition put its address into urls".to_owned());
    }
    let path = text.strip_prefix('/').unwrap_or(text);
    if path.is_empty() {
        return Err("it names no file; there is \"everything\": true".to_owned());
    }
    SourcePath::parse(&format!("/{path}")).map_err(|rejection| rejection.to_string())
}

/// `/path` on every host, or `host/path`; it may end in the middle of a name. The error is advice.
pub fn prefix(text: &str) -> Result<Prefix, String> {
    if text.contains("://") {
        return Err("leave out the scheme: host/path".to_owned());
    }
    if text.contains(['?', '#']) {
        return Err("leave out the query".to_owned());
    }
    let (on, path) = text.split_once('/').ok_or_else(|| {
        "begin it with a slash, or write host/path; a whole host goes into hosts".to_owned()
    })?;
    let on = match on {
        "" if path.is_empty() => {
            return Err("that is everything; write \"everything\": true".to_owned());
        }
        "" => String::new(),
        on if on.contains(['.', ':']) || on == "localhost" => host(on)?,
        _ => {
            return Err(
                "begin a path with a slash; what stands before the first one is a host".to_owned()
            );
        }
    };
    // The end of a prefix is no end of a name: `/a/.` may go on as `/a/.well-known`.
    let whole =
        SourcePath::parse(&format!("/{path}x")).map_err(|rejection| rejection.to_string())?;
    let path = whole.without_slash();
    let path = path.strip_suffix('x').unwrap_or(path).to_owned();
    within(&path, PURGE_PREFIX_BYTES_MAX)?;
    Ok(Prefix { host: on, path })
}

/// `host` or `host:port`, as a request names it: in lower case, and without a port that a scheme implies. The error is
/// advice.
pub fn host(text: &str) -> Result<String, String> {
    let host = authority(text)?;
    let named = [":443", ":80"].into_iter().find_map(|port| host.strip_suffix(port));
    Ok(named.unwrap_or(&host).to_owned())
}

fn authority(text: &str) -> Result<String, String> {
    within(text, PURGE_HOST_BYTES_MAX)?;
    let authority = text.parse::<Authority>().ok().filter(|_| !text.contains(['@', '*', '%']));
    let is_host = authority.is_some_and(|authority| {
        let port = authority.as_str().strip_prefix(authority.host()).unwrap_or_default();
        !authority.host().is_empty() && (port.is_empty() || authority.port_u16().is_some())
    });
    if !is_host {
        return Err(
            "write a host as in an address: videos.example.com or localhost:8787".to_owned()
        );
    }
    Ok(text.to_ascii_lowercase())
}

/// A GET of this address by a viewer of whom nothing is known; the error is advice.
pub fn url(url: &str) -> Result<Ask, String> {
    within(url, PURGE_URL_BYTES_MAX)?;
    if url.contains('#') {
        return Err("leave out what follows the #".to_owned());
    }
    url::read(url, None).ok_or_else(|| "write a whole address: https://host/path?query".to_owned())
}

fn within(text: &str, bytes_max: usize) -> Result<(), String> {
    if text.len() > bytes_max {
        return Err(format!("{} bytes are more than {bytes_max}", text.len()));
    }
    Ok(())
}

#[cfg(test)]
#[path = "aim_tests.rs"]
mod tests;
