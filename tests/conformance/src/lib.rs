//! Others' test suites for what we speak, built from the Go module in this folder: h2spec, for HTTP/2.
//!
//! Owns: which version, how it is built, and where it is then. Never: what is to pass; the tests that run it say so.
//! Start at [`build`].

use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use control_plane::{Error, Failed, Missing, Recipe};

const H2SPEC: &str = "h2spec";

const RECIPE: Recipe = Recipe {
    name: "conformance",
    sources: &[include_str!("../go.mod"), include_str!("../go.sum"), include_str!("../main.go")],
    files: &[H2SPEC],
};

/// Where h2spec is.
///
/// # Errors
/// If it was not built yet.
pub fn h2spec() -> Result<PathBuf, Missing> {
    Ok(RECIPE.find()?.join(H2SPEC))
}

/// Builds it, unless it is there.
///
/// # Errors
/// If Go is missing or fails, or the cache cannot be written.
pub fn build() -> Result<(), Failed> {
    match RECIPE.find() {
        Err(Missing::FromCache { .. }) => {}
        found => return Ok(found.map(drop)?),
    }
    RECIPE.build(|folder| {
        let mut go = Command::new("go");
        go.args(["build", "-trimpath", "-buildvcs=false", "-mod=readonly", "-o"])
            .arg(folder.join(H2SPEC))
            .arg(".");
        go.current_dir(env!("CARGO_MANIFEST_DIR")).stdin(Stdio::null()).env("CGO_ENABLED", "0");
        let status = go.status().map_err(Error::io("start `go build`"))?;
        let module = Path::new(env!("CARGO_MANIFEST_DIR"));
        if status.success() { Ok(()) } else { Err(Failed::GoBuild(module.to_owned())) }
    })?;
    Ok(())
}
