//! How many requests a client may send.

use std::num::NonZeroU32;
use std::time::Duration;

use ipnet::IpNet;
use model::{RateLimit, RequestFilter, RequestLimits};

use super::RouteSettings;

/// ingress-nginx' `limit-req-status-code` and `limit-conn-status-code`.
const STATUS: u16 = 503;
/// Its `limit-burst-multiplier`.
const BURST_FACTOR: u32 = 5;

/// How many requests a client may send.
#[derive(Clone, Debug)]
pub(crate) struct LimitSettings {
    /// No limit if 0, as the next two.
    pub(crate) per_second: u32,
    pub(crate) per_minute: u32,
    pub(crate) in_flight: u32,
    /// As many times a rate's requests are served at once.
    pub(crate) burst_factor: u32,
    /// The networks whose clients have no limit.
    pub(crate) exempt: Vec<IpNet>,
    /// What clients with too many requests are told.
    pub(crate) rate_status: u16,
    /// The same for those in flight.
    pub(crate) in_flight_status: u16,
}

impl Default for LimitSettings {
    fn default() -> LimitSettings {
        LimitSettings {
            per_second: 0,
            per_minute: 0,
            in_flight: 0,
            burst_factor: BURST_FACTOR,
            exempt: Vec::new(),
            rate_status: STATUS,
            in_flight_status: STATUS,
        }
    }
}

/// The filter that refuses requests beyond, if there is any limit.
pub(super) fn build(asked: &RouteSettings) -> Option<RequestFilter> {
    let asked = &asked.limit;
    let rates = [(asked.per_second, 1), (asked.per_minute, 60)];
    let rates =
        rates.into_iter().filter_map(|(requests, seconds)| rate(requests, seconds, asked.burst_factor));
    let limits = RequestLimits {
        rates: rates.collect(),
        rate_status: asked.rate_status,
        in_flight: NonZeroU32::new(asked.in_flight),
        in_flight_status: asked.in_flight_status,
        exempt: asked.exempt.clone(),
    };
    let is_any = !limits.rates.is_empty() || limits.in_flight.is_some();
    is_any.then_some(RequestFilter::Limits(limits))
}

/// nginx counts thousandths of requests a second, and drops what is smaller.
fn rate(requests: u32, seconds: u64, burst_factor: u32) -> Option<RateLimit> {
    let thousandths = u64::from(requests) * 1000 / seconds;
    let every = Duration::from_nanos(1_000_000_000_000_u64.checked_div(thousandths)?);
    Some(RateLimit { every, burst: requests.saturating_mul(burst_factor) })
}
