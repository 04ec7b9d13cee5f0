//! What "clean" means here, cheapest check first.

use std::process::Stdio;
use std::time::{Duration, Instant};

use anyhow::{Result, ensure};

use crate::arrows;
use crate::files;
use crate::modules;
use crate::paths;
use crate::setup;
use crate::shell::{self, cargo, root};

/// How long the database of advisories may take to arrive. It is small; where the net is closed nothing comes at all.
const ADVISORIES_WAIT: Duration = Duration::from_secs(30);

/// Runs all checks and stops at the first that fails.
///
/// # Errors
/// Names the check.
pub(crate) fn run() -> Result<()> {
    setup::lint_tools()?;
    shell::run(cargo(&["fmt", "--all", "--check"]))?;
    no_mod_rs()?;
    paths::check()?;
    let crates = arrows::check()?;
    modules::check()?;
    dependencies()?;
    shell::run(cargo(&["clippy", "--workspace", "--all-targets", "--locked", "--", "-D", "warnings"]))?;
    // In the workspace one crate's features cover for what another forgot to ask for; alone they do not.
    for name in &crates {
        shell::run(cargo(&["check", "--quiet", "--locked", "--package", name]))?;
    }
    // As `cargo sluicegate` builds it.
    let mut first =
        cargo(&["clippy", "--quiet", "--locked", "--package", "sluicegate", "--no-default-features"]);
    first.args(["--", "-D", "warnings"]);
    shell::run(first)?;
    docs()?;
    fuzz_targets()
}

/// `foo.rs` beside `foo/`: every file of the tree has a name that says what it holds.
fn no_mod_rs() -> Result<()> {
    let mut found = Vec::new();
    for folder in ["crates", "tests", "benches", "fuzz"] {
        found.extend(files::below(&root().join(folder))?.into_iter().filter(|file| file.ends_with("mod.rs")));
    }
    ensure!(found.is_empty(), "name each module's file after the module, not mod.rs: {found:?}");
    Ok(())
}

/// Licences, bans and sources of every dependency; its advisories where the database can be had.
fn dependencies() -> Result<()> {
    shell::run(cargo(&["deny", "--locked", "check", "bans", "licenses", "sources"]))?;
    if !fetch_advisories()? {
        eprintln!("note: the advisory database cannot be had here; advisories were not checked");
        return Ok(());
    }
    shell::run(cargo(&["deny", "--locked", "--offline", "check", "advisories"]))
}

fn fetch_advisories() -> Result<bool> {
    let mut fetch = cargo(&["deny", "--locked", "fetch", "db"]);
    let mut fetch = fetch.stdout(Stdio::null()).stderr(Stdio::null()).spawn()?;
    let deadline = Instant::now() + ADVISORIES_WAIT;
    loop {
        if let Some(status) = fetch.try_wait()? {
            return Ok(status.success());
        }
        if Instant::now() > deadline {
            fetch.kill()?;
            fetch.wait()?;
            return Ok(false);
        }
        std::thread::sleep(Duration::from_millis(50));
    }
}

fn docs() -> Result<()> {
    let mut doc = cargo(&["doc", "--workspace", "--no-deps", "--locked"]);
    doc.env("RUSTDOCFLAGS", "-Dwarnings");
    shell::run(doc)
}

/// The fuzz targets are a workspace of their own; without default features they need no C++ compiler.
fn fuzz_targets() -> Result<()> {
    let manifest = ["--manifest-path", "fuzz/Cargo.toml"];
    let mut fmt = cargo(&["fmt", "--check"]);
    fmt.args(manifest);
    shell::run(fmt)?;
    let mut clippy = cargo(&["clippy", "--locked", "--no-default-features", "--target-dir", "target/fuzz"]);
    clippy.args(manifest).args(["--all-targets", "--", "-D", "warnings"]);
    shell::run(clippy)
}
