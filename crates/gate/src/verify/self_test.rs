//! Known signatures, to test what the host can verify before it is used.
//!
//! The private keys were made with `openssl genpkey` and deleted. The signatures over [`GOOD`] were
//! made with `openssl dgst -sha256 -sign` and the other hashes; those of ECDSA were converted from
//! DER to two numbers. Everything is encoded in base64url.

use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;

use super::{Algorithm, Curve, Hash, PublicKey};

/// The message that the signatures cover.
const GOOD: &[u8] = b"bearer-gate: good";

/// A message that the signatures do not cover.
const BAD: &[u8] = b"bearer-gate: goof";

/// A signature, a message for which it is valid, and one for which it is not.
pub(super) struct Case {
    pub(super) key: PublicKey,
    pub(super) signature: Vec<u8>,
    pub(super) good: &'static [u8],
    pub(super) bad: &'static [u8],
}

/// The case for `algorithm`. `None` for algorithms that the host does not support.
pub(super) fn case(algorithm: Algorithm) -> Option<Case> {
    let bytes = |text| URL_SAFE_NO_PAD.decode(text).ok();
    let rsa = || PublicKey::rsa(&bytes(RSA_MODULUS)?, &[1, 0, 1]);
    let ec = |curve, point| PublicKey::ec(curve, &bytes(point)?);
    let (key, signature) = match algorithm {
        Algorithm::Rs(Hash::Sha256) => (rsa(), RS256),
        Algorithm::Rs(Hash::Sha384) => (rsa(), RS384),
        Algorithm::Rs(Hash::Sha512) => (rsa(), RS512),
        Algorithm::Es(Hash::Sha256) => (ec(Curve::P256, P256_POINT), ES256),
        Algorithm::Es(Hash::Sha384) => (ec(Curve::P384, P384_POINT), ES384),
        Algorithm::Es(Hash::Sha512) => (ec(Curve::P521, P521_POINT), ES512),
        Algorithm::Ps(_) | Algorithm::EdDsa | Algorithm::Hs(_) => return None,
    };
    Some(Case {
        key: key?,
        signature: bytes(signature)?,
        good: GOOD,
        bad: BAD,
    })
}

const RSA_MODULUS: &str = "\
    3teChsWKcMEGWAcRBqhRVafio1_iF613684axrk-JNaSc4lpiHmKIqgE4Irj9TWrQEAtHGJrnw13eQpkJkQg\
    At-kM9Kp_ou_-gObFZMFYP6z71h4Wzlfw4arF6svdX5D3pCyvNXlCd8VfLjhVoy9O87SjN3k76fmzep6qEMw\
    OtX35eA4ZaIYPusMN3w-qlZY6w9JoqxmL4DH9fWc1jo6rbyLd6BtIzsrQht-Zr_zcw99Oj6v9bIjv6VF5ayo\
    QST9xBVc8niT72fE3YUAPs-Wwzl9cr0LuI90Bjw82HDloUYSAZbac_nMH5LqRRlwCac0eQdq_Zg0a8o5_4MK\
    LHT7MQ";
const RS256: &str = "\
    mPhKFxEYxiJrOu9ZdXHjY7RDWXLSVJTacZniOUfj42sSu5gleNHYTTsUyGxQQxk-nt-VRvBgL1nLfXutrmXw\
    T7pT6BCLPKfciDq5Z39Wv_UXwEPTO2FWi0IaVdoEfDoHBkYxZmAFLPqHdbTdyzak1eTdhW5kKMuEtfETKUTT\
    YHAd0ZpeJI5Ae2BDcaSf-DJgNLUkU2TJjYq7QC78KiqZFfGJopqWMb6NAbSbI8cX64XxhOFUmzFfM2lnhOqq\
    8he02APUCxGAQFoALZ5QzZa7qpFG8VTBa1J9Qr-geS3xOGTr_ZVMTXT4yezphrjKE5UvgOhUKz4I6i7_tK-b\
    FHCKRw";
const RS384: &str = "\
    KIXGq8eVtriPjIPHEOqAN3X_6Hqez0XFhiHQNtebncPKSSAqGabZ8btaMOaBgalW7PU54HRXmuKiPtKXDI3g\
    rjvH1qjG_Or9-It4dvdJUMvtRk9b18PZW2NKo6zyeRMaUCbtzo8Dh65sarx7Ck0H4JZ69EGXrOYcno4KI7Ds\
    q5G14zGMVn4sEdAcL9aePjk9U46G4fy2iFUOmXogRNCpe2aLqDttLZ1XUuczFZgMT89ZOlHRdkBByOwe-4Li\
    NH3vvMT6u56ahb1wXbD9Km9x-kqtKY5-ivi-ucJlDLd6iNo89V2HhP8dGoDwtU9jhd7fVBCsUqsawsoQw8r2\
    ycJ7fQ";
const RS512: &str = "\
    JeSOoeNA3hR6Ks94hAG8NQQlLdOmKESq1Z4RR0t62RqJQg_L_Nk-DsTwb5Gq1_6VRIJgniy2y_LOeQFGwCWU\
    Lz8iUqL8rKxkv7LhOHs3MaGIxaSBdW6GVhcTAW5p1klOBpDZf8rEhq4i3CIvFXFSTmkMxp4Bg7n-qPPhXtLH\
    on2TkOVQr42xVOfI3EgUBUW5zVEQ_rY-kd2_rVlpIUTvO7uAE6if9R_D0bCH7EseKGwYVO1YeOEMIrtgJ1kC\
    jjlNoVDrS_66Bw5YyA-FJO_ZijjFLlBAIyyDuAwmDFoVjQnalqdH7bg-AfQ4j2Rn2OofZBQvo1lfDekCogKK\
    2ka4Eg";
const P256_POINT: &str = "\
    BIexXM9e7SPDTfdd0Nr7ioGEZpn2N-Cp63m0WM0mAwAUwwOr-dd7EYd0OTZ0l4aYROvk2SiyXENscssBbHyX\
    vzc";
const ES256: &str = "\
    1bTcKFIi48BVjn0KiTKo3EXmlinEbpngWJpPznXAynO6eX-T_YYI21KWsC8sYRmkYCl7P81WprOC_-RW0tvn\
    1g";
const P384_POINT: &str = "\
    BAPGAaJlGT5Z0sMfqKIIHmCy_ZRwc_T5y0zoWzH1Mm-Bjb98jq4zMdQmLdeME69vk-E2iw2N7AYQnSovKiaD\
    lOBn2i5mmD98QGygEqBi5fV2tbuS-z-iZqKjcVjfMKyx8A";
const ES384: &str = "\
    naNBz1MKkwVOPv5IjUYeXSVtXXgaQNNM-oFBnLOcJmSYvLHhb44hzmjacNGCaOVVKYpdq3xKhvXaV2b_MiE8\
    OJdlxKh0cLy-cQqPEQDYqDEuw18q1VpOPJPUVxTrGoce";
const P521_POINT: &str = "\
    BABDlh44ej3y9gqfVWImEk_O0ax5TBqXLx0lMa9ETUJDAlxpOlxV7vH0Z2zJWDraxNQbYwR2xAjCvaoDXftv\
    lx_68QC33yVPK7B_PYyXvxcP41cQC8SXHJr8ItFEbFnQnG-cfQuOJEbPRZ-sn9H7Hb_akOgoW_N48r4VTnLa\
    KNTBEMPqww";
const ES512: &str = "\
    AV99cLVMqBVSbsGI8s4KIQQErFnF04UTPunTKTftShv4PXZ2EbuCO1krgNv5O_CfSEXDamUqqP4Evz8W_DL4\
    yvRAAJCOBkrizI8QXz6w83eH0lAphrBVjm9tAug0KBhUTA3GwHiytvdZU8OL8_2ke9yW6rfdFxRgA3PTyKbn\
    l_SYxS8b";

#[cfg(test)]
mod tests {
    use super::*;
    use crate::verify::software;

    #[test]
    fn every_case_has_a_signature_that_is_valid_for_one_of_the_two_messages() {
        let mut cases = 0;
        for (name, algorithm) in Algorithm::ALL {
            if let Some(case) = case(algorithm) {
                let verify =
                    |message| software::verify(&case.key, algorithm, message, &case.signature);
                assert!(verify(case.good), "{name}");
                assert!(!verify(case.bad), "{name}");
                cases += 1;
            }
        }
        assert_eq!(cases, 6);
    }
}
