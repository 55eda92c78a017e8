//! Providers.

use std::collections::BTreeMap;

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use fastrand::Rng;
use serde_json::{Value, json};

use super::dice::{chance, one_of, some_of};
use super::key_set::{self, Listed};
use super::matcher;
use super::requirement::AUDIENCES;
use crate::case::Served;

/// A provider, and what tokens for it are made of.
#[derive(Clone, Debug)]
pub(crate) struct Provider {
    pub(crate) name: String,
    /// When tokens arrive, in seconds since the epoch.
    pub(crate) now: i64,
    pub(crate) fields: Value,
    pub(crate) keys: Vec<Listed>,
    /// What its key server publishes, by cluster.
    pub(crate) documents: BTreeMap<String, Served>,
    pub(crate) environment: BTreeMap<String, String>,
    /// Whether many of its tokens are bound to certificates.
    pub(crate) binds_to_certificates: bool,
    /// The signers to whose keys many of its tokens are bound.
    pub(crate) proof_signers: Vec<usize>,
}

/// Issuers. Two differ by a slash only.
pub(crate) const ISSUERS: [&str; 4] = [
    "https://a.example",
    "https://a.example/",
    "https://b.example",
    "https://c.example",
];

/// Templates of issuers. What one of them stands for, another one may be exactly.
pub(crate) const TEMPLATES: [&str; 4] = [
    "https://login.example/{tid}/v2.0",
    "https://login.example/{tid}/{org.id}",
    "https://a.example/{org.id}",
    "https://login.example/a/v2.0",
];

/// A provider of this name.
pub(crate) fn draw(rng: &mut Rng, name: &str, now: i64) -> Provider {
    let mut provider = Provider {
        name: name.to_owned(),
        now,
        fields: json!({}),
        keys: Vec::new(),
        documents: BTreeMap::new(),
        environment: BTreeMap::new(),
        binds_to_certificates: false,
        proof_signers: Vec::new(),
    };
    provider.introspection(rng);
    provider.key_source(rng);
    provider.revocation(rng);
    provider.checks(rng);
    provider.places(rng);
    provider.forwarding(rng);
    provider
}

impl Provider {
    fn set(&mut self, name: &str, value: impl Into<Value>) {
        self.fields[name] = value.into();
    }

    fn introspection(&mut self, rng: &mut Rng) {
        if chance(rng, 15) {
            let mut endpoint = json!({
                "http_uri": uri(&format!("introspection-{}", self.name)),
                "client_id": "gate",
                "client_secret_environment_variable": "SECRET",
            });
            if chance(rng, 60) {
                endpoint["for"] = json!(one_of(rng, &["all", "opaque"]));
            }
            self.set("introspection", endpoint);
            self.environment
                .insert("SECRET".to_owned(), "secret".to_owned());
        }
    }

    fn key_source(&mut self, rng: &mut Rng) {
        if self.fields.get("introspection").is_some() && chance(rng, 40) {
            return;
        }
        let is_local = chance(rng, 60);
        let (document, keys) = key_set::draw(rng, is_local);
        self.keys = keys;
        let mut source = if is_local {
            match rng.u8(0..10) {
                0 => json!({"inline_bytes": STANDARD.encode(&document)}),
                1 => {
                    let variable = format!("KEYS_{}", self.name);
                    let source = json!({"environment_variable": variable});
                    self.environment.insert(variable, document);
                    source
                }
                _ => json!({"inline_string": document}),
            }
        } else {
            let cluster = format!("keys-{}", self.name);
            let source = json!({"http_uri": uri(&cluster)});
            let served = match rng.u8(0..20) {
                0 => Served::failing(),
                1 => Served::ok(&json!({"keys": [{"kty": "AKP"}]})),
                2 => Served::ok("no JSON"),
                _ => Served::ok(&document),
            };
            self.documents.insert(cluster, served);
            source
        };
        if chance(rng, 8) {
            source["key_uses"] = json!(["jwt-svid", "sig"]);
        }
        self.set(
            if is_local {
                "local_jwks"
            } else {
                "remote_jwks"
            },
            source,
        );
        if is_local && chance(rng, 25) {
            let names = ["HS256", "HS512", "ES256", "EdDSA", "RS256"];
            self.set("algorithms", some_of(rng, &names));
        } else if chance(rng, 15) {
            let names = ["ES256", "Ed25519", "RS256", "PS256", "ES384"];
            self.set("algorithms", some_of(rng, &names));
        }
    }

    fn revocation(&mut self, rng: &mut Rng) {
        if chance(rng, 15) {
            let cluster = format!("list-{}", self.name);
            let mut source = json!({"http_uri": uri(&cluster)});
            if chance(rng, 30) {
                source["on_unavailable"] = json!(one_of(rng, &["allow", "deny"]));
            }
            self.set("revocation", source);
        }
    }

    fn checks(&mut self, rng: &mut Rng) {
        if chance(rng, 15) {
            self.set(
                "issuers",
                some_of(rng, &[&ISSUERS[..2], &TEMPLATES].concat()),
            );
        } else if chance(rng, 75) {
            self.set("issuer", one_of(rng, &ISSUERS));
        }
        if chance(rng, 55) {
            self.set("audiences", some_of(rng, &AUDIENCES));
        }
        if chance(rng, 15) {
            let subjects = matcher::text(rng, &["alice", "spiffe://example/a", "bob"]);
            self.set("subjects", subjects);
        }
        let has_issuer = self.fields.get("issuer").or(self.fields.get("issuers"));
        if has_issuer.is_some() && self.fields.get("audiences").is_some() && chance(rng, 25) {
            self.set("profile", "rfc9068");
        } else if chance(rng, 12) {
            let types = ["at+jwt", "JWT", "", "application/x+jwt"];
            self.set("types", some_of(rng, &types));
        }
        if chance(rng, 30) {
            self.set("clock_skew_seconds", one_of(rng, &[0, 1, 60, 300]));
        }
        if chance(rng, 20) {
            self.set("require_expiration", rng.bool());
        }
        if chance(rng, 10) {
            let constraints = [
                "when_present",
                "required",
                "certificate",
                "ignore",
                "ignore",
            ];
            let constraint = one_of(rng, &constraints);
            self.binds_to_certificates = constraint == "certificate";
            self.set("sender_constraint", constraint);
        }
        if chance(rng, 15) {
            self.set("max_lifetime", one_of(rng, &["3600s", "7200s", "0.5s"]));
        }
        if chance(rng, 10) {
            let claims = json!([
                ["scope"],
                ["roles", ["https://example.com", "scope"]],
                ["scp", "realm_access.roles"],
                []
            ]);
            let index = rng.usize(0..4);
            self.set("scope_claims", claims[index].clone());
        }
        match rng.u8(0..20) {
            0 => self.set("jwt_cache_config", json!({"jwt_cache_size": 0})),
            1 => self.set("jwt_cache_config", json!({"jwt_max_token_size": 32768})),
            2 => self.set(
                "jwt_cache_config",
                json!({"jwt_cache_size": 2, "jwt_max_token_size": 400}),
            ),
            _ => {}
        }
    }

    fn places(&mut self, rng: &mut Rng) {
        if chance(rng, 55) {
            return;
        }
        if chance(rng, 60) {
            let headers = [
                json!({"name": "x-token"}),
                json!({"name": "X-Token", "value_prefix": "JWT "}),
                json!({"name": "authorization", "value_prefix": "Bearer "}),
                json!({"name": "authorization", "value_prefix": "Token"}),
                json!({"name": "x_api_token"}),
                json!({"name": "authorization", "value_prefix": "bearer"}),
            ];
            self.set("from_headers", some_of(rng, &headers));
        }
        if chance(rng, 40) {
            self.set(
                "from_params",
                some_of(rng, &["access_token", "token", "a b"]),
            );
        }
        if chance(rng, 35) {
            self.set("from_cookies", some_of(rng, &["session", "jwt"]));
        }
    }

    /// Tokens come in the header `Authorization` only.
    pub(super) fn read_from_authorization_only(&mut self) {
        if let Some(fields) = self.fields.as_object_mut() {
            fields.retain(|name, _| !name.starts_with("from_"));
        }
    }

    fn forwarding(&mut self, rng: &mut Rng) {
        if chance(rng, 25) {
            self.set("forward", rng.bool());
        }
        if chance(rng, 25) {
            self.set(
                "forward_payload_header",
                one_of(rng, &["x-payload", "X-Payload", "x_payload"]),
            );
            if rng.bool() {
                self.set("pad_forward_payload_header", rng.bool());
            }
        }
        if chance(rng, 35) {
            let headers = [
                json!({"header_name": "x-sub", "claim_name": "sub"}),
                json!({"header_name": "X-Tier", "claim_name": "tier"}),
                json!({"header_name": "x-roles", "claim_name": "realm_access.roles"}),
                json!({"header_name": "x-tenant", "claim_path": ["https://example.com/tenant", {"key": "id"}]}),
                json!({"header_name": "x-sub", "claim_path": ["tier"]}),
                json!({"header_name": "x-level", "claim_name": "level"}),
                json!({"header_name": "x-realm", "claim_name": "realm_access"}),
            ];
            self.set("claim_to_headers", some_of(rng, &headers));
        }
        if chance(rng, 15) {
            let states = [
                json!({"key": "sub", "claim_name": "sub"}),
                json!({"key": "scope", "claim_name": "scope"}),
                json!({"key": "level", "claim_path": ["level"]}),
            ];
            self.set("claims_to_filter_state", some_of(rng, &states));
            if rng.bool() {
                let claims = json!({"space_delimited_claims": ["scope"]});
                self.set("normalize_payload_in_metadata", claims);
            }
        }
        if chance(rng, 15) {
            self.set("clear_route_cache", rng.bool());
        }
    }
}

fn uri(cluster: &str) -> Value {
    json!({"uri": format!("https://{cluster}.example/"), "cluster": cluster})
}
