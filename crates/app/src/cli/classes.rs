//! Which Ingresses are served, and by whose rules they are read.

use clap::Args;
use clap::builder::{PossibleValue, PossibleValuesParser, TypedValueParser};
use compile::{ObjectKey, Profile};

use super::names;

/// Which Ingresses are ours.
#[derive(Debug, Args)]
pub(crate) struct ClassArgs {
    /// The Ingress class to serve even without an IngressClass object, and even if its IngressClass names another
    /// controller: that cannot be changed later, which matters when you migrate. By default sluicegate, unless an
    /// IngressClass of that name belongs to another controller
    #[arg(long, value_name = "NAME", env = "SLUICEGATE_CLASS", value_parser = names::object)]
    pub(crate) class: Option<String>,

    /// The spec.controller of the IngressClasses to serve
    #[arg(long, value_name = "NAME", env = "SLUICEGATE_CONTROLLER_NAME", default_value_t = compile::Settings::default().controller_name)]
    pub(crate) controller_name: String,

    /// By whose rules and defaults Ingresses are read. By default ingress-nginx' for those of an IngressClass whose controller
    /// is k8s.io/ingress-nginx and those with its annotations, and our own for all others
    #[arg(long, value_name = "WHOSE", env = "SLUICEGATE_PROFILE", value_parser = profile())]
    pub(crate) profile: Option<Profile>,

    /// The ConfigMap of ingress-nginx: what holds for the Ingresses of its profile where they say nothing. An edit is live at
    /// once
    #[arg(long, value_name = "NAMESPACE/NAME", env = "SLUICEGATE_CONFIGMAP", value_parser = names::namespaced)]
    pub(crate) configmap: Option<ObjectKey>,
}

/// One of [`Profile::ALL`].
fn profile() -> impl TypedValueParser<Value = Profile> {
    let values = Profile::ALL.map(|profile| PossibleValue::new(profile.as_str()).help(profile.help()));
    PossibleValuesParser::new(values).map(|word| Profile::parse(&word).unwrap_or_default())
}
