//! What is told of clients, and to them.

use std::sync::Arc;

use model::{Edge, FieldNames};

use crate::profile::Profile;

/// Fields of answers that nginx keeps to itself (`proxy_hide_header`'s defaults, but for the date, which it writes anew).
const HIDDEN: [&str; 7] = [
    "server",
    "x-accel-buffering",
    "x-accel-charset",
    "x-accel-expires",
    "x-accel-limit-rate",
    "x-accel-redirect",
    "x-pad",
];

/// What holds where nothing is said.
pub(crate) fn of(profile: Profile) -> Option<Arc<Edge>> {
    match profile {
        Profile::Own | Profile::Feed => None,
        Profile::IngressNginx => Some(Arc::new(ingress_nginx())),
    }
}

fn ingress_nginx() -> Edge {
    Edge {
        believes_clients: false,
        real_ip: false,
        real_ip_from: vec!["0.0.0.0/0".parse().expect("a network")],
        for_field: "x-forwarded-for".into(),
        host_field: "x-forwarded-host".into(),
        tells_chain: false,
        tells_target: false,
        makes_request_id: true,
        names: FieldNames::default(),
        request: Vec::new(),
        hidden: HIDDEN.map(Arc::from).into(),
        response: Vec::new(),
    }
}
