//! Parses any bytes as a configuration: it is refused with an error, or it has providers.
#![no_main]

use bearer_gate::config::Config;
use libfuzzer_sys::fuzz_target;

fuzz_target!(|bytes: &[u8]| {
    match Config::from_host(bytes, &|_| None) {
        Ok(config) => assert!(!config.providers.is_empty()),
        Err(problem) => assert!(!problem.to_string().is_empty()),
    }
});
