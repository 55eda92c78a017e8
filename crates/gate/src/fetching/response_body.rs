//! The body of a response, which may be too long to be copied into the module at once.

use std::io::{self, Read};

/// The size of the pieces in which a long body is read, in bytes.
const PIECE_BYTES: usize = 64 * 1024;

/// The body of a response.
#[derive(Clone, Copy)]
pub struct ResponseBody<'a> {
    /// The size in bytes.
    pub size: usize,
    /// Reads the bytes from an offset on, at most as many as the second number says.
    pub read: &'a dyn Fn(usize, usize) -> Vec<u8>,
}

impl ResponseBody<'_> {
    /// The whole body.
    #[must_use]
    pub fn bytes(&self) -> Vec<u8> {
        (self.read)(0, self.size)
    }

    /// The body piece by piece.
    pub(crate) fn pieces(&self) -> impl Iterator<Item = Vec<u8>> {
        let offsets = (0..self.size).step_by(PIECE_BYTES);
        offsets.map(|offset| (self.read)(offset, PIECE_BYTES))
    }

    /// Reads the body from the start. It needs a buffer, because each call of `read` calls the host.
    pub(crate) fn reader(&self) -> io::BufReader<impl Read> {
        let reader = Reader {
            body: *self,
            offset: 0,
        };
        io::BufReader::with_capacity(PIECE_BYTES, reader)
    }
}

/// What [`ResponseBody::read`] returns for a body that is in memory.
#[must_use]
pub fn body_part(body: &[u8], offset: usize, length: usize) -> Vec<u8> {
    let rest = body.get(offset..).unwrap_or_default();
    rest.get(..length).unwrap_or(rest).to_vec()
}

struct Reader<'a> {
    body: ResponseBody<'a>,
    offset: usize,
}

impl Read for Reader<'_> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let piece = (self.body.read)(self.offset, buffer.len());
        let read = piece.as_slice().read(buffer)?;
        self.offset = self.offset.saturating_add(read);
        Ok(read)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_body_of_any_length_is_the_same_in_pieces() {
        for size in [
            0,
            1,
            PIECE_BYTES - 1,
            PIECE_BYTES,
            PIECE_BYTES + 1,
            3 * PIECE_BYTES,
        ] {
            let bytes: Vec<u8> = (0..=250).cycle().take(size).collect();
            let body = ResponseBody {
                size,
                read: &|offset, length| body_part(&bytes, offset, length),
            };
            let mut read = Vec::new();
            body.reader().read_to_end(&mut read).unwrap();
            assert_eq!(read, bytes);
            assert_eq!(body.pieces().collect::<Vec<_>>().concat(), bytes);
            assert!(body.pieces().all(|piece| piece.len() <= PIECE_BYTES));
            assert_eq!(body.bytes(), bytes);
        }
    }
}
