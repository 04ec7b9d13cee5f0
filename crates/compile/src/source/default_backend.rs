//! The Service of the operator to which all goes that nothing else serves.

use std::sync::Arc;

use model::{BackendKey, ObjectRef, Origin};

use super::{Certificates, Draft, RouteDraft, Serves, Written};
use crate::policy::RouteSettings;
use crate::problems::{Fault, Problems};
use crate::reference::{Port, Reference};
use crate::{ObjectKey, Objects, reasons};

/// Its first port takes what no Ingress does, unless one of them has a backend for that itself.
pub(crate) fn read(
    key: &ObjectKey,
    objects: &Objects,
    asked: RouteSettings,
    drafts: &[Draft],
    problems: &mut Problems,
) -> Option<Draft> {
    let routes = drafts.iter().flat_map(|draft| &draft.routes);
    if routes.into_iter().any(|route| matches!(route.serves, Serves::Rest { catch_all: true, .. })) {
        return None;
    }
    let object = Arc::new(ObjectRef::new("Service", &key.namespace, &key.name));
    let service = objects.services.get(key).and_then(|service| service.spec.as_ref());
    let port = service.and_then(|spec| spec.ports.as_ref()?.first());
    let Some(port) = port.and_then(|port| u16::try_from(port.port).ok()) else {
        let message = "is to serve what nothing else does, and does not exist or has no port";
        let remedy = "create it, or name another with --default-backend-service";
        problems.add(
            ObjectRef::clone(&object),
            "",
            Fault::error(reasons::DANGLING_REFERENCE, message, remedy),
        );
        return None;
    };
    let backend = BackendKey {
        namespace: key.namespace.as_str().into(),
        service: key.name.as_str().into(),
        port: port.to_string().into(),
        transport: Arc::default(),
    };
    let field = "spec.ports[0]";
    let origin = Origin { created: i64::MAX, object: Arc::clone(&object), place: 0, field: field.into() };
    let route = RouteDraft {
        serves: Serves::Rest { hosts: Vec::new(), catch_all: true },
        written: Written::Rest,
        backend: Reference::Port(backend, Port::Number(port)),
        backend_field: field.into(),
        origin,
        redirect: None,
    };
    let certificates = Certificates::default();
    Some(Draft { object, created: i64::MAX, hosts: Vec::new(), routes: vec![route], certificates, asked })
}
