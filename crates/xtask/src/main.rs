//! The developer's commands: `cargo xtask {setup,lint,test,bench,cluster,image}`. CI runs the same ones (`.ci/run`).
//!
//! Owns: what has to be installed, what counts as clean, how tests, benches and a cluster to try
//! things on are started.
//! Never: product code, and nothing that plain cargo does as well by itself.
//! Start at [`Command`].

mod files;
mod shell;

mod setup;

mod arrows;
mod lint;
mod modules;
mod paths;

mod bench;
mod cluster;
mod image;
mod test;

use std::ffi::OsString;
use std::path::PathBuf;
use std::process::ExitCode;

use clap::Parser;

#[derive(Parser)]
#[command(name = "cargo xtask", about = "The developer's commands")]
enum Command {
    /// Install what lint, tests and benches need (Debian packages, cargo-deny, Kubernetes and containerd built with Go,
    /// which takes 10 to 15 minutes); quick when all is there
    Setup,
    /// Format, clippy, docs, licences and bans, the fuzz targets, and the arrows between crates and between the proxy's modules
    Lint,
    /// Set up and run all tests
    Test {
        /// Only those that need neither Kubernetes nor other programs: in a minute or two, once all is built
        #[arg(long)]
        fast: bool,
    },
    /// Run a Kubernetes control plane on loopback until Ctrl-C, and show how to use it
    Cluster {
        /// Real nodes, with kubelet and containerd in namespaces (needs root); without, pods are objects only
        #[arg(long, value_name = "NUMBER", default_value_t = 0, value_parser = clap::value_parser!(u8).range(..=9))]
        nodes: u8,
    },
    /// Write the container image as an archive, without Docker: `docker load`, `ctr images import` and the like read it
    Image {
        /// Where to
        #[arg(long, value_name = "FILE", default_value = "target/image/sluicegate.tar")]
        output: PathBuf,
        /// How the program is built; tests need no fast one
        #[arg(long, value_name = "NAME", default_value = "release")]
        profile: String,
    },
    /// Build for release and compare with nginx, haproxy and the floor; `--help` shows the options. `soak` counts what clients
    /// lose while everything changes, `rollout` the same on real nodes, `floods` is about attackers, `clients` about the HTTP
    /// libraries that people use, `cluster` about the API server, `instructions` counts those of a request
    #[command(disable_help_flag = true)]
    Bench {
        /// Options of the benchmark
        #[arg(trailing_var_arg = true, allow_hyphen_values = true)]
        options: Vec<OsString>,
    },
}

fn main() -> ExitCode {
    let outcome = match Command::parse() {
        Command::Setup => setup::run(),
        Command::Lint => lint::run(),
        Command::Test { fast: false } => test::run(),
        Command::Test { fast: true } => test::run_fast(),
        Command::Cluster { nodes: 0 } => cluster::run(),
        Command::Cluster { nodes } => cluster::run_with_nodes(nodes.into()),
        Command::Image { output, profile } => image::run(&output, &profile),
        Command::Bench { options } => bench::run(&options),
    };
    // Not by returning it: with RUST_BACKTRACE=1 the message would drown in the backtrace.
    if let Err(why) = outcome {
        eprintln!("error: {why:#}");
        return ExitCode::FAILURE;
    }
    ExitCode::SUCCESS
}
