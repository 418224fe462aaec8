//! What must hold for any input at all, one property to a decoder.
//!
//! Each `holds(input)` panics where its property does not hold, and so does the core where it panics.
//! `fuzz_targets/` gives them to libFuzzer, which looks for inputs that take new branches; `tests/seeds.rs` of
//! the core gives them every file of `seeds/`, so that what was found once is never lost.
//!
//! Inputs are text wherever the decoder reads text: a person can read a seed, and a mutation of it is a near miss.

pub mod conditional;
pub mod configuration;
pub mod manifest;
pub mod metadata;
pub mod numbers;
pub mod range;
pub mod request;

/// A property of the core for any input.
pub type Property = fn(&[u8]);

/// Every property, by the name of its target and of its folder of seeds.
pub const ALL: [(&str, Property); 6] = [
    ("range", range::holds),
    ("conditional", conditional::holds),
    ("metadata", metadata::holds),
    ("manifest", manifest::holds),
    ("request", request::holds),
    ("configuration", configuration::holds),
];

/// The first line, without its end, and what follows it.
fn first_line(input: &[u8]) -> (&[u8], &[u8]) {
    let mut halves = input.splitn(2, |byte| *byte == b'\n');
    (halves.next().unwrap_or_default(), halves.next().unwrap_or_default())
}

/// Lines of `name: value` as headers, in order; a line that is none is left out, and so is a name not in `names`.
fn headers(lines: &[u8], names: &[http::HeaderName]) -> http::HeaderMap {
    let mut headers = http::HeaderMap::new();
    for line in lines.split(|byte| *byte == b'\n') {
        let mut halves = line.splitn(2, |byte| *byte == b':');
        let (Some(name), Some(value)) = (halves.next(), halves.next()) else { continue };
        let name = names.iter().find(|known| known.as_str().as_bytes().eq_ignore_ascii_case(name));
        let value = http::HeaderValue::from_bytes(value.strip_prefix(b" ").unwrap_or(value));
        if let (Some(name), Ok(value)) = (name, value) {
            headers.append(name, value);
        }
    }
    headers
}
