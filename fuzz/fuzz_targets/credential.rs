//! Any request target and header: at most one credential is found, and it is in the header.
#![no_main]

use bearer_gate::credential;
use bearer_gate::request::Request;
use libfuzzer_sys::fuzz_target;

fuzz_target!(|input: (&[u8], &[u8])| {
    let (target, header) = input;
    let request = Request {
        target: target.to_vec(),
        authorization: vec![header.to_vec()],
        ..Request::default()
    };
    if let Ok(token) = credential::locate(&request) {
        assert!(header.ends_with(token.as_bytes()));
        assert!(header[..6].eq_ignore_ascii_case(b"bearer"));
    }
});
