//! Configurations, and the policies or errors that they result in.

mod client_certificate;
mod dpop;
mod forms;
mod introspection;
mod issuers;
mod jwks;
mod matchers;
mod native;
mod policy;
mod problems;
mod resource_metadata;
mod revocation;
mod schema;
mod secrets;
mod spellings;
mod support;
mod token_profile;
