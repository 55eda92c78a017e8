//! Nonces of the server (RFC 9449, sections 8 and 9): they prove that a proof is fresh without regard to
//! the client's clock.
//!
//! A nonce is 24 bytes in base64url: the second in which it was made, rounded down, and a MAC of it. So
//! nothing is stored, and all Envoys with the same key accept it. It is bound to no client: who lacks the
//! key of the token cannot use it.

use std::time::Duration;

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use hmac_sha256::HMAC;
use subtle::ConstantTimeEq;

use crate::time::Timestamp;

/// The keys of nonces.
#[derive(Clone, PartialEq, Eq)]
pub struct NonceKeys {
    /// The key that nonces are made with.
    pub current: Vec<u8>,
    /// A key that nonces are accepted of, but not made with.
    pub previous: Option<Vec<u8>>,
}

/// What is authenticated with the second, so that the key can be used for other things too.
const CONTEXT: &[u8] = b"bearer-gate dpop nonce 1\0";

/// Bytes of the second.
const TIME_BYTES: usize = 8;

/// Bytes of the MAC: enough that nobody guesses it.
const MAC_BYTES: usize = 16;

/// The rules of nonces.
#[derive(Clone, Copy, Debug)]
pub struct Nonces<'k> {
    /// The keys.
    pub keys: &'k NonceKeys,
    /// How long a nonce is good.
    pub lifetime: Duration,
    /// How far the clocks of Envoys with the same key may differ.
    pub clock_skew: Duration,
}

impl Nonces<'_> {
    /// The nonce to use now. It is the same for a tenth of the lifetime.
    #[must_use]
    pub fn issue(&self, now: Timestamp) -> String {
        let step = self.lifetime.as_secs().div_euclid(10).max(1);
        let now = now.unix_millis().div_euclid(1000);
        let time = now.saturating_sub(now.checked_rem(step).unwrap_or_default());
        let time = time.to_be_bytes();
        let mac = mac(&self.keys.current, time);
        URL_SAFE_NO_PAD.encode([&time[..], &mac].concat())
    }

    /// When `nonce` was made; `None` if it was not made with one of the keys, is too old, or from the
    /// future.
    #[must_use]
    pub fn check(&self, nonce: &str, now: Timestamp) -> Option<Timestamp> {
        let bytes = URL_SAFE_NO_PAD.decode(nonce).ok()?;
        let bytes: [u8; TIME_BYTES + MAC_BYTES] = bytes.try_into().ok()?;
        let (time, tag) = bytes.split_first_chunk::<TIME_BYTES>()?;
        let keys = std::iter::once(&self.keys.current).chain(&self.keys.previous);
        let mut macs = keys.map(|key| mac(key, *time));
        if !macs.any(|mac| bool::from(mac.ct_eq(tag))) {
            return None;
        }
        let time = Timestamp::from_unix_secs(u64::from_be_bytes(*time));
        let is_current = time <= now.plus(self.clock_skew) && now <= time.plus(self.lifetime);
        is_current.then_some(time)
    }

    /// Whether a nonce of this time is so old that the client should get a new one.
    #[must_use]
    pub fn is_aging(&self, time: Timestamp, now: Timestamp) -> bool {
        now.since(time) > self.lifetime.div_f32(2.0)
    }
}

/// The MAC of a second.
fn mac(key: &[u8], time: [u8; TIME_BYTES]) -> [u8; MAC_BYTES] {
    let message = [CONTEXT, &time].concat();
    let mac = HMAC::mac(message, key);
    mac.first_chunk().copied().unwrap_or_default()
}

/// Keys are secret.
impl std::fmt::Debug for NonceKeys {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("NonceKeys").finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests;
