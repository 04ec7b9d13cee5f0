//! Tells the author of each route that is not served because another is.

use model::{Conflict, HostMatch, ObjectRef, Origin, RouteTable};

use crate::problems::{Fault, Problems};
use crate::reasons;

/// Tells of all conflicts of a table.
pub(crate) fn tell(table: &RouteTable, problems: &mut Problems) {
    for Conflict { lost, won } in table.conflicts() {
        let what = match (lost.origin.rule, &lost.host) {
            (Some(_), host) => format!("{host} {}", lost.path),
            (None, HostMatch::Any) => "what no rule matches".into(),
            (None, host) => format!("what no rule matches on {host}"),
        };
        let message =
            format!("{what} is served by Ingress {}, {}", won.origin, precedence(&won.origin, &lost.origin));
        let remedy = "change the host or path of one of them, or remove one";
        let object = ObjectRef::new("Ingress", &lost.origin.namespace, &lost.origin.name);
        problems.add(object, lost.origin.field(), Fault::error(reasons::CONFLICT, message, remedy));
    }
}

/// Why the one goes before the other, in the order that [`Origin`] has.
fn precedence(won: &Origin, lost: &Origin) -> &'static str {
    if won.created < lost.created {
        "which is older"
    } else if (&won.namespace, &won.name) == (&lost.namespace, &lost.name) {
        "which stands first in the same Ingress"
    } else {
        "which is as old and comes first by namespace and name"
    }
}
