//! The rules of a `RequestAuthentication`: what tokens of an issuer must be like.

use super::super::address::Address;
use super::super::jwt_provider::{
    Locations, seconds, write_checks, write_claim_headers, write_local_keys,
};
use super::super::notes::{Members, Notes};
use super::super::resource::{Resource, texts};
use super::condition::ProviderFacts;
use super::issuer;
use crate::convert::new_value::NewValue;
use crate::source_tree::Node;

/// How long Istio waits for keys.
const TIMEOUT: &str = "5s";

/// A rule of a `RequestAuthentication`, which becomes a provider of the gate.
#[derive(Clone, Debug)]
pub(super) struct JwtRule<'n> {
    node: &'n Node,
    pub(super) facts: ProviderFacts,
    /// The name of the provider.
    pub(super) name: String,
    /// What reports call it.
    path: String,
}

impl<'n> JwtRule<'n> {
    /// The rules of the policy `resource`. `claims` are the claims that policies look at.
    pub(super) fn collect(resource: &Resource<'n>, claims: &[&str]) -> Vec<Self> {
        let rules = resource.spec("jwt_rules").map(Node::items);
        let rules = rules.unwrap_or_default().iter().enumerate();
        let rules = rules.map(|(index, node)| {
            let number = index.saturating_add(1);
            let name = if number == 1 {
                resource.name.to_owned()
            } else {
                format!("{}-{number}", resource.name)
            };
            let delimited = texts(node.get("space_delimited_claims"));
            let mut delimited = ["scope", "permission"].into_iter().chain(delimited);
            Self {
                node,
                facts: ProviderFacts {
                    issuer: node.text_of("issuer").unwrap_or_default().to_owned(),
                    scope_claim: delimited
                        .find(|name| claims.contains(name))
                        .map(str::to_owned),
                },
                name,
                path: format!("{}: jwtRules[{index}]", resource.path()),
            }
        });
        rules.collect()
    }

    fn jwks_uri(&self) -> Option<&'n str> {
        let uri = self.node.text_of("jwks_uri");
        uri.filter(|uri| !uri.is_empty())
    }

    fn jwks(&self) -> Option<&'n str> {
        self.node.text_of("jwks").filter(|keys| !keys.is_empty())
    }

    /// The server that keys are fetched from, unless they are in the rule.
    pub(super) fn server(&self, notes: &mut Notes) -> Option<Address> {
        if self.jwks().is_some() {
            return None;
        }
        let position = self.node.range.start;
        let Some(uri) = self.jwks_uri() else {
            let found = Address::parse(&self.facts.issuer);
            if found.is_none() {
                let text = "has neither jwksUri nor jwks, and its issuer is no URL whose metadata name the keys: write \
                            jwksUri";
                notes.refuse(position, &self.path, text);
            }
            return found;
        };
        let found = Address::parse(uri);
        if found.as_ref().is_none_or(Address::is_ip) {
            let text = "jwksUri must be an http or https URI with the name of a host: Istio has no cluster for an address";
            notes.refuse(position, &self.path, text);
            return None;
        }
        found
    }

    /// The provider of the gate. If the gate `is_first`, the policy itself sees the token, too.
    pub(super) fn to_provider(
        &self,
        server: Option<&Address>,
        is_first: bool,
        notes: &mut Notes,
    ) -> NewValue {
        let node = self.node;
        let path = self.path.as_str();
        let mut members = Members::new();
        let audiences = texts(node.get("audiences"));
        write_checks(
            &mut members,
            notes,
            path,
            Some(&self.facts.issuer),
            &audiences,
        );
        if let Some(keys) = self.jwks() {
            write_local_keys(&mut members, notes, path, keys);
        } else if let Some(server) = server {
            self.write_remote_keys(&mut members, server, notes);
        }
        self.locations().write(&mut members, notes, path);
        let is_forwarded = node
            .get("forward_original_token")
            .is_some_and(Node::is_true);
        if is_first && !is_forwarded {
            let text = "the RequestAuthentication stays, and needs the token behind the gate";
            notes.review(&mut members, path, text);
        }
        if is_first || is_forwarded {
            members.push(("forward".to_owned(), NewValue::literal("true")));
        }
        if let Some(header) = node.text_of("output_payload_to_header") {
            members.push(("forward_payload_header".to_owned(), NewValue::text(header)));
        }
        let headers = node.get("output_claim_to_headers").map(Node::items);
        let headers: Vec<(&str, &str)> = headers
            .unwrap_or_default()
            .iter()
            .filter_map(|item| Some((item.text_of("header")?, item.text_of("claim")?)))
            .collect();
        if !headers.is_empty() {
            write_claim_headers(&mut members, notes, path, &headers, node.range.start);
        }
        if let Some(claim) = &self.facts.scope_claim {
            let claims = NewValue::List(vec![NewValue::text(claim)]);
            members.push(("scope_claims".to_owned(), claims));
        }
        NewValue::Map(members)
    }

    fn write_remote_keys(&self, members: &mut Members, server: &Address, notes: &mut Notes) {
        let timeout = seconds(self.node.get("timeout")).unwrap_or_else(|| TIMEOUT.to_owned());
        let cluster = ("cluster", NewValue::Text(issuer::cluster(server)));
        let timeout = ("timeout", NewValue::Text(timeout));
        let mut inner = Members::new();
        if let Some(uri) = self.jwks_uri() {
            let uri = ("uri", NewValue::text(uri));
            let http = NewValue::map([uri, cluster, timeout]);
            inner.push(("http_uri".to_owned(), http));
        } else {
            notes.review(
                &mut inner,
                &self.path,
                "as in Istio, the metadata of the issuer name the key set. Both are fetched from this cluster: if the key \
                 set is on another host, write http_uri with its URI in place of discovery",
            );
            let discovery = NewValue::map([cluster, timeout]);
            inner.push(("discovery".to_owned(), discovery));
        }
        members.push(("remote_jwks".to_owned(), NewValue::Map(inner)));
    }

    fn locations(&self) -> Locations<'n> {
        let headers = self.node.get("from_headers").map(Node::items);
        let headers = headers.unwrap_or_default().iter();
        Locations {
            headers: headers
                .map(|header| {
                    let text = |name| header.text_of(name).unwrap_or_default();
                    (text("name"), text("prefix"))
                })
                .collect(),
            parameters: texts(self.node.get("from_params")),
            cookies: texts(self.node.get("from_cookies")),
        }
    }
}
