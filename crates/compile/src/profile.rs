//! By whose rules and defaults an Ingress is read.

use std::collections::BTreeMap;
use std::sync::Arc;

use k8s_openapi::api::networking::v1::{Ingress, IngressClass};
use model::{Edge, Tie};

use crate::problems::Fault;
use crate::{Settings, annotations, class, policy, reasons};

/// The `spec.controller` of ingress-nginx' IngressClasses.
const INGRESS_NGINX: &str = "k8s.io/ingress-nginx";

/// The rules and defaults of a controller. Words of every dialect of annotations are read under each of them; what differs
/// is what holds where nothing is said, and how paths and headers are treated.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Profile {
    /// Ours: Ingress v1 to the letter, and nothing is done with a request that was not asked for.
    #[default]
    Own,
    /// ingress-nginx': https is redirected to where there is a certificate, and what else its users rely on.
    IngressNginx,
    /// sky-uk/feed's: a path is the beginning of others' whatever its type, and endpoints get targets without it.
    Feed,
}

impl Profile {
    /// All of them.
    pub const ALL: [Profile; 3] = [Profile::Own, Profile::IngressNginx, Profile::Feed];

    /// The word used in flags.
    pub fn as_str(self) -> &'static str {
        match self {
            Profile::Own => "sluicegate",
            Profile::IngressNginx => "ingress-nginx",
            Profile::Feed => "feed",
        }
    }

    /// What it means, for help texts.
    pub fn help(self) -> &'static str {
        match self {
            Profile::Own => "Ingress v1 to the letter, and nothing that was not asked for",
            Profile::IngressNginx => "As ingress-nginx treats them",
            Profile::Feed => "As sky-uk/feed treats them",
        }
    }

    /// What is told of clients and to them where nothing is said; none where that is the proxy's own way.
    pub fn edge(self) -> Option<Arc<Edge>> {
        policy::edge_of(self)
    }

    /// The one with this word.
    pub fn parse(word: &str) -> Option<Profile> {
        Profile::ALL.into_iter().find(|profile| profile.as_str() == word)
    }

    /// Which of two Ingresses that are as old goes first.
    pub(crate) fn tie(self) -> Tie {
        match self {
            Profile::Own | Profile::Feed => Tie::First,
            Profile::IngressNginx => Tie::Last,
        }
    }

    /// What is to be told of an Ingress that has only the class of ingress-nginx: neither its annotations nor an IngressClass say
    /// that it was written for it, and its author may rely on a redirect.
    pub(crate) fn doubt(self, ingress: &Ingress, settings: &Settings) -> Option<Fault> {
        let is_in_doubt =
            self == Profile::Own && settings.profile.is_none() && class::named(ingress) == Some("nginx");
        let has_tls =
            ingress.spec.as_ref().and_then(|spec| spec.tls.as_ref()).is_some_and(|tls| !tls.is_empty());
        (is_in_doubt && has_tls).then(|| {
            let message = "is of class nginx, and no IngressClass says that it was written for ingress-nginx: plain HTTP is \
                           served, without a redirect to https";
            let remedy = "start with --profile ingress-nginx, or with --profile sluicegate if it is meant so";
            Fault::warning(reasons::PROFILE_IN_DOUBT, message, remedy)
        })
    }

    /// That of an Ingress: the operator's word counts, else that of its class' controller; and an Ingress with annotations of
    /// ingress-nginx was written for it.
    pub(crate) fn of(
        ingress: &Ingress,
        classes: &BTreeMap<String, Arc<IngressClass>>,
        settings: &Settings,
    ) -> Profile {
        if let Some(profile) = settings.profile {
            return profile;
        }
        let controller =
            class::named(ingress).and_then(|name| classes.get(name)).map(|class| class::controller_of(class));
        let is_theirs = settings.controller_name == INGRESS_NGINX || controller == Some(INGRESS_NGINX);
        if is_theirs || annotations::are_of_ingress_nginx(ingress) {
            Profile::IngressNginx
        } else {
            Profile::Own
        }
    }
}
