//! Where sources may be: the allow-list, and the guard against places that no viewer may have asked.

use super::address::Address;
use super::place;
use super::refusal::Refusal;

/// What may be fetched as a source.
#[derive(Debug, Clone)]
pub struct Reach {
    allow: Vec<Address>,
    own_host: bool,
    private: bool,
}

impl Reach {
    /// What one of `allow` covers; with `own_host` the request's own scheme and host as well; with `private` also where
    /// it is of the inside.
    ///
    /// An entry covers its scheme, host and port, and the path below its own by whole segments: `/a` covers `/a` and
    /// `/a/b`, not `/ab`.
    pub fn new(allow: Vec<Address>, own_host: bool, private: bool) -> Self {
        Self { allow, own_host, private }
    }

    /// The address, where it may be fetched for a request to `own_origin`.
    pub fn address(&self, url: &str, own_origin: &str) -> Result<Address, Refusal> {
        let address = Address::parse(url)?;
        self.admits(&address, own_origin)?;
        Ok(address)
    }

    /// Whether this address may be fetched for a request to `own_origin`.
    pub fn admits(&self, address: &Address, own_origin: &str) -> Result<(), Refusal> {
        in_public(address, self.private)?;
        let is_own = || Address::parse(own_origin).is_ok_and(|own| own.is_same_origin(address));
        if self.allow.iter().any(|entry| covers(entry, address)) || self.own_host && is_own() {
            Ok(())
        } else {
            Err(Refusal::NotAllowed)
        }
    }

    /// Whether some entry has this scheme, host and port, whatever its path.
    pub fn has_origin(&self, address: &Address) -> bool {
        self.allow.iter().any(|entry| entry.is_same_origin(address))
    }
}

/// Whether the address is of the public internet, or of the inside where `private` allows that.
pub fn in_public(address: &Address, private: bool) -> Result<(), Refusal> {
    match place::refused(address.host()) {
        Some(refusal) if !(private && refusal.is_of_the_inside()) => Err(refusal),
        Some(_) | None => Ok(()),
    }
}

fn covers(entry: &Address, address: &Address) -> bool {
    let below = address.path().strip_prefix(entry.path().trim_end_matches('/'));
    entry.is_same_origin(address)
        && below.is_some_and(|below| below.is_empty() || below.starts_with('/'))
}

#[cfg(test)]
#[path = "reach_tests.rs"]
mod tests;
