//! The decision, from the outside: configuration and requests in, decisions out.

#![expect(
    clippy::needless_pass_by_value,
    clippy::panic_in_result_fn,
    clippy::string_slice,
    clippy::too_many_lines,
    reason = "a test that panics fails, and a table of cases is as long as it is"
)]

#[cfg(test)]
mod admission;
#[cfg(test)]
mod alternatives;
#[cfg(test)]
mod cache;
#[cfg(test)]
mod certificates;
#[cfg(test)]
mod challenges;
#[cfg(test)]
mod claims;
#[cfg(test)]
mod conditions;
#[cfg(test)]
mod counts;
#[cfg(test)]
mod credentials;
#[cfg(test)]
mod dpop;
#[cfg(test)]
mod hostile;
#[cfg(test)]
mod introspection;
#[cfg(test)]
mod keys;
#[cfg(test)]
mod matchers;
#[cfg(test)]
mod paths;
mod patterns;
#[cfg(test)]
mod policy;
#[cfg(test)]
mod profile;
#[cfg(test)]
mod reasons;
#[cfg(test)]
mod refusal_lines;
#[cfg(test)]
mod reports;
#[cfg(test)]
mod requirements;
#[cfg(test)]
mod resources;
#[cfg(test)]
mod revocation;
#[cfg(test)]
mod rules;
#[cfg(test)]
mod sender;
#[cfg(test)]
mod signatures;
#[cfg(test)]
mod standing;
mod step_up;
#[cfg(test)]
mod support;
#[cfg(test)]
mod tenants;
#[cfg(test)]
mod tokens;
#[cfg(test)]
mod waits;
