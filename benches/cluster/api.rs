//! The objects that are written into the API server.

use std::net::SocketAddr;
use std::path::Path;
use std::time::Instant;

use anyhow::Result;
use futures_util::{StreamExt, TryStreamExt};
use k8s_openapi::api::core::v1::{Namespace, Service};
use k8s_openapi::api::discovery::v1::EndpointSlice;
use k8s_openapi::api::networking::v1::Ingress;
use kube::api::{Patch, PatchParams, PostParams, WatchEvent, WatchParams};
use kube::config::{KubeConfigOptions, Kubeconfig};
use kube::{Client, Config};
use serde_json::{Value, json};
use tokio::sync::mpsc;

/// The namespace of all objects.
pub(crate) const NAMESPACE: &str = "bench";

/// Requests to the API server at once.
const AT_ONCE: usize = 32;

/// A client that may do anything.
#[derive(Clone)]
pub(crate) struct Api {
    client: Client,
}

impl Api {
    pub(crate) async fn new(kubeconfig: &Path) -> Result<Api> {
        let kubeconfig = Kubeconfig::read_from(kubeconfig)?;
        let config = Config::from_custom_kubeconfig(kubeconfig, &KubeConfigOptions::default()).await?;
        let client = Client::try_from(config)?;
        let namespace = serde_json::from_value(json!({"metadata": {"name": NAMESPACE}}))?;
        kube::Api::<Namespace>::all(client.clone()).create(&PostParams::default(), &namespace).await?;
        Ok(Api { client })
    }

    /// One rule for a host, a Service of the same name and its slice.
    pub(crate) async fn create(&self, name: &str, host: &str, endpoints: &[SocketAddr]) -> Result<()> {
        let ingress = json!({
            "metadata": {"name": name},
            "spec": {"ingressClassName": "sluicegate", "rules": [{"host": host, "http": {"paths": [{
                "path": "/", "pathType": "Prefix", "backend": {"service": {"name": name, "port": {"number": 80}}}
            }]}}]},
        });
        let service = json!({"metadata": {"name": name}, "spec": {"ports": [{"name": "http", "port": 80}]}});
        self.add_slice(name, name, endpoints).await?;
        let at = PostParams::default();
        self.of::<Service>().create(&at, &serde_json::from_value(service)?).await?;
        self.of::<Ingress>().create(&at, &serde_json::from_value(ingress)?).await?;
        Ok(())
    }

    /// One slice more for a Service.
    pub(crate) async fn add_slice(&self, service: &str, name: &str, endpoints: &[SocketAddr]) -> Result<()> {
        let slice = json!({
            "metadata": {"name": name, "labels": {"kubernetes.io/service-name": service}},
            "addressType": "IPv4", "ports": ports(endpoints), "endpoints": addresses(endpoints),
        });
        self.of::<EndpointSlice>().create(&PostParams::default(), &serde_json::from_value(slice)?).await?;
        Ok(())
    }

    /// Many of those, `service-0` and so on.
    pub(crate) async fn create_all(
        &self,
        count: usize,
        endpoints: impl Fn(usize) -> Vec<SocketAddr> + Sync,
    ) -> Result<()> {
        let create = |at: usize| {
            let (name, host, endpoints) = (name(at), format!("host-{at}.example"), endpoints(at));
            async move { self.create(&name, &host, &endpoints).await }
        };
        futures_util::stream::iter(0..count).map(create).buffer_unordered(AT_ONCE).try_collect().await
    }

    /// Gives the Service of this name other endpoints; returns when the API server has accepted that.
    pub(crate) async fn change(&self, name: &str, endpoints: &[SocketAddr]) -> Result<()> {
        let patch = json!({"ports": ports(endpoints), "endpoints": addresses(endpoints)});
        self.of::<EndpointSlice>().patch(name, &PatchParams::default(), &Patch::Merge(&patch)).await?;
        Ok(())
    }

    /// When a plain watch of all slices, as any client may have, tells of each change of this one. What it is late by,
    /// every proxy is late by too.
    pub(crate) async fn watch(&self, name: &'static str) -> Result<mpsc::UnboundedReceiver<Instant>> {
        let (sender, told) = mpsc::unbounded_channel();
        let slices = self.of::<EndpointSlice>();
        let mut events = slices.watch_metadata(&WatchParams::default(), "0").await?.boxed();
        tokio::spawn(async move {
            while let Some(Ok(event)) = events.next().await {
                if let WatchEvent::Modified(slice) = event
                    && slice.metadata.name.as_deref() == Some(name)
                {
                    let _ = sender.send(Instant::now());
                }
            }
        });
        Ok(told)
    }

    fn of<K>(&self) -> kube::Api<K>
    where
        K: kube::Resource<Scope = k8s_openapi::NamespaceResourceScope, DynamicType = ()>,
    {
        kube::Api::namespaced(self.client.clone(), NAMESPACE)
    }
}

/// The name of one of many Services.
pub(crate) fn name(at: usize) -> String {
    format!("service-{at}")
}

fn ports(endpoints: &[SocketAddr]) -> Value {
    json!([{"name": "http", "port": endpoints.first().map_or(80, SocketAddr::port)}])
}

/// As a cluster has them: each with its pod.
fn addresses(endpoints: &[SocketAddr]) -> Vec<Value> {
    let address = |at: &SocketAddr| {
        let pod = format!("pod-{}", at.ip().to_string().replace('.', "-"));
        json!({
            "addresses": [at.ip()],
            "conditions": {"ready": true, "serving": true, "terminating": false},
            "nodeName": "node-1", "zone": "eu-west-1a",
            "targetRef": {"kind": "Pod", "namespace": NAMESPACE, "name": pod, "uid": format!("{pod}-4f0c-9a1b-1234567890ab")},
        })
    };
    endpoints.iter().map(address).collect()
}
