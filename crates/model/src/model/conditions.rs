//! Conditions of a requirement on the claims of a token.

use serde_json::{Map, Value};

use super::claim;
use super::fields::Fields;
use super::reason::Reason;
use super::scope;
use super::step_up::{self, StepUp};

/// A reason, and the scopes and the authentication that the challenge names.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Refusal {
    pub(crate) reason: Reason,
    pub(crate) scope: Option<String>,
    pub(crate) step_up: Option<StepUp>,
}

impl From<Reason> for Refusal {
    fn from(reason: Reason) -> Self {
        Self {
            reason,
            scope: None,
            step_up: None,
        }
    }
}

impl Refusal {
    /// The refusal with the scopes that the whole requirement needs, if the challenge names them.
    pub(crate) fn for_requirement(self, node: Fields<'_>) -> Self {
        let (_, status, _, _) = self.reason.row();
        let needed = scope::needed(node).join(" ");
        match status {
            401 if !needed.is_empty() => Self {
                scope: Some(needed),
                ..self
            },
            _ => self,
        }
    }

    /// The refusal of a part of `node`, with the scopes and the authentication that `node` needs besides.
    pub(crate) fn within(self, node: Fields<'_>) -> Self {
        let scope = self.scope.map(|lacking| scope::completed(node, &lacking));
        let step_up = self.step_up.map(|demand| demand.within(node));
        Self {
            reason: self.reason,
            scope,
            step_up,
        }
    }
}

/// Checks a token of a provider with this payload against the conditions of a requirement.
pub(crate) fn check(
    node: Fields<'_>,
    provider: Fields<'_>,
    payload: &Map<String, Value>,
    now: i128,
) -> Result<(), Refusal> {
    if let Err((reason, step_up)) = step_up::check(node, provider, payload, now) {
        return Err(Refusal {
            step_up,
            ..reason.into()
        });
    }
    let owned = scopes(provider, payload);
    let has = |scope: &&str| owned.iter().any(|one| one == scope);
    let any = node.texts("any_scope");
    let has_any = any.is_empty() || any.iter().any(has);
    if !node.texts("scopes").iter().all(has) || !has_any {
        return Err(Refusal {
            reason: Reason::Scope,
            scope: Some(scope::own(node).join(" ")),
            step_up: None,
        });
    }
    for condition in node.list("claims") {
        let condition = Fields(condition);
        if !holds(condition, claim::find(condition, payload)) {
            return Err(Reason::Claims.into());
        }
    }
    Ok(())
}

/// The scopes of a token.
fn scopes<'p>(provider: Fields<'_>, payload: &'p Map<String, Value>) -> Vec<&'p str> {
    let claims: Vec<Option<&Value>> = if provider.has("scope_claims") {
        let selectors = provider.list("scope_claims").into_iter();
        let find = |selector: &Value| match selector {
            Value::Array(path) => claim::find_path(&path.iter().collect::<Vec<_>>(), payload),
            name => claim::find_dotted(name.as_str().unwrap_or_default(), payload),
        };
        selectors.map(find).collect()
    } else {
        vec![payload.get("scope"), payload.get("scp")]
    };
    let mut scopes = Vec::new();
    for claim in claims.into_iter().flatten() {
        match claim {
            Value::String(text) => scopes.extend(text.split(' ')),
            Value::Array(list) => scopes.extend(list.iter().filter_map(Value::as_str)),
            _ => {}
        }
    }
    scopes
}

fn holds(condition: Fields<'_>, claim: Option<&Value>) -> bool {
    if condition.has("present") {
        return claim.is_some() == condition.flag("present");
    }
    let Some(claim) = claim else { return false };
    if let Some(wanted) = condition.get("exact") {
        return equal(claim, wanted);
    }
    if let Some(wanted) = condition.get("contains") {
        return match claim {
            Value::Array(elements) if wanted.is_object() => {
                elements.iter().any(|one| covers(one, wanted))
            }
            Value::Array(elements) => elements.iter().any(|one| equal(one, wanted)),
            Value::String(_) => claim == wanted,
            _ => false,
        };
    }
    let wanted = condition.list("any_of");
    wanted.into_iter().any(|wanted| equal(claim, wanted))
}

/// Whether a value has what `wanted` has, at every depth.
fn covers(value: &Value, wanted: &Value) -> bool {
    if let (Some(value), Some(wanted)) = (value.as_object(), wanted.as_object()) {
        let has = |(name, wanted): (&String, &Value)| {
            value.get(name).is_some_and(|one| covers(one, wanted))
        };
        return wanted.iter().all(has);
    }
    if let (Some(value), Some(wanted)) = (value.as_array(), wanted.as_array()) {
        let has = |wanted: &Value| value.iter().any(|one| covers(one, wanted));
        return wanted.iter().all(has);
    }
    equal(value, wanted)
}

/// Whether two values are equal. `1` is `1.0`.
fn equal(one: &Value, other: &Value) -> bool {
    match (one, other) {
        (Value::Number(one), Value::Number(other)) => {
            one == other || (one.is_f64() != other.is_f64() && one.as_f64() == other.as_f64())
        }
        (Value::Array(one), Value::Array(other)) => {
            one.len() == other.len() && one.iter().zip(other).all(|(one, other)| equal(one, other))
        }
        (Value::Object(one), Value::Object(other)) => {
            one.len() == other.len()
                && one
                    .iter()
                    .all(|(name, value)| other.get(name).is_some_and(|one| equal(value, one)))
        }
        _ => one == other,
    }
}
