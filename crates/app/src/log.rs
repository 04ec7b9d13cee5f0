//! The log: to standard error, so that standard output is free for results and the access log.

use std::io;

use tracing_subscriber::EnvFilter;
use tracing_subscriber::filter::Directive;

/// Libraries that log each failed request, for as long as an API server is away. The controller
/// logs what matters of that, once.
const SILENT: [&str; 2] = ["kube_client=off", "kube_runtime=off"];

/// Starts the log. `SLUICEGATE_LOG` says what is shown, as `debug` or `info,controller=debug`; else `default` and above.
///
/// # Errors
/// If `SLUICEGATE_LOG` makes no sense.
pub(crate) fn start(default: tracing::Level) -> anyhow::Result<()> {
    let filter =
        EnvFilter::builder().with_env_var("SLUICEGATE_LOG").with_default_directive(Directive::from(default));
    let mut filter = filter.from_env().map_err(|error| anyhow::anyhow!("SLUICEGATE_LOG: {error}"))?;
    if !std::env::var("SLUICEGATE_LOG").is_ok_and(|said| said.contains("kube")) {
        for directive in SILENT {
            filter = filter.add_directive(directive.parse()?);
        }
    }
    let log =
        tracing_subscriber::fmt().with_env_filter(filter).with_writer(io::stderr).with_ansi(false).finish();
    tracing::subscriber::set_global_default(log).map_err(anyhow::Error::from)
}
