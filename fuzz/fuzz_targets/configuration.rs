//! Any bytes as a configuration: it is refused with a problem in one line, or it works.
#![no_main]

use bearer_gate::config::Config;
use libfuzzer_sys::fuzz_target;

fuzz_target!(|bytes: &[u8]| {
    match Config::from_host(bytes, &|_| None) {
        Ok(config) => assert!(!config.providers.is_empty()),
        Err(problem) => assert!(!problem.to_string().is_empty()),
    }
});
