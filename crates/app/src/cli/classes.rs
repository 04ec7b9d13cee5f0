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
    #[arg(long, alias = "ingress-class", value_name = "NAME", env = "SLUICEGATE_CLASS", value_parser = names::object)]
    pub(crate) class: Option<String>,

    /// The spec.controller of the IngressClasses to serve
    #[arg(long, alias = "controller-class", value_name = "NAME", env = "SLUICEGATE_CONTROLLER_NAME", default_value_t = compile::Settings::default().controller_name)]
    pub(crate) controller_name: String,

    /// By whose rules and defaults Ingresses are read. By default ingress-nginx' for those of an IngressClass whose controller
    /// is k8s.io/ingress-nginx and those with its annotations, and our own for all others
    #[arg(long, value_name = "WHOSE", env = "SLUICEGATE_PROFILE", value_parser = profile())]
    pub(crate) profile: Option<Profile>,

    /// The ConfigMap of ingress-nginx: what holds for the Ingresses of its profile where they say nothing. An edit is live at
    /// once
    #[arg(long, value_name = "NAMESPACE/NAME", env = "SLUICEGATE_CONFIGMAP", value_parser = names::namespaced)]
    pub(crate) configmap: Option<ObjectKey>,

    /// The ConfigMap of TCP services: each key is a port to listen on, at the addresses of --http, each value the
    /// NAMESPACE/SERVICE:PORT that its connections are passed on to; then :PROXY if they begin with a PROXY header, and :PROXY
    /// again if those to endpoints are to. An edit is live at once, and closes no connection
    #[arg(long, value_name = "NAMESPACE/NAME", env = "SLUICEGATE_TCP_SERVICES_CONFIGMAP", value_parser = names::namespaced)]
    pub(crate) tcp_services_configmap: Option<ObjectKey>,

    /// Ports that are served of it, the lowest ones. Each takes an open file at every address of --http
    #[arg(long, value_name = "N", env = "SLUICEGATE_TCP_SERVICES_MAX", default_value_t = compile::TCP_SERVICES_MAX)]
    pub(crate) tcp_services_max: usize,

    /// Serve Ingresses that name no class, even where no IngressClass is the default
    #[arg(long, env = "SLUICEGATE_WATCH_INGRESS_WITHOUT_CLASS")]
    pub(crate) watch_ingress_without_class: bool,

    /// What the annotations of ingress-nginx begin with, up to the slash, if not nginx.ingress.kubernetes.io
    #[arg(long, value_name = "PREFIX", env = "SLUICEGATE_ANNOTATIONS_PREFIX", value_parser = names::object)]
    pub(crate) annotations_prefix: Option<String>,

    /// Serve no Ingress that has a default backend, which takes what no rule does
    #[arg(long, env = "SLUICEGATE_DISABLE_CATCH_ALL")]
    pub(crate) disable_catch_all: bool,

    /// Send nothing to Services of type ExternalName: their routes are answered 503
    #[arg(long, env = "SLUICEGATE_DISABLE_SVC_EXTERNAL_NAME")]
    pub(crate) disable_svc_external_name: bool,

    /// The Service whose first port serves what no Ingress does (else that is answered 404), and the pages of custom-http-errors
    /// where the Ingress names no default-backend
    #[arg(long, value_name = "NAMESPACE/NAME", env = "SLUICEGATE_DEFAULT_BACKEND_SERVICE", value_parser = names::namespaced)]
    pub(crate) default_backend_service: Option<ObjectKey>,
}

/// One of [`Profile::ALL`].
fn profile() -> impl TypedValueParser<Value = Profile> {
    let values = Profile::ALL.map(|profile| PossibleValue::new(profile.as_str()).help(profile.help()));
    PossibleValuesParser::new(values).map(|word| Profile::parse(&word).unwrap_or_default())
}
