//! Workers share what one of them has fetched.

use crate::support::{Issuer, Setup, Token, eventually, get, in_parallel};

#[test]
fn one_fetch_serves_all_workers() {
    let issuer = Issuer::start();
    let gate = Setup::trusting(&issuer).workers(4).start();
    let request = get("/").bearer(Token::good().signed());
    // The kernel spreads the connections over the workers.
    let statuses = in_parallel(32, |_| gate.send(&request).status);
    assert_eq!(statuses, [200; 32]);
    assert_eq!(issuer.server.count(), 1);
}

#[test]
fn the_first_fetch_needs_no_request() {
    let issuer = Issuer::start();
    let gate = Setup::trusting(&issuer).workers(2).start();
    eventually("the key set is fetched", || {
        gate.metric("jwks.cloud.fetch_success") > 0
    });
    let fetch = &issuer.server.received()[0];
    assert_eq!(
        (fetch.method.as_str(), fetch.target.as_str()),
        ("GET", "/jwks")
    );
    assert_eq!(fetch.header("host"), Some(&b"issuer.example"[..]));
    let request = get("/").bearer(Token::good().signed());
    assert_eq!(in_parallel(16, |_| gate.send(&request).status), [200; 16]);
    assert_eq!(gate.metric("jwks.cloud.fetch_success"), 1);
    assert_eq!(issuer.server.count(), 1);
}
