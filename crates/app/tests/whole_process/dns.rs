//! The DNS records of hosts, through AWS' SDK: what is sent and read is what moto, which others wrote, reads and sends. What moto
//! is lax about stands against our own model, in the tests of `crates/aws`.

use std::io::Read;
use std::net::TcpListener;
use std::process::Command;

use serde_json::Value;

use crate::load_balancers::moto::set_the_scene;
use crate::support::moto::{Moto, element};
use crate::support::{Client, Folder, Gate, Upstream, eventually, ingress, output, program, service, slice};

/// The program with these flags and credentials.
fn with_credentials(args: &[&str], endpoint: &str) -> Command {
    let mut command = without_credentials(args, endpoint);
    command.envs([("AWS_ACCESS_KEY_ID", "AKIDEXAMPLE"), ("AWS_SECRET_ACCESS_KEY", "not a secret")]);
    command
}

fn without_credentials(args: &[&str], endpoint: &str) -> Command {
    let mut command = program(args);
    for (name, _) in std::env::vars_os().filter(|(name, _)| name.to_string_lossy().starts_with("AWS_")) {
        command.env_remove(name);
    }
    command.envs([("AWS_CONFIG_FILE", "/dev/null"), ("AWS_SHARED_CREDENTIALS_FILE", "/dev/null")]);
    command.env("AWS_EC2_METADATA_DISABLED", "true").env("SLUICEGATE_AWS_ENDPOINT", endpoint);
    command
}

/// A shop in a zone of its own.
struct Shop {
    moto: Moto,
    zone: String,
    folder: Folder,
    _upstream: Upstream,
}

impl Shop {
    fn open(zone: &str) -> Shop {
        let moto = Moto::start();
        let body = format!(
            "<CreateHostedZoneRequest xmlns=\"https://route53.amazonaws.com/doc/2013-04-01/\"><Name>{zone}</Name>\
             <CallerReference>{zone}</CallerReference></CreateHostedZoneRequest>"
        );
        let target = "POST /2013-04-01/hostedzone";
        let answer = moto.ask("route53", "us-east-1", target, "application/xml", &body);
        let zone = element(&answer, "Id");
        let upstream = Upstream::start("one");
        let service = (("service.yaml"), service("web"));
        let folder = Folder::new(&[service, ("slice.yaml", slice("web", upstream.address, true))]);
        Shop { moto, zone, folder, _upstream: upstream }
    }

    fn endpoint(&self) -> String {
        format!("http://{}", self.moto.address)
    }

    /// An Ingress whose clients come from there, as one of the dialects has it.
    fn serve(&self, name: &str, host: &str, annotation: &str) {
        let annotated = format!("metadata: {{ annotations: {{ {annotation} }},");
        let manifest = ingress(name, &format!("'{host}'"), "/", "web").replace("metadata: {", &annotated);
        self.folder.write(&format!("{name}.yaml"), &manifest);
    }

    fn gate(&self, more: &[&str]) -> Gate {
        let mut command = with_credentials(&["run", "--manifests"], &self.endpoint());
        command.arg(self.folder.path()).args(["--dns-owner", "test", "--dns-interval", "300ms"]).args(more);
        Gate::run(&mut command).ready()
    }

    /// The exit code of `dns plan`, and what it says.
    fn plan(&self, more: &[&str]) -> (Option<i32>, Value) {
        let mut command =
            with_credentials(&["dns", "plan", "--format", "json", "--manifests"], &self.endpoint());
        let asked = output(command.arg(self.folder.path()).args(["--dns-owner", "test"]).args(more));
        let told = String::from_utf8_lossy(&asked.stderr).into_owned();
        (asked.status.code(), serde_json::from_slice(&asked.stdout).unwrap_or_else(|_| panic!("{told}")))
    }

    /// All that is in the zone, as moto lists it.
    fn records(&self) -> String {
        let target = format!("GET /2013-04-01{}/rrset?maxitems=300", self.zone);
        self.moto.ask("route53", "us-east-1", &target, "application/xml", "")
    }
}

const TARGET: [&str; 2] = ["--dns-target", "internet-facing=lb.example.net"];

#[test]
fn hosts_are_found_by_records_which_come_and_go_with_them() {
    let shop = Shop::open("example.com");
    shop.serve("web", "shop.example.com", "sluicegate.io/frontend-scheme: internet-facing");
    shop.serve("all", "*.all.example.com", "sky.uk/frontend-scheme: internet-facing");
    shop.serve("silent", "silent.example.com", "");
    let (code, planned) = shop.plan(&TARGET);
    assert_eq!((code, planned["changes"].as_array().map(Vec::len)), (Some(1), Some(2)), "{planned:#}");
    assert!(!shop.records().contains("lb.example.net"), "a plan changes nothing");

    let gate = shop.gate(&TARGET);
    eventually("all in place", || (shop.plan(&TARGET).0 == Some(0)).then_some(()));
    let records = shop.records();
    for written in
        ["shop.example.com.", "cname-shop.example.com.", "external-dns/owner=test", "ingress/shop/web"]
    {
        assert!(records.contains(written), "{written}: {records}");
    }
    assert!(!records.contains("silent"), "{records}");
    // A cycle is told when it is over, which is after its last write.
    eventually("what the process says of it", || {
        let state = gate.json("/state");
        (state["dns"]["writes"] == true && state["dns"]["inPlace"] == 2).then_some(())
    });
    let (_, metrics) = gate.page("/metrics");
    assert!(metrics.contains("sluicegate_dns_names{state=\"in place\"} 2"), "{metrics}");

    shop.folder.remove("web.yaml");
    eventually("gone", || (!shop.records().contains("shop.example.com")).then_some(()));
    assert!(shop.records().contains("all.example.com"), "the other one stays");
}

#[test]
fn load_balancers_that_are_found_are_led_to_by_aliases() {
    let shop = Shop::open("example.com");
    let instance = set_the_scene(&shop.moto);
    shop.serve("web", "shop.example.com", "sky.uk/frontend-elb-scheme: internal");
    let which = ["--frontend-names", "nlb", "--aws-region", "eu-west-1", "--frontend-instance-id", &instance];
    let (_, planned) = shop.plan(&which);
    assert_eq!(planned["changes"][0]["records"][0]["alias"], true, "{planned:#}");
    let _gate = shop.gate(&which);
    eventually("in place", || (shop.plan(&which).0 == Some(0)).then_some(()));
    let records = shop.records();
    assert!(records.contains("<AliasTarget>") && records.contains("a-shop.example.com."), "{records}");
}

#[test]
fn more_records_than_a_page_has_are_read_to_the_end() {
    let shop = Shop::open("example.com");
    let hosts: Vec<String> = (0..200).map(|at| format!("host-{at}.example.com")).collect();
    for (at, host) in hosts.iter().enumerate() {
        shop.serve(&format!("web-{at}"), host, "sluicegate.io/frontend-scheme: internet-facing");
    }
    let _gate = shop.gate(&TARGET);
    eventually("all 400 in place", || (shop.plan(&TARGET).0 == Some(0)).then_some(()));
}

/// What the process says of DNS once it has tried.
fn error(gate: &Gate) -> String {
    eventually("it is told", || Some(gate.json("/state")["dns"]["error"].as_str()?.to_owned()))
}

#[test]
fn without_credentials_a_remedy_is_told_and_traffic_is_served() {
    let shop = Shop::open("example.com");
    shop.serve("web", "shop.example.com", "sluicegate.io/frontend-scheme: internet-facing");
    let mut command = without_credentials(&["run", "--manifests"], &shop.endpoint());
    let gate = Gate::run(command.arg(shop.folder.path()).args(["--dns-owner", "test"]).args(TARGET)).ready();
    let told = error(&gate);
    assert!(
        told.contains("there are no valid credentials") && told.contains("give the pod a role"),
        "{told}"
    );
    assert_eq!(Client::connect(gate.http).get("shop.example.com", "/").status, 200);
    assert!(!shop.records().contains("shop.example.com"), "nothing is written");
}

#[test]
fn a_zone_that_is_not_there_is_named() {
    let shop = Shop::open("example.com");
    let mut command = with_credentials(&["dns", "plan", "--manifests"], &shop.endpoint());
    let asked =
        output(command.arg(shop.folder.path()).args(["--dns-owner", "test", "--dns-zone", "example.org"]));
    let told = String::from_utf8(asked.stderr).unwrap();
    assert_eq!(asked.status.code(), Some(1), "{told}");
    assert!(
        told.contains("example.org is not among this account's") && told.contains("--dns-zone"),
        "{told}"
    );
}

#[test]
fn an_api_that_never_answers_is_given_up_and_traffic_is_served() {
    let hangs = TcpListener::bind("127.0.0.1:0").unwrap();
    let endpoint = format!("http://{}", hangs.local_addr().unwrap());
    std::thread::spawn(move || {
        let mut open = Vec::new();
        for stream in hangs.incoming() {
            let mut stream = stream.unwrap();
            let _ = stream.read(&mut [0; 1024]);
            open.push(stream);
        }
    });
    let upstream = Upstream::start("one");
    let folder = Folder::new(&[
        ("web.yaml", ingress("web", "shop.example.com", "/", "web")),
        ("service.yaml", service("web")),
        ("slice.yaml", slice("web", upstream.address, true)),
    ]);
    let mut command = with_credentials(&["run", "--manifests"], &endpoint);
    let gate = Gate::run(command.arg(folder.path()).args(["--dns-owner", "test"]).args(TARGET)).ready();
    let told = error(&gate);
    assert!(told.contains("there is no answer") && told.contains("--aws-endpoint"), "{told}");
    assert_eq!(Client::connect(gate.http).get("shop.example.com", "/").status, 200);
}
