//! Where proxies of a mesh fetch the module.

use super::notes::{Members, Notes};
use crate::convert::new_value::NewValue;

/// The image, where nothing else is said.
const IMAGE: &str = concat!("registry.example/bearer-gate:", env!("CARGO_PKG_VERSION"));

/// A digest that no image has.
const NO_DIGEST: &str = "0000000000000000000000000000000000000000000000000000000000000000";

/// The image of the module.
#[derive(Clone, Debug)]
pub(super) struct Module {
    image: String,
    digest: String,
    is_given: bool,
}

impl Module {
    /// The image that `module` names, with `@sha256:` and its digest at the end. Anything without `://` is a path
    /// for Envoy itself.
    pub(super) fn new(module: &str) -> Self {
        let image = module
            .split_once("://")
            .map(|(_, image)| image.split_once("@sha256:").unwrap_or((image, NO_DIGEST)));
        let (image, digest) = image.unwrap_or((IMAGE, NO_DIGEST));
        Self {
            image: image.to_owned(),
            digest: digest.to_owned(),
            is_given: digest != NO_DIGEST,
        }
    }

    /// Writes image and digest into the members with these names. `scheme` is what comes before the image.
    pub(super) fn write(&self, members: &mut Members, notes: &mut Notes, path: &str, scheme: &str) {
        if !self.is_given {
            notes.review(
                members,
                path,
                "write your registry, and the digest that `make image` prints without `sha256:`; or convert with \
                 --module oci://REGISTRY/IMAGE@sha256:DIGEST",
            );
        }
        members.push((
            "url".to_owned(),
            NewValue::Text(format!("{scheme}{}", self.image)),
        ));
        members.push(("sha256".to_owned(), NewValue::text(&self.digest)));
    }
}
