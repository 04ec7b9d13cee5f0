//! The words of the domain: what a host, a route, a backend and an endpoint are, which route a request gets, and
//! how a new table becomes live.
//!
//! Owns: [`RouteTable`] and its [`find`](RouteTable::find), the normal form of hosts and paths, what routes ask of a
//! request ([`Facts`]) and where they lead ([`Target`]), [`Problem`], and
//! [`Published`], the one place where the control plane and the data plane meet.
//! Never: tokio, kube, hyper, serde, or any IO. A value of this crate can be built in a test in one line.
//! Start at [`RouteTable::find`].
//!
//! # The words
//!
//! **Downstream** is the client's side, **upstream** the other. A **route** says which requests go to which **target**:
//! one **backend**, or several by conditions or weight; a backend is one port of a Service; an **endpoint** is one of
//! its addresses. A **policy** is what applies to a route beyond where it leads, its **filters** are what is done with
//! a request and its answer on the way; an **exchange** is one request and its answer. The **route table** holds all
//! routes and the **TCP services**, ports that are passed on to a backend as they are; each published one is a **snapshot** and has a **generation**. The **index** holds the last known Kubernetes
//! objects; to **compile** is to make a table from them. A **problem** is what is wrong with one. A **drain** is the
//! way a process leaves, a **lame duck** one that still accepts but asks load balancers to send no more, a **handover**
//! how it leaves its sockets to a successor, and has them back if that one dies. **Live** means it runs, **ready** that
//! it may be sent requests.

mod backend;
mod condition;
mod digest;
mod explain;
mod facts;
mod frontend;
mod host;
mod path;
mod pattern;
mod policy;
mod problem;
mod protocol;
mod published;
mod route;
mod table;
mod target;
mod tcp_service;
mod template;
mod transport;

pub use backend::{Backend, BackendKey, Condition, Endpoint, EndpointKey, Selection, Unavailable};
pub use condition::{Conditions, RequestCondition, ValueMatch};
pub use digest::{Digest, weigh};
pub use explain::{Candidate, Explanation, Verdict, explain};
pub use facts::{Facts, Get, cookie_in, query_parameter};
pub use frontend::FrontendScheme;
pub use host::{HostError, HostMatch, HostName, RequestHost};
pub use path::{PathError, PathMatch, RequestPath, escape, escape_decoded, escape_target, must_be_escaped};
pub use pattern::{Captures, Pattern, PatternError};
pub use policy::{
    AddressRules, Affinity, Auth, AuthServer, BCRYPT_COST_MAX, Balance, Blocked, CacheTime, ClientTls,
    ClientVerify, Compression, CookieAttributes, CookieRewrite, Cors, Edge, ExternalAuth, FieldMatch,
    FieldNames, FieldText, Filters, HashError, HeaderChange, HeaderEdit, Keyed, Location, LocationPart,
    OriginMatch, Origins, Pages, PasswordAuth, PasswordHash, PathTemplate, PlaceRewrite, Policy, RateLimit,
    Redirect, RequestFilter, RequestLimits, RequestValue, ResponseFilter, Retry, RetryOn, Rewrite, Rewritten,
    SameSite, Scheme, Stickiness, StickyValue, Throttle, Timeouts, Users, WordCache, any_contains,
    is_forwarding_field,
};
pub use problem::{ObjectRef, Problem, Severity};
pub use protocol::Protocol;
pub use published::{Cache, Published};
pub use route::{Origin, Route, Tie};
pub use table::{Conflict, RouteTable, RouteTableBuilder};
pub use target::{Primary, Share, Split, SplitRule, Target};
pub use tcp_service::TcpService;
pub use template::{Piece, Template, TemplateError, Variable};
pub use transport::{ProxyHeader, Transport, UpstreamTls};
