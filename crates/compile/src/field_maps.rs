//! The ConfigMaps that hold fields of heads: those that the operator's names are set in every request and answer, that which
//! an Ingress names in the answers of its routes.

use std::collections::BTreeSet;
use std::sync::Arc;

use model::{HeaderEdit, ObjectRef};

use crate::annotations::{Dollar, fields_of_config_map, sent_field};
use crate::policy::{NamedConfigMap, RouteSettings};
use crate::problems::{Fault, Problems};
use crate::source::Draft;
use crate::{ObjectKey, Objects, reasons};

/// The ConfigMaps there are, and those that are named.
pub(crate) struct FieldMaps<'a> {
    objects: &'a Objects,
    named: BTreeSet<ObjectKey>,
}

impl<'a> FieldMaps<'a> {
    pub(crate) fn new(objects: &'a Objects) -> FieldMaps<'a> {
        FieldMaps { objects, named: BTreeSet::new() }
    }

    /// Reads those of the operator, which the object names.
    pub(crate) fn of_operator(
        &mut self,
        object: &ObjectRef,
        settings: &mut RouteSettings,
        problems: &mut Problems,
    ) {
        let maps = &settings.field_maps;
        let (answers, requests) = (maps.in_answers.clone(), maps.in_requests.clone());
        let mut read =
            |named: Option<NamedConfigMap>| match self.read(named.as_ref()?, Dollar::Variable, problems) {
                Some(edits) => Some(edits),
                None => {
                    let NamedConfigMap { key, field } = named?;
                    let message =
                        format!("names ConfigMap {key}, which does not exist, so none of its fields is set");
                    let fault =
                        Fault::warning(reasons::DANGLING_REFERENCE, message, "create it or correct the name");
                    problems.add(object.clone(), field, fault);
                    None
                }
            };
        let (answers, requests) = (read(answers), read(requests));
        if let Some(edge) = settings.edge.as_mut().map(Arc::make_mut) {
            edge.response = answers.unwrap_or_default();
            edge.request = requests.unwrap_or_default();
        }
    }

    /// Reads that of an Ingress. Without it, and with fields in it that the operator does not allow, the Ingress is refused, as
    /// ingress-nginx refuses it.
    pub(crate) fn complete(&mut self, draft: &mut Draft, problems: &mut Problems) {
        self.complete_auth(draft, problems);
        let Some(named) = draft.asked.field_maps.custom.take() else { return };
        let (edits, fault) = match self.read(&named, Dollar::Itself, problems) {
            None => (Vec::new(), Some(absent(&named.key))),
            Some(edits) => {
                let allowed = &draft.asked.field_maps.allowed;
                let other = edits.iter().find(|edit| !allowed.iter().any(|name| **name == *edit.name));
                let fault = other.map(|edit| forbidden(&named.key, &edit.name));
                (edits, fault)
            }
        };
        if let Some(fault) = fault {
            draft.asked.denied = true;
            problems.add(ObjectRef::clone(&draft.object), named.field, fault);
        }
        draft.asked.response_headers.extend(edits);
    }

    /// Reads that of the fields which another server is sent, if one is asked. Without it, and with what is no field, the Ingress
    /// is refused.
    fn complete_auth(&mut self, draft: &mut Draft, problems: &mut Problems) {
        let external = &mut draft.asked.auth.external;
        let Some(named) = external.field_map.take().filter(|_| external.url.is_some()) else { return };
        self.named.insert(named.key.clone());
        let fields = match self.objects.config_maps.get(&named.key) {
            None => Err(absent(&named.key)),
            Some(config_map) => {
                let data = config_map.data.iter().flatten();
                let fields = data.map(|(name, value)| sent_field(name, value)).collect::<Result<Vec<_>, _>>();
                fields.map_err(|why| not_sent(&named.key, &why))
            }
        };
        match fields {
            Ok(fields) => drop(external.request_headers.splice(0..0, fields)),
            Err(fault) => {
                draft.asked.denied = true;
                problems.add(ObjectRef::clone(&draft.object), named.field, fault);
            }
        }
    }

    /// The edits that it comes to; none if it does not exist.
    fn read(
        &mut self,
        named: &NamedConfigMap,
        dollar: Dollar,
        problems: &mut Problems,
    ) -> Option<Vec<HeaderEdit>> {
        let NamedConfigMap { key, .. } = named;
        self.named.insert(key.clone());
        let (edits, faults) = fields_of_config_map(self.objects.config_maps.get(key)?, dollar);
        for (name, fault) in faults {
            problems.add(
                ObjectRef::new("ConfigMap", &key.namespace, &key.name),
                format!("data[{name}]"),
                fault,
            );
        }
        Some(edits)
    }

    /// All that are named.
    pub(crate) fn finish(self) -> BTreeSet<ObjectKey> {
        self.named
    }
}

fn absent(key: &ObjectKey) -> Fault {
    let message =
        format!("names ConfigMap {key}, which does not exist, so the whole Ingress is answered 503");
    Fault::denied(message, "create it or correct the name")
}

fn forbidden(key: &ObjectKey, name: &str) -> Fault {
    let message = format!(
        "names ConfigMap {key}, whose field {name} the operator does not allow, so the whole Ingress is answered 503"
    );
    Fault::denied(
        message,
        "take the field out, or name it in global-allowed-response-headers of the operator's ConfigMap",
    )
}

fn not_sent(key: &ObjectKey, why: &str) -> Fault {
    let message = format!("names ConfigMap {key}, which {why}, so the whole Ingress is answered 503");
    Fault::denied(message, "take the field out, or correct it")
}
