//! The clusters that key sets, revocation lists and introspection come from.

use super::warning::Warning;
use crate::source_tree::Node;

/// Warns of the clusters that `provider` names, as `file` defines them.
pub(super) fn check(provider: &Node, file: &Node, warnings: &mut Vec<Warning>) {
    let remote = provider.get("remote_jwks");
    let sources = [
        remote.and_then(|remote| remote.get("http_uri")),
        remote.and_then(|remote| remote.get("discovery")),
        provider
            .get("revocation")
            .and_then(|one| one.get("http_uri")),
        provider
            .get("introspection")
            .and_then(|one| one.get("http_uri")),
    ];
    for source in sources.into_iter().flatten() {
        let Some(name) = source.get("cluster") else {
            continue;
        };
        let uri = source.text_of("uri").or_else(|| provider.text_of("issuer"));
        cluster(name, uri.unwrap_or_default(), file, warnings);
    }
}

/// Warns of the cluster that the node `name` names, to which requests for `uri` go.
fn cluster(name: &Node, uri: &str, file: &Node, warnings: &mut Vec<Warning>) {
    let at = name.range.start;
    let name = name.text().unwrap_or_default();
    if uri.starts_with("http://") && !is_local(uri) {
        let text =
            format!("{uri} is fetched in plain text: anyone on the way can replace the answer");
        warnings.push(Warning::new("plain-text", at, text));
    }
    let resources = file.get("static_resources");
    let clusters = resources.and_then(|resources| resources.get("clusters"));
    let is_dynamic = file
        .get("dynamic_resources")
        .is_some_and(|one| one.get("cds_config").is_some());
    let Some(resources) = resources else {
        return;
    };
    let known = clusters.map(Node::items).unwrap_or_default();
    let Some(cluster) = known
        .iter()
        .find(|cluster| cluster.text_of("name") == Some(name))
    else {
        if !is_dynamic && resources.get("listeners").is_some() {
            let text = format!("there is no cluster {name:?} in this file");
            warnings.push(Warning::new("unknown-cluster", at, text));
        }
        return;
    };
    if !uri.starts_with("https://") {
        return;
    }
    let socket = cluster
        .get("transport_socket")
        .or_else(|| cluster.get("transport_socket_matches"));
    let Some(socket) = socket else {
        let text = format!("the cluster {name:?} has no TLS, although the URI is {uri}");
        warnings.push(Warning::new("plain-text", at, text));
        return;
    };
    let Some(tls) = socket.get("typed_config") else {
        return;
    };
    let is_tls = tls
        .type_url()
        .is_some_and(|kind| kind.ends_with("UpstreamTlsContext"));
    if is_tls && !is_verified(tls) {
        let text = format!(
            "the cluster {name:?} does not check the certificate and its name: give it trusted_ca and match_typed_subject_alt_names or \
             auto_san_validation"
        );
        warnings.push(Warning::new("tls-validation", at, text));
    }
}

/// Whether a TLS context checks the certificate of the server and its name.
fn is_verified(tls: &Node) -> bool {
    let Some(common) = tls.get("common_tls_context") else {
        return false;
    };
    // What comes by SDS is not in the file.
    if common.get("validation_context_sds_secret_config").is_some() {
        return true;
    }
    let combined = common.get("combined_validation_context");
    let is_discovered =
        combined.is_some_and(|one| one.get("validation_context_sds_secret_config").is_some());
    let context = common
        .get("validation_context")
        .or_else(|| combined.and_then(|one| one.get("default_validation_context")));
    let Some(context) = context else {
        return is_discovered;
    };
    let has_ca = is_discovered
        || [
            "trusted_ca",
            "system_root_certs",
            "verify_certificate_spki",
            "verify_certificate_hash",
        ]
        .iter()
        .any(|name| context.get(name).is_some());
    let has_name = [
        "match_typed_subject_alt_names",
        "match_subject_alt_names",
        "verify_certificate_spki",
        "verify_certificate_hash",
    ]
    .iter()
    .any(|name| context.get(name).is_some())
        || tls.get("auto_san_validation").is_some_and(Node::is_true);
    has_ca && has_name
}

/// Whether the host of the URI is this machine.
fn is_local(uri: &str) -> bool {
    let host = uri.strip_prefix("http://").unwrap_or(uri);
    ["localhost", "127.", "[::1]"]
        .iter()
        .any(|local| host.starts_with(local))
}
