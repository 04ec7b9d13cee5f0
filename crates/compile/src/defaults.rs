//! What holds where an Ingress says nothing: that of its profile, and for ingress-nginx' what the operator's ConfigMap says.

use model::ObjectRef;

use crate::field_maps::FieldMaps;
use crate::policy::RouteSettings;
use crate::problems::{Fault, Problems};
use crate::tcp_services::TcpSettings;
use crate::{ObjectKey, Objects, Profile, Settings, annotations, reasons};

/// What holds for the Ingresses of each profile.
pub(crate) struct Defaults {
    own: RouteSettings,
    ingress_nginx: RouteSettings,
    feed: RouteSettings,
}

impl Defaults {
    /// Reads the ConfigMap, if the operator names one.
    pub(crate) fn read(
        objects: &Objects,
        settings: &Settings,
        field_maps: &mut FieldMaps<'_>,
        problems: &mut Problems,
    ) -> Defaults {
        let of = |profile| RouteSettings {
            passthrough_is_allowed: settings.ssl_passthrough,
            ..RouteSettings::of(profile, settings.balance)
        };
        let (own, mut ingress_nginx) = (of(Profile::Own), of(Profile::IngressNginx));
        if let Some(key) = &settings.config_map {
            read(key, objects, &mut ingress_nginx, field_maps, problems);
        }
        Defaults { own, ingress_nginx, feed: of(Profile::Feed) }
    }

    /// What holds for services of TCP, which only ingress-nginx has words for.
    pub(crate) fn of_tcp_services(&self) -> &TcpSettings {
        &self.ingress_nginx.tcp_services
    }

    /// What holds for the Ingresses of this profile.
    pub(crate) fn of(&self, profile: Profile) -> RouteSettings {
        match profile {
            Profile::Own => self.own.clone(),
            Profile::IngressNginx => self.ingress_nginx.clone(),
            Profile::Feed => self.feed.clone(),
        }
    }
}

fn read(
    key: &ObjectKey,
    objects: &Objects,
    settings: &mut RouteSettings,
    field_maps: &mut FieldMaps<'_>,
    problems: &mut Problems,
) {
    let object = ObjectRef::new("ConfigMap", &key.namespace, &key.name);
    let config_map = objects.config_maps.get(key);
    if config_map.is_none() {
        let message = "does not exist, so the defaults of ingress-nginx hold";
        let remedy = "create it, or name another with --configmap";
        problems.add(object.clone(), "", Fault::warning(reasons::DANGLING_REFERENCE, message, remedy));
    }
    let data = config_map.and_then(|config_map| config_map.data.clone()).unwrap_or_default();
    annotations::read_config_map(&object, &data, settings, problems);
    field_maps.of_operator(&object, settings, problems);
}
