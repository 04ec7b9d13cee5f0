//! How much clients may send.

use crate::profile::Profile;

/// ingress-nginx' `proxy-body-size`.
const BODY_BYTES_MAX: u64 = 1 << 20;

/// How much clients may send.
#[derive(Clone, Debug, Default)]
pub(crate) struct SizeSettings {
    /// Bytes of a request's body; if nothing is said as many as the proxy takes.
    pub(crate) request_body_max: Option<u64>,
}

impl SizeSettings {
    /// What holds where an object says nothing.
    pub(super) fn of(profile: Profile) -> SizeSettings {
        SizeSettings {
            request_body_max: match profile {
                Profile::Own | Profile::Feed => None,
                Profile::IngressNginx => Some(BODY_BYTES_MAX),
            },
        }
    }
}
