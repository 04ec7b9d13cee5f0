//! Runs all tests, with all that they need.

use anyhow::{Result, bail};

use crate::setup;
use crate::shell::{self, cargo};

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
    if let Err(why) = setup::nodes() {
        eprintln!("note: {why:#}; tests that need real nodes will fail");
    }
    let mut test = cargo(&["test", "--workspace", "--locked", "--no-fail-fast"]);
    match setup::image() {
        Ok(image) => drop(test.env("SLUICEGATE_IMAGE", image)),
        Err(why) => eprintln!("note: {why:#}; tests that need our image will fail"),
    }
    // One failure must not hide another.
    let (tests, properties) = (shell::run(test), fuzz_properties());
    match (tests, properties) {
        (Err(tests), Err(properties)) => {
            bail!("{tests:#}; and in the fuzz targets' properties: {properties:#}")
        }
        (tests, properties) => tests.and(properties),
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
