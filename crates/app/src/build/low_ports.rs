//! The right to bind ports below 1024, for a user who is not root.
//!
//! Our image gives its program the file capability `cap_net_bind_service` as permitted, not as effective: with the latter
//! it could not even be started where a container's capabilities leave it out. What is permitted has to be raised by the
//! program itself, for the thread that binds.

use rustix::thread::{CapabilitySet, capabilities, set_capabilities};

/// Raises it for this thread where it is permitted. Where it is not, binding tells.
pub(super) fn allow() {
    let Ok(mut sets) = capabilities(None) else { return };
    let wanted = CapabilitySet::NET_BIND_SERVICE;
    if sets.permitted.contains(wanted) && !sets.effective.contains(wanted) {
        sets.effective |= wanted;
        let _ = set_capabilities(None, sets);
    }
}
