//! Checks that the Secrets an Ingress names for TLS are there and complete. Certificates are not compiled here.

use std::collections::BTreeSet;

use k8s_openapi::api::core::v1::Secret;
use k8s_openapi::api::networking::v1::Ingress;
use model::ObjectRef;

use crate::problems::{Fault, Problems};
use crate::{ObjectKey, Objects, reasons};

/// Tells of each `spec.tls[].secretName` that gives no certificate, and adds all that are named to `named`. An entry
/// without a name is allowed (Ingress v1).
pub(crate) fn check(
    key: &ObjectKey,
    ingress: &Ingress,
    objects: &Objects,
    problems: &mut Problems,
    named: &mut BTreeSet<ObjectKey>,
) {
    let tls = ingress.spec.iter().flat_map(|spec| spec.tls.iter().flatten());
    for (at, tls) in tls.enumerate() {
        let Some(name) = tls.secret_name.as_deref().filter(|name| !name.is_empty()) else { continue };
        let secret = ObjectKey::new(&*key.namespace, name);
        let found = objects.secrets.get(&secret).map(|secret| &**secret);
        let unknown = objects.absent_secrets.as_ref().is_some_and(|absent| !absent.contains(&secret));
        if !(found.is_none() && unknown)
            && let Some(fault) = fault(&secret, found)
        {
            let ingress = ObjectRef::new("Ingress", &key.namespace, &key.name);
            problems.add(ingress, format!("spec.tls[{at}].secretName"), fault);
        }
        named.insert(secret);
    }
}

fn fault(key: &ObjectKey, secret: Option<&Secret>) -> Option<Fault> {
    let Some(secret) = secret else {
        return Some(Fault::warning(
            reasons::DANGLING_REFERENCE,
            format!("names Secret {key}, which does not exist"),
            "create the Secret in the Ingress' namespace or correct the name",
        ));
    };
    let missing: Vec<&str> = ["tls.crt", "tls.key"].into_iter().filter(|entry| !has(secret, entry)).collect();
    (!missing.is_empty()).then(|| {
        Fault::warning(
            reasons::INCOMPLETE_SECRET,
            format!("names Secret {key}, which has no {}", missing.join(" and no ")),
            "give the Secret a certificate as tls.crt and its key as tls.key, both PEM",
        )
    })
}

/// `stringData` is what an author writes; the API server turns it into `data`, for a manifest nobody has.
fn has(secret: &Secret, entry: &str) -> bool {
    let in_data =
        secret.data.as_ref().and_then(|data| data.get(entry)).is_some_and(|bytes| !bytes.0.is_empty());
    let in_string_data = secret.string_data.as_ref().and_then(|data| data.get(entry));
    in_data || in_string_data.is_some_and(|text| !text.is_empty())
}
