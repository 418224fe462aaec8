//! Goal: a body that any multipart parser takes apart into exactly the parts, with an exact length.
//! Method: golden bytes, and an oracle that builds the body by hand and a small parser that takes ours apart.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, clippy::indexing_slicing)]

use super::*;
use crate::http::cut::Piece;
use proptest::prelude::*;

const MULTIPART: Multipart<'_> =
    Multipart { boundary: "0123456789abcdef0123456789abcdef", content_type: "video/mp4" };

fn ranges(bounds: &[(u64, u64)]) -> Ranges {
    let ranges: Vec<_> =
        bounds.iter().map(|(first, last)| ByteRange::new(*first, *last).unwrap()).collect();
    Ranges::new(&ranges).unwrap()
}

/// What is sent of `body`.
fn sent(cut: &Cut, body: &[u8]) -> Vec<u8> {
    let mut sent = Vec::new();
    for piece in cut.pieces() {
        match piece {
            Piece::Text(text) => sent.extend(text.bytes()),
            Piece::Bytes(range) => {
                let first = usize::try_from(range.first()).unwrap();
                let length = usize::try_from(range.length()).unwrap();
                sent.extend(&body[first..first + length]);
            }
        }
    }
    sent
}

#[test]
fn r12_the_parts_are_written_as_these_bytes() {
    let cut = MULTIPART.cut(&ranges(&[(0, 1), (7, 9)]), 10);
    let expected = concat!(
        "\r\n--0123456789abcdef0123456789abcdef\r\n",
        "Content-Type: video/mp4\r\n",
        "Content-Range: bytes 0-1/10\r\n",
        "\r\n",
        "ab",
        "\r\n--0123456789abcdef0123456789abcdef\r\n",
        "Content-Type: video/mp4\r\n",
        "Content-Range: bytes 7-9/10\r\n",
        "\r\n",
        "hij",
        "\r\n--0123456789abcdef0123456789abcdef--\r\n",
    );
    assert_eq!(String::from_utf8(sent(&cut, b"abcdefghij")).unwrap(), expected);
    assert_eq!(cut.length(), expected.len() as u64);
}

#[test]
fn r12_the_answer_names_the_boundary() {
    assert_eq!(
        MULTIPART.header_value(),
        "multipart/byteranges; boundary=0123456789abcdef0123456789abcdef"
    );
}

#[test]
fn a_type_cannot_end_its_line_in_a_part_either() {
    let multipart = Multipart { content_type: "video/mp4\r\n\r\nevil", ..MULTIPART };
    let cut = multipart.cut(&ranges(&[(0, 0), (2, 2)]), 3);
    let text = String::from_utf8(sent(&cut, b"abc")).unwrap();
    assert!(text.contains("Content-Type: video/mp4????evil\r\nContent-Range: "), "{text}");
}

#[test]
fn the_parts_cost_at_most_200_bytes_each_beyond_their_own() {
    let last = u64::MAX - 1;
    let bounds: Vec<_> = (0..8).map(|at| (last - 15 + at * 2, last - 15 + at * 2)).collect();
    let multipart = Multipart { content_type: "application/octet-stream", ..MULTIPART };
    let cut = multipart.cut(&ranges(&bounds), u64::MAX);
    assert!(cut.length() <= 8 + 8 * 200, "{}", cut.length());
}

/// A body and up to eight ranges of it.
fn asked() -> impl Strategy<Value = (Vec<u8>, Vec<(usize, usize)>)> {
    let lengths = proptest::collection::vec((0..40_usize, 1..40_usize), 2..=8);
    (lengths, 0..40_usize).prop_flat_map(|(lengths, rest)| {
        let mut at = 0;
        let mut bounds = Vec::new();
        for (gap, length) in lengths {
            bounds.push((at + gap, at + gap + length - 1));
            at += gap + length;
        }
        // Line ends and hyphens, of which delimiters are made, are frequent in it.
        let byte = prop_oneof![any::<u8>(), proptest::sample::select(b"\r\n--01".to_vec())];
        (proptest::collection::vec(byte, at + rest), Just(bounds))
    })
}

/// Takes a multipart body apart as RFC 2046 describes it, by its delimiters alone: headers and bytes of each part.
fn parts(content_type: &str, body: &[u8]) -> Vec<(Vec<String>, Vec<u8>)> {
    let boundary = content_type.strip_prefix("multipart/byteranges; boundary=").unwrap();
    let delimiter = format!("\r\n--{boundary}");
    let find = |haystack: &[u8], needle: &[u8]| {
        haystack.windows(needle.len()).position(|window| window == needle)
    };
    let mut rest = body;
    let mut parts = Vec::new();
    assert_eq!(find(rest, delimiter.as_bytes()), Some(0), "nothing before the first part");
    loop {
        rest = &rest[delimiter.len()..];
        if rest == b"--\r\n" {
            return parts;
        }
        rest = rest.strip_prefix(b"\r\n").expect("a line end behind the delimiter");
        let end = find(rest, delimiter.as_bytes()).expect("a last delimiter");
        let (part, behind) = rest.split_at(end);
        let head = find(part, b"\r\n\r\n").expect("an end of the part's headers");
        let headers = std::str::from_utf8(&part[..head]).unwrap();
        let headers = headers.split("\r\n").map(str::to_owned).collect();
        parts.push((headers, part[head + 4..].to_vec()));
        rest = behind;
    }
}

proptest! {
    #[test]
    fn a_parser_finds_the_parts_and_nothing_else((body, bounds) in asked(), generation in any::<u128>()) {
        let boundary = format!("{generation:032x}");
        let multipart = Multipart { boundary: &boundary, ..MULTIPART };
        let as_u64: Vec<_> = bounds.iter().map(|(first, last)| (*first as u64, *last as u64)).collect();
        let cut = multipart.cut(&ranges(&as_u64), body.len() as u64);
        let sent = sent(&cut, &body);
        prop_assert_eq!(cut.length(), sent.len() as u64);

        let header = multipart.header_value();
        let found = parts(header.to_str().unwrap(), &sent);
        let expected: Vec<_> = bounds.iter().map(|(first, last)| {
            let headers = vec![
                "Content-Type: video/mp4".to_owned(),
                format!("Content-Range: bytes {first}-{last}/{}", body.len()),
            ];
            (headers, body[*first..=*last].to_vec())
        }).collect();
        prop_assert_eq!(found, expected);
    }

    #[test]
    fn the_whole_body_is_what_another_way_of_building_it_gives((body, bounds) in asked()) {
        let mut expected = Vec::new();
        for (first, last) in &bounds {
            expected.extend(b"\r\n--");
            expected.extend(MULTIPART.boundary.bytes());
            expected.extend(b"\r\nContent-Type: video/mp4\r\nContent-Range: bytes ");
            expected.extend(format!("{first}-{last}/{}\r\n\r\n", body.len()).bytes());
            expected.extend(body.iter().skip(*first).take(last + 1 - first));
        }
        expected.extend(b"\r\n--");
        expected.extend(MULTIPART.boundary.bytes());
        expected.extend(b"--\r\n");
        let as_u64: Vec<_> = bounds.iter().map(|(first, last)| (*first as u64, *last as u64)).collect();
        let cut = MULTIPART.cut(&ranges(&as_u64), body.len() as u64);
        prop_assert_eq!(sent(&cut, &body), expected);
    }

    #[test]
    fn one_pass_over_the_body_is_enough((body, bounds) in asked()) {
        let as_u64: Vec<_> = bounds.iter().map(|(first, last)| (*first as u64, *last as u64)).collect();
        let cut = MULTIPART.cut(&ranges(&as_u64), body.len() as u64);
        let mut next = 0;
        for piece in cut.pieces() {
            if let Piece::Bytes(range) = piece {
                prop_assert!(range.first() >= next);
                next = range.last() + 1;
            }
        }
        prop_assert!(next <= body.len() as u64);
    }
}
