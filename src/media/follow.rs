//! A source is asked, and followed where it leads: not far, not everywhere, and never with what it may not have.

use http::{HeaderName, HeaderValue, Method, header};

use super::sources::Source;
use crate::cache::ports::{Body, Call, Fault, Host, Purpose, Reply, Upstream};
use crate::config::Config;
use crate::guard::address::Address;
use crate::guard::reach::Reach;
use crate::guard::refusal::Refusal;
use crate::limits::SOURCE_REDIRECTS_MAX;
use crate::request::ask::Ask;

/// A question to a source.
#[derive(Debug)]
pub struct Errand {
    /// Why it is asked.
    pub purpose: Purpose,
    /// GET or HEAD.
    pub method: Method,
    /// Everything that is sent, credentials included.
    pub headers: Vec<(HeaderName, HeaderValue)>,
    /// Milliseconds for all hops together.
    pub budget_ms: u32,
}

/// The address of a source, where it may be asked.
pub fn address(ask: &Ask, config: &Config, source: &Source) -> Result<Address, Fault> {
    let refused = |why| Fault::Refused { what: origin_of(&source.url).to_owned(), why };
    config.sources.reach.address(&source.url, &ask.origin()).map_err(refused)
}

/// Asks a source, and goes where it sends us: at most [`SOURCE_REDIRECTS_MAX`] times (RFC 9110, 15.4).
///
/// Every address is judged before it is asked: none outside of `sources.allow`, none of the inside, none over http
/// after https; and none of another origin where the source has credentials, for they would go along.
pub async fn fetch<H: Host>(
    host: &H,
    ask: &Ask,
    config: &Config,
    source: &Source,
    errand: Errand,
) -> Result<Reply<H::Body>, Fault> {
    let Errand { purpose, method, headers, budget_ms } = errand;
    let began_ms = host.now_ms();
    let mut at = address(ask, config, source)?;
    let mut call = Call { purpose, method, url: at.url(), headers, budget_ms };
    for followed in 0..=SOURCE_REDIRECTS_MAX {
        let reply = host.upstream().fetch(&call).await?;
        let Some(location) = redirect(&reply) else { return Ok(reply) };
        reply.body.discard();
        if followed == SOURCE_REDIRECTS_MAX {
            break;
        }
        let has_credentials = source.auth.is_some();
        at = next(&config.sources.reach, &at, &location, &ask.origin(), has_credentials)?;
        call.url = at.url();
        let spent_ms = host.now_ms().saturating_sub(began_ms);
        call.budget_ms = budget_ms.saturating_sub(u32::try_from(spent_ms).unwrap_or(u32::MAX));
        if call.budget_ms == 0 {
            return Err(Fault::TimedOut { budget_ms });
        }
    }
    Err(refused(&at, None, Refusal::TooManyRedirects))
}

/// Where an answer says that the same is to be found; GET and HEAD stay what they are.
fn redirect<B>(reply: &Reply<B>) -> Option<String> {
    let location = reply.headers.get(header::LOCATION)?;
    // What is not even ASCII leads nowhere, and is refused by name.
    let location = String::from_utf8_lossy(location.as_bytes()).into_owned();
    matches!(reply.status, 301 | 302 | 303 | 307 | 308).then_some(location)
}

fn next(
    reach: &Reach,
    from: &Address,
    location: &str,
    own_origin: &str,
    has_credentials: bool,
) -> Result<Address, Fault> {
    let to = from.join(location).map_err(|why| refused(from, None, why))?;
    let judged = if from.is_secure() && !to.is_secure() {
        Err(Refusal::Downgrade)
    } else if has_credentials && !from.is_same_origin(&to) {
        Err(Refusal::Credentials)
    } else {
        reach.admits(&to, own_origin)
    };
    match judged {
        Ok(()) => Ok(to),
        Err(why) => Err(refused(from, Some(&to), why)),
    }
}

/// Paths and queries stay out of it: they may hold a signature.
fn refused(from: &Address, to: Option<&Address>, why: Refusal) -> Fault {
    let what = match to {
        Some(to) => format!("a redirect of {} to {}", from.origin(), to.origin()),
        None => format!("a redirect of {}", from.origin()),
    };
    Fault::Refused { what, why }
}

/// `https://host:port` of an absolute URL; the whole of it when it has no path.
pub(super) fn origin_of(url: &str) -> &str {
    let after_scheme = url.find("://").map_or(0, |at| at + 3);
    let end = url
        .get(after_scheme..)
        .and_then(|rest| rest.find(['/', '?', '#']))
        .map_or(url.len(), |at| after_scheme + at);
    url.get(..end).unwrap_or(url)
}
