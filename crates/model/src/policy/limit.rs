//! How many requests a client may send.

use std::fmt;
use std::num::NonZeroU32;
use std::time::Duration;

use ipnet::IpNet;

/// How many requests of one client an object's routes serve together. Each process counts by itself.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct RequestLimits {
    /// How often; a request must be within all of them.
    pub rates: Vec<RateLimit>,
    /// The status of those beyond.
    pub rate_status: u16,
    /// How many at a time.
    pub in_flight: Option<NonZeroU32>,
    /// The status of those beyond.
    pub in_flight_status: u16,
    /// Clients of these networks have no limit.
    pub exempt: Vec<IpNet>,
}

/// A leaky bucket (nginx' `limit_req … nodelay`): requests fill it, and it runs out at an even rate.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct RateLimit {
    /// The time in which one request runs out.
    pub every: Duration,
    /// Requests that it holds beside the one which finds it empty.
    pub burst: u32,
}

impl fmt::Display for RequestLimits {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut limits: Vec<String> = Vec::new();
        for RateLimit { every, burst } in &self.rates {
            limits.push(format!("one every {every:?} and a burst of {burst}, else {}", self.rate_status));
        }
        if let Some(most) = self.in_flight {
            limits.push(format!("{most} at a time, else {}", self.in_flight_status));
        }
        f.write_str(&limits.join("; "))?;
        if !self.exempt.is_empty() {
            let exempt: Vec<_> = self.exempt.iter().map(ToString::to_string).collect();
            write!(f, "; no limit for [{}]", exempt.join(", "))?;
        }
        Ok(())
    }
}
