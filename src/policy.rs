//! What a request has to bring, and whether it does.

mod terms;
mod verdict;

#[cfg(not(target_arch = "wasm32"))]
pub(crate) use terms::holds;
pub use verdict::{Finding, Grants, Opinion, Tokens, Wait, find};

use crate::config::{Config, Requirement, Rules};
use crate::denial::Reason;
use crate::request::Request;

/// Goes through the requirements that `request` falls under, in their order, until `decide` has a
/// decision by one: the first, unless it would let the request pass without a token on the strength
/// of an [ambiguous](is_ambiguous) path, which `decide` is to pass over.
///
/// # Errors
///
/// [`Reason::Requirement`] where the route names one that there is not.
pub fn decided<'c, D>(
    config: &'c Config,
    request: &Request,
    mut decide: impl FnMut(&'c Requirement) -> Option<D>,
) -> Result<Option<D>, Reason> {
    if let Some(name) = &request.requirement_name
        && config.per_route_requirements
    {
        let of_route = config.requirement(name).ok_or(Reason::Requirement)?;
        if let Some(decision) = decide(of_route) {
            return Ok(Some(decision));
        }
    }
    Ok(match &config.rules {
        Rules::AnyProvider(requirement) => decide(requirement),
        Rules::Listed { rules, .. } => {
            let mut matching = rules.matching(request);
            matching.find_map(|rule| decide(&rule.requirement))
        }
    })
}

/// Whether a request that falls under no requirement passes.
#[must_use]
pub fn allows_unmatched(config: &Config) -> bool {
    matches!(
        config.rules,
        Rules::Listed {
            allow_unmatched: true,
            ..
        }
    )
}

/// Whether an upstream may take `path` for another one than it looks like: nothing passes without a
/// token on the strength of such a path.
#[must_use]
pub fn is_ambiguous(path: &[u8]) -> bool {
    const MARKS: [&[u8]; 3] = [b"//", b"\\", b"\0"];
    let contains = |mark: &[u8]| path.windows(mark.len()).any(|window| window == mark);
    let dots = path
        .split(|byte| *byte == b'/')
        .any(|segment| matches!(segment, b"." | b".."));
    let encoded = path.windows(3).any(|window| {
        [b"%2e", b"%2f", b"%5c", b"%25", b"%00"]
            .iter()
            .any(|mark| window.eq_ignore_ascii_case(*mark))
    });
    dots || encoded || MARKS.iter().any(|mark| contains(mark)) || str::from_utf8(path).is_err()
}

#[cfg(test)]
mod tests;
