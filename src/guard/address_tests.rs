//! Goal: what is read here is what every other reader reads, and nothing else is read at all.
//! Method: a table of odd spellings, and the `url` crate, which reads as the platform's `fetch` does, as an oracle over
//! hosts and locations made of everything that has ever fooled a reader.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, clippy::indexing_slicing)]

use proptest::prelude::*;
use url::Url;

use super::*;

#[test]
fn an_address_is_read_into_one_spelling() {
    for (written, read) in [
        ("https://a.example", "https://a.example/"),
        ("HTTPS://A.Example:443/B?c=d/../e#f", "https://a.example/B?c=d/../e"),
        ("http://a.example:80?q", "http://a.example/?q"),
        ("http://a.example:8080/x", "http://a.example:8080/x"),
        ("https://a.example:0443/x", "https://a.example/x"),
        ("http://192.0.2.1/x", "http://192.0.2.1/x"),
        ("http://[2001:DB8:0:0::1]:81/x", "http://[2001:db8::1]:81/x"),
        ("https://my_bucket.a-b.example/%2e%2e.mp4", "https://my_bucket.a-b.example/%2e%2e.mp4"),
        ("https://xn--bcher-kva.example/", "https://xn--bcher-kva.example/"),
        ("https://0x7f.example/", "https://0x7f.example/"),
        ("https://127.0.0.1.example/", "https://127.0.0.1.example/"),
    ] {
        assert_eq!(Address::parse(written).map(|it| it.url()).as_deref(), Ok(read), "{written}");
    }
}

#[test]
#[allow(clippy::too_many_lines)] // a table
fn every_odd_spelling_is_refused_by_its_name() {
    use Refusal::{DotSegment, Host, OddNumber, Port, Scheme, Spelling, UserInfo};
    for (written, refusal) in [
        // No scheme that is fetched, or none that is written whole.
        ("", Scheme),
        ("a.example/x", Scheme),
        ("//a.example", Scheme),
        ("https:a.example", Scheme),
        ("https:/a.example", Scheme),
        ("ftp://a.example", Scheme),
        ("file:///etc/passwd", Scheme),
        ("javascript://a.example/", Scheme),
        ("view-source:https://a.example", Scheme),
        // What mends itself in a browser.
        (" https://a.example", Spelling),
        ("https://a.example ", Spelling),
        ("https://a.example\t/", Spelling),
        ("ht\ntps://a.example", Spelling),
        ("https:\\\\a.example", Spelling),
        ("https://a.example\\@b.example/", Spelling),
        ("https://a.example/\\..\\b", Spelling),
        ("https://a.example/a b", Spelling),
        ("https://a.example/\u{e9}", Spelling),
        ("https://a.example/\0", Spelling),
        ("https://a.example/\u{7f}", Spelling),
        ("https://a.example/<b>", Spelling),
        // Letters of other scripts, some of which are read as digits and dots.
        ("https://\u{ff11}27.0.0.1/", Spelling),
        ("https://127\u{3002}0\u{ff0e}0.1/", Spelling),
        ("https://\u{24db}ocalhost/", Spelling),
        ("https://a\u{ad}.example/", Spelling),
        // Who, before where.
        ("https://u@a.example/", UserInfo),
        ("https://u:p@a.example/", UserInfo),
        ("https://@a.example/", UserInfo),
        ("https://a.example:80@127.0.0.1/", UserInfo),
        // Hosts that are none.
        ("https://", Host),
        ("https:///a.example", Host),
        ("https://?a", Host),
        ("https://:80/", Host),
        ("https://a..example", Host),
        ("https://.a.example", Host),
        ("https://a.example./", Host),
        ("https://localhost./", Host),
        ("https://127.0.0.1./", Host),
        ("https://%31%32%37.0.0.1/", Host),
        ("https://a%2eexample/", Host),
        ("https://a%00.example/", Host),
        ("https://a*.example/", Host),
        ("https://xn--localhost-/", Host),
        ("https://a.xn--internal-/", Host),
        ("https://xn--/", Host),
        ("https://[::1", Host),
        ("https://::1]/", Host),
        ("https://[::g]/", Host),
        ("https://[::1%25eth0]/", Host),
        ("https://[fe80::1%eth0]/", Host),
        ("https://[::1]a/", Host),
        ("https://[1.2.3.4]/", Host),
        ("https://[::127.0.0.01]/", Host),
        ("https://a]b/", Host),
        // Ports that are none.
        ("https://a.example:/", Port),
        ("https://a.example:0/", Port),
        ("https://a.example:65536/", Port),
        ("https://a.example:+80/", Port),
        ("https://a.example:80:80/", Port),
        ("https://a.example:8o/", Port),
        ("https://[::1]:/", Port),
        // Four numbers in any other form.
        ("https://2130706433/", OddNumber),
        ("https://0x7f000001/", OddNumber),
        ("https://0X7F000001/", OddNumber),
        ("https://017700000001/", OddNumber),
        ("https://0x7f.1/", OddNumber),
        ("https://127.1/", OddNumber),
        ("https://127.0.1/", OddNumber),
        ("https://0177.0.0.1/", OddNumber),
        ("https://127.0.0.01/", OddNumber),
        ("https://127.0.0.0x1/", OddNumber),
        ("https://127.0.0.256/", OddNumber),
        ("https://1.2.3.4.5/", OddNumber),
        ("https://a.0x/", OddNumber),
        ("https://0/", OddNumber),
        // Ways up, for readers that decode before they walk as well.
        ("https://a.example/a/../b", DotSegment),
        ("https://a.example/.", DotSegment),
        ("https://a.example/a/%2e%2E/b", DotSegment),
        ("https://a.example/a/.%2e", DotSegment),
        ("https://a.example/a%2F..%2Fb", DotSegment),
        ("https://a.example/a%5c..%5cb", DotSegment),
        ("https://a.example/..?/x", DotSegment),
    ] {
        assert_eq!(Address::parse(written), Err(refusal), "{written:?}");
    }
    let long = format!("https://a.example/{}", "a".repeat(ADDRESS_BYTES_MAX));
    assert_eq!(Address::parse(&long), Err(Refusal::TooLong));
    assert_eq!(Address::parse(&format!("https://{}.example", "a".repeat(64))), Err(Host));
    assert_eq!(Address::parse(&format!("https://{}", ["a"; 128].join("."))), Err(Host));
}

#[test]
fn a_redirect_leads_where_rfc_3986_says() {
    let here = Address::parse("https://a.example:8443/b/c/d;p?q").unwrap();
    for (location, leads) in [
        // RFC 3986 5.4, as far as it is HTTP.
        ("g", "/b/c/g"),
        ("./g", "/b/c/g"),
        ("g/", "/b/c/g/"),
        ("/g", "/g"),
        ("?y", "/b/c/d;p?y"),
        ("g?y", "/b/c/g?y"),
        ("#s", "/b/c/d;p?q"),
        ("g#s", "/b/c/g"),
        (";x", "/b/c/;x"),
        ("g;x=1/../y", "/b/c/y"),
        ("", "/b/c/d;p?q"),
        (".", "/b/c/"),
        ("..", "/b/"),
        ("../g", "/b/g"),
        ("../..", "/"),
        ("../../../../g", "/g"),
        ("/./g", "/g"),
        ("/../g", "/g"),
        ("g.", "/b/c/g."),
        ("..g", "/b/c/..g"),
        ("./../g", "/b/g"),
        ("g?y/../x", "/b/c/g?y/../x"),
        ("%2e%2E/g", "/b/g"),
        ("g:80", ""),
        ("./g:80", "/b/c/g:80"),
    ] {
        let joined = here.join(location).map(|it| it.url());
        match leads {
            "" => assert_eq!(joined, Err(Refusal::Scheme), "{location}"),
            path => assert_eq!(joined, Ok(format!("https://a.example:8443{path}")), "{location}"),
        }
    }
    for (location, leads) in [
        ("//b.example/x", Ok("https://b.example/x")),
        ("http://b.example/x/../y", Ok("http://b.example/y")),
        ("///b.example/x", Err(Refusal::Host)),
        ("\\\\b.example", Err(Refusal::Spelling)),
        ("/\\b.example", Err(Refusal::Spelling)),
        ("https:b.example", Err(Refusal::Scheme)),
        ("/a%2f..%2fb", Err(Refusal::DotSegment)),
        ("data:text/plain,x", Err(Refusal::Scheme)),
    ] {
        let joined = here.join(location).map(|it| it.url());
        assert_eq!(joined, leads.map(str::to_owned), "{location}");
    }
}

fn host_of_oracle(oracle: &Url) -> Host {
    match oracle.host().unwrap() {
        url::Host::Domain(name) => Host::Name(name.to_owned()),
        url::Host::Ipv4(address) => Host::V4(address),
        url::Host::Ipv6(address) => Host::V6(address),
    }
}

/// What both make of it; `true` where ours took it.
fn is_read_alike(
    text: &str,
    ours: Result<Address, Refusal>,
    oracle: Result<Url, url::ParseError>,
) -> bool {
    let Ok(ours) = ours else { return false };
    // A reader that takes less is no danger: nothing is fetched then.
    let Ok(oracle) = oracle else { return true };
    assert_eq!(ours.host(), &host_of_oracle(&oracle), "{text:?}");
    assert_eq!(Some(ours.port), oracle.port_or_known_default(), "{text:?}");
    assert_eq!(ours.scheme(), oracle.scheme(), "{text:?}");
    assert_eq!(ours.path(), oracle.path(), "{text:?}");
    assert!(oracle.username().is_empty() && oracle.password().is_none(), "{text:?}");
    let fetched = Url::parse(&ours.url()).expect("what is fetched is a URL");
    assert_eq!(fetched.host(), oracle.host(), "{text:?}");
    true
}

/// Pieces of hosts that readers have disagreed on.
const PIECES: [&str; 24] = [
    "127",
    "0",
    "0x7f",
    "0177",
    "256",
    "0x",
    "a",
    "A-b",
    "xn--a-",
    "localhost",
    ".",
    "..",
    ":",
    ":80",
    "@",
    "%2e",
    "[",
    "]",
    "::1",
    "::ffff:127.0.0.1",
    "\\",
    "\u{3002}",
    "\u{ff11}",
    "/",
];

#[test]
fn every_host_of_up_to_four_odd_pieces_is_read_as_the_oracle_reads_it_or_refused() {
    let mut taken = 0;
    let (count, scheme) = (PIECES.len(), "http://");
    for number in 0..count.pow(4) {
        let mut text = scheme.to_owned();
        let mut rest = number;
        for _ in 0..4 {
            text.push_str(PIECES[rest % count]);
            rest /= count;
        }
        let ours = Address::parse(&text);
        if ours.is_ok() {
            taken += u32::from(is_read_alike(&text, ours, Url::parse(&text)));
        }
    }
    assert!(taken > 10_000, "only {taken} were taken");
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(4_000))]

    #[test]
    fn whatever_is_taken_has_the_oracles_host(text in "(https?|HTTP)://[a-z0-9.x:@%\\[\\]\\\\/?#_-]{0,24}") {
        is_read_alike(&text, Address::parse(&text), Url::parse(&text));
    }

    #[test]
    fn whatever_redirect_is_followed_leads_where_the_oracle_says(
        base in "https?://[a-c]\\.example(:[1-9][0-9]{0,3})?(/[a-c%2.]{0,4}){0,4}(\\?[a-c/]{0,3})?",
        location in "(https?:)?/{0,3}[a-c0-9.%2eE:@\\\\?#/;]{0,16}",
    ) {
        if let Ok(here) = Address::parse(&base) {
            let oracle = Url::parse(&base).unwrap().join(&location);
            is_read_alike(&location, here.join(&location), oracle);
        }
    }

    #[test]
    fn no_text_at_all_makes_it_panic(text in any::<String>(), location in any::<String>()) {
        let _ = Address::parse(&text);
        let _ = Address::parse(&format!("https://{text}"));
        let here = Address::parse("https://a.example/b").unwrap();
        let _ = here.join(&location);
        let _ = here.join(&format!("//{location}"));
    }
}
