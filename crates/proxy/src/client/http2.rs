//! One stream of a connection of HTTP/2, which carries one request and has deadlines of its own.

use std::cell::Cell;
use std::future::Future;
use std::pin::Pin;
use std::rc::Rc;

use hyper::body::Incoming;

use super::heads::Heads;
use super::patience::Patience;
use super::{Client, RequestState};
use crate::timer::{Timer, Wait};

/// What a stream's task goes on with when its request is answered.
pub(crate) type Sequel = Pin<Box<dyn Future<Output = ()>>>;

/// A stream, for as long as its task lasts.
pub(crate) struct Http2Stream {
    pub(crate) client: Rc<Client>,
    /// Its number; 0 if it must not be written to past h2.
    pub(super) id: u32,
    /// The deadlines of its task.
    pub(crate) timer: Timer,
    /// How long the client may still keep an upstream waiting for the body.
    pub(super) patience: Patience,
    /// What its head takes, with those of the connection's other streams.
    pub(super) heads: Heads,
    /// The request.
    pub(crate) request: RequestState,
    /// What is left of its body when no endpoint wants it any more.
    pub(crate) unread: Cell<Option<Box<Incoming>>>,
    /// What comes after the request: it may have become one end of a tunnel.
    sequel: Cell<Option<Sequel>>,
}

impl Http2Stream {
    /// One of this connection.
    pub(crate) fn new(client: &Rc<Client>, id: u32) -> Http2Stream {
        let patience = Patience::default();
        patience.begin(client.limits());
        Http2Stream {
            client: Rc::clone(client),
            id,
            timer: client.worker.timers.register(),
            patience,
            heads: client.heads().share(),
            request: RequestState::default(),
            unread: Cell::default(),
            sequel: Cell::default(),
        }
    }

    /// Has the stream's task go on with this.
    pub(crate) fn go_on_with(&self, sequel: Sequel) {
        self.sequel.set(Some(sequel));
    }

    /// What its task is to go on with.
    pub(crate) fn take_sequel(&self) -> Option<Sequel> {
        self.sequel.take()
    }

    /// No endpoint wants more of the body. The stream would be reset, unless its task goes on reading.
    pub(super) fn leave_unread(&self, body: Incoming) {
        let is_unread = self.request.body_unread.get();
        if is_unread {
            self.unread.set(Some(Box::new(body)));
        }
        // What is left is for its task to read, or that waits for the end of it.
        if is_unread || self.timer.is_set(Wait::Linger) {
            self.timer.wake();
        }
    }
}
