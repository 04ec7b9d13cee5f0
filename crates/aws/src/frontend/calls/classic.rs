//! Classic load balancers (API version 2012-06-01).

use std::time::Duration;

use aws_sdk_elasticloadbalancing::types::{Instance, LoadBalancerDescription};

use super::super::fault::Fault;
use super::super::health::{self, Health};
use super::super::{Kind, Operation};
use super::{Calls, Found, PAGE_SIZE, PAGES_MAX, Registered, call, endless};
use crate::target::LoadBalancer;

impl Calls {
    pub(super) async fn classic_balancers(&self) -> Result<Vec<Found>, Fault> {
        let (mut found, mut marker) = (Vec::new(), None);
        for _ in 0..PAGES_MAX {
            let request = self.classic.describe_load_balancers().page_size(PAGE_SIZE).set_marker(marker);
            let page = call!(DescribeLoadBalancers, request)?;
            found.extend(page.load_balancer_descriptions().iter().filter_map(as_found));
            marker = page.next_marker.filter(|marker| !marker.is_empty());
            if marker.is_none() {
                return Ok(found);
            }
        }
        Err(endless(Operation::DescribeLoadBalancers))
    }

    pub(super) async fn classic_tags(
        &self,
        of: &[&Found],
    ) -> Result<Vec<(String, Vec<(String, String)>)>, Fault> {
        let names = of.iter().map(|found| found.name.clone()).collect();
        let request = self.classic.describe_tags().set_load_balancer_names(Some(names));
        let answer = call!(DescribeTags, request)?;
        let tagged = answer.tag_descriptions().iter().map(|one| {
            let tags = one.tags().iter();
            let tags = tags.map(|tag| (tag.key().to_owned(), tag.value().unwrap_or_default().to_owned()));
            (one.load_balancer_name().unwrap_or_default().to_owned(), tags.collect())
        });
        Ok(tagged.collect())
    }

    /// How long a classic load balancer drains connections; not at all unless that is switched on.
    pub(in super::super) async fn connection_draining(&self, name: &str) -> Result<Duration, Fault> {
        let request = self.classic.describe_load_balancer_attributes().load_balancer_name(name);
        let answer = call!(DescribeLoadBalancerAttributes, request)?;
        let draining = answer.load_balancer_attributes().and_then(|all| all.connection_draining());
        let seconds = draining.filter(|draining| draining.enabled()).map(|it| it.timeout().unwrap_or(300));
        Ok(Duration::from_secs(seconds.unwrap_or(0).max(0).unsigned_abs().into()))
    }

    pub(super) async fn instance_health(&self, name: &str, target: &Registered) -> Result<Health, Fault> {
        let request = self.classic.describe_instance_health().load_balancer_name(name);
        let answer = call!(DescribeInstanceHealth, request.instances(instance(target)))?;
        Ok(health::of_instance(answer.instance_states(), &target.id))
    }

    pub(super) async fn register_instance(&self, name: &str, target: &Registered) -> Result<(), Fault> {
        let request = self.classic.register_instances_with_load_balancer().load_balancer_name(name);
        call!(RegisterInstancesWithLoadBalancer, request.instances(instance(target))).map(drop)
    }

    pub(super) async fn deregister_instance(&self, name: &str, target: &Registered) -> Result<(), Fault> {
        let request = self.classic.deregister_instances_from_load_balancer().load_balancer_name(name);
        call!(DeregisterInstancesFromLoadBalancer, request.instances(instance(target))).map(drop)
    }
}

fn instance(target: &Registered) -> Instance {
    Instance::builder().instance_id(&target.id).build()
}

/// One without a name is none.
fn as_found(one: &LoadBalancerDescription) -> Option<Found> {
    let dns = LoadBalancer {
        dns_name: one.dns_name().unwrap_or_default().to_owned(),
        zone_id: one.canonical_hosted_zone_name_id().unwrap_or_default().to_owned(),
        // Each has a name that begins with `dualstack.`, with addresses of both families.
        dual_stack: one.scheme() == Some("internet-facing"),
    };
    let (name, scheme) = (one.load_balancer_name()?.to_owned(), one.scheme().unwrap_or_default().to_owned());
    Some(Found { name, arn: None, kind: Kind::Classic, scheme, dns })
}
