//! Starts the whole-process benchmark, which lives in `benches/peers`. (`cargo bench` runs the small ones.)

use std::ffi::OsString;

use anyhow::Result;

use crate::setup;
use crate::shell::{self, cargo};

/// Builds for release and runs the benchmark with these options.
///
/// # Errors
/// If the build or the benchmark fails.
pub(crate) fn run(options: &[OsString]) -> Result<()> {
    setup::peers()?;
    shell::run(cargo(&[
        "build",
        "--release",
        "--locked",
        "--package",
        "sluicegate",
        "--package",
        "benches",
    ]))?;
    let mut peers =
        cargo(&["run", "--quiet", "--release", "--locked", "--package", "benches", "--bin", "peers", "--"]);
    peers.args(options);
    shell::run(peers)
}
