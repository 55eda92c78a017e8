//! The URLs under which clients know this Envoy.

use gate::dpop::TargetUri;
use gate::policy::{ProtectedResource, PublicUrls, WebUrl};

use super::place::Place;

/// The largest number of URLs: every proof is compared with each.
const MOST_URLS: usize = 64;

/// The field of the configuration.
const FIELD: &str = "public_urls";

/// Builds the URLs of the document at this place. Without any, clients know the origins of the protected
/// resources.
pub(crate) fn build(
    document: &Place<'_>,
    urls: Option<Vec<String>>,
    resources: &[ProtectedResource],
) -> PublicUrls {
    let Some(urls) = urls else {
        return from_resources(resources);
    };
    if !(1..=MOST_URLS).contains(&urls.len()) {
        let problem = format!("must have from 1 to {MOST_URLS} elements");
        document.field(FIELD).report(&problem);
    }
    let urls = document.build_list(FIELD, Some(urls), |text, at| {
        let url = match WebUrl::parse(&text) {
            Ok(url) if url.has_query() || url.has_fragment() => {
                return at.refuse("must have neither query nor fragment");
            }
            Ok(url) => url,
            Err(problem) => return at.refuse(&problem.to_string()),
        };
        let target = TargetUri::parse(url.as_str().as_bytes());
        if target.is_none() {
            at.report("is not an absolute URL");
        }
        target
    });
    PublicUrls::new(urls)
}

/// The origins of the protected resources, each once.
fn from_resources(resources: &[ProtectedResource]) -> PublicUrls {
    let mut origins: Vec<TargetUri> = Vec::new();
    for resource in resources {
        let origin = resource.metadata_url.origin();
        if let Some(origin) = TargetUri::parse(origin.as_bytes())
            && !origins.contains(&origin)
        {
            origins.push(origin);
        }
    }
    PublicUrls::new(origins)
}
