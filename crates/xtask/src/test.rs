//! Runs all tests, with all that they need, or those that need nothing.

use std::num::NonZeroUsize;
use std::process::Stdio;
use std::thread::available_parallelism;

use anyhow::{Context, Result, bail, ensure};
use serde_json::Value;

use crate::setup;
use crate::shell::{self, cargo};

/// Tests that are no part of the fast round: they start what has to be installed or built first, or take long. By their target.
const SLOW_TARGETS: [(&str, &str); 9] = [
    ("holder", "Kubernetes"),
    ("plane", "Kubernetes"),
    ("secrets", "Kubernetes"),
    ("cluster", "Kubernetes"),
    ("nodes", "Kubernetes"),
    ("short", "Kubernetes"),
    ("differential", "nginx and haproxy"),
    ("find_against_oracle", "a quarter of a minute"),
    ("update_against_compile", "a quarter of a minute"),
];
/// The target that has both kinds, and its modules with those of the other kind.
const WHOLE_PROCESS: &str = "whole_process";
const SLOW_MODULES: [(&str, &str); 6] = [
    ("cluster::", "Kubernetes"),
    ("conformance::", "h2spec"),
    ("dns::", "moto"),
    ("libraries::", "HTTP clients of Python"),
    ("load_balancers::moto::", "moto"),
    ("monitoring::", "Prometheus and Chromium"),
];

/// At a time, for each core: they are short of time to wait for, not of cores.
const FAST_TESTS_PER_CORE: usize = 5;

/// Runs every test of the workspace.
///
/// # Errors
/// If a test fails or nothing compiles; what else can be run is run all the same.
pub(crate) fn run() -> Result<()> {
    // Few tests start another proxy or Kubernetes, and each says so when what it needs is not there: go on without.
    if let Err(why) = setup::peers() {
        eprintln!("note: {why:#}; tests that need them will fail");
    }
    if let Err(why) = setup::control_plane() {
        eprintln!("note: {why:#}; tests that need it will fail");
    }
    if let Err(why) = setup::conformance() {
        eprintln!("note: {why:#}; tests that run it will fail");
    }
    if let Err(why) = setup::clients() {
        eprintln!("note: {why:#}; the test that runs them will fail");
    }
    if let Err(why) = setup::moto() {
        eprintln!("note: {why:#}; the tests that run it will fail");
    }
    if let Err(why) = setup::prometheus() {
        eprintln!("note: {why:#}; the tests that run it will fail");
    }
    if let Err(why) = setup::browser() {
        eprintln!("note: {why:#}; the tests of the live page will fail");
    }
    if let Err(why) = setup::nodes() {
        eprintln!("note: {why:#}; tests that need real nodes will fail");
    }
    let mut test = cargo(&["test", "--workspace", "--locked", "--no-fail-fast"]);
    match setup::image() {
        Ok(image) => drop(test.env("SLUICEGATE_IMAGE", image)),
        Err(why) => eprintln!("note: {why:#}; tests that need our image will fail"),
    }
    // One failure must not hide another.
    both((shell::run(test), "the tests"), (fuzz_properties(), "the fuzz targets' properties"))
}

/// Runs those that need nothing but cargo, and says at the end which it has left out.
///
/// # Errors
/// If one of them fails or does not compile; the others are run all the same.
pub(crate) fn run_fast() -> Result<()> {
    // A test starts an example, which cargo builds by itself only for a round of everything.
    shell::run(cargo(&["build", "--workspace", "--locked", "--examples"]))?;
    let mut most = cargo(&["test", "--workspace", "--locked", "--no-fail-fast", "--lib", "--bins"]);
    for target in test_targets()? {
        if target != WHOLE_PROCESS && SLOW_TARGETS.iter().all(|(slow, _)| *slow != target) {
            most.args(["--test", &target]);
        }
    }
    let mut processes =
        cargo(&["test", "--workspace", "--locked", "--no-fail-fast", "--test", WHOLE_PROCESS]);
    processes.arg("--").args(SLOW_MODULES.iter().flat_map(|(module, _)| ["--skip", module]));
    let cores = available_parallelism().map_or(1, NonZeroUsize::get);
    for tests in [&mut most, &mut processes] {
        tests.env("RUST_TEST_THREADS", (FAST_TESTS_PER_CORE * cores).to_string());
    }
    let outcome = both((shell::run(most), "most tests"), (shell::run(processes), WHOLE_PROCESS));
    eprintln!("left out, and run by `cargo xtask test`:");
    for (slow, needs) in SLOW_TARGETS.iter().chain(&SLOW_MODULES) {
        eprintln!("  {slow:22} needs {needs}");
    }
    eprintln!("  examples in the documentation, and the fuzz targets' properties");
    outcome
}

/// All files of tests that the workspace has, so that a new one is run unless it is named above.
fn test_targets() -> Result<Vec<String>> {
    let mut metadata = cargo(&["metadata", "--no-deps", "--locked", "--format-version", "1"]);
    let output = metadata.stderr(Stdio::inherit()).output().context("could not start cargo")?;
    ensure!(output.status.success(), "cargo metadata failed ({})", output.status);
    let metadata: Value = serde_json::from_slice(&output.stdout)?;
    let packages = metadata["packages"].as_array().context("no packages")?;
    let targets = packages.iter().filter_map(|package| package["targets"].as_array()).flatten();
    let tests = targets.filter(|target| target["kind"] == serde_json::json!(["test"]));
    Ok(tests.filter_map(|target| target["name"].as_str()).map(str::to_owned).collect())
}

/// Fails with what has failed of two.
fn both((one, what_one): (Result<()>, &str), (other, what_other): (Result<()>, &str)) -> Result<()> {
    match (one, other) {
        (Err(one), Err(other)) => bail!("{what_one}: {one:#}; and {what_other}: {other:#}"),
        (one, other) => one.and(other),
    }
}

/// What the fuzz targets say, for the corpus and a bounded number of mutations of it: a workspace of its own, of which only
/// the library links without libFuzzer.
fn fuzz_properties() -> Result<()> {
    let mut test =
        cargo(&["test", "--locked", "--no-default-features", "--lib", "--target-dir", "target/fuzz"]);
    test.args(["--manifest-path", "fuzz/Cargo.toml"]);
    shell::run(test)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_the_fast_round_leaves_out_by_name_is_there() {
        let targets = test_targets().unwrap();
        for name in SLOW_TARGETS.iter().map(|(name, _)| *name).chain([WHOLE_PROCESS]) {
            assert!(targets.iter().any(|target| target == name), "{name} is not among {targets:?}");
        }
    }
}
