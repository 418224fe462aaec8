//! Goal: only what an entry covers is fetched, and nothing of the inside unless that was allowed.
#![allow(clippy::unwrap_used)]

use super::*;

const OWN: &str = "https://v.example";

fn reach(allow: &[&str], own_host: bool, private: bool) -> Reach {
    let allow = allow.iter().map(|entry| Address::parse(entry).unwrap());
    Reach::new(allow.collect(), own_host, private)
}

#[test]
fn an_entry_covers_its_scheme_host_and_port_and_whole_segments_below_its_path() {
    let reach = reach(&["https://m.example/a", "http://o.example:8080"], false, false);
    for (url, is_covered) in [
        ("https://m.example/a", true),
        ("https://m.example/a/", true),
        ("https://m.example/a/b.mp4?c", true),
        ("https://m.example:443/a?b", true),
        ("https://M.EXAMPLE/a/b", true),
        ("https://m.example/ab", false),
        ("https://m.example/A/b", false),
        ("https://m.example/", false),
        ("https://m.example/a%2Fb", false),
        ("http://m.example/a/b", false),
        ("https://m.example:444/a/b", false),
        ("https://www.m.example/a/b", false),
        ("https://m.example.evil.example/a/b", false),
        ("http://o.example:8080/anything", true),
        ("http://o.example/anything", false),
        ("https://v.example/a", false),
    ] {
        let judged = reach.address(url, OWN).map(drop);
        let expected = if is_covered { Ok(()) } else { Err(Refusal::NotAllowed) };
        assert_eq!(judged, expected, "{url}");
    }
}

#[test]
fn the_requests_own_host_is_covered_where_that_was_meant_and_no_other_scheme_or_port_of_it() {
    let own = reach(&[], true, false);
    assert!(own.address("https://v.example/a", OWN).is_ok());
    assert!(own.address("https://v.example:444/a", "https://v.example:444").is_ok());
    for (url, origin) in [
        ("http://v.example/a", OWN),
        ("https://v.example:444/a", OWN),
        ("https://w.example/a", OWN),
        ("https://v.example/a", "https://v.example@w.example"),
    ] {
        assert_eq!(own.address(url, origin), Err(Refusal::NotAllowed), "{url}");
    }
    assert_eq!(
        reach(&[], false, false).address("https://v.example/a", OWN),
        Err(Refusal::NotAllowed)
    );
}

#[test]
fn neither_an_entry_nor_the_host_header_leads_inside() {
    for (url, refusal) in [
        ("http://127.0.0.1:8080/a", Refusal::Loopback),
        ("http://10.0.0.1/a", Refusal::Private),
        ("http://localhost/a", Refusal::LocalName),
        ("http://169.254.169.254/latest/meta-data", Refusal::LinkLocal),
        ("http://[::ffff:127.0.0.1]/a", Refusal::Embedded),
        ("http://0.0.0.0/a", Refusal::Unspecified),
    ] {
        let address = Address::parse(url).unwrap();
        let origin = address.origin();
        let listed = Reach::new(vec![address.clone()], false, false);
        assert_eq!(listed.address(url, OWN), Err(refusal), "{url}");
        assert_eq!(reach(&[], true, false).address(url, &origin), Err(refusal), "{url}");
        // Allowed, the inside is open; what has no reason to be asked stays closed.
        let inside = Reach::new(vec![address], false, true);
        let expected = if refusal.is_of_the_inside() { Ok(()) } else { Err(refusal) };
        assert_eq!(inside.address(url, OWN).map(drop), expected, "{url}");
        assert!(reach(&[], false, true).address(url, OWN).is_err(), "private is not everything");
    }
}
