//! Which Secret a host's certificate comes from where several Ingresses claim it.

use model::{HostMatch, ObjectRef};

use super::claim::{Basis, Claim, Ranked};
use crate::problems::{Fault, Problems};
use crate::{ObjectKey, conflict, reasons};

/// The claims to a host, the strongest first. The author of each that lists the host and loses to another Secret is told.
pub(super) fn settle(host: &HostMatch, mut claims: Vec<Ranked>, problems: &mut Problems) -> Vec<Claim> {
    claims.sort_by(Ranked::order);
    if let Some((won, others)) = claims.split_first() {
        let listed = others.iter().filter(|claim| claim.claim.basis == Basis::Listed);
        for lost in listed.filter(|lost| !secrets(lost).eq(secrets(won))) {
            tell(host, lost, won, problems);
        }
    }
    claims.into_iter().map(|ranked| ranked.claim).collect()
}

fn tell(host: &HostMatch, lost: &Ranked, won: &Ranked, problems: &mut Problems) {
    let Some((first, named)) = won.claim.secrets.first().zip(lost.claim.secrets.first()) else { return };
    let why = conflict::precedence(&won.origin, &lost.origin);
    let (secret, ingress) = (&first.secret, &won.claim.ingress);
    let message =
        format!("for {host} the certificate of Secret {secret} goes first, by Ingress {ingress}, {why}");
    let remedy =
        "take the host out of one of them; nothing is amiss if both Secrets have the same certificate";
    let object = ObjectRef::new("Ingress", &lost.claim.ingress.namespace, &lost.claim.ingress.name);
    problems.add(object, &*named.field, Fault::warning(reasons::CONFLICT, message, remedy));
}

fn secrets(ranked: &Ranked) -> impl Iterator<Item = &ObjectKey> {
    ranked.claim.secrets.iter().map(|named| &named.secret)
}
