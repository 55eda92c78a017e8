//! What tokens are bound to.

use fastrand::Rng;
use serde_json::{Value, json};

use super::claim_fault::digest;
use super::dice::one_of;
use super::signer::SIGNERS;
use crate::model::thumbprint;

/// The claim `cnf` of a token that is bound to the key of one of these signers.
pub(super) fn draw(rng: &mut Rng, signers: &[usize]) -> Value {
    let jkt = jkt(one_of(rng, signers));
    match rng.u8(0..20) {
        0 => json!({"jkt": jkt, "kid": "a"}),
        1 => json!({"jkt": jkt, "x5t#S256": digest('I')}),
        2 => {
            // The two bits that the last character has too many.
            let last = jkt.chars().last().unwrap_or('A');
            let other = char::from(u8::try_from(last).unwrap_or(b'A') + 1);
            let fits = other.is_ascii_alphanumeric();
            json!({"jkt": if fits { format!("{}{other}", &jkt[..42]) } else { jkt }})
        }
        _ => json!({"jkt": jkt}),
    }
}

/// The thumbprint of a signer.
pub(super) fn jkt(signer: usize) -> String {
    let jwk = SIGNERS[signer].jwk.as_object();
    jwk.and_then(thumbprint).unwrap_or_default()
}
