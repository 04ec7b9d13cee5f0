//! `sluicegate frontend status`: the same look, without a process that serves.

use serde_json::Value;

use super::{Account, knows};
use crate::support::output;

const FLAGS: [&str; 6] = ["frontend", "status", "--frontend-tag-value", "shop", "--aws-region", "eu-west-1"];

#[test]
fn it_shows_what_is_found_and_how_this_instance_is_registered_there() {
    let account = Account::with_all_kinds();
    let asked = output(&mut account.program(&FLAGS));
    let shown = String::from_utf8(asked.stdout).unwrap();
    assert_eq!(asked.status.code(), Some(1), "{shown}");
    for line in [
        "instance i-0123456789abcdef0 192.0.2.7, region eu-west-1",
        "KIND     NAME          SCHEME           STATE           DRAINS  REASON",
        "alb      alb/alb-ip    internal         not registered  2s",
        "nlb      nlb/nlb-http  internet-facing  not registered  2s",
        "classic  old           internet-facing  not registered  2s",
    ] {
        assert!(shown.lines().any(|shown| shown == line), "{line}\n{shown}");
    }
    assert_eq!(account.elb.calls("RegisterTargets"), 0, "it changes nothing");

    let gate = account.gate("", &[]);
    knows(&gate, "in service");
    let asked = output(account.program(&FLAGS).args(["--format", "json"]));
    let shown: Value = serde_json::from_slice(&asked.stdout).unwrap();
    assert_eq!(asked.status.code(), Some(0), "{shown}");
    assert_eq!(shown["found"][1]["state"], "in service");
    assert_eq!(shown["dnsNames"]["internal"], "alb-1.elb.eu-west-1.amazonaws.com");
}

#[test]
fn it_fails_with_a_remedy_where_nothing_is_asked_for_or_aws_does_not_answer() {
    let account = Account::open();
    let asked = output(&mut account.program(&["frontend", "status"]));
    assert_eq!(asked.status.code(), Some(2));
    assert!(String::from_utf8_lossy(&asked.stderr).contains("--frontend-tag-value"), "{asked:?}");
    account.elb.fail("*", Some(load_balancers::Failure::Denied));
    let asked = output(&mut account.program(&FLAGS));
    assert_eq!(asked.status.code(), Some(1));
    assert!(String::from_utf8_lossy(&asked.stderr).contains("grant the role"), "{asked:?}");
}
