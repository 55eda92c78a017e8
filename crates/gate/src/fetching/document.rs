//! What was fetched, in the form in which the workers of a process share it.
//!
//! The document and the progress of its fetching are two values of the host's, written one after the
//! other. The document therefore says which fetch brought it, and nobody adopts one that is not of
//! the fetch that the progress speaks of.

use serde::{Deserialize, Serialize};

use super::resource::Resource;

/// The longest entity tag that is kept; a longer one is as good as none.
const MAX_ETAG_BYTES: usize = 1024;

/// The longest description after a body.
const MAX_HEAD_BYTES: usize = 256 * 1024;

/// What a server publishes, as it was fetched.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Document {
    /// The number of the fetch that brought it.
    pub id: u64,
    /// What a server can be asked with whether it has changed.
    pub validator: Option<Validator>,
    /// What the server sent.
    pub body: Vec<u8>,
}

/// An entity tag (RFC 9110, section 8.8.3) and what it is of.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Validator {
    etag: String,
    of: Resource,
}

impl Validator {
    /// The validator of a resource that was served with this `ETag`. `None` for one that no request
    /// can carry back.
    #[must_use]
    pub fn new(etag: &[u8], of: &Resource) -> Option<Self> {
        let etag = std::str::from_utf8(etag).ok()?;
        let is_sound = etag.len() <= MAX_ETAG_BYTES
            && etag.ends_with('"')
            && etag.bytes().all(|byte| byte.is_ascii_graphic());
        is_sound.then(|| Self {
            etag: etag.to_owned(),
            of: of.clone(),
        })
    }

    /// The entity tag, if it is one of what is at `resource`.
    #[must_use]
    pub fn etag_of(&self, resource: &Resource) -> Option<&str> {
        (self.of == *resource).then_some(&*self.etag)
    }
}

#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct Head {
    id: u64,
    validator: Option<Validator>,
}

impl Document {
    /// The document as it is shared: the body, then a line of JSON that says what it is.
    #[must_use]
    pub fn encode(self) -> Vec<u8> {
        let head = Head {
            id: self.id,
            validator: self.validator,
        };
        let head = serde_json::to_vec(&head).unwrap_or_default();
        let mut bytes = self.body;
        bytes.reserve_exact(head.len().saturating_add(1));
        bytes.push(b'\n');
        bytes.extend_from_slice(&head);
        bytes
    }

    /// Reads what is shared; `None` if it is anything else, or its body has more than `longest`
    /// bytes. Nothing is copied: a list may take up tens of megabytes.
    #[must_use]
    pub fn decode(mut bytes: Vec<u8>, longest: usize) -> Option<Self> {
        let head_bytes = bytes
            .iter()
            .rev()
            .take(MAX_HEAD_BYTES)
            .position(|byte| *byte == b'\n')?;
        let head_at = bytes.len().checked_sub(head_bytes)?;
        let head: Head = serde_json::from_slice(bytes.get(head_at..)?).ok()?;
        bytes.truncate(head_at.checked_sub(1)?);
        if bytes.len() > longest {
            return None;
        }
        // Whoever has the `vm_id` can write here, and the tag becomes a header.
        let validator = head
            .validator
            .and_then(|validator| Validator::new(validator.etag.as_bytes(), &validator.of));
        Some(Self {
            id: head.id,
            validator,
            body: bytes,
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const LONGEST: usize = 1000;

    fn decode(bytes: &[u8]) -> Option<Document> {
        Document::decode(bytes.to_vec(), LONGEST)
    }

    fn resource(path: &str) -> Resource {
        Resource::parse(&format!("https://issuer.example{path}")).unwrap()
    }

    #[test]
    fn a_document_comes_back_as_it_was_shared() {
        for (body, etag) in [
            (&b"{\"keys\":[]}"[..], Some(&b"W/\"a\""[..])),
            (b"", None),
            (b"\n\n{", Some(b"\"\"")),
        ] {
            let document = Document {
                id: u64::MAX,
                validator: etag.and_then(|etag| Validator::new(etag, &resource("/jwks"))),
                body: body.to_vec(),
            };
            assert_eq!(document.validator.is_some(), etag.is_some());
            assert_eq!(decode(&document.clone().encode()), Some(document));
        }
    }

    #[test]
    fn what_is_not_a_document_is_refused() {
        let large = [
            &vec![b' '; LONGEST + 1],
            &b"\n{\"id\":1,\"validator\":null}"[..],
        ];
        for bytes in [
            &b""[..],
            b"\n",
            b"{}\n{}",
            b"{\"id\":1,\"validator\":null}",
            b"{}\n{\"id\":-1,\"validator\":null}",
            b"{}\n{\"id\":1,\"validator\":null,\"more\":1}",
            b"{\"keys\":[]}",
            &[b'x'; 4096],
            &large.concat(),
        ] {
            assert_eq!(decode(bytes), None);
        }
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
        let forged = b"\n{\"id\":1,\"validator\":{\"etag\":\"\\\"\\r\\n\\\"\",\"of\":{\"authority\":\"a\",\"path\":\"/\"}}}";
        assert_eq!(decode(forged).unwrap().validator, None);
    }

    #[test]
    fn a_tag_is_of_one_resource_only() {
        let validator = Validator::new(b"\"a\"", &resource("/jwks")).unwrap();
        assert_eq!(validator.etag_of(&resource("/jwks")), Some("\"a\""));
        assert_eq!(validator.etag_of(&resource("/other")), None);
    }

    proptest::proptest! {
        #[test]
        fn no_bytes_panic(bytes: Vec<u8>) {
            let _ = decode(&bytes);
        }
    }
}
