//! One worker of bearer-gate, whatever the host: fetching, sharing, waiting, metrics.

pub mod metrics;
pub mod waiting_room;
