//! The commands that say what would be, before anything is applied.

use std::path::PathBuf;

use clap::{Args, ValueEnum};

use super::{ClassArgs, SourceArgs};

/// The arguments of `check`.
#[derive(Debug, Args)]
pub(crate) struct CheckArgs {
    /// The folder of manifests
    #[arg(value_name = "DIR")]
    pub(crate) manifests: PathBuf,

    /// Fail on warnings too
    #[arg(long)]
    pub(crate) strict: bool,

    #[command(flatten)]
    pub(crate) report: ReportArgs,
}

/// The arguments of `explain`.
#[derive(Debug, Args)]
pub(crate) struct ExplainArgs {
    /// The request, GET by default: http://host/path?query or host/path
    #[arg(value_names = ["METHOD", "URL"], num_args = 1..=2, required = true)]
    pub(crate) request: Vec<String>,

    /// A header field of the request, as 'Name: value'. Host overrides that of the URL; no other affects the route
    #[arg(long = "header", short = 'H', value_name = "FIELD", value_parser = header)]
    pub(crate) headers: Vec<(String, String)>,

    #[command(flatten)]
    pub(crate) source: SourceArgs,

    #[command(flatten)]
    pub(crate) report: ReportArgs,
}

/// The arguments of `lint`.
#[derive(Debug, Args)]
pub(crate) struct LintArgs {
    /// Read the objects from this folder, this file, or (-) from standard input; as --manifests
    #[arg(long = "filename", short = 'f', value_name = "PATH", conflicts_with_all = ["manifests", "kubeconfig"])]
    pub(crate) file: Option<PathBuf>,

    #[command(flatten)]
    pub(crate) source: SourceArgs,

    /// Fail on what differs too, and not only on what is refused
    #[arg(long)]
    pub(crate) strict: bool,

    /// Show only what there is to look at
    #[arg(long, short = 'q')]
    pub(crate) quiet: bool,

    #[command(flatten)]
    pub(crate) report: ReportArgs,
}

/// The arguments of `diff`.
#[derive(Debug, Args)]
pub(crate) struct DiffArgs {
    /// The manifests that would be applied: a folder, a file, or (-) standard input
    #[arg(long = "filename", short = 'f', value_name = "PATH", required = true)]
    pub(crate) files: Vec<PathBuf>,

    #[command(flatten)]
    pub(crate) source: SourceArgs,

    #[command(flatten)]
    pub(crate) report: ReportArgs,
}

/// What is reported, and how.
#[derive(Debug, Args)]
pub(crate) struct ReportArgs {
    /// The form of the output
    #[arg(long, default_value = "text")]
    pub(crate) format: Format,

    #[command(flatten)]
    pub(crate) classes: ClassArgs,
}

/// For people or for programs.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub(crate) enum Format {
    /// For people
    Text,
    /// For programs
    Json,
}

fn header(raw: &str) -> Result<(String, String), String> {
    let (name, value) = raw.split_once(':').ok_or("write 'Name: value'")?;
    Ok((name.trim().to_owned(), value.trim().to_owned()))
}
