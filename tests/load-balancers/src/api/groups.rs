//! Network and Application Load Balancers, and target groups.

use super::{Refusal, is_classic, only, page, refuse, tagged, tags};
use crate::model::{Balancer, Group, Kind, Model, TargetType};
use crate::query::{Query, members, tag};

pub(super) fn call(query: &Query, model: &mut Model) -> Result<String, Refusal> {
    match &*query.action {
        "DescribeLoadBalancers" => {
            only(query, &["PageSize", "Marker"])?;
            let all = model.balancers.iter().filter(|balancer| !is_classic(balancer)).collect();
            let (found, marker) = page(query, all)?;
            Ok(members("LoadBalancers", found, description) + &marker)
        }
        "DescribeTags" => {
            only(query, &["ResourceArns"])?;
            let arns = tagged(query, "ResourceArns")?;
            let found = arns.iter().map(|arn| find(model, arn)).collect::<Result<Vec<_>, _>>()?;
            Ok(members("TagDescriptions", found, |one| tag("ResourceArn", &one.arn()) + &tags(one)))
        }
        "DescribeTargetGroups" => {
            let groups = asked_for(query, model)?;
            Ok(members("TargetGroups", groups, |group| shown(group, model)))
        }
        "DescribeTargetGroupAttributes" => {
            only(query, &["TargetGroupArn"])?;
            let delay = group(query, model)?.delay.to_string();
            let attributes =
                [("stickiness.enabled", "false"), ("deregistration_delay.timeout_seconds", &*delay)];
            Ok(members("Attributes", attributes, |(key, value)| tag("Key", key) + &tag("Value", value)))
        }
        "DescribeTargetHealth" => {
            let (name, targets) = targets(query, model)?;
            Ok(members("TargetHealthDescriptions", &targets, |(id, port)| {
                let port = tag("Port", &port.unwrap_or(80).to_string());
                tag("Target", &(tag("Id", id) + &port)) + &health(model.state(&name, id))
            }))
        }
        "RegisterTargets" => {
            let (name, targets) = targets(query, model)?;
            targets.iter().for_each(|(id, port)| model.register(&name, id, *port));
            Ok(String::new())
        }
        "DeregisterTargets" => {
            let (name, targets) = targets(query, model)?;
            targets.iter().for_each(|(id, _)| model.deregister(&name, id));
            Ok(String::new())
        }
        other => refuse("InvalidAction", other),
    }
}

fn find<'a>(model: &'a Model, arn: &str) -> Result<&'a Balancer, Refusal> {
    let found = model.balancers.iter().find(|balancer| !is_classic(balancer) && balancer.arn() == arn);
    found.map_or_else(|| refuse("LoadBalancerNotFound", format!("Load balancers '[{arn}]' not found")), Ok)
}

fn group<'a>(query: &Query, model: &'a Model) -> Result<&'a Group, Refusal> {
    let arn = query.value("TargetGroupArn").unwrap_or_default();
    let found = model.groups.iter().find(|group| group.arn() == arn);
    found.map_or_else(|| refuse("TargetGroupNotFound", format!("Target groups '[{arn}]' not found")), Ok)
}

fn asked_for<'a>(query: &Query, model: &'a Model) -> Result<Vec<&'a Group>, Refusal> {
    only(query, &["LoadBalancerArn", "TargetGroupArns", "Names"])?;
    if let Some(arn) = query.value("LoadBalancerArn") {
        let name = &find(model, arn)?.name;
        return Ok(model.groups.iter().filter(|group| group.balancer.as_ref() == Some(name)).collect());
    }
    let (arns, names) = (query.list("TargetGroupArns", ""), query.list("Names", ""));
    let is_asked = |group: &&Group| arns.contains(&&*group.arn()) || names.contains(&&*group.name);
    let found: Vec<&Group> = model.groups.iter().filter(is_asked).collect();
    if found.len() < arns.len() + names.len() {
        return refuse("TargetGroupNotFound", "One or more target groups not found");
    }
    Ok(found)
}

/// Targets, each with its port if one is named.
type Targets = Vec<(String, Option<u16>)>;

/// The targets that are named, each by what its group registers.
fn targets(query: &Query, model: &Model) -> Result<(String, Targets), Refusal> {
    only(query, &["TargetGroupArn", "Targets"])?;
    let group = group(query, model)?;
    let ids = query.list("Targets", ".Id");
    let port =
        |at: usize| query.value(&format!("Targets.member.{}.Port", at + 1)).map(|raw| raw.parse().unwrap());
    let fits = |id: &&str| match group.target {
        TargetType::Instance => id.starts_with("i-"),
        TargetType::Ip => id.parse::<std::net::IpAddr>().is_ok(),
        TargetType::Lambda => false,
    };
    if ids.is_empty() || !ids.iter().all(fits) {
        return refuse("InvalidTarget", format!("The following targets are not valid: {ids:?}"));
    }
    let targets = ids.iter().enumerate().map(|(at, id)| ((*id).to_owned(), port(at)));
    Ok((group.name.clone(), targets.collect()))
}

fn description(one: &Balancer) -> String {
    let (name, kind) = (&one.name, if one.kind == Kind::Network { "network" } else { "application" });
    tag("LoadBalancerArn", &one.arn())
        + &tag("LoadBalancerName", name)
        + &tag("DNSName", &format!("{name}-1.elb.eu-west-1.amazonaws.com"))
        + &tag("CanonicalHostedZoneId", "Z2IFOLAFXWLO4F")
        + &tag("Scheme", one.scheme)
        + &tag("Type", kind)
        + &tag("IpAddressType", "ipv4")
}

fn shown(group: &Group, model: &Model) -> String {
    let kind = match group.target {
        TargetType::Instance => "instance",
        TargetType::Ip => "ip",
        TargetType::Lambda => "lambda",
    };
    let balancer = model.balancers.iter().find(|it| Some(&it.name) == group.balancer.as_ref());
    tag("TargetGroupArn", &group.arn())
        + &tag("TargetGroupName", &group.name)
        + &tag("TargetType", kind)
        + &members("LoadBalancerArns", balancer, Balancer::arn)
}

/// In the words of AWS.
fn health(state: &str) -> String {
    let (reason, description) = match state {
        "initial" => ("Elb.RegistrationInProgress", "Target registration is in progress"),
        "draining" => ("Target.DeregistrationInProgress", "Target deregistration is in progress"),
        "unhealthy" => ("Target.FailedHealthChecks", "Health checks failed"),
        "unused" => ("Target.NotRegistered", "Target is not registered to the target group"),
        _ => return tag("TargetHealth", &tag("State", state)),
    };
    tag("TargetHealth", &(tag("State", state) + &tag("Reason", reason) + &tag("Description", description)))
}
