//! The form in which the host hands over a header map.
//!
//! Little-endian numbers of 32 bits: how many pairs there are, then the length of each name and of each
//! value; after them the names and values in the same order, each with a zero byte behind it.

/// The names and values in `bytes`, in their order, read where they are. What a list that is cut
/// off does not hold is not there.
pub fn pairs(bytes: &[u8]) -> impl Iterator<Item = (&[u8], &[u8])> {
    let (lengths, mut rest) = split(bytes).unwrap_or_default();
    let (lengths, _) = lengths.as_chunks::<NUMBER>();
    let (lengths, _) = lengths.as_chunks::<2>();
    lengths.iter().map_while(move |[name, value]| {
        let (name, behind) = terminated(rest, *name)?;
        let (value, behind) = terminated(behind, *value)?;
        rest = behind;
        Some((name, value))
    })
}

/// How long a number is, in bytes.
const NUMBER: usize = 4;

/// The lengths, and what follows them.
fn split(bytes: &[u8]) -> Option<(&[u8], &[u8])> {
    let (count, rest) = bytes.split_first_chunk()?;
    rest.split_at_checked(number(*count)?.checked_mul(2 * NUMBER)?)
}

/// What the first `length` bytes are and what follows the zero byte behind them.
fn terminated(bytes: &[u8], length: [u8; NUMBER]) -> Option<(&[u8], &[u8])> {
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

    fn written(headers: &[(Vec<u8>, Vec<u8>)]) -> Vec<u8> {
        let number = |number: usize| u32::try_from(number).unwrap().to_le_bytes();
        let texts = || headers.iter().flat_map(|(name, value)| [name, value]);
        let mut bytes = number(headers.len()).to_vec();
        bytes.extend(texts().flat_map(|text| number(text.len())));
        bytes.extend(texts().flat_map(|text| [text, &b"\0"[..]].concat()));
        bytes
    }

    fn read(bytes: &[u8]) -> Vec<(Vec<u8>, Vec<u8>)> {
        let owned = |(name, value): (&[u8], &[u8])| (name.to_vec(), value.to_vec());
        pairs(bytes).map(owned).collect()
    }

    #[test]
    fn the_layout_is_that_of_the_host() {
        let bytes = b"\x02\0\0\0\x01\0\0\0\x02\0\0\0\x03\0\0\0\0\0\0\0a\0bc\0def\0\0";
        let headers: Vec<_> = pairs(bytes).collect();
        assert_eq!(headers, [(&b"a"[..], &b"bc"[..]), (b"def", b"")]);
    }

    proptest! {
        #[test]
        fn what_is_written_is_read_and_of_a_part_what_is_whole(
            headers: Vec<(Vec<u8>, Vec<u8>)>,
            cut: prop::sample::Index,
        ) {
            let bytes = written(&headers);
            prop_assert_eq!(&read(&bytes), &headers);
            let part = read(&bytes[..cut.index(bytes.len())]);
            prop_assert!(part.len() < headers.len() || headers.is_empty());
            prop_assert!(headers.starts_with(&part));
        }

        #[test]
        fn any_bytes_are_read_to_an_end(bytes: Vec<u8>) {
            prop_assert!(read(&bytes).len() <= bytes.len() / (2 * NUMBER));
        }
    }
}
