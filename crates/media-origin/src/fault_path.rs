//! Faults written into the path of a source, for people in a browser.
//!
//! `/fault/<fault>/videos/<name>` is a good source whose transformation suffers;
//! `/source-fault/<fault>/videos/<name>` is a source that suffers itself. They can be stacked.

use percent_encoding::percent_decode_str;

use crate::fault::Fault;

/// A path with the faults taken off its front.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct FaultPath<'a> {
    /// What the transformation of this source suffers.
    pub(crate) on_transform: Vec<Fault>,
    /// What the source itself suffers.
    pub(crate) on_source: Vec<Fault>,
    /// The path of the sample.
    pub(crate) rest: &'a str,
}

impl<'a> FaultPath<'a> {
    /// Reads a percent-encoded path; says in one sentence which fault is none.
    pub(crate) fn parse(path: &'a str) -> Result<Self, String> {
        let mut read = Self { on_transform: Vec::new(), on_source: Vec::new(), rest: path };
        for _ in 0..STACKED_MAX {
            let (stack, after) = if let Some(after) = read.rest.strip_prefix("/fault/") {
                (&mut read.on_transform, after)
            } else if let Some(after) = read.rest.strip_prefix("/source-fault/") {
                (&mut read.on_source, after)
            } else {
                return Ok(read);
            };
            let end = after.find('/').ok_or("no sample follows the fault")?;
            let (fault, rest) = after.split_at(end);
            let fault = percent_decode_str(fault)
                .decode_utf8()
                .map_err(|_| "the fault is not UTF-8".to_owned())?;
            stack.push(Fault::from_path(&fault)?);
            read.rest = rest;
        }
        Err(format!("more than {} faults are stacked", STACKED_MAX - 1))
    }
}

const STACKED_MAX: usize = 5;

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    #[test]
    fn faults_are_taken_off_the_front_of_a_path_for_whom_they_are_meant() {
        let read = FaultPath::parse("/videos/fault/a.mp4").unwrap();
        assert_eq!((read.on_transform.len(), read.on_source.len()), (0, 0));
        let path = "/fault/status-503/source-fault/latency-5/fault/header-A=b%2Fc/videos/a.mp4";
        let read = FaultPath::parse(path).unwrap();
        let header = Fault::Header { name: "A".to_owned(), value: "b/c".to_owned() };
        assert_eq!(read.on_transform, [Fault::Status { status: 503 }, header]);
        assert_eq!(read.on_source, [Fault::Latency { ms: 5 }]);
        assert_eq!(read.rest, "/videos/a.mp4");
    }

    #[test]
    fn an_unknown_fault_or_a_tower_of_them_is_refused() {
        for path in ["/fault/explode/videos/a.mp4", "/fault/reset", "/fault//videos/a.mp4"] {
            assert!(FaultPath::parse(path).is_err(), "{path}");
        }
        let stacked = |n| format!("{}/videos/a.mp4", "/fault/reset".repeat(n));
        assert!(FaultPath::parse(&stacked(4)).is_ok());
        assert!(FaultPath::parse(&stacked(5)).is_err());
    }
}
