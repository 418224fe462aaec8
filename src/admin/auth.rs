//! Who may operate: two tokens, one to look and one to do everything.

use ::http::header;
use sha2::{Digest, Sha256};
use subtle::{Choice, ConstantTimeEq};

use crate::cache::ports::Secrets;
use crate::request::ask::Ask;

/// Name of the secret that may do everything: `Authorization: Bearer <secret>`.
pub const FULL_SECRET: &str = "ADMIN_TOKEN";
/// Name of the secret that may look, and change nothing.
pub const READ_SECRET: &str = "ADMIN_READ_TOKEN";
/// Bytes a token must have to count as one.
pub const TOKEN_BYTES_MIN: usize = 16;

/// What the holder of a token may do.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Scope {
    /// Look.
    Read,
    /// Everything.
    Full,
}

/// Who a request comes from.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Visitor {
    /// Somebody with a token.
    Holder(Scope),
    /// Somebody without one.
    Stranger,
    /// There are no tokens to have.
    Nobody,
}

/// Who a request comes from. How long it takes tells neither how much of a token is right nor which of the two, for
/// digests of equal length are compared, and always with both.
pub fn visitor(secrets: &impl Secrets, ask: &Ask) -> Visitor {
    let tokens = [FULL_SECRET, READ_SECRET]
        .map(|name| secrets.secret(name).filter(|token| token.len() >= TOKEN_BYTES_MIN));
    if tokens.iter().all(Option::is_none) {
        return Visitor::Nobody;
    }
    let Some(given) = bearer(ask) else { return Visitor::Stranger };
    let given = Sha256::digest(given.as_bytes());
    let [is_full, may_read] = tokens.map(|token| match token {
        Some(token) => Sha256::digest(token.as_bytes()).ct_eq(&given),
        None => Choice::from(0),
    });
    match (bool::from(is_full), bool::from(may_read)) {
        (true, _) => Visitor::Holder(Scope::Full),
        (false, true) => Visitor::Holder(Scope::Read),
        (false, false) => Visitor::Stranger,
    }
}

/// What a request may do beyond what any may; of one without a token no secret is read.
pub fn scope(secrets: &impl Secrets, ask: &Ask) -> Option<Scope> {
    bearer(ask)?;
    match visitor(secrets, ask) {
        Visitor::Holder(scope) => Some(scope),
        Visitor::Stranger | Visitor::Nobody => None,
    }
}

/// The token of `Authorization: Bearer <token>`; the scheme has no case (RFC 9110 §11.1).
fn bearer(ask: &Ask) -> Option<&str> {
    let (scheme, token) = ask.header(&header::AUTHORIZATION)?.split_once(' ')?;
    scheme.eq_ignore_ascii_case("bearer").then(|| token.trim_matches(' '))
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use std::collections::BTreeMap;

    use ::http::{HeaderMap, HeaderValue, Method};

    use super::*;

    struct Some16(BTreeMap<&'static str, &'static str>);

    impl Secrets for Some16 {
        fn secret(&self, name: &str) -> Option<String> {
            self.0.get(name).map(|secret| (*secret).to_owned())
        }
    }

    const FULL: &str = "full-token-of-16";
    const READ: &str = "read-token-of-16";

    fn seen(secrets: &[(&'static str, &'static str)], authorization: Option<&str>) -> Visitor {
        let mut headers = HeaderMap::new();
        if let Some(value) = authorization {
            headers.insert(header::AUTHORIZATION, HeaderValue::from_str(value).unwrap());
        }
        let ask = Ask {
            method: Method::GET,
            scheme: "https".into(),
            host: "v.example".into(),
            path: "/".into(),
            query: String::new(),
            headers,
        };
        visitor(&Some16(secrets.iter().copied().collect()), &ask)
    }

    #[test]
    fn each_token_opens_what_it_is_for_and_nothing_else_opens_anything() {
        let both = [(FULL_SECRET, FULL), (READ_SECRET, READ)];
        for (authorization, visitor) in [
            (Some("Bearer full-token-of-16"), Visitor::Holder(Scope::Full)),
            (Some("bearer full-token-of-16"), Visitor::Holder(Scope::Full)),
            (Some("Bearer read-token-of-16"), Visitor::Holder(Scope::Read)),
            (Some("Bearer full-token-of-1"), Visitor::Stranger),
            (Some("Bearer full-token-of-16x"), Visitor::Stranger),
            (Some("Bearer FULL-TOKEN-OF-16"), Visitor::Stranger),
            (Some("Bearer "), Visitor::Stranger),
            (Some("Bearer"), Visitor::Stranger),
            (Some("full-token-of-16"), Visitor::Stranger),
            (Some("Basic full-token-of-16"), Visitor::Stranger),
            (None, Visitor::Stranger),
        ] {
            assert_eq!(seen(&both, authorization), visitor, "{authorization:?}");
        }
    }

    #[test]
    fn one_token_is_enough_and_a_short_one_is_none() {
        let full = Some("Bearer full-token-of-16");
        let read = Some("Bearer read-token-of-16");
        assert_eq!(seen(&[(READ_SECRET, READ)], read), Visitor::Holder(Scope::Read));
        assert_eq!(seen(&[(READ_SECRET, READ)], full), Visitor::Stranger);
        assert_eq!(seen(&[(FULL_SECRET, FULL)], read), Visitor::Stranger);
        assert_eq!(seen(&[], full), Visitor::Nobody);
        let short = [(FULL_SECRET, "fifteen-bytes-.")];
        assert_eq!(seen(&short, Some("Bearer fifteen-bytes-.")), Visitor::Nobody);
        assert_eq!(seen(&[(READ_SECRET, "")], Some("Bearer ")), Visitor::Nobody);
    }

    #[test]
    fn the_same_secret_under_both_names_may_do_everything() {
        let same = [(FULL_SECRET, FULL), (READ_SECRET, FULL)];
        let visitor = seen(&same, Some("Bearer full-token-of-16"));
        assert_eq!(visitor, Visitor::Holder(Scope::Full));
    }
}
