//! The imports of this workspace go in one direction.

#![expect(clippy::unwrap_used, reason = "a test that lacks what it needs fails")]

use std::collections::BTreeSet;
use std::fs;
use std::path::Path;

use cargo_metadata::{DependencyKind, Metadata, MetadataCommand, TargetKind};
use gate_structure::{Crate, Layers, ReadError, cycles};

/// The packages from the lowest to the highest. `[dependencies]` name packages of lower layers.
const PACKAGES: &[&[&str]] = &[
    &["gate-build-info", "gate-envoy-signatures", "gate-structure"],
    &["gate-fixtures"],
    &["gate"],
    &["gate-config"],
    &["gate-worker"],
    &["gate-simulator"],
    &[
        "bearer-gate",
        "forging-module",
        "gate-check",
        "gate-model",
        "gate-simulation",
        "vectors-module",
    ],
];

/// The modules of the package `gate`.
const GATE: &[&[&str]] = &[
    &["time", "json", "pem", "http", "target", "request", "reason"],
    &[
        "confirmation",
        "verify",
        "binding",
        "claims",
        "token",
        "keys",
        "dpop",
    ],
    &["fetching", "revocation", "introspection"],
    &["policy"],
    &[
        "credential",
        "token_cache",
        "admission",
        "answer",
        "decision",
        "refusal_line",
        "resource_metadata",
    ],
];

fn metadata() -> Metadata {
    let mut command = MetadataCommand::new();
    command.manifest_path(concat!(env!("CARGO_MANIFEST_DIR"), "/../../Cargo.toml"));
    command
        .no_deps()
        .other_options(["--offline".to_owned()])
        .exec()
        .unwrap()
}

/// The crate with this root. Its files are named from the root of the workspace.
fn read(workspace: &Path, root: &Path) -> Result<Crate, ReadError> {
    let root = root.strip_prefix(workspace).unwrap();
    let read = |path: &Path| fs::read_to_string(workspace.join(path)).ok();
    Crate::read(root, &read)
}

#[test]
fn no_file_imports_itself_through_others() {
    let metadata = metadata();
    let mut found = Vec::new();
    for package in metadata.workspace_packages() {
        for target in &package.targets {
            if target.kind != [TargetKind::CustomBuild] {
                let root = target.src_path.as_std_path();
                match read(metadata.workspace_root.as_std_path(), root) {
                    Ok(read) => {
                        found.extend(cycles(&read.imports()).iter().map(ToString::to_string));
                    }
                    Err(error) => found.push(error.to_string()),
                }
            }
        }
    }
    assert!(found.is_empty(), "\n{}", found.join("\n"));
}

#[test]
fn no_module_of_the_gate_imports_from_a_higher_layer() {
    let metadata = metadata();
    let workspace = metadata.workspace_root.as_std_path();
    let gate = read(workspace, &workspace.join("crates/gate/src/lib.rs")).unwrap();
    let problems = Layers(GATE).problems(&gate.root_modules(), &gate.imports());
    assert!(problems.is_empty(), "\n{}", problems.join("\n"));
}

#[test]
fn packages_depend_on_lower_layers_only() {
    let metadata = metadata();
    let layer = |name: &str| PACKAGES.iter().position(|layer| layer.contains(&name));
    let mut names = BTreeSet::new();
    for package in metadata.workspace_packages() {
        let name = package.name.as_str();
        names.insert(name);
        let own = layer(name).unwrap_or_else(|| panic!("the package `{name}` is in no layer"));
        let dependencies = package.dependencies.iter();
        for dependency in dependencies.filter(|it| it.kind == DependencyKind::Normal) {
            if let Some(layer) = layer(&dependency.name) {
                assert!(layer < own, "{name} depends on {}", dependency.name);
            }
        }
    }
    let listed: BTreeSet<&str> = PACKAGES.iter().copied().flatten().copied().collect();
    assert_eq!(listed, names);
}

#[test]
fn the_claimed_rust_version_is_the_one_that_is_built_with() {
    let metadata = metadata();
    let file = metadata.workspace_root.join("rust-toolchain.toml");
    let toolchain = fs::read_to_string(file).unwrap();
    let channel = toolchain
        .lines()
        .find_map(|line| line.strip_prefix("channel = \""))
        .unwrap();
    let channel = channel.trim_end_matches('"');
    for package in metadata.workspace_packages() {
        let claimed = package.rust_version.as_ref().unwrap();
        let claimed = format!("{}.{}.{}", claimed.major, claimed.minor, claimed.patch);
        assert_eq!(claimed, channel, "{}", package.name);
    }
}
