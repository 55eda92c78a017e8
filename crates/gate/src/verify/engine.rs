//! Which engine checks a signature: the host where it has proved that it can, else the module.

use std::fmt;

use super::host::{Question, answer};
use super::{Algorithm, PublicKey, self_test, software};

/// A call of the host's foreign function `verify_signature`. `None` where the call failed: there is
/// no such function, or it is withheld, or it cannot read what it is asked.
pub type HostFunction = Box<dyn Fn(&[u8]) -> Option<Vec<u8>>>;

/// What checks signatures.
pub struct Engine {
    host: Option<HostFunction>,
    /// The algorithms that the host has told a good signature from a bad one for.
    proven: Vec<Algorithm>,
}

/// Who found a signature good.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum By {
    /// The host.
    Host,
    /// The module itself.
    Software,
}

impl Engine {
    /// The module alone.
    #[must_use]
    pub const fn software() -> Self {
        Self {
            host: None,
            proven: Vec::new(),
        }
    }

    /// The host for every algorithm that it passes the self-test for: one good signature and one
    /// bad one. The module for the others.
    #[must_use]
    pub fn probe(host: HostFunction) -> Self {
        let passes = |algorithm: &Algorithm| {
            self_test::case(*algorithm).is_some_and(|case| {
                let ask = |message| {
                    let question = Question::new(&case.key, *algorithm, &case.signature)?;
                    answer(&host(&question.encoded(message))?)
                };
                ask(case.good) == Some(true) && ask(case.bad) == Some(false)
            })
        };
        let all = Algorithm::ALL.iter().map(|(_, algorithm)| *algorithm);
        let proven = all
            .filter(|algorithm| Question::is_possible(*algorithm))
            .filter(passes)
            .collect();
        Self {
            host: Some(host),
            proven,
        }
    }

    /// The algorithms that the host checks.
    #[must_use]
    pub fn of_host(&self) -> &[Algorithm] {
        &self.proven
    }

    /// Whether a signature with `algorithm` can be checked with `key`: it is for the algorithm, and
    /// an engine takes keys of its size.
    #[must_use]
    pub fn takes(&self, key: &PublicKey, algorithm: Algorithm) -> bool {
        key.fits(algorithm) && (key.is_for_module() || self.proven.contains(&algorithm))
    }

    /// Checks `signature` over `message`, and answers who found it good.
    #[must_use]
    pub fn verify(
        &self,
        key: &PublicKey,
        algorithm: Algorithm,
        message: &[u8],
        signature: &[u8],
    ) -> Option<By> {
        if let Some(host) = &self.host
            && self.proven.contains(&algorithm)
        {
            let question = Question::new(key, algorithm, signature)?;
            let said = host(&question.encoded(message)).and_then(|bytes| answer(&bytes));
            if let Some(good) = said {
                return good.then_some(By::Host);
            }
            // It has said nothing: that is no answer.
        }
        software::verify(key, algorithm, message, signature).then_some(By::Software)
    }
}

/// Who checks what, for the log.
impl fmt::Display for Engine {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let names = |of_host: bool| {
            let all = Algorithm::ALL.iter();
            let these = all.filter(|(_, algorithm)| self.proven.contains(algorithm) == of_host);
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
    use crate::fixtures;
    use crate::verify::{Answer, Hash};

    fn saying(result: bool) -> Vec<u8> {
        let error = String::new();
        Answer { result, error }.encode_to_vec()
    }

    #[test]
    fn a_host_is_relied_on_for_what_it_has_proved() {
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
    fn a_host_that_cannot_tell_good_from_bad_is_never_relied_on() {
        let hosts: [HostFunction; 5] = [
            Box::new(|_| None),
            Box::new(|_| Some(saying(true))),
            Box::new(|_| Some(saying(false))),
            Box::new(|_| Some(b"nonsense".to_vec())),
            Box::new(|_| Some(Vec::new())),
        ];
        for host in hosts {
            assert_eq!(Engine::probe(host).of_host(), []);
        }
    }

    #[test]
    fn who_answers_is_told() {
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
    fn a_host_that_falls_silent_is_stood_in_for() {
        let case = self_test::case(Algorithm::Es(Hash::Sha256)).unwrap();
        let proven = vec![Algorithm::Es(Hash::Sha256)];
        for (said, expected) in [
            (None, Some(By::Software)),
            (Some(b"nonsense".to_vec()), Some(By::Software)),
            (Some(saying(false)), None),
            (Some(saying(true)), Some(By::Host)),
        ] {
            let engine = Engine {
                host: Some(Box::new(move |_| said.clone())),
                proven: proven.clone(),
            };
            let good = engine.verify(
                &case.key,
                Algorithm::Es(Hash::Sha256),
                case.good,
                &case.signature,
            );
            assert_eq!(good, expected);
        }
    }
}
