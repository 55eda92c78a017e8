//! Keys in X.509 certificates (RFC 5280). Google, for one, publishes its keys as a map from `kid` to
//! certificate as well as in a JWK set.
//!
//! Only the public key of a certificate is used. Its issuer, its validity and its extensions are not
//! looked at, as in Envoy: the server that publishes it says that the key is good.

use p256::elliptic_curve::ALGORITHM_OID as EC;
use p256::pkcs8::der::{self, Decode, Reader, SliceReader, TagMode, TagNumber, asn1::AnyRef};
use p256::pkcs8::{AssociatedOid, ObjectIdentifier, SubjectPublicKeyInfoRef};
use rsa::pkcs1::{ALGORITHM_OID as RSA, RsaPublicKeyRef};

use super::jwk::{Key, KeyProblem, RSA_PROBLEM};
use crate::pem;
use crate::verify::{Curve, PublicKey};

/// RFC 8410, section 3.
const ED25519: ObjectIdentifier = ObjectIdentifier::new_unwrap("1.3.101.112");

/// The key that tokens name `kid`, from the first certificate in `pem`.
///
/// # Errors
///
/// Why the key cannot be used.
pub(super) fn key(kid: &str, pem: &str) -> Result<Key, KeyProblem> {
    let certificate = pem::certificate(pem).ok_or("it is not an X.509 certificate in PEM")?;
    let info = subject_public_key_info(&certificate)
        .map_err(|_| "it is not an X.509 certificate in PEM")?;
    Ok(Key {
        kid: Some(kid.to_owned()),
        algorithm: None,
        public: public_key(&info)?,
    })
}

/// The public key in a certificate (RFC 5280, section 4.1).
fn subject_public_key_info(certificate: &[u8]) -> der::Result<SubjectPublicKeyInfoRef<'_>> {
    let mut reader = SliceReader::new(certificate)?;
    let info = reader.sequence(|certificate| {
        let info = certificate.sequence(|tbs| {
            tbs.context_specific::<u8>(VERSION, TagMode::Explicit)?;
            for _ in ["serialNumber", "signature", "issuer", "validity", "subject"] {
                AnyRef::decode(tbs)?;
            }
            let info = SubjectPublicKeyInfoRef::decode(tbs)?;
            // The unique identifiers and the extensions.
            tbs.drain(tbs.remaining_len())?;
            Ok::<_, der::Error>(info)
        })?;
        // The signature.
        certificate.drain(certificate.remaining_len())?;
        Ok::<_, der::Error>(info)
    })?;
    reader.finish()?;
    Ok(info)
}

/// The tag of the version, which is absent in a certificate of version 1.
const VERSION: TagNumber = TagNumber(0);

fn public_key(info: &SubjectPublicKeyInfoRef<'_>) -> Result<PublicKey, KeyProblem> {
    let key = info.subject_public_key.as_bytes();
    let key = key.ok_or("the public key in its certificate is malformed")?;
    match info.algorithm.oid {
        RSA => {
            let key = RsaPublicKeyRef::from_der(key)
                .map_err(|_| "the public key in its certificate is malformed")?;
            let (modulus, exponent) = (key.modulus.as_bytes(), key.public_exponent.as_bytes());
            PublicKey::rsa(modulus, exponent).ok_or(RSA_PROBLEM)
        }
        EC => {
            let curve = info.algorithm.parameters_oid().ok().and_then(curve_of);
            let curve = curve.ok_or("the curve in its certificate is not supported")?;
            // RFC 5480, section 2.2: a point may be compressed, but implementations need not support that.
            if let [0x02 | 0x03, ..] = key {
                return Err("the point in its certificate is compressed");
            }
            PublicKey::ec(curve, key).ok_or("it is not a point on the curve")
        }
        ED25519 => PublicKey::ed25519(key).ok_or("it is not a point on the curve"),
        _ => Err("the algorithm in its certificate is not supported"),
    }
}

fn curve_of(identifier: ObjectIdentifier) -> Option<Curve> {
    match identifier {
        p256::NistP256::OID => Some(Curve::P256),
        p384::NistP384::OID => Some(Curve::P384),
        p521::NistP521::OID => Some(Curve::P521),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use base64::Engine as _;
    use base64::engine::general_purpose::STANDARD;
    use rcgen::{
        CertificateParams, KeyPair, PKCS_ECDSA_P256_SHA256, PKCS_ECDSA_P384_SHA384,
        PKCS_ECDSA_P521_SHA512, PKCS_ED25519, PKCS_RSA_SHA256, PublicKeyData, SignatureAlgorithm,
        date_time_ymd,
    };

    /// An expired certificate, and the key in it.
    fn certificate(algorithm: &'static SignatureAlgorithm) -> (String, KeyPair) {
        let key = KeyPair::generate_for(algorithm).unwrap();
        let mut params = CertificateParams::default();
        params.not_before = date_time_ymd(2001, 1, 1);
        params.not_after = date_time_ymd(2002, 1, 1);
        (params.self_signed(&key).unwrap().pem(), key)
    }

    fn problem(pem: &str) -> Option<KeyProblem> {
        key("a", pem).err()
    }

    #[test]
    fn the_key_of_a_certificate_is_used_whatever_its_validity() {
        for algorithm in [
            &PKCS_RSA_SHA256,
            &PKCS_ECDSA_P256_SHA256,
            &PKCS_ECDSA_P384_SHA384,
            &PKCS_ECDSA_P521_SHA512,
            &PKCS_ED25519,
        ] {
            let (pem, pair) = certificate(algorithm);
            let key = key("a", &pem).unwrap();
            assert_eq!(key.kid.as_deref(), Some("a"));
            let expected = if algorithm == &PKCS_ED25519 {
                pair.der_bytes().to_vec()
            } else {
                pair.subject_public_key_info()
            };
            assert_eq!(**key.public.material(), *expected, "{algorithm:?}");
        }
    }

    #[test]
    fn anything_else_is_refused() {
        let (pem, pair) = certificate(&PKCS_ECDSA_P256_SHA256);
        for text in [
            String::new(),
            "-----BEGIN CERTIFICATE-----".to_owned(),
            "-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----".to_owned(),
            pem.replace("CERTIFICATE", "TRUSTED CERTIFICATE"),
            pem.replacen("MII", "MIJ", 1),
            pair.serialize_pem(),
        ] {
            let expected = "it is not an X.509 certificate in PEM";
            assert_eq!(problem(&text), Some(expected), "{text}");
        }
    }

    #[test]
    fn a_key_that_is_too_short_compressed_or_on_another_curve_is_refused() {
        assert_eq!(problem(RSA_1024), Some(RSA_PROBLEM));
        let expected = "the curve in its certificate is not supported";
        assert_eq!(problem(SECP256K1), Some(expected));
        let expected = "the point in its certificate is compressed";
        assert_eq!(problem(COMPRESSED), Some(expected));
        let expected = "the algorithm in its certificate is not supported";
        assert_eq!(problem(ED448), Some(expected));
    }

    /// `openssl req -x509 -newkey rsa:1024 -nodes -subj / -days 1`.
    const RSA_1024: &str = "-----BEGIN CERTIFICATE-----\n\
        MIIB3DCCAUWgAwIBAgIUE25jYcM0GABZWVs4LwLHucYJVNgwDQYJKoZIhvcNAQEL\n\
        BQAwADAeFw0yNjExMjgwNjA2MDFaFw0yNjExMjkwNjA2MDFaMAAwgZ8wDQYJKoZI\n\
        hvcNAQEBBQADgY0AMIGJAoGBALNZDYMunjziY68X6AkiPsY+x6ShBpt6jtvyGLGB\n\
        mzVw9ghftG7oyx4sPKbFKS/Do9YdeqH2GBsoXuFRkW/tmV3Y/+B0ccdiP8U5RJMY\n\
        ZdFSjOJyz+t3zknr0UZ3rOi6nnl9Hn4uhI0uiCqqm6rVcFH8TIW+YnWkczK5CH3Z\n\
        F9JPAgMBAAGjUzBRMB0GA1UdDgQWBBQtib+KZVeLxKVXK+CtG3ZJvTWKhzAfBgNV\n\
        HSMEGDAWgBQtib+KZVeLxKVXK+CtG3ZJvTWKhzAPBgNVHRMBAf8EBTADAQH/MA0G\n\
        CSqGSIb3DQEBCwUAA4GBAHh8XylT49oofsDzriTYNKWfzimZ4DU6gmO9BgHdcfHm\n\
        OhuCCMZJmAZnpMfl5G21kV8k5OgUm6Fy00LQqZCQmsxT0YqzaRJoL3hj8IjxKGaI\n\
        2BC8iR5YT28Qdm1Ha13mOZVz8zp8wGhC1Jp7KeTBlLY3Drq1wSvVp/DT98j76mtH\n\
        -----END CERTIFICATE-----";

    /// `openssl req -x509 -newkey ec -pkeyopt ec_paramgen_curve:secp256k1 -nodes -subj / -days 1`.
    const SECP256K1: &str = "-----BEGIN CERTIFICATE-----\n\
        MIIBUTCB+KADAgECAhRkr9siycxhJtv0PaW78uCIfIjEkTAKBggqhkjOPQQDAjAA\n\
        MB4XDTI2MTEyODA2MDYwMVoXDTI2MTEyOTA2MDYwMVowADBWMBAGByqGSM49AgEG\n\
        BSuBBAAKA0IABOOKFkl+amHe2MLdyneoiXSheG4dW+eyTMqKAs8kERw/PKywW7gz\n\
        Q2m6xqgQPM3ofv413yjbFuAROYeRTwUIQL2jUzBRMB0GA1UdDgQWBBQ9uIEo6beA\n\
        YyJgmpLtDpQkCUqcXTAfBgNVHSMEGDAWgBQ9uIEo6beAYyJgmpLtDpQkCUqcXTAP\n\
        BgNVHRMBAf8EBTADAQH/MAoGCCqGSM49BAMCA0gAMEUCIAu4fRvLvC8eN+OwMzE8\n\
        hRFzODMYeyCoyzCpS5dNcYoSAiEA4nnfDnfw7cGAGzTUrFGje6ugB9/+Qv20nj51\n\
        WdPon9Y=\n\
        -----END CERTIFICATE-----";

    /// `openssl ecparam -name prime256v1 -genkey | openssl ec -conv_form compressed | openssl req -x509 -key /dev/stdin -subj / -days 1`.
    const COMPRESSED: &str = "-----BEGIN CERTIFICATE-----\n\
        MIIBMzCB26ADAgECAhQauQSByaGqBmm6oeTlUKijeqjjaTAKBggqhkjOPQQDAjAA\n\
        MB4XDTI2MTEyOTEwMjkyMVoXDTI2MTEzMDEwMjkyMVowADA5MBMGByqGSM49AgEG\n\
        CCqGSM49AwEHAyIAAui/6/fymp/AouwMx9s7Nfre1cbLM7pvoS6ROPZQ8lEdo1Mw\n\
        UTAdBgNVHQ4EFgQUBlHkpImxygABy3DGPOjDxAYx/+swHwYDVR0jBBgwFoAUBlHk\n\
        pImxygABy3DGPOjDxAYx/+swDwYDVR0TAQH/BAUwAwEB/zAKBggqhkjOPQQDAgNH\n\
        ADBEAiBecr200qbjQal6a1BWSDz/Bkbxc6T5TVythFCYS5YY0wIgP1oemoZ6AOTV\n\
        xnTSenLkWXHMe5j1YXRqyrwvA3C32pI=\n\
        -----END CERTIFICATE-----";

    /// `openssl req -x509 -newkey ed448 -nodes -subj / -days 1`.
    const ED448: &str = "-----BEGIN CERTIFICATE-----\n\
        MIIBXzCB4KADAgECAhRmCtWM1I0+NqTCzS/kNo4Z6dKnNzAFBgMrZXEwADAeFw0y\n\
        NjExMjgwNjA2MDFaFw0yNjExMjkwNjA2MDFaMAAwQzAFBgMrZXEDOgDZbmlnbtzD\n\
        Jagyq9OOD2krhzWuBOvrJQPurxW+ACTBZQVthD4En9UddzRqkjrbtQZqJufkvlP1\n\
        5wCjUzBRMB0GA1UdDgQWBBSKI3pHTCaI80gm3LODmrJxy+xEcDAfBgNVHSMEGDAW\n\
        gBSKI3pHTCaI80gm3LODmrJxy+xEcDAPBgNVHRMBAf8EBTADAQH/MAUGAytlcQNz\n\
        AN3WJjXPgGNtkMQhcHWAlklj/gkaoHOwhtOBFzzhZtWAlBh9B2j9ZdWNiEpOjrQ7\n\
        BTRF1toG1pCZgF6s1iO1WlG/5bIUzFWOEkgGp+AgrctoyqrS2TpmI0iODyfaGv2P\n\
        FWh9inisCz671IQ1kZ7YY3o0AA==\n\
        -----END CERTIFICATE-----";

    proptest::proptest! {
        #[test]
        fn no_certificate_panics(bytes: Vec<u8>, at: usize, byte: u8) {
            let pem = |der: &[u8]| {
                let text = STANDARD.encode(der);
                format!("-----BEGIN CERTIFICATE-----\n{text}\n-----END CERTIFICATE-----\n")
            };
            let _ = key("a", &pem(&bytes));
            // And one byte of a good certificate changed.
            let mut der = pem::certificate(SECP256K1).unwrap();
            let at = at % der.len();
            der[at] = byte;
            let _ = key("a", &pem(&der));
        }
    }
}
