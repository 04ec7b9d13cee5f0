//! Routes and where they lead.

use std::collections::BTreeMap;
use std::num::NonZeroU16;

use model::{Origin, Policy, Retry, Route, RouteTable, Share, Split, SplitRule, Target, Unavailable};
use serde::Serialize;

use super::tcp_service::TcpServiceView;
use super::{BackendName, selection};

/// What is said to be selected for a route whose requests are all refused: its backend may well have endpoints.
const DENIED: &str = Unavailable::Refused.as_str();

/// Everything `/routes` shows.
#[derive(Debug, Serialize)]
pub struct Routes {
    generation: u64,
    routes: Vec<RouteView>,
    conflicts: Vec<ConflictView>,
    /// Hosts all of whose paths are patterns.
    #[serde(rename = "patternHosts", skip_serializing_if = "Vec::is_empty")]
    pattern_hosts: Vec<PatternHostView>,
    /// Ports that are passed on.
    #[serde(rename = "tcpServices", skip_serializing_if = "Vec::is_empty")]
    tcp_services: Vec<TcpServiceView>,
}

/// A host all of whose paths are patterns, and the object because of which they are.
#[derive(Debug, Serialize)]
struct PatternHostView {
    host: String,
    namespace: String,
    name: String,
}

impl Routes {
    /// The routes of this table, and those that lost to another.
    pub fn of(table: &RouteTable) -> Routes {
        let view = |route: &Route| RouteView::of(route, table);
        let conflicts = table.conflicts().iter();
        Routes {
            generation: table.generation,
            routes: table.routes().iter().map(|route| view(route)).collect(),
            conflicts: conflicts.map(|c| ConflictView { lost: view(&c.lost), won: view(&c.won) }).collect(),
            pattern_hosts: table
                .pattern_hosts()
                .map(|(host, of)| PatternHostView {
                    host: host.to_string(),
                    namespace: of.namespace.clone(),
                    name: of.name.clone(),
                })
                .collect(),
            tcp_services: table.tcp_services().map(|service| TcpServiceView::of(service, table)).collect(),
        }
    }
}

#[derive(Debug, Serialize)]
struct ConflictView {
    lost: RouteView,
    won: RouteView,
}

/// One rule and where it leads.
#[derive(Debug, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct RouteView {
    host: String,
    path: String,
    path_type: &'static str,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    conditions: Vec<String>,
    #[serde(flatten)]
    target: TargetView,
    origin: OriginView,
    policy: PolicyView,
}

impl RouteView {
    /// A route of this table.
    pub fn of(route: &Route, table: &RouteTable) -> RouteView {
        let Origin { object, field, .. } = &route.origin;
        RouteView {
            host: route.host.to_string(),
            path: route.path.as_str().into(),
            path_type: route.path.kind(),
            conditions: route.conditions.iter().map(ToString::to_string).collect(),
            target: TargetView::of(route, table),
            origin: OriginView {
                namespace: object.namespace.clone(),
                name: object.name.clone(),
                field: field.to_string(),
            },
            policy: PolicyView::of(&route.policy),
        }
    }
}

/// One backend stands beside the other fields of its route; a split is a field of its own.
#[derive(Debug, Serialize)]
#[serde(untagged)]
enum TargetView {
    Backend(UsedBackend),
    Split { split: SplitView },
    Nothing {},
}

impl TargetView {
    fn of(route: &Route, table: &RouteTable) -> TargetView {
        let used = |place: u32| UsedBackend::of(place, route.policy.denies(), table);
        match &route.target {
            Target::Backend(backend) => TargetView::Backend(used(*backend)),
            Target::Split(split) => TargetView::Split { split: SplitView::of(split, used) },
            Target::Nothing => TargetView::Nothing {},
        }
    }
}

/// The first rule whose condition holds decides; else chance, by weight.
#[derive(Debug, Serialize)]
struct SplitView {
    rules: Vec<RuleView>,
    shares: Vec<ShareView>,
    total: u64,
}

impl SplitView {
    fn of(split: &Split, used: impl Fn(u32) -> UsedBackend) -> SplitView {
        let rule = |SplitRule { condition, backend }: &SplitRule| RuleView {
            condition: condition.to_string(),
            backend: used(*backend),
        };
        let share =
            |Share { backend, weight }: &Share| ShareView { weight: *weight, backend: used(*backend) };
        SplitView {
            rules: split.rules().iter().map(rule).collect(),
            shares: split.shares().iter().map(share).collect(),
            total: split.total(),
        }
    }
}

#[derive(Debug, Serialize)]
struct RuleView {
    condition: String,
    #[serde(flatten)]
    backend: UsedBackend,
}

#[derive(Debug, Serialize)]
struct ShareView {
    weight: u32,
    #[serde(flatten)]
    backend: UsedBackend,
}

/// A backend and which of its endpoints take requests.
#[derive(Debug, Serialize)]
struct UsedBackend {
    backend: BackendName,
    selection: &'static str,
}

impl UsedBackend {
    fn of(place: u32, denied: bool, table: &RouteTable) -> UsedBackend {
        let backend = table.backend_at(place);
        let selection = if denied { DENIED } else { selection(backend.selection()) };
        UsedBackend { backend: BackendName::of(&backend.key), selection }
    }
}

#[derive(Debug, Serialize)]
struct OriginView {
    namespace: String,
    name: String,
    field: String,
}

#[derive(Debug, Serialize)]
#[serde(rename_all = "camelCase")]
struct PolicyView {
    balance: &'static str,
    /// What of a request decides on its endpoint in the place of that.
    #[serde(skip_serializing_if = "Option::is_none")]
    keyed: Option<String>,
    /// As times are written in annotations.
    #[serde(skip_serializing_if = "BTreeMap::is_empty")]
    timeouts: BTreeMap<&'static str, String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    retry: Option<RetryView>,
    /// TLS is passed through to the endpoints.
    #[serde(skip_serializing_if = "std::ops::Not::not")]
    passes_tls: bool,
    /// In bytes.
    #[serde(skip_serializing_if = "Option::is_none")]
    request_body_max: Option<u64>,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    filters: Vec<&'static str>,
}

impl PolicyView {
    fn of(policy: &Policy) -> PolicyView {
        let filters = policy.filters.iter().flat_map(|filters| filters.words()).collect();
        PolicyView {
            balance: policy.balance.as_str(),
            keyed: policy.keyed.as_ref().map(ToString::to_string),
            timeouts: policy.timeouts.words().map(|(word, time)| (word, format!("{time:?}"))).collect(),
            retry: (policy.retry != Retry::default()).then(|| RetryView::of(policy.retry)),
            passes_tls: policy.passes_tls,
            request_body_max: policy.request_body_max,
            filters,
        }
    }
}

#[derive(Debug, Serialize)]
struct RetryView {
    #[serde(skip_serializing_if = "Option::is_none")]
    attempts: Option<NonZeroU16>,
    #[serde(skip_serializing_if = "Option::is_none")]
    endpoints: Option<NonZeroU16>,
    #[serde(skip_serializing_if = "Option::is_none")]
    within: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    on: Option<String>,
}

impl RetryView {
    fn of(Retry { attempts, endpoints, within, on }: Retry) -> RetryView {
        let within = within.map(|time| format!("{time:?}"));
        RetryView { attempts, endpoints, within, on: on.map(|on| on.to_string()) }
    }
}
