//! A fetched document in the format in which the workers of a process share it.
//!
//! The parts of the document and the state of its fetching are entries of the host's shared data, written one
//! after the other. Each part therefore contains the number of the fetch that brought it, and a
//! worker adopts the document only if the state and all parts name the same fetch.

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
    pub parts: Vec<Vec<u8>>,
}

#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct Trailer {
    id: u64,
    validator: Option<Validator>,
}

impl SharedDocument {
    /// Encodes the parts of the document: each is followed by a line feed, and the other fields as a line of JSON.
    /// Only the first part has the validator.
    pub fn encode(self) -> impl Iterator<Item = Vec<u8>> {
        let Self {
            id,
            mut validator,
            parts,
        } = self;
        parts.into_iter().map(move |mut part| {
            let validator = validator.take();
            let trailer = serde_json::to_vec(&Trailer { id, validator }).unwrap_or_default();
            part.reserve_exact(trailer.len().saturating_add(1));
            part.push(b'\n');
            part.extend_from_slice(&trailer);
            part
        })
    }

    /// Decodes what [`encode`](Self::encode) returned; `None` if it is anything else, or if the parts are
    /// together longer than `max_bytes`. Copies no part: a revocation list may have tens of megabytes.
    #[must_use]
    pub fn decode(encoded: impl IntoIterator<Item = Vec<u8>>, max_bytes: usize) -> Option<Self> {
        let mut parts = Vec::new();
        let mut first: Option<Trailer> = None;
        for bytes in encoded {
            let (part, trailer) = decode_part(bytes)?;
            parts.push(part);
            if trailer.id != first.get_or_insert(trailer).id {
                return None;
            }
        }
        let trailer = first?;
        let bytes = parts.iter().map(Vec::len).fold(0, usize::saturating_add);
        (bytes <= max_bytes).then_some(Self {
            id: trailer.id,
            // Every plugin with this `vm_id` can write shared data, and the tag becomes a header.
            validator: trailer.validator.and_then(Validator::checked),
            parts,
        })
    }
}

/// Separates a part from its trailer.
fn decode_part(mut bytes: Vec<u8>) -> Option<(Vec<u8>, Trailer)> {
    let trailer_bytes = bytes
        .iter()
        .rev()
        .take(MAX_TRAILER_BYTES)
        .position(|byte| *byte == b'\n')?;
    let start = bytes.len().checked_sub(trailer_bytes)?;
    let trailer = serde_json::from_slice(bytes.get(start..)?).ok()?;
    bytes.truncate(start.checked_sub(1)?);
    Some((bytes, trailer))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::fetching::Resource;

    const MAX_BYTES: usize = 1000;

    fn decode(bytes: &[u8]) -> Option<SharedDocument> {
        SharedDocument::decode([bytes.to_vec()], MAX_BYTES)
    }

    #[test]
    fn decoding_reverses_encoding() {
        let resource = Resource::parse("https://issuer.example/jwks").unwrap();
        for (parts, etag) in [
            (&[&b"{\"keys\":[]}"[..]][..], Some(&b"W/\"a\""[..])),
            (&[b""], None),
            (&[b"\n\n{"], Some(b"\"\"")),
            (&[b"a", b"", b"b\n"], Some(b"\"b\"")),
        ] {
            let document = SharedDocument {
                id: u64::MAX,
                validator: etag.and_then(|etag| Validator::new(etag, &resource)),
                parts: parts.iter().map(|part| part.to_vec()).collect(),
            };
            assert_eq!(document.validator.is_some(), etag.is_some());
            let encoded = document.clone().encode();
            assert_eq!(SharedDocument::decode(encoded, MAX_BYTES), Some(document));
        }
    }

    #[test]
    fn parts_of_different_fetches_and_missing_and_too_long_parts_are_no_document() {
        let encoded = |id, size| -> Vec<Vec<u8>> {
            let document = SharedDocument {
                id,
                validator: None,
                parts: vec![vec![b'a'; size]; 3],
            };
            document.encode().collect()
        };
        let decode = |parts: &[&Vec<u8>]| {
            SharedDocument::decode(parts.iter().map(|part| (*part).clone()), MAX_BYTES)
        };
        let (one, other) = (encoded(1, 100), encoded(2, 100));
        assert!(decode(&[&one[0], &one[1], &one[2]]).is_some());
        assert_eq!(decode(&[&one[0], &one[1], &other[2]]), None);
        assert_eq!(decode(&[&other[0], &one[1], &one[2]]), None);
        assert_eq!(decode(&[&one[0], &Vec::new(), &one[2]]), None);
        assert_eq!(decode(&[]), None);
        let long = encoded(1, MAX_BYTES / 3 + 1);
        assert_eq!(decode(&[&long[0], &long[1], &long[2]]), None);
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
