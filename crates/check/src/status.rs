//! The result of the command.

/// The result of the command, from best to worst.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Status {
    /// Everything is valid, the request passes, and nothing differs unexpectedly.
    Good,
    /// A configuration is not valid, the request is refused, a case fails, or something differs unexpectedly.
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
