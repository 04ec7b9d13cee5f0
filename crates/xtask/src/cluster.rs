//! A Kubernetes control plane to try things on, for as long as the command runs.

use anyhow::Result;
use control_plane::{Binaries, ControlPlane, own_address};
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
cargo run --release --bin sluicegate -- run --kubeconfig {kubeconfig} --http 127.0.0.1:8080

# It has no kubelet: pods are objects, and run when you say so. Give them `nodeName: {NODE}`, and an address that
# is not in 127.0.0.0/8, which the API refuses in endpoints; the programs that serve there are yours:
ready() {{ kubectl patch pod \"$1\" --subresource=status --patch '{{\"status\": {{\"phase\": \"Running\",
  \"podIP\": \"{address}\", \"podIPs\": [{{\"ip\": \"{address}\"}}],
  \"conditions\": [{{\"type\": \"Ready\", \"status\": \"True\"}}, {{\"type\": \"ContainersReady\", \"status\": \"True\"}}]}}}}'; }}
ready POD",
        plane.server()
    )
}
