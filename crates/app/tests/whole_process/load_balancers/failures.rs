//! An API that fails, hangs or refuses: it is said what to do, traffic goes on, and all is made good once it answers.

use std::time::{Duration, Instant};

use load_balancers::Failure;
use rustix::process::Signal;

use super::{Account, knows, says, serves};
use crate::support::Gate;

const ONE: &str = "i-0aaaaaaaaaaaaaaaa";

#[test]
fn whatever_keeps_aws_from_being_asked_is_told_with_its_remedy_and_costs_no_client() {
    for (failure, told) in [
        (Failure::Denied, "grant the role of this pod or instance the rights in deploy/aws/iam"),
        (Failure::Expired, "give the pod a role"),
        (Failure::Throttled, "raise --frontend-interval"),
        (Failure::Unavailable, "it is tried again"),
    ] {
        let account = Account::open();
        account.add_network();
        account.elb.fail("*", Some(failure));
        let gate = account.gate(ONE, &[]);
        says(&gate, "load balancers cannot be asked; traffic is not affected");
        says(&gate, told);
        serves(gate.http);
        account.elb.fail("*", None);
        account.becomes("nlb-http", ONE, "healthy");
        says(&gate, "load balancers can be asked again");
    }
}

#[test]
fn an_api_that_hangs_is_given_up_and_asked_again() {
    let account = Account::open();
    account.add_network();
    account.elb.fail("DescribeTargetGroups", Some(Failure::Hangs));
    let gate = account.gate(ONE, &[]);
    serves(gate.http);
    says(&gate, "see that AWS' endpoint for Elastic Load Balancing can be reached from here");
    serves(gate.http);
    account.elb.fail("DescribeTargetGroups", None);
    account.becomes("nlb-http", ONE, "healthy");
}

#[test]
fn without_credentials_region_or_metadata_the_remedy_is_told_and_traffic_goes_on() {
    let account = Account::open();
    account.add_network();
    let start = |remove: &[&str], flags: &[&str]| {
        let mut command = account.program(&["run", "--manifests"]);
        command.arg(account.folder.path()).args(["--frontend-tag-value", "shop"]).args(flags);
        for name in remove {
            command.env_remove(name);
        }
        command.env("AWS_EC2_METADATA_DISABLED", "true");
        Gate::run(&mut command).ready()
    };
    let region = ["--aws-region", "eu-west-1"];
    let gate = start(&["AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY"], &region);
    says(&gate, "give the pod a role (IRSA, EKS Pod Identity) or the instance a profile");
    serves(gate.http);
    let gate = start(&[], &[]);
    says(&gate, "name it with --aws-region");
    serves(gate.http);
    let gate = start(&[], &region);
    says(&gate, "or say it with --frontend-instance-id and --frontend-address");
    serves(gate.http);
    assert_eq!(account.elb.calls("RegisterTargets"), 0);
}

#[test]
fn an_image_without_certificates_asks_aws_all_the_same() {
    let account = Account::open();
    account.add_network();
    let mut command = account.program(&["run", "--manifests"]);
    command.arg(account.folder.path()).args(["--frontend-tag-value", "shop", "--aws-region", "eu-west-1"]);
    command.env("SSL_CERT_FILE", "/dev/null").env("SSL_CERT_DIR", "/nowhere");
    let gate = Gate::run(&mut command);
    account.becomes("nlb-http", "i-0123456789abcdef0", "healthy");
    assert!(!gate.log().contains("no native root CA certificates found"), "{}", gate.log());
}

#[test]
fn a_deregistration_that_fails_is_tried_again_and_never_shortens_the_wait() {
    let account = Account::open();
    account.add_network();
    let mut gate = account.gate(ONE, &["--frontend-drain-max", "6s"]);
    knows(&gate, "in service");
    account.elb.fail("DeregisterTargets", Some(Failure::Unavailable));
    let asked = Instant::now();
    gate.signal(Signal::TERM);
    says(&gate, "DeregisterTargets");
    while asked.elapsed() < Duration::from_secs(4) {
        serves(gate.http);
    }
    account.elb.fail("DeregisterTargets", None);
    account.becomes("nlb-http", ONE, "draining");
    serves(gate.http);
    assert_eq!(gate.exit_code(), 0, "{}", gate.log());
    assert!(account.elb.calls("DeregisterTargets") > 1);
}

#[test]
fn an_api_that_is_dead_when_a_process_leaves_is_waited_for_as_long_as_was_said_and_no_longer() {
    let account = Account::open();
    account.add_network();
    let mut gate = account.gate(ONE, &["--frontend-drain-max", "4s"]);
    knows(&gate, "in service");
    account.elb.fail("*", Some(Failure::Hangs));
    let asked = Instant::now();
    gate.signal(Signal::TERM);
    while asked.elapsed() < Duration::from_secs(3) {
        serves(gate.http);
    }
    assert_eq!(gate.exit_code(), 0, "{}", gate.log());
    let took = asked.elapsed();
    assert!((Duration::from_secs(4)..Duration::from_secs(12)).contains(&took), "{took:?}");
}
