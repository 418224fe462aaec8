//! The pattern of an origin rule: a regular expression that is asked only where how a path begins and ends does not decide.
//!
//! Most patterns are like `^/clips/(.+)\.mp4$`, and every request is held to one after the other until one matches.

use regex_lite::{Captures, Regex};

/// A pattern, to be found in canonical paths: in visible ASCII, where `.` is any character.
#[derive(Debug, Clone)]
pub struct Pattern {
    regex: Regex,
    /// What a path begins with that matches.
    head: String,
    /// Behind that, where nothing else decides.
    tail: Option<Tail>,
}

/// Anything, and an end.
#[derive(Debug, Clone)]
struct Tail {
    anything_bytes_min: usize,
    end: String,
}

impl Pattern {
    pub(super) fn new(regex: Regex) -> Self {
        let text = regex.as_str();
        let (head, tail) = match text.strip_prefix('^') {
            // With alternatives not every match begins in the same way.
            Some(anchored) if !text.contains('|') => {
                let (head, rest) = literal(anchored);
                (head, Tail::read(rest))
            }
            Some(_) | None => (String::new(), None),
        };
        Self { regex, head, tail }
    }

    /// The expression as it is configured.
    pub fn as_str(&self) -> &str {
        self.regex.as_str()
    }

    /// Whether it is found in a path.
    pub fn is_match(&self, path: &str) -> bool {
        match (path.strip_prefix(&*self.head), &self.tail) {
            (None, _) => false,
            (Some(rest), Some(Tail { anything_bytes_min, end })) => {
                rest.strip_suffix(&**end).is_some_and(|rest| rest.len() >= *anything_bytes_min)
            }
            (Some(_), None) => self.regex.is_match(path),
        }
    }

    /// What its groups match, where it is found.
    pub fn captures<'path>(&self, path: &'path str) -> Option<Captures<'path>> {
        self.regex.captures(path)
    }
}

impl Tail {
    fn read(pattern: &str) -> Option<Self> {
        if pattern.is_empty() {
            return Some(Self { anything_bytes_min: 0, end: String::new() });
        }
        let one_or_more = pattern.strip_prefix("(.+)").map(|rest| (1, rest));
        let (anything_bytes_min, rest) =
            one_or_more.or_else(|| Some((0, pattern.strip_prefix("(.*)")?)))?;
        let (end, rest) = literal(rest);
        let is_all = rest == "$" || (rest.is_empty() && end.is_empty());
        is_all.then_some(Self { anything_bytes_min, end })
    }
}

/// The text that a pattern begins with, and what follows it.
fn literal(pattern: &str) -> (String, &str) {
    let (mut text, mut rest) = (String::new(), pattern);
    while let Some((character, after)) = itself(rest) {
        text.push(character);
        rest = after;
    }
    (text, rest)
}

/// A first character that stands for itself, once, and what follows it.
fn itself(pattern: &str) -> Option<(char, &str)> {
    let mut characters = pattern.chars();
    let character = match characters.next()? {
        '\\' => characters.next().filter(|it| SPECIAL.contains(*it) || "-/".contains(*it))?,
        special if SPECIAL.contains(special) => return None,
        other => other,
    };
    let rest = characters.as_str();
    (!rest.starts_with(['?', '*', '+', '{'])).then_some((character, rest))
}

/// Characters that do not stand for themselves without a backslash before them.
const SPECIAL: &str = r"\.+*?()|[]{}^$";

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn pattern(text: &str) -> Pattern {
        Pattern::new(Regex::new(text).unwrap())
    }

    #[test]
    fn what_decides_without_the_expression_is_read_off_it() {
        for (text, head, tail) in [
            ("^/(.+)$", "/", Some((1, ""))),
            ("^/videos/", "/videos/", Some((0, ""))),
            (r"^/a\.b\-c/(.*)\.mp4$", "/a.b-c/", Some((0, ".mp4"))),
            ("^/a/(.+)", "/a/", Some((1, ""))),
            (r"^/a/(.+)\.mp4", "/a/", None),
            ("^/a$", "/a", None),
            ("^/a/(.+)/(.+)$", "/a/", None),
            ("^/(?<year>[0-9]+)/(.+)$", "/", None),
            (r"^/v\d/(.+)$", "/v", None),
            ("^/ab?/(.+)$", "/a", None),
            ("^/ab+/(.+)$", "/a", None),
            ("^/ab{2}/(.+)$", "/a", None),
            ("^/(.+)a*$", "/", None),
            (r"^\</(.+)$", "", None),
            ("^(?i)/a/(.+)$", "", None),
            ("^/a|/b/(.+)$", "", None),
            ("/(.+)$", "", None),
            ("", "", None),
        ] {
            let read = pattern(text);
            let found = read.tail.as_ref().map(|it| (it.anything_bytes_min, it.end.as_str()));
            assert_eq!((read.head.as_str(), found), (head, tail), "{text}");
        }
    }

    proptest! {
        #[test]
        fn it_is_found_where_the_expression_is(
            text in r"\^?(/|a|b|\\\.|\\-|b\?|a\*|b\+|[ab]|\(a\|b\)|a\|b|\.){0,4}(\(\.[+*]\))?(\\\.|a|b|b\+|/){0,3}\$?",
            path in "/[ab./-]{0,8}",
        ) {
            let Ok(regex) = Regex::new(&text) else { return Ok(()) };
            prop_assert_eq!(Pattern::new(regex.clone()).is_match(&path), regex.is_match(&path), "{}", text);
        }
    }
}
