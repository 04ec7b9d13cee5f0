//! What is noticed while a process serves.

use std::path::Path;

use load_balancers::{Balancer, Elb, Group, Kind, TargetType};

use super::{ARRIVAL, Account, knows, ours, says, serves};
use crate::support::{Client, eventually};

const ONE: &str = "i-0aaaaaaaaaaaaaaaa";

#[test]
fn a_registration_that_was_lost_is_made_again() {
    let account = Account::open();
    account.add_network();
    let gate = account.gate(ONE, &[]);
    knows(&gate, "in service");
    account.elb.lose("nlb-http", ONE);
    account.becomes("nlb-http", ONE, "healthy");
    says(&gate, "was no longer registered, and is again");
    account.was_asked_well();
}

#[test]
fn a_load_balancer_that_is_replaced_or_new_is_noticed() {
    let account = Account::open();
    let classic = || ours(Balancer::new(Kind::Classic, "old"));
    account.elb.add(classic());
    let gate = account.gate(ONE, &[]);
    account.becomes("old", ONE, "healthy");
    // A new one has no registrations.
    account.elb.add(classic());
    account.becomes("old", ONE, "healthy");
    account.elb.add(ours(Balancer::new(Kind::Classic, "new")));
    account.becomes("new", ONE, "healthy");
    account.elb.delete("old");
    account.add_network();
    account.becomes("nlb-http", ONE, "healthy");
    says(&gate, "load balancer gone");
    knows(&gate, "in service");
    assert_eq!(account.elb.calls("DeregisterTargets"), 0);
}

#[test]
fn each_load_balancer_of_one_scheme_has_the_node_and_those_of_others_do_not() {
    let account = Account::open();
    for name in ["one", "other"] {
        account.elb.add(ours(Balancer::new(Kind::Classic, name)));
    }
    let other_class = Balancer::new(Kind::Classic, "class");
    account.elb.add(other_class.tagged(super::TAG, "shop").tagged(super::CLASS_TAG, "another"));
    account.elb.add(Balancer::new(Kind::Classic, "bare"));
    // More than one page, and more tags than may be asked for at a time.
    for number in 0..25 {
        account
            .elb
            .add(Balancer::new(Kind::Classic, &format!("foreign-{number}")).tagged(super::TAG, "club"));
    }
    let gate = account.gate(ONE, &[]);
    account.becomes("one", ONE, "healthy");
    account.becomes("other", ONE, "healthy");
    knows(&gate, "in service");
    for foreign in ["class", "bare", "foreign-7"] {
        assert_eq!(account.elb.state(foreign, ONE), "unused", "{foreign}");
    }
    says(&gate, "one and other are both internet-facing");
    account.was_asked_well();
}

#[test]
fn what_is_named_needs_no_tags_and_what_is_not_there_is_told() {
    let account = Account::open();
    account.elb.add(Balancer::new(Kind::Classic, "bare"));
    account.elb.add(Balancer::new(Kind::Network, "net"));
    account.elb.add_group(Group::new("by-name", "net", TargetType::Ip, 1));
    account.elb.add_group(Group::new("functions", "net", TargetType::Lambda, 1));
    let flags = ["--frontend-names", "bare,gone", "--target-groups", "by-name,functions,absent"];
    let address = ["--frontend-address", "192.0.2.9", "--frontend-port-override", "8080"];
    let more = [&flags[..], &address, &["--frontend-drain-max", "10s"]].concat();
    let gate = account.gate(ONE, &more);
    account.becomes("bare", ONE, "healthy");
    account.becomes("by-name", "192.0.2.9", "healthy");
    for told in [
        "there is no load balancer gone in eu-west-1",
        "there is no target group absent in eu-west-1",
        "target group functions takes targets of type lambda",
        "nlb net/by-name may drain for 16s, and --frontend-drain-max is 10s: raise it",
    ] {
        says(&gate, told);
    }
}

#[test]
fn a_target_that_is_sent_nobody_is_told_with_the_reason_that_aws_gives() {
    let account = Account::open();
    account.add_network();
    let gate = account.gate(ONE, &[]);
    knows(&gate, "in service");
    account.elb.set_ill("nlb-http", ONE, true);
    knows(&gate, "unhealthy");
    let reason = "Target.FailedHealthChecks: Health checks failed";
    assert_eq!(gate.json("/state")["loadBalancers"]["found"][0]["reason"], reason);
    says(&gate, &format!("AWS sends this node no clients: {reason}"));
    serves(gate.http);
    account.elb.set_ill("nlb-http", ONE, false);
    knows(&gate, "in service");
}

/// The status of `/ready` at a control socket.
fn probe(account: &Account, control: &Path) -> bool {
    let mut probe = account.program(&["probe", "ready", "--control"]);
    probe.arg(control).output().unwrap().status.success()
}

#[test]
fn a_rollout_waits_until_the_node_is_in_service_and_a_load_balancer_does_not() {
    let account = Account { elb: Elb::start(10 * ARRIVAL, ARRIVAL), ..Account::open() };
    account.add_network();
    let control = account.folder.beside("control");
    let flags =
        ["--frontend-ready-wait", "1m", "--health", "127.0.0.1:0", "--control", control.to_str().unwrap()];
    let gate = account.bound(ONE, &flags);
    let health = eventually("the line with the address", || {
        let log = gate.log();
        let (_, rest) = log.split_once("load balancers are answered at http://")?;
        rest.split_once("/ready").unwrap().0.parse().ok()
    });
    account.becomes("nlb-http", ONE, "initial");
    let asked = Client::connect(health).get("balancer", "/ready");
    assert_eq!(asked.status, 200, "{asked:?}");
    assert!(!probe(&account, &control) && !gate.is_ready());
    account.becomes("nlb-http", ONE, "healthy");
    eventually("readiness", || (probe(&account, &control) && gate.is_ready()).then_some(()));
}

#[test]
fn a_node_whose_load_balancers_never_take_it_is_ready_in_the_end() {
    let account = Account::open();
    let gate = account.bound(ONE, &["--frontend-ready-wait", "1s"]).ready();
    says(&gate, "not in service at all load balancers after 1s: ready all the same");
    says(&gate, "no load balancer in eu-west-1 is ours: tags");
}
