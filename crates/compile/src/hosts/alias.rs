//! Names that a host is served under beside its own.

use std::collections::BTreeMap;
use std::sync::Arc;

use model::{HostMatch, ObjectRef};

use super::Server;
use super::server::Aliases;
use crate::problems::{Fault, Problems};
use crate::reasons;

const FIELD: &str = "metadata.annotations[nginx.ingress.kubernetes.io/server-alias]";

/// The aliases of each host. One that is a host of rules is none; of two for one name that of the older Ingress
/// counts.
pub(super) fn settle(
    servers: &BTreeMap<HostMatch, Server>,
    problems: &mut Problems,
) -> BTreeMap<HostMatch, Vec<HostMatch>> {
    let mut taken: BTreeMap<&HostMatch, &HostMatch> = BTreeMap::new();
    let asking = servers.iter().filter_map(|(host, server)| Some((host, server, server.aliases.as_ref()?)));
    let mut asking: Vec<_> = asking.collect();
    asking.sort_by_key(|(_, _, aliases)| aliases.place);
    for (host, server, Aliases { object, names, .. }) in asking {
        for name in names.iter().filter(|name| *name != host) {
            let why = match taken.get(name) {
                _ if servers.contains_key(name) => "there are rules for that host".into(),
                Some(other) if *other != host => format!("it is one of {other}"),
                _ => {
                    taken.insert(name, host);
                    continue;
                }
            };
            tell(object, format!("{name} is no alias of {host}: {why}"), problems);
        }
        for other in &server.more_aliases {
            tell(other, format!("{host} has the aliases that {object} gives it, and no others"), problems);
        }
    }
    let mut aliases: BTreeMap<HostMatch, Vec<HostMatch>> = BTreeMap::new();
    for (name, host) in taken {
        aliases.entry(host.clone()).or_default().push(name.clone());
    }
    aliases
}

fn tell(object: &Arc<ObjectRef>, message: String, problems: &mut Problems) {
    let fault = Fault::warning(reasons::CONFLICT, message, "let one Ingress give each name, and each once");
    problems.add(ObjectRef::clone(object), FIELD, fault);
}
