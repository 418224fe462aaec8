//! Origin rules: patterns, sources in their order, credentials by name.

use regex_lite::Regex;

use super::check::Errors;
use super::pattern::Pattern;
use super::reader::At;
use super::template::Piece;
use super::{Origin, Source, SourceAuth, build, guard, kind, template};

/// Reads the rules; `inherited` fills in what a rule leaves out.
pub(super) fn origins(
    root: &At<'_>,
    inherited: &build::Inherited<'_>,
    errors: &mut Errors,
) -> Vec<Origin> {
    let cache = inherited.cache;
    let mut origins: Vec<Origin> = Vec::new();
    for at in root.elements("origins") {
        let name = at.text("name");
        let name_path = at.at("name").path().to_owned();
        if errors.clean(&name_path) && origins.iter().any(|origin| origin.name == name) {
            errors.push(
                &name_path,
                format!("\"{name}\""),
                "unique".to_owned(),
                "give every rule its own name: it is in the cache keys".to_owned(),
            );
        }
        // Without a pattern (already reported) there is no rule to build.
        let Ok(pattern) = kind::compile(&at.text("pattern")) else { continue };
        let pattern_is_good = errors.clean(at.at("pattern").path());
        let sources = sources(&at, pattern_is_good.then_some(&pattern), errors);
        let tiers = at.at("cache");
        let parameters = at.at("parameters");
        let limits = guard::limits(&at.at("limits"), Some(inherited.limits));
        let ladder = guard::ladder(&at.at("ladder"), Some(inherited.ladder), errors);
        origins.push(Origin {
            name,
            pattern: Pattern::new(pattern),
            sources,
            lifetimes: build::lifetimes(&at, Some(inherited.lifetimes)),
            kv: cache.kv && tiers.flag("kv"),
            edge: cache.edge && tiers.flag("edge"),
            quality: build::quality(&at.text("quality")),
            tags: at.texts("tags"),
            access: guard::access(&at.text("access")),
            parameters: parameters.value("allow").map(|_| parameters.texts("allow")),
            limits,
            ladder: ladder.within(&limits),
        });
    }
    origins
}

fn sources(origin: &At<'_>, pattern: Option<&Regex>, errors: &mut Errors) -> Vec<Source> {
    let mut sources: Vec<(u64, Source)> = Vec::new();
    for at in origin.elements("sources") {
        let url = at.text("url");
        if let Some(pattern) = pattern {
            check_captures(&at, &url, pattern, errors);
        }
        let priority = at.required("priority");
        // Behind its equals: they stay as written.
        let place = sources.partition_point(|(other, _)| *other <= priority);
        sources.insert(place, (priority, Source { url, auth: auth(&at, errors) }));
    }
    sources.into_iter().map(|(_, source)| source).collect()
}

/// A capture that the pattern does not make would be an empty piece of path.
fn check_captures(at: &At<'_>, url: &str, pattern: &Regex, errors: &mut Errors) {
    for piece in template::pieces(url).unwrap_or_default() {
        let (missing, found) = match piece {
            Piece::Index(index) => (index >= pattern.captures_len(), format!("${{{index}}}")),
            Piece::Name(name) => {
                let known = pattern.capture_names().flatten().any(|known| known == name);
                (!known, format!("${{{name}}}"))
            }
            Piece::RequestOrigin | Piece::Literal(_) => continue,
        };
        if missing {
            errors.push(
                at.at("url").path(),
                found,
                "a group of the rule's pattern".to_owned(),
                "add the group to the pattern, as (…) or (?<name>…), or use one it has".to_owned(),
            );
        }
    }
}

fn auth(source: &At<'_>, errors: &mut Errors) -> Option<SourceAuth> {
    let at = source.at("auth");
    let comparable = errors.clean(at.path());
    let kind = at.optional_text("type");
    let secret = at.optional_text("secret");
    let header = at.optional_text("header");
    let mut missing = |key: &str, wanted: &str| {
        if comparable {
            errors.push(
                at.at(key).path(),
                "nothing".to_owned(),
                wanted.to_owned(),
                "write auth whole, or leave it out".to_owned(),
            );
        }
        None
    };
    let Some(kind) = kind else {
        return if secret.is_some() || header.is_some() {
            missing("type", "how the source is told the secret: bearer, basic or header")
        } else {
            None
        };
    };
    let Some(secret) = secret else { return missing("secret", "the name of a secret") };
    match (kind.as_str(), header) {
        ("header", Some(header)) => Some(SourceAuth::Header { header, secret }),
        ("header", None) => missing("header", "the name of the header that carries the secret"),
        (_, Some(_)) => {
            if comparable {
                errors.push(
                    at.at("header").path(),
                    "a header".to_owned(),
                    format!("of use with type {kind}"),
                    "leave it out, or write type header".to_owned(),
                );
            }
            None
        }
        ("basic", None) => Some(SourceAuth::Basic { secret }),
        (_, None) => Some(SourceAuth::Bearer { secret }),
    }
}
