//! A URL that names a request, as an operator writes it.

use http::{HeaderMap, Method};

use super::ask::Ask;

/// A GET of an absolute URL or, where `here` is given, of a path on the host that it was asked on. `None` for
/// anything else: another scheme, a name before the host, what no URL contains. A fragment says nothing.
pub fn read(url: &str, here: Option<&Ask>) -> Option<Ask> {
    let url = url.split_once('#').map_or(url, |(url, _)| url);
    let (scheme, host, target) = if let Some(here) = here.filter(|_| url.starts_with('/')) {
        (here.scheme.clone(), here.host.clone(), url)
    } else {
        let (scheme, rest) = url.split_once("://")?;
        let scheme = scheme.to_ascii_lowercase();
        let (host, target) = rest.split_at_checked(rest.find(['/', '?']).unwrap_or(rest.len()))?;
        let host = host_of(&scheme, host);
        (matches!(scheme.as_str(), "http" | "https").then_some(scheme)?, host, target)
    };
    let is_host = |byte: u8| byte.is_ascii_alphanumeric() || b".-:[]".contains(&byte);
    let is_target = |byte: u8| byte.is_ascii_graphic();
    if host.is_empty() || !host.bytes().all(is_host) || !target.bytes().all(is_target) {
        return None;
    }
    let (path, query) = target.split_once('?').unwrap_or((target, ""));
    Some(Ask {
        method: Method::GET,
        scheme,
        host,
        path: if path.is_empty() { "/" } else { path }.to_owned(),
        query: query.to_owned(),
        headers: HeaderMap::new(),
    })
}

/// The URL that [`read`] reads as this.
pub fn write(ask: &Ask) -> String {
    let query = if ask.query.is_empty() { String::new() } else { format!("?{}", ask.query) };
    format!("{}{}{query}", ask.origin(), ask.path)
}

/// As the platform says it: lower-case, without the port that the scheme has anyway.
fn host_of(scheme: &str, host: &str) -> String {
    let usual = if scheme == "https" { ":443" } else { ":80" };
    host.strip_suffix(usual).unwrap_or(host).to_ascii_lowercase()
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;

    #[test]
    fn a_url_is_read_as_the_platform_would_and_written_back() {
        let here = read("https://v.example/_resizer/warm", None).unwrap();
        for (url, read_as) in [
            ("https://v.example/a.mp4?w=640", "https://v.example/a.mp4?w=640"),
            ("https://V.Example:443/a.mp4#t=1", "https://v.example/a.mp4"),
            ("HTTPS://v.example/a.mp4", "https://v.example/a.mp4"),
            ("http://127.0.0.1:8787/a.mp4?", "http://127.0.0.1:8787/a.mp4"),
            ("http://[::1]:80/a.mp4", "http://[::1]/a.mp4"),
            ("https://v.example", "https://v.example/"),
            ("https://v.example?w=1", "https://v.example/?w=1"),
            ("/b/%20.mp4?x=https://y", "https://v.example/b/%20.mp4?x=https://y"),
            ("//other.example/a.mp4", "https://v.example//other.example/a.mp4"),
        ] {
            assert_eq!(write(&read(url, Some(&here)).unwrap()), read_as, "{url}");
        }
    }

    #[test]
    fn what_is_no_url_of_a_rendition_is_refused() {
        let here = read("https://v.example/", None).unwrap();
        for url in [
            "",
            "a.mp4",
            "ftp://v.example/a.mp4",
            "https://",
            "https:///a.mp4",
            "https://me:secret@v.example/a.mp4",
            "https://v.example/a b.mp4",
            "https://v.example/ä",
            "/a\n.mp4",
        ] {
            assert!(read(url, Some(&here)).is_none(), "{url}");
        }
        assert!(read("/a.mp4", None).is_none(), "nowhere to be");
    }
}
