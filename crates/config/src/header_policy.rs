//! Which tokens a provider takes by their header.

use super::error::ConfigError;
use crate::denial::Reason;
use crate::token::Token;
use crate::verify::Algorithm;

/// The algorithms that are accepted where the operator names none: all but those whose key is a
/// shared secret.
fn default_algorithms() -> Vec<Algorithm> {
    let all = Algorithm::ALL.iter().map(|(_, algorithm)| *algorithm);
    all.filter(|algorithm| !algorithm.is_symmetric()).collect()
}

/// What the header of a token may say.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Accepted {
    /// The values of `alg`.
    algorithms: Vec<Algorithm>,
    /// The values of `typ`, without `application/`.
    types: Vec<String>,
    /// Whether a token may say nothing of its type.
    untyped: bool,
}

impl Accepted {
    /// Reads `algorithms` and `types` of the provider at `path`. `local` tells whether its keys are
    /// in the configuration.
    pub(super) fn build(
        path: &str,
        algorithms: Option<Vec<String>>,
        types: Option<Vec<String>>,
        local: bool,
    ) -> Result<Self, ConfigError> {
        let algorithms = match algorithms {
            None => default_algorithms(),
            Some(names) => named_algorithms(path, &names, local)?,
        };
        let (types, untyped) = match types {
            None => (vec!["at+jwt".to_owned(), "jwt".to_owned()], true),
            Some(types) if types.is_empty() => {
                return Err(ConfigError::new(
                    format!("{path}.types"),
                    "must not be empty",
                ));
            }
            // An empty string stands for a token that says nothing.
            Some(types) => {
                let short = types.iter().filter_map(|typ| short_type(typ));
                let untyped = types.iter().any(String::is_empty);
                (short.map(str::to_owned).collect(), untyped)
            }
        };
        Ok(Self {
            algorithms,
            types,
            untyped,
        })
    }

    /// Checks what the header of `token` says.
    ///
    /// # Errors
    ///
    /// [`Reason::Algorithm`] or [`Reason::Type`].
    pub fn check(&self, token: &Token) -> Result<(), Reason> {
        if !self.algorithms.contains(&token.algorithm) {
            return Err(Reason::Algorithm);
        }
        let accepted = match &token.typ {
            None => self.untyped,
            Some(typ) => short_type(typ).is_some_and(|typ| {
                let mut types = self.types.iter();
                types.any(|known| known.eq_ignore_ascii_case(typ))
            }),
        };
        if accepted { Ok(()) } else { Err(Reason::Type) }
    }
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
            None => format!("there is no algorithm {name:?}"),
        };
        return Err(ConfigError::new(
            format!("{path}.algorithms[{index}]"),
            problem,
        ));
    }
    Ok(algorithms)
}

/// A `typ` as it is compared, without case: without the prefix `application/`, which may be left out
/// (RFC 7515, section 4.1.9). `None` for one that says nothing.
fn short_type(typ: &str) -> Option<&str> {
    const PREFIX: &str = "application/";
    let short = match typ.split_at_checked(PREFIX.len()) {
        Some((prefix, short)) if prefix.eq_ignore_ascii_case(PREFIX) => short,
        _ => typ,
    };
    (!short.is_empty()).then_some(short)
}
