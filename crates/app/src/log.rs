//! The log: to standard error, so that standard output is free for results and the access log.

use std::io;

use tracing_subscriber::EnvFilter;
use tracing_subscriber::filter::Directive;

/// Starts the log. `SLUICEGATE_LOG` says what is shown, as `debug` or `info,controller=debug`; else `default` and above.
///
/// # Errors
/// If `SLUICEGATE_LOG` makes no sense.
pub(crate) fn start(default: tracing::Level) -> anyhow::Result<()> {
    let filter =
        EnvFilter::builder().with_env_var("SLUICEGATE_LOG").with_default_directive(Directive::from(default));
    let filter = filter.from_env().map_err(|error| anyhow::anyhow!("SLUICEGATE_LOG: {error}"))?;
    let log =
        tracing_subscriber::fmt().with_env_filter(filter).with_writer(io::stderr).with_ansi(false).finish();
    tracing::subscriber::set_global_default(log).map_err(anyhow::Error::from)
}
