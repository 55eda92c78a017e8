//! Which Envoy the tests run.

use std::env;
use std::io::{self, Write};
use std::path::PathBuf;
use std::thread;

use super::setup::root;

/// The versions that `make matrix` tests with, oldest first.
const VERSIONS: &str = include_str!("../versions");

/// The version that the environment variable `ENVOY` names, or the newest one that is tested.
pub(crate) fn version() -> String {
    match env::var("ENVOY") {
        Ok(version) if !version.is_empty() => version,
        _ => newest().to_owned(),
    }
}

fn newest() -> &'static str {
    VERSIONS.split_whitespace().last().unwrap()
}

/// Whether the Envoy under test is at least `since`, the oldest of the tested versions with `feature`. If it is older,
/// the test skips what needs the feature, and a line on standard error says so. Since `since` is one of the tested
/// versions, nothing is skipped with the newest one.
#[track_caller]
pub(crate) fn envoy_has(since: &str, feature: &str) -> bool {
    assert!(
        VERSIONS.split_whitespace().any(|version| version == since),
        "no tested Envoy would run {feature}: {since} is not in tests/envoy/versions"
    );
    let version = version();
    let has = numbers(&version) >= numbers(since);
    if !has {
        let thread = thread::current();
        let test = thread.name().unwrap_or("a test");
        let line = format!("SKIPPED {test}: {feature} needs Envoy {since}, not {version}\n");
        // The test harness hides what a passing test prints with `eprintln!`.
        let _ = io::stderr().write_all(line.as_bytes());
    }
    has
}

/// The numbers of a version, for comparing.
fn numbers(version: &str) -> Vec<u32> {
    let number = |part: &str| {
        part.parse()
            .unwrap_or_else(|error| panic!("{version} is no version of Envoy: {error}"))
    };
    version.split('.').map(number).collect()
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

#[test]
fn versions_are_listed_from_the_oldest_to_the_newest() {
    let versions: Vec<Vec<u32>> = VERSIONS.split_whitespace().map(numbers).collect();
    assert!(versions.is_sorted(), "{versions:?}");
}

#[test]
#[should_panic(expected = "no tested Envoy would run")]
fn nothing_may_be_skipped_with_every_tested_version() {
    envoy_has("999.0.0", "a feature of the future");
}
