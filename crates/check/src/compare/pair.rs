//! Both filters, ready to judge the same requests.

use std::path::Path;

use gate::policy::Policy;
use gate::time::Timestamp;
use serde_json::Value;

use super::chain::Chain;
use super::header_list::HeaderList;
use super::native::NativeFilter;
use super::native::fields::get;
use super::native::status::NativeStatus;
use super::provider_key::ProviderKeys;
use super::reduced;
use super::route_table::{RouteTable, Selected};
use super::side::Side;
use crate::arguments::Arguments;
use crate::config_file::ConfigFile;
use crate::configuration::Configuration;
use crate::convert;
use crate::given::Given;
use crate::trial::{Outcome, Trial};

/// The `jwt_authn` filters of a chain, and the gate in their place.
pub(crate) struct Pair {
    /// The bootstraps with one and the other.
    pub(crate) native_bootstrap: Value,
    pub(crate) gate_bootstrap: Value,
    pub(crate) native: Vec<NativeFilter>,
    pub(crate) gate: Vec<GateFilter>,
    pub(crate) routes: RouteTable,
    pub(crate) keys: ProviderKeys,
    /// What the conversion marks with REVIEW.
    pub(crate) reviews: Vec<String>,
    native_names: Vec<(String, bool)>,
}

/// A filter of the gate.
pub(crate) struct GateFilter {
    name: String,
    off_by_default: bool,
    pub(crate) policy: Policy,
    /// Its configuration.
    pub(crate) json: Value,
    given: Given,
}

impl Pair {
    /// Gives the filters of `chain` keys of their own, and converts them. Every route leads to this port.
    ///
    /// # Errors
    ///
    /// Why they cannot be converted, or what the model does not support.
    pub(crate) fn new(
        chain: &Chain,
        module: &str,
        directory: &Path,
        upstream: u16,
    ) -> Result<Self, String> {
        let mut keys = ProviderKeys::default();
        let native_bootstrap = reduced::bootstrap(chain, &mut keys, upstream)?;
        let converted = convert::convert(&native_bootstrap.to_string(), module, directory);
        let converted = converted.map_err(|failures| {
            let failures = failures.iter().map(|failure| failure.text.clone());
            failures.collect::<Vec<_>>().join("\n")
        })?;
        let file = ConfigFile::parse(converted.text.as_bytes())
            .map_err(|error| format!("the result {error}"))?;
        let gate_bootstrap = file.documents.first().cloned().unwrap_or_default();
        let names = reduced::filters_of_type(&gate_bootstrap, ".wasm.v3.Wasm");
        let configurations = Configuration::find_all(&file);
        let gate = configurations.iter().zip(names);
        let gate = gate.map(|(configuration, (name, off_by_default))| {
            let policy = gate_config::parse(&configuration.json, &|_| None);
            let policy = policy.map_err(|error| error.to_string())?;
            Ok(GateFilter {
                name,
                off_by_default,
                given: Given::read(&policy, &Arguments::default())?,
                policy,
                json: serde_json::from_slice(&configuration.json).unwrap_or_default(),
            })
        });
        let native = reduced::filter_configs(&native_bootstrap).into_iter();
        let native = native.map(|config| NativeFilter::parse(config, &keys));
        Ok(Self {
            native: native.collect::<Result<_, String>>()?,
            gate: gate.collect::<Result<_, String>>()?,
            routes: RouteTable::parse(Self::routes_of(&native_bootstrap)),
            native_names: reduced::filters_of_type(&native_bootstrap, ".JwtAuthentication"),
            reviews: converted.reviews.into_iter().map(|one| one.text).collect(),
            native_bootstrap,
            gate_bootstrap,
            keys,
        })
    }

    fn routes_of(bootstrap: &Value) -> &Value {
        get(reduced::manager(bootstrap), "route_config").unwrap_or(&Value::Null)
    }

    /// The route of a request.
    pub(crate) fn route(&self, headers: &HeaderList) -> Selected {
        self.routes.select(headers)
    }

    /// The filters of `jwt_authn` that are on for a request, with their requirements' providers.
    pub(crate) fn relevant_providers(&self, headers: &HeaderList) -> Vec<(usize, String)> {
        let route = self.route(headers);
        let routes = Self::routes_of(&self.native_bootstrap);
        let mut relevant = Vec::new();
        let filters = self.native.iter().zip(&self.native_names).enumerate();
        for (index, (filter, (name, off))) in filters {
            let choice = route.native_choice(routes, name, *off);
            let Ok(Some(requirement)) = filter.requirement(headers, &choice) else {
                continue;
            };
            let mut names = Vec::new();
            requirement.collect_providers(&mut names);
            if names.is_empty() {
                names.extend(filter.providers.iter().map(|one| one.name.as_str()));
            }
            for name in names {
                let provider = (index, name.to_owned());
                if !relevant.contains(&provider) {
                    relevant.push(provider);
                }
            }
        }
        relevant
    }

    /// What `jwt_authn` does with a request.
    pub(crate) fn native(&self, sent: &HeaderList, now: Timestamp) -> Side {
        let mut headers = sent.joined();
        let route = self.route(&headers);
        let routes = Self::routes_of(&self.native_bootstrap);
        for (filter, (name, off)) in self.native.iter().zip(&self.native_names) {
            let choice = route.native_choice(routes, name, *off);
            let status = filter.decide(&mut headers, &choice, now);
            if status != NativeStatus::Ok {
                return Side {
                    status: status.code(),
                    upstream: None,
                    challenge: status.has_challenge() && !filter.strips_failures,
                    why: status.text().to_owned(),
                };
            }
        }
        Side::passes(headers, route.route.is_some())
    }

    /// What the gate does with a request.
    ///
    /// # Errors
    ///
    /// That it would wait for something.
    pub(crate) fn gate(&self, sent: &HeaderList, now: Timestamp) -> Result<Side, String> {
        let mut headers = sent.joined();
        let route = self.route(&headers);
        let routes = Self::routes_of(&self.gate_bootstrap);
        for filter in &self.gate {
            if !route.is_on(routes, &filter.name, filter.off_by_default) {
                continue;
            }
            let mut request = headers.request();
            let requirement = route.requirement_name(routes);
            request.requirement_name = requirement.map(String::into_bytes);
            let trial = Trial::run(&filter.policy, &request, &filter.given, now);
            match trial.outcome {
                Outcome::Admitted { upstream, .. } => headers = filter.without_payloads(upstream),
                Outcome::Reported { .. } => {}
                Outcome::Refused { reason, answer } => {
                    let mut names = answer.headers.iter().map(|(name, _)| name);
                    return Ok(Side {
                        status: answer.status,
                        upstream: None,
                        challenge: names.any(|name| *name == "www-authenticate"),
                        why: reason.kind().metric().to_owned(),
                    });
                }
                Outcome::Metadata { .. } => return Err("asks for metadata".to_owned()),
                Outcome::Undecided { waits_for } => return Err(waits_for.join(" or ")),
            }
        }
        Ok(Side::passes(headers, route.route.is_some()))
    }
}

impl GateFilter {
    /// The headers without those that the next filter moves into metadata.
    fn without_payloads(&self, upstream: Vec<(String, String)>) -> HeaderList {
        let mut headers = HeaderList(upstream);
        for provider in &self.policy.providers {
            if let Some(payload) = &provider.forwarding.metadata {
                headers.remove(&payload.header);
            }
        }
        headers
    }
}
