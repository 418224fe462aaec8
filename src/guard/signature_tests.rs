#![allow(clippy::unwrap_used, clippy::indexing_slicing)]

use std::collections::BTreeMap;

use proptest::prelude::*;
use serde_json::Value as Json;

use super::*;

const KEY: &str = "a key of some length";
const NOW_S: u64 = 1_800_000_000;
/// What every signed URL of these tests asks, unless it says otherwise.
const QUERY: &str = "width=640&exp=1800000060&kid=k1";

/// A clock that stands still, and some secrets.
struct Host {
    secrets: BTreeMap<&'static str, String>,
    now_ms: u64,
}

impl Host {
    fn new() -> Self {
        let secrets = [("SIGN_1", KEY), ("SIGN_2", "another key of some length")];
        Self {
            secrets: secrets.map(|(name, key)| (name, key.to_owned())).into(),
            now_ms: NOW_S * 1000,
        }
    }
}

impl Clock for Host {
    fn now_ms(&self) -> u64 {
        self.now_ms
    }

    async fn sleep(&self, _: u32) {}
}

impl Secrets for Host {
    fn secret(&self, name: &str) -> Option<String> {
        self.secrets.get(name).cloned()
    }
}

fn signing() -> Signing {
    let keys = [("k1", "SIGN_1"), ("k2", "SIGN_2"), ("gone", "SIGN_GONE")];
    Signing {
        keys: keys.map(|(kid, secret)| (kid.to_owned(), secret.to_owned())).into_iter().collect(),
        require_expiry: true,
        expires_max_s: 0,
    }
}

fn path(text: &str) -> SourcePath {
    SourcePath::parse(text).unwrap()
}

/// The query with its signature.
fn signed(at: &str, query: &str, key: &str) -> String {
    let message = canonical(&path(at), &Query::parse(query).unwrap()).unwrap();
    format!("{query}&sig={}", URL_SAFE_NO_PAD.encode(mac(key, &message)))
}

fn check_with(host: &Host, signing: &Signing, at: &str, query: &str) -> Result<Signed, Rejection> {
    check(host, signing, &path(at), &Query::parse(query).unwrap())
}

fn checked(at: &str, query: &str) -> Result<Signed, Rejection> {
    check_with(&Host::new(), &signing(), at, query)
}

const NOT_OF_THIS_URL: Result<Signed, Rejection> =
    Err(Rejection::SignatureInvalid { reason: "it is not one of this URL" });

#[test]
fn the_vectors_that_the_command_line_makes_are_signed_here_the_same() {
    let text = include_str!("../../tests/signature-vectors.json");
    let vectors: Vec<Json> = serde_json::from_str(text).unwrap();
    assert!(vectors.len() >= 16);
    for vector in vectors {
        let text = |member: &str| vector[member].as_str().unwrap().to_owned();
        let (name, kid, expires_s) = (text("name"), text("kid"), vector["expires"].as_u64());
        let target = text("signed").replace("https://videos.example.com", "");
        let target = target.split('#').next().unwrap();
        let (at, query) = target.split_once('?').unwrap();
        let parsed = Query::parse(query).unwrap();
        assert_eq!(canonical(&path(at), &parsed).as_deref(), Some(&*text("canonical")), "{name}");

        let mut host = Host::new();
        host.secrets.insert("SIGN_1", text("key"));
        host.now_ms = 0;
        let signing = Signing {
            keys: [(kid.clone(), "SIGN_1".to_owned())].into_iter().collect(),
            require_expiry: false,
            expires_max_s: 0,
        };
        let wanted = match expires_s {
            Some(0) => Err(Rejection::SignatureExpired { expires_s: 0 }),
            expires_s => Ok(Signed { kid, expires_s }),
        };
        assert_eq!(check_with(&host, &signing, at, query), wanted, "{name}");
    }
}

#[test]
fn a_signed_url_counts_in_every_spelling() {
    let genuine = signed("/a/b c.mp4", QUERY, KEY);
    let sig = genuine.rsplit('=').next().unwrap().to_owned();
    for (at, query) in [
        ("/a/b c.mp4", genuine.clone()),
        ("/%61/b%20c.mp4", genuine.clone()),
        ("/a/b%20c.mp4", format!("sig={sig}&kid=k1&exp=1800000060&width=640")),
        ("/a/b%20c.mp4", format!("&WIDTH=%36%340&KID=k1&&eXp=1800000060&%73ig={sig}&")),
        ("/a/b%20c.mp4", format!("{genuine}&debug=view")),
    ] {
        let wanted = Signed { kid: "k1".to_owned(), expires_s: Some(NOW_S + 60) };
        assert_eq!(checked(at, &query), Ok(wanted), "{at}?{query}");
    }
}

#[test]
fn whatever_is_changed_the_signature_is_not_one_of_this_url() {
    let genuine = signed("/a/b.mp4", QUERY, KEY);
    assert!(checked("/a/b.mp4", &genuine).is_ok());
    for (at, query) in [
        ("/a/c.mp4", genuine.clone()),
        ("/a%2Fb.mp4", genuine.clone()),
        ("/A/b.mp4", genuine.clone()),
        ("/a/b.mp4", genuine.replace("640", "641")),
        ("/a/b.mp4", genuine.replace("640", "0640")),
        ("/a/b.mp4", genuine.replace("width", "w")),
        ("/a/b.mp4", genuine.replace("width", "height")),
        ("/a/b.mp4", genuine.replace("1800000060", "1800000061")),
        ("/a/b.mp4", genuine.replace("kid=k1", "kid=k2")),
        ("/a/b.mp4", genuine.replace("kid=k1", "kid=K1")),
        ("/a/b.mp4", genuine.replace("kid=k1", "kid=k9")),
        ("/a/b.mp4", genuine.replace("&kid=k1", "")),
        ("/a/b.mp4", genuine.replace("exp=1800000060&", "")),
        ("/a/b.mp4", genuine.replace("width=640&", "")),
        ("/a/b.mp4", format!("{genuine}&nocache=1")),
        ("/a/b.mp4", format!("{genuine}&utm_source=x")),
        ("/a/b.mp4", format!("{genuine}&width=640")),
        ("/a/b.mp4", format!("{genuine}&height=%ff")),
    ] {
        assert_eq!(checked(at, &query), NOT_OF_THIS_URL, "{at}?{query}");
    }
}

#[test]
fn a_signature_is_exactly_its_thirty_two_bytes_in_one_spelling() {
    let genuine = signed("/a.mp4", QUERY, KEY);
    let (unsigned, sig) = genuine.rsplit_once("&sig=").unwrap();
    assert_eq!(sig.len(), 43);
    let mac = URL_SAFE_NO_PAD.decode(sig).unwrap();
    let standard = base64::engine::general_purpose::STANDARD.encode(&mac);
    let hex: Vec<_> = mac.iter().map(|byte| format!("{byte:02x}")).collect();
    // The last character has two bits that belong to no byte.
    let last = sig.chars().last().unwrap();
    let loose = format!("{}{}", &sig[..42], char::from_u32(last as u32 + 1).unwrap());
    for forged in [
        String::new(),
        sig[..42].to_owned(),
        format!("{sig}A"),
        format!("{sig}="),
        format!("%20{sig}"),
        standard.replace('+', "%2B"),
        hex.concat(),
        loose,
        URL_SAFE_NO_PAD.encode(&mac[..16]),
        "%ff".to_owned(),
    ] {
        assert_eq!(
            checked("/a.mp4", &format!("{unsigned}&sig={forged}")),
            NOT_OF_THIS_URL,
            "{forged}"
        );
    }
    assert_eq!(checked("/a.mp4", unsigned), Err(Rejection::SignatureMissing));
}

#[test]
fn every_configured_key_counts_and_no_other() {
    for (kid, key) in [("k1", KEY), ("k2", "another key of some length")] {
        let query = signed("/a.mp4", &format!("exp=1800000060&kid={kid}"), key);
        assert_eq!(checked("/a.mp4", &query).unwrap().kid, kid);
        let mut after = signing();
        after.keys.remove(kid);
        assert_eq!(check_with(&Host::new(), &after, "/a.mp4", &query), NOT_OF_THIS_URL);
    }
}

#[test]
fn a_key_that_is_missing_or_short_signs_nothing_not_even_with_no_key_at_all() {
    for (kid, key) in [("gone", ""), ("k9", ""), ("", ""), ("k1", "short"), ("k1", "")] {
        let mut host = Host::new();
        host.secrets.insert("SIGN_1", key.to_owned());
        let query = signed("/a.mp4", &format!("exp=1800000060&kid={kid}"), key);
        assert_eq!(check_with(&host, &signing(), "/a.mp4", &query), NOT_OF_THIS_URL, "{kid}");
    }
}

#[test]
fn what_cannot_be_decoded_is_not_signed_even_by_who_signs_nothing() {
    let forged = URL_SAFE_NO_PAD.encode(mac(KEY, ""));
    let query = format!("height=%ff&exp=1800000060&kid=k1&sig={forged}");
    assert_eq!(checked("/a.mp4", &query), NOT_OF_THIS_URL);
}

#[test]
fn each_of_its_parameters_is_written_once_even_where_a_repetition_is_the_same() {
    let genuine = signed("/a.mp4", QUERY, KEY);
    for name in ["sig", "exp", "kid"] {
        let pair = genuine.split('&').find(|pair| pair.starts_with(name)).unwrap();
        let repeated = Err(Rejection::Duplicate { parameter: name.to_owned() });
        assert_eq!(checked("/a.mp4", &format!("{genuine}&{pair}")), repeated);
        let other = pair.replace(name, &name.to_ascii_uppercase());
        assert_eq!(checked("/a.mp4", &format!("{genuine}&{other}")), repeated);
    }
}

#[test]
fn a_url_ends_with_its_last_second() {
    let query = signed("/a.mp4", QUERY, KEY);
    let mut host = Host::new();
    host.now_ms = (NOW_S + 60) * 1000 - 1;
    assert!(check_with(&host, &signing(), "/a.mp4", &query).is_ok());
    host.now_ms += 1;
    let ended = Err(Rejection::SignatureExpired { expires_s: NOW_S + 60 });
    assert_eq!(check_with(&host, &signing(), "/a.mp4", &query), ended);
    let forged = query.replace("sig=", "sig=A");
    let wrong = check_with(&host, &signing(), "/a.mp4", &forged);
    assert_eq!(wrong, NOT_OF_THIS_URL, "only whoever has a key hears of its end");
}

#[test]
fn an_end_is_required_and_bounded_as_the_configuration_says() {
    let refused = |reason| Some(Rejection::SignatureInvalid { reason });
    let ends = |signing: &Signing, exp: &str| {
        let query = signed("/a.mp4", &format!("kid=k1{exp}"), KEY);
        check_with(&Host::new(), signing, "/a.mp4", &query).map(|signed| signed.expires_s)
    };
    let strict = signing();
    assert_eq!(ends(&strict, "").err(), refused("exp must say when it ends"));
    for garbage in ["", "soon", "-1", "+1800000060", "1800000060.5", "1e10", "99999999999999999999"]
    {
        let exp = format!("&exp={}", garbage.replace('+', "%2B"));
        assert_eq!(ends(&strict, &exp).err(), refused("exp is no number of seconds"));
    }
    let free = Signing { require_expiry: false, ..signing() };
    assert_eq!(ends(&free, ""), Ok(None));
    assert_eq!(ends(&free, "&exp=1800000001"), Ok(Some(NOW_S + 1)));
    assert!(ends(&free, "&exp=1800000000").is_err(), "an end that is there counts");
    let bounded = Signing { expires_max_s: 60, ..signing() };
    assert_eq!(ends(&bounded, "&exp=1800000060"), Ok(Some(NOW_S + 60)));
    let far = ends(&bounded, "&exp=1800000061").err();
    assert_eq!(far, refused("exp is too far in the future"));
    assert!(ends(&strict, "&exp=18446744073709551615").is_ok());
}

#[test]
fn a_relayed_address_and_a_signed_url_are_never_each_other() {
    let relayed = crate::media::relay::url("", KEY, "default", 0, &path("/a.mp4"));
    let mac = relayed.split('/').nth(3).unwrap();
    let query = format!("{QUERY}&sig={mac}");
    assert_eq!(checked("/default/0/a.mp4", &query), NOT_OF_THIS_URL);
}

fn encoded(text: &str) -> String {
    let mut encoded = String::new();
    encode(&mut encoded, text.bytes());
    encoded
}

proptest! {
    #[test]
    fn two_requests_that_differ_are_signed_differently(
        one in proptest::collection::vec(("[a-c=&%]{1,3}", "[a-c=&%+ \u{e9}]{0,3}"), 0..4),
        other in proptest::collection::vec(("[a-c=&%]{1,3}", "[a-c=&%+ \u{e9}]{0,3}"), 0..4),
    ) {
        let message = |pairs: &[(String, String)]| {
            let pairs = pairs.iter().map(|(name, value)| format!("{}={}", encoded(name), encoded(value)));
            let query = pairs.collect::<Vec<_>>().join("&");
            canonical(&path("/a.mp4"), &Query::parse(&query).unwrap()).unwrap()
        };
        let sorted = |mut pairs: Vec<(String, String)>| { pairs.sort(); pairs };
        prop_assert_eq!(message(&one) == message(&other), sorted(one) == sorted(other));
    }

    #[test]
    fn no_query_at_all_is_let_in_without_a_key(query in "\\PC{0,40}|((sig|exp|kid|width)=[A-Za-z0-9%_-]{0,43}&?){0,5}") {
        if let Ok(query) = Query::parse(&query) {
            prop_assert!(check(&Host::new(), &signing(), &path("/a.mp4"), &query).is_err());
        }
    }
}
