//! The entity tag of a document.

use serde::{Deserialize, Serialize};

use super::resource::Resource;

/// The longest entity tag that is kept, in bytes.
pub(super) const MAX_ETAG_BYTES: usize = 1024;

/// An entity tag (RFC 9110, section 8.8.3) and the resource that it belongs to.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Validator {
    etag: String,
    of: Resource,
}

impl Validator {
    /// The validator for a resource that was served with this `ETag`. `None` if no request can carry
    /// the tag.
    #[must_use]
    pub fn new(etag: &[u8], resource: &Resource) -> Option<Self> {
        let etag = std::str::from_utf8(etag).ok()?;
        let is_valid = etag.len() <= MAX_ETAG_BYTES
            && etag.ends_with('"')
            && etag.bytes().all(|byte| byte.is_ascii_graphic());
        is_valid.then(|| Self {
            etag: etag.to_owned(),
            of: resource.clone(),
        })
    }

    /// The entity tag, if it belongs to `resource`.
    #[must_use]
    pub fn etag_for(&self, resource: &Resource) -> Option<&str> {
        (self.of == *resource).then_some(&*self.etag)
    }

    /// This validator, if it is valid: it may come from shared data that others can write.
    pub(super) fn checked(self) -> Option<Self> {
        Self::new(self.etag.as_bytes(), &self.of)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn resource(path: &str) -> Resource {
        Resource::parse(&format!("https://issuer.example{path}")).unwrap()
    }

    #[test]
    fn only_tags_that_a_request_can_carry_are_kept() {
        for (etag, kept) in [
            (&b"\"a\""[..], true),
            (b"W/\"a\"", true),
            (b"a", false),
            (b"", false),
            (b"\"a\r\nx: y\"", false),
            (b"\"\xff\"", false),
        ] {
            let validator = Validator::new(etag, &resource("/"));
            assert_eq!(validator.is_some(), kept, "{}", etag.escape_ascii());
        }
        let long = format!("\"{}\"", "a".repeat(MAX_ETAG_BYTES));
        assert_eq!(Validator::new(long.as_bytes(), &resource("/")), None);
    }

    #[test]
    fn a_tag_belongs_to_one_resource() {
        let validator = Validator::new(b"\"a\"", &resource("/jwks")).unwrap();
        assert_eq!(validator.etag_for(&resource("/jwks")), Some("\"a\""));
        assert_eq!(validator.etag_for(&resource("/other")), None);
    }
}
