//! Routes and where they lead.

use model::{Route, RouteTable, Split, Target};
use serde::Serialize;

use super::{BackendName, selection};

/// Everything `/routes` shows.
#[derive(Debug, Serialize)]
pub struct Routes {
    generation: u64,
    routes: Vec<RouteView>,
    conflicts: Vec<ConflictView>,
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
        let (namespace, name) = (route.origin.namespace.to_string(), route.origin.name.to_string());
        RouteView {
            host: route.host.to_string(),
            path: route.path.as_str().into(),
            path_type: route.path.kind(),
            conditions: route.conditions.iter().map(ToString::to_string).collect(),
            target: TargetView::of(&route.target, table),
            origin: OriginView { namespace, name, field: route.origin.field() },
            policy: PolicyView { balance: route.policy.balance.as_str() },
        }
    }
}

/// One backend stands beside the other fields of its route; a split is a field of its own.
#[derive(Debug, Serialize)]
#[serde(untagged)]
enum TargetView {
    Backend(UsedBackend),
    Split { split: SplitView },
}

impl TargetView {
    fn of(target: &Target, table: &RouteTable) -> TargetView {
        match target {
            Target::Backend(backend) => TargetView::Backend(UsedBackend::of(*backend, table)),
            Target::Split(split) => TargetView::Split { split: SplitView::of(split, table) },
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
    fn of(split: &Split, table: &RouteTable) -> SplitView {
        let rules = split.rules().iter().map(|rule| RuleView {
            condition: rule.condition.to_string(),
            backend: UsedBackend::of(rule.backend, table),
        });
        let shares = split
            .shares()
            .iter()
            .map(|share| ShareView { weight: share.weight, backend: UsedBackend::of(share.backend, table) });
        SplitView { rules: rules.collect(), shares: shares.collect(), total: split.total() }
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
    fn of(place: u32, table: &RouteTable) -> UsedBackend {
        let backend = table.backend_at(place);
        UsedBackend { backend: BackendName::of(&backend.key), selection: selection(backend.selection()) }
    }
}

#[derive(Debug, Serialize)]
struct OriginView {
    namespace: String,
    name: String,
    field: String,
}

#[derive(Debug, Serialize)]
struct PolicyView {
    balance: &'static str,
}
