//! An HTTP service that may be ended at any time without costing a client a request. See the README beside it.
//!
//! Usage: graceful_service [ADDRESS [DELAY [LONGEST]]], both times in seconds.

use std::convert::Infallible;
use std::error::Error;
use std::process::ExitCode;
use std::time::Duration;

use bytes::Bytes;
use http::{Request, Response};
use http_body_util::{BodyExt, Full};
use hyper::body::Incoming;
use hyper::server::conn::http1;
use hyper_util::rt::TokioIo;
use hyper_util::server::graceful::GracefulShutdown;
use hyper_util::service::TowerToHyperService;
use lifecycle::layer::{self, Exit, ExitConfig, ExitService, Outcome};
use tokio::net::TcpListener;
use tokio::time::sleep;
use tower::util::BoxCloneSyncService;
use tower::{Layer, service_fn};

/// The largest `/bytes/N`.
const BYTES_MAX: usize = 64 << 20;
/// After an error of `accept`, most likely for want of file descriptors: those in use have to be given back first.
const ACCEPT_PAUSE: Duration = Duration::from_millis(100);

type Hello = BoxCloneSyncService<Request<Incoming>, Response<Full<Bytes>>, Infallible>;

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<ExitCode, Box<dyn Error>> {
    let mut args = std::env::args().skip(1);
    let address = args.next().unwrap_or_else(|| "127.0.0.1:8080".to_owned());
    let mut seconds = |default: Duration| {
        args.next().map_or(Ok(default), |time| time.parse::<f64>().map(Duration::from_secs_f64))
    };
    let ExitConfig { delay, longest } = ExitConfig::default();
    let config = ExitConfig { delay: seconds(delay)?, longest: seconds(longest)? };

    let (mut exit, layer) = layer::exit(config);
    exit.on_signals()?;
    let service = layer.layer(BoxCloneSyncService::new(service_fn(hello)));
    let listener = TcpListener::bind(address).await?;
    println!("serving on http://{}", listener.local_addr()?);
    Ok(serve(listener, service, exit).await)
}

/// Takes what the client sends, and answers at once, after a while, or at length.
async fn hello(mut request: Request<Incoming>) -> Result<Response<Full<Bytes>>, Infallible> {
    println!("{}", request.uri().path());
    while let Some(Ok(_)) = request.body_mut().frame().await {}
    let path = request.uri().path();
    let number = |prefix| path.strip_prefix(prefix).and_then(|number| number.parse::<usize>().ok());
    let body = if let Some(milliseconds) = number("/slow/") {
        sleep(Duration::from_millis(milliseconds as u64)).await;
        Bytes::from_static(b"that took a while\n")
    } else if let Some(bytes) = number("/bytes/") {
        vec![b'.'; bytes.min(BYTES_MAX)].into()
    } else {
        Bytes::from_static(b"hello\n")
    };
    Ok(Response::new(Full::new(body)))
}

/// Serves until the exit is finished, and returns the exit code for the parent process.
async fn serve(listener: TcpListener, service: ExitService<Hello>, mut exit: Exit) -> ExitCode {
    let connections = GracefulShutdown::new();
    let outcome = loop {
        tokio::select! {
            accepted = listener.accept() => match accepted {
                Ok((stream, _)) => {
                    let service = TowerToHyperService::new(service.clone());
                    let connection = http1::Builder::new().serve_connection(TokioIo::new(stream), service);
                    tokio::spawn(connections.watch(connection));
                }
                Err(error) => {
                    eprintln!("accept: {error}");
                    sleep(ACCEPT_PAUSE).await;
                }
            },
            outcome = exit.finished() => break outcome,
        }
    };
    drop(listener);
    println!("accepting no more: {outcome:?}");
    if let Outcome::Cut { .. } = outcome {
        return ExitCode::FAILURE;
    }
    // Only now: it closes idle connections at once. It is needed, because the last bytes of the last answers may still
    // be on their way, and the end of the process would cut them.
    tokio::select! {
        biased;
        () = connections.shutdown() => ExitCode::SUCCESS,
        () = exit.hard_stop() => ExitCode::FAILURE,
    }
}
