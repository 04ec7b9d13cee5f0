//! What `deploy/aws` says, held against what the code does: its calls and its times.

#![allow(clippy::unwrap_used, reason = "a test may stop at the first surprise")]

use std::collections::BTreeSet;
use std::fs;
use std::path::{Path, PathBuf};

use aws::frontend::Operation;
use aws::frontend::plan::DRAIN_MARGIN;

/// Of `deploy/base`: the flags' defaults.
const LAME_DUCK: u64 = 30;
const IDLE: u64 = 75;
const LONGEST_REQUEST: u64 = 300;

fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../..")
}

fn read(path: &str) -> String {
    fs::read_to_string(root().join(path)).unwrap()
}

/// The value after a word and something between, up to the end of the digits.
fn number(text: &str, after: &str) -> u64 {
    let (_, rest) = text.split_once(after).unwrap_or_else(|| panic!("{after}"));
    let digits = rest.trim_start_matches([' ', '=', ':']);
    digits.chars().take_while(char::is_ascii_digit).collect::<String>().parse().unwrap()
}

#[test]
fn the_role_has_the_right_to_each_call_that_is_made_and_to_no_other() {
    let policy: serde_json::Value =
        serde_json::from_str(&read("deploy/aws/iam/load-balancers.json")).unwrap();
    let statements = policy["Statement"].as_array().unwrap();
    let granted = statements.iter().flat_map(|statement| statement["Action"].as_array().unwrap());
    let granted: BTreeSet<String> = granted.map(|action| action.as_str().unwrap().to_owned()).collect();
    let made: BTreeSet<String> = Operation::ALL.into_iter().map(Operation::action).collect();
    assert_eq!(granted, made);
}

#[test]
fn each_call_of_the_sdk_is_one_that_the_role_has_a_right_to() {
    let (mut called, mut told) = (BTreeSet::new(), BTreeSet::new());
    for file in ["classic.rs", "groups.rs"] {
        let source = read(&format!("crates/aws/src/frontend/calls/{file}"));
        for client in ["self.classic.", "self.groups."] {
            let methods = source.split(client).skip(1).map(|rest| rest.split_once('(').unwrap().0);
            called.extend(methods.map(camel));
        }
        let operations = source.split("call!(").skip(1).map(|rest| rest.split_once(',').unwrap().0);
        told.extend(operations.map(str::to_owned));
    }
    let known: BTreeSet<String> = Operation::ALL.map(|operation| operation.as_str().to_owned()).into();
    assert_eq!(called, known);
    assert_eq!(told, known);
}

#[test]
fn the_role_for_dns_has_the_right_to_each_call_of_route_53_that_is_made_and_to_no_other() {
    let policy: serde_json::Value = serde_json::from_str(&read("deploy/aws/iam/dns.json")).unwrap();
    let statements = policy["Statement"].as_array().unwrap();
    let granted = statements.iter().flat_map(|statement| statement["Action"].as_array().unwrap());
    let granted: BTreeSet<String> = granted.map(|action| action.as_str().unwrap().to_owned()).collect();
    let source = read("crates/aws/src/dns/route53.rs");
    let methods = source.split("self.0.").skip(1).map(|rest| rest.split_once('(').unwrap().0);
    let made: BTreeSet<String> = methods.map(|method| format!("route53:{}", camel(method))).collect();
    assert_eq!(granted, made);
}

fn camel(snake: &str) -> String {
    let word = |word: &str| word[..1].to_uppercase() + &word[1..];
    snake.split('_').map(word).collect()
}

#[test]
fn the_health_check_asks_where_the_process_answers_and_notices_within_the_lame_duck() {
    let (terraform, base) = (read("deploy/aws/terraform/main.tf"), read("deploy/base/daemonset.yaml"));
    let port = number(&terraform, "health_port");
    assert!(base.contains(&format!("SLUICEGATE_HEALTH, value: \"0.0.0.0:{port}\"")));
    assert!(terraform.contains("health_path = \"/ready\""));
    assert!(!base.contains("SLUICEGATE_LAME_DUCK_TIME"), "it has its default");
    let (interval, timeout) = (number(&terraform, "health_interval"), number(&terraform, "health_timeout"));
    let threshold = number(&terraform, "health_unhealthy_threshold");
    assert!(interval * threshold + timeout <= LAME_DUCK);
    assert!(timeout < interval);
}

#[test]
fn each_load_balancer_is_made_with_these_times() {
    for (file, fields) in [
        (
            "classic.tf",
            ["idle_timeout                = local.idle", "connection_draining_timeout = local.drain"],
        ),
        ("alb.tf", ["idle_timeout       = local.idle", "deregistration_delay = local.drain"]),
        ("nlb.tf", ["deregistration_delay = local.drain", "local.health_port"]),
    ] {
        let terraform = read(&format!("deploy/aws/terraform/{file}"));
        for field in fields.into_iter().chain(["local.health_interval", "local.health_unhealthy_threshold"]) {
            assert!(terraform.contains(field), "{file}: {field}");
        }
    }
    let terraform = read("deploy/aws/terraform/main.tf");
    assert!(
        number(&terraform, "idle_seconds") < IDLE,
        "the load balancer has to close an idle connection first"
    );
}

#[test]
fn a_drain_ends_within_the_wait_and_the_wait_within_the_grace_period() {
    let (terraform, common) =
        (read("deploy/aws/terraform/main.tf"), read("deploy/aws/common/kustomization.yaml"));
    let longest = number(&common, "SLUICEGATE_FRONTEND_DRAIN_MAX, value");
    assert!(number(&terraform, "drain_seconds") + DRAIN_MARGIN.as_secs() <= longest);
    let grace = number(&common, "terminationGracePeriodSeconds, value");
    assert_eq!(grace, longest.max(2 * LAME_DUCK) + IDLE + LONGEST_REQUEST + 10);
    let readme = read("deploy/aws/README.md");
    assert!(readme.contains(&format!("{longest} + {IDLE} + {LONGEST_REQUEST} + 10 = {grace}")));
}
