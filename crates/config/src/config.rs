//! The configuration as a whole.

use gate::policy::{
    ClientCertificate, Options, Policy, Requirement, ResponseBody, RuleList, Rules, Share,
    StreamEnd,
};

use super::choice::choice;
use super::client_certificate::ClientCertificateWire;
use super::dpop::{self, DpopWire};
use super::entries::Entries;
use super::environment::Environment;
use super::forwarding;
use super::object::object;
use super::place::Place;
use super::provider::ProviderWire;
use super::providers::Providers;
use super::public_urls;
use super::requirement::RequirementWire;
use super::resource_metadata::{self, BindingMembers, ResourceMetadataWire};
use super::rule::{self, RuleWire};
use super::scalar::NonEmpty;
use super::warnings;

object! {
    /// The configuration. Every object refuses unknown fields. A null counts as an absent field, as in
    /// protobuf's JSON form.
    pub(crate) struct ConfigWire("Config", "Configuration") {
        /// The known issuers by name; at least one.
        providers: required Entries<ProviderWire>,
        /// Which requests need which token: the first matching rule decides. Without rules every request
        /// needs a token of any provider.
        rules: optional Vec<RuleWire>,
        /// Requirements by name, for rules and routes.
        requirement_map: optional Entries<RequirementWire>,
        /// What happens to requests that no rule matches: `"deny"` (default) or `"allow"`.
        unmatched_requests: optional UnmatchedWire,
        /// Whether a route's metadata may name a requirement:
        /// `filter_metadata.bearer_gate.requirement_name`. Default false.
        per_route_requirements: optional bool,
        /// Whether CORS preflights pass without a token. Default false.
        bypass_cors_preflight: optional bool,
        /// Whether refusals have neither body nor WWW-Authenticate. Default false.
        strip_failure_response: optional bool,
        /// Whether the filter only reports: a request that it would refuse passes unchanged, is counted as
        /// `would_deny.<reason>` and has the filter state `bearer_gate.would_deny`. Default false.
        report_only: optional bool,
        /// Whether a stream (WebSocket, gRPC, server-sent events, a long download) ends when its token expires, is
        /// revoked, or loses its key. Default false.
        end_streams_with_token: optional bool,
        /// The form of the body of refusals: `"json"` (default), or `"problem"` (RFC 9457).
        response_body: optional ResponseBodyWire,
        /// The part of metric names after `"bearer_gate."`; visible ASCII. Default none.
        stat_prefix: optional String,
        /// The realm of challenges. Default: the authority of the request.
        realm: optional NonEmpty,
        /// The protected resources, whose metadata the filter serves and names in challenges (RFC 9728): one,
        /// or a list of up to 64. Default none.
        resource_metadata: optional Vec<ResourceMetadataWire>,
        /// The URLs that clients call this Envoy by, up to 64, with which `htu` of proofs is compared:
        /// scheme, host, and a path that a proxy in front removes. Default: the origins of `resource_metadata`, or
        /// else scheme and authority of the request.
        public_urls: optional Vec<String>,
        /// How proofs of possession are checked (RFC 9449). Default: they are not, and
        /// `Authorization: DPoP` is an unknown scheme.
        dpop: optional DpopWire,
        /// Where the gate finds the certificate of the client, for tokens that are bound to one (RFC 8705).
        /// Default: from the connection.
        client_certificate: optional ClientCertificateWire,
        /// What the workers of an Envoy share: `"process"` (default), fetched documents and used proofs, or
        /// `"worker"`, nothing, for a `vm_id` that other modules have, too.
        share: optional ShareWire,
    }
    unsupported {
        /// Not supported: a wasm filter cannot read filter state safely. Use `per_route_requirements`.
        filter_state_rules:
            "a wasm filter cannot read filter state safely: name the requirement in the route's \
             metadata and set per_route_requirements",
    }
}

choice! {
    enum UnmatchedWire("UnmatchedRequests") {
        Deny = "deny",
        Allow = "allow",
    }
}

choice! {
    /// What the workers of an Envoy share.
    enum ShareWire("Share") {
        /// Fetched documents and used proofs.
        Process = "process",
        /// Nothing.
        Worker = "worker",
    }
}

choice! {
    /// The form of the body of a refusal.
    enum ResponseBodyWire("ResponseBody") {
        Json = "json",
        Problem = "problem",
    }
}

impl ConfigWire {
    /// Builds the policy from the document at this place.
    pub(crate) fn build(self, at: &Place<'_>, environment: Environment<'_>) -> Option<Policy> {
        let providers = Providers::build(self.providers, &at.field("providers"), environment)?;
        let requirement_map = at.field("requirement_map");
        let requirements: Vec<(String, Option<Requirement>)> = self
            .requirement_map
            .map(|map| map.0)
            .unwrap_or_default()
            .into_iter()
            .map(|(name, wire)| {
                let requirement = wire.build(&requirement_map.field(&name), &providers);
                (name, requirement)
            })
            .collect();
        let rules = self.rules.unwrap_or_default();
        let per_route_requirements = self.per_route_requirements.unwrap_or(false);
        let named = rules.iter().filter_map(RuleWire::requirement_name);
        let named: Vec<String> = named.map(str::to_owned).collect();
        let rules = if rules.is_empty() {
            Rules::AnyProvider(Requirement::any_of(providers.all()))
        } else {
            let rules = at.build_list("rules", Some(rules), |rule, at| {
                rule.build(at, &providers, &requirements)
            });
            Rules::Listed {
                rules: RuleList::new(rules),
                allow_unmatched: matches!(self.unmatched_requests, Some(UnmatchedWire::Allow)),
            }
        };
        if !per_route_requirements {
            check_names(&requirement_map, &requirements, &named);
        }
        let dpop = self.dpop;
        let dpop = dpop.map(|wire| wire.build(&at.field("dpop"), environment));
        let reads_certificates = self.client_certificate.is_some();
        let binding = BindingMembers::new(providers.all(), reads_certificates, dpop.as_ref());
        let resources = resource_metadata::build(at, self.resource_metadata, &providers, &binding);
        let client_certificate_at = at.field("client_certificate");
        let client_certificate = self.client_certificate;
        let client_certificate = client_certificate.map(|wire| wire.build(&client_certificate_at));
        let known = resources.as_ref();
        let known = known.map_or(&[][..], |(resources, _)| resources.all());
        let public_urls = public_urls::build(at, self.public_urls, known);
        let options = Options {
            per_route_requirements,
            bypass_cors_preflight: self.bypass_cors_preflight.unwrap_or(false),
            strip_failure_response: self.strip_failure_response.unwrap_or(false),
            stat_prefix: stat_prefix(&at.field("stat_prefix"), self.stat_prefix),
            realm: self.realm.map(|realm| realm.0),
            dpop,
            public_urls,
            client_certificate: client_certificate.unwrap_or(Some(ClientCertificate::default()))?,
            share: match self.share {
                None | Some(ShareWire::Process) => Share::Process,
                Some(ShareWire::Worker) => Share::Worker,
            },
            enforcement: rule::enforcement(self.report_only),
            stream_end: match self.end_streams_with_token {
                Some(true) => StreamEnd::WithToken,
                Some(false) | None => StreamEnd::Open,
            },
            response_body: match self.response_body {
                Some(ResponseBodyWire::Problem) => ResponseBody::Problem,
                Some(ResponseBodyWire::Json) | None => ResponseBody::Json,
            },
        };
        let requirements = requirements
            .into_iter()
            .filter_map(|(name, requirement)| Some((name, requirement?)))
            .collect();
        let (resources, resource_paths) = resources?;
        let providers_at = at.field("providers");
        let providers = providers.all().to_vec();
        let mut policy = Policy::new(providers, rules, requirements, resources, options);
        check_own_headers(&providers_at, &policy);
        forwarding::check_metadata_headers(&providers_at, &policy);
        dpop::check(at, &policy);
        check_certificate_header(&client_certificate_at, &policy);
        policy.warnings = warnings::find(&policy, &resource_paths);
        Some(policy)
    }
}

/// Checks that rules name every requirement of the map at this place, where routes cannot. Envoy's routes
/// choose requirements by `PerRouteConfig`, so a requirement that nothing names protects routes that would
/// be open here.
fn check_names(at: &Place<'_>, requirements: &[(String, Option<Requirement>)], named: &[String]) {
    let is_known = |name: &String| requirements.iter().any(|(known, _)| known == name);
    if !named.iter().all(is_known) {
        // A rule misspells a name, which has been reported. It may be that of the requirement that is left.
        return;
    }
    for (name, _) in requirements {
        if !named.contains(name) {
            at.field(name).report(
                "nothing can name this requirement: name it in the requirement_name of a rule, or set \
                 per_route_requirements and name it in the metadata of routes, which takes the place of \
                 PerRouteConfig",
            );
        }
    }
}

/// Builds the field at this place. Dots at the end are dropped: operators write them, and the filter adds
/// one itself.
fn stat_prefix(at: &Place<'_>, given: Option<String>) -> String {
    let given = given.unwrap_or_default();
    let prefix = given.trim_end_matches('.');
    if !prefix.bytes().all(|byte| byte.is_ascii_graphic()) {
        at.report("must be visible ASCII characters");
    }
    prefix.to_owned()
}

/// Checks that no header is both read and set, in any spelling. The filter removes a client's copy of
/// the headers that it sets, so a token in one of them would be lost. The providers are at this place.
fn check_own_headers(at: &Place<'_>, policy: &Policy) {
    let locations = policy.providers.iter().flat_map(|one| &one.locations);
    let mut checked = Vec::new();
    for name in locations.filter_map(|location| location.header()) {
        if checked.contains(&name) {
            continue;
        }
        checked.push(name);
        if policy.must_remove(name.as_bytes()) {
            at.report(&format!(
                "tokens are read from the header {name:?}, so it cannot be set"
            ));
        }
    }
}

/// Checks that the certificate of the client is not read from a header that the filter removes from
/// requests, because it sets it. The source of the certificate is at this place.
fn check_certificate_header(at: &Place<'_>, policy: &Policy) {
    if let Some(name) = policy.options.client_certificate.header()
        && policy.must_remove(name.as_bytes())
    {
        at.report(&format!(
            "the filter removes the header {name:?} from requests, so it cannot be read"
        ));
    }
}
