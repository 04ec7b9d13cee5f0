//! Classic load balancers.

use super::{Refusal, is_classic, only, page, refuse, tagged, tags};
use crate::model::{Balancer, Model};
use crate::query::{Query, members, tag};

const NAME: &str = "LoadBalancerName";

pub(super) fn call(query: &Query, model: &mut Model) -> Result<String, Refusal> {
    match &*query.action {
        "DescribeLoadBalancers" => {
            only(query, &["PageSize", "Marker"])?;
            let (found, marker) = page(query, model.balancers.iter().filter(is_classic).collect())?;
            Ok(members("LoadBalancerDescriptions", found, description) + &marker)
        }
        "DescribeTags" => {
            only(query, &["LoadBalancerNames"])?;
            let names = tagged(query, "LoadBalancerNames")?;
            let found = names.iter().map(|name| find(model, name)).collect::<Result<Vec<_>, _>>()?;
            Ok(members("TagDescriptions", found, |one| tag(NAME, &one.name) + &tags(one)))
        }
        "DescribeLoadBalancerAttributes" => {
            only(query, &[NAME])?;
            let drain = find(model, named(query)?)?.drain;
            let draining = tag("Enabled", &drain.is_some().to_string())
                + &tag("Timeout", &drain.unwrap_or(300).to_string());
            Ok(tag("LoadBalancerAttributes", &tag("ConnectionDraining", &draining)))
        }
        "DescribeInstanceHealth" => {
            let (name, ids) = instances(query, model)?;
            Ok(members("InstanceStates", &ids, |id| health(id, model.state(&name, id))))
        }
        "RegisterInstancesWithLoadBalancer" => {
            let (name, ids) = instances(query, model)?;
            ids.iter().for_each(|id| model.register(&name, id, None));
            Ok(members("Instances", &ids, |id| tag("InstanceId", id)))
        }
        "DeregisterInstancesFromLoadBalancer" => {
            let (name, ids) = instances(query, model)?;
            ids.iter().for_each(|id| model.deregister(&name, id));
            Ok(members("Instances", &ids, |id| tag("InstanceId", id)))
        }
        other => refuse("InvalidAction", other),
    }
}

fn named(query: &Query) -> Result<&str, Refusal> {
    query.value(NAME).map_or_else(|| refuse("ValidationError", "name a load balancer"), Ok)
}

fn find<'a>(model: &'a Model, name: &str) -> Result<&'a Balancer, Refusal> {
    let found = model.balancers.iter().filter(is_classic).find(|balancer| balancer.name == name);
    found.map_or_else(
        || refuse("LoadBalancerNotFound", format!("There is no ACTIVE Load Balancer named '{name}'")),
        Ok,
    )
}

fn instances(query: &Query, model: &Model) -> Result<(String, Vec<String>), Refusal> {
    only(query, &[NAME, "Instances"])?;
    let name = find(model, named(query)?)?.name.clone();
    let ids: Vec<String> = query.list("Instances", ".InstanceId").into_iter().map(str::to_owned).collect();
    if ids.is_empty() || ids.iter().any(|id| !id.starts_with("i-")) {
        return refuse("InvalidInstance", format!("Could not find EC2 instance {ids:?}"));
    }
    Ok((name, ids))
}

fn description(one: &Balancer) -> String {
    let name = &one.name;
    tag(NAME, name)
        + &tag("DNSName", &format!("{name}-1.eu-west-1.elb.amazonaws.com"))
        + &tag("CanonicalHostedZoneNameID", "Z32O12XQLNTSW2")
        + &tag("Scheme", one.scheme)
}

/// In the words of AWS.
fn health(id: &str, state: &str) -> String {
    let (state, code, description) = match state {
        "healthy" => ("InService", "N/A", "N/A"),
        "initial" => ("OutOfService", "ELB", "Instance registration is still in progress."),
        "draining" => ("InService", "N/A", "Instance deregistration currently in progress."),
        "unhealthy" => (
            "OutOfService",
            "Instance",
            "Instance has failed at least the UnhealthyThreshold number of health checks consecutively.",
        ),
        _ => ("OutOfService", "N/A", "Instance is not currently registered with the LoadBalancer."),
    };
    tag("InstanceId", id) + &tag("State", state) + &tag("ReasonCode", code) + &tag("Description", description)
}
