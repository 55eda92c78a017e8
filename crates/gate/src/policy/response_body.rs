//! The form of the body of refusals.

/// The form of the body of a refusal.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum ResponseBody {
    /// An object with `error` and `error_description`, as in RFC 6749, section 5.2.
    #[default]
    Json,
    /// Problem details (RFC 9457).
    Problem,
}
