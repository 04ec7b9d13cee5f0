//! A folder of manifests, upstreams, clients, and the program itself.

mod balancer;
mod between;
mod certificates;
mod client;
mod cluster;
mod fake_api;
mod gate;
pub(crate) mod moto;
mod namespaces;
mod relay;
mod survivors;
mod traffic;
mod upstream;
mod visitors;

pub(crate) use balancer::Balancer;
pub(crate) use between::{Between, Step};
pub(crate) use certificates::{Handshakes, Issued};
pub(crate) use client::Client;
pub(crate) use cluster::{Cluster, block_on, pod_address};
pub(crate) use fake_api::{FakeApi, Lie};
pub(crate) use gate::{Gate, output, program};
pub(crate) use namespaces::{Link, in_a_namespace};
pub(crate) use relay::{Relay, Slowness};
pub(crate) use survivors::Survivors;
pub(crate) use traffic::Traffic;
pub(crate) use upstream::Upstream;
pub(crate) use visitors::Visitors;

pub(crate) use test_support::manifests::{ingress, service, slice};
pub(crate) use test_support::{Folder, PATIENCE, eventually};
