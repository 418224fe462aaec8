//! Source URL templates: `https://media.example/$1`, `{request-origin}/${name}`.

use super::address;
use crate::guard::address::is_url_char;

/// Begins a template whose scheme and host are those of the request.
pub const REQUEST_ORIGIN: &str = "{request-origin}";

/// One piece of a template, in order.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Piece<'a> {
    /// The scheme and host of the request; only ever the first piece.
    RequestOrigin,
    /// Stands as it is.
    Literal(&'a str),
    /// A capture by number; 0 is the whole match.
    Index(usize),
    /// A capture by name.
    Name(&'a str),
}

/// Cuts a template into pieces.
///
/// Promises that scheme and host are literal (or the request's own), that captures stand in the path only,
/// and that there is no fragment. The error is advice.
pub fn pieces(template: &str) -> Result<Vec<Piece<'_>>, &'static str> {
    let mut pieces = Vec::new();
    let rest = if let Some(rest) = template.strip_prefix(REQUEST_ORIGIN) {
        pieces.push(Piece::RequestOrigin);
        rest
    } else {
        let scheme_bytes = template.find("://").ok_or("begin it with https:// or http://")? + 3;
        let host_bytes = template
            .get(scheme_bytes..)
            .and_then(|after| after.find(['/', '?', '#']))
            .map_or(template.len(), |at| scheme_bytes + at);
        let (origin, rest) = template.split_at(host_bytes);
        address::parse(origin)?;
        pieces.push(Piece::Literal(origin));
        rest
    };
    if !rest.starts_with('/') {
        return Err("write a path that begins with / after the host");
    }
    if rest.contains('#') {
        return Err("leave out # and what follows: a fragment is never sent");
    }
    let (path, query) = rest.split_at(rest.find('?').unwrap_or(rest.len()));
    if query.contains('$') {
        return Err("write captures into the path: in a query they could add parameters");
    }
    push_path(path, &mut pieces)?;
    if !query.is_empty() {
        pieces.push(Piece::Literal(query));
    }
    let plain = |piece: &Piece<'_>| match piece {
        Piece::Literal(text) => text.chars().all(is_url_char),
        Piece::RequestOrigin | Piece::Index(_) | Piece::Name(_) => true,
    };
    if pieces.iter().all(plain) {
        Ok(pieces)
    } else {
        Err("percent-encode what is not plain in a URL")
    }
}

fn push_path<'a>(path: &'a str, pieces: &mut Vec<Piece<'a>>) -> Result<(), &'static str> {
    const STRAY: &str = "write a capture as $1, ${1} or ${name}, and a plain $ as %24";
    let mut parts = path.split('$');
    if let Some(literal) = parts.next() {
        pieces.push(Piece::Literal(literal));
    }
    for part in parts {
        let (capture, literal) = if let Some(braced) = part.strip_prefix('{') {
            braced.split_once('}').ok_or("close the { of the capture")?
        } else {
            let bytes = part.bytes().take_while(u8::is_ascii_digit).count();
            let (digits, literal) = part.split_at(bytes);
            if digits.is_empty() {
                return Err(STRAY);
            }
            (digits, literal)
        };
        pieces.push(if capture.bytes().all(|b| b.is_ascii_digit()) {
            Piece::Index(capture.parse().map_err(|_| STRAY)?)
        } else {
            Piece::Name(capture)
        });
        if !literal.is_empty() {
            pieces.push(Piece::Literal(literal));
        }
    }
    Ok(())
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::Piece::{Index, Literal, Name, RequestOrigin};
    use super::*;

    #[test]
    fn a_template_is_cut_at_its_captures() {
        assert_eq!(
            pieces("https://a.example:8443/v$1/${2}0-${file}.mp4?tenant=7").unwrap(),
            [
                Literal("https://a.example:8443"),
                Literal("/v"),
                Index(1),
                Literal("/"),
                Index(2),
                Literal("0-"),
                Name("file"),
                Literal(".mp4"),
                Literal("?tenant=7"),
            ]
        );
        assert_eq!(pieces("{request-origin}/$1").unwrap(), [RequestOrigin, Literal("/"), Index(1)]);
    }

    #[test]
    fn a_template_keeps_scheme_and_host_literal_and_captures_in_the_path() {
        for template in [
            "$1",
            "https://$1/x",
            "https://a$1.example/x",
            "https://a.example$1",
            "https://a.example",
            "https://a.example:$1/",
            "https://u:p@a.example/$1",
            "https://a.example/$1#f",
            "https://a.example/?u=$1",
            "https://a.example?x/$1",
            "ftp://a.example/$1",
            "/$1",
            "{request-origin}",
            "{request-origin}$1",
            "{request-origin}.evil.example/$1",
            "https://{request-origin}/$1",
            "https://a.example/{request-origin}",
            "https://a.example/$",
            "https://a.example/$x",
            "https://a.example/${}x}",
            "https://a.example/${1",
            "https://a.example/a b",
            "https://a.example/$99999999999999999999999",
        ] {
            assert!(pieces(template).is_err(), "{template}");
        }
    }
}
