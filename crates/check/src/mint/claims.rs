//! The claims of a token that a configuration accepts.

use std::time::Duration;

use gate::policy::{
    ClaimPath, ClaimTest, Policy, Provider, Requirement, RequirementKind, RequirementNode,
    TokenConditions, TokenProfile,
};
use gate::time::Timestamp;
use serde_json::{Map, Value, json};

/// The value of a claim about which only its presence matters.
const ANYTHING: &str = "minted";

/// What the requirements of a policy ask of the tokens of one provider.
pub(crate) struct Demands<'p> {
    /// The provider with this name, and its copies with other audiences.
    providers: Vec<&'p Provider>,
    conditions: Vec<&'p TokenConditions>,
}

impl<'p> Demands<'p> {
    /// What `policy` asks of the tokens of `provider`.
    pub(crate) fn new(policy: &'p Policy, provider: &'p Provider) -> Self {
        let mut demands = Self {
            providers: vec![provider],
            conditions: Vec::new(),
        };
        let rules = policy.rules.listed().iter();
        let named = policy
            .requirements
            .iter()
            .map(|(_, requirement)| requirement);
        for Requirement { root, .. } in rules.map(|rule| &rule.requirement).chain(named) {
            demands.collect(root, &provider.name, &mut Vec::new());
        }
        demands
    }

    fn collect(
        &mut self,
        node: &'p RequirementNode,
        name: &str,
        above: &mut Vec<&'p TokenConditions>,
    ) {
        above.push(&node.conditions);
        if let RequirementKind::Provider(provider) = &node.kind
            && provider.name == name
        {
            self.providers.push(provider);
            self.conditions.extend(above.iter());
        }
        for part in node.parts() {
            self.collect(part, name, above);
        }
        above.pop();
    }

    /// Whether a requirement asks for scopes.
    pub(crate) fn has_scopes(&self) -> bool {
        let mut conditions = self.conditions.iter();
        conditions.any(|one| !one.scopes.is_empty() || !one.any_scope.is_empty())
    }

    fn scopes(&self) -> Vec<&'p str> {
        let mut scopes = Vec::new();
        for condition in &self.conditions {
            for scope in condition.scopes.iter().chain(&condition.any_scope) {
                if !scopes.contains(&scope.as_str()) {
                    scopes.push(scope.as_str());
                }
            }
        }
        scopes
    }

    /// The claims of a good token: what the provider and all requirements ask for, as far as it can be
    /// told. `json` is the provider in the configuration.
    pub(crate) fn claims(
        &self,
        policy: &Policy,
        provider: &Provider,
        json: &Value,
        lifetime: Duration,
        now: Timestamp,
    ) -> Map<String, Value> {
        let mut claims = Map::new();
        let seconds = |time: Timestamp| Value::from(time.unix_millis().div_euclid(1000));
        if let Some(issuer) = provider.issuers.all().first() {
            let mut name = issuer.as_str().to_owned();
            for claim in issuer.claims() {
                name = name.replace(&format!("{{{claim}}}"), ANYTHING);
                set(&mut claims, claim, ANYTHING.into());
            }
            claims.insert("iss".to_owned(), name.into());
        }
        let mut audiences: Vec<&str> = Vec::new();
        let own = self.providers.iter().flat_map(|one| &one.audiences);
        let resources = policy
            .resources
            .all()
            .iter()
            .filter(|one| one.require_audience);
        let resources = resources.map(|one| one.identifier.as_str());
        for audience in own.map(String::as_str).chain(resources) {
            if !audiences.contains(&audience) {
                audiences.push(audience);
            }
        }
        if provider.profile.is_some() && audiences.is_empty() {
            audiences.push(ANYTHING);
        }
        match audiences.as_slice() {
            [] => {}
            [one] => drop(claims.insert("aud".to_owned(), (*one).into())),
            several => drop(claims.insert("aud".to_owned(), json!(several))),
        }
        claims.insert("sub".to_owned(), subject(json).into());
        let lifetime = provider
            .max_lifetime
            .map_or(lifetime, |most| most.min(lifetime));
        claims.insert("iat".to_owned(), seconds(now));
        claims.insert("exp".to_owned(), seconds(now.plus(lifetime)));
        if let Some(TokenProfile::Rfc9068) = provider.profile {
            claims.insert("client_id".to_owned(), ANYTHING.into());
        }
        let scopes = self.scopes();
        if let Some(claim) = provider.scope_claims.first()
            && !scopes.is_empty()
        {
            set(&mut claims, claim, scopes.join(" ").into());
        }
        for condition in &self.conditions {
            if let Some(acr) = condition.authentication.acr_values.first() {
                set(
                    &mut claims,
                    &ClaimPath::top_level("acr"),
                    acr.clone().into(),
                );
            }
            if condition.authentication.max_age.is_some() {
                set(
                    &mut claims,
                    &ClaimPath::top_level("auth_time"),
                    seconds(now),
                );
            }
            for claim in &condition.claims {
                meet(&mut claims, &claim.path, &claim.test);
            }
        }
        claims
    }
}

/// Lets a claim pass a test, unless another test has set it.
fn meet(claims: &mut Map<String, Value>, path: &ClaimPath, test: &ClaimTest) {
    if test.holds(path.find(claims)) {
        return;
    }
    let value = match test {
        ClaimTest::Exact(value) => value.clone(),
        ClaimTest::AnyOf(values) => values.first().cloned().unwrap_or_default(),
        ClaimTest::Contains(value) => match path.find(claims) {
            Some(Value::Array(known)) => {
                let all = known.iter().chain([value]);
                set(claims, path, all.cloned().collect());
                return;
            }
            _ => json!([value]),
        },
        ClaimTest::Present(true) => ANYTHING.into(),
        ClaimTest::Present(false) => return,
    };
    if path.find(claims).is_none() {
        set(claims, path, value);
    }
}

/// Sets the claim at `path`.
fn set(claims: &mut Map<String, Value>, path: &ClaimPath, value: Value) {
    let Some((last, objects)) = path.names().split_last() else {
        return;
    };
    let mut object = claims;
    for name in objects {
        let inner = object.entry(name.clone()).or_insert_with(|| json!({}));
        let Value::Object(inner) = inner else {
            return;
        };
        object = inner;
    }
    object.insert(last.clone(), value);
}

/// A subject that the matcher of the provider accepts, unless it is a pattern.
fn subject(provider: &Value) -> String {
    let literals = ["exact", "prefix", "suffix", "contains"];
    let matcher = provider.get("subjects");
    let literal = literals
        .iter()
        .find_map(|name| matcher?.get(*name)?.as_str());
    literal.unwrap_or("minted-user").to_owned()
}

/// Removes the claims that hold scopes.
pub(crate) fn remove_scopes(claims: &mut Map<String, Value>, provider: &Provider) {
    for path in &provider.scope_claims {
        if path.find(claims).is_some() {
            set(claims, path, "".into());
        }
    }
}
