//! One request in, one page out.

use std::sync::Arc;

use bytes::Bytes;
use http::header::{ALLOW, CACHE_CONTROL, CONTENT_TYPE};
use http::{HeaderValue, Method, Request, Response, StatusCode};
use http_body_util::Full;
use serde::Serialize;
use serde_json::json;

use crate::{Sources, json};

const JSON: HeaderValue = HeaderValue::from_static("application/json");
/// Prometheus' text format, version 0.0.4.
const METRICS: HeaderValue = HeaderValue::from_static("text/plain; version=0.0.4; charset=utf-8");

type Page = Response<Full<Bytes>>;

/// What can be asked for.
#[derive(Clone, Copy)]
enum Path {
    Live,
    Ready,
    Metrics,
    Routes,
    Endpoints,
    Problems,
}

/// Every path, for finding one and for telling who asked for another.
const PATHS: [(&str, Path); 6] = [
    ("/live", Path::Live),
    ("/ready", Path::Ready),
    ("/metrics", Path::Metrics),
    ("/routes", Path::Routes),
    ("/endpoints", Path::Endpoints),
    ("/problems", Path::Problems),
];

/// Answers a request. Its body, if it has one, is not read.
pub(crate) async fn answer<B>(request: Request<B>, sources: Arc<Sources>) -> Page {
    let (request, _) = request.into_parts();
    let asked = request.uri.path();
    let Some((_, path)) = PATHS.iter().find(|(known, _)| *known == asked) else {
        return not_found();
    };
    if !matches!(request.method, Method::GET | Method::HEAD) {
        return method_not_allowed();
    }
    match path {
        Path::Live => page(StatusCode::OK, &json!({ "live": true })),
        Path::Ready => ready(&sources),
        // A large table takes milliseconds to write: not on a thread that others need.
        path => {
            let path = *path;
            let dump = tokio::task::spawn_blocking(move || dump(path, &sources)).await;
            dump.unwrap_or_else(|_| {
                page(StatusCode::INTERNAL_SERVER_ERROR, &json!({ "error": "this page failed" }))
            })
        }
    }
}

fn ready(sources: &Sources) -> Page {
    let waiting_for = sources.readiness.waiting_for();
    let ready = waiting_for.is_empty();
    let status = if ready { StatusCode::OK } else { StatusCode::SERVICE_UNAVAILABLE };
    page(status, &json!({ "ready": ready, "waiting_for": waiting_for }))
}

fn dump(path: Path, sources: &Sources) -> Page {
    match path {
        Path::Metrics => with_type(StatusCode::OK, METRICS, (sources.metrics)()),
        Path::Endpoints => page(StatusCode::OK, &json::Endpoints::of(&sources.routes.load())),
        Path::Problems => {
            page(StatusCode::OK, &json!({ "problems": json::problems(&sources.problems.load()) }))
        }
        Path::Routes | Path::Live | Path::Ready => {
            page(StatusCode::OK, &json::Routes::of(&sources.routes.load()))
        }
    }
}

fn not_found() -> Page {
    let paths = PATHS.map(|(path, _)| path);
    page(StatusCode::NOT_FOUND, &json!({ "error": "there is no such page", "paths": paths }))
}

fn method_not_allowed() -> Page {
    let mut page =
        page(StatusCode::METHOD_NOT_ALLOWED, &json!({ "error": "only GET and HEAD are answered" }));
    page.headers_mut().insert(ALLOW, HeaderValue::from_static("GET, HEAD"));
    page
}

fn page(status: StatusCode, content: &impl Serialize) -> Page {
    match serde_json::to_string(content) {
        Ok(text) => with_type(status, JSON, text + "\n"),
        Err(_) => with_type(StatusCode::INTERNAL_SERVER_ERROR, JSON, "{}\n".into()),
    }
}

fn with_type(status: StatusCode, content_type: HeaderValue, text: String) -> Page {
    let mut page = Response::new(Full::new(Bytes::from(text)));
    *page.status_mut() = status;
    page.headers_mut().insert(CONTENT_TYPE, content_type);
    page.headers_mut().insert(CACHE_CONTROL, HeaderValue::from_static("no-store"));
    page
}
