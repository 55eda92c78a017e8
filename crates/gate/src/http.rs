//! Facts about HTTP syntax.

/// Whether `byte` may be part of a token: a `tchar` (RFC 9110, section 5.6.2).
#[must_use]
pub fn is_tchar(byte: u8) -> bool {
    byte.is_ascii_alphanumeric() || b"!#$%&'*+-.^_`|~".contains(&byte)
}
