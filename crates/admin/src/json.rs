//! Routes, endpoints and problems as JSON. Field names are an interface: scripts read them.

use std::net::SocketAddr;

use model::{Backend, BackendKey, Problem, RouteTable, Selection};
use serde::Serialize;

mod route;
mod tcp_service;

pub use route::{RouteView, Routes};

#[derive(Debug, Serialize)]
struct BackendName {
    namespace: String,
    service: String,
    port: String,
}

impl BackendName {
    fn of(key: &BackendKey) -> BackendName {
        let (namespace, service) = (key.namespace.to_string(), key.service.to_string());
        BackendName { namespace, service, port: key.port.to_string() }
    }
}

/// Everything `/endpoints` shows.
#[derive(Debug, Serialize)]
pub struct Endpoints {
    generation: u64,
    backends: Vec<BackendView>,
}

impl Endpoints {
    /// The backends of this table.
    pub fn of(table: &RouteTable) -> Endpoints {
        let backends = table.backends().iter().map(|backend| BackendView::of(backend)).collect();
        Endpoints { generation: table.generation, backends }
    }
}

/// A backend with all its endpoints.
#[derive(Debug, Serialize)]
pub struct BackendView {
    #[serde(flatten)]
    name: BackendName,
    protocol: &'static str,
    selection: &'static str,
    endpoints: Vec<EndpointView>,
}

impl BackendView {
    /// This backend.
    pub fn of(backend: &Backend) -> BackendView {
        let usable = backend.usable().len();
        let endpoints = backend.endpoints().iter().enumerate().map(|(place, endpoint)| EndpointView {
            address: endpoint.key.address,
            uid: endpoint.key.uid.to_string(),
            condition: endpoint.condition.as_str(),
            takes_requests: place < usable,
        });
        BackendView {
            name: BackendName::of(&backend.key),
            protocol: backend.protocol.as_str(),
            selection: selection(backend.selection()),
            endpoints: endpoints.collect(),
        }
    }
}

#[derive(Debug, Serialize)]
#[serde(rename_all = "camelCase")]
struct EndpointView {
    address: SocketAddr,
    uid: String,
    condition: &'static str,
    takes_requests: bool,
}

/// A problem and its object. What is not known is an empty string.
#[derive(Debug, Serialize)]
pub struct ProblemView<'a> {
    severity: &'static str,
    kind: &'a str,
    namespace: &'a str,
    name: &'a str,
    file: Option<&'a str>,
    field: &'a str,
    reason: &'static str,
    message: &'a str,
    remedy: &'a str,
}

/// These problems, in their order.
pub fn problems<'a>(problems: impl IntoIterator<Item = &'a Problem>) -> Vec<ProblemView<'a>> {
    problems.into_iter().map(ProblemView::of).collect()
}

impl ProblemView<'_> {
    fn of(problem: &Problem) -> ProblemView<'_> {
        let Problem { object, field, severity, reason, message, remedy } = problem;
        ProblemView {
            severity: severity.as_str(),
            kind: &object.kind,
            namespace: &object.namespace,
            name: &object.name,
            file: object.file.as_deref(),
            field,
            reason,
            message,
            remedy,
        }
    }
}

/// Which endpoints take requests; for a backend without any, why.
pub fn selection(selection: Selection) -> &'static str {
    match selection {
        Selection::Ready => "ready",
        Selection::Terminating => "terminating",
        Selection::None(why) => why.as_str(),
    }
}
