//! Looks for tokens in any request target and header: a token from the header is what follows the
//! scheme, up to the end of the header.
#![no_main]

use std::borrow::Cow;
use std::rc::Rc;

use gate::credential::{self, Scheme};
use gate::policy::Location;
use gate::request::Request;
use libfuzzer_sys::fuzz_target;

fuzz_target!(|input: (&[u8], &[u8])| {
    let (target, header) = input;
    let request = Request {
        target: Cow::from(target).into(),
        authorization: vec![header.into()],
        ..Request::default()
    };
    let locations = [
        Rc::new(Location::authorization()),
        Rc::new(Location::Parameter("access_token".to_owned())),
    ];
    for credential in credential::locate(&request, &locations, true).unwrap_or_default() {
        assert!(!credential.text.is_empty());
        if matches!(*credential.location, Location::Header { .. }) {
            assert!(header.ends_with(credential.text.as_bytes()));
            let scheme: &[u8] = match credential.scheme {
                Scheme::Bearer => b"bearer ",
                Scheme::Dpop => b"dpop ",
            };
            assert!(header[..scheme.len()].eq_ignore_ascii_case(scheme));
        }
    }
});
