//! Which bearer-gate this is: version, commit and profile of the build.
//!
//! The build script finds out the commit. Nothing else about the build is recorded, neither time nor
//! machine, so that a commit always becomes the same bytes.

#![no_std]
#![forbid(unsafe_code)]

/// The version of the packages in this workspace.
pub const VERSION: &str = env!("CARGO_PKG_VERSION");

/// The first 12 digits of the commit. `-dirty` follows where files that are built differ from it.
/// `unknown` if the build has neither a git repository nor `BEARER_GATE_COMMIT`.
pub const COMMIT: &str = env!("BEARER_GATE_BUILT_COMMIT");

/// The cargo profile, or the one that it inherits from: `release` or `debug`.
pub const PROFILE: &str = env!("BEARER_GATE_BUILT_PROFILE");

/// All of it: `0.1.0 (6c3848329a1b, release)`.
pub const SUMMARY: &str = concat!(
    env!("CARGO_PKG_VERSION"),
    " (",
    env!("BEARER_GATE_BUILT_COMMIT"),
    ", ",
    env!("BEARER_GATE_BUILT_PROFILE"),
    ")"
);
