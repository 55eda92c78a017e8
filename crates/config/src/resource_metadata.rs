//! Protected resources and their metadata (RFC 9728).

mod binding;
mod document;
mod signed;

use std::time::Duration;

use gate::policy::{
    MAX_METADATA_URL, Metadata, ProtectedResource, ProtectedResources, ResourceIdentifier, WebUrl,
};
use serde_json::{Map, Value};

pub(crate) use self::binding::BindingMembers;
use self::document::Document;
use super::choice::choice;
use super::object::object;
use super::place::Place;
use super::providers::Providers;
use super::scalar::{NonEmpty, PositiveDuration, ScopeToken};

/// The most resources of one configuration.
const MAX_RESOURCES: usize = 64;

const DEFAULT_MAX_AGE: Duration = Duration::from_hours(1);

object! {
    pub(crate) struct ResourceMetadataWire("ResourceMetadata", "Resource metadata") {
        /// The identifier of the resource: an absolute https URL without query and fragment; http for this
        /// machine only.
        resource: required NonEmpty,
        /// The issuer identifiers of the authorization servers that clients get tokens from. Default: the
        /// issuers of the providers, in the order of their names; required if there are templates of issuers.
        authorization_servers: optional Vec<NonEmpty>,
        /// The scopes that the metadata lists for clients. Default: none.
        scopes_supported: optional Vec<ScopeToken>,
        /// How tokens may be sent: `"header"`, `"body"`, `"query"`. Default: `"header"`.
        bearer_methods_supported: optional Vec<BearerMethodWire>,
        /// The name of the resource, for people.
        resource_name: optional NonEmpty,
        /// The URL of its documentation.
        resource_documentation: optional NonEmpty,
        /// The URL of its policy on the use of data.
        resource_policy_uri: optional NonEmpty,
        /// The URL of its terms of service.
        resource_tos_uri: optional NonEmpty,
        /// The URL of the keys that the resource signs its responses with.
        jwks_uri: optional NonEmpty,
        /// The algorithms that it signs its responses with.
        resource_signing_alg_values_supported: optional Vec<NonEmpty>,
        /// The types of authorization details that it knows (RFC 9396).
        authorization_details_types_supported: optional Vec<NonEmpty>,
        /// The metadata as a JWS in compact form, which the gate serves unchanged.
        signed_metadata: optional NonEmpty,
        /// Further members of the document, for other languages and extensions.
        additional: optional Map<String, Value>,
        /// Whether the document is also the answer at /.well-known/oauth-protected-resource without the
        /// resource's path. Default false.
        at_root: optional bool,
        /// The URL of the document, if another server serves it: challenges name it, and the gate serves none.
        metadata_url: optional NonEmpty,
        /// How long clients may cache the document. Default `"3600s"`.
        max_age: optional PositiveDuration,
        /// Whether a token must have the resource in `aud`, in addition to an audience of its provider. Default
        /// false.
        require_audience: optional bool,
    }
}

choice! {
    enum BearerMethodWire("BearerMethod") {
        Header = "header",
        Body = "body",
        Query = "query",
    }
}

/// The field of the configuration.
const FIELD: &str = "resource_metadata";

/// Builds the resources of the document at this place, and returns them with their JSON paths.
/// `binding` is what the metadata says about bound tokens.
pub(crate) fn build(
    document: &Place<'_>,
    wires: Option<Vec<ResourceMetadataWire>>,
    providers: &Providers,
    binding: &BindingMembers,
) -> Option<(ProtectedResources, Vec<String>)> {
    let Some(wires) = wires else {
        return Some(Default::default());
    };
    let list = document.field(FIELD);
    if !(1..=MAX_RESOURCES).contains(&wires.len()) {
        return list.refuse(&format!("must have from 1 to {MAX_RESOURCES} elements"));
    }
    let number = wires.len();
    let resources = document.build_list(FIELD, Some(wires), |wire, at| {
        wire.build(at, providers, binding)
    });
    if resources.len() < number {
        return None;
    }
    let mut paths = Vec::new();
    for (index, resource) in resources.iter().enumerate() {
        let element = list.element(index);
        check_against(&element, resource, resources.iter().take(index));
        paths.push(element.path());
    }
    Some((ProtectedResources::new(resources), paths))
}

/// Checks that clients can tell the resource at this place from the `others`, which are before it.
fn check_against<'r>(
    at: &Place<'_>,
    resource: &ProtectedResource,
    others: impl Iterator<Item = &'r ProtectedResource>,
) {
    for (index, other) in others.enumerate() {
        if resource.identifier.is_equivalent(&other.identifier) {
            at.field("resource").report(&format!(
                "is the same as {FIELD}[{index}].resource, apart from a slash at the end, the scheme or \
                 the default port"
            ));
            return;
        }
        let same_authority = resource.identifier.shares_authority(&other.identifier);
        if same_authority && is_at_root(resource) && is_at_root(other) {
            let field = if resource.identifier.path().is_empty() {
                "resource"
            } else {
                "at_root"
            };
            at.field(field).report(&format!(
                "{FIELD}[{index}] is already at the root of this authority, by at_root or without a path"
            ));
            return;
        }
    }
}

/// Whether the metadata of `resource` are at the well-known path without a resource's path.
fn is_at_root(resource: &ProtectedResource) -> bool {
    let at_root = resource.metadata.as_ref().is_some_and(|one| one.at_root);
    at_root || resource.identifier.path().is_empty()
}

impl ResourceMetadataWire {
    fn build(
        mut self,
        at: &Place<'_>,
        providers: &Providers,
        binding: &BindingMembers,
    ) -> Option<ProtectedResource> {
        let identifier = match ResourceIdentifier::parse(&self.resource.0) {
            Ok(identifier) => identifier,
            Err(problem) => return at.field("resource").refuse(&problem.to_string()),
        };
        let require_audience = self.require_audience.unwrap_or(false);
        let at_root = self.at_root.unwrap_or(false);
        if let Some(NonEmpty(url)) = self.metadata_url.take() {
            if at_root {
                at.field("at_root")
                    .report("the gate cannot serve metadata that metadata_url says are elsewhere");
            }
            return Some(ProtectedResource {
                identifier,
                metadata_url: metadata_url(&at.field("metadata_url"), &url)?,
                metadata: None,
                require_audience,
            });
        }
        let metadata_url = match identifier.metadata_url() {
            Ok(url) => url,
            Err(length) => {
                return at.field("resource").refuse(&format!(
                    "makes a URL of the metadata of {length} characters; at most {MAX_METADATA_URL} \
                     are possible"
                ));
            }
        };
        let max_age = PositiveDuration::or(self.max_age, DEFAULT_MAX_AGE);
        Some(ProtectedResource {
            metadata: Some(Metadata {
                document: self.document(at, providers, binding)?,
                max_age,
                at_root,
            }),
            identifier,
            metadata_url,
            require_audience,
        })
    }

    /// The members in the order of RFC 9728, section 2. Those without values are left out (section 3.2).
    fn document(
        self,
        at: &Place<'_>,
        providers: &Providers,
        binding: &BindingMembers,
    ) -> Option<String> {
        let servers_at = at.field("authorization_servers");
        let servers = authorization_servers(&servers_at, self.authorization_servers, providers)?;
        let scopes = self.scopes_supported.unwrap_or_default().into_iter();
        let scopes: Vec<String> = scopes.map(|scope| scope.0).collect();
        let methods = self.bearer_methods_supported;
        let methods = methods.unwrap_or_else(|| vec![BearerMethodWire::Header]);
        let methods = methods.into_iter().map(|method| match method {
            BearerMethodWire::Header => "header",
            BearerMethodWire::Body => "body",
            BearerMethodWire::Query => "query",
        });
        let mut document = Document::default();
        document.add("resource", self.resource.0);
        document.add("authorization_servers", servers);
        document.add("scopes_supported", scopes);
        document.add("bearer_methods_supported", methods.collect::<Vec<_>>());
        document.add_text("resource_name", self.resource_name.map(|name| name.0));
        for (name, url) in [
            ("resource_documentation", self.resource_documentation),
            ("resource_policy_uri", self.resource_policy_uri),
            ("resource_tos_uri", self.resource_tos_uri),
            ("jwks_uri", self.jwks_uri),
        ] {
            if let Some(NonEmpty(url)) = &url {
                web_url(&at.field(name), url);
            }
            document.add_text(name, url.map(|url| url.0));
        }
        let algorithms = texts(self.resource_signing_alg_values_supported);
        if algorithms.iter().any(|algorithm| algorithm == "none") {
            at.field("resource_signing_alg_values_supported")
                .report("must not contain none");
        }
        document.add("resource_signing_alg_values_supported", algorithms);
        let types = texts(self.authorization_details_types_supported);
        document.add("authorization_details_types_supported", types);
        if let Some(NonEmpty(signed)) = &self.signed_metadata {
            signed::check(&at.field("signed_metadata"), signed);
        }
        document.add_text(
            "signed_metadata",
            self.signed_metadata.map(|signed| signed.0),
        );
        let additional = self.additional.unwrap_or_default();
        binding.add_to(&mut document, |name| additional.contains_key(name));
        for (name, value) in additional {
            if let Err(problem) = document.add_other(&name, value) {
                at.field("additional").report(&problem);
            }
        }
        Some(document.into_json())
    }
}

fn texts(list: Option<Vec<NonEmpty>>) -> Vec<String> {
    let list = list.unwrap_or_default().into_iter();
    list.map(|text| text.0).collect()
}

/// The authorization servers that are given in the field at this place, or else the issuers of the
/// providers.
fn authorization_servers(
    at: &Place<'_>,
    given: Option<Vec<NonEmpty>>,
    providers: &Providers,
) -> Option<Vec<String>> {
    let servers = match given {
        Some(given) => texts(Some(given)),
        None if providers.is_complete() => {
            let mut issuers: Vec<String> = Vec::new();
            for provider in providers.all() {
                for issuer in provider.issuers.all() {
                    let Some(issuer) = issuer.only_issuer() else {
                        return at.refuse(&format!(
                            "is required: the issuers of {:?} have placeholders, and clients must be \
                             told of one authorization server",
                            provider.name
                        ));
                    };
                    if !issuers.iter().any(|known| known == issuer) {
                        issuers.push(issuer.to_owned());
                    }
                }
            }
            issuers
        }
        None => return None,
    };
    if servers.is_empty() {
        return at.refuse("needs at least one authorization server: no provider has an issuer");
    }
    for server in &servers {
        let url = web_url(at, server)?;
        if url.has_query() || url.has_fragment() {
            at.report(&format!("{server:?} must not have a query or a fragment"));
        }
    }
    Some(servers)
}

fn metadata_url(at: &Place<'_>, text: &str) -> Option<WebUrl> {
    let url = web_url(at, text)?;
    if !url.is_secure() {
        at.refuse("must begin with https://, except for localhost, 127.0.0.1 and [::1]")
    } else if url.has_fragment() {
        at.refuse("must not have a fragment")
    } else if text.len() > MAX_METADATA_URL {
        at.refuse(&format!(
            "must not have more than {MAX_METADATA_URL} characters"
        ))
    } else {
        Some(url)
    }
}

fn web_url(at: &Place<'_>, text: &str) -> Option<WebUrl> {
    match WebUrl::parse(text) {
        Ok(url) => Some(url),
        Err(problem) => at.refuse(&format!("is not a URL: {problem}")),
    }
}
