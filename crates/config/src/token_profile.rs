//! Profiles of access tokens.

use gate::policy::TokenProfile;

use super::choice::choice;
use super::place::Place;

choice! {
    pub(crate) enum TokenProfileWire("TokenProfile") {
        /// The JWT profile for access tokens.
        Rfc9068 = "rfc9068",
    }
}

/// Which fields that a profile needs, or has in their place, are given.
pub(crate) struct Given {
    pub(crate) issuers: bool,
    pub(crate) audiences: bool,
    pub(crate) types: bool,
}

/// Builds the field `profile` of the provider at this place.
pub(crate) fn build(
    at: &Place<'_>,
    wire: Option<TokenProfileWire>,
    given: &Given,
) -> Option<TokenProfile> {
    let TokenProfileWire::Rfc9068 = wire?;
    let at = at.field("profile");
    if !given.issuers || !given.audiences {
        at.report("\"rfc9068\" needs issuer, or issuers, and audiences");
    }
    if given.types {
        at.report("\"rfc9068\" accepts only the type at+jwt: leave types out");
    }
    Some(TokenProfile::Rfc9068)
}
