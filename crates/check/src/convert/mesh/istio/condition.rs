//! Conditions of an `AuthorizationPolicy` on tokens.

use super::super::problem::Problem;
use super::super::text_pattern::TextPattern;
use super::super::tokens::{Alternative, ClaimCondition, ClaimTest, Tokens};
use crate::source_tree::Node;

/// What is known about a provider.
#[derive(Clone, Debug)]
pub(super) struct ProviderFacts {
    pub(super) issuer: String,
    /// The claim that scopes are in, if policies look at one.
    pub(super) scope_claim: Option<String>,
}

/// What a condition looks at.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Subject {
    /// The issuer and the subject of the token, with a slash between them.
    Principal,
    /// The claim that these names lead to.
    Claim(Vec<String>),
}

impl Subject {
    /// What the key of a `when` looks at; `None` if that is not a token.
    pub(super) fn from_key(key: &str) -> Option<Self> {
        let claim = |name: &str| Some(Self::Claim(vec![name.to_owned()]));
        match key {
            "request.auth.principal" => Some(Self::Principal),
            "request.auth.audiences" => claim("aud"),
            "request.auth.presenter" => claim("azp"),
            _ => {
                let names = key.strip_prefix("request.auth.claims[")?;
                let names = names.strip_suffix(']')?.split("][");
                Some(Self::Claim(names.map(str::to_owned).collect()))
            }
        }
    }
}

/// A condition on the token of a request.
#[derive(Clone, Debug)]
pub(super) struct TokenCondition<'n> {
    pub(super) subject: Subject,
    /// One of these must match.
    pub(super) values: Vec<&'n str>,
    /// Whether none may match instead.
    pub(super) negated: bool,
    /// Where the values are in the text.
    pub(super) position: usize,
}

impl<'n> TokenCondition<'n> {
    /// The condition that the member `name` of `node` is, if it is there.
    pub(super) fn from_member(
        node: &'n Node,
        name: &str,
        subject: &Subject,
        negated: bool,
    ) -> Option<Self> {
        let entry = node.entry(name)?;
        let values = super::super::resource::texts(Some(&entry.value));
        (!values.is_empty()).then(|| Self {
            subject: subject.clone(),
            values,
            negated,
            position: entry.key_range.start,
        })
    }

    /// The tokens for which the condition holds; `None` if the gate has no such condition.
    pub(super) fn holding(
        &self,
        providers: &[ProviderFacts],
        problems: &mut Vec<Problem>,
    ) -> Option<Tokens> {
        if !self.negated {
            return Some(self.one_of(providers, problems));
        }
        match &self.subject {
            Subject::Claim(path) if self.values.contains(&"*") => {
                let absent = |provider| {
                    Alternative::any_of(provider).with_claim(ClaimCondition {
                        path: path.clone(),
                        test: ClaimTest::Present(false),
                    })
                };
                Some(Tokens {
                    missing: true,
                    ..(0..providers.len()).map(absent).collect()
                })
            }
            _ => {
                problems.push(Problem {
                    position: self.position,
                    text: "a requirement of the gate cannot say what a token must not have"
                        .to_owned(),
                });
                None
            }
        }
    }

    /// The tokens for which it does not hold; `None` if the gate has no such condition.
    pub(super) fn failing(
        &self,
        providers: &[ProviderFacts],
        problems: &mut Vec<Problem>,
    ) -> Option<Tokens> {
        self.negated.then(|| self.one_of(providers, problems))
    }

    /// The tokens of which one of the values is true. Values that the gate cannot compare with are left out.
    fn one_of(&self, providers: &[ProviderFacts], problems: &mut Vec<Problem>) -> Tokens {
        let mut tokens = Tokens::none();
        for value in &self.values {
            let found = match &self.subject {
                Subject::Principal => principal(value, providers),
                Subject::Claim(path) => claim(path, value, providers),
            };
            match found {
                Ok(alternatives) => tokens = tokens.or(alternatives.into_iter().collect()),
                Err(text) => problems.push(Problem {
                    position: self.position,
                    text,
                }),
            }
        }
        tokens
    }
}

/// The tokens with this principal: `issuer/subject`, with a star at one end.
fn principal(value: &str, providers: &[ProviderFacts]) -> Result<Vec<Alternative>, String> {
    let (issuer, subject) = match value.rsplit_once('/') {
        _ if value == "*" => (TextPattern::Any, TextPattern::Any),
        Some((issuer, subject)) if value.starts_with('*') => (
            TextPattern::from_istio(issuer),
            TextPattern::Exact(subject.to_owned()),
        ),
        Some((issuer, subject)) => (
            TextPattern::Exact(issuer.to_owned()),
            TextPattern::from_istio(subject),
        ),
        None if value.starts_with('*') => (TextPattern::Any, TextPattern::from_istio(value)),
        None if value.ends_with('*') => (TextPattern::from_istio(value), TextPattern::Any),
        None => {
            return Err(format!(
                "\"{value}\" is no issuer and subject with a slash between them"
            ));
        }
    };
    let test = match subject {
        TextPattern::Any => ClaimTest::Present(true),
        TextPattern::Exact(subject) => ClaimTest::Exact(subject),
        _ => return Err(format!("\"{value}\": {NO_WILDCARDS}")),
    };
    let is_issuer = |facts: &ProviderFacts| issuer.matches(&facts.issuer) == Some(true);
    let matching = providers.iter().enumerate();
    let matching = matching.filter(|(_, facts)| is_issuer(facts));
    let found: Vec<Alternative> = matching
        .map(|(index, _)| {
            Alternative::any_of(index).with_claim(ClaimCondition::new(&["sub"], test.clone()))
        })
        .collect();
    if found.is_empty() {
        return Err(format!(
            "\"{value}\" has no issuer of the RequestAuthentication"
        ));
    }
    Ok(found)
}

/// Why a pattern cannot be converted.
const NO_WILDCARDS: &str =
    "the gate compares claims with whole values, not with beginnings or ends";

/// The tokens with this value in the claim.
fn claim(
    path: &[String],
    value: &str,
    providers: &[ProviderFacts],
) -> Result<Vec<Alternative>, String> {
    let test = match TextPattern::from_istio(value) {
        TextPattern::Any => ClaimTest::Present(true),
        TextPattern::Exact(text) => ClaimTest::Contains(text),
        _ => return Err(format!("\"{value}\": {NO_WILDCARDS}")),
    };
    let is_scope = |facts: &ProviderFacts| {
        let is_token = !value.is_empty() && value.bytes().all(|byte| byte.is_ascii_graphic());
        is_token
            && value != "*"
            && matches!((&facts.scope_claim, path), (Some(claim), [name]) if claim == name)
    };
    let all = providers.iter().enumerate();
    let all = all.map(|(index, facts)| {
        let any = Alternative::any_of(index);
        if is_scope(facts) {
            any.with_scope(value)
        } else {
            any.with_claim(ClaimCondition {
                path: path.to_vec(),
                test: test.clone(),
            })
        }
    });
    Ok(all.collect())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn providers() -> Vec<ProviderFacts> {
        let facts = |issuer: &str| ProviderFacts {
            issuer: issuer.to_owned(),
            scope_claim: Some("scope".to_owned()),
        };
        vec![facts("https://one.example"), facts("https://two.example/")]
    }

    fn subject(test: ClaimTest) -> ClaimCondition {
        ClaimCondition::new(&["sub"], test)
    }

    #[test]
    fn a_principal_chooses_the_provider_by_its_issuer() {
        let exact = subject(ClaimTest::Exact("ann".to_owned()));
        for (value, expected) in [
            ("https://one.example/ann", vec![0]),
            ("https://two.example//ann", vec![1]),
            ("*/ann", vec![0, 1]),
            ("*ann", Vec::new()),
            ("https://two.example/ann", Vec::new()),
        ] {
            let found: Vec<Alternative> = expected
                .iter()
                .map(|&index| Alternative::any_of(index).with_claim(exact.clone()))
                .collect();
            let result = principal(value, &providers()).unwrap_or_default();
            assert_eq!(result, found, "{value}");
        }
        let present = subject(ClaimTest::Present(true));
        let any = |index| Alternative::any_of(index).with_claim(present.clone());
        for (value, expected) in [
            ("*", vec![any(0), any(1)]),
            ("https://one.example/*", vec![any(0)]),
            ("https://one.*", Vec::new()),
        ] {
            let result = principal(value, &providers()).unwrap_or_default();
            assert_eq!(result, expected, "{value}");
        }
    }

    #[test]
    fn values_of_the_scope_claim_are_scopes() {
        let names = |names: &[&str]| {
            names
                .iter()
                .map(|&name| name.to_owned())
                .collect::<Vec<_>>()
        };
        let found = claim(&names(&["scope"]), "read", &providers()).unwrap();
        assert_eq!(found[0], Alternative::any_of(0).with_scope("read"));
        let found = claim(&names(&["realm", "roles"]), "read", &providers()).unwrap();
        assert_eq!(
            found[0].claims[0].test,
            ClaimTest::Contains("read".to_owned())
        );
        assert!(claim(&names(&["group"]), "adm*", &providers()).is_err());
    }

    #[test]
    fn keys_of_conditions_on_tokens_name_claims() {
        let key = |key| Subject::from_key(key);
        let claim = |names: &[&str]| {
            let names = names.iter().map(|&name| name.to_owned());
            Some(Subject::Claim(names.collect()))
        };
        assert_eq!(
            key("request.auth.claims[realm][roles]"),
            claim(&["realm", "roles"])
        );
        assert_eq!(
            key("request.auth.claims[https://x.example/a]"),
            claim(&["https://x.example/a"])
        );
        assert_eq!(key("request.auth.audiences"), claim(&["aud"]));
        assert_eq!(key("request.headers[x]"), None);
    }
}
