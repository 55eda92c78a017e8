//! How much memory a revocation list takes while it is parsed and afterwards.

#![expect(
    clippy::arithmetic_side_effects,
    reason = "the numbers of a test are small"
)]

use std::alloc::System;
use std::hash::RandomState;

use gate::fetching::Publication;
use gate::revocation::{ListFormat, ListReader, RevocationList};
use stats_alloc::{INSTRUMENTED_SYSTEM, Region, StatsAlloc};

#[global_allocator]
static ALLOCATOR: &StatsAlloc<System> = &INSTRUMENTED_SYSTEM;

/// A list that repeats `name`, so that the document has about `bytes` bytes.
fn list(name: &str, bytes: usize) -> (usize, String) {
    let count = bytes / (name.len() + 3);
    let names = vec![format!("\"{name}\""); count];
    (count, format!("{{\"tokens\":[{}]}}", names.join(",")))
}

fn wso2(bytes: usize) -> (usize, String) {
    let object =
        r#"{"jwt_signature":"6c7a1b9e-0a36-4f0e-8d0f-2f6b8a1d9c55","expiry_time":1700000000000}"#;
    let count = bytes / (object.len() + 1);
    (count, format!("[{}]", vec![object; count].join(",")))
}

#[test]
fn a_list_takes_24_bytes_for_each_name_and_hardly_more_while_it_is_parsed() {
    let megabyte = 1_000_000;
    let uuid = "6c7a1b9e-0a36-4f0e-8d0f-2f6b8a1d9c55";
    for (format, (count, document), most) in [
        (ListFormat::List, list("a", 6 * megabyte), 24),
        (ListFormat::List, list(uuid, 6 * megabyte), 24),
        // The estimate before parsing is half as much again.
        (ListFormat::Wso2, wso2(6 * megabyte), 36),
    ] {
        let reader = ListReader {
            format,
            state: RandomState::new(),
        };
        let region = Region::new(ALLOCATOR);
        let parsed = RevocationList::parse(document.as_bytes(), &reader).unwrap();
        let change = region.change();
        // All that was ever allocated, so that the peak is less.
        let (allocated, freed) = (change.bytes_allocated, change.bytes_deallocated);
        let (bytes, kept) = (document.len(), allocated - freed);
        println!("{format:?}: {bytes} bytes, {count} names: {allocated} allocated, {kept} kept");
        assert_eq!(parsed.count(), count);
        assert!(allocated <= most * count + 10_000, "{allocated}");
        assert!(kept <= 24 * count + 10_000, "{kept}");
    }
}
