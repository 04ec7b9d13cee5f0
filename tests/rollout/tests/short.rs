//! The proof in its short form. The long one is `cargo xtask bench rollout --rollouts 20 --nodes-away 5 --kills 5`.

use std::process::Command;

#[test]
fn rollouts_a_node_that_goes_away_and_a_kill_cost_no_client_a_request() {
    let image = std::env::var_os("SLUICEGATE_IMAGE");
    let image =
        image.expect("SLUICEGATE_IMAGE names no image: run `cargo xtask test`, or `cargo xtask image`");
    let mut rollout = Command::new(env!("CARGO_BIN_EXE_rollout"));
    rollout.args(["--rollouts", "3", "--nodes-away", "1", "--kills", "1"]).env("SLUICEGATE_IMAGE", image);
    let output = rollout.output().expect("cargo has built it");
    let (told, why) = (String::from_utf8_lossy(&output.stdout), String::from_utf8_lossy(&output.stderr));
    assert!(output.status.success(), "{told}\n{why}");
}
