//! The result of the command.

/// The result of the command, from best to worst.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Status {
    /// Everything is valid, and the request passes.
    Good,
    /// A configuration is not valid, or the request is refused.
    Bad,
    /// There is no result: the arguments are wrong, a file cannot be read, or something that the
    /// filter would fetch was not given.
    Unknown,
}

impl Status {
    /// The exit status of the process.
    #[must_use]
    pub const fn code(self) -> u8 {
        match self {
            Self::Good => 0,
            Self::Bad => 1,
            Self::Unknown => 2,
        }
    }

    /// The name in JSON.
    pub(crate) const fn name(self) -> &'static str {
        match self {
            Self::Good => "good",
            Self::Bad => "bad",
            Self::Unknown => "unknown",
        }
    }
}
