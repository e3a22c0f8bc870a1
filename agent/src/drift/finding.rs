//! What a report says about drift of one resource.

use crate::report::{Report, ResourceReport, ResourceState};

/// What a run found out about the drift of one resource.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Finding {
    /// It had drifted, and is as declared again.
    Corrected,
    /// It has drifted, and nothing has put that right.
    Drifted,
    /// It is as declared.
    InOrder,
    /// Nothing: the run did not look, or did not get so far.
    Nothing,
}

/// What `report` says about the drift of `resource`.
///
/// That an intended change is still to be made is no drift, except where nobody ever makes it: on a
/// host in audit mode, and for a resource with `enforce = false`, every difference is one. While a
/// host is paused a changed declaration only waits.
pub fn finding(report: &Report, resource: &ResourceReport) -> Finding {
    match resource.state {
        ResourceState::Corrected => Finding::Corrected,
        ResourceState::Drifted if resource.drift || report.mode != "paused" => Finding::Drifted,
        ResourceState::Failed | ResourceState::Blocked | ResourceState::NotReached
            if resource.drift =>
        {
            Finding::Drifted
        }
        ResourceState::InSync | ResourceState::Changed => Finding::InOrder,
        _ => Finding::Nothing,
    }
}
