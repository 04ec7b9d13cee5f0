//! The files that a node's programs read.

use std::fs;
use std::path::Path;

use crate::pod_image::POD_IMAGE;
use crate::programs::CNI;
use crate::{Error, cgroups};

/// Writes them all; `cgroup` is where kubelet puts its pods, `pods` which addresses these have.
pub(crate) fn write(folder: &Path, kubeconfig: &str, cgroup: &Path, pods: &str) -> Result<(), Error> {
    cgroups::create(cgroup)?;
    let networks = folder.join("networks");
    fs::create_dir_all(&networks).map_err(Error::io(format!("create {}", networks.display())))?;
    let files = [
        ("kubeconfig", kubeconfig.to_owned()),
        ("kubelet.yaml", kubelet(cgroup)),
        ("containerd.toml", containerd(&networks)),
        ("networks/10-pods.conflist", pod_network(pods)),
    ];
    for (name, text) in files {
        fs::write(folder.join(name), text).map_err(Error::io(format!("write {name} of a node")))?;
    }
    Ok(())
}

/// Every process on the bridge may ask it; it may do anything anyway. No pod is evicted for want of disk: what
/// it would look at is the memory of this machine.
fn kubelet(cgroup: &Path) -> String {
    format!(
        "apiVersion: kubelet.config.k8s.io/v1beta1
kind: KubeletConfiguration
authentication: {{anonymous: {{enabled: true}}, webhook: {{enabled: false}}}}
authorization: {{mode: AlwaysAllow}}
cgroupDriver: cgroupfs
cgroupRoot: /{}
containerRuntimeEndpoint: unix:///run/containerd/containerd.sock
enforceNodeAllocatable: []
eventRecordQPS: 0
evictionHard: {{memory.available: 100Mi}}
failCgroupV1: false
failSwapOn: false
imageGCHighThresholdPercent: 100
resolvConf: /run/resolv.conf
",
        cgroup.display()
    )
}

/// Without CAP_SYS_RESOURCE, which containers and some virtual machines have not, runc may make no process less likely to be
/// killed than itself.
fn containerd(networks: &Path) -> String {
    format!(
        "version = 3
root = '/var/lib/containerd'
state = '/run/containerd'
[grpc]
address = '/run/containerd/containerd.sock'
[plugins.'io.containerd.cri.v1.runtime']
restrict_oom_score_adj = true
[plugins.'io.containerd.cri.v1.runtime'.cni]
bin_dirs = ['{CNI}']
conf_dir = '{}'
[plugins.'io.containerd.cri.v1.images'.pinned_images]
sandbox = '{POD_IMAGE}'
",
        networks.display()
    )
}

fn pod_network(pods: &str) -> String {
    format!(
        r#"{{"cniVersion": "1.0.0", "name": "pods", "plugins": [{{"type": "bridge", "bridge": "pods", "isGateway": true,
"ipam": {{"type": "host-local", "ranges": [[{{"subnet": "{pods}"}}]], "routes": [{{"dst": "0.0.0.0/0"}}]}}}}]}}"#
    )
}
