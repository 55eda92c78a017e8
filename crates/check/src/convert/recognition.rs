//! How a configuration of `jwt_authn` is recognised.

use crate::source_tree::Node;

/// Whether this is the type of `jwt_authn`'s configuration.
pub(super) fn is_native(type_url: &str) -> bool {
    type_url.ends_with("envoy.extensions.filters.http.jwt_authn.v3.JwtAuthentication")
}

/// The configuration of `jwt_authn` that the message `node` is or contains.
pub(super) fn native_of(node: &Node) -> Option<&Node> {
    let kind = node.type_url()?;
    if is_native(kind) {
        return Some(node);
    }
    let is_struct = kind.ends_with(".TypedStruct");
    let native = is_struct.then(|| node.text_of("type_url")).flatten()?;
    is_native(native).then(|| node.get("value")).flatten()
}

/// Whether the conversion changes what is in `node`.
pub(super) fn is_converted(node: &Node) -> bool {
    let kinds = [node.type_url(), node.text_of("type_url")];
    let mut kinds = kinds.into_iter().flatten();
    kinds.any(|kind| kind.contains("filters.http.jwt_authn.v3.")) || is_bare(node)
}

/// Whether a document is a configuration of `jwt_authn` by itself.
pub(super) fn is_bare(document: &Node) -> bool {
    let has = |name: &str| document.entry(name).is_some();
    let is_map = |name: &str| document.get(name).is_some_and(Node::is_map);
    (is_map("providers") || is_map("requirement_map"))
        && ![
            "@type",
            "kind",
            "static_resources",
            "filter_chains",
            "resources",
            "name",
        ]
        .iter()
        .any(|name| has(name))
}

/// The kind of a resource for which a control plane writes `jwt_authn`, and the command that shows what it writes.
pub(super) fn unread_resource(document: &Node) -> Option<(&str, &'static str)> {
    let kind = document.text_of("kind")?;
    let command = match kind {
        "RequestAuthentication" | "AuthorizationPolicy" => "istioctl proxy-config all POD -o json",
        "SecurityPolicy" => "egctl config envoy-proxy all POD -o json",
        _ => return None,
    };
    Some((kind, command))
}
