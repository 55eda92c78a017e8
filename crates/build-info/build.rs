//! Tells the package which commit and profile it is built from.
//!
//! Written by hand because the crates that do this record more than a reproducible build may contain,
//! or do not notice a changed file.

#![expect(
    clippy::disallowed_methods,
    reason = "cargo passes its settings to build scripts in the environment"
)]

use std::env;
use std::path::{Path, PathBuf};
use std::process::Command;

/// The workspace, seen from this package.
const ROOT: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/../..");

/// What the filter and the check tool are built from. A change here makes a build `-dirty`.
const BUILT_FROM: [&str; 7] = [
    "Cargo.lock",
    "Cargo.toml",
    "Makefile",
    "crates",
    "rust-toolchain.toml",
    "scripts",
    "src",
];

/// Names the commit where there is no repository, as in a source archive.
const COMMIT_VARIABLE: &str = "BEARER_GATE_COMMIT";

fn main() {
    println!("cargo::rerun-if-env-changed={COMMIT_VARIABLE}");
    let commit = env::var(COMMIT_VARIABLE)
        .ok()
        .or_else(commit)
        .unwrap_or_else(|| "unknown".to_owned());
    let profile = env::var("PROFILE").unwrap_or_else(|_| "unknown".to_owned());
    println!("cargo::rustc-env=BEARER_GATE_BUILT_COMMIT={commit}");
    println!("cargo::rustc-env=BEARER_GATE_BUILT_PROFILE={profile}");
}

fn commit() -> Option<String> {
    let root = Path::new(ROOT);
    // An unpacked archive can lie inside another repository, whose commits say nothing about it.
    if !root.join(".git").exists() {
        return None;
    }
    for path in BUILT_FROM {
        rerun_if_changed(&root.join(path));
    }
    watch_head();
    let hash = git(&["rev-parse", "--verify", "HEAD"])?;
    // Not `--short`: how many digits that gives depends on what else is in the repository.
    let digits = hash.get(..12)?;
    let mut status = vec!["status", "--porcelain", "--untracked-files=all", "--"];
    status.extend(BUILT_FROM);
    let mark = if git(&status)?.is_empty() {
        ""
    } else {
        "-dirty"
    };
    Some(format!("{digits}{mark}"))
}

/// Runs this script again when `HEAD` becomes another commit. In a worktree, git knows where the
/// files are.
fn watch_head() {
    let branch = git(&["rev-parse", "--symbolic-full-name", "HEAD"]);
    let files = ["HEAD", "logs/HEAD", "packed-refs"];
    for file in files.into_iter().chain(branch.as_deref()) {
        if let Some(path) = git(&["rev-parse", "--git-path", file]) {
            rerun_if_changed(&Path::new(ROOT).join(path));
        }
    }
}

/// Cargo would run the script every time for a file that does not exist.
fn rerun_if_changed(path: &Path) {
    let path: PathBuf = path.canonicalize().unwrap_or_default();
    if path.exists() {
        println!("cargo::rerun-if-changed={}", path.display());
    }
}

/// What git answers, or `None` where it fails or is missing.
fn git(arguments: &[&str]) -> Option<String> {
    let output = Command::new("git")
        // Another build may have git's lock; this only reads.
        .arg("--no-optional-locks")
        .args(arguments)
        .current_dir(ROOT)
        .output()
        .ok()?;
    let text = String::from_utf8(output.stdout).ok()?;
    output.status.success().then(|| text.trim().to_owned())
}
