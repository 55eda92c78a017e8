//! `spec.jwt` of a `SecurityPolicy`: what tokens must be like.

use super::super::address::Address;
use super::super::jwt_provider::{
    Locations, seconds, write_checks, write_claim_headers, write_local_keys,
};
use super::super::notes::{Members, Notes};
use super::super::problem::Problem;
use super::super::resource::{Resource, texts};
use super::super::tokens::Tokens;
use super::cluster::Cluster;
use crate::convert::new_value::NewValue;
use crate::source_tree::Node;

/// How long Envoy Gateway lets its proxies wait for keys.
const TIMEOUT: &str = "10s";

/// How long its proxies keep keys.
const CACHE_DURATION: &str = "300s";

/// `spec.jwt`.
#[derive(Debug)]
pub(super) struct Jwt<'n> {
    providers: Vec<Provider<'n>>,
    pub(super) is_optional: bool,
    /// Whether bad tokens pass, too.
    pub(super) is_open: bool,
    pub(super) problems: Vec<Problem>,
}

#[derive(Debug)]
struct Provider<'n> {
    node: &'n Node,
    name: &'n str,
    keys: Keys<'n>,
}

/// Where keys are.
#[derive(Debug)]
enum Keys<'n> {
    Remote { uri: &'n str, cluster: Cluster },
    Local(&'n str),
}

impl<'n> Jwt<'n> {
    /// Reads the policy `policy`. What cannot be read is refused.
    pub(super) fn parse(
        policy: &Resource<'n>,
        resources: &[Resource<'n>],
        notes: &mut Notes,
    ) -> Option<Self> {
        let jwt = policy.spec("jwt")?;
        let mut providers = Vec::new();
        let mut problems = Vec::new();
        let items = jwt.get("providers").map(Node::items).unwrap_or_default();
        for node in items {
            match Keys::parse(node, policy, resources) {
                Ok(keys) => providers.push(Provider {
                    node,
                    name: node.text_of("name").unwrap_or_default(),
                    keys,
                }),
                Err((position, text)) => notes.refuse(position, &policy.path(), &text),
            }
            let settings = node
                .get("remoteJWKS")
                .and_then(|remote| remote.entry("backend_settings"));
            if let Some(settings) = settings {
                problems.push(Problem {
                    position: settings.key_range.start,
                    text: "backendSettings are left out: write what you need of them into the cluster of the EnvoyProxy"
                        .to_owned(),
                });
            }
        }
        if items.is_empty() {
            notes.refuse(jwt.range.start, &policy.path(), "has no providers");
        }
        let is_true = |name| jwt.get(name).is_some_and(Node::is_true);
        notes.refusals.is_empty().then(|| Self {
            providers,
            is_optional: is_true("optional") || is_true("fail_open"),
            is_open: is_true("fail_open"),
            problems,
        })
    }

    /// The names of the providers.
    pub(super) fn names(&self) -> Vec<String> {
        let names = self
            .providers
            .iter()
            .map(|provider| provider.name.to_owned());
        names.collect()
    }

    /// The clusters that keys come from.
    pub(super) fn clusters(&self) -> impl Iterator<Item = &Cluster> {
        self.providers
            .iter()
            .filter_map(|provider| match &provider.keys {
                Keys::Remote { cluster, .. } => Some(cluster),
                Keys::Local(_) => None,
            })
    }

    /// The tokens with which a request passes, whatever else is asked.
    pub(super) fn tokens(&self) -> Tokens {
        let number = self.providers.len();
        if self.is_optional {
            Tokens::optional(number)
        } else {
            Tokens::any(number)
        }
    }

    /// The providers of the gate.
    pub(super) fn to_providers(&self, notes: &mut Notes, path: &str) -> NewValue {
        let providers = self.providers.iter().map(|provider| {
            let path = format!("{path}: jwt.providers {}", provider.name);
            (provider.name.to_owned(), provider.to_value(notes, &path))
        });
        NewValue::Map(providers.collect())
    }
}

impl<'n> Keys<'n> {
    fn parse(
        provider: &'n Node,
        policy: &Resource<'n>,
        resources: &[Resource<'n>],
    ) -> Result<Self, (usize, String)> {
        if let Some(local) = provider.get("localJWKS") {
            let inline = local.text_of("inline");
            let keys = inline.or_else(|| config_map(local.get("value_ref")?, policy, resources));
            return keys.map(Self::Local).ok_or_else(|| {
                let text = "the ConfigMap with the keys is not among the files: name its file in the same command";
                (local.range.start, text.to_owned())
            });
        }
        let remote = provider.get("remoteJWKS");
        let uri = remote.and_then(|remote| remote.text_of("uri"));
        let address = uri.and_then(Address::parse);
        let (Some(remote), Some(uri), Some(address)) = (remote, uri, address) else {
            let text = "a provider needs localJWKS, or remoteJWKS with an http or https URI";
            return Err((provider.range.start, text.to_owned()));
        };
        let references = remote
            .get("backend_refs")
            .map(Node::items)
            .unwrap_or_default();
        let cluster = Cluster::new(&address, references, policy, resources)
            .map_err(|text| (remote.range.start, text))?;
        Ok(Self::Remote { uri, cluster })
    }
}

/// The key set in a `ConfigMap`: its member `jwks`, or else its first.
fn config_map<'n>(
    reference: &Node,
    policy: &Resource<'_>,
    resources: &[Resource<'n>],
) -> Option<&'n str> {
    let name = reference.text_of("name")?;
    let mut all = resources.iter();
    let map = all.find(|resource| {
        resource.kind == "ConfigMap"
            && resource.name == name
            && (resource.namespace.is_none() || resource.namespace == policy.namespace)
    })?;
    let data = map.node.get("data")?;
    let first = || data.entries().first().and_then(|entry| entry.value.text());
    data.text_of("jwks").or_else(first)
}

impl<'n> Provider<'n> {
    fn to_value(&self, notes: &mut Notes, path: &str) -> NewValue {
        let node = self.node;
        let mut members = Members::new();
        let audiences = texts(node.get("audiences"));
        let issuer = node.text_of("issuer").filter(|issuer| !issuer.is_empty());
        write_checks(&mut members, notes, path, issuer, &audiences);
        match &self.keys {
            Keys::Local(keys) => write_local_keys(&mut members, notes, path, keys),
            Keys::Remote { uri, cluster } => {
                if cluster.is_plain() {
                    let text = "the keys are fetched in plain text: who can change them on their way can make tokens. Use \
                                https";
                    notes.review(&mut members, path, text);
                }
                let remote = self.remote_keys(uri, cluster);
                members.push(("remote_jwks".to_owned(), remote));
            }
        }
        self.locations().write(&mut members, notes, path);
        notes.review(
            &mut members,
            path,
            "Envoy Gateway forwards tokens to the service: delete the line if the service does not need them",
        );
        members.push(("forward".to_owned(), NewValue::literal("true")));
        let headers = node
            .get("claim_to_headers")
            .map(Node::items)
            .unwrap_or_default();
        let headers: Vec<(&str, &str)> = headers
            .iter()
            .filter_map(|item| Some((item.text_of("header")?, item.text_of("claim")?)))
            .collect();
        if !headers.is_empty() {
            write_claim_headers(&mut members, notes, path, &headers, node.range.start);
        }
        if node.get("recompute_route").is_some_and(Node::is_true) {
            members.push(("clear_route_cache".to_owned(), NewValue::literal("true")));
        }
        NewValue::Map(members)
    }

    fn remote_keys(&self, uri: &str, cluster: &Cluster) -> NewValue {
        let remote = self.node.get("remoteJWKS");
        let field = |name: &str| seconds(remote?.get(name));
        let http = NewValue::map([
            ("uri", NewValue::text(uri)),
            ("cluster", NewValue::text(&cluster.name)),
            ("timeout", NewValue::text(TIMEOUT)),
        ]);
        let cache = field("cache_duration").unwrap_or_else(|| CACHE_DURATION.to_owned());
        let mut members = vec![
            ("http_uri".to_owned(), http),
            ("cache_duration".to_owned(), NewValue::Text(cache)),
        ];
        if let Some(duration) = field("failed_refetch_duration") {
            let fetch = NewValue::map([("failed_refetch_duration", NewValue::Text(duration))]);
            members.push(("async_fetch".to_owned(), fetch));
        }
        NewValue::Map(members)
    }

    fn locations(&self) -> Locations<'n> {
        let from = self.node.get("extract_from");
        let field = |name: &str| from.and_then(|from| from.get(name));
        let headers = field("headers").map(Node::items).unwrap_or_default();
        Locations {
            headers: headers
                .iter()
                .map(|header| {
                    let text = |name| header.text_of(name).unwrap_or_default();
                    (text("name"), text("value_prefix"))
                })
                .collect(),
            parameters: texts(field("params")),
            cookies: texts(field("cookies")),
        }
    }
}
