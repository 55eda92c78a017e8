//! What can change while requests wait.

use gate::decision::Dependency;
use gate::introspection::TokenStatus;

/// Something that requests wait for has changed.
#[derive(Clone, Debug)]
pub enum Change {
    /// A document has arrived, or will not arrive in time.
    Document(Dependency),
    /// The introspection of a token has ended.
    Status(KnownStatus),
}

impl Change {
    /// What has changed.
    #[must_use]
    pub const fn dependency(&self) -> &Dependency {
        match self {
            Self::Document(dependency) => dependency,
            Self::Status(known) => &known.dependency,
        }
    }
}

/// The status of a token, as one response says.
#[derive(Clone, Debug)]
pub struct KnownStatus {
    /// The introspection of the token.
    pub dependency: Dependency,
    /// The status.
    pub status: TokenStatus,
}

impl KnownStatus {
    /// Whether it is what the endpoint of the provider with this index says about `token`.
    #[must_use]
    pub fn is_about(&self, provider: usize, token: &str) -> bool {
        match &self.dependency {
            Dependency::Introspection {
                provider: asked,
                token: introspected,
            } => *asked == provider && **introspected == *token,
            Dependency::Keys(_) | Dependency::NewerKeys(_) | Dependency::Revocations(_) => false,
        }
    }
}
