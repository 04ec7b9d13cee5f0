//! The layer around services in memory, and the exit in paused time.

use std::convert::Infallible;
use std::pin::pin;

use bytes::Bytes;
use futures_util::FutureExt;
use http::header::CONNECTION;
use http::{Request, Response};
use http_body::{Body, Frame};
use http_body_util::{BodyExt, Full, StreamBody};
use tokio::sync::mpsc;
use tokio::time::{Instant, sleep, timeout};
use tower::{Layer, ServiceExt, service_fn};

use super::*;

const DELAY: Duration = Duration::from_secs(5);
const LONGEST: Duration = Duration::from_secs(20);
/// In paused time: long after everything that could still happen.
const NEVER: Duration = Duration::from_secs(3600);

fn exit() -> (Exit, ExitLayer) {
    super::exit(ExitConfig { delay: DELAY, longest: LONGEST })
}

async fn answer(layer: &ExitLayer) -> Response<ExitBody<Full<Bytes>>> {
    let service = service_fn(async |_: Request<()>| Ok::<_, Infallible>(Response::new(Full::from("hello"))));
    layer.layer(service).oneshot(Request::new(())).await.unwrap()
}

/// A body whose frames come when the test sends them.
fn stream() -> (mpsc::UnboundedSender<&'static str>, impl Body<Data = Bytes, Error = Infallible>) {
    let (frames, mut next) = mpsc::unbounded_channel();
    let stream = futures_util::stream::poll_fn(move |cx| {
        next.poll_recv(cx)
            .map(|data| data.map(|data| Ok(Frame::data(Bytes::from_static(str::as_bytes(data))))))
    });
    (frames, StreamBody::new(stream))
}

#[tokio::test]
async fn answers_ask_their_client_to_leave_only_once_the_process_leaves() {
    let (mut exit, layer) = exit();
    assert_eq!(answer(&layer).await.headers().get(CONNECTION), None);
    exit.leave();
    assert_eq!(answer(&layer).await.headers()[CONNECTION], "close");
}

#[tokio::test]
async fn an_answer_that_was_begun_before_the_exit_asks_too() {
    let (mut exit, layer) = exit();
    let (go, gone) = tokio::sync::oneshot::channel::<()>();
    let mut gone = Some(gone);
    let service = service_fn(move |_: Request<()>| {
        let gone = gone.take().expect("asked once");
        async move { gone.await.map(|()| Response::new(Full::<Bytes>::from("slow"))) }
    });
    let mut answering = pin!(layer.layer(service).oneshot(Request::new(())));
    assert!(answering.as_mut().now_or_never().is_none());
    exit.leave();
    go.send(()).unwrap();
    assert_eq!(answering.await.unwrap().headers()[CONNECTION], "close");
}

#[tokio::test]
async fn a_request_is_in_flight_until_the_end_of_its_body() {
    let (exit, layer) = exit();
    let (frames, body) = stream();
    let mut body = Some(body);
    let service = service_fn(move |_: Request<()>| {
        std::future::ready(Ok::<_, Infallible>(Response::new(body.take().expect("asked once"))))
    });
    let mut answer = layer.layer(service).oneshot(Request::new(())).await.unwrap();
    frames.send("part").unwrap();
    answer.body_mut().frame().await.unwrap().unwrap();
    assert_eq!(exit.in_flight(), 1);
    drop(frames);
    assert!(answer.body_mut().frame().await.is_none());
    assert_eq!(exit.in_flight(), 0);
}

#[tokio::test]
async fn a_client_that_loses_interest_leaves_nothing_in_flight() {
    let (exit, layer) = exit();
    let answered = answer(&layer).await;
    let hanging =
        service_fn(async |_: Request<()>| std::future::pending::<Result<Response<Full<Bytes>>, ()>>().await);
    let mut called = Box::pin(layer.layer(hanging).oneshot(Request::new(())));
    assert!(called.as_mut().now_or_never().is_none());
    assert_eq!(exit.in_flight(), 2);
    drop(answered);
    assert_eq!(exit.in_flight(), 1);
    drop(called);
    assert_eq!(exit.in_flight(), 0);
}

#[tokio::test]
async fn a_service_that_fails_leaves_nothing_in_flight() {
    let (exit, layer) = exit();
    let failing = service_fn(async |_: Request<()>| Err::<Response<Full<Bytes>>, _>("broken"));
    assert_eq!(layer.layer(failing).oneshot(Request::new(())).await.err(), Some("broken"));
    assert_eq!(exit.in_flight(), 0);
}

#[tokio::test]
async fn a_body_keeps_its_length_and_knows_its_end() {
    let (_exit, layer) = exit();
    let mut body = answer(&layer).await.into_body();
    assert_eq!((body.size_hint().exact(), body.is_end_stream()), (Some(5), false));
    body.frame().await.unwrap().unwrap();
    assert_eq!((body.size_hint().exact(), body.is_end_stream()), (Some(0), true));
}

#[tokio::test(start_paused = true)]
async fn without_anything_in_flight_the_exit_takes_just_the_delay() {
    let (mut exit, _layer) = exit();
    let watch = exit.watch();
    assert!(timeout(NEVER, exit.finished()).await.is_err(), "it was not asked");
    exit.leave();
    assert_eq!(watch.phase(), crate::Phase::LameDuck);
    let asked = Instant::now();
    assert_eq!(exit.finished().await, Outcome::Finished);
    assert_eq!(asked.elapsed().as_secs(), DELAY.as_secs());
}

#[tokio::test(start_paused = true)]
async fn what_comes_within_the_delay_is_waited_for_too() {
    let (mut exit, layer) = exit();
    exit.leave();
    let asked = Instant::now();
    tokio::spawn(async move {
        sleep(DELAY / 2).await;
        let held = layer.hold();
        sleep(DELAY).await;
        drop(held);
    });
    assert_eq!(exit.finished().await, Outcome::Finished);
    assert_eq!(asked.elapsed().as_secs_f64().round(), (DELAY * 3 / 2).as_secs_f64().round());
}

#[tokio::test(start_paused = true)]
async fn what_takes_longer_than_the_longest_is_cut_and_counted() {
    let (mut exit, layer) = exit();
    let held = [layer.hold(), layer.hold()];
    exit.leave();
    let asked = Instant::now();
    assert_eq!(timeout(NEVER, exit.finished()).await, Ok(Outcome::Cut { in_flight: 2 }));
    assert_eq!(asked.elapsed().as_secs(), (DELAY + LONGEST).as_secs());
    drop(held);
}

/// As in a server's loop, where each accepted connection drops the future and the next round asks for it again.
#[tokio::test(start_paused = true)]
async fn no_time_starts_anew_when_the_future_is_asked_for_again() {
    let (mut exit, _layer) = exit();
    exit.leave();
    let asked = Instant::now();
    let finished = async { while timeout(Duration::from_secs(1), exit.finished()).await.is_err() {} };
    timeout(NEVER, finished).await.expect("an end");
    assert_eq!(asked.elapsed().as_secs(), DELAY.as_secs());
    let stopped = async { while timeout(Duration::from_secs(1), exit.hard_stop()).await.is_err() {} };
    timeout(NEVER, stopped).await.expect("an end");
    assert_eq!(asked.elapsed().as_secs(), (DELAY + LONGEST).as_secs());
}

#[tokio::test(start_paused = true)]
async fn times_without_end_are_times_without_end() {
    let (mut exit, layer) = super::exit(ExitConfig { delay: Duration::ZERO, longest: Duration::MAX });
    let held = layer.hold();
    exit.leave();
    assert!(timeout(NEVER, exit.finished()).await.is_err());
    drop(held);
    assert_eq!(exit.finished().await, Outcome::Finished);
}

#[tokio::test]
async fn a_lost_exit_asks_clients_to_leave_rather_than_serving_for_ever() {
    let (exit, layer) = exit();
    drop(exit);
    assert_eq!(answer(&layer).await.headers()[CONNECTION], "close");
}
