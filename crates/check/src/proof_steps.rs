//! The checks of a proof of possession, each with its facts (RFC 9449, section 4.3).

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use gate::dpop::{
    MAX_PROOF_BYTES, PROOF_HEADER, Proof, ProofClaims, ProofError, ProofKeys, TargetUri, sha256,
};
use gate::policy::{DpopPolicy, NonceUse};
use gate::verify::Engine;
use serde_json::Value;

use crate::inputs::Inputs;
use crate::wording;

/// A check, and whether it is in favour of the request; `None` if it only informs.
pub(crate) type ProofStep = (Option<bool>, String);

/// Checks the proof that `inputs` have for this token.
pub(crate) fn examine(dpop: &DpopPolicy, inputs: &Inputs<'_>, token: &str) -> Vec<ProofStep> {
    let values: Vec<&[u8]> = inputs.request.header(PROOF_HEADER).collect();
    let [text] = values.as_slice() else {
        let text = format!("{} headers dpop, expected one", values.len());
        return vec![(Some(false), text)];
    };
    let engine = inputs.engine();
    let mut known = ProofKeys::default();
    match Proof::parse(text, &dpop.algorithms, engine, &mut known) {
        Ok(proof) => checks(dpop, inputs, token, &proof, engine),
        Err(error) => {
            let text = match error {
                ProofError::Malformed(problem) => {
                    format!("malformed: {problem} (at most {MAX_PROOF_BYTES} bytes)")
                }
                ProofError::Algorithm(found) => {
                    let found = found.map_or("unknown", gate::verify::Algorithm::name);
                    format!("alg: {found}, expected one of {}", dpop.algorithm_names())
                }
                ProofError::Key(flaw) => format!("jwk: {flaw}"),
            };
            vec![(Some(false), text)]
        }
    }
}

fn checks(
    dpop: &DpopPolicy,
    inputs: &Inputs<'_>,
    token: &str,
    proof: &Proof<'_>,
    engine: &Engine,
) -> Vec<ProofStep> {
    let claims = &proof.claims;
    let method = String::from_utf8_lossy(&inputs.request.method);
    let token_hash = URL_SAFE_NO_PAD.encode(sha256(token.as_bytes()));
    let thumbprint = URL_SAFE_NO_PAD.encode(proof.key.thumbprint);
    let algorithm = proof.key.algorithm.name();
    let signed = proof.verify(engine, &mut ProofKeys::default()).is_some();
    let quoted = |text: &str| wording::value(&Value::from(text));
    let mut steps = vec![
        (
            None,
            format!("signed with {algorithm} by the key with the thumbprint {thumbprint}"),
        ),
        (
            Some(claims.method == method),
            format!(
                "htm: {}, the method is {}",
                quoted(&claims.method),
                quoted(&method)
            ),
        ),
        uri(inputs, claims),
        (
            Some(claims.token_hash == token_hash),
            format!(
                "ath: {}, that of the token is {}",
                quoted(&claims.token_hash),
                quoted(&token_hash)
            ),
        ),
    ];
    steps.extend(time(dpop, inputs, claims));
    steps.push((
        Some(signed),
        if signed {
            "the signature is good"
        } else {
            "the signature is not good"
        }
        .to_owned(),
    ));
    let text = "replay is not checked here: only a running gate knows which proofs have been used";
    steps.push((None, text.to_owned()));
    steps
}

fn uri(inputs: &Inputs<'_>, claims: &ProofClaims) -> ProofStep {
    let targets = inputs.policy.options.public_urls.targets(inputs.request);
    let found = wording::value(&Value::from(&*claims.uri));
    let Some(uri) = TargetUri::parse(claims.uri.as_bytes()) else {
        let text = format!("htu: {found} is no absolute http or https URL");
        return (Some(false), text);
    };
    let texts: Vec<String> = targets.iter().map(TargetUri::to_text).collect();
    let expected = match texts.as_slice() {
        [] => "nothing, because the request has no URL".to_owned(),
        texts => texts.join(" or "),
    };
    let text = format!("htu: {found}, expected {expected}");
    (Some(targets.contains(&uri)), text)
}

/// The date, and the nonce if one is used.
fn time(dpop: &DpopPolicy, inputs: &Inputs<'_>, claims: &ProofClaims) -> Vec<ProofStep> {
    let now = inputs.now();
    let skew = dpop.clock_skew;
    let end = claims.issued_at.plus(dpop.max_age).plus(skew);
    let start = claims.issued_at.minus(skew);
    let is_recent = start <= now && now <= end;
    let counts =
        dpop.nonce == NonceUse::Off || (dpop.nonce == NonceUse::Fallback && claims.nonce.is_none());
    let window = format!(
        "iat: {}; good from {} to {}; now: {}",
        wording::date(claims.issued_at),
        wording::date(start),
        wording::date(end),
        wording::date(now),
    );
    let mut steps = vec![(counts.then_some(is_recent), window)];
    if dpop.nonce == NonceUse::Off {
        return steps;
    }
    let known = dpop.nonces().map(|nonces| {
        let nonce = claims.nonce.as_deref();
        nonce.and_then(|nonce| nonces.check(nonce, now)).is_some()
    });
    let (good, text) = match (&claims.nonce, known) {
        (None, _) if dpop.nonce == NonceUse::Required => (Some(false), "nonce: missing"),
        (None, _) => (None, "nonce: missing, so the date counts"),
        (Some(_), Some(true)) => (Some(true), "nonce: good, so the date does not count"),
        (Some(_), Some(false)) => (Some(false), "nonce: of another server, too old, or forged"),
        (Some(_), None) => {
            let text = "nonce: not checked here: its key is a random one of the process";
            (None, text)
        }
    };
    steps.push((good, text.to_owned()));
    steps
}
