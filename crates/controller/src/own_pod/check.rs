//! A pod's spec held against what its process was told. Pure.

use std::path::Path;
use std::time::Duration;

use k8s_openapi::api::core::v1::{Container, Pod, PodSpec, Probe};

use super::OwnPod;

/// What Kubernetes takes where a pod says nothing.
const GRACE_PERIOD: Duration = Duration::from_secs(30);
/// From the end of the process to the kubelet's patience: the end itself takes a moment.
const GRACE_MORE: Duration = Duration::from_secs(10);

/// What is wrong, and what to do about it.
pub(super) fn warnings(pod: &Pod, told: &OwnPod) -> Vec<String> {
    let Some(spec) = &pod.spec else { return Vec::new() };
    let mut warnings = Vec::new();
    warnings.extend(grace_period(spec, told));
    warnings.extend(lame_duck(told));
    if let Some(path) = &told.handover {
        warnings.extend(handover(spec, path));
    }
    if spec.host_network == Some(true) {
        for container in spec.containers.iter().chain(sidecars(spec)) {
            warnings.extend(ports(container));
            warnings.extend(probes(container));
        }
    }
    warnings.extend(spec.containers.iter().filter_map(pre_stop));
    warnings
}

/// Containers that are begun before the others and stay; the scheduler counts their ports too.
fn sidecars(spec: &PodSpec) -> impl Iterator<Item = &Container> {
    let early = spec.init_containers.iter().flatten();
    early.filter(|container| container.restart_policy.as_deref() == Some("Always"))
}

fn grace_period(spec: &PodSpec, told: &OwnPod) -> Option<String> {
    let seconds = spec.termination_grace_period_seconds.map(|seconds| u64::try_from(seconds).unwrap_or(0));
    let grace = seconds.map_or(GRACE_PERIOD, Duration::from_secs);
    let needed = (told.stop_time + GRACE_MORE).as_secs();
    (grace.as_secs() < needed).then(|| {
        format!(
            "terminationGracePeriodSeconds is {}, after which the kubelet kills us and cuts what is still in flight; \
             set it to {needed}: twice --lame-duck-time or, if that is longer, what load balancers may need \
             (--frontend-drain-max), then --idle-timeout, --max-request-time and 10 s",
            grace.as_secs()
        )
    })
}

fn lame_duck(told: &OwnPod) -> Option<String> {
    told.lame_duck_time.is_zero().then(|| {
        "without --health, or with --lame-duck-time 0s, a load balancer still sends clients to a node that goes away when \
         no process accepts there any more; give it --health to check, and time to notice"
            .into()
    })
}

fn handover(spec: &PodSpec, path: &str) -> Vec<String> {
    let mut warnings = Vec::new();
    if spec.host_network != Some(true) {
        warnings.push(
            "--handover needs hostNetwork: true; in a network of its own a pod has no use for another's sockets".into(),
        );
    }
    let mounts = spec.containers.iter().flat_map(|container| container.volume_mounts.iter().flatten());
    let mount = mounts.filter(|mount| Path::new(path).starts_with(&mount.mount_path));
    let mount = mount.max_by_key(|mount| mount.mount_path.len());
    let volume =
        mount.and_then(|mount| spec.volumes.iter().flatten().find(|volume| volume.name == mount.name));
    if volume.is_none_or(|volume| volume.host_path.is_none()) {
        warnings.push(format!(
            "{path} of --handover is in no hostPath volume, so that the next pod will not find it; mount one there"
        ));
    }
    warnings
}

/// With hostNetwork a declared port is a hostPort.
fn ports(container: &Container) -> Option<String> {
    let ports: Vec<String> =
        container.ports.iter().flatten().map(|port| port.container_port.to_string()).collect();
    (!ports.is_empty()).then(|| {
        format!(
            "container {} declares ports ({}), which with hostNetwork only one pod of a node may have: the next one cannot \
             be scheduled beside it; declare none",
            container.name,
            ports.join(", ")
        )
    })
}

fn probes(container: &Container) -> Vec<String> {
    let probes = [
        ("startupProbe", &container.startup_probe),
        ("readinessProbe", &container.readiness_probe),
        ("livenessProbe", &container.liveness_probe),
    ];
    let over_network = probes.into_iter().filter(|(_, probe)| probe.as_ref().is_some_and(asks_the_network));
    over_network
        .map(|(name, _)| {
            format!(
                "the {name} of container {} asks an address of the node, where the other pod of a rollout may answer; use \
                 exec with `sluicegate probe`",
                container.name
            )
        })
        .collect()
}

fn asks_the_network(probe: &Probe) -> bool {
    probe.http_get.is_some() || probe.tcp_socket.is_some() || probe.grpc.is_some()
}

fn pre_stop(container: &Container) -> Option<String> {
    container.lifecycle.as_ref()?.pre_stop.as_ref()?;
    Some(format!(
        "the preStop hook of container {} takes its time from the grace period, and we do not know that we are to leave until \
         it ends; leave it out: SIGTERM is all that is needed",
        container.name
    ))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn told() -> OwnPod {
        OwnPod {
            namespace: "sluicegate".into(),
            name: "sluicegate-x".into(),
            stop_time: Duration::from_secs(2 * 30 + 75 + 300),
            lame_duck_time: Duration::from_secs(30),
            handover: Some("/run/sluicegate/node/handover".into()),
        }
    }

    fn pod(spec: &str) -> Pod {
        serde_saphyr::from_str(&format!("{{metadata: {{name: x}}, spec: {spec}}}")).unwrap()
    }

    /// All warnings about a pod that is right but for these lines.
    fn about(container: &str, spec: &str) -> Vec<String> {
        warnings(
            &pod(&format!(
                "{{hostNetwork: true, terminationGracePeriodSeconds: 445, {spec}
                  volumes: [{{name: node, hostPath: {{path: /run/sluicegate}}}}, {{name: own, emptyDir: {{}}}}],
                  containers: [{{name: sluicegate, {container}
                    volumeMounts: [{{name: own, mountPath: /run/sluicegate}},
                                   {{name: node, mountPath: /run/sluicegate/node}}]}}]}}"
            )),
            &told(),
        )
    }

    #[test]
    fn the_pod_that_we_ship_is_right() {
        let path = concat!(env!("CARGO_MANIFEST_DIR"), "/../../deploy/base/daemonset.yaml");
        let set: k8s_openapi::api::apps::v1::DaemonSet =
            serde_saphyr::from_str(&std::fs::read_to_string(path).unwrap()).unwrap();
        let pod = Pod { spec: set.spec.unwrap().template.spec, ..Pod::default() };
        assert_eq!(warnings(&pod, &told()), Vec::<String>::new());
        let longer = OwnPod { stop_time: told().stop_time + Duration::from_secs(1), ..told() };
        assert_eq!(warnings(&pod, &longer).len(), 1, "its grace period is just long enough");
    }

    #[test]
    fn each_trap_is_told_with_its_way_out() {
        assert_eq!(about("", ""), Vec::<String>::new());
        let one = |warnings: Vec<String>, what: &str| {
            assert_eq!(warnings.len(), 1, "{what}: {warnings:?}");
            assert!(warnings[0].contains(what), "{warnings:?}");
        };
        one(about("ports: [{containerPort: 80}],", ""), "declare none");
        one(about("readinessProbe: {httpGet: {port: 9902}},", ""), "sluicegate probe");
        one(about("livenessProbe: {tcpSocket: {port: 80}},", ""), "livenessProbe");
        let sidecar = |it: &str| {
            about("", &format!("initContainers: [{{name: a, {it}ports: [{{containerPort: 81}}]}}],"))
        };
        one(sidecar("restartPolicy: Always, "), "container a declares ports (81)");
        assert_eq!(sidecar(""), Vec::<String>::new(), "it has ended before another pod comes");
        one(about("lifecycle: {preStop: {sleep: {seconds: 5}}},", ""), "preStop");
        assert_eq!(about("readinessProbe: {exec: {command: [a]}},", ""), Vec::<String>::new());
    }

    #[test]
    fn a_pod_that_says_nothing_has_too_short_a_grace_period_and_no_way_to_hand_over() {
        let warnings = warnings(&pod("{containers: [{name: sluicegate}]}"), &told());
        for what in ["445", "hostNetwork", "hostPath"] {
            assert!(warnings.iter().any(|warning| warning.contains(what)), "{what}: {warnings:?}");
        }
    }

    #[test]
    fn no_time_to_notice_is_told() {
        let hasty = OwnPod { lame_duck_time: Duration::ZERO, handover: None, ..told() };
        let warnings = warnings(&pod("{terminationGracePeriodSeconds: 600, containers: []}"), &hasty);
        assert_eq!(warnings.len(), 1);
        assert!(warnings[0].contains("--health"), "{warnings:?}");
    }
}
