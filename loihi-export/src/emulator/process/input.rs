//! An input: spikes that the caller injects.
//!
//! An input's spikes of step t reach their targets in step t + 1, as those of any population.

use super::{ProcessInfo, ProcessKind};

/// The registry entry.
pub static INFO: ProcessInfo = ProcessInfo {
    name: "input",
    summary: "Spikes injected from outside; graded where a projection carries message bits.",
    parameters: &[],
    ports: &[],
    variables: &[],
    kind: ProcessKind::Injected,
};
