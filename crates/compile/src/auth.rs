//! What objects name that requests are let in by: the passwords in a Secret, and the server that is asked. Each is looked for
//! here, once the annotations are read; what is not found denies.

mod htpasswd;

use std::collections::BTreeMap;
use std::sync::Arc;

use k8s_openapi::api::core::v1::Secret;
use model::{BackendKey, ObjectRef, Users};

use crate::policy::{AuthUrl, RouteSettings, SecretForm, UrlHost};
use crate::problems::{Fault, Problems};
use crate::reference::{Port, Reference};
use crate::tls::{self, NamedSecret};
use crate::{ObjectKey, Objects, reasons};

pub use htpasswd::{USERS_MAX, users_of};

/// The entry of a Secret with what `htpasswd` writes.
const ENTRY: &str = "auth";

/// The passwords that were read so far: many Ingresses may name one Secret.
pub(crate) struct Passwords<'a> {
    objects: &'a Objects,
    read: BTreeMap<(ObjectKey, SecretForm), Read>,
}

/// What came of a Secret.
#[derive(Clone)]
struct Read {
    /// None if it has none, or nothing is known of it yet.
    users: Option<Arc<Users>>,
    faults: Vec<Fault>,
}

impl<'a> Passwords<'a> {
    pub(crate) fn new(objects: &'a Objects) -> Passwords<'a> {
        Passwords { objects, read: BTreeMap::new() }
    }

    /// Reads those that an object names into its settings.
    pub(crate) fn resolve(&mut self, object: &ObjectRef, asked: &mut RouteSettings, problems: &mut Problems) {
        let auth = &mut asked.auth;
        let (Some(_), Some(NamedSecret { secret, field })) = (&auth.passwords, &auth.secret) else { return };
        let objects = self.objects;
        let read = self.read.entry((secret.clone(), auth.form));
        let read = read.or_insert_with_key(|(key, form)| read_secret(key, *form, objects));
        for fault in &read.faults {
            problems.add(object.clone(), field.clone(), fault.clone());
        }
        auth.users.clone_from(&read.users);
    }
}

/// The Secret with passwords that was asked for.
pub(crate) fn secret(asked: &RouteSettings) -> Option<&NamedSecret> {
    asked.auth.secret.as_ref()
}

fn read_secret(key: &ObjectKey, form: SecretForm, objects: &Objects) -> Read {
    let Some(secret) = objects.secrets.get(key) else {
        return Read {
            users: None,
            faults: tls::absent_secret(key, objects).into_iter().map(denied).collect(),
        };
    };
    let text = match form {
        SecretForm::File => entry(secret, ENTRY),
        SecretForm::Map => Some(as_file(secret)),
    };
    let Some(text) = text else {
        let message = format!("names Secret {key}, which has no {ENTRY}");
        let remedy = "give the Secret what htpasswd writes as auth, or write auth-secret-type: auth-map";
        return Read {
            users: None,
            faults: vec![denied(Fault::error(reasons::INCOMPLETE_SECRET, message, remedy))],
        };
    };
    let (users, wrong) = users_of(&text);
    let told = wrong.into_iter().map(|wrong| {
        let message = format!("names Secret {key}, in which {wrong}");
        Fault::error(reasons::INCOMPLETE_SECRET, message, "write the line with htpasswd -B")
    });
    Read { faults: told.collect(), users: Some(Arc::new(users)) }
}

fn denied(fault: Fault) -> Fault {
    let message = format!("{}; the whole Ingress is answered 503", fault.message);
    Fault::error(fault.reason, message, fault.remedy)
}

/// `stringData` is what an author writes; the API server turns it into `data`; in a manifest it is as written.
fn entry(secret: &Secret, name: &str) -> Option<Vec<u8>> {
    let text =
        secret.string_data.as_ref().and_then(|data| data.get(name)).map(|text| text.clone().into_bytes());
    text.or_else(|| Some(secret.data.as_ref()?.get(name)?.0.clone()))
}

fn as_file(secret: &Secret) -> Vec<u8> {
    let data = secret.data.iter().flatten().map(|(user, hash)| (user, &*hash.0));
    let texts = secret.string_data.iter().flatten().map(|(user, hash)| (user, hash.as_bytes()));
    let line = |(user, hash): (&String, &[u8])| [user.as_bytes(), b":", hash, b"\n"].concat();
    data.chain(texts).flat_map(line).collect()
}

/// What a URL refers to, unless that is the request's own host: the Service whose DNS name it has, else that name itself.
pub(crate) fn server(url: &AuthUrl, objects: &Objects) -> Option<Reference> {
    let named = url.backend()?;
    let key = service(&url.host).filter(|key| objects.services.contains_key(key));
    let key = key.map(|ObjectKey { namespace, name }| BackendKey {
        namespace: namespace.into(),
        service: name.into(),
        ..named.clone()
    });
    Some(Reference::Port(key.unwrap_or(named), Port::Number(url.port)))
}

/// The Service whose name in the cluster's DNS this is.
fn service(host: &UrlHost) -> Option<ObjectKey> {
    let UrlHost::Name(name) = host else { return None };
    let mut labels = name.splitn(4, '.');
    let (service, namespace, svc) = (labels.next()?, labels.next()?, labels.next()?);
    (svc == "svc").then(|| ObjectKey::new(namespace, service))
}
