//! What a connection keeps: with tens of thousands of them a hundred bytes are a megabyte.

use super::http1::drive;
use super::*;
use crate::body::ResponseBody;
use crate::client::Http2Stream;
use crate::request;
use crate::upstream::RequestBody;

/// Bytes of the future that a function of two returns.
fn of_two<A, B, F: Future>(_: impl FnOnce(A, B) -> F) -> usize {
    size_of::<F>()
}

fn of_three<A, B, C, F: Future>(_: impl FnOnce(A, B, C) -> F) -> usize {
    size_of::<F>()
}

fn of_four<A, B, C, D, F: Future>(_: impl FnOnce(A, B, C, D) -> F) -> usize {
    size_of::<F>()
}

/// A connection without a task has the first one alone, one that has only just become silent the next two. The three after
/// those are boxed, while hyper serves it; the request's once for all requests that follow each other, the last one with
/// what hyper adds for each stream.
#[test]
fn what_is_kept_for_a_connection_does_not_grow() {
    for (what, bytes, most) in [
        ("a connection without a task", size_of::<parking::Parked>(), 128),
        ("a client", size_of::<Client>(), 448),
        ("its connection's task, all of it", of_two(serve), 464),
        ("hyper's connection of HTTP/1", of_four(drive), 728),
        ("a request that is served", of_four(request::serve), 1288),
        ("hyper's connection of HTTP/2", of_three(http2::serve), 2544),
        ("a stream", size_of::<Http2Stream>(), 120),
        ("the body of a request", size_of::<RequestBody>(), 72),
        ("the body of an answer", size_of::<ResponseBody>(), 216),
    ] {
        assert!(bytes <= most, "{what}: {bytes} bytes, at most {most}");
    }
}
