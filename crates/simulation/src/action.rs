//! The steps of a story.

use fastrand::Rng;

/// A step of a story.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Action {
    Request,
    Burst,
    PassMilliseconds,
    PassSeconds,
    PassMinutes,
    Disconnect,
    BreakServer,
    HealServer,
    Rotate,
    Revoke,
    ChangeActiveTokens,
    KillWorker,
    /// A worker dies while it writes shared data.
    KillWriter,
    /// The thread of a worker does not run for some time.
    HoldUpWorker,
    ReplaceConfiguration,
    LoseSwaps,
    SetClock,
}

/// How often each step is taken.
const WEIGHTS: [(Action, u32); 17] = [
    (Action::Request, 30),
    (Action::Burst, 6),
    (Action::PassMilliseconds, 20),
    (Action::PassSeconds, 12),
    (Action::PassMinutes, 5),
    (Action::Disconnect, 4),
    (Action::BreakServer, 4),
    (Action::HealServer, 3),
    (Action::Rotate, 4),
    (Action::Revoke, 3),
    (Action::ChangeActiveTokens, 2),
    (Action::KillWorker, 2),
    (Action::KillWriter, 2),
    (Action::HoldUpWorker, 5),
    (Action::ReplaceConfiguration, 3),
    (Action::LoseSwaps, 3),
    (Action::SetClock, 2),
];

impl Action {
    pub(crate) fn random(rng: &mut Rng) -> Self {
        let total = WEIGHTS.iter().map(|(_, weight)| weight).sum();
        let mut left = rng.u32(0..total);
        for (action, weight) in WEIGHTS {
            match left.checked_sub(weight) {
                Some(rest) => left = rest,
                None => return action,
            }
        }
        Self::Request
    }
}
