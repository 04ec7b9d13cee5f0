//! The right to bind ports below 1024 without being root.
//!
//! Our image gives its program the file capability `cap_net_bind_service` as permitted, not as effective: with the latter
//! it could not even be started in a container without that capability. The program itself has to raise what is permitted,
//! for the thread that binds.

use rustix::thread::{CapabilitySet, capabilities, set_capabilities};

/// Raises it for this thread where it is permitted. Where it is not, binding fails and says so.
pub(super) fn allow() {
    let Ok(mut sets) = capabilities(None) else { return };
    let wanted = CapabilitySet::NET_BIND_SERVICE;
    if sets.permitted.contains(wanted) && !sets.effective.contains(wanted) {
        sets.effective |= wanted;
        let _ = set_capabilities(None, sets);
    }
}
