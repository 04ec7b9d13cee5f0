//! A node behind the load balancers of AWS: registered while it serves, gone before it drains, whatever their API does.

mod failures;
mod leaving;
pub(crate) mod moto;
mod replaced;
mod status;

use std::net::SocketAddr;
use std::time::Duration;

use load_balancers::{Balancer, Elb, Group, Kind, TargetType};

use crate::support::{Folder, Gate, Upstream, eventually, ingress, program, service, slice};

const HOST: &str = "shop.example.com";
const TAG: &str = "sky.uk/KubernetesClusterFrontend";
const CLASS_TAG: &str = "sky.uk/KubernetesClusterIngressClass";
/// From a registration until it takes effect, and from a deregistration until no new client comes.
const ARRIVAL: Duration = Duration::from_millis(300);
const LAG: Duration = Duration::from_millis(700);
/// Seconds for which a target group drains; a classic load balancer does so, too.
const DRAIN: u64 = 2;

/// A shop with one upstream, in an account of AWS.
struct Account {
    elb: Elb,
    folder: Folder,
    _upstream: Upstream,
}

impl Account {
    fn open() -> Account {
        let upstream = Upstream::start("one");
        let folder = Folder::new(&[
            ("web.yaml", ingress("web", HOST, "/", "web")),
            ("service.yaml", service("web")),
            ("slice.yaml", slice("web", upstream.address, true)),
        ]);
        Account { elb: Elb::start(ARRIVAL, LAG), folder, _upstream: upstream }
    }

    /// With a load balancer of each kind, tagged as ours.
    fn with_all_kinds() -> Account {
        let account = Account::open();
        account.elb.add(ours(Balancer::new(Kind::Classic, "old")));
        account.add_network();
        account.elb.add(ours(Balancer::new(Kind::Application, "alb").internal()));
        account.elb.add_group(Group::new("alb-ip", "alb", TargetType::Ip, DRAIN));
        account
    }

    /// A network load balancer with one target group.
    fn add_network(&self) {
        self.elb.add(ours(Balancer::new(Kind::Network, "nlb")));
        self.elb.add_group(Group::new("nlb-http", "nlb", TargetType::Instance, DRAIN));
    }

    /// A process on an instance, with the flags that find load balancers by their tag.
    fn gate(&self, instance: &str, more: &[&str]) -> Gate {
        self.bound(instance, more).ready()
    }

    fn bound(&self, instance: &str, more: &[&str]) -> Gate {
        let mut command = self.program(&["run", "--manifests"]);
        command.arg(self.folder.path()).args(["--aws-region", "eu-west-1", "--frontend-interval", "400ms"]);
        command.args(["--frontend-tag-value", "shop", "--idle-timeout", "2s"]);
        // The word of the load balancers alone makes it wait.
        if !more.contains(&"--lame-duck-time") {
            command.args(["--lame-duck-time", "0s"]);
        }
        if !instance.is_empty() {
            command.args(["--frontend-instance-id", instance]);
        }
        Gate::run(command.args(more))
    }

    /// The program with credentials, and our stand-in for all of AWS.
    fn program(&self, args: &[&str]) -> std::process::Command {
        let mut command = program(args);
        for (name, _) in std::env::vars_os().filter(|(name, _)| name.to_string_lossy().starts_with("AWS_")) {
            command.env_remove(name);
        }
        let credentials = [("AWS_ACCESS_KEY_ID", "AKIDEXAMPLE"), ("AWS_SECRET_ACCESS_KEY", "not a secret")];
        let nothing = [("AWS_CONFIG_FILE", "/dev/null"), ("AWS_SHARED_CREDENTIALS_FILE", "/dev/null")];
        command.envs(credentials).envs(nothing);
        command.env("SLUICEGATE_AWS_ENDPOINT", &self.elb.endpoint);
        command.env("AWS_EC2_METADATA_SERVICE_ENDPOINT", &self.elb.endpoint);
        command
    }

    fn becomes(&self, place: &str, target: &str, state: &str) {
        let what = format!("{target} {state} at {place}");
        eventually(&what, || (self.elb.state(place, target) == state).then_some(()));
    }

    /// Nothing was asked that AWS would refuse.
    fn was_asked_well(&self) {
        assert_eq!(self.elb.refused(), Vec::<String>::new());
    }
}

fn ours(balancer: Balancer) -> Balancer {
    balancer.tagged(TAG, "shop").tagged(CLASS_TAG, "sluicegate")
}

/// Waits until the process itself knows this of all its places.
fn knows(gate: &Gate, state: &str) {
    eventually(&format!("all {state}"), || {
        let page = gate.json("/state");
        let found = page["loadBalancers"]["found"].as_array()?.clone();
        (!found.is_empty() && found.iter().all(|one| one["state"] == state)).then_some(())
    });
}

/// Waits until the log has this.
fn says(gate: &Gate, what: &str) {
    eventually(what, || gate.log().contains(what).then_some(()));
}

fn serves(address: SocketAddr) {
    assert_eq!(crate::support::Client::connect(address).get(HOST, "/").status, 200);
}
