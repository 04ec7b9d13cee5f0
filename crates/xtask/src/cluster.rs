//! A Kubernetes control plane to try things on, for as long as the command runs.

use anyhow::Result;
use control_plane::{Binaries, ControlPlane, own_address};
use nodes::{Cluster, POD_IMAGE, Programs};
use signal_hook::consts::{SIGHUP, SIGINT, SIGTERM};
use signal_hook::iterator::Signals;

use crate::setup;

/// A pod that names no node, or one that does not exist, gets into no EndpointSlice.
const NODE: &str = "node-1";

/// Starts it, shows how to use it, and ends it at Ctrl-C or SIGTERM.
///
/// # Errors
/// If its programs cannot be built, or it does not start; the error shows the end of a log.
pub(crate) fn run() -> Result<()> {
    let binaries = setup::control_plane()?;
    // Before anything is started, so that no moment is left in which a signal would be its end.
    let mut signals = Signals::new([SIGHUP, SIGINT, SIGTERM])?;
    let plane = ControlPlane::start(&binaries)?;
    plane.create_node(NODE)?;
    println!("{}", usage(&plane, &binaries));
    signals.forever().next();
    eprintln!("ending the cluster");
    Ok(())
}

/// The same with real nodes.
///
/// # Errors
/// If it is not run by root, or something cannot be built or does not start; the error shows the end of a log.
pub(crate) fn run_with_nodes(nodes: usize) -> Result<()> {
    let (binaries, programs) = (setup::control_plane()?, setup::nodes()?);
    let mut signals = Signals::new([SIGHUP, SIGINT, SIGTERM])?;
    let cluster = Cluster::start(&binaries, &programs, nodes)?;
    println!("{}", usage_with_nodes(&cluster, &binaries, &programs));
    signals.forever().next();
    eprintln!("ending the cluster");
    Ok(())
}

/// Shell commands to copy, with what needs saying as comments.
fn usage(plane: &ControlPlane, binaries: &Binaries) -> String {
    let kubeconfig = plane.kubeconfig().display();
    let programs = binaries.folder().display();
    let address = own_address().map_or_else(|_| "an address of this machine".to_owned(), |ip| ip.to_string());
    format!(
        "# A Kubernetes cluster runs at {} until Ctrl-C. In another terminal:
export KUBECONFIG={kubeconfig}
export PATH={programs}:$PATH    # kubectl
kubectl apply -k deploy/base && kubectl apply -f deploy/examples/cluster

# It has no kubelet: pods are objects, and run when you say so. Give them `nodeName: {NODE}`, and an address that
# is not in 127.0.0.0/8, which the API refuses in endpoints; the programs that serve there are yours:
ready() {{ kubectl patch pod \"$1\" --subresource=status --patch '{{\"status\": {{\"phase\": \"Running\",
  \"podIP\": \"{address}\", \"podIPs\": [{{\"ip\": \"{address}\"}}],
  \"conditions\": [{{\"type\": \"Ready\", \"status\": \"True\"}}, {{\"type\": \"ContainersReady\", \"status\": \"True\"}}]}}}}'; }}    # ready POD

# And in a third terminal, the gate:
cargo sluicegate run --kubeconfig {kubeconfig} --http 127.0.0.1:8080",
        plane.server()
    )
}

fn usage_with_nodes(cluster: &Cluster, binaries: &Binaries, programs: &Programs) -> String {
    let kubeconfig = cluster.plane().kubeconfig().display();
    let (kubernetes, containerd) = (binaries.folder().display(), programs.folder().display());
    let node = |node: &nodes::Node| {
        format!("#   {} at {}, its logs in {}", node.name(), node.address(), node.folder().display())
    };
    let nodes: Vec<String> = cluster.nodes().iter().map(node).collect();
    let address = cluster.nodes().first().map_or_else(String::new, |node| node.address().to_string());
    format!(
        "# A Kubernetes cluster runs until Ctrl-C, with real nodes:
{}
# In another terminal:
export KUBECONFIG={kubeconfig}
export PATH={kubernetes}:{containerd}:$PATH    # kubectl, ctr
kubectl create deployment web --image {POD_IMAGE} --replicas 2 -- /pod serve 8080
kubectl wait --for=condition=Available deployment/web
curl \"http://$(kubectl get pods --selector app=web --output jsonpath='{{.items[0].status.podIP}}'):8080/hello\"

# Pods and nodes are reached from here by their addresses. There is no kube-proxy, no DNS and no registry: speak to
# endpoints, and bring images as archives, to each node:
import() {{ for pid in $(pgrep -x containerd); do nsenter --target \"$pid\" --net --mount --pid \\
  ctr --namespace k8s.io images import --local \"$(realpath \"$1\")\"; done; }}
# With the image of `cargo xtask image`, the ingress as it is shipped, then on http://{address}/:
kubectl apply -k deploy/base",
        nodes.join("\n")
    )
}
