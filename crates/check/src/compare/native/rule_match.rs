//! Which requests a rule of `jwt_authn` applies to.

use gate::request::Request;
use gate_config::camel;
use serde_json::{Value, json};

use super::envoy_matchers::RouteMatch;
use super::fields::{get, text};
use crate::convert::{NOT_LOOKED_AT, template_to_regex};

/// The match of a rule.
pub(crate) struct RuleMatch {
    route_match: RouteMatch,
    /// Whether only CONNECT requests match.
    connect: bool,
    /// What `jwt_authn` looks at.
    pub(crate) json: Value,
}

impl RuleMatch {
    /// Reads a match.
    ///
    /// # Errors
    ///
    /// Which condition is not supported.
    pub(super) fn parse(json: &Value) -> Result<Self, String> {
        let mut members = json.as_object().cloned().unwrap_or_default();
        for name in NOT_LOOKED_AT {
            members.remove(name);
            members.remove(&camel(name));
        }
        let mut take = |name: &str| {
            let value = members.remove(name);
            value.or_else(|| members.remove(&camel(name)))
        };
        let connect = take("connect_matcher").is_some();
        if let Some(policy) = take("path_match_policy") {
            let template = get(&policy, "typed_config").map(|config| text(config, "path_template"));
            let regex = template.as_deref().and_then(template_to_regex);
            let regex = regex.ok_or("path_match_policy is not a template")?;
            members.insert("safe_regex".to_owned(), json!({"regex": regex}));
        }
        if connect {
            members.insert("prefix".to_owned(), "".into());
        }
        let json = Value::from(members);
        Ok(Self {
            route_match: RouteMatch::parse(&json)?,
            connect,
            json,
        })
    }

    /// Whether the rule applies to `request`.
    pub(super) fn matches(&self, request: &Request<'_>) -> bool {
        (!self.connect || &*request.method == b"CONNECT") && self.route_match.matches(request)
    }
}
