//! Protected resources and their metadata (RFC 9728).

mod document;
mod signed;

use std::rc::Rc;
use std::time::Duration;

use gate::policy::{
    MAX_METADATA_URL, Metadata, ProtectedResource, ProtectedResources, Provider,
    ResourceIdentifier, WebUrl,
};
use serde::Deserialize;
use serde_json::{Map, Value};

use self::document::Document;
use super::error::ConfigError;
use super::scalar::{NonEmpty, PositiveDuration, ScopeToken};

/// The most resources of one configuration.
const MAX_RESOURCES: usize = 64;

const DEFAULT_MAX_AGE: Duration = Duration::from_hours(1);

#[derive(Deserialize)]
#[cfg_attr(
    not(target_arch = "wasm32"),
    derive(schemars::JsonSchema),
    schemars(rename = "ResourceMetadata", title = "Resource metadata")
)]
#[serde(deny_unknown_fields)]
pub(crate) struct ResourceMetadataWire {
    /// The identifier of the resource: an absolute https URL without query and fragment; http for this
    /// machine only.
    resource: NonEmpty,
    /// The issuer identifiers of the authorization servers that clients get tokens from. Default: the
    /// issuers of the providers, in the order of their names.
    #[serde(default, alias = "authorizationServers")]
    authorization_servers: Option<Vec<NonEmpty>>,
    /// The scopes that clients are told of. Default: none.
    #[serde(default, alias = "scopesSupported")]
    scopes_supported: Option<Vec<ScopeToken>>,
    /// How tokens may be sent: `"header"`, `"body"`, `"query"`. Default: `"header"`.
    #[serde(default, alias = "bearerMethodsSupported")]
    bearer_methods_supported: Option<Vec<BearerMethodWire>>,
    /// The name of the resource, for people.
    #[serde(default, alias = "resourceName")]
    resource_name: Option<NonEmpty>,
    /// The URL of its documentation.
    #[serde(default, alias = "resourceDocumentation")]
    resource_documentation: Option<NonEmpty>,
    /// The URL of its policy on the use of data.
    #[serde(default, alias = "resourcePolicyUri")]
    resource_policy_uri: Option<NonEmpty>,
    /// The URL of its terms of service.
    #[serde(default, alias = "resourceTosUri")]
    resource_tos_uri: Option<NonEmpty>,
    /// The URL of the keys that the resource signs its responses with.
    #[serde(default, alias = "jwksUri")]
    jwks_uri: Option<NonEmpty>,
    /// The algorithms that it signs its responses with.
    #[serde(default, alias = "resourceSigningAlgValuesSupported")]
    resource_signing_alg_values_supported: Option<Vec<NonEmpty>>,
    /// The types of authorization details that it knows (RFC 9396).
    #[serde(default, alias = "authorizationDetailsTypesSupported")]
    authorization_details_types_supported: Option<Vec<NonEmpty>>,
    /// The metadata as a JWS in compact form, which is passed on as it is.
    #[serde(default, alias = "signedMetadata")]
    signed_metadata: Option<NonEmpty>,
    /// Further members of the document, for other languages and extensions.
    #[serde(default)]
    #[cfg_attr(
        not(target_arch = "wasm32"),
        schemars(with = "Option<serde_json::Map<String, Value>>")
    )]
    additional: Option<Value>,
    /// Whether the document is also the answer at /.well-known/oauth-protected-resource without the
    /// resource's path. Default false.
    #[serde(default, alias = "atRoot")]
    at_root: Option<bool>,
    /// The URL of the document, if somebody else serves it: challenges name it, and the gate serves none.
    #[serde(default, alias = "metadataUrl")]
    metadata_url: Option<NonEmpty>,
    /// How long clients may cache the document. Default `"3600s"`.
    #[serde(default, alias = "maxAge")]
    max_age: Option<PositiveDuration>,
    /// Whether a token must have the resource in `aud`, besides an audience of its provider. Default
    /// false.
    #[serde(default, alias = "requireAudience")]
    require_audience: Option<bool>,
}

#[derive(Clone, Copy, Deserialize)]
#[cfg_attr(
    not(target_arch = "wasm32"),
    derive(schemars::JsonSchema),
    schemars(rename = "BearerMethod")
)]
#[serde(rename_all = "lowercase")]
enum BearerMethodWire {
    Header,
    Body,
    Query,
}

/// The field of the configuration.
const FIELD: &str = "resource_metadata";

/// Builds the resources of a configuration with these providers, and returns them with their JSON paths.
pub(crate) fn build(
    wires: Option<Vec<ResourceMetadataWire>>,
    providers: &[Rc<Provider>],
) -> Result<(ProtectedResources, Vec<String>), ConfigError> {
    let Some(wires) = wires else {
        return Ok(Default::default());
    };
    if !(1..=MAX_RESOURCES).contains(&wires.len()) {
        let problem = format!("must have from 1 to {MAX_RESOURCES} elements");
        return Err(ConfigError::new(FIELD, problem));
    }
    let mut built: Vec<ProtectedResource> = Vec::new();
    let mut paths = Vec::new();
    for (index, wire) in wires.into_iter().enumerate() {
        let path = format!("{FIELD}[{index}]");
        let resource = wire.build(&path, providers)?;
        check_against(&path, &resource, &built)?;
        built.push(resource);
        paths.push(path);
    }
    Ok((ProtectedResources::new(built), paths))
}

/// Checks that clients can tell the resource at `path` from those before it.
fn check_against(
    path: &str,
    resource: &ProtectedResource,
    others: &[ProtectedResource],
) -> Result<(), ConfigError> {
    for (index, other) in others.iter().enumerate() {
        if resource.identifier.is_equivalent(&other.identifier) {
            let problem = format!(
                "is the same as {FIELD}[{index}].resource, apart from a slash at the end, the scheme or \
                 the default port"
            );
            return Err(ConfigError::new(format!("{path}.resource"), problem));
        }
        let same_authority = resource.identifier.shares_authority(&other.identifier);
        if same_authority && is_at_root(resource) && is_at_root(other) {
            let problem = format!(
                "{FIELD}[{index}] is already at the root of this authority, by at_root or without a path"
            );
            let field = if resource.identifier.path().is_empty() {
                "resource"
            } else {
                "at_root"
            };
            return Err(ConfigError::new(format!("{path}.{field}"), problem));
        }
    }
    Ok(())
}

/// Whether the metadata of `resource` are at the well-known path without a resource's path.
fn is_at_root(resource: &ProtectedResource) -> bool {
    let at_root = resource.metadata.as_ref().is_some_and(|one| one.at_root);
    at_root || resource.identifier.path().is_empty()
}

impl ResourceMetadataWire {
    fn build(
        mut self,
        path: &str,
        providers: &[Rc<Provider>],
    ) -> Result<ProtectedResource, ConfigError> {
        let at = |field: &str| format!("{path}.{field}");
        let identifier = ResourceIdentifier::parse(&self.resource.0)
            .map_err(|problem| ConfigError::new(at("resource"), problem.to_string()))?;
        let require_audience = self.require_audience.unwrap_or(false);
        let at_root = self.at_root.unwrap_or(false);
        if let Some(NonEmpty(url)) = self.metadata_url.take() {
            if at_root {
                let problem = "the gate cannot serve metadata that metadata_url says are elsewhere";
                return Err(ConfigError::new(at("at_root"), problem));
            }
            return Ok(ProtectedResource {
                identifier,
                metadata_url: metadata_url(&at("metadata_url"), &url)?,
                metadata: None,
                require_audience,
            });
        }
        let metadata_url = identifier.metadata_url().map_err(|length| {
            let problem = format!(
                "makes a URL of the metadata of {length} characters; at most {MAX_METADATA_URL} are \
                 possible"
            );
            ConfigError::new(at("resource"), problem)
        })?;
        let max_age = PositiveDuration::or(self.max_age, DEFAULT_MAX_AGE);
        Ok(ProtectedResource {
            metadata: Some(Metadata {
                document: self.document(path, providers)?,
                max_age,
                at_root,
            }),
            identifier,
            metadata_url,
            require_audience,
        })
    }

    /// The members in the order of RFC 9728, section 2. Those without values are left out (section 3.2).
    fn document(self, path: &str, providers: &[Rc<Provider>]) -> Result<String, ConfigError> {
        let at = |field: &str| format!("{path}.{field}");
        let texts = |list: Option<Vec<NonEmpty>>| {
            let list = list.unwrap_or_default().into_iter();
            list.map(|text| text.0).collect::<Vec<_>>()
        };
        let servers = self.authorization_servers.map(|list| texts(Some(list)));
        let servers = authorization_servers(&at("authorization_servers"), servers, providers)?;
        let scopes = self.scopes_supported.unwrap_or_default().into_iter();
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
        document.add(
            "scopes_supported",
            scopes.map(|scope| scope.0).collect::<Vec<_>>(),
        );
        document.add("bearer_methods_supported", methods.collect::<Vec<_>>());
        document.add_text("resource_name", self.resource_name.map(|name| name.0));
        for (name, url) in [
            ("resource_documentation", self.resource_documentation),
            ("resource_policy_uri", self.resource_policy_uri),
            ("resource_tos_uri", self.resource_tos_uri),
            ("jwks_uri", self.jwks_uri),
        ] {
            if let Some(NonEmpty(url)) = &url {
                web_url(&at(name), url)?;
            }
            document.add_text(name, url.map(|url| url.0));
        }
        let algorithms = texts(self.resource_signing_alg_values_supported);
        if algorithms.iter().any(|algorithm| algorithm == "none") {
            let path = at("resource_signing_alg_values_supported");
            return Err(ConfigError::new(path, "must not contain none"));
        }
        document.add("resource_signing_alg_values_supported", algorithms);
        let types = texts(self.authorization_details_types_supported);
        document.add("authorization_details_types_supported", types);
        if let Some(NonEmpty(signed)) = &self.signed_metadata {
            signed::check(&at("signed_metadata"), signed)?;
        }
        document.add_text(
            "signed_metadata",
            self.signed_metadata.map(|signed| signed.0),
        );
        let additional = match self.additional {
            None => Map::new(),
            Some(Value::Object(additional)) => additional,
            Some(_) => return Err(ConfigError::new(at("additional"), "must be an object")),
        };
        for (name, value) in additional {
            document
                .add_other(&name, value)
                .map_err(|problem| ConfigError::new(at("additional"), problem))?;
        }
        Ok(document.into_json())
    }
}

/// The authorization servers: the given ones, or the issuers of the providers.
fn authorization_servers(
    path: &str,
    given: Option<Vec<String>>,
    providers: &[Rc<Provider>],
) -> Result<Vec<String>, ConfigError> {
    let servers = given.unwrap_or_else(|| {
        let mut issuers: Vec<String> = Vec::new();
        for issuer in providers.iter().filter_map(|one| one.issuer.as_ref()) {
            if !issuers.contains(issuer) {
                issuers.push(issuer.clone());
            }
        }
        issuers
    });
    if servers.is_empty() {
        let problem = "needs at least one authorization server: no provider has an issuer";
        return Err(ConfigError::new(path, problem));
    }
    for server in &servers {
        let url = web_url(path, server)?;
        if url.has_query() || url.has_fragment() {
            let problem = format!("{server:?} must not have a query or a fragment");
            return Err(ConfigError::new(path, problem));
        }
    }
    Ok(servers)
}

fn metadata_url(path: &str, text: &str) -> Result<WebUrl, ConfigError> {
    let url = web_url(path, text)?;
    let problem = if !url.is_secure() {
        "must begin with https://, except for localhost, 127.0.0.1 and [::1]".to_owned()
    } else if url.has_fragment() {
        "must not have a fragment".to_owned()
    } else if text.len() > MAX_METADATA_URL {
        format!("must not have more than {MAX_METADATA_URL} characters")
    } else {
        return Ok(url);
    };
    Err(ConfigError::new(path, problem))
}

fn web_url(path: &str, text: &str) -> Result<WebUrl, ConfigError> {
    WebUrl::parse(text)
        .map_err(|problem| ConfigError::new(path, format!("is not a URL: {problem}")))
}
