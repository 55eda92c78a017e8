//! Whether a request fulfils a requirement.

use std::rc::Rc;
use std::sync::LazyLock;

use serde_json::{Value, json};

use super::conditions::{self, Refusal};
use super::credential::{self, Credential, Place, Scheme};
use super::fields::Fields;
use super::finding::{Fallback, Finding, Forward, all, any};
use super::issuer;
use super::own_headers;
use super::proof::Proof;
use super::provider::{self, Content, Unaccepted};
use super::reason::Reason;
use super::sender;
use super::surroundings::Surroundings;
use super::token::Token;

/// The requirement of every request, where there are no rules.
pub(crate) static ANY_PROVIDER: LazyLock<Value> = LazyLock::new(|| json!({"any_provider": {}}));
/// The requirement of a rule that has none.
pub(crate) static ALLOW: LazyLock<Value> = LazyLock::new(|| json!({"allow": {}}));

/// How a request fulfils a requirement.
#[derive(Default)]
pub(crate) struct Fulfilment {
    /// The good tokens.
    pub(crate) accepted: Vec<Forward>,
    /// Tokens that are forwarded although nobody has verified them.
    pub(crate) unverified: Vec<Forward>,
    /// The header that says so.
    pub(crate) mark: Option<String>,
}

impl Fulfilment {
    /// The proof that was needed, and where its token is.
    pub(crate) fn proof(&self) -> Option<(&Proof, &Place)> {
        let mut proofs = self.accepted.iter().filter_map(|token| {
            let proof = token.content.proof.as_ref()?;
            Some((proof, &token.place))
        });
        proofs.next()
    }
}

/// Whether a request fulfils a requirement.
pub(crate) enum Opinion {
    Fulfilled(Fulfilment),
    /// It does not, for one of these reasons. There are several where it is not said which one counts.
    Refused(Vec<Refusal>),
    /// Endpoints must be asked first.
    Later,
}

/// Whether a request fulfils a requirement.
pub(crate) fn decide(node: Fields<'_>, surroundings: &Surroundings<'_>) -> Opinion {
    let configuration = Fields(&surroundings.world.configuration);
    let all: Vec<&str> = providers(configuration);
    let mut places: Vec<Place> = Vec::new();
    let mut takes_dpop = false;
    for name in involved(node, &all, &[]) {
        takes_dpop |= sender::takes_dpop(configuration, provider(configuration, name));
        for place in credential::places(provider(configuration, name)) {
            if !places.contains(&place) {
                places.push(place);
            }
        }
    }
    if places.is_empty() {
        return Opinion::Fulfilled(Fulfilment::default());
    }
    let credentials = credential::find(&places, surroundings.view, takes_dpop);
    let credentials = match credentials {
        Ok(found) if found.len() > 1 && !takes_several(node) => Err(Reason::SeveralTokens),
        found => found,
    };
    let examination = Examination {
        configuration,
        all: &all,
        credentials: &credentials,
        surroundings,
    };
    let found = credentials.as_deref().unwrap_or_default();
    match examination.examine(node, &[]) {
        Finding::Refused(refusals) => Opinion::Refused(refusals),
        Finding::Later(_) => Opinion::Later,
        Finding::Fulfilled {
            accepted,
            extraction,
            lenient,
        } => {
            let had_part = |index: usize| accepted.iter().any(|(one, _)| *one == index);
            if !lenient && !(0..found.len()).all(had_part) {
                return Opinion::Refused(vec![Reason::SeveralTokens.into()]);
            }
            let mut fulfilment = Fulfilment::default();
            if let Some((extraction, covered)) = extraction
                && accepted.is_empty()
            {
                fulfilment.unverified = examination.extracted(&covered);
                if credentials.as_ref().map_or(true, |found| !found.is_empty()) {
                    fulfilment.mark = own_headers::mark(extraction);
                }
            }
            fulfilment.accepted = accepted.into_iter().map(|(_, one)| one).collect();
            Opinion::Fulfilled(fulfilment)
        }
    }
}

/// The providers that may not know what they need when the request arrives.
pub(crate) fn late_providers<'w>(surroundings: &Surroundings<'w>) -> Vec<&'w str> {
    let configuration = Fields(&surroundings.world.configuration);
    let is_late = |name: &&str| {
        let provider = provider(configuration, name);
        let takes_dpop = sender::takes_dpop(configuration, provider);
        let places = credential::places(provider);
        let credentials = credential::find(&places, surroundings.view, takes_dpop);
        let mut credentials = credentials.into_iter().flatten();
        credentials.any(|one| provider::is_late(provider, &one, surroundings))
    };
    providers(configuration)
        .into_iter()
        .filter(is_late)
        .collect()
}

struct Examination<'c, 's> {
    configuration: Fields<'c>,
    /// The names of all providers.
    all: &'s [&'c str],
    credentials: &'s Result<Vec<Credential>, Reason>,
    surroundings: &'s Surroundings<'s>,
}

impl<'c> Examination<'c, '_> {
    /// `siblings` are the providers that other alternatives name.
    fn examine(&self, node: Fields<'c>, siblings: &[&'c str]) -> Finding<'c> {
        match self.examine_parts(node, siblings) {
            Finding::Refused(refusals) => {
                let refusals = refusals.into_iter().map(|one| one.within(node));
                Finding::Refused(refusals.collect())
            }
            finding => finding,
        }
    }

    fn examine_parts(&self, node: Fields<'c>, siblings: &[&'c str]) -> Finding<'c> {
        let covered = if siblings.is_empty() {
            self.all
        } else {
            siblings
        };
        if node.has("allow_missing") {
            let inner = self.with_conditions(node, self.any_of(covered));
            return any(vec![inner], Some(Fallback::Missing));
        }
        if node.has("allow_missing_or_failed") {
            let inner = self.with_conditions(node, self.any_of(covered));
            return any(vec![inner], Some(Fallback::MissingOrFailed));
        }
        let finding = if node.has("any_provider") {
            self.any_of(self.all)
        } else if let Some(name) = node.text("provider_name") {
            self.leaf(name, None)
        } else if let Some(of) = node.object("provider_and_audiences") {
            let audiences = Some(of.texts("audiences")).filter(|list| !list.is_empty());
            self.leaf(of.text("provider_name").unwrap_or_default(), audiences)
        } else if let Some(list) = node.object("requires_any") {
            let (alternatives, fallback, siblings) = alternatives(list);
            let findings = alternatives.into_iter();
            any(
                findings.map(|one| self.examine(one, &siblings)).collect(),
                fallback,
            )
        } else if let Some(list) = node.object("requires_all") {
            let parts = list.list("requirements").into_iter();
            all(parts.map(|part| self.examine(Fields(part), &[])).collect())
        } else if let Some(extraction) = node.object("extract_only_without_validation") {
            Finding::Fulfilled {
                accepted: Vec::new(),
                extraction: Some((extraction, covered.to_vec())),
                lenient: true,
            }
        } else {
            Finding::without_token(false)
        };
        self.with_conditions(node, finding)
    }

    fn any_of(&self, names: &[&'c str]) -> Finding<'c> {
        any(
            names.iter().map(|name| self.leaf(name, None)).collect(),
            None,
        )
    }

    /// Checks the accepted tokens against scopes and claims.
    fn with_conditions(&self, node: Fields<'c>, finding: Finding<'c>) -> Finding<'c> {
        if let Finding::Fulfilled { accepted, .. } = &finding {
            for (_, one) in accepted {
                let provider = provider(self.configuration, &one.provider);
                let (payload, now) = (&one.content.payload, self.surroundings.now);
                if let Err(refusal) = conditions::check(node, provider, payload, now) {
                    return Finding::Refused(vec![refusal]);
                }
            }
        }
        finding
    }

    /// A token of this provider is required.
    fn leaf(&self, name: &str, audiences: Option<Vec<&str>>) -> Finding<'c> {
        let credentials = match self.credentials {
            Ok(credentials) => credentials.iter().enumerate(),
            Err(reason) => return Finding::refused(*reason),
        };
        if self.surroundings.undecided.contains(&name) {
            return Finding::Later(Vec::new());
        }
        let provider = provider(self.configuration, name);
        let places = credential::places(provider);
        let takes_dpop = sender::takes_dpop(self.configuration, provider);
        let own: Vec<_> = credentials
            .filter(|(_, one)| places.contains(&one.place))
            .filter(|(_, one)| takes_dpop || one.scheme == Scheme::Bearer)
            .collect();
        let (index, credential) = match own[..] {
            [] => return Finding::refused(Reason::Missing),
            [one] => one,
            _ => return Finding::refused(Reason::SeveralTokens),
        };
        match provider::accept(provider, audiences, credential, self.surroundings) {
            Err(Unaccepted::Refused(reason)) => Finding::refused(reason),
            Err(Unaccepted::Later) => Finding::Later(Vec::new()),
            Ok(content) => {
                let forward = Forward {
                    provider: name.to_owned(),
                    place: credential.place.clone(),
                    content: Rc::new(content),
                };
                Finding::Fulfilled {
                    accepted: vec![(index, forward)],
                    extraction: None,
                    lenient: false,
                }
            }
        }
    }

    /// The tokens that are forwarded unverified: each for the provider whose issuer it names, or else for one that
    /// has no issuer.
    fn extracted(&self, covered: &[&str]) -> Vec<Forward> {
        let longest = provider::longest_token(self.configuration);
        let credentials = self.credentials.as_deref().unwrap_or_default().iter();
        let forward = |credential: &Credential| {
            let token = Token::parse(&credential.text, longest).ok()?;
            let reads = |name: &&&str| {
                let places = credential::places(provider(self.configuration, name));
                places.contains(&credential.place)
            };
            let first = |fits: &dyn Fn(Fields<'_>) -> bool| {
                let mut names = covered.iter().filter(reads);
                names.find(|name| fits(provider(self.configuration, name)))
            };
            let named = first(&|provider| issuer::is_named(provider, &token.payload));
            let name = named.or_else(|| first(&issuer::accepts_any))?;
            Some(Forward {
                provider: (*name).to_owned(),
                place: credential.place.clone(),
                content: Rc::new(Content {
                    encoded: token.payload_text.clone(),
                    payload: token.payload,
                    proof: None,
                }),
            })
        };
        credentials.filter_map(forward).collect()
    }
}

/// The alternatives of a `requires_any`, what `allow_missing` and `allow_missing_or_failed` among them say, and the
/// providers that the alternatives name.
fn alternatives(list: Fields<'_>) -> (Vec<Fields<'_>>, Option<Fallback>, Vec<&str>) {
    let nodes: Vec<Fields<'_>> = list.list("requirements").into_iter().map(Fields).collect();
    let mut siblings = Vec::new();
    for node in &nodes {
        let other = node.object("provider_and_audiences");
        let other = other.and_then(|one| one.text("provider_name"));
        siblings.extend(node.text("provider_name").or(other));
    }
    if siblings.is_empty() {
        return (nodes, None, siblings);
    }
    let fallback = |node: &Fields<'_>| {
        let conditions = [
            "acr_values",
            "max_authentication_age",
            "scopes",
            "any_scope",
            "claims",
        ];
        if conditions.iter().any(|name| node.has(name)) {
            None
        } else if node.has("allow_missing") {
            Some(Fallback::Missing)
        } else if node.has("allow_missing_or_failed") {
            Some(Fallback::MissingOrFailed)
        } else {
            None
        }
    };
    let widest = nodes.iter().filter_map(fallback).max();
    let rest = nodes.into_iter().filter(|node| fallback(node).is_none());
    (rest.collect(), widest, siblings)
}

fn providers(configuration: Fields<'_>) -> Vec<&str> {
    let providers = configuration.entries("providers").into_iter();
    providers.map(|(name, _)| name).collect()
}

/// The providers that a requirement involves; without one, all.
pub(crate) fn providers_of<'c>(
    configuration: Fields<'c>,
    node: Option<Fields<'c>>,
) -> Vec<&'c str> {
    let all = providers(configuration);
    match node {
        Some(node) => involved(node, &all, &[]),
        None => all,
    }
}

/// The provider of this name.
pub(crate) fn provider<'c>(configuration: Fields<'c>, name: &str) -> Fields<'c> {
    let mut providers = configuration.entries("providers").into_iter();
    let provider = providers.find(|(known, _)| *known == name);
    provider.expect("the configuration is valid").1
}

/// The providers that a requirement involves, in order.
fn involved<'c>(node: Fields<'c>, all: &[&'c str], siblings: &[&'c str]) -> Vec<&'c str> {
    if let Some(name) = node.text("provider_name") {
        return vec![name];
    }
    if let Some(of) = node.object("provider_and_audiences") {
        return of.text("provider_name").into_iter().collect();
    }
    if let Some(list) = node.object("requires_any") {
        let (alternatives, _, siblings) = alternatives(list);
        let alternatives = alternatives.into_iter();
        return alternatives
            .flat_map(|one| involved(one, all, &siblings))
            .collect();
    }
    if let Some(list) = node.object("requires_all") {
        let parts = list.list("requirements").into_iter();
        return parts
            .flat_map(|part| involved(Fields(part), all, &[]))
            .collect();
    }
    if node.has("allow") {
        return Vec::new();
    }
    if siblings.is_empty() {
        all.to_vec()
    } else {
        siblings.to_vec()
    }
}

/// Whether a request may carry several tokens.
fn takes_several(node: Fields<'_>) -> bool {
    node.has("requires_all")
        || node.object("requires_any").is_some_and(|list| {
            let alternatives = list.list("requirements");
            alternatives
                .into_iter()
                .any(|one| takes_several(Fields(one)))
        })
}
