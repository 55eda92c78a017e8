//! Signatures of ECDSA, from the encoding of JOSE (RFC 7518, section 3.4) to the one that hosts read
//! (RFC 3279, section 2.2.3).
//!
//! This is bytes put in order and no cryptography. The curves' libraries do the same by way of their
//! numbers, which a new token would pay for: the tests hold one against the other.

/// The order of a curve's group, big-endian: either number of a signature is below it.
pub(super) const P256: [u8; 32] = [
    0xff, 0xff, 0xff, 0xff, 0x00, 0x00, 0x00, 0x00, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff,
    0xbc, 0xe6, 0xfa, 0xad, 0xa7, 0x17, 0x9e, 0x84, 0xf3, 0xb9, 0xca, 0xc2, 0xfc, 0x63, 0x25, 0x51,
];
/// The same of P-384.
pub(super) const P384: [u8; 48] = [
    0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff,
    0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xc7, 0x63, 0x4d, 0x81, 0xf4, 0x37, 0x2d, 0xdf,
    0x58, 0x1a, 0x0d, 0xb2, 0x48, 0xb0, 0xa7, 0x7a, 0xec, 0xec, 0x19, 0x6a, 0xcc, 0xc5, 0x29, 0x73,
];
/// The same of P-521.
pub(super) const P521: [u8; 66] = [
    0x01, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff,
    0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff,
    0xff, 0xfa, 0x51, 0x86, 0x87, 0x83, 0xbf, 0x2f, 0x96, 0x6b, 0x7f, 0xcc, 0x01, 0x48, 0xf7, 0x09,
    0xa5, 0xd0, 0x3b, 0xb5, 0xc9, 0xb8, 0x89, 0x9c, 0x47, 0xae, 0xbb, 0x6f, 0xb7, 0x1e, 0x91, 0x38,
    0x64, 0x09,
];

/// The DER of a signature whose two numbers are below `order`. `None` where it does not have exactly
/// the length of two of them, or one is zero or not below.
pub(super) fn der(signature: &[u8], order: &[u8]) -> Option<Vec<u8>> {
    let (r, s) = signature.split_at_checked(order.len())?;
    let is_in_range = |number: &[u8]| {
        number.len() == order.len() && number < order && number.iter().any(|byte| *byte != 0)
    };
    if !is_in_range(r) || !is_in_range(s) {
        return None;
    }
    let mut numbers = Vec::with_capacity(signature.len().saturating_add(6));
    push_integer(r, &mut numbers)?;
    push_integer(s, &mut numbers)?;
    let mut der = Vec::with_capacity(numbers.len().saturating_add(3));
    der.push(SEQUENCE);
    let length = u8::try_from(numbers.len()).ok()?;
    if length >= LONG {
        der.push(LONG | 1);
    }
    der.push(length);
    der.append(&mut numbers);
    Some(der)
}

const SEQUENCE: u8 = 0x30;
const INTEGER: u8 = 0x02;
/// The bit that tells a length from the length of one.
const LONG: u8 = 0x80;

/// A number that is not zero: without leading zeros, but with one where it would look negative.
fn push_integer(number: &[u8], der: &mut Vec<u8>) -> Option<()> {
    let zeros = number.iter().take_while(|byte| **byte == 0).count();
    let digits = number.get(zeros..)?;
    let looks_negative = digits.first().is_some_and(|first| first & 0x80 != 0);
    let length = digits.len().checked_add(usize::from(looks_negative))?;
    der.push(INTEGER);
    der.push(u8::try_from(length).ok()?);
    if looks_negative {
        der.push(0);
    }
    der.extend_from_slice(digits);
    Some(())
}

#[cfg(test)]
mod tests {
    use p256::elliptic_curve::Curve;
    use proptest::prelude::*;

    use super::*;

    /// What the curves' libraries make of a signature.
    fn by_library(signature: &[u8], order: &[u8]) -> Option<Vec<u8>> {
        let der = match order.len() {
            32 => p256::ecdsa::Signature::from_slice(signature)
                .ok()?
                .to_der()
                .as_bytes()
                .to_vec(),
            48 => p384::ecdsa::Signature::from_slice(signature)
                .ok()?
                .to_der()
                .as_bytes()
                .to_vec(),
            _ => p521::ecdsa::Signature::from_slice(signature)
                .ok()?
                .to_der()
                .as_bytes()
                .to_vec(),
        };
        Some(der)
    }

    const ORDERS: [&[u8]; 3] = [&P256, &P384, &P521];

    #[test]
    fn the_orders_are_those_of_the_curves() {
        assert_eq!(p256::NistP256::ORDER.to_be_bytes()[..], P256);
        assert_eq!(p384::NistP384::ORDER.to_be_bytes()[..], P384);
        let order = p521::NistP521::ORDER.to_be_bytes();
        assert_eq!(order.strip_prefix(&[0; 6]), Some(&P521[..]));
    }

    /// A number around the bounds of what a signature may have.
    fn number(order: &'static [u8], choice: u8, step: u8, random: &[u8]) -> Vec<u8> {
        let small = |step| {
            let mut number = vec![0; order.len()];
            *number.last_mut().unwrap() = step;
            number
        };
        let mut number = match choice % 5 {
            0 => small(step),
            1 => vec![0xff; order.len()],
            _ => random[..order.len()].to_vec(),
        };
        match choice % 5 {
            2 => {
                // Near the order: its last byte is moved by a little.
                number = order.to_vec();
                let last = number.last_mut().unwrap();
                *last = last.wrapping_add(step % 5).wrapping_sub(2);
            }
            3 => number[..usize::from(step) % order.len()].fill(0),
            4 if order.len() == 66 => number[0] &= 1,
            _ => {}
        }
        number
    }

    #[test]
    fn a_signature_has_exactly_two_numbers() {
        for order in ORDERS {
            let good = vec![1; 2 * order.len()];
            assert!(der(&good, order).is_some());
            for bad in [
                &good[1..],
                &[&good[..], &[1]].concat(),
                &[],
                &good[..order.len()],
            ] {
                assert_eq!(der(bad, order), None);
            }
        }
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(2_000))]
        #[test]
        fn the_libraries_come_to_the_same(
            curve in 0..3_usize,
            choices: [(u8, u8); 2],
            random in [proptest::collection::vec(any::<u8>(), 66), proptest::collection::vec(any::<u8>(), 66)],
        ) {
            let order = ORDERS[curve];
            let numbers = [0, 1].map(|at| {
                let (choice, step) = choices[at];
                number(order, choice, step, &random[at])
            });
            let signature = numbers.concat();
            prop_assert_eq!(der(&signature, order), by_library(&signature, order));
        }
    }
}
