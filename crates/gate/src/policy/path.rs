//! Paths that servers may read in different ways.

/// Whether an upstream may take `path` for another one. Nothing passes without a token on the strength
/// of such a path.
#[must_use]
pub fn is_ambiguous(path: &[u8]) -> bool {
    const MARKS: [&[u8]; 3] = [b"//", b"\\", b"\0"];
    let contains = |mark: &[u8]| path.windows(mark.len()).any(|window| window == mark);
    let dots = path
        .split(|byte| *byte == b'/')
        .any(|segment| matches!(segment, b"." | b".."));
    let encoded = path.windows(3).any(|window| {
        [b"%2e", b"%2f", b"%5c", b"%25", b"%00"]
            .iter()
            .any(|mark| window.eq_ignore_ascii_case(*mark))
    });
    dots || encoded || MARKS.iter().any(|mark| contains(mark)) || str::from_utf8(path).is_err()
}
