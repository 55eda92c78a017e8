//! The words for values, times, locations, requirements and resources.

use std::fmt::Write as _;
use std::rc::Rc;
use std::time::{Duration, SystemTime};

use gate::decision::Dependency;
use gate::policy::{ClaimTest, Fallback, Location, Policy, RequirementKind, RequirementNode};
use gate::time::Timestamp;
use serde_json::Value;

/// The text for a claim or a header parameter that a token does not have.
pub(crate) const MISSING: &str = "missing";

/// A value as JSON, cut after 200 characters.
pub(crate) fn value(value: &Value) -> String {
    const LONGEST: usize = 200;
    let text = value.to_string();
    match text.char_indices().nth(LONGEST) {
        None => text,
        Some((end, _)) => format!("{} ...", text.get(..end).unwrap_or_default()),
    }
}

/// The value of the claim or header parameter `name`: times as dates, others as JSON.
pub(crate) fn member(name: &str, member: Option<&Value>) -> String {
    match (name, member) {
        (_, None) => MISSING.to_owned(),
        ("exp" | "nbf" | "iat" | "auth_time", Some(Value::Number(number))) => {
            date(Timestamp::from_numeric_date(number))
        }
        (_, Some(member)) => value(member),
    }
}

/// A string that may be absent, in quotation marks.
pub(crate) fn string(text: Option<&str>) -> String {
    text.map_or_else(|| MISSING.to_owned(), |text| value(&text.into()))
}

/// A point in time (RFC 3339).
pub(crate) fn date(time: Timestamp) -> String {
    /// The year 10000, which RFC 3339 cannot represent.
    const END: u64 = 253_402_300_800_000;
    let millis = time.unix_millis();
    if millis >= END {
        return format!("{} s after 1970", millis.saturating_div(1000));
    }
    let since_epoch = Duration::from_millis(millis);
    let time = SystemTime::UNIX_EPOCH.checked_add(since_epoch);
    time.map_or_else(String::new, |time| {
        humantime::format_rfc3339_seconds(time).to_string()
    })
}

/// A place in a request.
pub(crate) fn location(location: &Location) -> String {
    match location {
        Location::Header { name, prefix } if prefix.is_empty() => format!("the header {name}"),
        Location::Header { name, prefix } => format!("the header {name} after {prefix:?}"),
        Location::Parameter(name) => format!("the query parameter {name}"),
        Location::Cookie(name) => format!("the cookie {name}"),
    }
}

/// Places in which no token was found.
pub(crate) fn searched(locations: &[Rc<Location>]) -> String {
    let places: Vec<String> = locations.iter().map(|one| location(one)).collect();
    format!("not found in {}", places.join(", nor in "))
}

/// What a requirement asks for.
pub(crate) fn requirement(node: &RequirementNode) -> String {
    let mut text = match &node.kind {
        RequirementKind::Nothing => "nothing".to_owned(),
        RequirementKind::Provider(provider) => format!("a token of {}", provider.name),
        RequirementKind::All(_) => "all of these".to_owned(),
        RequirementKind::Any(_, Fallback::None) => "one of these".to_owned(),
        RequirementKind::Any(_, Fallback::AllowMissing) => "one of these, or no token".to_owned(),
        RequirementKind::Any(_, Fallback::AllowMissingOrFailed) => {
            "one of these, or no valid token".to_owned()
        }
        RequirementKind::ExtractOnly(_) => "nothing, and forwards unverified claims".to_owned(),
    };
    let conditions = &node.conditions;
    if !conditions.authentication.acr_values.is_empty() {
        let classes = conditions.authentication.acr_values.join(" ");
        let _ = write!(text, " with one of the authentication classes {classes}");
    }
    if let Some(max_age) = conditions.authentication.max_age {
        let max_age = humantime::format_duration(max_age);
        let _ = write!(text, " with an authentication at most {max_age} ago");
    }
    if !conditions.scopes.is_empty() {
        let _ = write!(text, " with the scopes {}", conditions.scopes.join(" "));
    }
    if !conditions.any_scope.is_empty() {
        let scopes = conditions.any_scope.join(" ");
        let _ = write!(text, " with one of the scopes {scopes}");
    }
    if !conditions.claims.is_empty() {
        let claims = conditions.claims.iter();
        let paths: Vec<String> = claims.map(|claim| claim.path.to_string()).collect();
        let _ = write!(text, " with conditions on {}", paths.join(", "));
    }
    text
}

/// What a test of a claim asks for.
pub(crate) fn claim_test(test: &ClaimTest) -> String {
    match test {
        ClaimTest::Exact(wanted) => format!("must be {}", value(wanted)),
        ClaimTest::AnyOf(wanted) => {
            let wanted: Vec<String> = wanted.iter().map(value).collect();
            format!("must be one of {}", wanted.join(", "))
        }
        ClaimTest::Contains(wanted) => format!("must contain {}", value(wanted)),
        ClaimTest::Present(true) => "must be present".to_owned(),
        ClaimTest::Present(false) => "must be absent".to_owned(),
    }
}

/// Something that a request waits for, and the option that gives it. A token is not named.
pub(crate) fn dependency(policy: &Policy, dependency: &Dependency) -> String {
    let (what, option, provider) = match dependency {
        Dependency::Keys(provider) => ("the key set", "--jwks", provider),
        Dependency::NewerKeys(provider) => ("a newer key set", "--jwks", provider),
        Dependency::Revocations(provider) => ("the revocation list", "--revocation", provider),
        Dependency::Introspection { provider, .. } => {
            ("the introspection response", "--introspection", provider)
        }
    };
    let provider = policy.providers.get(*provider);
    let name = provider.map_or("?", |provider| provider.name.as_str());
    format!("{what} of {name} ({option} {name}=FILE)")
}
