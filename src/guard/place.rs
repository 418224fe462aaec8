//! Where a host is: the public internet, or a place that no viewer may have this worker ask.
//!
//! A name is judged by its spelling only. What it resolves to is seen by nobody here; on Cloudflare a Worker's
//! `fetch` reaches no private network by itself.

use std::net::{Ipv4Addr, Ipv6Addr};

use super::address::Host;
use super::refusal::Refusal;

/// Domains that are of a local network (RFC 6761 6.3, RFC 6762, RFC 8375; ICANN's choice for private use).
const LOCAL_DOMAINS: [&str; 4] = ["localhost", "local", "internal", "home.arpa"];

/// Why this host is not of the public internet; `None` where it is, or may be.
pub fn refused(host: &Host) -> Option<Refusal> {
    match host {
        Host::Name(name) => is_local(name).then_some(Refusal::LocalName),
        Host::V4(address) => refused_v4(*address),
        Host::V6(address) => refused_v6(*address),
    }
}

fn is_local(name: &str) -> bool {
    let is_below = |domain: &str| {
        name.strip_suffix(domain).is_some_and(|rest| rest.is_empty() || rest.ends_with('.'))
    };
    !name.contains('.') || LOCAL_DOMAINS.into_iter().any(is_below)
}

/// The IANA registry of special-purpose IPv4 addresses (RFC 6890).
fn refused_v4(address: Ipv4Addr) -> Option<Refusal> {
    Some(match address.octets() {
        [0, ..] => Refusal::Unspecified,
        [10, ..] | [172, 16..=31, ..] | [192, 168, ..] => Refusal::Private,
        [100, 64..=127, ..] => Refusal::Shared,
        [127, ..] => Refusal::Loopback,
        [169, 254, ..] => Refusal::LinkLocal,
        [192, 0, 2, _] | [198, 51, 100, _] | [203, 0, 113, _] => Refusal::Documentation,
        [198, 18..=19, ..] => Refusal::Benchmarking,
        [224..=239, ..] => Refusal::Multicast,
        // Protocols' own, 6to4's relays (RFC 7526), and class E with the broadcast address.
        [192, 0, 0, _] | [192, 88, 99, _] | [240..=255, ..] => Refusal::Reserved,
        _ => return None,
    })
}

/// The IANA registry of special-purpose IPv6 addresses (RFC 6890); beyond `2000::/3` nothing is public (RFC 4291 2.4).
fn refused_v6(address: Ipv6Addr) -> Option<Refusal> {
    Some(match address.segments() {
        [0, 0, 0, 0, 0, 0, 0, 0] => Refusal::Unspecified,
        [0, 0, 0, 0, 0, 0, 0, 1] => Refusal::Loopback,
        // Compatible, mapped, translated (RFC 4291 2.5.5, RFC 2765), NAT64 (RFC 6052, RFC 8215), Teredo, 6to4, ISATAP.
        [0, 0, 0, 0, 0, 0 | 0xffff, ..]
        | [0, 0, 0, 0, 0xffff, 0, ..]
        | [0x64, 0xff9b, 0, 0, 0, 0, ..]
        | [0x64, 0xff9b, 1, ..]
        | [0x2001, 0, ..]
        | [0x2002, ..]
        | [_, _, _, _, 0 | 0x0200, 0x5efe, ..] => Refusal::Embedded,
        [0xff00..=0xffff, ..] => Refusal::Multicast,
        [0xfe80..=0xfebf, ..] => Refusal::LinkLocal,
        [0xfc00..=0xfdff | 0xfec0..=0xfeff, ..] => Refusal::Private,
        [0x2001, 0xdb8, ..] | [0x3fff, 0..=0xfff, ..] => Refusal::Documentation,
        [0x2001, 2, 0, ..] => Refusal::Benchmarking,
        [0x2001, 0..=0x1ff, ..] => Refusal::Reserved,
        [0x2000..=0x3fff, ..] => return None,
        _ => Refusal::Reserved,
    })
}

#[cfg(test)]
#[path = "place_tests.rs"]
mod tests;
