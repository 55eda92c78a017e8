//! How much memory a revocation list takes while it is parsed and afterwards.

#![expect(clippy::unwrap_used, reason = "a test that panics fails")]

use std::hash::RandomState;

use gate::fetching::{Publication, ResponseBody, body_part};
use gate::revocation::{ListFormat, ListReader, RevocationList};
use peak_alloc::PeakAlloc;

#[global_allocator]
static ALLOCATOR: PeakAlloc = PeakAlloc;

/// The buffers for pieces of the document, and room in each part for what is appended when it is shared.
const BUFFERS: usize = 300_000;

/// A list of different names that begin with `prefix`.
fn list(prefix: &str, count: usize) -> String {
    let names: Vec<_> = (0..count)
        .map(|number| format!("\"{prefix}{number:x}\""))
        .collect();
    format!("{{\"tokens\":[{}]}}", names.join(","))
}

fn wso2(count: usize) -> String {
    let objects: Vec<_> = (0..count)
        .map(|number| {
            format!(
                r#"{{"jwt_signature":"6c7a1b9e-0a36-4f0e-8d0f-{number:012x}","expiry_time":1700000000000}}"#
            )
        })
        .collect();
    format!("[{}]", objects.join(","))
}

fn reader(format: ListFormat) -> ListReader {
    ListReader {
        format,
        state: RandomState::new(),
    }
}

fn to_shared(document: &str, reader: &ListReader, known: Option<&RevocationList>) -> Vec<Vec<u8>> {
    let body = ResponseBody {
        size: document.len(),
        read: &|offset, length| body_part(document.as_bytes(), offset, length),
    };
    RevocationList::to_shared(&body, reader, known).unwrap()
}

/// The list that another worker reads: the host copies the parts one by one, each to exactly its size.
fn adopted(parts: Vec<Vec<u8>>, reader: &ListReader) -> RevocationList {
    let copy = |part: Vec<u8>| part.as_slice().into();
    RevocationList::from_shared(parts.into_iter().map(copy).collect(), reader).unwrap()
}

#[test]
fn a_list_takes_16_bytes_for_each_name_and_hardly_more_while_it_is_read_or_replaced() {
    let short = |count| list("", count);
    let long = |count| list("6c7a1b9e-0a36-4f0e-8d0f-2f6b8a1d", count);
    let cases: [(_, &dyn Fn(usize) -> String, _, _); 3] = [
        (ListFormat::List, &short, 300_000, 16),
        (ListFormat::List, &long, 100_000, 16),
        // The estimate before reading is half as much again.
        (ListFormat::Wso2, &wso2, 40_000, 24),
    ];
    for (format, document, count, most) in cases {
        let reader = reader(format);
        let before = ALLOCATOR.current_usage();
        let mut current = None;
        for count in [count, count + 1000, count + 2000, count - 1000] {
            let document = document(count);
            let replaced = ALLOCATOR.current_usage();
            ALLOCATOR.reset_peak_usage();
            let parts = to_shared(&document, &reader, current.as_ref());
            // In addition to the list that is replaced, which stays until the new one is good.
            let peak = ALLOCATOR.peak_usage() - replaced;
            // Small parts fit wherever something was freed.
            let largest = parts.iter().map(Vec::len).max().unwrap();
            assert!(largest <= count + count / 8, "{largest}");
            let list = current.insert(adopted(parts, &reader));
            assert_eq!(list.count(), count);
            let bytes = document.len();
            drop(document);
            let kept = ALLOCATOR.current_usage() - before;
            println!("{format:?}: {bytes} bytes, {count} names: {peak} more at most, {kept} kept");
            // Parts are of random size, so that each has a little room. Sorting a part takes a buffer of its size.
            let room = most * count / 64 + largest + BUFFERS;
            assert!(peak <= most * count + room, "{peak}");
            assert!(kept <= 16 * count + 10_000, "{kept}");
        }
    }
}
