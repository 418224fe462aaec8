#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, clippy::indexing_slicing)]

use super::*;
use crate::cache::tags::short_form;

fn refused<T: std::fmt::Debug>(read: Result<T, String>) -> String {
    read.expect_err("it is refused")
}

#[test]
fn a_tag_is_purged_in_the_form_in_which_entries_carry_it() {
    assert_eq!(tag("asset:clips/a.mp4").unwrap(), "asset:clips/a.mp4");
    let long = format!("asset:{}.mp4", "x".repeat(200));
    assert_eq!(tag(&long).unwrap(), short_form(&long));
    assert!(tag(&"x".repeat(1_024)).is_ok());
    for (text, why) in [
        ("", "not empty"),
        ("a b", "%2C"),
        ("a,b", "%2C"),
        ("é", "%2C"),
        ("a\n", "%2C"),
        (&"x".repeat(1_025), "1025 bytes are more than 1024"),
    ] {
        assert!(refused(tag(text)).contains(why), "{text}");
    }
}

#[test]
fn every_spelling_of_a_path_is_one_path() {
    for text in ["clips/a b.mp4", "/clips/a%20b.mp4", "/%63lips/a%20b.mp4"] {
        assert_eq!(path(text).unwrap().as_str(), "/clips/a%20b.mp4", "{text}");
    }
    for (text, why) in [
        ("", "everything"),
        ("/", "everything"),
        ("https://v.example/a.mp4", "urls"),
        ("/a.mp4?width=640", "query"),
        ("/a/../b.mp4", "dot segment"),
        ("/a%zz.mp4", "percent"),
    ] {
        assert!(refused(path(text)).contains(why), "{text}");
    }
}

#[test]
fn a_prefix_is_on_every_host_or_on_one_and_may_end_in_the_middle_of_a_name() {
    for (text, host, path) in [
        ("/a/b", "", "a/b"),
        ("/a/b/", "", "a/b/"),
        ("/a/.", "", "a/."),
        ("/%61/b c", "", "a/b%20c"),
        ("V.example/a", "v.example", "a"),
        ("v.example/", "v.example", ""),
        ("localhost:8787/a", "localhost:8787", "a"),
        ("[::1]:8787/a", "[::1]:8787", "a"),
        ("v.example:443/a", "v.example", "a"),
    ] {
        let wanted = Prefix { host: host.to_owned(), path: path.to_owned() };
        assert_eq!(prefix(text).unwrap(), wanted, "{text}");
    }
    for (text, why) in [
        ("", "slash"),
        ("v.example", "hosts"),
        ("/", "everything"),
        ("a/b", "slash"),
        ("https://v.example/a", "scheme"),
        ("/a?b", "query"),
        ("/a/../b", "dot segment"),
        ("/a%2", "percent"),
        ("v.example:x/a", "host"),
        (&format!("/{}", "x".repeat(513)), "513 bytes are more than 512"),
    ] {
        assert!(refused(prefix(text)).contains(why), "{text}");
    }
}

#[test]
fn a_host_is_what_stands_in_an_address() {
    for (text, wanted) in [
        ("Videos.Example.com", "videos.example.com"),
        ("localhost:8787", "localhost:8787"),
        ("127.0.0.1", "127.0.0.1"),
        ("[::1]:8787", "[::1]:8787"),
    ] {
        assert_eq!(host(text).unwrap(), wanted);
    }
    for text in ["", "a b", "https://a", "a/b", "me@a", "*.a", "a:", "a:99999", ":80", "a%20b"] {
        assert!(refused(host(text)).contains("videos.example.com"), "{text}");
    }
}

#[test]
fn an_address_is_asked_as_a_viewer_would() {
    let ask = url("HTTPS://V.example:443/a%20b.mp4?width=640").unwrap();
    assert_eq!(
        (ask.scheme.as_str(), ask.host.as_str(), ask.path.as_str(), ask.query.as_str()),
        ("https", "v.example", "/a%20b.mp4", "width=640")
    );
    assert_eq!(url("http://v.example:8787/a").unwrap().host, "v.example:8787");
    for (text, why) in [
        ("/a.mp4", "whole address"),
        ("ftp://v.example/a", "whole address"),
        ("https:///a", "host"),
        ("https://v.example/a#b", "#"),
    ] {
        assert!(refused(url(text)).contains(why), "{text}");
    }
}

#[test]
fn a_host_is_purged_as_requests_name_it() {
    for (text, named) in [
        ("V.example", "v.example"),
        ("v.example:443", "v.example"),
        ("v.example:80", "v.example"),
        ("v.example:8443", "v.example:8443"),
    ] {
        assert_eq!(host(text).unwrap(), named, "{text}");
    }
    assert_eq!(url("https://v.example:80/a.mp4").unwrap().host, "v.example:80");
}
