//! The admin listener, the one for load balancers and the control socket: from when on each is answered, and how they end
//! without cutting off a probe.

use std::sync::Arc;
use std::time::Duration;

use admin::{Pages, Sources};
use anyhow::Context;
use tokio::sync::mpsc;
use tokio::task::AbortHandle;

use super::listen::BoundSocket;
use super::process::Tasks;

/// Time for a page in progress when all else has ended. A connection without a request is not waited for any longer.
const LAST_PAGE: Duration = Duration::from_secs(3);

/// The listeners for the pages about the process: not answered yet, answered, held or closed.
pub(super) struct Admin {
    /// Not answered here: another process has the socket too, and answers.
    waiting: Vec<(BoundSocket, Pages)>,
    sources: Arc<Sources>,
    answered: Vec<(BoundSocket, Pages, AbortHandle)>,
    /// Ends when the last page is out.
    pages: mpsc::Receiver<()>,
}

impl Admin {
    /// Does not answer yet.
    pub(super) fn new(admin: BoundSocket, health: Option<BoundSocket>, mut sources: Sources) -> Admin {
        let (page, pages) = mpsc::channel(1);
        // Every connection holds the sources, so what this closure owns is gone when the last of them is.
        let metrics = sources.metrics;
        sources.metrics = Box::new(move || {
            let _ = &page;
            metrics()
        });
        let mut waiting = vec![(admin, Pages::All)];
        waiting.extend(health.map(|socket| (socket, Pages::Health)));
        Admin { waiting, sources: Arc::new(sources), answered: Vec::new(), pages }
    }

    /// What the pages are made of.
    pub(super) fn sources(&self) -> Arc<Sources> {
        Arc::clone(&self.sources)
    }

    /// Answers where no other process does. Where a predecessor answers it is ready, and a probe is about the address.
    ///
    /// # Errors
    /// If the runtime cannot watch a socket.
    pub(super) fn serve_new(&mut self, tasks: &mut Tasks) -> anyhow::Result<()> {
        let (answered, new) =
            std::mem::take(&mut self.waiting).into_iter().partition(|(socket, _)| socket.is_answered);
        self.waiting = answered;
        new.into_iter().try_for_each(|(socket, pages)| self.answer(socket, pages, tasks))
    }

    /// Answers everywhere from now on; also again, after [`hold`](Admin::hold).
    ///
    /// # Errors
    /// If the runtime cannot watch a socket. The others are answered, and this one can be tried again.
    pub(super) fn serve(&mut self, tasks: &mut Tasks) -> anyhow::Result<()> {
        let waiting = std::mem::take(&mut self.waiting);
        waiting
            .into_iter()
            .map(|(socket, pages)| self.answer(socket, pages, tasks))
            .fold(Ok(()), anyhow::Result::and)
    }

    /// A socket that cannot be watched is left for the next attempt.
    fn answer(&mut self, socket: BoundSocket, pages: Pages, tasks: &mut Tasks) -> anyhow::Result<()> {
        match self.listen(&socket, &pages, tasks) {
            Ok(task) => self.answered.push((socket, pages, task)),
            Err(error) => {
                self.waiting.push((socket, pages));
                return Err(error);
            }
        }
        Ok(())
    }

    fn listen(&self, socket: &BoundSocket, pages: &Pages, tasks: &mut Tasks) -> anyhow::Result<AbortHandle> {
        let watched = socket.listener.try_clone().and_then(tokio::net::TcpListener::from_std);
        let watched = watched.context("an admin listener cannot be watched")?;
        let (sources, what) = (self.sources(), pages.clone());
        Ok(tasks.spawn(async move { match admin::serve(watched, what, sources).await {} }))
    }

    /// Leaves the listeners to a successor, and keeps those open that it has. Accepted connections still get their page.
    pub(super) fn hold(&mut self) {
        for (socket, pages, task) in self.answered.drain(..) {
            task.abort();
            self.waiting.push((socket, pages));
        }
        self.waiting.retain(|(socket, _)| !socket.given_up.is_set());
    }

    /// Closes the listeners. Accepted connections still get their page.
    pub(super) fn close(&mut self) {
        self.hold();
        self.waiting.clear();
    }

    /// Closes them and waits for the last page.
    pub(super) async fn finished(mut self) {
        self.close();
        drop(self.sources);
        // Nothing is ever sent: this ends when the last sender is dropped.
        let _ = tokio::time::timeout(LAST_PAGE, self.pages.recv()).await;
    }
}

#[cfg(test)]
mod tests {
    use std::fs::File;
    use std::net::TcpListener;
    use std::os::fd::OwnedFd;

    use controller::Live;
    use lifecycle::drain::drain;
    use lifecycle::{Balancers, Readiness};

    use super::super::lame_duck::LameDuck;
    use super::super::state::Standing;
    use super::super::upgrade::Upgrade;
    use super::*;
    use crate::config::Leave;

    fn socket(listener: TcpListener) -> BoundSocket {
        listener.set_nonblocking(true).unwrap();
        BoundSocket { listener: Arc::new(listener), given_up: Default::default(), is_answered: false }
    }

    fn sources() -> Sources {
        let (trigger, watch) = drain();
        let duck = LameDuck::new(Arc::new(trigger), Leave::default(), Balancers::default());
        let standing = Standing::new(watch.clone(), duck, Upgrade::new(None, false));
        standing.sources(&Live::default(), Readiness::new(watch))
    }

    #[tokio::test]
    async fn a_socket_that_cannot_be_watched_stops_no_other_and_is_there_for_the_next_attempt() {
        // The kernel watches no such file.
        let broken = TcpListener::from(OwnedFd::from(File::open("/dev/null").unwrap()));
        let sound = TcpListener::bind("127.0.0.1:0").unwrap();
        let mut admin = Admin::new(socket(broken), Some(socket(sound)), sources());
        let mut tasks = Tasks::new();
        for _ in 0..2 {
            assert!(admin.serve(&mut tasks).is_err());
            assert_eq!((admin.answered.len(), admin.waiting.len()), (1, 1));
        }
        admin.hold();
        assert_eq!((admin.answered.len(), admin.waiting.len()), (0, 2));
    }
}
