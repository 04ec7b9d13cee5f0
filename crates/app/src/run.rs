//! `sluicegate run`: serves until a signal or a successor, then leaves.

use std::time::Duration;

use anyhow::Context;
use tracing::Level;

use crate::build::{Outcome, Shutdown, build, stand_by};
use crate::cli::RunArgs;
use crate::config::{Config, Program};
use crate::fd::FdLimit;
use crate::{CUT, FAILED, USAGE, log};

/// Threads of the control plane: one compiles while the other answers probes.
const CONTROL_THREADS: usize = 2;
/// The default idle timeout of an AWS load balancer.
const LOAD_BALANCER_IDLE: Duration = Duration::from_secs(60);
/// Time for the last tasks of the control plane when all else has ended.
const LAST_TASKS: Duration = Duration::from_secs(1);

/// Exit codes: 0 nothing was cut, 1 it failed, 2 the configuration cannot be used, 3 requests were cut.
pub(crate) fn run(args: RunArgs, told: &[String]) -> u8 {
    let files = FdLimit::raise();
    let config = match log::start(Level::INFO).and_then(|()| Config::new(args, files).map_err(Into::into)) {
        Ok(config) => Config { program: Program::current(), ..config },
        Err(error) => {
            eprintln!("error: {error:#}");
            return USAGE;
        }
    };
    for line in told {
        tracing::info!("{line}");
    }
    let (workers, connections) = (config.proxy.workers, config.proxy.downstream.connections_max);
    tracing::info!(workers, connections_max = connections, files = files.files, "starting");
    if config.proxy.idle_timeout <= LOAD_BALANCER_IDLE {
        tracing::warn!(
            "--idle-timeout is not above 60s, the idle timeout of an AWS load balancer: behind one, raise it"
        );
    }
    match on_control_runtime(serve(config)) {
        Ok(Outcome { cut: 0 }) => 0,
        Ok(Outcome { cut: _ }) => CUT,
        Err(error) => {
            tracing::error!("{error:#}");
            if error.is::<controller::Error>() { USAGE } else { FAILED }
        }
    }
}

async fn serve(config: Config) -> anyhow::Result<Outcome> {
    let (ask, mut shutdown) = Shutdown::new();
    ask.on_signals().context("cannot handle SIGTERM and SIGINT")?;
    if let Some(cause) = stand_by(&config, &mut shutdown).await? {
        tracing::info!("{cause} while another process serves: nothing to drain");
        return Ok(Outcome { cut: 0 });
    }
    build(config).await?.run(shutdown).await
}

/// Runs the control plane to its end, on threads that no request is served by.
pub(crate) fn on_control_runtime<T>(main: impl Future<Output = anyhow::Result<T>>) -> anyhow::Result<T> {
    let mut builder = tokio::runtime::Builder::new_multi_thread();
    let builder = builder.worker_threads(CONTROL_THREADS).thread_name("control").enable_all();
    let runtime = builder.build().context("cannot start the control plane")?;
    let result = runtime.block_on(main);
    runtime.shutdown_timeout(LAST_TASKS);
    result
}
