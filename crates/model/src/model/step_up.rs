//! How users were authenticated: `docs/configuration.md`, "Step-up".

use serde_json::{Map, Value};

use super::fields::Fields;
use super::reason::Reason;

/// What the challenge asks for.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct StepUp {
    pub(crate) classes: Vec<String>,
    /// In seconds.
    pub(crate) age: Option<i128>,
}

impl StepUp {
    /// What a requirement asks for, without its parts.
    fn of_requirement(node: Fields<'_>) -> Self {
        let classes = node.texts("acr_values").into_iter();
        Self {
            classes: classes.map(str::to_owned).collect(),
            age: node
                .millis("max_authentication_age")
                .map(|millis| millis / 1000),
        }
    }

    /// What also meets what `node` asks for, which stands around the part that was not met, and its other parts if all
    /// must be met.
    pub(crate) fn within(mut self, node: Fields<'_>) -> Self {
        let own = Self::of_requirement(node);
        let common: Vec<String> = self
            .classes
            .iter()
            .filter(|class| own.classes.contains(class))
            .cloned()
            .collect();
        if self.classes.is_empty() {
            self.classes = own.classes;
        } else if !common.is_empty() {
            self.classes = common;
        }
        self.age = self.age.into_iter().chain(own.age).min();
        if let Some(list) = node.object("requires_all") {
            let parts = list.list("requirements").into_iter().map(Fields);
            // Alternatives need not be met, and `allow_missing` is one.
            let is_optional = |part: &Fields<'_>| {
                part.has("allow_missing") || part.has("allow_missing_or_failed")
            };
            for part in parts.filter(|part| !is_optional(part)) {
                self = self.within(part);
            }
        }
        self
    }
}

/// Checks a token of a provider with this payload.
pub(crate) fn check(
    node: Fields<'_>,
    provider: Fields<'_>,
    payload: &Map<String, Value>,
    now: i128,
) -> Result<(), (Reason, Option<StepUp>)> {
    let demand = StepUp::of_requirement(node);
    let wrong = Err((Reason::ClaimType, None));
    let acr = payload.get("acr");
    let time = payload.get("auth_time");
    if !demand.classes.is_empty() && acr.is_some_and(|acr| !acr.is_string()) {
        return wrong;
    }
    if demand.age.is_some() && time.is_some_and(|time| !time.is_number()) {
        return wrong;
    }
    let has_class = demand.classes.is_empty()
        || acr
            .and_then(Value::as_str)
            .is_some_and(|acr| demand.classes.iter().any(|class| class == acr));
    let skew = i128::from(provider.integer("clock_skew_seconds").unwrap_or(60)) * 1000;
    let is_recent = demand.age.is_none_or(|age| {
        time.and_then(Value::as_f64).is_some_and(|time| {
            let time = (time * 1000.0).round().clamp(0.0, 1e25) as i128;
            (now - age * 1000 - skew..=now + skew).contains(&time)
        })
    });
    if has_class && is_recent {
        Ok(())
    } else {
        Err((Reason::UserAuthentication, Some(demand)))
    }
}
