//! Which engine verifies a signature: the host if it has passed a self-test, otherwise the module.

use std::fmt;

use super::{Algorithm, PublicKey, host, self_test, software};

/// Calls the host's foreign function `verify_signature`. `None` if the call failed: the host does not
/// provide the function, does not allow it, or could not decode the request.
pub type HostFunction = Box<dyn Fn(&[u8]) -> Option<Vec<u8>>>;

/// Verifies signatures.
pub struct Engine {
    host: Option<HostFunction>,
    /// The algorithms for which the host has passed the self-test.
    proven: Vec<Algorithm>,
}

/// Who verified a signature.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum By {
    /// The host.
    Host,
    /// The module itself.
    Software,
}

impl Engine {
    /// An engine that uses the module for every algorithm.
    #[must_use]
    pub const fn software() -> Self {
        Self {
            host: None,
            proven: Vec::new(),
        }
    }

    /// Tests the host with one valid and one invalid signature of each algorithm. The engine uses the
    /// host for the algorithms that pass, and the module for the others.
    #[must_use]
    pub fn probe(call: HostFunction) -> Self {
        let passes = |algorithm: &Algorithm| {
            self_test::case(*algorithm).is_some_and(|case| {
                let verify = |message| {
                    let request = host::request(&case.key, *algorithm, message, &case.signature)?;
                    host::is_valid(&call(&request)?)
                };
                verify(case.good) == Some(true) && verify(case.bad) == Some(false)
            })
        };
        let all = Algorithm::ALL.iter().map(|(_, algorithm)| *algorithm);
        let proven = all
            .filter(|algorithm| host::supports(*algorithm))
            .filter(passes)
            .collect();
        Self {
            host: Some(call),
            proven,
        }
    }

    /// The algorithms that the host verifies.
    #[must_use]
    pub fn of_host(&self) -> &[Algorithm] {
        &self.proven
    }

    /// Whether this engine can verify signatures of `key` with `algorithm`: the key fits the
    /// algorithm, and the host or the module supports keys of its size.
    #[must_use]
    pub fn supports(&self, key: &PublicKey, algorithm: Algorithm) -> bool {
        key.fits(algorithm) && (key.is_for_module() || self.proven.contains(&algorithm))
    }

    /// Verifies `signature` over `message`. Returns who verified it, or `None` if it is invalid.
    #[must_use]
    pub fn verify(
        &self,
        key: &PublicKey,
        algorithm: Algorithm,
        message: &[u8],
        signature: &[u8],
    ) -> Option<By> {
        if let Some(call) = &self.host
            && self.proven.contains(&algorithm)
        {
            let request = host::request(key, algorithm, message, signature)?;
            let is_valid = call(&request).and_then(|answer| host::is_valid(&answer));
            if let Some(is_valid) = is_valid {
                return is_valid.then_some(By::Host);
            }
            // A failed call says nothing about the signature.
        }
        software::verify(key, algorithm, message, signature).then_some(By::Software)
    }
}

/// Which engine verifies which algorithms, for the log.
impl fmt::Display for Engine {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let names = |by_host: bool| {
            let all = Algorithm::ALL.iter();
            let these = all.filter(|(_, algorithm)| self.proven.contains(algorithm) == by_host);
            these.map(|(name, _)| *name).collect::<Vec<_>>().join(", ")
        };
        let module = names(false);
        match names(true).as_str() {
            "" => write!(
                f,
                "the host checks no signatures; the module checks {module}"
            ),
            host => write!(f, "the host checks {host}; the module checks {module}"),
        }
    }
}

impl fmt::Debug for Engine {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Engine")
            .field("host", &self.host.is_some())
            .field("proven", &self.proven)
            .finish()
    }
}

#[cfg(test)]
mod tests {
    use prost::Message;

    use super::*;
    use crate::verify::{Answer, Hash};
    use gate_fixtures as fixtures;

    fn answer(result: bool) -> Vec<u8> {
        let error = String::new();
        Answer { result, error }.encode_to_vec()
    }

    #[test]
    fn the_host_verifies_only_the_algorithms_that_passed_the_self_test() {
        let good = Engine::probe(Box::new(fixtures::host));
        let all = [Hash::Sha256, Hash::Sha384, Hash::Sha512];
        let expected: Vec<_> = all
            .map(Algorithm::Rs)
            .into_iter()
            .chain(all.map(Algorithm::Es))
            .collect();
        assert_eq!(good.of_host(), expected);
        let without_sha512 = |request: &[u8]| {
            let known = !request.windows(6).any(|window| window == b"sha512");
            fixtures::host(request).filter(|_| known)
        };
        assert_eq!(Engine::probe(Box::new(without_sha512)).of_host().len(), 4);
        assert_eq!(
            Engine::probe(Box::new(without_sha512)).to_string(),
            "the host checks RS256, RS384, ES256, ES384; the module checks RS512, PS256, PS384, \
             PS512, ES512, EdDSA, HS256, HS384, HS512"
        );
        assert_eq!(
            Engine::software().to_string(),
            "the host checks no signatures; the module checks RS256, RS384, RS512, PS256, PS384, \
             PS512, ES256, ES384, ES512, EdDSA, HS256, HS384, HS512"
        );
    }

    #[test]
    fn a_host_that_fails_the_self_test_verifies_nothing() {
        let hosts: [HostFunction; 5] = [
            Box::new(|_| None),
            Box::new(|_| Some(answer(true))),
            Box::new(|_| Some(answer(false))),
            Box::new(|_| Some(b"nonsense".to_vec())),
            Box::new(|_| Some(Vec::new())),
        ];
        for host in hosts {
            assert_eq!(Engine::probe(host).of_host(), []);
        }
    }

    #[test]
    fn verify_returns_who_verified_the_signature() {
        let case = self_test::case(Algorithm::Rs(Hash::Sha256)).unwrap();
        let verify = |engine: &Engine, message| {
            engine.verify(
                &case.key,
                Algorithm::Rs(Hash::Sha256),
                message,
                &case.signature,
            )
        };
        let host = Engine::probe(Box::new(fixtures::host));
        assert_eq!(verify(&host, case.good), Some(By::Host));
        assert_eq!(verify(&host, case.bad), None);
        assert_eq!(verify(&Engine::software(), case.good), Some(By::Software));
        assert_eq!(verify(&Engine::software(), case.bad), None);
    }

    #[test]
    fn the_module_verifies_when_a_call_of_the_host_fails() {
        let case = self_test::case(Algorithm::Es(Hash::Sha256)).unwrap();
        let proven = vec![Algorithm::Es(Hash::Sha256)];
        for (answer, expected) in [
            (None, Some(By::Software)),
            (Some(b"nonsense".to_vec()), Some(By::Software)),
            (Some(answer(false)), None),
            (Some(answer(true)), Some(By::Host)),
        ] {
            let engine = Engine {
                host: Some(Box::new(move |_| answer.clone())),
                proven: proven.clone(),
            };
            let verified_by = engine.verify(
                &case.key,
                Algorithm::Es(Hash::Sha256),
                case.good,
                &case.signature,
            );
            assert_eq!(verified_by, expected);
        }
    }
}
