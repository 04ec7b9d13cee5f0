//! The client libraries: how each is fetched, started and asked for its tally.

use std::fs::{self, File};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use anyhow::{Context, Result, bail, ensure};
use serde_json::Value;

use crate::Mode;
use crate::proxy::Site;
use crate::upstream::Upstream;

/// How long a program may take to end after its time: a request that hangs has twenty seconds.
const PATIENCE: Duration = Duration::from_secs(60);

/// A library, or a program that is one.
pub(crate) struct Library {
    pub(crate) name: &'static str,
    /// Puts what it needs into the folder, and returns the command line that the four arguments are added to.
    fetch: fn(&Path) -> Result<Vec<String>>,
    /// Whether it makes calls of gRPC, and is given an address in place of a URL.
    calls: bool,
}

pub(crate) const LIBRARIES: [Library; 12] = [
    Library { name: "go", fetch: go, calls: false },
    Library { name: "grpc-go", fetch: go, calls: true },
    Library { name: "java", fetch: java, calls: false },
    Library { name: "java-other", fetch: other_java, calls: false },
    Library { name: "undici", fetch: |to| node(to, "undici"), calls: false },
    Library { name: "node:http2", fetch: |to| node(to, "http2"), calls: false },
    Library { name: "httpx", fetch: |to| python(to, "httpx"), calls: false },
    Library { name: "grpcio", fetch: |to| python(to, "grpcio"), calls: true },
    Library { name: "reqwest", fetch: rust, calls: false },
    Library { name: "tonic", fetch: rust, calls: true },
    Library { name: "curl", fetch: |_| found("curl"), calls: false },
    Library { name: "chromium", fetch: |_| found("chromium"), calls: false },
];

/// One that can be started.
pub(crate) struct Installed {
    pub(crate) name: &'static str,
    command: Vec<String>,
    calls: bool,
}

impl Library {
    /// Fetches it into the cache, unless it is there.
    ///
    /// # Errors
    /// Says why it cannot be run here.
    pub(crate) fn install(&self) -> Result<Installed, (&'static str, String)> {
        let command = cache().and_then(|cache| (self.fetch)(&cache));
        let command = command.map_err(|why| (self.name, format!("{why:#}")))?;
        Ok(Installed { name: self.name, command, calls: self.calls })
    }
}

fn programs() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("clients/programs")
}

fn cache() -> Result<PathBuf> {
    let absolute = |name| std::env::var_os(name).map(PathBuf::from).filter(|path| path.is_absolute());
    let cache = absolute("XDG_CACHE_HOME").or_else(|| Some(absolute("HOME")?.join(".cache")));
    let folder = cache.context("neither XDG_CACHE_HOME nor HOME is set")?.join("sluicegate/clients");
    fs::create_dir_all(&folder)?;
    Ok(folder)
}

fn found(program: &str) -> Result<Vec<String>> {
    succeed(Command::new(program).arg("--version"))?;
    Ok(vec![program.to_owned()])
}

fn go(cache: &Path) -> Result<Vec<String>> {
    let program = cache.join("go");
    succeed(
        Command::new("go")
            .args(["build", "-mod=readonly", "-o"])
            .arg(&program)
            .arg(".")
            .current_dir(programs().join("go")),
    )?;
    Ok(vec![text(&program)])
}

fn rust(cache: &Path) -> Result<Vec<String>> {
    let target = cache.join("rust");
    let mut cargo = Command::new("cargo");
    cargo.args(["build", "--quiet", "--release", "--locked", "--target-dir"]).arg(&target);
    succeed(cargo.arg("--manifest-path").arg(programs().join("rust/Cargo.toml")))?;
    Ok(vec![text(&target.join("release/clients"))])
}

fn node(cache: &Path, library: &str) -> Result<Vec<String>> {
    let folder = cache.join("node");
    fs::create_dir_all(&folder)?;
    for file in ["main.mjs", "package.json"] {
        fs::copy(programs().join("node").join(file), folder.join(file))?;
    }
    if library != "http2" {
        succeed(Command::new("npm").args(["install", "--no-audit", "--no-fund"]).current_dir(&folder))?;
    }
    succeed(Command::new("node").arg("--version"))?;
    Ok(vec!["node".to_owned(), text(&folder.join("main.mjs")), library.to_owned()])
}

/// `cargo xtask` has installed what it needs.
fn python(cache: &Path, library: &str) -> Result<Vec<String>> {
    let folder = cache.join("python");
    let package = if library == "grpcio" { "grpc" } else { library };
    ensure!(folder.join(package).is_dir(), "not in {}: `cargo xtask setup`", folder.display());
    let path = format!("PYTHONPATH={}", text(&folder));
    let program = text(&programs().join("python/main.py"));
    Ok(vec!["env".to_owned(), path, "python3".to_owned(), program, library.to_owned()])
}

/// The one that `PATH` has.
fn java(cache: &Path) -> Result<Vec<String>> {
    compiled("java", "javac", cache.join("java"))
}

/// Another one, where Debian and others put them.
fn other_java(cache: &Path) -> Result<Vec<String>> {
    let present = fs::canonicalize(which("java")?)?;
    let homes = fs::read_dir("/usr/lib/jvm").context("no folder with others")?;
    let binaries = homes.filter_map(|home| Some(home.ok()?.path().join("bin")));
    let other = binaries
        .filter(|bin| bin.join("javac").exists())
        .find(|bin| fs::canonicalize(bin.join("java")).is_ok_and(|java| java != present));
    let bin = other.context("no other JDK in /usr/lib/jvm")?;
    compiled(&text(&bin.join("java")), &text(&bin.join("javac")), cache.join("java-other"))
}

fn compiled(java: &str, javac: &str, to: PathBuf) -> Result<Vec<String>> {
    succeed(Command::new(javac).arg("-d").arg(&to).arg(programs().join("java/Main.java")))?;
    let words = [java, "-XX:TieredStopAtLevel=1", "-Xmx96m", "-cp", &text(&to), "Main"];
    Ok(words.map(str::to_owned).to_vec())
}

fn which(program: &str) -> Result<PathBuf> {
    let path = std::env::var_os("PATH").unwrap_or_default();
    let found = std::env::split_paths(&path).map(|folder| folder.join(program)).find(|file| file.is_file());
    found.with_context(|| format!("no {program} in PATH"))
}

fn succeed(command: &mut Command) -> Result<()> {
    let output = command.stdin(Stdio::null()).output();
    let output = output.with_context(|| format!("could not start {}", command.get_program().display()))?;
    let said = String::from_utf8_lossy(&output.stderr);
    ensure!(output.status.success(), "{command:?}: {}", said.lines().last().unwrap_or_default());
    Ok(())
}

fn text(path: &Path) -> String {
    path.to_string_lossy().into_owned()
}

/// A program that asks.
pub(crate) struct Running {
    name: &'static str,
    child: Child,
    said: PathBuf,
    end: Instant,
}

/// What it has counted.
#[derive(Clone, Debug, Default)]
pub(crate) struct Tally {
    pub(crate) version: String,
    pub(crate) requests: u64,
    pub(crate) lost: u64,
    pub(crate) why: Vec<(String, u64)>,
}

impl Installed {
    /// Asks this site in this way, for so long.
    pub(crate) fn start(&self, site: &Site, mode: Mode, time: Duration) -> Result<Running> {
        let said = site.folder.join(self.name.replace(':', "-"));
        let mut command = Command::new(&self.command[0]);
        command.args(&self.command[1..]);
        let url = format!("https://localhost:{}/", site.port);
        match self.name {
            "curl" => drop(command.args(curl(site, mode, time, &url))),
            "chromium" => drop(command.args(chromium(site, mode, time, &url))),
            _ => {
                let to = if self.calls { format!("localhost:{}", site.port) } else { url };
                command.arg(to).arg(site.authority()).arg(mode.to_string()).arg(time.as_secs().to_string());
            }
        }
        command.stdin(Stdio::null()).stdout(File::create(&said)?);
        command.stderr(File::create(said.with_extension("errors"))?);
        let child = command.spawn().with_context(|| format!("could not start {}", self.name))?;
        Ok(Running { name: self.name, child, said, end: Instant::now() + time + PATIENCE })
    }
}

/// It knows of no time, only of how often.
fn curl(site: &Site, mode: Mode, time: Duration, url: &str) -> Vec<String> {
    let file = site.folder.join("body");
    let (more, a_second): (&[&str], u64) = match mode {
        Mode::Pause => (&["--rate", "200/m"], 3),
        Mode::Busy => (&[], 100),
        Mode::Parallel => (&["--parallel", "--parallel-max", "8"], 300),
        Mode::Upload => (&["--limit-rate", "100k", "--upload-file"], 4),
    };
    let often = a_second * time.as_secs();
    let mut words = vec!["--silent", "--http2", "--max-time", "20", "--output", "/dev/null", "--write-out"];
    words.push("%{http_version} %{http_code} %{errormsg}\n");
    let mut words: Vec<String> = words.into_iter().chain(more.iter().copied()).map(str::to_owned).collect();
    if mode == Mode::Upload {
        words.push(text(&file));
    }
    words.extend(["--cacert".to_owned(), text(&site.authority()), format!("{url}?[1-{often}]")]);
    words
}

/// What keeps it from calling home, and a page that asks.
fn chromium(site: &Site, mode: Mode, time: Duration, url: &str) -> Vec<String> {
    let words = "--headless --no-sandbox --disable-gpu --disable-quic --no-first-run --disable-background-networking \
                 --disable-component-update --disable-sync --ignore-certificate-errors --remote-debugging-port=0";
    let mut words: Vec<String> = words.split_whitespace().map(str::to_owned).collect();
    words.push(format!("--user-data-dir={}", text(&site.folder.join("profile"))));
    words.push(format!("{url}page?mode={mode}&seconds={}", time.as_secs()));
    words
}

impl Running {
    /// Waits for its end.
    ///
    /// # Errors
    /// If it does not end, or says nothing.
    pub(crate) fn end(mut self, upstream: &Upstream) -> Result<Tally> {
        while self.child.try_wait()?.is_none() {
            if let Some(said) = upstream.result().filter(|_| self.name == "chromium") {
                return tally(&said);
            }
            if Instant::now() > self.end {
                bail!("it does not end: a request hangs");
            }
            std::thread::sleep(Duration::from_millis(100));
        }
        let said = fs::read_to_string(&self.said)?;
        if self.name == "curl" {
            return Ok(lines(&said));
        }
        let errors = fs::read_to_string(self.said.with_extension("errors")).unwrap_or_default();
        let last = said.lines().last().with_context(|| format!("it said nothing; {}", errors.trim()))?;
        tally(last)
    }
}

impl Drop for Running {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

fn tally(said: &str) -> Result<Tally> {
    let said: Value = serde_json::from_str(said).with_context(|| format!("no tally: {said}"))?;
    let number = |name: &str| said[name].as_u64().unwrap_or_default();
    let why = said["why"].as_object().into_iter().flatten();
    Ok(Tally {
        version: said["version"].as_str().unwrap_or_default().to_owned(),
        requests: number("requests"),
        lost: number("lost"),
        why: why.map(|(why, often)| (why.clone(), often.as_u64().unwrap_or_default())).collect(),
    })
}

/// curl's are a line each.
fn lines(said: &str) -> Tally {
    let version = Command::new("curl").arg("--version").output();
    let version =
        version.map(|output| String::from_utf8_lossy(&output.stdout).into_owned()).unwrap_or_default();
    let version = version.split_whitespace().nth(1).unwrap_or_default().to_owned();
    let mut tally = Tally { version, requests: said.lines().count() as u64, ..Tally::default() };
    for line in said.lines().filter(|line| !line.starts_with("2 200 ")) {
        tally.lost += 1;
        match tally.why.iter_mut().find(|(why, _)| why == line) {
            Some((_, often)) => *often += 1,
            None => tally.why.push((line.to_owned(), 1)),
        }
    }
    tally
}
