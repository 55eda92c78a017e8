//! Parses any bytes as a configuration: it is refused with an error, or it has providers.
#![no_main]

use libfuzzer_sys::fuzz_target;

fuzz_target!(|bytes: &[u8]| {
    match gate_config::parse(bytes, &|_| None) {
        Ok(policy) => assert!(!policy.providers.is_empty()),
        Err(problem) => assert!(!problem.to_string().is_empty()),
    }
});
