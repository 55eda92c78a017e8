//! The cluster that a proxy of Envoy Gateway fetches keys from.

use super::super::address::Address;
use super::super::resource::Resource;
use crate::convert::new_value::NewValue;
use crate::source_tree::Node;

/// A cluster for an authorization server.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Cluster {
    pub(super) name: String,
    /// Hosts and ports.
    endpoints: Vec<(String, u16)>,
    /// The name in its certificate, if it uses TLS.
    server_name: Option<String>,
}

impl Cluster {
    /// The cluster for the server of this URI, which is behind the backends `references` if there are any.
    ///
    /// # Errors
    ///
    /// A backend whose address is not known.
    pub(super) fn new(
        address: &Address,
        references: &[Node],
        policy: &Resource<'_>,
        resources: &[Resource<'_>],
    ) -> Result<Self, String> {
        let mut endpoints = Vec::new();
        for reference in references {
            endpoints.extend(backend(reference, policy, resources)?);
        }
        if endpoints.is_empty() {
            endpoints.push((address.host.clone(), address.port));
        }
        Ok(Self {
            name: address.name(),
            endpoints,
            server_name: address.is_tls.then(|| address.host.clone()),
        })
    }

    /// Whether keys come in plain text.
    pub(super) const fn is_plain(&self) -> bool {
        self.server_name.is_none()
    }

    /// The cluster as Envoy reads it.
    pub(super) fn to_value(&self) -> NewValue {
        let endpoints = self.endpoints.iter().map(|(host, port)| {
            let address = NewValue::map([
                ("address", NewValue::text(host)),
                ("port_value", NewValue::literal(&port.to_string())),
            ]);
            let address = NewValue::map([("socket_address", address)]);
            let endpoint = NewValue::map([("address", address)]);
            NewValue::map([("endpoint", endpoint)])
        });
        let endpoints = NewValue::map([("lb_endpoints", NewValue::List(endpoints.collect()))]);
        let assignment = NewValue::map([
            ("cluster_name", NewValue::text(&self.name)),
            ("endpoints", NewValue::List(vec![endpoints])),
        ]);
        let mut members = vec![
            ("name".to_owned(), NewValue::text(&self.name)),
            ("type".to_owned(), NewValue::text("STRICT_DNS")),
            ("connect_timeout".to_owned(), NewValue::text("5s")),
            ("load_assignment".to_owned(), assignment),
        ];
        if let Some(name) = &self.server_name {
            members.push(("transport_socket".to_owned(), tls(name)));
        }
        NewValue::Map(members)
    }
}

/// TLS with a certificate for this name.
fn tls(name: &str) -> NewValue {
    const AUTHORITIES: &str = "/etc/ssl/certs/ca-certificates.crt";
    const CONTEXT: &str =
        "type.googleapis.com/envoy.extensions.transport_sockets.tls.v3.UpstreamTlsContext";
    let authorities = NewValue::map([("filename", NewValue::text(AUTHORITIES))]);
    let exact = NewValue::map([("exact", NewValue::text(name))]);
    let names = NewValue::map([("san_type", NewValue::text("DNS")), ("matcher", exact)]);
    let validation = NewValue::map([
        ("trusted_ca", authorities),
        ("match_typed_subject_alt_names", NewValue::List(vec![names])),
    ]);
    let common = NewValue::map([("validation_context", validation)]);
    let context = NewValue::map([
        ("@type", NewValue::text(CONTEXT)),
        ("sni", NewValue::text(name)),
        ("common_tls_context", common),
    ]);
    NewValue::map([
        ("name", NewValue::text("envoy.transport_sockets.tls")),
        ("typed_config", context),
    ])
}

/// The endpoints of a backend.
fn backend(
    reference: &Node,
    policy: &Resource<'_>,
    resources: &[Resource<'_>],
) -> Result<Vec<(String, u16)>, String> {
    let name = reference.text_of("name").unwrap_or_default();
    let kind = reference.text_of("kind").unwrap_or("Service");
    let namespace = reference.text_of("namespace").or(policy.namespace);
    let port = |node: &Node| {
        node.text_of("port")
            .and_then(|port| port.parse::<u16>().ok())
    };
    if kind == "Service" {
        let port = port(reference).ok_or_else(|| format!("the Service {name} has no port here"))?;
        let namespace = namespace.unwrap_or("default");
        return Ok(vec![(
            format!("{name}.{namespace}.svc.cluster.local"),
            port,
        )]);
    }
    let mut all = resources.iter();
    let is_backend = |resource: &&Resource<'_>| {
        resource.kind == kind
            && resource.name == name
            && (resource.namespace.is_none() || resource.namespace == namespace)
    };
    let endpoints = all
        .find(is_backend)
        .and_then(|backend| backend.spec("endpoints"));
    let endpoints = endpoints.map(Node::items).unwrap_or_default().iter();
    let found: Option<Vec<(String, u16)>> = endpoints
        .map(|endpoint| {
            let fqdn = endpoint.get("fqdn");
            let host = fqdn.and_then(|fqdn| fqdn.text_of("hostname"));
            let ip = endpoint.get("ip");
            let host = host.or_else(|| ip?.text_of("address"))?;
            Some((host.to_owned(), port(fqdn.or(ip)?)?))
        })
        .collect();
    found.filter(|found| !found.is_empty()).ok_or_else(|| {
        format!("the {kind} {name} is not among the files, so its address is not known: name its file in the same command")
    })
}
