//! The key of nonces if the configuration names none (RFC 9449, section 8).

use gate::dpop::NonceKeys;

use crate::host::Host;

/// The entry of shared data. It is as secret as the `vm_id`.
const ENTRY: &str = "bearer_gate.nonce.1";

/// Bytes of a key.
const BYTES: usize = 32;

/// The random key that all workers of the process use, made by the first of them: the virtual machine in which
/// the host checks a configuration. `None` if the host has no random numbers.
pub(crate) fn for_process<H: Host>(host: &H) -> Option<NonceKeys> {
    let shared = || {
        let (key, _) = host.shared_data(ENTRY)?;
        (key.len() == BYTES).then_some(key)
    };
    if shared().is_none() {
        host.set_shared_data(ENTRY, &host.random_key()?);
    }
    let current = shared()?;
    Some(NonceKeys {
        current,
        previous: None,
    })
}
