//! Who comes too often: a viewer is an IPv4 address, or an IPv6 network as one household has it.

use std::net::{IpAddr, Ipv6Addr};

use crate::cache::ports::{Fault, Host, Limit, Limiter};
use crate::limits::LIMITER_WAIT_MS;
use crate::request::ask::{Ask, CF_CONNECTING_IP};

/// Bits of an IPv6 address that are its owner's to choose (RFC 4291 2.5.1).
const INTERFACE_BITS: u32 = 64;

/// Counts this request, and says whether it is within the limit.
///
/// It is where no limiter is bound, and where nobody is named, as between Workers. A limiter that fails, or takes
/// longer than [`LIMITER_WAIT_MS`], is a fault: it limits nobody.
pub async fn admits<H: Host>(host: &H, limit: Limit, ask: &Ask) -> Result<bool, Fault> {
    match (host.limiter(limit), who(ask)) {
        (Some(limiter), Some(who)) => limiter.admits(&who, LIMITER_WAIT_MS).await,
        (None, _) | (_, None) => Ok(true),
    }
}

/// Who is counted: Cloudflare says it, and lets no viewer say it.
fn who(ask: &Ask) -> Option<String> {
    let address: IpAddr = ask.header(&CF_CONNECTING_IP)?.trim().parse().ok()?;
    Some(match address.to_canonical() {
        IpAddr::V4(address) => address.to_string(),
        IpAddr::V6(address) => {
            let network = address.to_bits() >> INTERFACE_BITS << INTERFACE_BITS;
            format!("{}/64", Ipv6Addr::from_bits(network))
        }
    })
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use http::{HeaderMap, HeaderValue, Method};

    use super::*;

    fn who_is(address: Option<&str>) -> Option<String> {
        let mut headers = HeaderMap::new();
        if let Some(address) = address {
            headers.insert(CF_CONNECTING_IP, HeaderValue::from_str(address).unwrap());
        }
        who(&Ask {
            method: Method::GET,
            scheme: "https".to_owned(),
            host: "v.example".to_owned(),
            path: "/a.mp4".to_owned(),
            query: String::new(),
            headers,
        })
    }

    #[test]
    fn a_household_is_one_viewer_whichever_of_its_addresses_it_uses() {
        for (address, who) in [
            ("198.51.100.7", "198.51.100.7"),
            ("::ffff:198.51.100.7", "198.51.100.7"),
            ("2001:db8:1:2:3:4:5:6", "2001:db8:1:2::/64"),
            ("2001:DB8:1:2:ffff::1", "2001:db8:1:2::/64"),
            ("2001:db8:1:3::1", "2001:db8:1:3::/64"),
        ] {
            assert_eq!(who_is(Some(address)).as_deref(), Some(who), "{address}");
        }
    }

    #[test]
    fn whoever_is_not_named_is_not_counted() {
        assert_eq!(who_is(None), None);
        assert_eq!(who_is(Some("unknown")), None);
    }
}
