//! A backend as it was made, with what came to light on the way.

use model::{Backend, BackendKey, Severity, Unavailable};

use super::super::spoken;
use crate::problems::Fault;
use crate::reasons;

/// A backend, and what came to light when it was made.
pub(in crate::backend) struct Made {
    pub(in crate::backend) backend: Backend,
    /// What is wrong with naming it, to be told of each Ingress that does.
    pub(in crate::backend) fault: Option<Fault>,
    /// The DNS names that its endpoints are resolved from.
    pub(in crate::backend) external_names: Vec<String>,
    /// Whether its endpoints are those of before.
    pub(in crate::backend) is_pending: bool,
    /// What is wrong with its slices as a whole.
    pub(super) no_slice: Option<NoSlice>,
    /// What they can be taken for even so.
    pub(super) loose: Option<Backend>,
}

/// Nothing says where the endpoints for a port are.
pub(super) struct NoSlice {
    /// Whether the Service has no slice, or only none with the port.
    pub(super) none_at_all: bool,
    pub(super) port_name: String,
}

impl Made {
    pub(super) fn of(backend: Backend) -> Made {
        let (external_names, no_slice, loose) = (Vec::new(), None, None);
        Made { backend, fault: None, external_names, is_pending: false, no_slice, loose }
    }

    /// A backend, unless its endpoints cannot be spoken to in the way that is asked for.
    pub(super) fn speaking(backend: Backend) -> Made {
        match spoken::fault(&backend) {
            Some(fault) if fault.severity == Severity::Error => {
                Made::unavailable(&backend.key, Unavailable::Refused, Some(fault))
            }
            fault => Made { fault, ..Made::of(backend) },
        }
    }

    /// Takes the slices for what they can be taken for, if that can serve; returns what to tell of it.
    pub(super) fn take_loosely(&mut self, loose: &Backend) -> Option<Fault> {
        let usable = loose.usable().first()?.key.address.port();
        let no_slice = self.no_slice.take()?;
        self.backend = loose.clone();
        let message = format!("{}; port {usable} of its endpoints serves", no_slice.message());
        Some(Fault::warning(reasons::NO_ENDPOINT_SLICE, message, no_slice.remedy()))
    }

    pub(super) fn unavailable(key: &BackendKey, why: Unavailable, fault: Option<Fault>) -> Made {
        Made { fault, ..Made::of(Backend::unavailable(key.clone(), why)) }
    }
}

impl NoSlice {
    pub(super) fn message(&self) -> String {
        match (self.none_at_all, &*self.port_name) {
            (true, _) => "has no EndpointSlice".into(),
            (false, "") => "has no EndpointSlice with a TCP port without a name".into(),
            (false, name) => format!("has no EndpointSlice with a TCP port named {name:?}"),
        }
    }

    /// In a cluster every Service with a selector has a slice, even without pods; in a folder of manifests one is easily
    /// forgotten or mislabelled.
    pub(super) fn fault(&self) -> Fault {
        let of = if self.none_at_all { "it" } else { "that port" };
        let message = format!("{}, so requests for {of} are answered 503", self.message());
        Fault::warning(reasons::NO_ENDPOINT_SLICE, message, self.remedy())
    }

    pub(super) fn remedy(&self) -> &'static str {
        match self.none_at_all {
            true => {
                "create an EndpointSlice in its namespace that carries the label kubernetes.io/service-name"
            }
            false => "give the port the same name in the Service and in its EndpointSlices",
        }
    }
}
