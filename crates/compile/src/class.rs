//! Which Ingresses are ours.

use std::collections::BTreeMap;
use std::sync::Arc;

use k8s_openapi::api::networking::v1::{Ingress, IngressClass};
use model::ObjectRef;

use crate::problems::{Fault, Problems};
use crate::{ObjectKey, Settings, reasons};

/// The annotation that named the class before `ingressClassName` did; deprecated and still to be honoured.
const CLASS_ANNOTATION: &str = "kubernetes.io/ingress.class";
/// Marks the class of Ingresses that name none.
const DEFAULT_CLASS_ANNOTATION: &str = "ingressclass.kubernetes.io/is-default-class";

/// The IngressClasses, and what is ours among them.
pub(crate) struct Classes<'a> {
    classes: &'a BTreeMap<String, Arc<IngressClass>>,
    settings: &'a Settings,
    /// Whether an Ingress that names no class is ours.
    default: bool,
}

impl<'a> Classes<'a> {
    pub(crate) fn new(
        classes: &'a BTreeMap<String, Arc<IngressClass>>,
        settings: &'a Settings,
    ) -> Classes<'a> {
        let default = classes.values().any(|class| is_default(class) && controlled_by(class, settings));
        Classes { classes, settings, default }
    }

    /// Whether the Ingress is ours. `ingressClassName` goes before the annotation. An Ingress with neither belongs to
    /// the default class: in a cluster the API server has written that name into it, in a folder of manifests nobody
    /// has. Others' Ingresses are passed over silently, except one that nobody serves: its class does not exist, or it
    /// names none and there is no default.
    pub(crate) fn owns(&self, key: &ObjectKey, ingress: &Ingress, problems: &mut Problems) -> bool {
        let by_name = ingress.spec.as_ref().and_then(|spec| spec.ingress_class_name.as_deref());
        let annotations = ingress.metadata.annotations.as_ref();
        let by_annotation = annotations.and_then(|all| all.get(CLASS_ANNOTATION));
        match (by_name, by_annotation) {
            (Some(name), _) => {
                let ours = self.is_ours(name);
                if !ours && !self.classes.contains_key(name) {
                    problems.add(
                        ObjectRef::new("Ingress", &key.namespace, &key.name),
                        "spec.ingressClassName",
                        self.dangling(name),
                    );
                }
                ours
            }
            (None, Some(name)) => self.is_ours(name),
            (None, None) => {
                let others = self.classes.values().any(|class| is_default(class));
                if !self.default && !others {
                    problems.add(
                        ObjectRef::new("Ingress", &key.namespace, &key.name),
                        "spec.ingressClassName",
                        self.missing(),
                    );
                }
                self.default
            }
        }
    }

    /// Our own class name needs no IngressClass, but one that says otherwise is believed.
    fn is_ours(&self, name: &str) -> bool {
        match self.classes.get(name) {
            Some(class) => controlled_by(class, self.settings),
            None => name == self.settings.class,
        }
    }

    fn missing(&self) -> Fault {
        Fault::warning(
            reasons::NO_CLASS,
            "names no class, and no IngressClass is the default, so nobody serves it",
            format!("write ingressClassName: {}", self.settings.class),
        )
    }

    fn dangling(&self, name: &str) -> Fault {
        Fault::warning(
            reasons::DANGLING_REFERENCE,
            format!("is of class {name:?}, which does not exist, so nobody serves it"),
            format!("name the class {:?} or create an IngressClass {name:?}", self.settings.class),
        )
    }
}

fn controlled_by(class: &IngressClass, settings: &Settings) -> bool {
    let controller = class.spec.as_ref().and_then(|spec| spec.controller.as_deref());
    controller == Some(settings.controller_name.as_str())
}

fn is_default(class: &IngressClass) -> bool {
    let annotations = class.metadata.annotations.as_ref();
    annotations.and_then(|all| all.get(DEFAULT_CLASS_ANNOTATION)).is_some_and(|value| value == "true")
}
