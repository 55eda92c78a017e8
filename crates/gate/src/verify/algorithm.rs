//! Signature algorithms and their registered names.

/// A signature algorithm of RFC 7518, section 3.1, or RFC 8037, section 3.1.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Algorithm {
    /// RSASSA-PKCS1-v1_5.
    Rs(Hash),
    /// RSASSA-PSS with MGF1 of the same hash and a salt of the hash's length.
    Ps(Hash),
    /// ECDSA: SHA-256 on P-256, SHA-384 on P-384, SHA-512 on P-521.
    Es(Hash),
    /// Ed25519, the only curve of `EdDSA` that is supported.
    EdDsa,
    /// HMAC.
    Hs(Hash),
}

/// A hash function.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Hash {
    /// SHA-256.
    Sha256,
    /// SHA-384.
    Sha384,
    /// SHA-512.
    Sha512,
}

use Hash::{Sha256, Sha384, Sha512};

impl Algorithm {
    /// Every algorithm with its registered name. `EdDSA` has a second one. There is no `none`.
    pub const ALL: [(&'static str, Self); 13] = [
        ("RS256", Self::Rs(Sha256)),
        ("RS384", Self::Rs(Sha384)),
        ("RS512", Self::Rs(Sha512)),
        ("PS256", Self::Ps(Sha256)),
        ("PS384", Self::Ps(Sha384)),
        ("PS512", Self::Ps(Sha512)),
        ("ES256", Self::Es(Sha256)),
        ("ES384", Self::Es(Sha384)),
        ("ES512", Self::Es(Sha512)),
        ("EdDSA", Self::EdDsa),
        ("HS256", Self::Hs(Sha256)),
        ("HS384", Self::Hs(Sha384)),
        ("HS512", Self::Hs(Sha512)),
    ];

    /// Second registered names: RFC 9864, section 2.2 names `EdDSA` after its curve.
    const ALIASES: [(&'static str, Self); 1] = [("Ed25519", Self::EdDsa)];

    /// Every registered name with its algorithm.
    pub fn names() -> impl Iterator<Item = &'static (&'static str, Self)> {
        Self::ALL.iter().chain(&Self::ALIASES)
    }

    /// The algorithm with the registered name `name`, in exactly this spelling.
    #[must_use]
    pub fn from_name(name: &str) -> Option<Self> {
        Self::names()
            .find(|(known, _)| *known == name)
            .map(|(_, algorithm)| *algorithm)
    }

    /// The registered name, as in [`Algorithm::ALL`].
    #[must_use]
    pub fn name(self) -> &'static str {
        let mut all = Self::ALL.iter();
        let found = all.find(|(_, algorithm)| *algorithm == self);
        found.map_or("", |(name, _)| name)
    }

    /// Whether the key is a shared secret, so that everyone who can verify can also sign.
    #[must_use]
    pub const fn is_symmetric(self) -> bool {
        matches!(self, Self::Hs(_))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_have_one_spelling() {
        for (name, algorithm) in Algorithm::ALL {
            assert_eq!(Algorithm::from_name(name), Some(algorithm));
            assert_eq!(algorithm.name(), name);
        }
        assert_eq!(Algorithm::from_name("Ed25519"), Some(Algorithm::EdDsa));
        for (name, _) in Algorithm::names() {
            for wrong in [name.to_lowercase(), format!("{name} "), format!("{name}\0")] {
                assert_eq!(Algorithm::from_name(&wrong), None, "{wrong:?}");
            }
        }
        for name in [
            "none", "None", "NONE", "", "RS1", "ES256K", "EdDSA448", "Ed448", "HMAC",
        ] {
            assert_eq!(Algorithm::from_name(name), None, "{name}");
        }
    }
}
