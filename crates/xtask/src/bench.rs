//! Starts the whole-process benchmarks, which live in `benches/peers` and `benches/cluster`. (`cargo bench` runs the
//! small ones.)

use std::ffi::OsString;

use anyhow::Result;

use crate::setup;
use crate::shell::{self, cargo};

/// The first option that asks for the other benchmark.
const CLUSTER: &str = "cluster";

/// Builds for release and runs the benchmark with these options: beside other proxies, or beside a cluster.
///
/// # Errors
/// If the build or the benchmark fails.
pub(crate) fn run(options: &[OsString]) -> Result<()> {
    let (program, options) = match options {
        [first, rest @ ..] if first == CLUSTER => {
            setup::control_plane()?;
            (CLUSTER, rest)
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
    let mut bench =
        cargo(&["run", "--quiet", "--release", "--locked", "--package", "benches", "--bin", program, "--"]);
    bench.args(options);
    shell::run(bench)
}
