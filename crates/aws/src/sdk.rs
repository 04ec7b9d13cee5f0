//! How AWS is reached: one configuration for all its services, with limits on how long a call may take.

use std::time::Duration;

use aws_config::retry::RetryConfig;
use aws_config::timeout::TimeoutConfig;
use aws_config::{BehaviorVersion, Region, SdkConfig};

use crate::trust;

/// For one attempt at a call. AWS answers within a second; one that hangs must not hold up a drain.
const ATTEMPT_TIME_MAX: Duration = Duration::from_secs(5);
/// For a call with all its attempts.
const CALL_TIME_MAX: Duration = Duration::from_secs(20);
/// Attempts at a call. What fails then is tried again by what wanted it, with its own back-off.
const ATTEMPTS_MAX: u32 = 3;

/// What may be said about AWS on the command line.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Settings {
    /// The region; by default that of the environment, of the profile, or of this instance.
    pub region: Option<String>,
    /// Where all services are, in place of AWS' own addresses: a stand-in for tests.
    pub endpoint: Option<String>,
}

/// Finds credentials and the region, as AWS' own tools do: from the environment, a profile, a service account's token, or the
/// metadata of this instance. Nothing is asked before the first call.
pub async fn load(settings: &Settings) -> SdkConfig {
    let timeouts = TimeoutConfig::builder()
        .operation_attempt_timeout(ATTEMPT_TIME_MAX)
        .operation_timeout(CALL_TIME_MAX)
        .build();
    let mut loader = aws_config::defaults(BehaviorVersion::latest())
        .timeout_config(timeouts)
        .retry_config(RetryConfig::standard().with_max_attempts(ATTEMPTS_MAX));
    if let Some(region) = &settings.region {
        loader = loader.region(Region::new(region.clone()));
    }
    if let Some(endpoint) = &settings.endpoint {
        loader = loader.endpoint_url(endpoint);
    }
    if let Some(client) = trust::http_client() {
        loader = loader.http_client(client);
    }
    loader.load().await
}
