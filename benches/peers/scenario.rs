//! What is asked of the proxies.

/// One kind of load.
pub(crate) struct Scenario {
    /// As `--only` names it.
    pub(crate) name: &'static str,
    /// As the report describes it.
    pub(crate) about: &'static str,
    /// What is asked for; the upstream knows `/1k`, `/64k` and, for bodies, `/post`.
    pub(crate) path: &'static str,
    /// Connections that ask at the same time.
    pub(crate) connections: u32,
    /// Bytes of the request's body; 0 for a GET.
    pub(crate) body: usize,
    /// A connection for each request.
    pub(crate) close: bool,
    /// Whether the floor is one here. With a connection for each request it is not: it opens two.
    pub(crate) floor: bool,
}

const KEEPALIVE: Scenario =
    Scenario { name: "", about: "", path: "/1k", connections: 64, body: 0, close: false, floor: true };

/// All loads, in the order of their weight.
pub(crate) const LOADS: [Scenario; 5] = [
    Scenario { name: "keepalive-64", about: "1 KiB response, 64 keep-alive connections", ..KEEPALIVE },
    Scenario {
        name: "keepalive-512",
        about: "1 KiB response, 512 keep-alive connections",
        connections: 512,
        ..KEEPALIVE
    },
    Scenario {
        name: "response-64k",
        about: "64 KiB response, 64 keep-alive connections",
        path: "/64k",
        ..KEEPALIVE
    },
    Scenario {
        name: "post-64k",
        about: "POST of 64 KiB, 1 KiB response, 64 keep-alive connections",
        path: "/post",
        body: 64 * 1024,
        ..KEEPALIVE
    },
    Scenario {
        name: "new-connections",
        about: "1 KiB response, a connection for each request, 64 at a time",
        close: true,
        floor: false,
        ..KEEPALIVE
    },
];

/// The scenario that is no load: many connections, all silent.
pub(crate) const IDLE: &str = "idle";

impl Scenario {
    /// What `--only` accepts.
    pub(crate) fn names() -> Vec<&'static str> {
        LOADS.iter().map(|scenario| scenario.name).chain([IDLE]).collect()
    }
}
