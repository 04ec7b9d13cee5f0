//! How long things may take where nothing is said.

use std::time::Duration;

use model::Timeouts;

use crate::profile::Profile;

/// ingress-nginx' `proxy-read-timeout`. For answers the proxy has the same by itself, for tunnels a longer one.
const READ: Duration = Duration::from_secs(60);

/// feed's `nginx-backend-connect-timeout-seconds`.
const FEED_CONNECT: Duration = Duration::from_secs(1);

/// What holds where an object says nothing.
pub(super) fn of(profile: Profile) -> Timeouts {
    match profile {
        Profile::Own => Timeouts::default(),
        Profile::Feed => Timeouts { connect: Some(FEED_CONNECT), ..Timeouts::default() },
        Profile::IngressNginx => Timeouts { tunnel: Some(READ), ..Timeouts::default() },
    }
}
