//! A real Kubernetes control plane on loopback: etcd, kube-apiserver and kube-controller-manager, and faults at will.
//!
//! Owns: where the programs come from ([`Binaries`]), how they are started, and that nothing of them is left, however
//! the process that holds them ends. There is no kubelet and no scheduler: nodes and pods are objects only, and a test
//! says when a pod is ready ([`ControlPlane::create_node`], [`ControlPlane::set_pod_ready`]).
//! Never: a Kubernetes client, which tests bring themselves unless [`ControlPlane::kubectl`] does; real nodes, which
//! crate `nodes` adds to this.
//! Start at [`ControlPlane::start`].

mod binaries;
mod credentials;
mod error;
mod etcd;
mod family;
mod kubernetes;
mod objects;
mod plane;
mod recipe;
mod server;

pub use binaries::build::{Failed, build, go_build};
pub use binaries::{Binaries, Missing};
pub use error::{Error, Tail};
pub use family::Family;
pub use objects::own_address;
pub use plane::ControlPlane;
pub use recipe::Recipe;
pub use server::Server;
