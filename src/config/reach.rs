//! Where a configuration lets sources be, and whether everything it names itself may be asked.

use super::check::Errors;
use super::reader::At;
use super::template::{self, Piece};
use crate::guard::address::Address;
use crate::guard::reach::{Reach, in_public};

/// Stands for what a capture will be.
const SOME_CAPTURE: &str = "x";

/// Reads `sources.allow`, or what stands for it where it is empty, and holds every address of the document against it.
pub(super) fn reach(root: &At<'_>, errors: &mut Errors) -> Reach {
    let private = root.at("sources").flag("allowPrivate");
    for at in ["transformer.baseUrl", "transformer.relayBaseUrl", "passThrough.url"] {
        if let Some((group, key)) = at.split_once('.') {
            judged(&root.at(group).at(key), private, errors);
        }
    }
    let listed = root.at("sources").elements("allow");
    let allow: Vec<_> = listed.iter().filter_map(|at| judged(at, private, errors)).collect();

    let templates: Vec<_> = root
        .elements("origins")
        .iter()
        .flat_map(|origin| origin.elements("sources"))
        .map(|source| source.at("url"))
        .collect();
    let own_host = templates.iter().any(|at| at.own_text().starts_with(template::REQUEST_ORIGIN));
    let named: Vec<_> =
        templates.into_iter().filter_map(|at| Some((judged(&at, private, errors)?, at))).collect();
    if listed.is_empty() {
        let origins = named.iter().filter_map(|(address, _)| address.join("/").ok()).collect();
        return Reach::new(origins, own_host, private);
    }
    let reach = Reach::new(allow, false, private);
    for (address, at) in &named {
        // What is below its host is known with the request.
        if errors.clean("sources.allow") && !reach.has_origin(address) {
            let advice =
                format!("add {} to sources.allow, or leave out the source", address.origin());
            errors.push(at.path(), shown(at), "allowed".to_owned(), advice);
        }
    }
    reach
}

/// The address that stands here, with something in the place of captures; an error where it may not be asked.
///
/// `None` for what is reported already, and for a request's own host, which is judged with the request.
fn judged(at: &At<'_>, private: bool, errors: &mut Errors) -> Option<Address> {
    let text = filled(&at.own_text())?;
    if !errors.clean(at.path()) {
        return None;
    }
    let address = Address::parse(&text).and_then(|address| {
        in_public(&address, private)?;
        Ok(address)
    });
    match address {
        Ok(address) => Some(address),
        Err(refusal) => {
            let mend = if refusal.is_of_the_inside() {
                "name a public one, or set sources.allowPrivate where this is meant"
            } else {
                "name another"
            };
            let wanted = "an address that may be asked".to_owned();
            errors.push(at.path(), shown(at), wanted, format!("{refusal}: {mend}"));
            None
        }
    }
}

fn shown(at: &At<'_>) -> String {
    super::check::shown(at.path(), &at.own_text().into())
}

fn filled(template: &str) -> Option<String> {
    let Ok(pieces) = template::pieces(template) else {
        // A plain address, without captures and perhaps without a path.
        return (!template.is_empty()).then(|| template.to_owned());
    };
    pieces
        .into_iter()
        .map(|piece| match piece {
            Piece::RequestOrigin => None,
            Piece::Literal(text) => Some(text),
            Piece::Index(_) | Piece::Name(_) => Some(SOME_CAPTURE),
        })
        .collect()
}
