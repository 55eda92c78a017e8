//! The command line of `convert`.

use std::path::PathBuf;

use lexopt::prelude::{Long, Short, Value, ValueExt};

/// The text of `convert --help`.
pub(crate) const HELP: &str = "\
Puts bearer-gate in the place of Envoy's jwt_authn filter.

Usage: bearer-gate-check convert [OPTIONS] FILE...

FILE is YAML or JSON; `-` is the standard input. It is any file with a jwt_authn filter: an Envoy
bootstrap, listener, route configuration, extension configuration, HTTP filter or configuration
dump, a ConfigMap or EnvoyFilter that contains one, or the filter's configuration by itself.

It may also have Kubernetes resources: RequestAuthentication and AuthorizationPolicy of Istio become
a WasmPlugin, SecurityPolicy of Envoy Gateway becomes an EnvoyExtensionPolicy. Name all files with
policies of the same workloads. What does not convert is listed on the standard error.

The same file with the gate in it goes to the standard output. What has nothing to do with jwt_authn
stays as it is, comments included. Wherever the meaning changes, a comment says REVIEW; for JSON,
which has no comments, these lines go to the standard error with their paths.

      --diff           print a unified diff instead of the file
      --module PATH    where Envoy finds the module (/etc/envoy/bearer_gate.wasm); for resources
                       the image, oci://REGISTRY/IMAGE@sha256:DIGEST
  -h, --help           print this help

Exit status: 0 if the file is converted; 2 if it is not, with the reasons on the standard error.

Examples:
  bearer-gate-check convert --diff envoy.yaml
  bearer-gate-check convert envoy.yaml > gate.yaml && bearer-gate-check gate.yaml
  bearer-gate-check convert authentication.yaml authorization.yaml > gate.yaml
";

/// The module where nothing else is said.
pub(crate) const MODULE: &str = "/etc/envoy/bearer_gate.wasm";

/// What to convert, and how.
#[derive(Debug)]
pub(crate) struct ConvertArguments {
    /// The file, or several with Kubernetes resources.
    pub(crate) files: Vec<PathBuf>,
    /// Where Envoy finds the module.
    pub(crate) module: String,
    /// Whether to print a diff.
    pub(crate) diff: bool,
}

impl ConvertArguments {
    /// Parses what follows `convert`. Returns `None` for `--help`.
    pub(crate) fn parse(parser: &mut lexopt::Parser) -> Result<Option<Self>, String> {
        let explain = |error: lexopt::Error| format!("{error} (see convert --help)");
        let mut files = Vec::new();
        let mut module = MODULE.to_owned();
        let mut diff = false;
        while let Some(argument) = parser.next().map_err(explain)? {
            match argument {
                Short('h') | Long("help") => return Ok(None),
                Long("diff") => diff = true,
                Long("module") => {
                    module = parser.value().and_then(ValueExt::string).map_err(explain)?;
                }
                Value(path) => files.push(PathBuf::from(path)),
                other => return Err(explain(other.unexpected())),
            }
        }
        if files.is_empty() {
            return Err("FILE is missing (see convert --help)".to_owned());
        }
        Ok(Some(Self {
            files,
            module,
            diff,
        }))
    }
}
