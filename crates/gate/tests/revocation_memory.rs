//! How much memory a revocation list takes while it is parsed and afterwards.

#![expect(
    clippy::arithmetic_side_effects,
    reason = "the numbers of a test are small"
)]

use std::hash::RandomState;

use gate::fetching::{Publication, ResponseBody, body_part};
use gate::revocation::{ListFormat, ListReader, RevocationList};
use peak_alloc::PeakAlloc;

#[global_allocator]
static ALLOCATOR: PeakAlloc = PeakAlloc;

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
fn a_list_takes_16_bytes_for_each_name_and_hardly_more_while_it_is_read() {
    let megabyte = 1_000_000;
    let uuid = "6c7a1b9e-0a36-4f0e-8d0f-2f6b8a1d9c55";
    for (format, (count, document), most) in [
        (ListFormat::List, list("a", 6 * megabyte), 16),
        (ListFormat::List, list(uuid, 6 * megabyte), 16),
        // The estimate before reading is half as much again.
        (ListFormat::Wso2, wso2(6 * megabyte), 24),
    ] {
        let reader = ListReader {
            format,
            state: RandomState::new(),
        };
        let body = ResponseBody {
            size: document.len(),
            read: &|offset, length| body_part(document.as_bytes(), offset, length),
        };
        let before = ALLOCATOR.current_usage();
        ALLOCATOR.reset_peak_usage();
        let shared = RevocationList::to_shared(&body, &reader, None).unwrap();
        let peak = ALLOCATOR.peak_usage() - before;
        // The host copies it, and every worker gets a copy of exactly its size.
        let copy = shared.as_slice().into();
        drop(shared);
        let list = RevocationList::from_shared(copy, &reader).unwrap();
        let kept = ALLOCATOR.current_usage() - before;
        let bytes = document.len();
        println!("{format:?}: {bytes} bytes, {count} names: {peak} at most, {kept} kept");
        assert_eq!(list.count(), count);
        // The buffers for pieces of the document, and room for what is appended when the table is shared.
        let buffers = 300_000;
        assert!(peak <= most * count + buffers, "{peak}");
        assert!(kept <= 16 * count + 10_000, "{kept}");
    }
}
