//! The calls of both services of Elastic Load Balancing, as values of ours.

mod classic;
mod groups;

use aws_config::SdkConfig;

use super::fault::{Fault, Kind as FaultKind};
use super::{At, Health, Operation, Place};
use crate::target::LoadBalancer;

/// Pages of a list; AWS' largest pages have 400 entries.
const PAGES_MAX: usize = 100;
/// Entries that are asked for at a time, AWS' maximum.
const PAGE_SIZE: i32 = 400;
/// Names of which the tags may be asked for at a time, AWS' maximum.
const TAGS_MAX: usize = 20;

/// A load balancer as AWS lists it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Found {
    pub(super) name: String,
    /// None of a classic one.
    pub(super) arn: Option<String>,
    pub(super) kind: super::Kind,
    pub(super) scheme: String,
    pub(super) dns: LoadBalancer,
}

impl Found {
    /// By what it is asked for.
    fn id(&self) -> &str {
        self.arn.as_deref().unwrap_or(&self.name)
    }
}

/// Both services.
#[derive(Clone, Debug)]
pub struct Calls {
    classic: aws_sdk_elasticloadbalancing::Client,
    groups: aws_sdk_elasticloadbalancingv2::Client,
    pub(super) region: String,
}

impl Calls {
    /// With a region; AWS' services have no address without one.
    ///
    /// # Errors
    /// If none is known.
    pub fn new(config: &SdkConfig) -> Result<Calls, Fault> {
        let region = config.region().map(ToString::to_string);
        let nowhere =
            "neither AWS_REGION, nor a profile, nor the instance metadata service names one".to_owned();
        let region = region.ok_or_else(|| Fault::new("region", FaultKind::Region, nowhere))?;
        Ok(Calls {
            classic: aws_sdk_elasticloadbalancing::Client::new(config),
            groups: aws_sdk_elasticloadbalancingv2::Client::new(config),
            region,
        })
    }

    /// All load balancers of this account and region.
    pub(super) async fn balancers(&self) -> Result<Vec<Found>, Fault> {
        let (classic, others) = tokio::join!(self.classic_balancers(), self.other_balancers());
        let mut found = classic?;
        found.extend(others?);
        Ok(found)
    }

    /// The tags of some of them, in the order in which they were asked for.
    pub(super) async fn tags(&self, of: &[Found]) -> Result<Vec<Vec<(String, String)>>, Fault> {
        let (classic, others): (Vec<&Found>, Vec<&Found>) = of.iter().partition(|found| found.arn.is_none());
        let mut tagged = Vec::new();
        for names in classic.chunks(TAGS_MAX) {
            tagged.extend(self.classic_tags(names).await?);
        }
        for arns in others.chunks(TAGS_MAX) {
            tagged.extend(self.other_tags(arns).await?);
        }
        let of = of.iter().map(|found| {
            let tags = tagged.iter().filter(|(id, _)| id == found.id());
            tags.flat_map(|(_, tags)| tags.clone()).collect()
        });
        Ok(of.collect())
    }

    /// What AWS says of this node at a place.
    pub(super) async fn look(&self, place: &Place, target: &Registered) -> Result<Health, Fault> {
        let looked = match &place.at {
            At::Classic(name) => self.instance_health(name, target).await,
            At::Group(arn, _) => self.target_health(arn, target).await,
        };
        match looked {
            Err(Fault { kind: FaultKind::UnknownTarget, .. }) => Ok(Health::Absent),
            looked => looked,
        }
    }

    /// Registers this node. It takes effect some time later.
    pub(super) async fn register(&self, place: &Place, target: &Registered) -> Result<(), Fault> {
        match &place.at {
            At::Classic(name) => self.register_instance(name, target).await,
            At::Group(arn, _) => self.register_target(arn, target).await,
        }
    }

    /// Deregisters this node. It takes effect some time later, and connections are drained after that.
    pub(super) async fn deregister(&self, place: &Place, target: &Registered) -> Result<(), Fault> {
        let done = match &place.at {
            At::Classic(name) => self.deregister_instance(name, target).await,
            At::Group(arn, _) => self.deregister_target(arn, target).await,
        };
        match done {
            // It was not registered.
            Err(Fault { kind: FaultKind::UnknownTarget, .. }) => Ok(()),
            done => done,
        }
    }
}

/// By what this node is registered.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Registered {
    pub(super) id: String,
    pub(super) port: Option<u16>,
}

/// A call of either service.
macro_rules! call {
    ($operation:ident, $request:expr) => {
        $request.send().await.map_err(|error| Fault::of(Operation::$operation.as_str(), &error))
    };
}
use call;

fn endless(operation: Operation) -> Fault {
    let why = format!("more than {PAGES_MAX} pages");
    Fault::new(operation.as_str(), FaultKind::Other, why)
}
