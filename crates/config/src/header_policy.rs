//! Which `alg` and `typ` values a provider accepts.

use gate::policy::HeaderPolicy;
use gate::verify::Algorithm;

use super::place::Place;

/// Builds the policy of the provider at this place from its fields `algorithms` and `types`. `local` says
/// whether its keys are in the configuration.
pub(crate) fn build(
    at: &Place<'_>,
    algorithms: Option<Vec<String>>,
    types: Option<Vec<String>>,
    local: bool,
) -> HeaderPolicy {
    let algorithms = match algorithms {
        None => default_algorithms(),
        Some(names) => named_algorithms(at, names, local),
    };
    let types = types.unwrap_or_else(|| ["at+jwt", "jwt", ""].map(str::to_owned).to_vec());
    if types.is_empty() {
        at.field("types").report("must not be empty");
    }
    HeaderPolicy::new(algorithms, &types)
}

/// All algorithms except HMAC: its keys are shared secrets.
fn default_algorithms() -> Vec<Algorithm> {
    let all = Algorithm::ALL.iter().map(|(_, algorithm)| *algorithm);
    all.filter(|algorithm| !algorithm.is_symmetric()).collect()
}

fn named_algorithms(at: &Place<'_>, names: Vec<String>, local: bool) -> Vec<Algorithm> {
    if names.is_empty() {
        at.field("algorithms").report("must not be empty");
    }
    at.build_list(
        "algorithms",
        Some(names),
        |name, at| match Algorithm::from_name(&name) {
            Some(algorithm) if algorithm.is_symmetric() && !local => {
                at.refuse(&format!("{name} works only with local_jwks"))
            }
            Some(algorithm) => Some(algorithm),
            None => {
                let known = Algorithm::ALL.iter().map(|(known, _)| *known);
                let known = known.collect::<Vec<_>>().join(", ");
                at.refuse(&format!("is not one of {known}"))
            }
        },
    )
}
