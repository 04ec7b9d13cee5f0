//! The admin listener of a process: from when on it is answered, and how it ends without cutting off a probe.

use std::net::TcpListener;
use std::sync::Arc;
use std::time::Duration;

use admin::Sources;
use anyhow::Context;
use controller::Live;
use lifecycle::Readiness;
use tokio::sync::mpsc;
use tokio::task::AbortHandle;

use super::Tasks;
use crate::metrics::Metrics;

/// What a page that was asked for may still take when all else has ended. Who connects and asks nothing is not waited
/// for any longer.
const LAST_PAGE: Duration = Duration::from_secs(3);

/// The admin listener: waiting, answered or closed.
pub(super) struct Admin {
    waiting: Option<(Arc<TcpListener>, Sources)>,
    task: Option<AbortHandle>,
    /// Ends when the last page is out.
    pages: mpsc::Receiver<()>,
}

impl Admin {
    /// Answers nobody yet.
    pub(super) fn new(
        listener: Arc<TcpListener>,
        live: &Live,
        readiness: Readiness,
        metrics: Metrics,
    ) -> Admin {
        let (page, pages) = mpsc::channel(1);
        let (routes, problems) = (live.routes.clone(), live.problems.clone());
        // Every connection holds the sources, so what this closure owns is gone when the last of them is.
        let metrics = Box::new(move || {
            let _ = &page;
            metrics.render()
        });
        let sources = Sources { readiness, routes, problems, metrics };
        Admin { waiting: Some((listener, sources)), task: None, pages }
    }

    /// Answers from now on; does nothing if it does already.
    ///
    /// # Errors
    /// If the runtime cannot watch the socket.
    pub(super) fn serve(&mut self, tasks: &mut Tasks) -> anyhow::Result<()> {
        let Some((shared, sources)) = self.waiting.take() else { return Ok(()) };
        let watched = shared.try_clone().and_then(tokio::net::TcpListener::from_std);
        let watched = watched.context("the admin listener cannot be watched")?;
        self.task = Some(tasks.spawn(async move {
            // A successor can have the socket as long as it is answered here.
            let _shared = shared;
            match admin::serve(watched, sources).await {}
        }));
        Ok(())
    }

    /// Closes the listener. Whoever was accepted gets the page.
    pub(super) fn close(&mut self) {
        self.waiting = None;
        if let Some(task) = self.task.take() {
            task.abort();
        }
    }

    /// Closes it and waits for the last page.
    pub(super) async fn finished(mut self) {
        self.close();
        // Nobody sends: this ends when nobody could.
        let _ = tokio::time::timeout(LAST_PAGE, self.pages.recv()).await;
    }
}
