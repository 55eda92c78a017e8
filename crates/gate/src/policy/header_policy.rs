//! Which JOSE headers a provider accepts.

use crate::reason::Reason;
use crate::token::Token;
use crate::verify::Algorithm;

/// The `alg` and `typ` values that a provider accepts.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct HeaderPolicy {
    algorithms: Vec<Algorithm>,
    /// Values of `typ`, without `application/`.
    types: Vec<String>,
    /// Whether a token without `typ` is accepted.
    untyped: bool,
}

impl HeaderPolicy {
    /// Accepts these algorithms and these values of `typ`. The empty string stands for a token
    /// without `typ`.
    #[must_use]
    pub fn new(algorithms: Vec<Algorithm>, types: &[String]) -> Self {
        let short = types.iter().filter_map(|typ| short_type(typ));
        Self {
            algorithms,
            types: short.map(str::to_owned).collect(),
            untyped: types.iter().any(String::is_empty),
        }
    }

    /// Checks `alg` and `typ` of `token`.
    ///
    /// # Errors
    ///
    /// [`Reason::Algorithm`] or [`Reason::Type`].
    pub fn check(&self, token: &Token) -> Result<(), Reason> {
        if !self.algorithms.contains(&token.algorithm) {
            let alg = Some(token.algorithm.name());
            return Err(Reason::Algorithm { alg });
        }
        self.check_type(token)
    }

    /// Checks only `typ` of `token`, where the gate does not verify the signature.
    ///
    /// # Errors
    ///
    /// [`Reason::Type`].
    pub fn check_type(&self, token: &Token) -> Result<(), Reason> {
        let accepted = match &token.typ {
            None => self.untyped,
            Some(typ) => short_type(typ).is_some_and(|typ| {
                let mut types = self.types.iter();
                types.any(|known| known.eq_ignore_ascii_case(typ))
            }),
        };
        if accepted {
            return Ok(());
        }
        let typ = token.typ.clone();
        Err(Reason::Type { typ })
    }
}

/// A `typ` without the optional prefix `application/` (RFC 7515, section 4.1.9); `None` if nothing is
/// left.
fn short_type(typ: &str) -> Option<&str> {
    const PREFIX: &str = "application/";
    let short = match typ.split_at_checked(PREFIX.len()) {
        Some((prefix, short)) if prefix.eq_ignore_ascii_case(PREFIX) => short,
        _ => typ,
    };
    (!short.is_empty()).then_some(short)
}
