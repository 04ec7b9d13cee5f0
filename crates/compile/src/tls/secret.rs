//! Whether the Secrets that are named for TLS are there and complete.

use k8s_openapi::api::core::v1::Secret;

use crate::problems::Fault;
use crate::{ObjectKey, Objects, reasons};

/// What names a Secret: its problems are told of that.
#[derive(Clone, Copy)]
pub(super) enum By {
    /// An Ingress; the problem is its own.
    Ingress,
    /// The operator; the problem is the Secret's, for lack of an object that could be mended.
    Operator,
}

/// What is wrong with a Secret that should have a certificate. Nothing where that is not known yet.
pub(super) fn without_certificate(key: &ObjectKey, by: By, objects: &Objects) -> Option<Fault> {
    let Some(secret) = objects.secrets.get(key) else { return absent(key, by, objects) };
    let missing: Vec<&str> = ["tls.crt", "tls.key"].into_iter().filter(|entry| !has(secret, entry)).collect();
    let message = match by {
        By::Ingress => format!("names Secret {key}, which has no {}", missing.join(" and no ")),
        By::Operator => format!("is to be the default certificate and has no {}", missing.join(" and no ")),
    };
    let remedy = "give the Secret a certificate as tls.crt and its key as tls.key, both PEM";
    (!missing.is_empty()).then(|| Fault::warning(reasons::INCOMPLETE_SECRET, message, remedy))
}

/// What is wrong with a Secret for handshakes with endpoints, which may be verified by it.
pub(super) fn without_credentials(key: &ObjectKey, verify: bool, objects: &Objects) -> Option<Fault> {
    let Some(secret) = objects.secrets.get(key) else {
        let fault = absent(key, By::Ingress, objects)?;
        let message = format!("{}; requests for the Ingress are answered 503", fault.message);
        return Some(Fault::error(fault.reason, message, fault.remedy));
    };
    let [authorities, chain, key_of_it] = ["ca.crt", "tls.crt", "tls.key"].map(|entry| has(secret, entry));
    let lack = match (authorities, chain, key_of_it) {
        (false, ..) if verify => "CA bundle (ca.crt) to verify endpoints by",
        (false, false, false) => "ca.crt and no tls.crt",
        (_, false, true) => "tls.crt beside its tls.key",
        (_, true, false) => "tls.key beside its tls.crt",
        _ => return None,
    };
    let message =
        format!("names Secret {key}, which has no {lack}; requests for the Ingress are answered 503");
    let remedy = "give the Secret a CA bundle as ca.crt, or a client certificate and its key as tls.crt and tls.key, \
                  or all three, in PEM";
    Some(Fault::error(reasons::INCOMPLETE_SECRET, message, remedy))
}

/// What is wrong with a Secret that clients are to be verified by.
pub(super) fn without_client_ca(key: &ObjectKey, objects: &Objects) -> Option<Fault> {
    let closed = "every request for the hosts of the Ingress is answered 403";
    let Some(secret) = objects.secrets.get(key) else {
        let fault = absent(key, By::Ingress, objects)?;
        return Some(Fault::error(fault.reason, format!("{}; {closed}", fault.message), fault.remedy));
    };
    let message =
        format!("names Secret {key}, which has no CA bundle (ca.crt) to verify clients by; {closed}");
    let remedy = "give the Secret the certificates of the CAs that issue the clients' as ca.crt, in PEM";
    (!has(secret, "ca.crt")).then(|| Fault::error(reasons::INCOMPLETE_SECRET, message, remedy))
}

/// What is wrong with a Secret that is not there.
pub(super) fn absent(key: &ObjectKey, by: By, objects: &Objects) -> Option<Fault> {
    let known = objects.absent_secrets.as_ref().is_none_or(|absent| absent.contains(key));
    if objects.secrets.contains_key(key) || !known {
        return None;
    }
    let (message, remedy) = match by {
        By::Ingress => (
            format!("names Secret {key}, which does not exist"),
            "create the Secret in the Ingress' namespace or correct the name",
        ),
        By::Operator => ("is named by a flag and does not exist".into(), "create it or correct the flag"),
    };
    Some(Fault::warning(reasons::DANGLING_REFERENCE, message, remedy))
}

/// `stringData` is what an author writes; the API server turns it into `data`; in a manifest it is as written.
fn has(secret: &Secret, entry: &str) -> bool {
    let in_data =
        secret.data.as_ref().and_then(|data| data.get(entry)).is_some_and(|bytes| !bytes.0.is_empty());
    let in_string_data = secret.string_data.as_ref().and_then(|data| data.get(entry));
    in_data || in_string_data.is_some_and(|text| !text.is_empty())
}
