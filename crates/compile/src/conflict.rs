//! Tells the author of each route that is not served because another is.

use model::{Conflict, HostMatch, ObjectRef, Origin, RouteTable, Tie};

use crate::problems::{Fault, Problems};
use crate::reasons;

/// Tells of all conflicts of a table.
pub(crate) fn tell(table: &RouteTable, problems: &mut Problems) {
    for Conflict { lost, won } in table.conflicts() {
        // Only another default keeps a default from being served.
        let what = match (table.is_default(won), &lost.host) {
            (false, host) => format!("{host} {}", lost.path),
            (true, HostMatch::Any) => "what no rule matches".into(),
            (true, host) => format!("what no rule matches on {host}"),
        };
        let (kind, why) = (&won.origin.object.kind, precedence(&won.origin, &lost.origin));
        let message = format!("{what} is served by {kind} {}, {why}", won.origin);
        let remedy = "change the host or path of one of them, or remove one";
        let Origin { object, field, .. } = &lost.origin;
        problems.add(ObjectRef::clone(object), &**field, Fault::error(reasons::CONFLICT, message, remedy));
    }
}

/// Why the one goes before the other, in the order that [`Origin`] has.
pub(crate) fn precedence(won: &Origin, lost: &Origin) -> &'static str {
    if won.created < lost.created {
        "which is older"
    } else if won.object == lost.object {
        "which stands first in the same Ingress"
    } else if won.tie != lost.tie {
        "which is as old and not read as ingress-nginx reads them"
    } else if won.tie == Tie::Last {
        "which is as old and comes last by namespace and name, as with ingress-nginx"
    } else {
        "which is as old and comes first by namespace and name"
    }
}
