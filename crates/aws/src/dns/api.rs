//! What is asked of Route 53, in as few words as that takes: the adapter for AWS speaks them, and the tests' own model.

use std::fmt;

use super::plan::{Edit, Zone};
use super::record::RecordSet;

/// A part of the list of hosted zones.
#[derive(Clone, Debug, Default)]
pub struct ZonePage {
    /// The zones.
    pub zones: Vec<Zone>,
    /// Where the next part begins, if there is one.
    pub next: Option<String>,
}

/// A part of a zone's record sets, and where the next one begins.
#[derive(Clone, Debug, Default)]
pub struct RecordPage {
    /// The record sets.
    pub records: Vec<RecordSet>,
    /// Where the next part begins, if there is one.
    pub next: Option<RecordStart>,
}

/// Where a part of a zone's record sets begins. Without the identifier a set with many of them would be read for ever.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RecordStart {
    /// The name, as Route 53 writes it.
    pub name: String,
    /// The type.
    pub kind: String,
    /// The identifier of one of several sets.
    pub identifier: Option<String>,
}

/// The calls.
pub trait Route53 {
    /// `ListHostedZones`.
    fn zones(&self, from: Option<&str>) -> impl Future<Output = Result<ZonePage, Fault>> + Send;

    /// `ListResourceRecordSets`.
    fn records(
        &self,
        zone: &Zone,
        from: Option<&RecordStart>,
    ) -> impl Future<Output = Result<RecordPage, Fault>> + Send;

    /// `ChangeResourceRecordSets`: all of these, or none.
    fn change(&self, zone: &Zone, edits: &[&Edit]) -> impl Future<Output = Result<(), Fault>> + Send;
}

/// Why a call failed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum FaultKind {
    /// Too many calls.
    Throttled,
    /// Another change of the zone is being made.
    Busy,
    /// The changes do not fit what is there.
    Refused,
    /// There is no such zone.
    NoZone,
    /// We may not.
    Denied,
    /// There are no credentials, or they are of no use.
    Credentials,
    /// It was not answered in time, or not at all. A change may have been made.
    Unanswered,
    /// Anything else.
    Other,
}

/// A call that failed.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub struct Fault {
    /// Why.
    pub kind: FaultKind,
    /// The call, as IAM names it without `route53:`.
    pub call: &'static str,
    /// In AWS' words.
    pub message: String,
}

impl Fault {
    /// A fault of this call.
    pub fn new(kind: FaultKind, call: &'static str, message: impl Into<String>) -> Fault {
        Fault { kind, call, message: message.into() }
    }

    /// What an operator can do, as a sentence without its full stop.
    pub fn remedy(&self) -> String {
        match self.kind {
            FaultKind::Throttled => "it is tried again; if it stays so, let fewer programs ask Route 53 in this account".into(),
            FaultKind::Busy => "it is tried again".into(),
            FaultKind::Refused => "look at the record sets that it names, in Route 53".into(),
            FaultKind::NoZone => "see that the zone exists in this account, and which zones --dns-zone names".into(),
            FaultKind::Denied => format!("allow route53:{} to our role", self.call),
            FaultKind::Credentials => {
                "give the pod a role (IRSA or EKS Pod Identity), or AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY that are valid".into()
            }
            FaultKind::Unanswered => {
                "see that AWS can be reached from here, and --aws-region and --aws-endpoint; it is tried again".into()
            }
            FaultKind::Other => "it is tried again".into(),
        }
    }
}

impl fmt::Display for Fault {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let what = match self.kind {
            FaultKind::Throttled => "too many calls",
            FaultKind::Busy => "another change is being made",
            FaultKind::Refused => "the change was refused",
            FaultKind::NoZone => "there is no such zone",
            FaultKind::Denied => "it is not allowed",
            FaultKind::Credentials => "there are no valid credentials",
            FaultKind::Unanswered => "there is no answer",
            FaultKind::Other => "it failed",
        };
        write!(f, "route53:{}: {what} ({}): {}", self.call, self.message, self.remedy())
    }
}
