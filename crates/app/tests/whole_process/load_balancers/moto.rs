//! The same against moto, which others wrote: that what is sent and read is what AWS' other clients send and read. Moto knows no
//! drains and no delays; those are our own stand-in's.

use rustix::process::Signal;

use super::{Account, CLASS_TAG, TAG, knows, serves};
use crate::support::moto::{Moto, element};
use crate::support::output;

/// A call that only sets the scene; returns the content of an element of its answer.
fn call(moto: &Moto, service: &str, form: &str, name: &str) -> String {
    element(&moto.ask(service, "eu-west-1", "POST /", "application/x-www-form-urlencoded", form), name)
}

/// An instance, a classic load balancer, and a network load balancer with a target group; returns the instance.
pub(crate) fn set_the_scene(moto: &Moto) -> String {
    let run = "Action=RunInstances&Version=2016-11-15&ImageId=ami-12c6146b&MinCount=1&MaxCount=1";
    let instance = call(moto, "ec2", run, "instanceId");
    let subnets = "Action=DescribeSubnets&Version=2016-11-15";
    let (subnet, vpc) = (call(moto, "ec2", subnets, "subnetId"), call(moto, "ec2", subnets, "vpcId"));
    let tag = |number, key: &str, value| {
        format!("&Tags.member.{number}.Key={key}&Tags.member.{number}.Value={value}")
    };
    let tags = tag(1, TAG, "shop") + &tag(2, CLASS_TAG, "sluicegate");
    let elb = |form: String, element: &str| call(moto, "elasticloadbalancing", &(form + &tags), element);
    let listener = "Listeners.member.1.Protocol=TCP&Listeners.member.1.LoadBalancerPort=80&Listeners.member.1.InstancePort=80";
    let classic = "Action=CreateLoadBalancer&Version=2012-06-01&LoadBalancerName=old&AvailabilityZones.member.1=eu-west-1a";
    elb(format!("{classic}&{listener}"), "DNSName");
    let network = "Action=CreateLoadBalancer&Version=2015-12-01&Name=nlb&Type=network&Scheme=internal";
    let balancer = elb(format!("{network}&Subnets.member.1={subnet}"), "LoadBalancerArn");
    let group =
        "Action=CreateTargetGroup&Version=2015-12-01&Name=web&Protocol=TCP&Port=80&TargetType=instance";
    let group = elb(format!("{group}&VpcId={vpc}"), "TargetGroupArn");
    let to = format!("DefaultActions.member.1.Type=forward&DefaultActions.member.1.TargetGroupArn={group}");
    let listener = "Action=CreateListener&Version=2015-12-01&Protocol=TCP&Port=80";
    elb(format!("{listener}&LoadBalancerArn={balancer}&{to}"), "ListenerArn");
    instance
}

#[test]
fn moto_understands_all_that_is_asked_and_is_understood() {
    let (moto, account) = (Moto::start(), Account::open());
    let instance = set_the_scene(&moto);
    let endpoint = format!("http://{}", moto.address);
    let status = || {
        let flags = ["--frontend-tag-value", "shop", "--aws-region", "eu-west-1", "--format", "json"];
        let mut status = account.program(&["frontend", "status", "--frontend-instance-id", &instance]);
        let asked = output(status.args(flags).args(["--aws-endpoint", &endpoint]));
        let text = String::from_utf8(asked.stdout).unwrap();
        (asked.status.code(), text + &String::from_utf8(asked.stderr).unwrap())
    };
    let mut gate = account.gate(&instance, &["--aws-endpoint", &endpoint, "--frontend-drain-max", "3s"]);
    knows(&gate, "in service");
    let (code, shown) = status();
    assert_eq!(code, Some(0), "{shown}");
    assert!(shown.contains("\"nlb/web\"") && shown.contains("\"old\""), "{shown}");
    serves(gate.http);
    gate.signal(Signal::TERM);
    assert_eq!(gate.exit_code(), 0, "{}", gate.log());
    let (code, shown) = status();
    assert_eq!(code, Some(1), "{shown}");
    assert!(!shown.contains("in service"), "{shown}");
}
