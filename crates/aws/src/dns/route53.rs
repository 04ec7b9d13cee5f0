//! Route 53 itself, through AWS' SDK. Attempts and pauses are ours: see [`pace`](super::pace).

use aws_config::retry::RetryConfig;
use aws_config::{Region, SdkConfig};
use aws_sdk_route53::Client;
use aws_sdk_route53::config::Builder;
use aws_sdk_route53::error::{BuildError, DisplayErrorContext, ProvideErrorMetadata, SdkError};
use aws_sdk_route53::types::{
    AliasTarget, Change, ChangeAction, ChangeBatch, ResourceRecord, ResourceRecordSet, RrType,
};

use super::api::{Fault, FaultKind, RecordPage, RecordStart, Route53, ZonePage};
use super::name::Name;
use super::plan::{Edit, Zone};
use super::record::{Data, Kind, RecordSet};

/// Where Route 53 is: it has one place for all regions of a partition.
const REGION: Region = Region::from_static("us-east-1");
/// Most record sets that a page has.
const PAGE: i32 = 300;
/// What an identifier of a zone begins with in answers.
const ZONE_PREFIX: &str = "/hostedzone/";

const LIST_ZONES: &str = "ListHostedZones";
const LIST_RECORDS: &str = "ListResourceRecordSets";
const CHANGE: &str = "ChangeResourceRecordSets";

/// Route 53 of one account.
#[derive(Clone, Debug)]
pub struct Aws(Client);

impl Aws {
    /// With what was found out about credentials.
    pub fn new(config: &SdkConfig) -> Aws {
        let mut builder = Builder::from(config).retry_config(RetryConfig::disabled());
        if config.region().is_none() {
            builder = builder.region(REGION);
        }
        Aws(Client::from_conf(builder.build()))
    }
}

impl Route53 for Aws {
    async fn zones(&self, from: Option<&str>) -> Result<ZonePage, Fault> {
        let call = self.0.list_hosted_zones().set_marker(from.map(str::to_owned));
        let page = call.send().await.map_err(|error| fault(LIST_ZONES, &error))?;
        let zone = |zone: &aws_sdk_route53::types::HostedZone| Zone {
            id: zone.id().strip_prefix(ZONE_PREFIX).unwrap_or(zone.id()).into(),
            name: Name::new(zone.name()),
            is_private: zone.config().is_some_and(|config| config.private_zone()),
        };
        let next = page.next_marker().filter(|_| page.is_truncated()).map(str::to_owned);
        Ok(ZonePage { zones: page.hosted_zones().iter().map(zone).collect(), next })
    }

    async fn records(&self, zone: &Zone, from: Option<&RecordStart>) -> Result<RecordPage, Fault> {
        let call = self.0.list_resource_record_sets().hosted_zone_id(&*zone.id).max_items(PAGE);
        let call = call
            .set_start_record_name(from.map(|from| from.name.clone()))
            .set_start_record_type(from.map(|from| RrType::from(&*from.kind)))
            .set_start_record_identifier(from.and_then(|from| from.identifier.clone()));
        let page = call.send().await.map_err(|error| fault(LIST_RECORDS, &error))?;
        let next = page.next_record_name().zip(page.next_record_type()).filter(|_| page.is_truncated());
        let next = next.map(|(name, kind)| RecordStart {
            name: name.to_owned(),
            kind: kind.as_str().to_owned(),
            identifier: page.next_record_identifier().map(str::to_owned),
        });
        if page.is_truncated() && (next.is_none() || next.as_ref() == from) {
            return Err(Fault::new(FaultKind::Other, LIST_RECORDS, "the next page is the same again"));
        }
        Ok(RecordPage { records: page.resource_record_sets().iter().map(read).collect(), next })
    }

    async fn change(&self, zone: &Zone, edits: &[&Edit]) -> Result<(), Fault> {
        let unbuilt = |error: BuildError| Fault::new(FaultKind::Refused, CHANGE, error.to_string());
        let changes = edits.iter().map(|edit| change(edit)).collect::<Result<_, _>>().map_err(unbuilt)?;
        let batch = ChangeBatch::builder().set_changes(Some(changes)).build().map_err(unbuilt)?;
        let call = self.0.change_resource_record_sets().hosted_zone_id(&*zone.id).change_batch(batch);
        let Err(error) = call.send().await else { return Ok(()) };
        let mut fault = fault(CHANGE, &error);
        if let Some(batch) = error.as_service_error().and_then(|error| match error {
            aws_sdk_route53::operation::change_resource_record_sets::ChangeResourceRecordSetsError::InvalidChangeBatch(batch) => Some(batch),
            _ => None,
        }) && !batch.messages().is_empty()
        {
            fault.message = batch.messages().join("; ");
        }
        Err(fault)
    }
}

/// A record set as it is listed.
fn read(set: &ResourceRecordSet) -> RecordSet {
    let data = match set.alias_target() {
        Some(alias) => Data::Alias {
            zone: alias.hosted_zone_id().into(),
            to: Name::new(alias.dns_name()),
            by_health: alias.evaluate_target_health(),
        },
        None => Data::Values {
            ttl: set.ttl().unwrap_or_default(),
            values: set.resource_records().iter().map(|record| record.value().into()).collect(),
        },
    };
    RecordSet {
        name: Name::new(set.name()),
        kind: Kind::new(set.r#type().as_str()),
        data,
        policy: set.set_identifier().or(set.traffic_policy_instance_id()).map(Into::into),
        health_check: set.health_check_id().map(Into::into),
    }
}

fn change(edit: &Edit) -> Result<Change, BuildError> {
    let record = edit.record();
    let set = ResourceRecordSet::builder()
        .name(record.name.as_str())
        .r#type(RrType::from(record.kind.as_str()))
        .set_health_check_id(record.health_check.as_deref().map(str::to_owned));
    let set = match &record.data {
        Data::Alias { zone, to, by_health } => {
            let target = AliasTarget::builder().hosted_zone_id(&**zone).dns_name(to.as_str());
            set.alias_target(target.evaluate_target_health(*by_health).build()?)
        }
        Data::Values { ttl, values } => {
            let value = |value: &str| ResourceRecord::builder().value(value).build();
            set.ttl(*ttl)
                .set_resource_records(Some(values.iter().map(|one| value(one)).collect::<Result<_, _>>()?))
        }
    };
    let action = match edit {
        Edit::Delete(_) => ChangeAction::Delete,
        Edit::Create(_) => ChangeAction::Create,
    };
    Change::builder().action(action).resource_record_set(set.build()?).build()
}

/// What a failed call means. The codes are those of Route 53's API reference and of AWS' common errors.
fn fault<E, R>(call: &'static str, error: &SdkError<E, R>) -> Fault
where
    E: ProvideErrorMetadata + std::error::Error + 'static,
    R: std::fmt::Debug,
{
    let kind = match error.code() {
        Some("Throttling" | "ThrottlingException" | "RequestLimitExceeded" | "TooManyRequestsException") => {
            FaultKind::Throttled
        }
        Some("PriorRequestNotComplete") => FaultKind::Busy,
        Some("InvalidChangeBatch" | "InvalidInput" | "ValidationError" | "NoSuchHealthCheck") => {
            FaultKind::Refused
        }
        Some("NoSuchHostedZone") => FaultKind::NoZone,
        Some("AccessDenied" | "AccessDeniedException" | "UnauthorizedOperation") => FaultKind::Denied,
        Some(
            "InvalidClientTokenId"
            | "UnrecognizedClientException"
            | "ExpiredToken"
            | "ExpiredTokenException"
            | "SignatureDoesNotMatch"
            | "InvalidSignatureException"
            | "MissingAuthenticationToken"
            | "OptInRequired",
        ) => FaultKind::Credentials,
        Some(_) => FaultKind::Other,
        None => of_no_answer(error),
    };
    let told = || DisplayErrorContext(error).to_string();
    let message = match (error.code(), error.message()) {
        (Some(code), Some(message)) => format!("{code}: {message}"),
        _ => told(),
    };
    Fault::new(kind, call, first_line(&message))
}

/// What it means that there is no answer of Route 53's own.
fn of_no_answer<E, R>(error: &SdkError<E, R>) -> FaultKind
where
    E: std::error::Error + 'static,
    R: std::fmt::Debug,
{
    match error {
        SdkError::TimeoutError(_) => FaultKind::Unanswered,
        // Credentials are looked for before anything is sent, and the SDK has no kind of its own for it if there are none.
        _ if DisplayErrorContext(error).to_string().to_ascii_lowercase().contains("credentials") => {
            FaultKind::Credentials
        }
        SdkError::DispatchFailure(_) => FaultKind::Unanswered,
        _ => FaultKind::Other,
    }
}

/// The SDK shows all that it knows of an error, over many lines.
fn first_line(message: &str) -> String {
    const SHOWN_MAX: usize = 500;
    let line = message.lines().next().unwrap_or_default();
    line.chars().take(SHOWN_MAX).collect()
}
