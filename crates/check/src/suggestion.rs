//! The field that an unknown one was probably meant to be.

use gate_config::Problem;

/// The known field whose name is closest to that of an unknown one, if they differ in at most a third of
/// its letters.
pub(crate) fn suggestion(problem: &Problem) -> Option<&str> {
    let given = problem.path.rsplit('.').next()?;
    let known = problem.known_fields.iter();
    let distances = known.map(|name| (strsim::damerau_levenshtein(given, name), name));
    let (distance, closest) = distances.min_by_key(|(distance, _)| *distance)?;
    let close = distance <= closest.chars().count().div_ceil(3);
    close.then_some(closest)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn suggest(given: &str, known: &[&str]) -> Option<String> {
        let problem = Problem {
            path: format!("providers.a.{given}"),
            text: "unknown field".to_owned(),
            known_fields: known.iter().map(|name| (*name).to_owned()).collect(),
        };
        suggestion(&problem).map(str::to_owned)
    }

    #[test]
    fn a_misspelt_field_is_close_to_a_known_one() {
        let known = ["audiences", "issuer", "remoteJwks", "remote_jwks"];
        for (given, meant) in [
            ("audience", Some("audiences")),
            ("remote_jkws", Some("remote_jwks")),
            ("remoteJwk", Some("remoteJwks")),
            ("isuer", Some("issuer")),
            ("timeout", None),
            ("", None),
        ] {
            assert_eq!(suggest(given, &known).as_deref(), meant, "{given}");
        }
        assert_eq!(suggest("issuer", &[]), None);
    }
}
