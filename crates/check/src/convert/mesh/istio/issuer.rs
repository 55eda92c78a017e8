//! The resources by which proxies of Istio reach an authorization server.

use super::super::address::Address;
use super::super::notes::{Members, Notes};
use super::super::resource::Resource;
use crate::convert::new_value::NewValue;

const NETWORKING: &str = "networking.istio.io/v1";

/// The name of the cluster that Istio makes for this server.
pub(super) fn cluster(address: &Address) -> String {
    format!("outbound|{}||{}", address.port, service(address))
}

/// The name that Istio knows the server by.
fn service(address: &Address) -> String {
    match address.host.rsplit_once('.') {
        Some((_, "svc")) => format!("{}.cluster.local", address.host),
        _ => address.host.clone(),
    }
}

/// Whether the server is a service of the cluster, which Istio knows anyway.
pub(super) fn is_in_cluster(address: &Address) -> bool {
    let host = service(address);
    host.ends_with(".cluster.local") || !host.contains('.')
}

/// Makes the server known to proxies, in the namespace of `policy`.
pub(super) fn documents(
    address: &Address,
    policy: &Resource<'_>,
    notes: &mut Notes,
) -> Vec<NewValue> {
    let host = || NewValue::text(&address.host);
    let path = format!("ServiceEntry {}", address.name());
    let mut entry = head("ServiceEntry", address, policy);
    let mut spec = Members::new();
    notes.review(
        &mut spec,
        &path,
        "istiod fetched the keys; now each proxy does, so it must be allowed to reach the issuer",
    );
    spec.push(("hosts".to_owned(), NewValue::List(vec![host()])));
    spec.push(("location".to_owned(), NewValue::text("MESH_EXTERNAL")));
    spec.push(("resolution".to_owned(), NewValue::text("DNS")));
    let (name, protocol) = if address.is_tls {
        ("https", "HTTPS")
    } else {
        notes.review(
            &mut spec,
            &path,
            "the keys are fetched in plain text: who can change them on their way can make tokens. Use https",
        );
        ("http", "HTTP")
    };
    let port = NewValue::map([
        ("number", NewValue::literal(&address.port.to_string())),
        ("name", NewValue::text(name)),
        ("protocol", NewValue::text(protocol)),
    ]);
    spec.push(("ports".to_owned(), NewValue::List(vec![port])));
    entry.push(("spec".to_owned(), NewValue::Map(spec)));
    let mut documents = vec![NewValue::Map(entry)];
    if address.is_tls {
        let mut rule = head("DestinationRule", address, policy);
        let tls = NewValue::map([
            ("mode", NewValue::text("SIMPLE")),
            ("sni", host()),
            ("subjectAltNames", NewValue::List(vec![host()])),
        ]);
        let policy = NewValue::map([("tls", tls)]);
        let spec = NewValue::map([("host", host()), ("trafficPolicy", policy)]);
        rule.push(("spec".to_owned(), spec));
        documents.push(NewValue::Map(rule));
    }
    documents
}

fn head(kind: &str, address: &Address, policy: &Resource<'_>) -> Members {
    vec![
        ("apiVersion".to_owned(), NewValue::text(NETWORKING)),
        ("kind".to_owned(), NewValue::text(kind)),
        ("metadata".to_owned(), policy.metadata(&address.name())),
    ]
}
