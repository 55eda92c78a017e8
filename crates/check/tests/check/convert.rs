//! `convert` puts the gate in the place of `jwt_authn`.

mod example;
mod file;
mod keys;
mod metadata;
mod provider;
mod route;
mod rules;
