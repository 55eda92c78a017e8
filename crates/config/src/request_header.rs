//! Headers that the operator adds to requests for documents.

use gate::fetching::RequestHeader;

use super::environment::{self, Environment};
use super::object::object;
use super::place::Place;
use super::scalar::{HeaderName, NonEmpty};

object! {
    pub(crate) struct RequestHeaderWire("RequestHeader", "Request header") {
        /// The name of the header.
        name: required HeaderName,
        /// Its value.
        value: optional NonEmpty,
        /// The environment variable of the VM that contains the value.
        value_environment_variable: optional NonEmpty,
    }
}

/// Builds the headers in the field `headers` of the object at this place. `authorized` says whether it has
/// credentials, too.
pub(crate) fn build_all(
    at: &Place<'_>,
    wires: Option<Vec<RequestHeaderWire>>,
    authorized: bool,
    environment: Environment<'_>,
) -> Vec<RequestHeader> {
    let headers = at.build_list("headers", wires, |wire, at| wire.build(at, environment));
    let list = at.field("headers");
    for (index, header) in headers.iter().enumerate() {
        let mut others = headers.iter().take(index);
        if others.any(|other| other.name == header.name) {
            list.report("must not name a header twice");
        }
        if authorized && header.name == "authorization" {
            list.report("must not name authorization, which the field authorization sets");
        }
    }
    headers
}

impl RequestHeaderWire {
    fn build(self, at: &Place<'_>, environment: Environment<'_>) -> Option<RequestHeader> {
        let HeaderName(name) = self.name;
        if let Some(problem) = problem(&name) {
            at.field("name").report(problem);
        }
        let (value, value_name) = match (self.value, self.value_environment_variable) {
            (Some(NonEmpty(value)), None) => {
                if !environment::is_header_value(&value) {
                    at.field("value").report(NOT_A_VALUE);
                }
                (value.clone(), format!("={value}"))
            }
            (None, Some(NonEmpty(variable))) => {
                let at = at.field("value_environment_variable");
                let value = environment::header_value(&at, &variable, environment)?;
                (value, variable)
            }
            (None, None) => return at.refuse("needs value or value_environment_variable"),
            (Some(_), Some(_)) => {
                return at.refuse("has both value and value_environment_variable");
            }
        };
        Some(RequestHeader {
            name,
            value,
            value_name,
        })
    }
}

const NOT_A_VALUE: &str = "must be visible ASCII characters, with spaces only between them";

/// Why the operator cannot set the header `name`; `None` if that is possible.
fn problem(name: &str) -> Option<&'static str> {
    Some(match name {
        _ if name.starts_with(':') => "must not be a pseudo-header: the URI says where requests go",
        "host" => "must not be host: the URI says where requests go",
        "connection" | "keep-alive" | "proxy-connection" | "te" | "trailer"
        | "transfer-encoding" | "upgrade" => {
            "must not belong to a single connection: Envoy manages these headers"
        }
        "content-length" | "content-type" | "expect" => {
            "must not describe a body: requests have none"
        }
        "accept" | "user-agent" => "must not be accept or user-agent, which the filter sets",
        "accept-encoding" => {
            "must not be accept-encoding: the filter cannot read a compressed response"
        }
        "if-match"
        | "if-none-match"
        | "if-modified-since"
        | "if-unmodified-since"
        | "if-range"
        | "range" => {
            "must not make requests conditional: the filter sends if-none-match where it can"
        }
        _ => return None,
    })
}
