//! The admin listener, the one for load balancers and the control socket: from when on each is answered, and how they end
//! without cutting off a probe.

use std::sync::Arc;
use std::time::Duration;

use admin::{Pages, Sources};
use anyhow::Context;
use tokio::sync::mpsc;
use tokio::task::AbortHandle;

use super::listen::Door;
use super::process::Tasks;

/// What a page that was asked for may still take when all else has ended. Who connects and asks nothing is not waited
/// for any longer.
const LAST_PAGE: Duration = Duration::from_secs(3);

/// The listeners of those who ask about the process: waiting, answered, held or closed.
pub(super) struct Admin {
    /// Nobody is answered there: another process has the socket too, and answers.
    waiting: Vec<(Door, Pages)>,
    sources: Arc<Sources>,
    answered: Vec<(Door, Pages, AbortHandle)>,
    /// Ends when the last page is out.
    pages: mpsc::Receiver<()>,
}

impl Admin {
    /// Answers nobody yet.
    pub(super) fn new(admin: Door, health: Option<Door>, mut sources: Sources) -> Admin {
        let (page, pages) = mpsc::channel(1);
        // Every connection holds the sources, so what this closure owns is gone when the last of them is.
        let metrics = sources.metrics;
        sources.metrics = Box::new(move || {
            let _ = &page;
            metrics()
        });
        let mut waiting = vec![(admin, Pages::All)];
        waiting.extend(health.map(|door| (door, Pages::Health)));
        Admin { waiting, sources: Arc::new(sources), answered: Vec::new(), pages }
    }

    /// What the pages are made of.
    pub(super) fn sources(&self) -> Arc<Sources> {
        Arc::clone(&self.sources)
    }

    /// Answers where nobody else does: who asks means the address, and where a predecessor answers, it is ready.
    ///
    /// # Errors
    /// If the runtime cannot watch a socket.
    pub(super) fn serve_new(&mut self, tasks: &mut Tasks) -> anyhow::Result<()> {
        let (answered, new) =
            std::mem::take(&mut self.waiting).into_iter().partition(|(door, _)| door.is_answered);
        self.waiting = answered;
        new.into_iter().try_for_each(|(door, pages)| self.answer(door, pages, tasks))
    }

    /// Answers everywhere from now on; also again, after [`hold`](Admin::hold).
    ///
    /// # Errors
    /// If the runtime cannot watch a socket.
    pub(super) fn serve(&mut self, tasks: &mut Tasks) -> anyhow::Result<()> {
        let waiting = std::mem::take(&mut self.waiting);
        waiting.into_iter().try_for_each(|(door, pages)| self.answer(door, pages, tasks))
    }

    fn answer(&mut self, door: Door, pages: Pages, tasks: &mut Tasks) -> anyhow::Result<()> {
        let watched = door.listener.try_clone().and_then(tokio::net::TcpListener::from_std);
        let watched = watched.context("an admin listener cannot be watched")?;
        let (sources, what) = (self.sources(), pages.clone());
        let task = tasks.spawn(async move { match admin::serve(watched, what, sources).await {} });
        self.answered.push((door, pages, task));
        Ok(())
    }

    /// Leaves the listeners to a successor, and keeps those open that it has. Whoever was accepted gets the page.
    pub(super) fn hold(&mut self) {
        for (door, pages, task) in self.answered.drain(..) {
            task.abort();
            self.waiting.push((door, pages));
        }
        self.waiting.retain(|(door, _)| !door.given_up.is_set());
    }

    /// Closes the listeners. Whoever was accepted gets the page.
    pub(super) fn close(&mut self) {
        self.hold();
        self.waiting.clear();
    }

    /// Closes them and waits for the last page.
    pub(super) async fn finished(mut self) {
        self.close();
        drop(self.sources);
        // Nobody sends: this ends when nobody could.
        let _ = tokio::time::timeout(LAST_PAGE, self.pages.recv()).await;
    }
}
