//! What this instance is: said by hand, or by the metadata service of EC2 (IMDSv2).

use std::net::IpAddr;
use std::time::Duration;

use aws_config::imds::Client;
use aws_sdk_elasticloadbalancing::error::DisplayErrorContext;

use super::fault::{Fault, Kind};
use super::{At, Place, Target};
use crate::trust;

/// For one answer of the metadata service with all its attempts; where packets to it are dropped nothing else ends it.
const ANSWER_TIME_MAX: Duration = Duration::from_secs(10);
const INSTANCE_ID: &str = "/latest/meta-data/instance-id";
const ADDRESS: &str = "/latest/meta-data/local-ipv4";

/// What is said by hand.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct GivenIdentity {
    /// The instance.
    pub instance_id: Option<String>,
    /// Its address.
    pub address: Option<IpAddr>,
}

/// What this instance is, as far as it is known.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Identity {
    /// The instance.
    pub instance_id: Option<String>,
    /// Its address within the VPC.
    pub address: Option<IpAddr>,
}

impl Identity {
    /// Whether all that is needed is known.
    pub(super) fn has(&self, needs: Needs) -> bool {
        !(needs.instance_id && self.instance_id.is_none() || needs.address && self.address.is_none())
    }

    /// Asks for what was not said by hand. It never changes while an instance lives.
    ///
    /// # Errors
    /// If the metadata service cannot be had, or says nonsense.
    pub(super) async fn find(given: &GivenIdentity, needs: Needs) -> Result<Identity, Fault> {
        let mut identity = Identity { instance_id: given.instance_id.clone(), address: given.address };
        if needs.instance_id && identity.instance_id.is_none() {
            identity.instance_id = Some(ask(INSTANCE_ID).await?);
        }
        if needs.address && identity.address.is_none() {
            let raw = ask(ADDRESS).await?;
            let address = raw.parse().map_err(|_| fault(ADDRESS, format!("{raw:?} is no address")))?;
            identity.address = Some(address);
        }
        Ok(identity)
    }
}

/// What has to be known of this instance.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) struct Needs {
    pub(super) instance_id: bool,
    pub(super) address: bool,
}

impl Needs {
    /// What registrations at these places need.
    pub(super) fn of<'a>(places: impl Iterator<Item = &'a Place>) -> Needs {
        places.fold(Needs::default(), |needs, place| match place.at {
            At::Group(_, Target::Address) => Needs { address: true, ..needs },
            At::Classic(_) | At::Group(_, Target::Instance) => Needs { instance_id: true, ..needs },
        })
    }
}

async fn ask(path: &str) -> Result<String, Fault> {
    let disabled = std::env::var("AWS_EC2_METADATA_DISABLED");
    if disabled.is_ok_and(|value| value.eq_ignore_ascii_case("true")) {
        return Err(fault(path, "AWS_EC2_METADATA_DISABLED forbids to ask"));
    }
    let client = Client::builder().configure(&trust::provider_config()).build();
    let answer = tokio::time::timeout(ANSWER_TIME_MAX, client.get(path)).await;
    let answer = answer.map_err(|_| fault(path, format!("no answer within {ANSWER_TIME_MAX:?}")))?;
    let text = answer.map_err(|error| fault(path, DisplayErrorContext(error).to_string()))?;
    Ok(text.as_ref().trim().to_owned())
}

fn fault(path: &str, why: impl Into<String>) -> Fault {
    Fault::new(format!("instance metadata {path}"), Kind::Identity, why)
}
