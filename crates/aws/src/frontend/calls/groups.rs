//! Network and Application Load Balancers, and their target groups (API version 2015-12-01).

use std::time::Duration;

use aws_sdk_elasticloadbalancingv2::operation::describe_target_groups::builders::DescribeTargetGroupsFluentBuilder;
use aws_sdk_elasticloadbalancingv2::types::{
    IpAddressType, LoadBalancer as Description, LoadBalancerTypeEnum, TargetDescription, TargetGroup,
};

use super::super::fault::Fault;
use super::super::health::{self, Health};
use super::super::{Kind, Operation};
use super::{Calls, Found, PAGE_SIZE, PAGES_MAX, Registered, call, endless};
use crate::target::LoadBalancer;

/// How long a target group drains, as its attribute.
const DRAIN_TIME: &str = "deregistration_delay.timeout_seconds";

impl Calls {
    pub(super) async fn other_balancers(&self) -> Result<Vec<Found>, Fault> {
        let (mut found, mut marker) = (Vec::new(), None);
        for _ in 0..PAGES_MAX {
            let request = self.groups.describe_load_balancers().page_size(PAGE_SIZE).set_marker(marker);
            let page = call!(DescribeLoadBalancers, request)?;
            found.extend(page.load_balancers().iter().filter_map(as_found));
            marker = page.next_marker.filter(|marker| !marker.is_empty());
            if marker.is_none() {
                return Ok(found);
            }
        }
        Err(endless(Operation::DescribeLoadBalancers))
    }

    pub(super) async fn other_tags(
        &self,
        of: &[&Found],
    ) -> Result<Vec<(String, Vec<(String, String)>)>, Fault> {
        let arns = of.iter().filter_map(|found| found.arn.clone()).collect();
        let answer = call!(DescribeTags, self.groups.describe_tags().set_resource_arns(Some(arns)))?;
        let tagged = answer.tag_descriptions().iter().map(|one| {
            let tags = one.tags().iter().map(|tag| {
                (tag.key().unwrap_or_default().to_owned(), tag.value().unwrap_or_default().to_owned())
            });
            (one.resource_arn().unwrap_or_default().to_owned(), tags.collect())
        });
        Ok(tagged.collect())
    }

    /// The target groups that a load balancer sends to.
    pub(in super::super) async fn groups_of(&self, balancer: &str) -> Result<Vec<TargetGroup>, Fault> {
        self.target_groups(self.groups.describe_target_groups().load_balancer_arn(balancer)).await
    }

    /// A target group by its name or its ARN.
    pub(in super::super) async fn group(&self, name_or_arn: &str) -> Result<Option<TargetGroup>, Fault> {
        let request = self.groups.describe_target_groups();
        let request = if name_or_arn.starts_with("arn:") {
            request.target_group_arns(name_or_arn)
        } else {
            request.names(name_or_arn)
        };
        Ok(self.target_groups(request).await?.pop())
    }

    async fn target_groups(
        &self,
        request: DescribeTargetGroupsFluentBuilder,
    ) -> Result<Vec<TargetGroup>, Fault> {
        let (mut found, mut marker) = (Vec::new(), None);
        for _ in 0..PAGES_MAX {
            let page = call!(DescribeTargetGroups, request.clone().set_marker(marker))?;
            found.extend_from_slice(page.target_groups());
            marker = page.next_marker.filter(|marker| !marker.is_empty());
            if marker.is_none() {
                return Ok(found);
            }
        }
        Err(endless(Operation::DescribeTargetGroups))
    }

    /// How long a target group drains connections.
    pub(in super::super) async fn deregistration_delay(
        &self,
        group: &str,
    ) -> Result<Option<Duration>, Fault> {
        let request = self.groups.describe_target_group_attributes().target_group_arn(group);
        let answer = call!(DescribeTargetGroupAttributes, request)?;
        let delay = answer.attributes().iter().find(|attribute| attribute.key() == Some(DRAIN_TIME));
        let seconds = delay.and_then(|attribute| attribute.value()).and_then(|raw| raw.parse().ok());
        Ok(seconds.map(Duration::from_secs))
    }

    pub(super) async fn target_health(&self, group: &str, target: &Registered) -> Result<Health, Fault> {
        let request = self.groups.describe_target_health().target_group_arn(group);
        let answer = call!(DescribeTargetHealth, request.targets(description(target)))?;
        let health = answer.target_health_descriptions().first().and_then(|one| one.target_health());
        Ok(health.map_or(Health::Absent, health::of_target))
    }

    pub(super) async fn register_target(&self, group: &str, target: &Registered) -> Result<(), Fault> {
        let request = self.groups.register_targets().target_group_arn(group);
        call!(RegisterTargets, request.targets(description(target))).map(drop)
    }

    pub(super) async fn deregister_target(&self, group: &str, target: &Registered) -> Result<(), Fault> {
        let request = self.groups.deregister_targets().target_group_arn(group);
        call!(DeregisterTargets, request.targets(description(target))).map(drop)
    }
}

fn description(target: &Registered) -> TargetDescription {
    TargetDescription::builder().id(&target.id).set_port(target.port.map(i32::from)).build()
}

/// Gateway Load Balancers send packets to appliances, and nothing to us.
fn as_found(one: &Description) -> Option<Found> {
    let kind = match one.r#type()? {
        LoadBalancerTypeEnum::Application => Kind::Application,
        LoadBalancerTypeEnum::Network => Kind::Network,
        _ => return None,
    };
    let dns = LoadBalancer {
        dns_name: one.dns_name().unwrap_or_default().to_owned(),
        zone_id: one.canonical_hosted_zone_id().unwrap_or_default().to_owned(),
        dual_stack: one.ip_address_type().is_some_and(|family| *family != IpAddressType::Ipv4),
    };
    Some(Found {
        name: one.load_balancer_name()?.to_owned(),
        arn: Some(one.load_balancer_arn()?.to_owned()),
        kind,
        scheme: one.scheme().map(|scheme| scheme.as_str().to_owned()).unwrap_or_default(),
        dns,
    })
}
