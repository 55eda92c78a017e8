//! Which `alg` and `typ` values a provider accepts.

use gate::policy::HeaderPolicy;
use gate::verify::Algorithm;

use super::error::ConfigError;

/// Builds the policy of the provider at `path` from its fields `algorithms` and `types`. `local` says
/// whether its keys are in the configuration.
pub(crate) fn build(
    path: &str,
    algorithms: Option<Vec<String>>,
    types: Option<Vec<String>>,
    local: bool,
) -> Result<HeaderPolicy, ConfigError> {
    let algorithms = match algorithms {
        None => default_algorithms(),
        Some(names) => named_algorithms(path, &names, local)?,
    };
    let types = types.unwrap_or_else(|| ["at+jwt", "jwt", ""].map(str::to_owned).to_vec());
    if types.is_empty() {
        return Err(ConfigError::new(
            format!("{path}.types"),
            "must not be empty",
        ));
    }
    Ok(HeaderPolicy::new(algorithms, &types))
}

/// All algorithms except HMAC: its keys are shared secrets.
fn default_algorithms() -> Vec<Algorithm> {
    let all = Algorithm::ALL.iter().map(|(_, algorithm)| *algorithm);
    all.filter(|algorithm| !algorithm.is_symmetric()).collect()
}

fn named_algorithms(
    path: &str,
    names: &[String],
    local: bool,
) -> Result<Vec<Algorithm>, ConfigError> {
    if names.is_empty() {
        return Err(ConfigError::new(
            format!("{path}.algorithms"),
            "must not be empty",
        ));
    }
    let mut algorithms = Vec::new();
    for (index, name) in names.iter().enumerate() {
        let problem = match Algorithm::from_name(name) {
            Some(algorithm) if algorithm.is_symmetric() && !local => {
                format!("{name} works only with local_jwks")
            }
            Some(algorithm) => {
                algorithms.push(algorithm);
                continue;
            }
            None => {
                let known = Algorithm::ALL.iter().map(|(known, _)| *known);
                format!("is not one of {}", known.collect::<Vec<_>>().join(", "))
            }
        };
        return Err(ConfigError::new(
            format!("{path}.algorithms[{index}]"),
            problem,
        ));
    }
    Ok(algorithms)
}
