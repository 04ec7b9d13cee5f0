//! Services of TCP and where they lead.

use model::{RouteTable, TcpService};
use serde::Serialize;

use super::{BackendName, selection};

/// A port and the backend that it is passed on to.
#[derive(Debug, Serialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct TcpServiceView {
    /// Where clients connect to.
    listens: u16,
    backend: BackendName,
    selection: &'static str,
    balance: &'static str,
    /// Whether connections begin with a PROXY header.
    reads_proxy_header: bool,
    /// The version of the one that those to endpoints begin with.
    #[serde(skip_serializing_if = "Option::is_none")]
    says_proxy_header: Option<&'static str>,
    idle_timeout_ms: u128,
}

impl TcpServiceView {
    pub(super) fn of(service: &TcpService, table: &RouteTable) -> TcpServiceView {
        let backend = table.backend_at(service.backend);
        TcpServiceView {
            listens: service.port,
            backend: BackendName::of(&backend.key),
            selection: selection(backend.selection()),
            balance: service.balance.as_str(),
            reads_proxy_header: service.reads_proxy_header,
            says_proxy_header: backend.key.transport.proxy_header.map(|header| header.as_str()),
            idle_timeout_ms: service.idle_timeout.as_millis(),
        }
    }
}
