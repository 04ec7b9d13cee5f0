//! The ConfigMaps that are followed by name.

use compile::ObjectKey;
use k8s_openapi::api::core::v1::ConfigMap;

use super::State;
use crate::cluster::{Answer, NamedConfigMaps, Part};
use crate::kinds::{Id, Kind, Stored as _};

impl State {
    /// Takes what is to be known of one.
    pub(super) fn take_config_map(&mut self, key: ObjectKey, answer: Answer<ConfigMap>) {
        if !self.config_maps.contains(&key) {
            return;
        }
        let id = Id::new(Kind::ConfigMap, key.clone());
        self.heard_of_config_maps.insert(key.clone());
        match answer {
            Answer::Found(config_map) => self.index.apply(config_map.into_object(), None),
            Answer::Absent => self.index.delete(&id),
            Answer::Unknown(why, remedy) => return self.faults.unreadable(id, &why, remedy),
        }
        self.faults.readable(&id);
        // There may be several in a namespace, which are one part.
        let mut of_part =
            self.publisher.settings().config_maps().filter(|own| own.namespace == key.namespace);
        if of_part.all(|own| self.heard_of_config_maps.contains(own)) {
            self.unsynced.remove(&Part::of_config_map(&key));
        }
    }

    /// Asks for exactly the ConfigMaps that are needed now, or by an Ingress that waits.
    pub(in crate::control::cluster) fn follow_config_maps(&mut self, config_maps: &mut NamedConfigMaps) {
        let named = self.publisher.compiled().into_iter().flat_map(|compiled| &compiled.config_maps);
        let own = self.publisher.settings().config_maps();
        let wanted = own.chain(named).cloned().chain(self.gate.config_maps(&self.index)).collect();
        config_maps.want(&wanted);
        self.heard_of_config_maps.retain(|key| wanted.contains(key));
        self.index.retain_config_maps(&wanted);
        self.config_maps = wanted;
    }
}
