//! Every call of the operator's API, once.

use ::http::Method;

use super::refusal::Refusal;

/// One call.
#[derive(Debug)]
pub struct Route {
    /// How it is asked; HEAD is GET.
    pub method: Method,
    /// Where, below the prefix; `{name}` is any one segment.
    pub path: &'static str,
    /// Who may.
    pub needs: Needs,
    /// Whether it has a body.
    pub takes: Takes,
    /// Parameters of the query that it knows; any other is refused.
    pub query: &'static [&'static str],
    /// What is done.
    pub operation: Operation,
}

/// What a token must be good for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Needs {
    /// Looking.
    Read,
    /// Everything.
    Full,
    /// Everything; looking, where it is only tried (`dry_run`).
    FullUnlessDry,
}

/// What a call is given beside its URL.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Takes {
    /// Nothing: a body is not read.
    Nothing,
    /// One JSON document.
    Json,
}

/// What is done.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Operation {
    /// The configuration and its versions are shown.
    ReadConfig,
    /// Another configuration is put.
    PutConfig,
    /// One version is shown.
    ReadConfigVersion,
    /// Two versions are compared.
    DiffConfig,
    /// An earlier version is put again.
    RollBackConfig,
    /// What is stored is listed.
    ListVariants,
    /// What a request would do is shown.
    Explain,
    /// Renditions are made before anybody asks for them.
    Warm,
    /// How far that is.
    ReadWarm,
    /// What is wrong is shown.
    ReadHealth,
    /// Something is purged.
    Purge,
    /// What was purged is listed.
    ListPurges,
    /// What became of a purge is shown.
    ReadPurge,
    /// This API describes itself.
    ReadOpenApi,
}

const fn get(path: &'static str, query: &'static [&'static str], operation: Operation) -> Route {
    Route { method: Method::GET, path, needs: Needs::Read, takes: Takes::Nothing, query, operation }
}

const fn write(
    method: Method,
    path: &'static str,
    needs: Needs,
    query: &'static [&'static str],
    operation: Operation,
) -> Route {
    Route { method, path, needs, takes: Takes::Json, query, operation }
}

/// Every call.
#[rustfmt::skip] // one row reads as one row
pub static ROUTES: &[Route] = &[
    write(Method::POST, "/purge", Needs::FullUnlessDry, &[], Operation::Purge),
    get("/purge", &["cursor", "limit"], Operation::ListPurges),
    get("/purge/{id}", &[], Operation::ReadPurge),
    get("/config", &[], Operation::ReadConfig),
    write(Method::PUT, "/config", Needs::FullUnlessDry, &["dry_run", "by", "note"], Operation::PutConfig),
    get("/config/versions/{n}", &[], Operation::ReadConfigVersion),
    get("/config/diff", &["from", "to"], Operation::DiffConfig),
    write(Method::POST, "/config/rollback", Needs::Full, &[], Operation::RollBackConfig),
    get("/variants", &["source", "cursor", "limit"], Operation::ListVariants),
    get("/explain", &["url", "header"], Operation::Explain),
    write(Method::POST, "/warm", Needs::Full, &[], Operation::Warm),
    get("/warm/{id}", &[], Operation::ReadWarm),
    get("/health", &[], Operation::ReadHealth),
    get("/openapi.json", &[], Operation::ReadOpenApi),
];

/// The route of a request, and what stands where its pattern has a name.
pub(super) fn find(
    method: &Method,
    path: &str,
) -> Result<(&'static Route, Option<String>), Refusal> {
    let method = if *method == Method::HEAD { &Method::GET } else { method };
    let here: Vec<_> = ROUTES.iter().filter(|route| matches(route.path, path)).collect();
    if here.is_empty() {
        return Err(Refusal::NotFound);
    }
    let allow = || {
        let mut methods: Vec<&str> = here.iter().map(|route| route.method.as_str()).collect();
        if methods.contains(&"GET") {
            methods.push("HEAD");
        }
        Refusal::Method { allow: methods.join(", ") }
    };
    let route = here.iter().find(|route| route.method == *method).ok_or_else(allow)?;
    Ok((route, named(route.path, path).map(str::to_owned)))
}

fn matches(pattern: &str, path: &str) -> bool {
    pattern == path || named(pattern, path).is_some()
}

/// What of a path stands where a pattern has a name, which is its last segment.
fn named<'a>(pattern: &str, path: &'a str) -> Option<&'a str> {
    let (before, _) = pattern.split_once('{')?;
    path.strip_prefix(before).filter(|name| !name.is_empty() && !name.contains('/'))
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;

    fn found(method: &Method, path: &str) -> String {
        match find(method, path) {
            Ok((route, name)) => format!("{:?} {}", route.operation, name.unwrap_or_default()),
            Err(Refusal::Method { allow }) => format!("only {allow}"),
            Err(refusal) => format!("{refusal:?}"),
        }
    }

    #[test]
    fn a_path_and_a_method_lead_to_one_call_or_to_none() {
        for (method, path, call) in [
            (Method::GET, "/config", "ReadConfig "),
            (Method::HEAD, "/config", "ReadConfig "),
            (Method::PUT, "/config", "PutConfig "),
            (Method::DELETE, "/config", "only GET, PUT, HEAD"),
            (Method::GET, "/config/rollback", "only POST"),
            (Method::GET, "/config/versions/17", "ReadConfigVersion 17"),
            (Method::GET, "/config/versions/", "NotFound"),
            (Method::GET, "/config/versions/1/2", "NotFound"),
            (Method::GET, "/config/", "NotFound"),
            (Method::GET, "/Config", "NotFound"),
            (Method::GET, "", "NotFound"),
            (Method::GET, "/", "NotFound"),
        ] {
            assert_eq!(found(&method, path), call, "{method} {path}");
        }
    }

    #[test]
    fn no_two_rows_are_one_call() {
        for (at, route) in ROUTES.iter().enumerate() {
            let named = route.path.split_once('{').map(|(_, name)| name);
            assert!(named.is_none_or(|name| !name.contains('/')), "{}", route.path);
            for other in ROUTES.get(at + 1..).unwrap() {
                assert!(route.operation != other.operation, "{:?}", route.operation);
                assert!(route.path != other.path || route.method != other.method, "{}", route.path);
            }
        }
    }
}
