//! One request in, one page out.

use std::sync::Arc;

use bytes::Bytes;
use http::header::{
    ALLOW, CACHE_CONTROL, CONTENT_SECURITY_POLICY, CONTENT_TYPE, REFERRER_POLICY, X_CONTENT_TYPE_OPTIONS,
};
use http::{HeaderValue, Method, Request, Response, StatusCode};
use http_body_util::Full;
use serde::Serialize;
use serde_json::json;

use crate::ui::{self, File};
use crate::{Command, Pages, Sources, json};

const JSON: HeaderValue = HeaderValue::from_static("application/json");
const TEXT: HeaderValue = HeaderValue::from_static("text/plain; charset=utf-8");
/// Prometheus' text format, version 0.0.4.
const METRICS: HeaderValue = HeaderValue::from_static("text/plain; version=0.0.4; charset=utf-8");

type Page = Response<Full<Bytes>>;

/// What can be asked for.
#[derive(Clone, Copy)]
enum Path {
    Live,
    Ready,
    State,
    Metrics,
    Routes,
    Endpoints,
    Problems,
    Explain,
    File(File),
    Command(Command),
}

/// For load balancers.
const HEALTH: &[(&str, Path)] = &[("/live", Path::Live), ("/ready", Path::Ready), ("/healthz", Path::Ready)];
/// For operators: these only read.
const READING: &[(&str, Path)] = &[
    ("/state", Path::State),
    ("/metrics", Path::Metrics),
    ("/routes", Path::Routes),
    ("/endpoints", Path::Endpoints),
    ("/problems", Path::Problems),
    ("/explain", Path::Explain),
];
/// For people who look at them: these ask the ones above.
const FILES: &[(&str, Path)] = &[
    ("/", Path::File(ui::PAGE)),
    ("/ui/page.css", Path::File(ui::STYLE)),
    ("/ui/data.js", Path::File(ui::DATA)),
    ("/ui/list.js", Path::File(ui::LIST)),
    ("/ui/main.js", Path::File(ui::MAIN)),
    ("/ui/verdict.js", Path::File(ui::VERDICT)),
];
/// These change something.
const COMMANDS: &[(&str, Path)] = &[
    ("/drain", Path::Command(Command::Drain)),
    ("/undrain", Path::Command(Command::Undrain)),
    ("/upgrade", Path::Command(Command::Upgrade)),
];

/// Those that a listener answers.
fn paths(pages: &Pages) -> impl Iterator<Item = &'static (&'static str, Path)> {
    let groups: &[_] = match pages {
        Pages::Health => &[HEALTH],
        Pages::All => &[HEALTH, READING, FILES],
        Pages::Control(_) => &[HEALTH, READING, COMMANDS],
    };
    groups.iter().copied().flatten()
}

/// Answers a request. Its body, if it has one, is not read.
pub(crate) async fn answer<B>(request: Request<B>, pages: &Pages, sources: Arc<Sources>) -> Page {
    let (request, _) = request.into_parts();
    let Some((_, path)) = paths(pages).find(|(known, _)| *known == request.uri.path()) else {
        return not_found(pages);
    };
    match (*path, pages) {
        (Path::Command(command), Pages::Control(commands)) => match request.method {
            Method::POST => answered(commands.send(command).await),
            _ => method_not_allowed("POST"),
        },
        _ if !matches!(request.method, Method::GET | Method::HEAD) => method_not_allowed("GET, HEAD"),
        (Path::Live, _) => page(StatusCode::OK, &json!({ "live": true })),
        (Path::Ready, _) => ready(&sources, pages),
        (Path::File(file), _) => show(file),
        (Path::Explain, _) => explain(request.uri.query().unwrap_or_default(), &sources),
        // A large table takes milliseconds to write: not on a thread that serves other pages.
        (path, _) => {
            let dump = tokio::task::spawn_blocking(move || dump(path, &sources)).await;
            dump.unwrap_or_else(|_| {
                page(StatusCode::INTERNAL_SERVER_ERROR, &json!({ "error": "this page failed" }))
            })
        }
    }
}

/// 409 where it cannot be done now: what is asked for makes sense, but not in the state that the process is in.
fn answered(answer: Result<String, String>) -> Page {
    match answer {
        Ok(done) => page(StatusCode::OK, &json!({ "done": done })),
        Err(error) => page(StatusCode::CONFLICT, &json!({ "error": error })),
    }
}

/// A table without routes is only reported: whether the process is ready must not depend on what tenants write into their
/// objects. Load balancers need not know of classes and controllers.
fn ready(sources: &Sources, pages: &Pages) -> Page {
    let mut waiting_for = sources.readiness.waiting_for();
    if !matches!(pages, Pages::Health) {
        waiting_for.extend(sources.readiness.arriving());
    }
    let ready = waiting_for.is_empty();
    let status = if ready { StatusCode::OK } else { StatusCode::SERVICE_UNAVAILABLE };
    let mut content = json!({ "ready": ready, "waiting_for": waiting_for });
    if let (Some(why), Pages::All | Pages::Control(_)) = (&*sources.no_routes.load(), pages) {
        content["no_routes"] = json!(&**why);
    }
    page(status, &content)
}

fn dump(path: Path, sources: &Sources) -> Page {
    match path {
        Path::Metrics => with_type(StatusCode::OK, METRICS, (sources.metrics)()),
        Path::Endpoints => page(StatusCode::OK, &json::Endpoints::of(&sources.routes.load())),
        Path::Problems => {
            let (problems, of_ports) = (sources.problems.load(), sources.port_problems.load());
            let problems = json::problems(problems.iter().chain(&*of_ports));
            page(StatusCode::OK, &json!({ "problems": problems }))
        }
        Path::State => page(StatusCode::OK, &(sources.state)()),
        _ => page(StatusCode::OK, &json::Routes::of(&sources.routes.load())),
    }
}

/// What the live table makes of a request.
fn explain(query: &str, sources: &Sources) -> Page {
    match (sources.explain)(query) {
        Ok(text) => with_type(StatusCode::OK, TEXT, text),
        Err(error) => with_type(StatusCode::BAD_REQUEST, TEXT, error + "\n"),
    }
}

fn show(file: File) -> Page {
    let mut page = with_type(StatusCode::OK, HeaderValue::from_static(file.content_type), file.text.into());
    let headers = page.headers_mut();
    headers.insert(CONTENT_SECURITY_POLICY, ui::POLICY);
    headers.insert(REFERRER_POLICY, HeaderValue::from_static("no-referrer"));
    headers.insert(X_CONTENT_TYPE_OPTIONS, HeaderValue::from_static("nosniff"));
    page
}

fn not_found(pages: &Pages) -> Page {
    let paths = paths(pages).map(|(path, _)| *path).filter(|path| !path.starts_with("/ui/"));
    let paths: Vec<&str> = paths.collect();
    page(StatusCode::NOT_FOUND, &json!({ "error": "no such page", "paths": paths }))
}

fn method_not_allowed(allow: &'static str) -> Page {
    let error = json!({ "error": format!("only {allow} is answered here") });
    let mut page = page(StatusCode::METHOD_NOT_ALLOWED, &error);
    page.headers_mut().insert(ALLOW, HeaderValue::from_static(allow));
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
