//! Which Envoy the tests run.

use std::env;
use std::path::PathBuf;

use super::setup::root;

/// The versions that `make matrix` tests with, oldest first.
const VERSIONS: &str = include_str!("../versions");

/// The version that the environment variable `ENVOY` names, or the newest one that is tested.
pub(crate) fn version() -> String {
    match env::var("ENVOY") {
        Ok(version) if !version.is_empty() => version,
        _ => VERSIONS.split_whitespace().last().unwrap().to_owned(),
    }
}

/// The program of this version.
pub(crate) fn binary() -> PathBuf {
    let version = version();
    let binary = root().join(format!(".tools/envoy-{version}/bin/envoy"));
    assert!(
        binary.exists(),
        "Envoy {version} is missing: install it with `make envoy ENVOY={version}`"
    );
    binary
}
