//! The `EnvoyProxy` that gives proxies the clusters that keys come from.

use super::super::notes::{Members, Notes};
use super::super::resource::Resource;
use super::cluster::Cluster;
use crate::convert::new_value::NewValue;

/// The resource, in the namespace of `policy`.
pub(super) fn document(
    policy: &Resource<'_>,
    clusters: &[Cluster],
    has_oidc: bool,
    notes: &mut Notes,
) -> NewValue {
    const NAME: &str = "bearer-gate";
    let path = "EnvoyProxy bearer-gate";
    let mut spec = Members::new();
    let text = "this counts only if the Gateway names it in infrastructure.parametersRef. If yours names another EnvoyProxy, \
                add filterOrder and the patches there. Changing the bootstrap restarts the proxies";
    notes.review(&mut spec, path, text);
    // A token that oauth2 puts into the request must be there before the gate looks for it.
    let before = if has_oidc { "oauth2" } else { "cors" };
    let order = NewValue::map([
        ("name", NewValue::text("envoy.filters.http.wasm")),
        (
            "after",
            NewValue::Text(format!("envoy.filters.http.{before}")),
        ),
    ]);
    spec.push(("filterOrder".to_owned(), NewValue::List(vec![order])));
    let patches = clusters.iter().map(|cluster| {
        NewValue::map([
            ("op", NewValue::text("add")),
            ("path", NewValue::text("/static_resources/clusters/-")),
            ("value", cluster.to_value()),
        ])
    });
    let bootstrap = NewValue::map([
        ("type", NewValue::text("JSONPatch")),
        ("jsonPatches", NewValue::List(patches.collect())),
    ]);
    spec.push(("bootstrap".to_owned(), bootstrap));
    NewValue::map([
        (
            "apiVersion",
            NewValue::text("gateway.envoyproxy.io/v1alpha1"),
        ),
        ("kind", NewValue::text("EnvoyProxy")),
        ("metadata", policy.metadata(NAME)),
        ("spec", NewValue::Map(spec)),
    ])
}
