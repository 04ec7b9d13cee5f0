//! The streams of a connection: each request's task, and what bounds its life.

use std::cell::{Cell, RefCell};
use std::future::Future;
use std::pin::Pin;
use std::rc::Rc;
use std::task::{Context, Poll, Waker, ready};

use hyper::rt::Executor;
use pin_project_lite::pin_project;

use super::rest;
use crate::client::{Client, Http2Stream, Sequel};
use crate::error::Refusal;
use crate::timer::Wait;

/// All streams of one connection.
#[derive(Clone)]
pub(super) struct Streams(Rc<Inner>);

struct Inner {
    client: Rc<Client>,
    open: Cell<usize>,
    /// The stream whose task comes next: hyper first asks for its future, and at once has it executed.
    next: Cell<Option<Rc<Http2Stream>>>,
    /// Wakes the connection's task.
    waker: RefCell<Option<Waker>>,
}

impl Streams {
    pub(super) fn new(client: &Rc<Client>) -> Streams {
        let client = Rc::clone(client);
        let (open, next, waker) = (Cell::default(), Cell::default(), RefCell::default());
        Streams(Rc::new(Inner { client, open, next, waker }))
    }

    /// One stream more; which it is, if that is known.
    pub(super) fn open(&self, id: Option<u32>) -> Rc<Http2Stream> {
        let stream = Rc::new(Http2Stream::new(&self.0.client, id.unwrap_or_default()));
        self.0.next.set(Some(Rc::clone(&stream)));
        stream
    }

    /// The task of `cx` is woken when the last stream has closed.
    pub(super) fn attach(&self, cx: &Context<'_>) {
        let mut waker = self.0.waker.borrow_mut();
        if !waker.as_ref().is_some_and(|waker| waker.will_wake(cx.waker())) {
            *waker = Some(cx.waker().clone());
        }
    }

    pub(super) fn none_is_open(&self) -> bool {
        self.0.open.get() == 0
    }
}

impl<F: Future<Output = ()> + 'static> Executor<F> for Streams {
    fn execute(&self, future: F) {
        self.0.open.set(self.0.open.get() + 1);
        let open = Open(self.clone());
        match self.0.next.take() {
            Some(stream) => {
                let future = Some(future);
                tokio::task::spawn_local(Served { future, sequel: None, stream, _open: open });
            }
            // What is said to the client through a tunnel is written by a task beside the stream's own.
            None => {
                tokio::task::spawn_local(async move {
                    future.await;
                    drop(open);
                });
            }
        }
    }
}

/// Counts a stream as open until it is dropped.
struct Open(Streams);

impl Drop for Open {
    fn drop(&mut self) {
        let Inner { open, waker, .. } = &*self.0.0;
        open.set(open.get() - 1);
        if let (0, Some(waker)) = (open.get(), &*waker.borrow()) {
            waker.wake_by_ref();
        }
    }
}

pin_project! {
    /// A stream's task. To drop what is inside is to reset the stream.
    struct Served<F> {
        #[pin]
        future: Option<F>,
        // What comes after it, if the stream has become one end of a tunnel.
        sequel: Option<Sequel>,
        stream: Rc<Http2Stream>,
        _open: Open,
    }

    impl<F> PinnedDrop for Served<F> {
        fn drop(this: Pin<&mut Self>) {
            let stream = &this.stream;
            let worker = &stream.client.worker;
            worker.cells.cut.add(u64::from(stream.request.is_open.get() && worker.stopping.get()));
            stream.forget_interim();
            // A tunnel knows its stream: unless one is taken from the other, both would stay.
            drop(stream.take_sequel());
        }
    }
}

impl<F: Future<Output = ()>> Future for Served<F> {
    type Output = ();

    fn poll(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<()> {
        let mut this = self.project();
        this.stream.timer.attach(cx);
        if this.stream.timer.expired(Wait::Write) {
            this.stream.request.fault.set(Some(Refusal::ClientStalled));
            this.future.set(None);
            *this.sequel = None;
        }
        if let Some(future) = this.future.as_mut().as_pin_mut() {
            ready!(future.poll(cx));
            this.future.set(None);
            *this.sequel = this.stream.take_sequel();
        }
        match this.sequel {
            Some(sequel) => sequel.as_mut().poll(cx),
            None => rest::poll(this.stream, cx),
        }
    }
}
