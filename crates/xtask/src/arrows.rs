//! The arrows between the workspace's crates: who may depend on whom.
//!
//! What a crate only needs for its own tests is no arrow. Benches, tests and this crate stand outside the product and
//! may look at all of it.

use anyhow::{Context, Result, bail, ensure};
use serde_json::Value;

use crate::shell::{cargo, shown};

/// Each crate of the product and the crates of the product that it may depend on.
const ARROWS: [(&str, &[&str]); 9] = [
    ("model", &[]),
    ("lifecycle", &[]),
    ("tls", &["model"]),
    ("compile", &["model"]),
    ("controller", &["model", "tls", "compile", "lifecycle"]),
    ("proxy", &["model", "tls", "lifecycle"]),
    ("admin", &["model", "lifecycle"]),
    ("aws", &["model", "lifecycle"]),
    ("sluicegate", &["model", "lifecycle", "tls", "compile", "controller", "proxy", "admin", "aws"]),
];

/// Crates that are no part of the product.
const OUTSIDE: [&str; 9] = [
    "benches",
    "conformance",
    "control-plane",
    "load-balancers",
    "nodes",
    "rollout",
    "system-tests",
    "test-support",
    "xtask",
];

/// A crate of the workspace and all that its library or program depends on.
type Package = (String, Vec<String>);

/// Checks all arrows and returns the names of the workspace's crates.
///
/// # Errors
/// Names the dependency that may not be, or the crate that [`ARROWS`] does not know.
pub(crate) fn check() -> Result<Vec<String>> {
    let packages = packages()?;
    packages.iter().try_for_each(|package| judge(package, &packages))?;
    Ok(packages.into_iter().map(|(name, _)| name).collect())
}

fn judge((name, dependencies): &Package, packages: &[Package]) -> Result<()> {
    if OUTSIDE.contains(&name.as_str()) {
        return Ok(());
    }
    let arrows = ARROWS.iter().find(|(from, _)| from == name);
    let (_, allowed) = arrows.with_context(|| format!("crate {name} has no line in xtask's ARROWS"))?;
    for on in dependencies.iter().filter(|on| packages.iter().any(|(package, _)| package == *on)) {
        ensure!(allowed.contains(&on.as_str()), "crate {name} may not depend on {on} (xtask's ARROWS)");
    }
    Ok(())
}

fn packages() -> Result<Vec<Package>> {
    let mut metadata = cargo(&["metadata", "--no-deps", "--locked", "--format-version", "1"]);
    let output = metadata.output().context("could not start cargo")?;
    if !output.status.success() {
        bail!("`{}` failed: {}", shown(&metadata), String::from_utf8_lossy(&output.stderr));
    }
    let metadata: Value = serde_json::from_slice(&output.stdout)?;
    list(&metadata, "packages").map(package).collect()
}

fn package(package: &Value) -> Result<Package> {
    let product = list(package, "dependencies").filter(|dependency| dependency["kind"] != "dev");
    Ok((name(package)?, product.map(name).collect::<Result<_>>()?))
}

fn list<'a>(object: &'a Value, field: &str) -> impl Iterator<Item = &'a Value> {
    object[field].as_array().into_iter().flatten()
}

fn name(object: &Value) -> Result<String> {
    Ok(object["name"].as_str().context("cargo metadata names everything")?.to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn package(name: &str, dependencies: &[&str]) -> Package {
        (name.into(), dependencies.iter().map(|name| (*name).into()).collect())
    }

    #[test]
    fn a_dependency_against_the_arrows_is_refused_by_name() {
        let packages = [package("model", &["proxy", "arc-swap"]), package("proxy", &["model", "hyper"])];
        let refused = judge(&packages[0], &packages).unwrap_err().to_string();
        assert_eq!(refused, "crate model may not depend on proxy (xtask's ARROWS)");
        assert!(judge(&packages[1], &packages).is_ok());
    }

    #[test]
    fn a_new_crate_needs_a_line_of_its_own() {
        let packages = [package("novel", &[])];
        assert!(judge(&packages[0], &packages).is_err());
    }
}
