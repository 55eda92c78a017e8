//! Requirements of `jwt_authn`.

use serde_json::Value;

use super::fields::{get, list, text, texts};

/// What a request needs.
pub(crate) enum NativeRequirement {
    /// Nothing.
    Open,
    /// A token of this provider, with these audiences in place of its own if there are any.
    Provider {
        name: String,
        audiences: Vec<String>,
    },
    /// One of the parts.
    Any {
        parts: Vec<Self>,
        allows_missing: bool,
        allows_failed: bool,
    },
    /// All of the parts.
    All(Vec<Self>),
    /// Good tokens of any provider, or none.
    AllowMissing,
    /// Anything.
    AllowMissingOrFailed,
    /// Anything; this header says whether a token is bad.
    ExtractOnly { header: String },
}

impl NativeRequirement {
    /// Reads a requirement.
    pub(super) fn parse(json: &Value) -> Self {
        if let Some(name) = get(json, "provider_name").and_then(Value::as_str) {
            return Self::Provider {
                name: name.to_owned(),
                audiences: Vec::new(),
            };
        }
        if let Some(both) = get(json, "provider_and_audiences") {
            return Self::Provider {
                name: text(both, "provider_name"),
                audiences: texts(both, "audiences"),
            };
        }
        if let Some(any) = get(json, "requires_any") {
            return Self::any(&list(any, "requirements"));
        }
        if let Some(all) = get(json, "requires_all") {
            let parts = list(all, "requirements").into_iter();
            return Self::All(parts.map(Self::parse).collect());
        }
        if get(json, "allow_missing").is_some() {
            return Self::AllowMissing;
        }
        if get(json, "allow_missing_or_failed").is_some() {
            return Self::AllowMissingOrFailed;
        }
        if let Some(extract) = get(json, "extract_only_without_validation") {
            let header = text(extract, "verification_status_header").to_ascii_lowercase();
            return Self::ExtractOnly {
                header: if header.is_empty() {
                    "x-jwt-signature-verified".to_owned()
                } else {
                    header
                },
            };
        }
        Self::Open
    }

    /// Beside others, the two lenient ones only say what their failure means.
    fn any(parts: &[&Value]) -> Self {
        let all: Vec<Self> = parts.iter().map(|part| Self::parse(part)).collect();
        let allows_missing = all.iter().any(|part| matches!(part, Self::AllowMissing));
        let allows_failed = all
            .iter()
            .any(|part| matches!(part, Self::AllowMissingOrFailed));
        let is_lenient =
            |part: &Self| matches!(part, Self::AllowMissing | Self::AllowMissingOrFailed);
        let parts: Vec<Self> = all.into_iter().filter(|part| !is_lenient(part)).collect();
        if parts.is_empty() && allows_failed {
            Self::AllowMissingOrFailed
        } else if parts.is_empty() {
            Self::AllowMissing
        } else {
            Self::Any {
                parts,
                allows_missing,
                allows_failed,
            }
        }
    }

    /// Collects the names of the providers; without any, all are meant.
    pub(crate) fn collect_providers<'r>(&'r self, names: &mut Vec<&'r str>) {
        match self {
            Self::Provider { name, .. } => names.push(name),
            Self::Any { parts, .. } | Self::All(parts) => {
                for part in parts {
                    part.collect_providers(names);
                }
            }
            Self::Open
            | Self::AllowMissing
            | Self::AllowMissingOrFailed
            | Self::ExtractOnly { .. } => {}
        }
    }
}
