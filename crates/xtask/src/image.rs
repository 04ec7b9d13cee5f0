//! The container image, written as an archive without Docker: our program, linked statically, and nothing else.
//!
//! `deploy/Dockerfile` makes the same one for those who have Docker. The archive has Docker's form, since that is the one
//! which every tool reads; the same program gives the same archive, byte for byte.

mod archive;

use std::fs;
use std::path::{Path, PathBuf};

use anyhow::{Context, Result, ensure};

use crate::shell::{self, cargo, program};
use archive::Image;

/// The name and tag that `deploy/base` uses.
const TAG: &str = concat!("sluicegate:", env!("CARGO_PKG_VERSION"));
/// A folder of its own: with other flags everything is built anew.
const TARGET_DIR: &str = "target/image";

/// Builds the program with this profile and writes the archive.
///
/// # Errors
/// If the build fails, the program is not static, or the file cannot be written.
pub(crate) fn run(output: &Path, profile: &str) -> Result<()> {
    let program = strip(&build(profile)?)?;
    let bytes = fs::read(&program).with_context(|| format!("cannot read {}", program.display()))?;
    let image = Image::new(TAG, &bytes)?;
    if let Some(folder) = output.parent() {
        fs::create_dir_all(folder)?;
    }
    fs::write(output, &image.archive).with_context(|| format!("cannot write {}", output.display()))?;
    println!("{} is {TAG}, {} MiB: {}", output.display(), image.archive.len() >> 20, image.id);
    println!("docker load -i {0}\nctr -n k8s.io images import --local {0}", output.display());
    Ok(())
}

/// With a target named, flags are for the program alone: build scripts and macros stay as they are.
fn build(profile: &str) -> Result<PathBuf> {
    let target = format!("{}-unknown-linux-gnu", std::env::consts::ARCH);
    let mut build = cargo(&["build", "--profile", profile, "--locked", "--package", "sluicegate"]);
    build.args(["--target", &target, "--target-dir", TARGET_DIR]);
    build.env("RUSTFLAGS", "-C target-feature=+crt-static -C relocation-model=static");
    shell::run(build)?;
    let folder = if profile == "dev" { "debug" } else { profile };
    let program = Path::new(TARGET_DIR).join(target).join(folder).join("sluicegate");
    let bytes = fs::read(&program)?;
    // A dynamic linker would be looked for in an image that has nothing else.
    ensure!(!has_interpreter(&bytes), "{} is not linked statically", program.display());
    Ok(program)
}

/// Leaves out what only a debugger reads, three quarters of it; the C compiler that linked it has brought the tool.
fn strip(linked: &Path) -> Result<PathBuf> {
    let stripped = linked.with_extension("stripped");
    let mut strip = program("strip", &["--strip-debug", "-o"]);
    strip.arg(&stripped).arg(linked);
    shell::run(strip)?;
    Ok(stripped)
}

/// Whether the kernel would ask a dynamic linker to load it: whether it names one.
fn has_interpreter(program: &[u8]) -> bool {
    program
        .windows(12)
        .take(4096)
        .any(|bytes| bytes.starts_with(b"/lib64/ld-") || bytes.starts_with(b"/lib/ld-"))
}
