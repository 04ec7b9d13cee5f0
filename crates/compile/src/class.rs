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
        let mut all = Classes { classes, settings, default: false };
        all.default = classes.iter().any(|(name, class)| is_default(class) && all.is_ours(name));
        all
    }

    /// Whether the Ingress is ours. An Ingress without a class belongs to the default class: in a cluster the API server
    /// has written that name into it; in a folder of manifests it is missing. Others' Ingresses are passed over silently,
    /// except one that no controller serves: its class does not exist, or it names none and there is no default.
    pub(crate) fn owns(&self, key: &ObjectKey, ingress: &Ingress, problems: &mut Problems) -> bool {
        let mut tell = |fault| {
            let object = ObjectRef::new("Ingress", &key.namespace, &key.name);
            problems.add(object, "spec.ingressClassName", fault);
        };
        match (by_field(ingress), by_annotation(ingress)) {
            (Some(name), _) => {
                let ours = self.is_ours(name);
                if !ours && !self.classes.contains_key(name) {
                    tell(self.dangling(name));
                }
                ours
            }
            (None, Some(name)) => self.is_ours(name),
            (None, None) if self.settings.without_class => true,
            (None, None) => {
                let others = self.classes.values().any(|class| is_default(class));
                if !self.default && !others {
                    tell(self.missing());
                }
                self.default
            }
        }
    }

    /// A class is ours if it names our controller, or by its name alone if that was asked for or no IngressClass says
    /// otherwise. An operator who comes from another controller cannot change what its IngressClass says (it is immutable),
    /// and may need both controllers for a while.
    fn is_ours(&self, name: &str) -> bool {
        let named = name == self.settings.class;
        match self.classes.get(name) {
            Some(class) => {
                controller_of(class) == self.settings.controller_name || named && self.settings.class_is_given
            }
            None => named,
        }
    }

    /// Tells of an IngressClass that has the name of our class and says that it is another controller's. Returns whether
    /// it is one.
    pub(crate) fn tell_foreign(&self, problems: &mut Problems) -> bool {
        let Settings { class: name, controller_name, class_is_given, .. } = self.settings;
        let class = self.classes.get(name).filter(|class| controller_of(class) != controller_name);
        let Some(class) = class else { return false };
        let theirs = shown(controller_of(class));
        let fault = if *class_is_given {
            Fault::warning(
                reasons::FOREIGN_CLASS,
                format!(
                    "belongs to {theirs}, and its Ingresses are served all the same, because of --class {name}"
                ),
                format!(
                    "while both controllers run, let one of them write no status (--no-status); once only this one \
                     does, keep the IngressClass, and start with --controller-name {}",
                    controller_of(class)
                ),
            )
        } else {
            Fault::warning(
                reasons::FOREIGN_CLASS,
                format!("has the name of our class and belongs to {theirs}, so its Ingresses are not served"),
                format!("start with --class {name} to serve them all the same, or name another class there"),
            )
        };
        problems.add(ObjectRef::new("IngressClass", "", name), "spec.controller", fault);
        true
    }

    fn missing(&self) -> Fault {
        Fault::warning(
            reasons::NO_CLASS,
            "names no class, and no IngressClass is the default, so no controller serves it",
            format!("write ingressClassName: {}", self.settings.class),
        )
    }

    fn dangling(&self, name: &str) -> Fault {
        Fault::warning(
            reasons::DANGLING_REFERENCE,
            format!("is of class {name:?}, which does not exist, so no controller serves it"),
            format!("name the class {:?} or create an IngressClass {name:?}", self.settings.class),
        )
    }
}

/// The class that an Ingress names; `ingressClassName` goes before the annotation.
pub(crate) fn named(ingress: &Ingress) -> Option<&str> {
    by_field(ingress).or_else(|| by_annotation(ingress))
}

fn by_field(ingress: &Ingress) -> Option<&str> {
    ingress.spec.as_ref().and_then(|spec| spec.ingress_class_name.as_deref())
}

fn by_annotation(ingress: &Ingress) -> Option<&str> {
    ingress.metadata.annotations.as_ref().and_then(|all| all.get(CLASS_ANNOTATION)).map(String::as_str)
}

/// The controller that a class says it belongs to; empty if it says none.
pub(crate) fn controller_of(class: &IngressClass) -> &str {
    class.spec.as_ref().and_then(|spec| spec.controller.as_deref()).unwrap_or_default()
}

/// That controller as it is told, in one line whatever was written.
pub(crate) fn controller(class: &IngressClass) -> String {
    shown(controller_of(class))
}

fn shown(controller: &str) -> String {
    match controller {
        "" => "no controller".into(),
        name => format!("controller {}", name.escape_debug()),
    }
}

fn is_default(class: &IngressClass) -> bool {
    let annotations = class.metadata.annotations.as_ref();
    annotations.and_then(|all| all.get(DEFAULT_CLASS_ANNOTATION)).is_some_and(|value| value == "true")
}
