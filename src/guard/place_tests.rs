//! Goal: no place that is not of the public internet passes.
//! Method: both ends of every block and their outer neighbours; every first half of an IPv4 address against a list
//! that is written another way; the judgement of the standard library, as far as it has one.
#![allow(clippy::unwrap_used)]

use proptest::prelude::*;

use super::*;
use Refusal::{
    Benchmarking, Documentation, Embedded, LinkLocal, LocalName, Loopback, Multicast, Private,
    Reserved, Shared, Unspecified,
};

fn v4(text: &str) -> Option<Refusal> {
    refused_v4(text.parse().unwrap())
}

fn v6(text: &str) -> Option<Refusal> {
    refused_v6(text.parse().unwrap())
}

#[test]
fn every_block_of_ipv4_ends_where_its_rfc_says() {
    for (before, first, last, after, refusal) in [
        (None, "0.0.0.0", "0.255.255.255", Some("1.0.0.0"), Unspecified),
        (Some("9.255.255.255"), "10.0.0.0", "10.255.255.255", Some("11.0.0.0"), Private),
        (Some("100.63.255.255"), "100.64.0.0", "100.127.255.255", Some("100.128.0.0"), Shared),
        (Some("126.255.255.255"), "127.0.0.0", "127.255.255.255", Some("128.0.0.0"), Loopback),
        (Some("169.253.255.255"), "169.254.0.0", "169.254.255.255", Some("169.255.0.0"), LinkLocal),
        (Some("172.15.255.255"), "172.16.0.0", "172.31.255.255", Some("172.32.0.0"), Private),
        (Some("191.255.255.255"), "192.0.0.0", "192.0.0.255", Some("192.0.1.0"), Reserved),
        (Some("192.0.1.255"), "192.0.2.0", "192.0.2.255", Some("192.0.3.0"), Documentation),
        (Some("192.88.98.255"), "192.88.99.0", "192.88.99.255", Some("192.88.100.0"), Reserved),
        (Some("192.167.255.255"), "192.168.0.0", "192.168.255.255", Some("192.169.0.0"), Private),
        (Some("198.17.255.255"), "198.18.0.0", "198.19.255.255", Some("198.20.0.0"), Benchmarking),
        (
            Some("198.51.99.255"),
            "198.51.100.0",
            "198.51.100.255",
            Some("198.51.101.0"),
            Documentation,
        ),
        (Some("203.0.112.255"), "203.0.113.0", "203.0.113.255", Some("203.0.114.0"), Documentation),
        (Some("223.255.255.255"), "224.0.0.0", "239.255.255.255", None, Multicast),
        (None, "240.0.0.0", "255.255.255.255", None, Reserved),
    ] {
        assert_eq!((v4(first), v4(last)), (Some(refusal), Some(refusal)), "{first}");
        for outside in [before, after].into_iter().flatten() {
            assert_eq!(v4(outside), None, "{outside}");
        }
    }
    assert_eq!(v4("169.254.169.254"), Some(LinkLocal), "where clouds keep their credentials");
}

#[test]
fn every_block_of_ipv6_ends_where_its_rfc_says() {
    for (first, last, refusal) in [
        ("::", "::", Unspecified),
        ("::1", "::1", Loopback),
        ("::2", "::ffff:ffff", Embedded),
        ("::127.0.0.1", "::8.8.8.8", Embedded),
        ("::ffff:0:0", "::ffff:255.255.255.255", Embedded),
        ("::ffff:0:7f00:1", "::ffff:0:808:808", Embedded),
        ("64:ff9b::", "64:ff9b::255.255.255.255", Embedded),
        ("64:ff9b:1::", "64:ff9b:1:ffff:ffff:ffff:ffff:ffff", Embedded),
        ("2002::", "2002:ffff:ffff:ffff:ffff:ffff:ffff:ffff", Embedded),
        ("2001::", "2001:0:ffff:ffff:ffff:ffff:ffff:ffff", Embedded),
        ("2606::5efe:7f00:1", "2606::200:5efe:a00:1", Embedded),
        ("100::", "100::ffff:ffff:ffff:ffff", Reserved),
        ("2001:1::", "2001:1ff:ffff:ffff:ffff:ffff:ffff:ffff", Reserved),
        ("2001:2::", "2001:2:0:ffff:ffff:ffff:ffff:ffff", Benchmarking),
        ("2001:db8::", "2001:db8:ffff:ffff:ffff:ffff:ffff:ffff", Documentation),
        ("3fff::", "3fff:fff:ffff:ffff:ffff:ffff:ffff:ffff", Documentation),
        ("4000::", "fbff:ffff:ffff:ffff:ffff:ffff:ffff:ffff", Reserved),
        ("fc00::", "fdff:ffff:ffff:ffff:ffff:ffff:ffff:ffff", Private),
        ("fe00::", "fe7f:ffff:ffff:ffff:ffff:ffff:ffff:ffff", Reserved),
        ("fe80::", "febf:ffff:ffff:ffff:ffff:ffff:ffff:ffff", LinkLocal),
        ("fec0::", "feff:ffff:ffff:ffff:ffff:ffff:ffff:ffff", Private),
        ("ff00::", "ffff:ffff:ffff:ffff:ffff:ffff:ffff:ffff", Multicast),
    ] {
        assert_eq!((v6(first), v6(last)), (Some(refusal), Some(refusal)), "{first} {last}");
    }
    for public in [
        "2000::",
        "2001:200::",
        "2001:db7::1",
        "2001:db9::1",
        "2003::1",
        "2606:4700::6810:84e5",
        "2a00:1450::1",
        "3fff:1000::",
        "3ffe::1",
    ] {
        assert_eq!(v6(public), None, "{public}");
    }
}

#[test]
fn names_of_the_local_network_are_refused_and_no_others() {
    let name = |text: &str| refused(&Host::Name(text.to_owned()));
    for local in [
        "localhost",
        "a.localhost",
        "a.b.localhost",
        "printer.local",
        "metadata.google.internal",
        "nas.home.arpa",
        "intranet",
        "internal",
    ] {
        assert_eq!(name(local), Some(LocalName), "{local}");
    }
    for public in
        ["a.example", "localhost.example", "notlocalhost.example", "a.notlocal", "my.xlocal"]
    {
        assert_eq!(name(public), None, "{public}");
    }
}

#[test]
fn only_what_somebody_may_have_set_up_can_be_allowed() {
    for refusal in [Loopback, Private, Shared, LocalName] {
        assert!(refusal.is_of_the_inside(), "{refusal:?}");
    }
    for refusal in
        [LinkLocal, Unspecified, Multicast, Reserved, Documentation, Benchmarking, Embedded]
    {
        assert!(!refusal.is_of_the_inside(), "{refusal:?}");
    }
}

proptest! {
    #[test]
    fn what_the_standard_library_knows_to_be_special_is_refused(bits in any::<u32>(), wide in any::<u128>()) {
        let address = Ipv4Addr::from_bits(bits);
        let is_special = address.is_private() || address.is_loopback() || address.is_link_local()
            || address.is_broadcast() || address.is_documentation() || address.is_multicast()
            || address.is_unspecified();
        prop_assert!(!is_special || refused_v4(address).is_some(), "{}", address);
        for wide in [Ipv6Addr::from_bits(wide), address.to_ipv6_mapped(), address.to_ipv6_compatible()] {
            let is_special = wide.is_loopback() || wide.is_multicast() || wide.is_unspecified()
                || wide.is_unique_local() || wide.is_unicast_link_local() || wide.to_ipv4().is_some();
            prop_assert!(!is_special || refused_v6(wide).is_some(), "{}", wide);
        }
    }
}
