//! The request to decide on.

use std::rc::Rc;

use gate::dpop::PROOF_HEADER;
use gate::policy::{Location, Provider};
use gate::request::{Connection, DynamicMetadata, Request};

use crate::arguments::Arguments;

/// Builds the request that the arguments describe. The `token` goes into `Authorization` if one of
/// the `providers` reads that header, else to the first location of the first. With a `proof`, its scheme is DPoP.
pub(crate) fn build(
    providers: &[Rc<Provider>],
    arguments: &Arguments,
    token: Option<&str>,
    proof: Option<&str>,
    connection: Connection,
) -> Request<'static> {
    let [scheme, authority, mut target] = arguments.url.clone().unwrap_or_else(|| {
        let path = arguments.path.clone();
        let path = path.unwrap_or_else(|| "/".to_owned());
        ["https".to_owned(), "localhost".to_owned(), path]
    });
    let mut headers = arguments.headers.clone();
    if let (Some(token), Some(proof)) = (token, proof) {
        let value = format!("DPoP {token}").into_bytes();
        headers.push(("authorization".to_owned(), value));
        headers.push((PROOF_HEADER.to_owned(), proof.as_bytes().to_vec()));
    } else if let Some(token) = token {
        let mut locations = providers.iter().flat_map(|one| &one.locations);
        let first = locations.clone().next();
        let authorization = locations.find(|one| one.header() == Some("authorization"));
        match authorization.or(first).map(|location| &**location) {
            Some(Location::Header { name, prefix }) => {
                let value = format!("{prefix} {token}").trim_start().to_owned();
                headers.push((name.clone(), value.into_bytes()));
            }
            Some(Location::Cookie(name)) => {
                let value = format!("{name}={token}");
                headers.push(("cookie".to_owned(), value.into_bytes()));
            }
            Some(Location::Parameter(name)) => {
                target.push(if target.contains('?') { '&' } else { '?' });
                target.extend([name, "=", token]);
            }
            None => {}
        }
    }
    let method = arguments.method.clone().unwrap_or_else(|| "GET".to_owned());
    let defaults = [
        (":method", method),
        (":path", target),
        (":scheme", scheme),
        (":authority", authority),
    ];
    for (name, value) in defaults {
        if !headers.iter().any(|(known, _)| known == name) {
            headers.push((name.to_owned(), value.into_bytes()));
        }
    }
    let headers = headers.into_iter();
    let mut request =
        Request::from_headers(headers.map(|(name, value)| (name.into_bytes(), value)));
    let requirement = arguments.requirement.clone();
    request.requirement_name = requirement.map(String::into_bytes);
    if let Some(source) = &arguments.metadata {
        request.dynamic_metadata = DynamicMetadata::new(Rc::clone(source));
    }
    request.connection = connection;
    request
}
