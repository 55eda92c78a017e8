//! Nonces of the server: `docs/bound-tokens.md`, "Nonces", and their form in `crates/gate/src/dpop/nonce.rs`.

use aws_lc_rs::hmac;
use base64::Engine;
use base64::engine::general_purpose::{STANDARD_NO_PAD, URL_SAFE_NO_PAD};

use super::fields::Fields;
use crate::case::World;

/// What stands for a nonce that only the filter can make, because its key is random.
pub(crate) const UNKNOWN: &str = "a nonce with a random key";

/// How nonces are made and accepted.
#[derive(Clone, Debug)]
pub(crate) struct Nonces {
    key: Option<Vec<u8>>,
    previous: Option<Vec<u8>>,
    /// In milliseconds.
    lifetime: i128,
    skew: i128,
}

impl Nonces {
    /// The nonces of a configuration; `None` if it uses none.
    pub(crate) fn new(world: &World) -> Option<Self> {
        let dpop = Fields(&world.configuration).object("dpop")?;
        if dpop.text("nonce").unwrap_or("off") == "off" {
            return None;
        }
        let key = |name: &str| {
            let text = world.environment.get(dpop.text(name)?)?;
            let text = text.replace('-', "+").replace('_', "/");
            STANDARD_NO_PAD.decode(text.trim_end_matches('=')).ok()
        };
        Some(Self {
            key: key("nonce_key_environment_variable"),
            previous: key("nonce_previous_key_environment_variable"),
            lifetime: dpop.millis("nonce_lifetime").unwrap_or(300_000),
            skew: dpop.millis("clock_skew").unwrap_or(60_000),
        })
    }

    /// The nonce that is given out at a time, in milliseconds since the epoch.
    pub(crate) fn issue(&self, now: i128) -> String {
        let step = (self.lifetime / 10_000).max(1);
        let second = now / 1000 / step * step;
        match &self.key {
            Some(key) => nonce(key, second),
            None => UNKNOWN.to_owned(),
        }
    }

    /// When a nonce was made, in milliseconds since the epoch, if it is good now.
    pub(super) fn made(&self, text: &str, now: i128) -> Option<i128> {
        let bytes = URL_SAFE_NO_PAD.decode(text).ok()?;
        let (second, _) = bytes.split_first_chunk::<8>()?;
        let second = i128::from(u64::from_be_bytes(*second));
        let keys = self.key.iter().chain(&self.previous);
        let is_ours = keys.into_iter().any(|key| nonce(key, second) == text);
        let made = second.checked_mul(1000)?;
        let is_fresh = made <= now + self.skew && now - made <= self.lifetime;
        (is_ours && is_fresh).then_some(made)
    }

    /// Whether a client with a nonce of this time should get a newer one.
    pub(super) fn is_old(&self, made: i128, now: i128) -> bool {
        now - made > self.lifetime / 2
    }

    /// Until when a nonce of this time is good.
    pub(super) const fn end(&self, made: i128) -> i128 {
        made + self.lifetime
    }
}

/// The nonce of a second.
pub(crate) fn nonce(key: &[u8], second: i128) -> String {
    let second = u64::try_from(second).unwrap_or_default().to_be_bytes();
    let key = hmac::Key::new(hmac::HMAC_SHA256, key);
    let tag = hmac::sign(&key, &[b"bearer-gate dpop nonce 1\0", &second[..]].concat());
    URL_SAFE_NO_PAD.encode([&second[..], &tag.as_ref()[..16]].concat())
}
