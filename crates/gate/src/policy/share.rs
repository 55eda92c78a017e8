//! What the workers of a process have in common.

/// What the workers of a process have in common.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Share {
    /// Fetched documents and used proofs, in the host's shared data. Other modules with the same `vm_id` can read
    /// and write it.
    #[default]
    Process,
    /// Nothing: each worker fetches its own documents.
    Worker,
}
