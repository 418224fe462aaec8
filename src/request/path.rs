//! The path of a request in its one canonical spelling, so that two spellings of one file are one
//! key and two files are two.
//!
//! RFC 3986 2.3: percent-encoding a letter, a digit, `-`, `.`, `_` or `~` changes nothing, so those
//! are decoded. 2.2: encoding anything else may change the meaning, so `%2F` stays apart from `/`
//! and `%2B` from `+`. What may not stand in a path at all is encoded.

use std::fmt;

use super::rejection::Rejection;
use crate::limits::PATH_BYTES_MAX;

/// A canonical path.
///
/// It begins with `/`, is visible ASCII within [`PATH_BYTES_MAX`], is valid UTF-8 when decoded, and
/// decoded or not it has no `.` or `..` segment, no backslash and no control character.
/// Parsing what [`as_str`](Self::as_str) gives yields the same path again.
#[derive(Debug, Clone, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct SourcePath {
    canonical: String,
}

impl SourcePath {
    /// Reads the path of a request line, still percent-encoded and without its query.
    ///
    /// Empty segments stay: an origin may tell `/a//b` from `/a/b`.
    pub fn parse(raw_path: &str) -> Result<Self, Rejection> {
        within_limit(raw_path.len())?;
        if !raw_path.starts_with('/') {
            return Err(Rejection::Path { reason: "it does not begin with a slash" });
        }
        if raw_path.bytes().all(stands_raw) {
            // Most paths are in their one spelling already, and nothing is hidden in them.
            refuse_dot_segments(raw_path)?;
            return Ok(Self { canonical: raw_path.to_owned() });
        }
        let mut canonical = String::with_capacity(raw_path.len());
        let mut decoded = Vec::with_capacity(raw_path.len());
        let mut bytes = raw_path.bytes();
        while let Some(byte) = bytes.next() {
            if byte == b'%' {
                let value = escaped(&mut bytes).ok_or(Rejection::Path {
                    reason: "a percent sign is not followed by two hexadecimal digits",
                })?;
                decoded.push(value);
                push(&mut canonical, value, is_unreserved);
            } else {
                decoded.push(byte);
                push(&mut canonical, byte, stands_raw);
            }
        }
        within_limit(canonical.len())?;
        refuse_dangerous(&decoded)?;
        Ok(Self { canonical })
    }

    /// The whole path, with its leading slash.
    pub fn as_str(&self) -> &str {
        &self.canonical
    }

    /// The path as it stands in keys and templates: without its leading slash.
    pub fn without_slash(&self) -> &str {
        self.canonical.strip_prefix('/').unwrap_or(&self.canonical)
    }

    /// The file's extension as it is spelled: `MP4` of `/clips/A.MP4`.
    ///
    /// `None` when the last segment has no dot, only a leading one, or ends in one.
    pub fn extension(&self) -> Option<&str> {
        let (stem, extension) = self.file_name()?.rsplit_once('.')?;
        (!stem.is_empty() && !extension.is_empty()).then_some(extension)
    }

    /// Whether the file's extension is one of these, in any case.
    pub fn is_one_of(&self, extensions: &[String]) -> bool {
        self.extension().is_some_and(|it| extensions.iter().any(|one| one.eq_ignore_ascii_case(it)))
    }

    /// The last segment without its extension: `a` of `/clips/a.mp4`; `None` after a final slash.
    pub fn file_stem(&self) -> Option<&str> {
        let name = self.file_name()?;
        match name.rsplit_once('.') {
            Some((stem, extension)) if !stem.is_empty() && !extension.is_empty() => Some(stem),
            _ => Some(name),
        }
    }

    /// Every folder the file is in, from the top: `a`, `a/b` of `/a/b/c.mp4`.
    pub fn folders(&self) -> impl Iterator<Item = &str> {
        let path = self.without_slash();
        path.match_indices('/').filter_map(|(at, _)| path.get(..at)).filter(|it| !it.is_empty())
    }

    fn file_name(&self) -> Option<&str> {
        self.canonical.rsplit('/').next().filter(|name| !name.is_empty())
    }
}

impl fmt::Display for SourcePath {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        out.write_str(&self.canonical)
    }
}

fn within_limit(bytes: usize) -> Result<(), Rejection> {
    if bytes > PATH_BYTES_MAX {
        return Err(Rejection::PathTooLong { bytes, bytes_max: PATH_BYTES_MAX });
    }
    Ok(())
}

/// The byte that two hexadecimal digits stand for; takes them off `bytes`.
pub(crate) fn escaped(bytes: &mut impl Iterator<Item = u8>) -> Option<u8> {
    let mut digit = || char::from(bytes.next()?).to_digit(16);
    let (high, low) = (digit()?, digit()?);
    u8::try_from(high * 16 + low).ok()
}

fn push(canonical: &mut String, byte: u8, stands: fn(u8) -> bool) {
    if stands(byte) {
        canonical.push(char::from(byte));
    } else {
        let digit = |value| char::from_digit(value, 16).unwrap_or('0').to_ascii_uppercase();
        canonical.extend(['%', digit(u32::from(byte / 16)), digit(u32::from(byte % 16))]);
    }
}

/// Judges the decoded bytes, where no spelling can hide anything.
///
/// A dot segment behind `%2F` counts too: some origins decode it before they walk the path.
fn refuse_dangerous(decoded: &[u8]) -> Result<(), Rejection> {
    let refuse = |reason| Err(Rejection::Path { reason });
    let Ok(text) = std::str::from_utf8(decoded) else {
        return refuse("it is not UTF-8 when decoded");
    };
    if text.chars().any(char::is_control) {
        return refuse("it has a control character");
    }
    if text.contains('\\') {
        return refuse("it has a backslash");
    }
    refuse_dot_segments(text)
}

fn refuse_dot_segments(text: &str) -> Result<(), Rejection> {
    if text.split('/').any(|segment| segment == "." || segment == "..") {
        return Err(Rejection::Path { reason: "it has a dot segment" });
    }
    Ok(())
}

/// RFC 3986 2.3.
fn is_unreserved(byte: u8) -> bool {
    byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'.' | b'_' | b'~')
}

/// RFC 3986 3.3: `pchar` and the slash.
fn stands_raw(byte: u8) -> bool {
    is_unreserved(byte)
        || matches!(
            byte,
            b'/' | b'!'
                | b'$'
                | b'&'
                | b'\''
                | b'('
                | b')'
                | b'*'
                | b'+'
                | b','
                | b';'
                | b'='
                | b':'
                | b'@'
        )
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, clippy::panic)]

    use proptest::prelude::*;

    use super::*;

    #[track_caller]
    fn canonical(raw: &str) -> String {
        SourcePath::parse(raw).unwrap().as_str().to_owned()
    }

    #[track_caller]
    fn refused(raw: &str) -> &'static str {
        match SourcePath::parse(raw) {
            Err(Rejection::Path { reason }) => reason,
            other => panic!("{raw} gave {other:?}"),
        }
    }

    #[test]
    fn every_spelling_of_one_file_is_one_path() {
        for raw in ["/videos/a-b.mp4", "/%76ideos/a%2db.mp4", "/videos/a%2Db%2emp4"] {
            assert_eq!(canonical(raw), "/videos/a-b.mp4", "{raw}");
        }
        for raw in ["/a b/é.mp4", "/a%20b/%c3%a9.mp4", "/a%20b/%C3%A9.mp4"] {
            assert_eq!(canonical(raw), "/a%20b/%C3%A9.mp4", "{raw}");
        }
        assert_eq!(canonical("/a\"<>^`{|}[]#?.mp4"), "/a%22%3C%3E%5E%60%7B%7C%7D%5B%5D%23%3F.mp4");
    }

    #[test]
    fn files_that_an_origin_tells_apart_are_told_apart() {
        let raws = [
            "/a/b.mp4",
            "/a%2Fb.mp4",
            "/a//b.mp4",
            "/a/b.mp4/",
            "/a b.mp4",
            "/a-20b.mp4",
            "/a%2520b.mp4",
            "/a+b.mp4",
            "/a%2Bb.mp4",
            "/A/b.mp4",
            "/a:b.mp4",
            "/a%3Ab.mp4",
        ];
        let mut all: Vec<_> = raws.iter().map(|raw| canonical(raw)).collect();
        all.sort();
        all.dedup();
        assert_eq!(all.len(), raws.len());
    }

    #[test]
    fn dot_segments_are_refused_however_they_are_spelled() {
        for raw in [
            "/..",
            "/.",
            "/a/../b",
            "/a/./b",
            "/%2e%2e/b",
            "/%2E./b",
            "/.%2e/b",
            "/a/%2e",
            "/a%2F..%2Fb",
            "/..%2fb",
        ] {
            assert_eq!(refused(raw), "it has a dot segment", "{raw}");
        }
        for fine in ["/...", "/a..b/.c", "/%252e%252e/b"] {
            assert!(SourcePath::parse(fine).is_ok(), "{fine}");
        }
    }

    #[test]
    fn what_no_file_name_holds_is_refused_with_its_reason() {
        for (raw, reason) in [
            ("", "it does not begin with a slash"),
            ("a.mp4", "it does not begin with a slash"),
            ("/a%00.mp4", "it has a control character"),
            ("/a\u{7}.mp4", "it has a control character"),
            ("/a%7f.mp4", "it has a control character"),
            ("/a%C2%85.mp4", "it has a control character"),
            ("/a\\b.mp4", "it has a backslash"),
            ("/a%5cb.mp4", "it has a backslash"),
            ("/a%", "a percent sign is not followed by two hexadecimal digits"),
            ("/a%2", "a percent sign is not followed by two hexadecimal digits"),
            ("/a%zz", "a percent sign is not followed by two hexadecimal digits"),
            ("/a%+1", "a percent sign is not followed by two hexadecimal digits"),
            ("/a%é", "a percent sign is not followed by two hexadecimal digits"),
            ("/%ff.mp4", "it is not UTF-8 when decoded"),
            ("/%c3/%a9.mp4", "it is not UTF-8 when decoded"),
        ] {
            assert_eq!(refused(raw), reason, "{raw:?}");
        }
    }

    #[test]
    fn a_path_may_be_as_long_as_the_limit_before_and_after_escaping() {
        let longest = format!("/{}", "a".repeat(PATH_BYTES_MAX - 1));
        assert!(SourcePath::parse(&longest).is_ok());
        for (raw, bytes) in [
            (format!("{longest}a"), PATH_BYTES_MAX + 1),
            (format!("/{} ", "a".repeat(PATH_BYTES_MAX - 3)), PATH_BYTES_MAX + 1),
        ] {
            let wanted = Rejection::PathTooLong { bytes, bytes_max: PATH_BYTES_MAX };
            assert_eq!(SourcePath::parse(&raw), Err(wanted));
        }
    }

    #[test]
    fn the_parts_of_a_path_are_where_people_expect_them() {
        for (raw, extension, stem) in [
            ("/clips/A.MP4", Some("MP4"), Some("A")),
            ("/a.tar.m%704", Some("mp4"), Some("a.tar")),
            ("/a", None, Some("a")),
            ("/.mp4", None, Some(".mp4")),
            ("/a.", None, Some("a.")),
            ("/a.mp4/", None, None),
            ("/", None, None),
            ("/a.b/c", None, Some("c")),
        ] {
            let path = SourcePath::parse(raw).unwrap();
            assert_eq!(path.extension(), extension, "{raw}");
            assert_eq!(path.file_stem(), stem, "{raw}");
            let is_video = extension.is_some_and(|it| it.eq_ignore_ascii_case("mp4"));
            assert_eq!(path.is_one_of(&["png".to_owned(), "mp4".to_owned()]), is_video, "{raw}");
        }
        let path = SourcePath::parse("/a/b/c.mp4").unwrap();
        assert_eq!(path.folders().collect::<Vec<_>>(), ["a", "a/b"]);
        assert_eq!(path.without_slash(), "a/b/c.mp4");
        let doubled = SourcePath::parse("//a/b.mp4").unwrap();
        assert_eq!(doubled.folders().collect::<Vec<_>>(), ["/a"]);
        assert_eq!(doubled.without_slash(), "/a/b.mp4");
    }

    proptest! {
        #[test]
        fn what_comes_out_is_canonical_and_safe(raw in "/(%[0-9a-fA-F]{2}|[ -~]|\\PC|[./]){0,40}") {
            if let Ok(path) = SourcePath::parse(&raw) {
                prop_assert!(path.as_str().bytes().all(|byte| byte.is_ascii_graphic()));
                prop_assert!(!path.as_str().split('/').any(|it| it == "." || it == ".."));
                prop_assert_eq!(SourcePath::parse(path.as_str()), Ok(path));
            }
        }

        #[test]
        fn no_text_at_all_makes_it_panic(raw in any::<String>()) {
            let _ = SourcePath::parse(&raw);
            let _ = SourcePath::parse(&format!("/{raw}")).map(|path| path.folders().count());
        }

        #[test]
        fn two_file_names_never_share_a_path(one in "[ -.0-\\[\\]-~é]{1,6}", two in "[ -.0-\\[\\]-~é]{1,6}") {
            let spelled = |name: &str| {
                let mut escaped = String::from("/");
                name.bytes().for_each(|byte| push(&mut escaped, byte, |_| false));
                SourcePath::parse(&escaped)
            };
            if let (Ok(path), Ok(other)) = (spelled(&one), spelled(&two)) {
                prop_assert_eq!(path == other, one == two);
            }
        }
    }
}
