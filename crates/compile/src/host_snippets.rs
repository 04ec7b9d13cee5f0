//! Snippets for a host (`server-snippet`) hold for the routes of all objects that name it, not only for those of the object that
//! they stand in. The oldest object decides, and only for those of its own namespace: no tenant says what holds for another's
//! routes. To these its own snippet applies.

use std::collections::BTreeMap;
use std::sync::Arc;

use model::{HostMatch, ObjectRef};

use crate::annotations::HostSnippet;
use crate::problems::{Fault, Problems};
use crate::reasons;
use crate::source::{Certificates, Draft, RouteDraft, Serves};

const FIELD: &str = "metadata.annotations[nginx.ingress.kubernetes.io/server-snippet]";

/// The object whose snippet decides in a namespace, and the snippet.
type Owner = (i64, Arc<ObjectRef>, Arc<HostSnippet>);

/// Applies the snippets. An object for whose hosts different ones hold becomes several drafts.
pub(crate) fn apply(drafts: Vec<Draft>, problems: &mut Problems) -> Vec<Draft> {
    let owners = owners(&drafts);
    drafts.iter().for_each(|draft| tell(draft, &owners, problems));
    drafts.into_iter().flat_map(|draft| by_snippet(draft, &owners)).collect()
}

type Owners = BTreeMap<(HostMatch, String), Owner>;

fn owners(drafts: &[Draft]) -> Owners {
    let mut owners = Owners::new();
    for draft in drafts {
        let Some(snippet) = &draft.asked.host_snippet else { continue };
        for host in named(draft) {
            let new = (draft.created, Arc::clone(&draft.object), Arc::clone(snippet));
            match owners.get(&(host.clone(), draft.object.namespace.clone())) {
                Some((created, object, _)) if (*created, object) <= (new.0, &new.1) => {}
                _ => drop(owners.insert((host, draft.object.namespace.clone()), new)),
            }
        }
    }
    owners
}

/// Tells of a snippet that does not hold for a host of its object, and of a host that has one in another namespace.
fn tell(draft: &Draft, owners: &Owners, problems: &mut Problems) {
    let own = &draft.object.namespace;
    for host in named(draft) {
        let decides = owners.get(&(host.clone(), own.clone()));
        if let Some((_, owner, _)) = decides.filter(|(_, owner, _)| *owner != draft.object)
            && draft.asked.host_snippet.is_some()
        {
            let message = format!(
                "does not hold for {host}, with ingress-nginx neither: that of the older {owner} does"
            );
            let fault = Fault::warning(reasons::NO_EFFECT, message, "write one snippet for the host");
            problems.add(ObjectRef::clone(&draft.object), FIELD, fault);
        }
        let of_host =
            owners.range((host.clone(), String::new())..).take_while(|((other, _), _)| *other == host);
        let elsewhere = of_host.into_iter().find(|((_, namespace), _)| namespace != own);
        if let (None, Some((_, (_, owner, _)))) = (decides, elsewhere) {
            let message = format!(
                "does not hold for {}, which names {host}, too: it is for the Ingresses of its own namespace",
                draft.object
            );
            let remedy = "write the same snippet there, if it is to hold";
            problems.add(ObjectRef::clone(owner), FIELD, Fault::warning(reasons::NO_EFFECT, message, remedy));
        }
    }
}

/// The hosts that an object names; one that names none is for any.
fn named(draft: &Draft) -> Vec<HostMatch> {
    if draft.hosts.is_empty() { vec![HostMatch::Any] } else { draft.hosts.clone() }
}

fn by_snippet(draft: Draft, owners: &Owners) -> Vec<Draft> {
    let snippet_of = |host: &HostMatch| {
        let owner = owners.get(&(host.clone(), draft.object.namespace.clone()));
        owner.map(|(_, _, snippet)| Arc::clone(snippet))
    };
    let mut groups: Vec<(Option<Arc<HostSnippet>>, Vec<HostMatch>)> = Vec::new();
    for host in named(&draft) {
        let snippet = snippet_of(&host);
        let same = |(other, _): &&mut (Option<Arc<HostSnippet>>, _)| match (other, &snippet) {
            (None, None) => true,
            (Some(other), Some(snippet)) => Arc::ptr_eq(other, snippet),
            _ => false,
        };
        match groups.iter_mut().find(same) {
            Some((_, hosts)) => hosts.push(host),
            None => groups.push((snippet, vec![host])),
        }
    }
    let is_one = groups.len() == 1;
    let part = |(at, (snippet, hosts)): (usize, (Option<Arc<HostSnippet>>, Vec<HostMatch>))| {
        let mut part = if is_one { draft.clone() } else { of_hosts(&draft, &hosts, at == 0) };
        if let Some(snippet) = &snippet {
            snippet.apply(&mut part.asked);
        }
        for operators in std::mem::take(&mut part.asked.operators_snippets) {
            operators.apply_behind(snippet.is_some(), &mut part.asked);
        }
        part
    };
    groups.into_iter().enumerate().map(part).collect()
}

/// The part of an object that is about these hosts; what is about none of them is the first part's.
fn of_hosts(draft: &Draft, hosts: &[HostMatch], is_first: bool) -> Draft {
    let mut part = draft.clone();
    part.hosts.retain(|host| hosts.contains(host));
    part.routes.retain_mut(|RouteDraft { serves, .. }| match serves {
        Serves::Path(host, _) => hosts.contains(host),
        Serves::Rest { hosts: rest, catch_all } => {
            rest.retain(|host| hosts.contains(host));
            *catch_all &= is_first;
            !rest.is_empty() || *catch_all
        }
    });
    if !is_first {
        part.certificates = Certificates { is_asked: part.certificates.is_asked, ..Certificates::default() };
    }
    part
}
