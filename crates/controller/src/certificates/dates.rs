//! What is told of the dates of a certificate.

use std::time::{Duration, SystemTime};

use compile::ObjectKey;
use jiff::Timestamp;
use model::{Problem, Severity};
use tls::Certificate;

use super::of_secret;
use crate::reasons;

/// Certificates are renewed long before: by cert-manager at two thirds of their time, which of 90 days is 30 before the
/// end.
const WARNED_BEFORE: Duration = Duration::from_secs(14 * 24 * 60 * 60);

/// Certificates that live for days or hours are told of in the last quarter of their time.
const WARNED_LAST_PART: u32 = 4;

const RENEW: &str = "renew it; clients refuse it after that date";

/// What is wrong with the dates, if anything is. The words do not change from day to day.
pub(super) fn problem(key: &ObjectKey, certificate: &Certificate, now: SystemTime) -> Option<Problem> {
    let (start, end) = (certificate.not_before(), certificate.not_after());
    let lifetime = end.duration_since(start).unwrap_or_default();
    let warned_before = WARNED_BEFORE.min(lifetime / WARNED_LAST_PART);
    let (reason, message, remedy) = match end.duration_since(now) {
        _ if start > now => {
            let message = format!("the certificate is not valid before {}", shown(start));
            (reasons::FUTURE_CERTIFICATE, message, "wait until then, or see that the clocks are right")
        }
        Err(_) => {
            let message = format!("the certificate has expired on {}; clients refuse it", shown(end));
            (reasons::EXPIRED_CERTIFICATE, message, "renew it")
        }
        Ok(left) if left < warned_before => {
            (reasons::EXPIRING_CERTIFICATE, format!("the certificate expires on {}", shown(end)), RENEW)
        }
        Ok(_) => return None,
    };
    Some(of_secret(key, "data[tls.crt]", (Severity::Warning, reason, message), remedy))
}

fn shown(time: SystemTime) -> String {
    Timestamp::try_from(time).map_or_else(|_| "a date out of range".into(), |time| time.to_string())
}
