//! The format in which the host passes a header map.
//!
//! It starts with little-endian numbers of 32 bits: the number of pairs, then the lengths of the name
//! and the value of each pair. The names and values follow in the same order, each terminated by a
//! zero byte.

/// The names and values in `bytes`, in their order, without copying. The result ends at the first
/// pair that is incomplete.
pub fn pairs(bytes: &[u8]) -> impl Iterator<Item = (&[u8], &[u8])> {
    let (lengths, mut rest) = split(bytes).unwrap_or_default();
    let (lengths, _) = lengths.as_chunks::<NUMBER>();
    let (lengths, _) = lengths.as_chunks::<2>();
    lengths.iter().map_while(move |[name, value]| {
        let (name, after_name) = split_text(rest, *name)?;
        let (value, after_value) = split_text(after_name, *value)?;
        rest = after_value;
        Some((name, value))
    })
}

/// The size of a number in bytes.
const NUMBER: usize = 4;

/// Splits `bytes` into the lengths of the pairs and the texts.
fn split(bytes: &[u8]) -> Option<(&[u8], &[u8])> {
    let (count, rest) = bytes.split_first_chunk()?;
    rest.split_at_checked(number(*count)?.checked_mul(2 * NUMBER)?)
}

/// Splits off the first `length` bytes, which a zero byte must follow.
fn split_text(bytes: &[u8], length: [u8; NUMBER]) -> Option<(&[u8], &[u8])> {
    let (text, rest) = bytes.split_at_checked(number(length)?)?;
    let ([0], rest) = rest.split_first_chunk()? else {
        return None;
    };
    Some((text, rest))
}

fn number(bytes: [u8; NUMBER]) -> Option<usize> {
    u32::from_le_bytes(bytes).try_into().ok()
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn encode(headers: &[(Vec<u8>, Vec<u8>)]) -> Vec<u8> {
        let number = |number: usize| u32::try_from(number).unwrap().to_le_bytes();
        let texts = || headers.iter().flat_map(|(name, value)| [name, value]);
        let mut bytes = number(headers.len()).to_vec();
        bytes.extend(texts().flat_map(|text| number(text.len())));
        bytes.extend(texts().flat_map(|text| [text, &b"\0"[..]].concat()));
        bytes
    }

    fn decode(bytes: &[u8]) -> Vec<(Vec<u8>, Vec<u8>)> {
        let owned = |(name, value): (&[u8], &[u8])| (name.to_vec(), value.to_vec());
        pairs(bytes).map(owned).collect()
    }

    #[test]
    fn a_header_map_of_the_host_is_decoded() {
        let bytes = b"\x02\0\0\0\x01\0\0\0\x02\0\0\0\x03\0\0\0\0\0\0\0a\0bc\0def\0\0";
        let headers: Vec<_> = pairs(bytes).collect();
        assert_eq!(headers, [(&b"a"[..], &b"bc"[..]), (b"def", b"")]);
    }

    proptest! {
        #[test]
        fn complete_pairs_are_decoded_even_if_the_bytes_are_cut_off(
            headers: Vec<(Vec<u8>, Vec<u8>)>,
            cut: prop::sample::Index,
        ) {
            let bytes = encode(&headers);
            prop_assert_eq!(&decode(&bytes), &headers);
            let part = decode(&bytes[..cut.index(bytes.len())]);
            prop_assert!(part.len() < headers.len() || headers.is_empty());
            prop_assert!(headers.starts_with(&part));
        }

        #[test]
        fn decoding_ends_for_any_bytes(bytes: Vec<u8>) {
            prop_assert!(decode(&bytes).len() <= bytes.len() / (2 * NUMBER));
        }
    }
}
