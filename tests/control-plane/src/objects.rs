//! Nodes and pods as objects: what a kubelet would report about them, told by the test.

use std::io;
use std::net::{IpAddr, Ipv4Addr, UdpSocket};

use crate::{ControlPlane, Error};

/// An address that belongs to documentation (RFC 5737): asked for the way there, the kernel names its default route.
const ELSEWHERE: (Ipv4Addr, u16) = (Ipv4Addr::new(203, 0, 113, 1), 9);

impl ControlPlane {
    /// Creates a node that is ready, or makes it ready again. It is an object and nothing more, but the endpoint slice
    /// controller passes over each pod whose `spec.nodeName` names no node.
    ///
    /// # Errors
    /// With what kubectl said.
    pub fn create_node(&self, name: &str) -> Result<(), Error> {
        self.apply(&format!("{{apiVersion: v1, kind: Node, metadata: {{name: {name}}}}}"))?;
        let ready = r#"{"status":{"conditions":[{"type":"Ready","status":"True","reason":"Test"}]}}"#;
        self.patch_status(&["node", name], ready)
    }

    /// Says that a pod runs at this address and is ready, or is not.
    ///
    /// The API server refuses endpoints in 127.0.0.0/8; [`own_address`] is one that it takes. Many pods may share it, as
    /// those in the host's network do: give each a port of its own and the Service a `targetPort` that is a name.
    ///
    /// # Errors
    /// With what kubectl said, for example that there is no such pod.
    pub fn set_pod_ready(
        &self,
        namespace: &str,
        name: &str,
        ip: IpAddr,
        is_ready: bool,
    ) -> Result<(), Error> {
        let status = if is_ready { "True" } else { "False" };
        let condition = |kind: &str| format!(r#"{{"type":"{kind}","status":"{status}"}}"#);
        let conditions = [condition("Ready"), condition("ContainersReady")].join(",");
        let ips = format!(r#""podIP":"{ip}","podIPs":[{{"ip":"{ip}"}}]"#);
        let status = format!(r#"{{"status":{{"phase":"Running",{ips},"conditions":[{conditions}]}}}}"#);
        self.patch_status(&["pod", name, "--namespace", namespace], &status)
    }

    fn patch_status(&self, object: &[&str], patch: &str) -> Result<(), Error> {
        let patch = ["patch", "--subresource=status", "--patch", patch];
        self.run(&[&patch[..], object].concat(), "")
    }
}

/// An address of this machine that is no loopback address, so that a pod may have it. Traffic to it does not leave the
/// machine. Nothing is sent to find it.
///
/// # Errors
/// If the machine has no way to anywhere else. Root can then give it an address: `ip address add 10.77.0.1/32 dev lo`,
/// `ip route add default dev lo src 10.77.0.1`.
pub fn own_address() -> io::Result<IpAddr> {
    let socket = UdpSocket::bind((Ipv4Addr::UNSPECIFIED, 0))?;
    socket.connect(ELSEWHERE)?;
    Ok(socket.local_addr()?.ip())
}
