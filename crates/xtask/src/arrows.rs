//! The arrows between the workspace's crates: who may depend on whom.
//!
//! What a crate only needs for its own tests is no arrow. Benches, tests and this crate stand outside the product and
//! may look at all of it.

use anyhow::{Context, Result, bail, ensure};
use serde_json::Value;

use crate::shell::{cargo, shown};

/// Each crate of the product and the crates of the product that it may depend on.
const ARROWS: [(&str, &[&str]); 7] = [
    ("model", &[]),
    ("lifecycle", &[]),
    ("compile", &["model"]),
    ("controller", &["model", "compile", "lifecycle"]),
    ("proxy", &["model", "lifecycle"]),
    ("admin", &["model", "lifecycle"]),
    ("sluicegate", &["model", "lifecycle", "compile", "controller", "proxy", "admin"]),
];

/// Crates that are no part of the product.
const OUTSIDE: [&str; 3] = ["tests", "benches", "xtask"];

/// Checks all arrows and returns the names of the workspace's crates.
///
/// # Errors
/// Names the dependency that may not be, or the crate that [`ARROWS`] does not know.
pub(crate) fn check() -> Result<Vec<String>> {
    let packages = packages()?;
    for (name, dependencies) in &packages {
        if OUTSIDE.contains(&name.as_str()) {
            continue;
        }
        let arrows = ARROWS.iter().find(|(from, _)| from == name);
        let (_, allowed) = arrows.with_context(|| format!("crate {name} has no line in xtask's ARROWS"))?;
        let inside = dependencies.iter().filter(|on| packages.iter().any(|(package, _)| package == *on));
        for on in inside {
            ensure!(allowed.contains(&on.as_str()), "crate {name} may not depend on {on} (xtask's ARROWS)");
        }
    }
    Ok(packages.into_iter().map(|(name, _)| name).collect())
}

/// Each crate of the workspace with all that its library or program depends on.
fn packages() -> Result<Vec<(String, Vec<String>)>> {
    let mut metadata = cargo(&["metadata", "--no-deps", "--locked", "--format-version", "1"]);
    let output = metadata.output().context("could not start cargo")?;
    if !output.status.success() {
        bail!("`{}` failed: {}", shown(&metadata), String::from_utf8_lossy(&output.stderr));
    }
    let metadata: Value = serde_json::from_slice(&output.stdout)?;
    list(&metadata, "packages").map(package).collect()
}

fn package(package: &Value) -> Result<(String, Vec<String>)> {
    let product = list(package, "dependencies").filter(|dependency| dependency["kind"] != "dev");
    Ok((name(package)?, product.map(name).collect::<Result<_>>()?))
}

fn list<'a>(object: &'a Value, field: &str) -> impl Iterator<Item = &'a Value> {
    object[field].as_array().into_iter().flatten()
}

fn name(object: &Value) -> Result<String> {
    Ok(object["name"].as_str().context("cargo metadata names everything")?.to_owned())
}
