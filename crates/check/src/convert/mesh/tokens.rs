//! What a policy of a mesh asks of the tokens of a request.

use crate::convert::new_value::NewValue;

/// The most alternatives that one requirement may have.
const MOST_ALTERNATIVES: usize = 64;

/// A condition on one claim.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct ClaimCondition {
    /// The names that lead to the claim.
    pub(super) path: Vec<String>,
    pub(super) test: ClaimTest,
}

/// What a claim must be like.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum ClaimTest {
    /// It is this string.
    Exact(String),
    /// It is this string, or a list that has it.
    Contains(String),
    /// Whether it is there.
    Present(bool),
}

impl ClaimCondition {
    pub(super) fn new(path: &[&str], test: ClaimTest) -> Self {
        Self {
            path: path.iter().map(|&name| name.to_owned()).collect(),
            test,
        }
    }

    fn to_value(&self) -> NewValue {
        let (name, value) = match &self.test {
            ClaimTest::Exact(text) => ("exact", NewValue::text(text)),
            ClaimTest::Contains(text) => ("contains", NewValue::text(text)),
            ClaimTest::Present(present) => ("present", NewValue::literal(&present.to_string())),
        };
        let is_plain = |part: &String| !part.is_empty() && !part.contains('.');
        let claim = if self.path.iter().all(is_plain) {
            ("claim_name", NewValue::text(&self.path.join(".")))
        } else {
            let names = self.path.iter().map(|name| NewValue::text(name)).collect();
            ("claim_path", NewValue::List(names))
        };
        NewValue::map([claim, (name, value)])
    }
}

/// A token that is good enough: one of this provider, with all of these scopes and claims.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct Alternative {
    /// The index of the provider.
    pub(super) provider: usize,
    pub(super) scopes: Vec<String>,
    pub(super) claims: Vec<ClaimCondition>,
}

impl Alternative {
    /// A token of this provider, whatever is in it.
    pub(super) const fn any_of(provider: usize) -> Self {
        Self {
            provider,
            scopes: Vec::new(),
            claims: Vec::new(),
        }
    }

    pub(super) fn with_claim(mut self, claim: ClaimCondition) -> Self {
        self.claims.push(claim);
        self
    }

    pub(super) fn with_scope(mut self, scope: &str) -> Self {
        self.scopes.push(scope.to_owned());
        self
    }

    /// Whether every token that fulfils `other` fulfils this one.
    fn covers(&self, other: &Self) -> bool {
        self.provider == other.provider
            && self.scopes.iter().all(|scope| other.scopes.contains(scope))
            && self.claims.iter().all(|claim| other.claims.contains(claim))
    }

    fn and(&self, other: &Self) -> Option<Self> {
        if self.provider != other.provider {
            return None;
        }
        let mut both = self.clone();
        both.scopes.extend(other.scopes.iter().cloned());
        both.claims.extend(other.claims.iter().cloned());
        both.scopes.sort();
        both.scopes.dedup();
        both.claims.sort();
        both.claims.dedup();
        Some(both)
    }

    fn to_value(&self, providers: &[String]) -> NewValue {
        let name = providers.get(self.provider).map_or("", String::as_str);
        let mut members = vec![("provider_name".to_owned(), NewValue::text(name))];
        if !self.scopes.is_empty() {
            let scopes = self.scopes.iter().map(|scope| NewValue::text(scope));
            members.push(("scopes".to_owned(), NewValue::List(scopes.collect())));
        }
        if !self.claims.is_empty() {
            let claims = self.claims.iter().map(ClaimCondition::to_value);
            members.push(("claims".to_owned(), NewValue::List(claims.collect())));
        }
        NewValue::Map(members)
    }
}

/// The tokens that are good enough for a request.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct Tokens {
    /// One of these.
    pub(super) alternatives: Vec<Alternative>,
    /// Whether a request without a token passes too. If it has a token, the token must be good.
    pub(super) missing: bool,
}

impl Tokens {
    /// No request passes.
    pub(super) fn none() -> Self {
        Self::default()
    }

    /// Any token of one of the first `providers` providers.
    pub(super) fn any(providers: usize) -> Self {
        (0..providers).map(Alternative::any_of).collect()
    }

    /// Any token of one of the first `providers` providers, or none at all.
    pub(super) fn optional(providers: usize) -> Self {
        Self {
            missing: true,
            ..Self::any(providers)
        }
    }

    /// What one of the two accepts.
    pub(super) fn or(mut self, other: Self) -> Self {
        self.missing |= other.missing;
        for alternative in other.alternatives {
            self.add(alternative);
        }
        self
    }

    /// What both accept. Alternatives beyond a limit are left out, so that less is accepted.
    pub(super) fn and(&self, other: &Self) -> Self {
        let pairs = self.alternatives.iter().flat_map(|one| {
            let others = other.alternatives.iter();
            others.filter_map(|two| one.and(two))
        });
        Self {
            missing: self.missing && other.missing,
            ..pairs.collect()
        }
    }

    /// Adds an alternative, unless the others accept all of it or there are too many.
    fn add(&mut self, new: Alternative) {
        if self.alternatives.iter().any(|old| old.covers(&new)) {
            return;
        }
        self.alternatives.retain(|old| !new.covers(old));
        if self.alternatives.len() < MOST_ALTERNATIVES {
            self.alternatives.push(new);
        }
    }

    /// The requirement of the gate. `providers` are the names of the providers. Where no token is needed, a bad one
    /// passes, too, if the policy `is_open`.
    pub(super) fn to_requirement(&self, providers: &[String], is_open: bool) -> NewValue {
        let alternatives = self.alternatives.iter();
        let mut values: Vec<NewValue> = alternatives
            .map(|alternative| alternative.to_value(providers))
            .collect();
        if values.is_empty() && !self.missing {
            return nobody(providers);
        }
        if self.missing {
            let name = if is_open {
                "allow_missing_or_failed"
            } else {
                "allow_missing"
            };
            values.push(NewValue::map([(name, NewValue::Map(Vec::new()))]));
        }
        if values.len() == 1
            && let Some(only) = values.pop()
        {
            return only;
        }
        let requirements = NewValue::map([("requirements", NewValue::List(values))]);
        NewValue::map([("requires_any", requirements)])
    }
}

impl FromIterator<Alternative> for Tokens {
    fn from_iter<I: IntoIterator<Item = Alternative>>(alternatives: I) -> Self {
        let mut tokens = Self::default();
        for alternative in alternatives {
            tokens.add(alternative);
        }
        tokens
    }
}

/// A requirement that no token fulfils: `sub` is there and is not there.
fn nobody(providers: &[String]) -> NewValue {
    let sub = |present| ClaimCondition::new(&["sub"], ClaimTest::Present(present));
    let alternative = Alternative::any_of(0)
        .with_claim(sub(true))
        .with_claim(sub(false));
    alternative.to_value(providers)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn with(provider: usize, value: &str) -> Tokens {
        let claim = ClaimCondition::new(&["group"], ClaimTest::Contains(value.to_owned()));
        [Alternative::any_of(provider).with_claim(claim)]
            .into_iter()
            .collect()
    }

    #[test]
    fn an_alternative_that_another_one_covers_is_left_out() {
        assert_eq!(with(0, "a").or(Tokens::any(1)), Tokens::any(1));
        assert_eq!(Tokens::any(1).or(with(0, "a")), Tokens::any(1));
        assert_eq!(with(0, "a").or(with(0, "b")).alternatives.len(), 2);
    }

    #[test]
    fn both_means_the_same_provider_and_all_conditions() {
        let both = with(0, "a").and(&with(0, "b"));
        assert_eq!(both.alternatives.len(), 1);
        assert_eq!(both.alternatives[0].claims.len(), 2);
        assert_eq!(with(0, "a").and(&with(1, "b")), Tokens::none());
        assert_eq!(Tokens::optional(2).and(&with(1, "a")), with(1, "a"));
        assert!(Tokens::optional(1).and(&Tokens::optional(1)).missing);
    }

    #[test]
    fn too_many_alternatives_accept_less() {
        let many: Tokens = (0..100)
            .map(|number| Alternative::any_of(0).with_scope(&number.to_string()))
            .collect();
        assert_eq!(many.alternatives.len(), MOST_ALTERNATIVES);
    }
}
