//! A fetched document in the format in which the workers of a process share it.
//!
//! The document and the state of its fetching are two entries of the host's shared data, written one
//! after the other. The document therefore contains the number of the fetch that brought it, and a
//! worker adopts it only if the state names the same fetch.

use serde::{Deserialize, Serialize};

use super::validator::Validator;

/// The longest trailer, in bytes.
const MAX_TRAILER_BYTES: usize = 256 * 1024;

/// A fetched document as workers share it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SharedDocument {
    /// The number of the fetch that brought it.
    pub id: u64,
    /// Lets a server say that the document has not changed.
    pub validator: Option<Validator>,
    /// What [`Publication::to_shared`] made of the server's response.
    ///
    /// [`Publication::to_shared`]: super::Publication::to_shared
    pub shared: Vec<u8>,
}

#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct Trailer {
    id: u64,
    validator: Option<Validator>,
}

impl SharedDocument {
    /// Encodes the document: its shared form, a line feed, and the other fields as a line of JSON.
    #[must_use]
    pub fn encode(self) -> Vec<u8> {
        let trailer = Trailer {
            id: self.id,
            validator: self.validator,
        };
        let trailer = serde_json::to_vec(&trailer).unwrap_or_default();
        let mut bytes = self.shared;
        bytes.reserve_exact(trailer.len().saturating_add(1));
        bytes.push(b'\n');
        bytes.extend_from_slice(&trailer);
        bytes
    }

    /// Decodes what [`encode`](Self::encode) returned; `None` if it is anything else, or if the shared form is
    /// longer than `max_bytes`. Copies nothing: a revocation list may have tens of megabytes.
    #[must_use]
    pub fn decode(mut bytes: Vec<u8>, max_bytes: usize) -> Option<Self> {
        let trailer_bytes = bytes
            .iter()
            .rev()
            .take(MAX_TRAILER_BYTES)
            .position(|byte| *byte == b'\n')?;
        let start = bytes.len().checked_sub(trailer_bytes)?;
        let trailer: Trailer = serde_json::from_slice(bytes.get(start..)?).ok()?;
        bytes.truncate(start.checked_sub(1)?);
        if bytes.len() > max_bytes {
            return None;
        }
        Some(Self {
            id: trailer.id,
            // Every plugin with this `vm_id` can write shared data, and the tag becomes a header.
            validator: trailer.validator.and_then(Validator::checked),
            shared: bytes,
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::fetching::Resource;

    const MAX_BYTES: usize = 1000;

    fn decode(bytes: &[u8]) -> Option<SharedDocument> {
        SharedDocument::decode(bytes.to_vec(), MAX_BYTES)
    }

    #[test]
    fn decoding_reverses_encoding() {
        let resource = Resource::parse("https://issuer.example/jwks").unwrap();
        for (body, etag) in [
            (&b"{\"keys\":[]}"[..], Some(&b"W/\"a\""[..])),
            (b"", None),
            (b"\n\n{", Some(b"\"\"")),
        ] {
            let document = SharedDocument {
                id: u64::MAX,
                validator: etag.and_then(|etag| Validator::new(etag, &resource)),
                shared: body.to_vec(),
            };
            assert_eq!(document.validator.is_some(), etag.is_some());
            assert_eq!(decode(&document.clone().encode()), Some(document));
        }
    }

    #[test]
    fn other_bytes_are_not_decoded() {
        let large = [
            &vec![b' '; MAX_BYTES + 1],
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
    fn a_forged_tag_is_dropped() {
        let forged = b"\n{\"id\":1,\"validator\":{\"etag\":\"\\\"\\r\\n\\\"\",\"of\":{\"authority\":\"a\",\"path\":\"/\"}}}";
        assert_eq!(decode(forged).unwrap().validator, None);
    }

    proptest::proptest! {
        #[test]
        fn no_bytes_panic(bytes: Vec<u8>) {
            let _ = decode(&bytes);
        }
    }
}
