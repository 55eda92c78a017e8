//! The line about a refusal in the debug log.

use std::fmt::{self, Display, Formatter};
use std::time::Duration;

use crate::decision::Refusal;
use crate::policy::{Policy, RequirementPlace};
use crate::reason::Reason;
use crate::request::Request;
use crate::time::Timestamp;

/// The line about the refusal of a request: pairs `key=value`, separated by spaces.
///
/// Values from the client are cut after [`MAX_VALUE`] bytes. A value with anything but visible ASCII, or with
/// `"`, `'`, `\` or `=`, is in quotes and escaped as in a string literal, so that no client can forge a pair or a line. The
/// query is left out: it may hold a token.
#[derive(Clone, Copy, Debug)]
pub struct RefusalLine<'r> {
    /// The refusal.
    pub refusal: Refusal<'r>,
    /// The policy that decided.
    pub policy: &'r Policy,
    /// The request.
    pub request: &'r Request<'r>,
}

/// The longest value, in bytes before it is escaped.
pub const MAX_VALUE: usize = 256;

impl Display for RefusalLine<'_> {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        let Refusal {
            reason,
            requirement,
            provider,
        } = self.refusal;
        f.write_str("reason=")?;
        f.write_str(reason.kind().metric())?;
        if let Some(provider) = provider.and_then(|index| self.policy.providers.get(index)) {
            pair(f, "provider", &provider.name)?;
        }
        let place = requirement.and_then(|requirement| self.policy.place(requirement));
        match place {
            Some(RequirementPlace::Rule(index)) => number(f, "rule", index)?,
            Some(RequirementPlace::Named(name)) => pair(f, "requirement", name)?,
            None => {}
        }
        pair(f, "method", &self.request.method)?;
        pair(f, "path", self.request.path())?;
        facts(f, reason)
    }
}

/// Writes the facts of `reason`.
fn facts(f: &mut Formatter<'_>, reason: &Reason) -> fmt::Result {
    match reason {
        Reason::Header { name } => pair(f, "header", name),
        Reason::Requirement { name } => pair(f, "requirement", name),
        Reason::TooLong { bytes, limit } | Reason::TooLarge { bytes, limit } => {
            number(f, "bytes", *bytes)?;
            number(f, "limit", *limit)
        }
        Reason::Algorithm { alg } => optional(f, "alg", *alg),
        Reason::Type { typ } => optional(f, "typ", typ.as_deref()),
        Reason::Issuer { iss } => optional(f, "iss", iss.as_deref()),
        Reason::Audience { aud } => pair(f, "aud", aud.join(" ")),
        Reason::Expired { exp, now } => {
            time(f, "exp", *exp)?;
            time(f, "now", *now)
        }
        Reason::NotYetValid { nbf, now } => {
            time(f, "nbf", *nbf)?;
            time(f, "now", *now)
        }
        Reason::IssuedInFuture { iat, now } => {
            time(f, "iat", *iat)?;
            time(f, "now", *now)
        }
        Reason::Lifetime { iat, exp, limit } => {
            for (name, date) in [("iat", iat), ("exp", exp)] {
                if let Some(date) = date {
                    time(f, name, *date)?;
                }
            }
            seconds(f, "limit", *limit)
        }
        Reason::UnknownKey { kid, alg } => {
            optional(f, "kid", kid.as_deref())?;
            pair(f, "alg", alg)
        }
        Reason::Signature { kid } => optional(f, "kid", kid.as_deref()),
        Reason::Contradiction { claim } => pair(f, "claim", claim),
        Reason::Scope { required } => pair(f, "required", required),
        Reason::Claims { claim } => pair(f, "claim", claim),
        other => match other.retry_after() {
            Some(wait) => seconds(f, "retry_after", wait),
            None => Ok(()),
        },
    }
}

fn optional(f: &mut Formatter<'_>, name: &str, value: Option<&str>) -> fmt::Result {
    match value {
        Some(value) => pair(f, name, value),
        None => Ok(()),
    }
}

/// Writes a time in seconds since the epoch.
fn time(f: &mut Formatter<'_>, name: &str, time: Timestamp) -> fmt::Result {
    seconds(f, name, time.since(Timestamp::EPOCH))
}

/// Writes a duration in seconds, with milliseconds only if it has any.
fn seconds(f: &mut Formatter<'_>, name: &str, duration: Duration) -> fmt::Result {
    let whole = duration.as_secs();
    match duration.subsec_millis() {
        0 => write!(f, " {name}={whole}"),
        millis => write!(f, " {name}={whole}.{millis:03}"),
    }
}

fn number(f: &mut Formatter<'_>, name: &str, number: usize) -> fmt::Result {
    write!(f, " {name}={number}")
}

fn pair(f: &mut Formatter<'_>, name: &str, value: impl AsRef<[u8]>) -> fmt::Result {
    write_pair(f, name, value.as_ref())
}

fn write_pair(f: &mut Formatter<'_>, name: &str, value: &[u8]) -> fmt::Result {
    let shown = value.get(..MAX_VALUE).unwrap_or(value);
    let is_plain =
        |byte: &u8| byte.is_ascii_graphic() && !matches!(byte, b'"' | b'\'' | b'\\' | b'=');
    let quote = if !shown.is_empty() && shown.iter().all(is_plain) {
        ""
    } else {
        "\""
    };
    // Nothing in a plain value is escaped.
    let shown = shown.escape_ascii();
    write!(f, " {name}={quote}{shown}{quote}")
}

#[cfg(test)]
mod tests {
    use super::*;

    struct Pair<'p>(&'p [u8]);

    impl Display for Pair<'_> {
        fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
            pair(f, "a", self.0)
        }
    }

    #[test]
    fn a_value_cannot_forge_a_pair_or_a_line() {
        for (value, expected) in [
            (&b"abc"[..], "a=abc"),
            (b"", r#"a="""#),
            (b"b c=d", r#"a="b c=d""#),
            (b"b\" reason=none", r#"a="b\" reason=none""#),
            (b"b\r\n[info]", r#"a="b\r\n[info]""#),
            (b"b\\", r#"a="b\\""#),
            (b"\xff\0", r#"a="\xff\x00""#),
        ] {
            assert_eq!(Pair(value).to_string(), format!(" {expected}"));
        }
        let long = Pair(&[b'b'; 1000]).to_string();
        assert_eq!(long.len(), " a=".len() + MAX_VALUE);
    }

    struct Seconds(Duration);

    impl Display for Seconds {
        fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
            seconds(f, "a", self.0)
        }
    }

    #[test]
    fn seconds_are_whole_where_they_can_be() {
        for (millis, expected) in [(1_700_000_000_000, " a=1700000000"), (1500, " a=1.500")] {
            assert_eq!(Seconds(Duration::from_millis(millis)).to_string(), expected);
        }
    }
}
