//! Looks for tokens in any request target and header: a token from the header is what follows the
//! scheme, up to the end of the header.
#![no_main]

use std::rc::Rc;

use bearer_gate::config::Location;
use bearer_gate::credential;
use bearer_gate::request::Request;
use libfuzzer_sys::fuzz_target;

fuzz_target!(|input: (&[u8], &[u8])| {
    let (target, header) = input;
    let request = Request {
        target: target.into(),
        authorization: vec![header.into()],
        ..Request::default()
    };
    let header_location = Location::Header {
        name: "authorization".into(),
        prefix: "Bearer".to_owned(),
    };
    let locations = [
        Rc::new(header_location),
        Rc::new(Location::Parameter("access_token".to_owned())),
    ];
    for credential in credential::locate(&request, &locations).unwrap_or_default() {
        assert!(!credential.text.is_empty());
        if matches!(*credential.location, Location::Header { .. }) {
            assert!(header.ends_with(credential.text.as_bytes()));
            assert!(header[..6].eq_ignore_ascii_case(b"bearer"));
        }
    }
});
