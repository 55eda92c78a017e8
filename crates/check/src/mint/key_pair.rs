//! Key pairs that sign the minted tokens.

use aws_lc_rs::encoding::{AsBigEndian, AsDer, EcPublicKeyUncompressedBin};
use aws_lc_rs::error::Unspecified;
use aws_lc_rs::hmac;
use aws_lc_rs::rand::{self, SystemRandom};
use aws_lc_rs::rsa::KeySize;
use aws_lc_rs::signature::{
    ECDSA_P256_SHA256_FIXED, ECDSA_P256_SHA256_FIXED_SIGNING, ECDSA_P384_SHA384_FIXED,
    ECDSA_P384_SHA384_FIXED_SIGNING, ECDSA_P521_SHA512_FIXED, ECDSA_P521_SHA512_FIXED_SIGNING,
    ED25519, EcdsaKeyPair, Ed25519KeyPair, KeyPair as _, RSA_PKCS1_2048_8192_SHA256,
    RSA_PKCS1_2048_8192_SHA384, RSA_PKCS1_2048_8192_SHA512, RSA_PKCS1_SHA256, RSA_PKCS1_SHA384,
    RSA_PKCS1_SHA512, RSA_PSS_2048_8192_SHA256, RSA_PSS_2048_8192_SHA384, RSA_PSS_2048_8192_SHA512,
    RSA_PSS_SHA256, RSA_PSS_SHA384, RSA_PSS_SHA512, RsaEncoding, RsaKeyPair, UnparsedPublicKey,
    VerificationAlgorithm,
};
use base64::Engine as _;
use base64::engine::general_purpose::{STANDARD, URL_SAFE_NO_PAD};
use gate::verify::{Algorithm, Hash};
use serde_json::{Value, json};

/// A key pair for one algorithm.
pub(crate) struct KeyPair {
    algorithm: Algorithm,
    key: Key,
}

enum Key {
    Rsa(RsaKeyPair, &'static dyn RsaEncoding),
    Ec(EcdsaKeyPair, &'static str),
    Ed25519(Ed25519KeyPair),
    Hmac(Vec<u8>, hmac::Algorithm),
}

impl KeyPair {
    /// A fresh key pair.
    ///
    /// # Errors
    ///
    /// That the library cannot make one.
    pub(crate) fn generate(algorithm: Algorithm) -> Result<Self, String> {
        let key = Key::generate(algorithm).map_err(failure)?;
        Ok(Self { algorithm, key })
    }

    /// The algorithm of its signatures.
    pub(crate) const fn algorithm(&self) -> Algorithm {
        self.algorithm
    }

    /// The key that verifies, as a JWK with this `kid`. For HMAC it is the secret.
    ///
    /// # Errors
    ///
    /// That the library cannot encode it.
    pub(crate) fn jwk(&self, kid: &str) -> Result<Value, String> {
        let encode = |bytes: &[u8]| URL_SAFE_NO_PAD.encode(bytes);
        let mut jwk = match &self.key {
            Key::Rsa(pair, _) => {
                let public = pair.public_key();
                let n = encode(public.modulus().big_endian_without_leading_zero());
                let e = encode(public.exponent().big_endian_without_leading_zero());
                json!({"kty": "RSA", "n": n, "e": e})
            }
            Key::Ec(pair, curve) => {
                let point: EcPublicKeyUncompressedBin<'_> =
                    pair.public_key().as_be_bytes().map_err(failure)?;
                // 4 for uncompressed, then both coordinates (SEC 1, section 2.3.3).
                let coordinates = point.as_ref().get(1..).unwrap_or_default();
                let half = coordinates.len().div_euclid(2);
                let (x, y) = coordinates.split_at_checked(half).unwrap_or_default();
                json!({"kty": "EC", "crv": curve, "x": encode(x), "y": encode(y)})
            }
            Key::Ed25519(pair) => {
                let x = encode(pair.public_key().as_ref());
                json!({"kty": "OKP", "crv": "Ed25519", "x": x})
            }
            Key::Hmac(secret, _) => json!({"kty": "oct", "k": encode(secret)}),
        };
        if let Some(members) = jwk.as_object_mut() {
            members.insert("kid".to_owned(), kid.into());
            members.insert("alg".to_owned(), self.algorithm.name().into());
        }
        Ok(jwk)
    }

    /// The private key in PEM (PKCS #8); `None` for HMAC, whose secret is in the key set.
    ///
    /// # Errors
    ///
    /// That the library cannot encode it.
    pub(crate) fn private_pem(&self) -> Result<Option<String>, String> {
        let der = match &self.key {
            Key::Rsa(pair, _) => pair.as_der().map_err(failure)?.as_ref().to_vec(),
            Key::Ec(pair, _) => pair.to_pkcs8v1().map_err(failure)?.as_ref().to_vec(),
            Key::Ed25519(pair) => pair.to_pkcs8v1().map_err(failure)?.as_ref().to_vec(),
            Key::Hmac(..) => return Ok(None),
        };
        let mut pem = "-----BEGIN PRIVATE KEY-----\n".to_owned();
        for (index, letter) in STANDARD.encode(der).chars().enumerate() {
            if index > 0 && index.is_multiple_of(64) {
                pem.push('\n');
            }
            pem.push(letter);
        }
        pem.push_str("\n-----END PRIVATE KEY-----\n");
        Ok(Some(pem))
    }

    /// The token with this header and payload.
    ///
    /// # Errors
    ///
    /// That the library cannot sign.
    pub(crate) fn sign(&self, header: &Value, payload: &Value) -> Result<String, String> {
        let [header, payload] =
            [header, payload].map(|part| URL_SAFE_NO_PAD.encode(part.to_string()));
        let input = format!("{header}.{payload}");
        let signature = self.signature(input.as_bytes()).map_err(failure)?;
        Ok(format!("{input}.{}", URL_SAFE_NO_PAD.encode(signature)))
    }

    /// Whether the signature of `input` is one of this key.
    pub(crate) fn verifies(&self, input: &[u8], signature: &[u8]) -> bool {
        let public = match &self.key {
            Key::Hmac(secret, algorithm) => {
                let key = hmac::Key::new(*algorithm, secret);
                return hmac::verify(&key, input, signature).is_ok();
            }
            Key::Rsa(pair, _) => pair.public_key().as_ref(),
            Key::Ec(pair, _) => pair.public_key().as_ref(),
            Key::Ed25519(pair) => pair.public_key().as_ref(),
        };
        let algorithm: &'static dyn VerificationAlgorithm = match self.algorithm {
            Algorithm::Rs(Hash::Sha256) => &RSA_PKCS1_2048_8192_SHA256,
            Algorithm::Rs(Hash::Sha384) => &RSA_PKCS1_2048_8192_SHA384,
            Algorithm::Rs(Hash::Sha512) => &RSA_PKCS1_2048_8192_SHA512,
            Algorithm::Ps(Hash::Sha256) => &RSA_PSS_2048_8192_SHA256,
            Algorithm::Ps(Hash::Sha384) => &RSA_PSS_2048_8192_SHA384,
            Algorithm::Ps(Hash::Sha512) => &RSA_PSS_2048_8192_SHA512,
            Algorithm::Es(Hash::Sha256) => &ECDSA_P256_SHA256_FIXED,
            Algorithm::Es(Hash::Sha384) => &ECDSA_P384_SHA384_FIXED,
            Algorithm::Es(Hash::Sha512) => &ECDSA_P521_SHA512_FIXED,
            Algorithm::EdDsa => &ED25519,
            // Returned above.
            Algorithm::Hs(_) => return false,
        };
        let key = UnparsedPublicKey::new(algorithm, public);
        key.verify(input, signature).is_ok()
    }

    fn signature(&self, input: &[u8]) -> Result<Vec<u8>, Unspecified> {
        let random = SystemRandom::new();
        Ok(match &self.key {
            Key::Rsa(pair, encoding) => {
                let mut signature = vec![0; pair.public_modulus_len()];
                pair.sign(*encoding, &random, input, &mut signature)?;
                signature
            }
            Key::Ec(pair, _) => pair.sign(&random, input)?.as_ref().to_vec(),
            Key::Ed25519(pair) => pair.sign(input).as_ref().to_vec(),
            Key::Hmac(secret, algorithm) => {
                let key = hmac::Key::new(*algorithm, secret);
                hmac::sign(&key, input).as_ref().to_vec()
            }
        })
    }
}

impl Key {
    fn generate(algorithm: Algorithm) -> Result<Self, Unspecified> {
        let rsa = |encoding: &'static dyn RsaEncoding| {
            RsaKeyPair::generate(KeySize::Rsa2048).map(|pair| Self::Rsa(pair, encoding))
        };
        let hmac = |algorithm| {
            let mut secret = vec![0; 64];
            rand::fill(&mut secret)?;
            Ok(Self::Hmac(secret, algorithm))
        };
        match algorithm {
            Algorithm::Rs(Hash::Sha256) => rsa(&RSA_PKCS1_SHA256),
            Algorithm::Rs(Hash::Sha384) => rsa(&RSA_PKCS1_SHA384),
            Algorithm::Rs(Hash::Sha512) => rsa(&RSA_PKCS1_SHA512),
            Algorithm::Ps(Hash::Sha256) => rsa(&RSA_PSS_SHA256),
            Algorithm::Ps(Hash::Sha384) => rsa(&RSA_PSS_SHA384),
            Algorithm::Ps(Hash::Sha512) => rsa(&RSA_PSS_SHA512),
            Algorithm::Es(hash) => {
                let (signing, curve) = match hash {
                    Hash::Sha256 => (&ECDSA_P256_SHA256_FIXED_SIGNING, "P-256"),
                    Hash::Sha384 => (&ECDSA_P384_SHA384_FIXED_SIGNING, "P-384"),
                    Hash::Sha512 => (&ECDSA_P521_SHA512_FIXED_SIGNING, "P-521"),
                };
                EcdsaKeyPair::generate(signing).map(|pair| Self::Ec(pair, curve))
            }
            Algorithm::EdDsa => Ed25519KeyPair::generate().map(Self::Ed25519),
            Algorithm::Hs(Hash::Sha256) => hmac(hmac::HMAC_SHA256),
            Algorithm::Hs(Hash::Sha384) => hmac(hmac::HMAC_SHA384),
            Algorithm::Hs(Hash::Sha512) => hmac(hmac::HMAC_SHA512),
        }
    }
}

/// An identifier that nobody can guess.
///
/// # Errors
///
/// That the system gives no random numbers.
pub(crate) fn random_identifier() -> Result<String, String> {
    let mut bytes = [0; 16];
    rand::fill(&mut bytes).map_err(failure)?;
    Ok(URL_SAFE_NO_PAD.encode(bytes))
}

fn failure(error: impl std::fmt::Display) -> String {
    format!("the cryptographic library: {error}")
}
