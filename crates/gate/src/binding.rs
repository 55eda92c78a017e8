//! Tokens that are bound to a key or a certificate of the client.

mod certificate_digest;
mod certificate_header;
mod xfcc;

pub use certificate_digest::CertificateDigest;
pub use certificate_header::{CertificateFormat, MAX_HEADER_BYTES};
pub use xfcc::XfccElement;
