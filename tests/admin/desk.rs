//! An operator at work: a call, and what came of it.

use http::{HeaderMap, HeaderName, HeaderValue, Method};
use serde_json::Value;
use video_resizer::front::{self, Handled};
use video_resizer::request::ask::Ask;

use crate::fakes::body::FakeBody;
use crate::fakes::run::run;
use crate::fakes::viewer::{ADMIN_TOKEN, House};
use crate::fakes::world::Operation;

/// The token of those who look.
pub(crate) const READ_TOKEN: &str = "a looker's long token";

/// A call.
#[derive(Debug, Clone)]
pub(crate) struct Call {
    ask: Ask,
    body: Vec<u8>,
}

/// What came of it.
#[derive(Debug)]
pub(crate) struct Came {
    pub(crate) status: u16,
    pub(crate) headers: HeaderMap,
    pub(crate) text: String,
    /// What was asked of the platform.
    pub(crate) cost: Vec<&'static str>,
}

/// By an operator, of the path and query below the prefix.
pub(crate) fn call(method: Method, target: &str) -> Call {
    at(method, &format!("/_resizer{target}")).with("authorization", &bearer(ADMIN_TOKEN))
}

/// By anybody, of any path.
pub(crate) fn at(method: Method, target: &str) -> Call {
    let (path, query) = target.split_once('?').unwrap_or((target, ""));
    let ask = Ask {
        method,
        scheme: "https".to_owned(),
        host: "v.example".to_owned(),
        path: path.to_owned(),
        query: query.to_owned(),
        headers: HeaderMap::new(),
    };
    Call { ask, body: Vec::new() }
}

pub(crate) fn get(target: &str) -> Call {
    call(Method::GET, target)
}

pub(crate) fn put(target: &str, document: &Value) -> Call {
    call(Method::PUT, target).sending(document.to_string())
}

pub(crate) fn post(target: &str, document: &Value) -> Call {
    call(Method::POST, target).sending(document.to_string())
}

pub(crate) fn bearer(token: &str) -> String {
    format!("Bearer {token}")
}

impl Call {
    pub(crate) fn with(mut self, name: &'static str, value: &str) -> Self {
        let value = HeaderValue::from_str(value).unwrap();
        self.ask.headers.insert(HeaderName::from_static(name), value);
        self
    }

    pub(crate) fn by_a_looker(self) -> Self {
        self.with("authorization", &bearer(READ_TOKEN))
    }

    /// A body of JSON.
    pub(crate) fn sending(mut self, body: impl Into<Vec<u8>>) -> Self {
        self.body = body.into();
        self.with("content-type", "application/json")
    }

    /// A body that says nothing of what it is.
    pub(crate) fn of_no_type(mut self) -> Self {
        self.ask.headers.remove("content-type");
        self
    }
}

/// A house with both tokens.
pub(crate) fn house(more: &Value) -> House {
    let house = House::new(more);
    house.host.secrets.borrow_mut().insert("ADMIN_READ_TOKEN".to_owned(), READ_TOKEN.to_owned());
    house
}

/// Makes a call, and looks at what holds of every answer.
#[track_caller]
pub(crate) fn make(house: &House, call: &Call) -> Came {
    run(made(house, call))
}

/// As [`make`], beside others.
pub(crate) async fn made(house: &House, call: &Call) -> Came {
    let Call { ask, body } = call;
    let (host, config) = (&house.host, &house.config);
    let before = host.world.take_journal();
    assert!(before.is_empty() || before.iter().all(|it| it.kind() != "transform"));
    let reply = match front::handle(host, ask, config).await {
        Handled::Answer { reply, owed } => {
            assert!(owed.is_none(), "an operator's answer owes nothing");
            reply
        }
        Handled::Admin(admitted) => {
            let body = FakeBody::whole(&host.world, body.clone().into());
            front::administer(host, ask, config, admitted, body).await
        }
        Handled::PassThrough { url, .. } => panic!("{call:?} was passed on to {url}"),
    };
    assert_eq!(host.world.bodies().leaked, 0, "a body was left open by {call:?}");
    let read = reply.body.read();
    let cost = host.world.take_journal().iter().map(Operation::kind).collect();
    let text = String::from_utf8(read.bytes).unwrap();
    let came = Came { status: reply.status, headers: reply.headers, text, cost };
    assert_eq!(came.header("cache-control"), "no-store", "{came:?}");
    assert_eq!(came.header("content-length"), came.text.len().to_string());
    assert_eq!(came.header("x-request-id").len(), 32);
    assert_eq!(came.header("access-control-allow-origin"), "", "no page of another site reads it");
    let kind = if came.status < 400 || came.is_report() { "json" } else { "problem+json" };
    assert_eq!(came.header("content-type"), format!("application/{kind}"), "{came:?}");
    came
}

impl Came {
    /// The state of the house is told with a status of its own.
    fn is_report(&self) -> bool {
        self.status == 503 && self.text.contains("\"healthy\"")
    }

    pub(crate) fn header(&self, name: &str) -> &str {
        self.headers.get(name).map_or("", |value| value.to_str().unwrap())
    }

    #[track_caller]
    pub(crate) fn json(&self) -> Value {
        serde_json::from_str(&self.text).unwrap_or_else(|error| panic!("{error}: {}", self.text))
    }

    /// It is done.
    #[track_caller]
    pub(crate) fn good(&self) -> Value {
        assert_eq!(self.status, 200, "{}", self.text);
        self.json()
    }

    /// It is not, and why; with what is named.
    #[track_caller]
    pub(crate) fn bad(&self, status: u16, code: &str) -> Vec<String> {
        let problem = self.json();
        assert_eq!((self.status, &problem["code"]), (status, &Value::from(code)), "{problem}");
        assert_eq!(problem["status"], status);
        let errors = problem["errors"].as_array().cloned().unwrap_or_default();
        errors.iter().map(|error| error["at"].as_str().unwrap().to_owned()).collect()
    }
}
