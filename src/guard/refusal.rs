//! Why an address is not fetched: every reason has a name.

use thiserror::Error;

/// Why an address is not fetched. Operators read it; viewers never do.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Error)]
pub enum Refusal {
    /// Longer than any address of a video.
    #[error("it is too long")]
    TooLong,
    /// A character that no URL has as it is: whitespace, a control, a backslash, a letter beyond ASCII.
    #[error("it has a character that no URL has")]
    Spelling,
    /// Neither `http://` nor `https://`.
    #[error("it does not begin with http:// or https://")]
    Scheme,
    /// A user, or a password.
    #[error("it has a user or a password in it")]
    UserInfo,
    /// No host, or one that is neither a name nor an address.
    #[error("it has no host that could be one")]
    Host,
    /// No port from 1 to 65535.
    #[error("its port is none")]
    Port,
    /// A number where an address has four: `2130706433`, `0x7f.1`, `127.1`, `0177.0.0.1`.
    #[error("its host is a number in another form than a.b.c.d")]
    OddNumber,
    /// A segment `.` or `..`, however it is written.
    #[error("its path has a dot segment")]
    DotSegment,
    /// 127.0.0.0/8, `::1` (RFC 1122 3.2.1.3, RFC 4291 2.5.3).
    #[error("it is of the machine itself (loopback)")]
    Loopback,
    /// RFC 1918, and `fc00::/7`, `fec0::/10` (RFC 4193, RFC 3879).
    #[error("it is of a private network")]
    Private,
    /// 169.254.0.0/16, `fe80::/10` (RFC 3927, RFC 4291 2.5.6): metadata services of clouds are here.
    #[error("it is link-local")]
    LinkLocal,
    /// 100.64.0.0/10 (RFC 6598).
    #[error("it is shared by a carrier's customers")]
    Shared,
    /// 0.0.0.0/8, `::` (RFC 1122 3.2.1.3, RFC 4291 2.5.2).
    #[error("it is no place at all (unspecified)")]
    Unspecified,
    /// 224.0.0.0/4, `ff00::/8` (RFC 5771, RFC 4291 2.7).
    #[error("it is of many at once (multicast)")]
    Multicast,
    /// For documents (RFC 5737, RFC 3849, RFC 9637).
    #[error("it is for documents only")]
    Documentation,
    /// For measurements (RFC 2544, RFC 5180).
    #[error("it is for measurements only")]
    Benchmarking,
    /// Everything else that is not the public internet (RFC 6890 and its registry).
    #[error("it is reserved")]
    Reserved,
    /// An IPv6 address with an IPv4 address inside: mapped, compatible, translated, 6to4, Teredo, NAT64, ISATAP.
    #[error("it hides an IPv4 address in an IPv6 address")]
    Embedded,
    /// `localhost`, a name without a dot, or one below `.localhost`, `.local`, `.internal`, `.home.arpa`.
    #[error("it is a name of the local network")]
    LocalName,
    /// `sources.allow` does not have it.
    #[error("sources.allow does not have it")]
    NotAllowed,
    /// A redirect from https to http.
    #[error("it leads from https to http")]
    Downgrade,
    /// A redirect of a source with credentials to another origin.
    #[error("credentials do not go to another origin")]
    Credentials,
    /// A redirect after as many as are followed.
    #[error("it is one redirect too many")]
    TooManyRedirects,
}

impl Refusal {
    /// Whether `sources.allowPrivate` lifts it: what an operator may well have set up on purpose.
    ///
    /// Never link-local addresses, where clouds keep their credentials, and never what has no reason to be asked.
    pub const fn is_of_the_inside(self) -> bool {
        matches!(self, Self::Loopback | Self::Private | Self::Shared | Self::LocalName)
    }
}
