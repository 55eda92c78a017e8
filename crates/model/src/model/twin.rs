//! The second valid signature that anyone can derive from an ECDSA signature.

/// The order of P-256 (SEC 2, section 2.4.2).
const ORDER: &str = "ffffffff00000000ffffffffffffffffbce6faada7179e84f3b9cac2fc632551";

/// The other signature of the same text by the same key of P-256: `n - s` in place of `s`.
pub(crate) fn twin(signature: &[u8]) -> Option<Vec<u8>> {
    let (r, s) = signature
        .split_at_checked(32)
        .filter(|(_, s)| s.len() == 32)?;
    let mut difference = [0; 32];
    let mut borrow = 0;
    for index in (0..32).rev() {
        let digit = i16::from_str_radix(ORDER.get(2 * index..2 * index + 2)?, 16).ok()?;
        let rest = digit - i16::from(s[index]) - borrow;
        borrow = i16::from(rest < 0);
        difference[index] = u8::try_from(rest.rem_euclid(256)).ok()?;
    }
    (borrow == 0).then(|| [r, &difference].concat())
}
