//! Brings any text into the normal form of `htu`: the form is stable, and a path stays below its base.
#![no_main]

use gate::dpop::TargetUri;
use libfuzzer_sys::fuzz_target;

fuzz_target!(|input: (&[u8], &[u8])| {
    let (text, path) = input;
    let base = TargetUri::parse(b"https://api.example/base").expect("it is a URI");
    if let Some(joined) = base.join(path) {
        assert!(joined.has_same_origin(&base));
        assert!(joined.to_text().starts_with("https://api.example/base/"));
    }
    let Some(uri) = TargetUri::parse(text) else {
        return;
    };
    let normal = uri.to_text();
    assert!(normal.bytes().all(|byte| byte.is_ascii_graphic()));
    assert!(!normal.contains(['?', '#', '\\']));
    // A host may consist of dots.
    let path = normal
        .strip_prefix(uri.origin())
        .expect("it begins with the origin");
    assert!(!path.contains("/../") && !path.contains("/./"));
    assert_eq!(TargetUri::parse(normal.as_bytes()), Some(uri));
});
