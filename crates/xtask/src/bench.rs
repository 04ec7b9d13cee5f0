//! Starts the whole-process benchmarks, which live in `benches/peers`, `benches/cluster`, `benches/soak`,
//! `benches/floods`, `benches/clients` and `benches/instructions`. (`cargo bench --package benches` runs the small ones.)

use std::ffi::OsString;

use anyhow::Result;

use crate::setup;
use crate::shell::{self, cargo, program};

/// The first options that ask for the other benchmarks.
const CLUSTER: &str = "cluster";
const SOAK: &str = "soak";
const FLOODS: &str = "floods";
const CLIENTS: &str = "clients";
const INSTRUCTIONS: &str = "instructions";
const ROLLOUT: &str = "rollout";

/// Builds for release and runs the benchmark with these options: beside other proxies, beside a cluster, the soak,
/// beside floods, under real clients, or under callgrind.
///
/// # Errors
/// If the build or the benchmark fails.
pub(crate) fn run(options: &[OsString]) -> Result<()> {
    if let [first, rest @ ..] = options
        && first == ROLLOUT
    {
        return rollout(rest);
    }
    let mut envoy = None;
    let (name, options) = match options {
        [first, rest @ ..] if first == CLUSTER => {
            setup::control_plane()?;
            (CLUSTER, rest)
        }
        [first, rest @ ..] if first == SOAK => {
            setup::peers()?;
            envoy = setup::envoy();
            (SOAK, rest)
        }
        [first, rest @ ..] if first == FLOODS => (FLOODS, rest),
        [first, rest @ ..] if first == INSTRUCTIONS => (INSTRUCTIONS, rest),
        [first, rest @ ..] if first == CLIENTS => {
            setup::peers()?;
            // One that is missing is told in the table.
            if let Err(why) = setup::clients() {
                eprintln!("note: {why:#}");
            }
            (CLIENTS, rest)
        }
        options => {
            setup::peers()?;
            ("peers", options)
        }
    };
    shell::run(cargo(&[
        "build",
        "--release",
        "--locked",
        "--package",
        "sluicegate",
        "--package",
        "benches",
    ]))?;
    // Started by cargo it would be built again, with the features that it has without the gate beside it.
    let mut bench = program(shell::target_folder().join("release").join(name), &[]);
    bench.args(options).envs(envoy.map(|envoy| ("SOAK_ENVOY", envoy)));
    shell::run(bench)
}

/// The long form of a test: `tests/rollout`, on real nodes.
fn rollout(options: &[OsString]) -> Result<()> {
    setup::control_plane()?;
    setup::nodes()?;
    let mut rollout = cargo(&["run", "--quiet", "--locked", "--package", "rollout", "--"]);
    rollout.args(options);
    if !options.iter().any(|option| option.to_string_lossy().starts_with("--image")) {
        rollout.env("SLUICEGATE_IMAGE", setup::image()?);
    }
    shell::run(rollout)
}
