//! Workers share what one of them has fetched.

use std::time::Duration;

use crate::support::{Issuer, Setup, Token, eventually, get, in_parallel};

#[test]
fn one_fetch_serves_all_workers() {
    let issuer = Issuer::start();
    let gate = Setup::trusting(&issuer).workers(4).start();
    let request = get("/").bearer(Token::good().signed());
    // Each connection is some worker's.
    let statuses = in_parallel(32, |_| gate.send(&request).status);
    assert_eq!(statuses, [200; 32]);
    assert_eq!(issuer.server.count(), 1);
}

#[test]
fn the_first_fetch_needs_no_request() {
    let issuer = Issuer::start();
    let gate = Setup::trusting(&issuer).workers(2).start();
    eventually("the key set is fetched", || issuer.server.count() == 1);
    std::thread::sleep(Duration::from_millis(300));
    assert_eq!(gate.metric("jwks.cloud.fetch_success"), 1);
    assert_eq!(issuer.server.count(), 1);
    let fetch = &issuer.server.received()[0];
    assert_eq!(
        (fetch.method.as_str(), fetch.target.as_str()),
        ("GET", "/jwks")
    );
    assert_eq!(fetch.header("host"), Some(&b"issuer.example"[..]));
}
