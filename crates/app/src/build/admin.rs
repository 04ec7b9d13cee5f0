//! The admin listener, the one for load balancers and the control socket: from when on each is answered, and how they end
//! without cutting off a probe.

use std::net::TcpListener;
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

/// The listeners of those who ask about the process: waiting, answered or closed.
pub(super) struct Admin {
    waiting: Vec<(Door, Pages)>,
    sources: Arc<Sources>,
    answered: Vec<AbortHandle>,
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

    /// Answers everywhere from now on.
    ///
    /// # Errors
    /// If the runtime cannot watch a socket.
    pub(super) fn serve(&mut self, tasks: &mut Tasks) -> anyhow::Result<()> {
        let waiting = std::mem::take(&mut self.waiting);
        waiting.into_iter().try_for_each(|(door, pages)| self.answer(door, pages, tasks))
    }

    fn answer(&mut self, door: Door, pages: Pages, tasks: &mut Tasks) -> anyhow::Result<()> {
        let shared: Arc<TcpListener> = door.listener;
        let watched = shared.try_clone().and_then(tokio::net::TcpListener::from_std);
        let watched = watched.context("an admin listener cannot be watched")?;
        let sources = self.sources();
        self.answered.push(tasks.spawn(async move {
            // A successor can have the socket as long as it is answered here.
            let _shared = shared;
            match admin::serve(watched, pages, sources).await {}
        }));
        Ok(())
    }

    /// Closes the listeners. Whoever was accepted gets the page.
    pub(super) fn close(&mut self) {
        self.waiting.clear();
        self.answered.drain(..).for_each(|task| task.abort());
    }

    /// Closes them and waits for the last page.
    pub(super) async fn finished(mut self) {
        self.close();
        drop(self.sources);
        // Nobody sends: this ends when nobody could.
        let _ = tokio::time::timeout(LAST_PAGE, self.pages.recv()).await;
    }
}
