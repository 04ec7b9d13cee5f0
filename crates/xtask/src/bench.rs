//! Starts the whole-process benchmarks, which live in `benches/peers`, `benches/cluster`, `benches/soak`,
//! `benches/floods`, `benches/clients` and `benches/instructions`. (`cargo bench --package benches` runs the small ones.)

use std::ffi::OsString;
use std::path::PathBuf;

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
/// The benchmark that none of them asks for.
const PEERS: &str = "peers";
/// Its option that is ours: newer peers, those of the Debian that is to come.
const SID: &str = "--sid";

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
    let mut peers: Vec<(&str, PathBuf)> = Vec::new();
    let mut options = options.to_vec();
    let name = match options.first().and_then(|first| first.to_str()) {
        Some(name @ (CLUSTER | SOAK | FLOODS | CLIENTS | INSTRUCTIONS)) => name.to_owned(),
        _ => PEERS.to_owned(),
    };
    if name != PEERS {
        options.remove(0);
    }
    match name.as_str() {
        CLUSTER => drop(setup::control_plane()?),
        SOAK => {
            setup::peers()?;
            peers.extend(setup::envoy().map(|envoy| ("SOAK_ENVOY", envoy)));
        }
        CLIENTS => {
            setup::peers()?;
            // One that is missing is told in the table.
            if let Err(why) = setup::clients() {
                eprintln!("note: {why:#}");
            }
        }
        PEERS => peers = get_peers(&mut options)?,
        _ => {}
    }
    shell::run(cargo(&[
        "build",
        "--release",
        "--locked",
        "--package",
        "sluicegate",
        "--package",
        "benches",
        "--bin",
        "sluicegate",
        "--bin",
        &name,
    ]))?;
    // Started by cargo it would be built again, with the features that it has without the gate beside it.
    let mut bench = program(shell::target_folder().join("release").join(name), &[]);
    bench.args(options).envs(peers);
    shell::run(bench)
}

/// Gets the proxies that are compared with ours: those that the options name, or all. The benchmark tells which are missing.
fn get_peers(options: &mut Vec<OsString>) -> Result<Vec<(&'static str, PathBuf)>> {
    let mut peers = Vec::new();
    let before = options.len();
    options.retain(|option| option != SID);
    if options.len() < before {
        peers.push(("PEERS_DEBIAN", setup::sid()?));
    } else if let Err(why) = setup::peers() {
        eprintln!("note: {why:#}");
    }
    setup::strace();
    let words: Vec<String> = options.iter().map(|option| option.to_string_lossy().into_owned()).collect();
    let words = || words.iter().flat_map(|option| option.split(['=', ',']));
    let wants = |peer: &str| words().all(|word| word != "--peers") || words().any(|word| word == peer);
    if wants("envoy") {
        peers.extend(setup::envoy().map(|envoy| ("PEERS_ENVOY", envoy)));
    }
    if wants("sozu") {
        peers.extend(setup::sozu().map(|sozu| ("PEERS_SOZU", sozu)));
    }
    Ok(peers)
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
