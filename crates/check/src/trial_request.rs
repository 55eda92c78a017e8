//! The request to decide on.

use std::rc::Rc;

use gate::dpop::PROOF_HEADER;
use gate::policy::{Location, Policy};
use gate::request::{Connection, DynamicMetadata, Request};

use crate::arguments::Arguments;

/// What the sender of a request shows.
pub(crate) struct Credentials {
    pub(crate) token: Option<String>,
    /// The proof of possession. With one, the token has the scheme DPoP.
    pub(crate) proof: Option<String>,
}

/// Builds the request that the arguments describe. The token goes into `Authorization` if a provider
/// reads that header, else to the first location of the first provider.
pub(crate) fn build(
    policy: &Policy,
    arguments: &Arguments,
    credentials: &Credentials,
    connection: Connection,
) -> Result<Request<'static>, String> {
    let mut headers = arguments.headers.clone();
    let mut target = match &arguments.url {
        None => arguments.path.clone().unwrap_or_else(|| "/".to_owned()),
        Some(url) => {
            let (scheme, authority, target) = split(url)?;
            headers.push((":scheme".to_owned(), scheme.into()));
            headers.push((":authority".to_owned(), authority.into()));
            target.to_owned()
        }
    };
    if let Some(proof) = &credentials.proof {
        headers.push((PROOF_HEADER.to_owned(), proof.clone().into_bytes()));
    }
    if let (Some(token), Some(_)) = (&credentials.token, &credentials.proof) {
        let value = format!("DPoP {token}").into_bytes();
        headers.push(("authorization".to_owned(), value));
    } else if let Some(token) = &credentials.token {
        let mut locations = policy.providers.iter().flat_map(|one| &one.locations);
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
        (":authority", "localhost".to_owned()),
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
    Ok(request)
}

/// Splits an absolute URL into scheme, authority, and path with query.
fn split(url: &str) -> Result<(&str, &str, &str), String> {
    let (scheme, rest) = url.split_once("://").ok_or("--url: is not absolute")?;
    let path = rest.find('/').unwrap_or(rest.len());
    let (authority, target) = rest.split_at(path);
    let target = if target.is_empty() { "/" } else { target };
    Ok((scheme, authority, target))
}
