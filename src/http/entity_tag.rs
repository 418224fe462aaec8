//! Entity tags and the two ways of comparing them (RFC 9110 §8.8.3).

use ::http::HeaderValue;

use super::field_value::{composed, trim_ows};
use crate::limits::ENTITY_TAGS_MAX;

/// The strong entity tag of a representation we serve: the same bytes, and no others, have it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct EntityTag<'a> {
    opaque: &'a str,
}

impl<'a> EntityTag<'a> {
    /// `opaque` is the part between the quotes; `None` unless it is visible ASCII without quotes.
    pub fn strong(opaque: &'a str) -> Option<Self> {
        let possible = opaque.bytes().all(|byte| matches!(byte, 0x21 | 0x23..=0x7e));
        possible.then_some(Self { opaque })
    }

    /// The part between the quotes.
    pub fn opaque(self) -> &'a str {
        self.opaque
    }

    /// `"opaque"`, as the `ETag` header has it.
    pub fn header_value(self) -> HeaderValue {
        composed(format_args!("\"{}\"", self.opaque))
    }
}

/// A tag a viewer sent; it may hold bytes that ours never do.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct SentTag<'a> {
    weak: bool,
    opaque: &'a [u8],
}

impl<'a> SentTag<'a> {
    /// Reads one tag and nothing after it.
    pub(super) fn parse(value: &'a [u8]) -> Option<Self> {
        match Self::parse_prefix(trim_ows(value))? {
            (tag, []) => Some(tag),
            _ => None,
        }
    }

    fn parse_prefix(value: &'a [u8]) -> Option<(Self, &'a [u8])> {
        // `W/` has a case (RFC 9110 §8.8.3).
        let (weak, quoted) = match value.strip_prefix(b"W/") {
            Some(quoted) => (true, quoted),
            None => (false, value),
        };
        let inner = quoted.strip_prefix(b"\"")?;
        let end = inner.iter().position(|&byte| byte == b'"')?;
        let (opaque, rest) = inner.split_at_checked(end)?;
        let possible = opaque.iter().all(|byte| matches!(byte, 0x21 | 0x23..=0x7e | 0x80..));
        possible.then_some((Self { weak, opaque }, rest.get(1..)?))
    }

    /// Both are strong and the same.
    pub(super) fn matches_strongly(self, ours: EntityTag<'_>) -> bool {
        !self.weak && self.matches_weakly(ours)
    }

    /// The same, whichever is weak.
    pub(super) fn matches_weakly(self, ours: EntityTag<'_>) -> bool {
        self.opaque == ours.opaque.as_bytes()
    }
}

/// The members of an `If-Match` or `If-None-Match`.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum SentTags<'a> {
    /// `*`: any representation at all.
    Any,
    /// At most [`ENTITY_TAGS_MAX`] tags; those after are not read.
    List(Vec<SentTag<'a>>),
}

impl<'a> SentTags<'a> {
    /// Reads the header's lines as one list; `None` when there is anything but tags in it.
    pub(super) fn parse(lines: impl Iterator<Item = &'a [u8]>) -> Option<Self> {
        let mut tags = Vec::new();
        let mut any = false;
        for line in lines {
            let mut rest = trim_ows(line);
            if rest == b"*" {
                any = true;
                continue;
            }
            while !rest.is_empty() {
                if let Some(after) = rest.strip_prefix(b",") {
                    rest = trim_ows(after);
                    continue;
                }
                if tags.len() == ENTITY_TAGS_MAX {
                    return Some(Self::List(tags));
                }
                let (tag, after) = SentTag::parse_prefix(rest)?;
                tags.push(tag);
                rest = trim_ows(after);
                if !(rest.is_empty() || rest.starts_with(b",")) {
                    return None;
                }
            }
        }
        match (any, tags.is_empty()) {
            (true, true) => Some(Self::Any),
            (false, false) => Some(Self::List(tags)),
            (true, false) | (false, true) => None,
        }
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn list(line: &str) -> Option<Vec<(bool, String)>> {
        match SentTags::parse(std::iter::once(line.as_bytes()))? {
            SentTags::Any => Some(vec![(false, "*".into())]),
            SentTags::List(tags) => Some(
                tags.iter()
                    .map(|tag| (tag.weak, String::from_utf8_lossy(tag.opaque).into_owned()))
                    .collect(),
            ),
        }
    }

    #[test]
    fn a_tag_of_ours_needs_no_escape() {
        assert_eq!(EntityTag::strong("a-1").unwrap().header_value(), "\"a-1\"");
        for impossible in ["a\"b", "a b", "a\r\nb", "caf\u{e9}", "a\u{7f}"] {
            assert_eq!(EntityTag::strong(impossible), None, "{impossible}");
        }
    }

    #[test]
    fn lists_are_read_whole_or_not_at_all() {
        let s = |tag: &str| (false, tag.to_owned());
        let w = |tag: &str| (true, tag.to_owned());
        for (line, read) in [
            ("\"a\"", Some(vec![s("a")])),
            ("\"a\", W/\"b\"", Some(vec![s("a"), w("b")])),
            ("\"a\",\"b\" , \t\"c\",", Some(vec![s("a"), s("b"), s("c")])),
            (",, \"a\"", Some(vec![s("a")])),
            ("\"a,b\"", Some(vec![s("a,b")])),
            ("\"\"", Some(vec![s("")])),
            (" * ", Some(vec![s("*")])),
            ("\"*\"", Some(vec![s("*")])),
            ("a", None),
            ("\"a", None),
            ("\"a\"b", None),
            ("\"a\" \"b\"", None),
            ("\"a\", b", None),
            ("w/\"a\"", None),
            ("W/a", None),
            ("\"a b\"", None),
            ("*, \"a\"", None),
            ("", None),
            (",", None),
        ] {
            assert_eq!(list(line), read, "{line}");
        }
    }

    #[test]
    fn tags_after_the_bound_are_not_read() {
        let tags = vec!["\"x\""; ENTITY_TAGS_MAX].join(",");
        assert_eq!(list(&format!("{tags},\"last\", junk")).unwrap().len(), ENTITY_TAGS_MAX);
        assert_eq!(list(&format!("{tags},")).unwrap().len(), ENTITY_TAGS_MAX);
    }

    #[test]
    fn lines_of_one_header_are_one_list() {
        let read = |lines: &[&'static str]| {
            SentTags::parse(lines.iter().map(|line| line.as_bytes())).map(|tags| match tags {
                SentTags::Any => 0,
                SentTags::List(tags) => tags.len(),
            })
        };
        assert_eq!(read(&["\"a\"", "\"b\""]), Some(2));
        assert_eq!(read(&["*", "*"]), Some(0));
        assert_eq!(read(&["*", "\"b\""]), None);
    }

    #[test]
    fn weak_and_strong_comparison_follow_the_rfc_table() {
        let ours = EntityTag::strong("1").unwrap();
        for (sent, strongly, weakly) in
            [("\"1\"", true, true), ("W/\"1\"", false, true), ("\"2\"", false, false)]
        {
            let tag = SentTag::parse(sent.as_bytes()).unwrap();
            assert_eq!(tag.matches_strongly(ours), strongly, "{sent}");
            assert_eq!(tag.matches_weakly(ours), weakly, "{sent}");
        }
    }

    proptest! {
        #[test]
        fn no_bytes_make_a_list_panic(bytes in proptest::collection::vec(any::<u8>(), 0..64)) {
            let _ = SentTags::parse(std::iter::once(bytes.as_slice()));
            let _ = SentTag::parse(&bytes);
        }

        #[test]
        fn no_near_miss_makes_a_list_panic(line in "[W/\"*, ab]{0,24}") {
            let _ = SentTags::parse(std::iter::once(line.as_bytes()));
        }
    }
}
