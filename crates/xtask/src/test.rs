//! Runs all tests, with all that they need.

use anyhow::Result;

use crate::setup;
use crate::shell::{self, cargo};

/// Runs every test of the workspace.
///
/// # Errors
/// If a test fails or nothing compiles.
pub(crate) fn run() -> Result<()> {
    // Few tests start another proxy or Kubernetes, and each says so when what it needs is not there: go on without.
    if let Err(why) = setup::peers() {
        eprintln!("note: {why:#}; tests that need them will fail");
    }
    if let Err(why) = setup::control_plane() {
        eprintln!("note: {why:#}; tests that need it will fail");
    }
    shell::run(cargo(&["test", "--workspace", "--locked", "--no-fail-fast"]))
}
