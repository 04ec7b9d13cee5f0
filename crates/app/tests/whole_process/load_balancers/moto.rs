//! The same against moto, which others wrote: that what is sent and read is what AWS' other clients send and read. Moto knows no
//! drains and no delays; those are our own stand-in's.

use std::io::{BufRead, BufReader, Read, Write};
use std::net::{SocketAddr, TcpStream};
use std::path::PathBuf;
use std::process::{Child, Command, Stdio};
use std::sync::mpsc;

use rustix::process::Signal;

use super::{Account, CLASS_TAG, TAG, knows, serves};
use crate::support::{PATIENCE, output};

/// Moto's server; killed when the test ends.
struct Moto {
    server: Child,
    address: SocketAddr,
}

impl Moto {
    fn start() -> Moto {
        let cache = std::env::var_os("XDG_CACHE_HOME").map(PathBuf::from);
        let cache = cache.unwrap_or_else(|| PathBuf::from(std::env::var_os("HOME").unwrap()).join(".cache"));
        let mut command = Command::new("python3");
        command.args(["-m", "moto.server", "-H", "127.0.0.1", "-p", "0"]);
        command.env("PYTHONPATH", cache.join("sluicegate/moto"));
        let mut server = command.stdout(Stdio::null()).stderr(Stdio::piped()).spawn().unwrap();
        let (found, address) = mpsc::channel();
        let stderr = server.stderr.take().unwrap();
        std::thread::spawn(move || {
            for line in BufReader::new(stderr).lines().map_while(Result::ok) {
                if let Some((_, address)) = line.split_once("Running on http://") {
                    found.send(address.trim().parse().unwrap()).unwrap();
                }
            }
        });
        let address = address.recv_timeout(PATIENCE).expect("moto, which `cargo xtask setup` installs");
        Moto { server, address }
    }

    /// A call that only sets the scene; returns the content of an element of its answer.
    fn call(&self, service: &str, form: &str, element: &str) -> String {
        let mut stream = TcpStream::connect(self.address).unwrap();
        let scope = format!("20260101/eu-west-1/{service}/aws4_request");
        let signed =
            format!("AWS4-HMAC-SHA256 Credential=AKIDEXAMPLE/{scope}, SignedHeaders=host, Signature=none");
        let length = form.len();
        write!(
            stream,
            "POST / HTTP/1.1\r\nHost: aws\r\nAuthorization: {signed}\r\nConnection: close\r\n\
             Content-Type: application/x-www-form-urlencoded\r\nContent-Length: {length}\r\n\r\n{form}"
        )
        .unwrap();
        let mut answer = String::new();
        stream.read_to_string(&mut answer).unwrap();
        let found =
            answer.split_once(&format!("<{element}>")).unwrap_or_else(|| panic!("{form}: {answer}")).1;
        found.split_once('<').unwrap().0.to_owned()
    }
}

impl Drop for Moto {
    fn drop(&mut self) {
        let _ = self.server.kill();
        let _ = self.server.wait();
    }
}

/// An instance, a classic load balancer, and a network load balancer with a target group; returns the instance.
fn set_the_scene(moto: &Moto) -> String {
    let run = "Action=RunInstances&Version=2016-11-15&ImageId=ami-12c6146b&MinCount=1&MaxCount=1";
    let instance = moto.call("ec2", run, "instanceId");
    let subnets = "Action=DescribeSubnets&Version=2016-11-15";
    let (subnet, vpc) = (moto.call("ec2", subnets, "subnetId"), moto.call("ec2", subnets, "vpcId"));
    let tag = |number, key: &str, value| {
        format!("&Tags.member.{number}.Key={key}&Tags.member.{number}.Value={value}")
    };
    let tags = tag(1, TAG, "shop") + &tag(2, CLASS_TAG, "sluicegate");
    let elb = |form: String, element: &str| moto.call("elasticloadbalancing", &(form + &tags), element);
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
