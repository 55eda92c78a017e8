use std::time::Duration;

use super::*;
use crate::policy::ResourceIdentifier;

/// Resources with these identifiers. Another server serves those of `elsewhere`.
fn resources(identifiers: &[&str], elsewhere: &[&str]) -> ProtectedResources {
    let build = |text: &&str| {
        let identifier = ResourceIdentifier::parse(text).unwrap();
        let metadata = Metadata {
            document: (*text).to_owned(),
            max_age: Duration::ZERO,
            at_root: false,
        };
        ProtectedResource {
            metadata_url: identifier.metadata_url().unwrap(),
            metadata: (!elsewhere.contains(text)).then_some(metadata),
            require_audience: false,
            identifier,
        }
    };
    ProtectedResources::new(identifiers.iter().map(build).collect())
}

fn request<'h>(authority: &'h str, target: &'h str) -> Request<'h> {
    let headers = [(":authority", authority), (":path", target)];
    let headers = headers.into_iter();
    Request::from_headers(headers.map(|(name, value)| (name.as_bytes(), value.as_bytes())))
}

/// The identifier of the resource that a request is about; empty for none.
fn found<'r>(resources: &'r ProtectedResources, authority: &str, target: &str) -> &'r str {
    let resource = resources.for_request(&request(authority, target));
    resource.map_or("", |one| one.identifier.as_str())
}

#[test]
fn all_resources_are_listed_in_their_order() {
    let resources = resources(&["https://b", "https://a"], &["https://a"]);
    let all = resources.all().iter();
    assert!(
        all.map(|one| one.identifier.as_str())
            .eq(["https://b", "https://a"])
    );
}

#[test]
fn the_longest_path_wins_and_ends_with_a_segment() {
    let all = resources(&["https://a", "https://a/mcp", "https://a/mcp/admin/"], &[]);
    for (target, expected) in [
        ("/", "https://a"),
        ("/other", "https://a"),
        ("", "https://a"),
        ("/mcp", "https://a/mcp"),
        ("/mcp?a=/b", "https://a/mcp"),
        ("/mcp#a", "https://a/mcp"),
        ("/mcp/", "https://a/mcp"),
        ("/mcp/tools", "https://a/mcp"),
        ("/mcpx", "https://a"),
        ("/MCP", "https://a"),
        ("/mcp/admin", "https://a/mcp/admin/"),
        ("/mcp/admin/x", "https://a/mcp/admin/"),
        ("/mcp/administrators", "https://a/mcp"),
        // Nobody can tell which resource an ambiguous path is about.
        ("/mcp/../other", "https://a"),
        ("/mcp//", "https://a"),
        ("/%6dcp", "https://a"),
        ("*", ""),
    ] {
        assert_eq!(found(&all, "a", target), expected, "{target}");
        // A proxy in front may have changed the authority.
        assert_eq!(found(&all, "internal", target), expected, "{target}");
    }
    let only = resources(&["https://a/mcp"], &[]);
    for target in ["/", "/mcpx", "/mcp/../x", "/mc"] {
        assert_eq!(found(&only, "a", target), "", "{target}");
    }
}

#[test]
fn of_resources_with_the_same_path_the_authority_decides() {
    let all = resources(
        &[
            "https://a/mcp",
            "https://b:443/mcp",
            "https://c:8443/mcp",
            "http://localhost/mcp",
        ],
        &[],
    );
    for (authority, expected) in [
        ("a", "https://a/mcp"),
        ("A", "https://a/mcp"),
        ("a:443", "https://a/mcp"),
        ("a:80", ""),
        ("b", "https://b:443/mcp"),
        ("B:443", "https://b:443/mcp"),
        ("c", ""),
        ("c:8443", "https://c:8443/mcp"),
        ("localhost", "http://localhost/mcp"),
        ("localhost:80", "http://localhost/mcp"),
        ("localhost:443", ""),
        ("d", ""),
        ("", ""),
    ] {
        assert_eq!(found(&all, authority, "/mcp"), expected, "{authority}");
    }
}

#[test]
fn a_resource_on_the_authority_of_the_request_precedes_a_longer_path_on_another() {
    let all = resources(&["https://a/mcp", "https://b"], &[]);
    for (authority, target, expected) in [
        ("a", "/mcp", "https://a/mcp"),
        ("b", "/mcp", "https://b"),
        ("b", "/", "https://b"),
        ("internal", "/mcp", "https://a/mcp"),
        ("internal", "/", "https://b"),
    ] {
        assert_eq!(
            found(&all, authority, target),
            expected,
            "{authority}{target}"
        );
    }
}

/// The document that a request gets; `none` if it gets none, and `rules` if rules decide.
fn document<'r>(resources: &'r ProtectedResources, authority: &str, target: &str) -> &'r str {
    let request = request(authority, target);
    let Some(path) = resources.metadata_path(&request) else {
        return "rules";
    };
    let metadata = resources.metadata(path, &request);
    metadata.map_or("none", |metadata| &metadata.document)
}

#[test]
fn metadata_are_found_by_the_path_of_their_resource() {
    let mut all = resources(
        &[
            "https://a/mcp",
            "https://a/tools/",
            "https://b/mcp",
            "https://b/elsewhere",
            "https://c",
        ],
        &["https://b/elsewhere"],
    );
    all.all[1].metadata.as_mut().unwrap().at_root = true;
    for (authority, path, expected) in [
        ("a", "/mcp", "https://a/mcp"),
        ("a:443", "/mcp/", "https://a/mcp"),
        ("B", "/mcp?x", "https://b/mcp"),
        ("x", "/mcp", "none"),
        // Only one resource has this path, so the authority does not matter.
        ("a", "/tools", "https://a/tools/"),
        ("x", "/tools/", "https://a/tools/"),
        ("x", "/tools//", "none"),
        ("x", "/Tools", "none"),
        ("x", "/%74ools", "none"),
        ("b", "/elsewhere", "none"),
        ("a", "/other", "none"),
        ("a", "", "https://a/tools/"),
        ("a", "/", "https://a/tools/"),
        ("c", "", "https://c"),
        ("c", "/?x", "https://c"),
        ("b", "", "none"),
        ("a", "x", "rules"),
        ("a", "-mcp", "rules"),
    ] {
        let target = format!("{WELL_KNOWN}{path}");
        assert_eq!(
            document(&all, authority, &target),
            expected,
            "{authority}{path}"
        );
    }
    for target in [
        "/",
        "/mcp",
        "/.well-known",
        "/x/.well-known/oauth-protected-resource",
    ] {
        assert_eq!(document(&all, "a", target), "rules", "{target}");
    }
}

#[test]
fn without_metadata_to_serve_the_well_known_path_is_one_like_any_other() {
    for all in [
        ProtectedResources::default(),
        resources(&["https://a/mcp"], &["https://a/mcp"]),
    ] {
        assert_eq!(document(&all, "a", &format!("{WELL_KNOWN}/mcp")), "rules");
    }
}
