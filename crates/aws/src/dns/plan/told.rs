//! What is wrong, in words that the author of an Ingress, or the operator, can act on.

use model::{ObjectRef, Problem, Severity};

use super::Host;
use super::zone::ZoneView;
use crate::dns::name::Name;
use crate::dns::ownership::{Owner, claim_in, may_be_encrypted};
use crate::dns::record::{Data, Kind, RecordSet};

/// The words for problems with records: a closed set.
pub mod reasons {
    /// No hosted zone has the host.
    pub const NO_ZONE: &str = "dns-no-zone";
    /// Nothing is known to which its scheme leads.
    pub const NO_TARGET: &str = "dns-no-target";
    /// DNS cannot have such a name.
    pub const BAD_NAME: &str = "dns-bad-name";
    /// The name of a zone can have no CNAME.
    pub const APEX: &str = "dns-apex";
    /// The name has a record that is not ours.
    pub const TAKEN: &str = "dns-taken";
    /// The name has a record that is as it should be, and is nobody's.
    pub const UNOWNED: &str = "dns-unowned";
    /// The TXT record that says whose a record is cannot be written, or read.
    pub const TXT: &str = "dns-txt";
    /// Route 53 did not take the change.
    pub const REFUSED: &str = "dns-refused";
}

fn problem(
    host: &Host,
    severity: Severity,
    reason: &'static str,
    message: String,
    remedy: &str,
) -> Box<Problem> {
    let (object, remedy) = (host.object.clone(), remedy.to_owned());
    Box::new(Problem { object, field: "spec.rules.host".into(), severity, reason, message, remedy })
}

fn error(host: &Host, reason: &'static str, message: String, remedy: &str) -> Box<Problem> {
    problem(host, Severity::Error, reason, message, remedy)
}

pub(super) fn no_zone<'a>(host: &Host, zones: impl Iterator<Item = &'a Name>) -> Box<Problem> {
    let mut known: Vec<&str> = zones.map(Name::as_str).collect();
    known.sort_unstable();
    known.dedup();
    let known =
        if known.is_empty() { "there is none".into() } else { format!("there is {}", shortened(&known)) };
    let message = format!("no hosted zone has {}; {known}", host.name);
    error(host, reasons::NO_ZONE, message, "create a zone for it, or let --dns-zone name the one that has it")
}

/// The first few of many.
fn shortened(words: &[&str]) -> String {
    const SHOWN_MAX: usize = 5;
    match words.len() {
        0..=SHOWN_MAX => words.join(", "),
        more => format!("{} and {} more", words[..SHOWN_MAX].join(", "), more - SHOWN_MAX),
    }
}

/// Told once for each object, however many hosts it has.
pub(super) fn no_target(host: &Host) -> Box<Problem> {
    let message = format!("nothing is known to which scheme {} leads; records stay as they are", host.scheme);
    let remedy = "see that a load balancer of this scheme is found, or name one with --dns-target";
    error(host, reasons::NO_TARGET, message, remedy)
}

pub(super) fn bad_name(host: &Host, fault: &str) -> Box<Problem> {
    error(host, reasons::BAD_NAME, format!("{} {fault}", host.name), "use a shorter host")
}

pub(super) fn apex(host: &Host) -> Box<Problem> {
    let message = format!("{} is the name of a hosted zone, which can have no CNAME", host.name);
    let remedy =
        "let the load balancer be discovered, so that an alias can be written, or use a host below that name";
    error(host, reasons::APEX, message, remedy)
}

pub(super) fn by_policy(host: &Host, record: &RecordSet) -> Box<Problem> {
    let by = record.policy.as_deref().unwrap_or_default();
    let message =
        format!("{record} is one of several sets, or of a traffic policy ({by}), and is left alone");
    error(
        host,
        reasons::TAKEN,
        message,
        "delete these sets, or let them lead here and take the host out of DNS",
    )
}

pub(super) fn unowned(host: &Host, record: &RecordSet) -> Box<Problem> {
    let message =
        format!("{record} is as it should be, but nothing says that it is ours, and so it is never changed");
    let remedy = "start with --dns-adopt once to make it ours";
    problem(host, Severity::Warning, reasons::UNOWNED, message, remedy)
}

pub(super) fn taken(host: &Host, record: &RecordSet, owner: &Owner, view: &ZoneView<'_>) -> Box<Problem> {
    let (whose, remedy) = match owner {
        Owner::Other(owner) => (
            format!("belongs to {owner:?}"),
            "take the host from that owner, or start with its identifier as --dns-owner".to_owned(),
        ),
        Owner::Doubtful(txt) => (
            format!("may be ours or not: the TXT record {txt} could speak of another record"),
            "delete that TXT record if it is not about this one, or start with a --dns-txt-prefix".to_owned(),
        ),
        Owner::Us | Owner::None => match unreadable(host, record, view) {
            Some(txt) => (
                format!("has the TXT record {txt}, which cannot be read: it may be encrypted"),
                "let external-dns write it without --txt-encrypt-enabled".to_owned(),
            ),
            None => (
                "is not ours".to_owned(),
                format!("delete it: {} {} in {}", record.kind, record.name, view.zone.name),
            ),
        },
    };
    let message = format!("{record} {whose}, and is left alone");
    error(host, reasons::TAKEN, message, &remedy)
}

/// The TXT beside a record, if it looks like an encrypted claim.
fn unreadable(host: &Host, record: &RecordSet, view: &ZoneView<'_>) -> Option<Name> {
    let place = view.ownership.place(&host.name, &record.kind);
    let looks = |txt: &&&RecordSet| txt.kind == Kind::Txt && claim_in(txt).is_none() && looks_encrypted(txt);
    view.at(&place).iter().find(looks).map(|txt| txt.name.clone())
}

fn looks_encrypted(txt: &RecordSet) -> bool {
    matches!(&txt.data, Data::Values { values, .. } if values.iter().any(|value| may_be_encrypted(value)))
}

pub(super) fn beside_cname(host: &Host, other: &RecordSet) -> Box<Problem> {
    let message = format!("{} can have no CNAME beside {other}, which is left alone", host.name);
    error(
        host,
        reasons::TAKEN,
        message,
        "delete that record, or let an alias be written to a load balancer that is discovered",
    )
}

pub(super) fn txt_taken(host: &Host, txt: &RecordSet) -> Box<Problem> {
    let whose = match claim_in(txt) {
        Some(claim) => format!("says that the owner is {:?}, or may speak of another record", claim.owner),
        None if looks_encrypted(txt) => "cannot be read: it may be encrypted".into(),
        None => "is something else".into(),
    };
    let message = format!(
        "the TXT record {}, which is to say that {} is ours, {whose}; it is left alone",
        txt.name, host.name
    );
    error(host, reasons::TXT, message, "delete it, or start with another --dns-txt-prefix")
}

pub(super) fn bad_txt_name(host: &Host, place: &Name, fault: &str) -> Box<Problem> {
    let message = format!("the name of the TXT record for {} {fault}: {place}", host.name);
    error(
        host,
        reasons::TXT,
        message,
        "start with a --dns-txt-prefix that ends with a dot, or use a shorter host",
    )
}

pub(super) fn no_place(host: &Host, place: &Name) -> Box<Problem> {
    let message = format!(
        "the TXT record {place}, which is to say that {} is ours, would stand where there is a CNAME, or could be read as if \
         it spoke of another record",
        host.name
    );
    error(host, reasons::TXT, message, "start with a --dns-txt-prefix, as sluicegate-%{record_type}.")
}

pub(super) fn same_txt(host: &Host, plain: &Name) -> Box<Problem> {
    let message = format!("{} and {plain} would have the same TXT record", host.name);
    error(
        host,
        reasons::TXT,
        message,
        "start with another --dns-txt-wildcard-replacement, or give up one of the hosts",
    )
}

/// A change that Route 53 did not take. There is no Ingress to tell where a record was to go.
pub(in crate::dns) fn refused(zone: &str, name: &Name, message: &str) -> Problem {
    Problem {
        object: ObjectRef::new("RecordSet", "", name.as_str()),
        field: String::new(),
        severity: Severity::Error,
        reason: reasons::REFUSED,
        message: format!("Route 53 did not take the change in {zone}: {message}"),
        remedy: "it is tried again; if it stays so, delete what is in the way in Route 53".into(),
    }
}
