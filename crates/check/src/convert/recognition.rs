//! How a configuration of `jwt_authn` is recognised.

use crate::config_file::ConfigFile;
use crate::configuration::Configuration;
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

/// Whether the filter `node` has the name of `jwt_authn` and no type, so that Envoy refuses it.
pub(super) fn lacks_type(node: &Node) -> bool {
    let typed = node.get("typed_config").and_then(Node::type_url);
    let others = ["config", "config_discovery"];
    node.text_of("name") == Some("envoy.filters.http.jwt_authn")
        && typed.is_none()
        && !others.iter().any(|name| node.entry(name).is_some())
        && !node.get("is_optional").is_some_and(Node::is_true)
}

/// Why such a filter is refused.
pub(super) const LACKS_TYPE: &str = "has the name of jwt_authn and no `typed_config` with an `@type`, so Envoy refuses it: \
                                     write its configuration there, or take the filter out";

/// Why nothing in a file is to be converted.
pub(super) fn nothing_to_convert(text: &str, documents: &[Node]) -> &'static str {
    let file = ConfigFile::parse(text.as_bytes());
    let gates = file.map(|file| Configuration::find_all(&file));
    // A configuration by itself may be anyone's.
    let is_gate = |gate: &Configuration| !gate.path.is_empty();
    if documents.iter().all(Node::is_null) {
        "is empty"
    } else if gates.is_ok_and(|gates| gates.iter().any(is_gate)) {
        "has bearer-gate and no jwt_authn filter: give the file before the conversion"
    } else {
        "has no jwt_authn filter: neither a JwtAuthentication with its @type, nor a PerRouteConfig, nor a configuration \
         with providers, nor a policy of Istio or Envoy Gateway about tokens"
    }
}
