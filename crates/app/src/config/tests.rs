//! Which configuration each command line becomes.

use super::*;
use crate::cli::{Cli, Subcommand};
use clap::Parser;
use std::path::Path;

fn config(line: &str) -> Result<Config, ConfigError> {
    let cli = Cli::try_parse_from(line.split(' ')).unwrap_or_else(|e| panic!("{line}: {e}"));
    match cli.command {
        Subcommand::Run(args) => Config::new(*args, FdLimit { files: 1024 }),
        _ => panic!("{line} is no run"),
    }
}

#[test]
fn an_address_serves_http_or_https_and_not_both() {
    let line = "sluicegate run --manifests x --http 127.0.0.1:8080 --https 127.0.0.1:8080";
    let error = config(line).expect_err(line).to_string();
    assert!(error.contains("--https"), "{error}");
    let free = "sluicegate run --manifests x --http 127.0.0.1:0 --https 127.0.0.1:0,[::1]:0";
    assert_eq!(config(free).expect("each takes a free port").https.len(), 2);
}

#[test]
fn each_value_arrives_where_it_belongs() {
    let line = "sluicegate run --manifests x --http 127.0.0.1:0 --http [::1]:0 --idle-timeout 1s \
                --max-request-time 500ms --trusted-proxies 10.0.0.0/8,192.0.2.1 --head-bytes-max 8KiB \
                --head-fields-max 300 --upstream-head-fields-max 400 --upstream-connect-timeout 7s --workers 3 --access-log off \
                --balance round-robin --class c --handover h/s --default-certificate edge/default \
                --ticket-keys edge/tickets --reference-timeout 3s";
    let config = config(line).expect("a config");
    assert_eq!(config.http.len(), 2);
    assert_eq!(config.handover.as_deref(), Some(Path::new("h/s")));
    assert_eq!(config.proxy.idle_timeout, Duration::from_secs(1));
    assert_eq!(config.proxy.max_request_time, Duration::from_millis(500));
    assert_eq!(config.proxy.trusted_proxies[1].to_string(), "192.0.2.1/32");
    assert_eq!(config.proxy.downstream.head_bytes_max, 8192);
    assert_eq!((config.proxy.downstream.head_fields_max, config.proxy.upstream.head_fields_max), (300, 400));
    assert_eq!(config.proxy.upstream.connect_timeout, Duration::from_secs(7));
    assert_eq!((config.proxy.workers, config.proxy.access_log), (3, proxy::AccessLog::Off));
    assert_eq!(config.controller.settings.balance, Some(model::Balance::RoundRobin));
    let settings = &config.controller.settings;
    assert_eq!((&*settings.class, settings.class_is_given), ("c", true));
    assert_eq!(settings.reference_timeout, Duration::from_secs(3));
    let named = |name: &str| Some(controller::ObjectKey::new("edge", name));
    assert_eq!(config.controller.settings.default_certificate, named("default"));
    assert_eq!(config.controller.settings.ticket_keys, named("tickets"));
    assert!(config.controller.settings.allow_loopback, "only the operator writes into the folder");
}

#[test]
fn without_a_folder_the_cluster_is_followed_as_the_flags_say() {
    let line = "sluicegate run --kubeconfig k --watch-namespace a,b --publish-address 192.0.2.1,lb.example.org \
                --class c --node-name n";
    let config = config(line).expect("a config");
    assert!(!config.controller.settings.allow_loopback, "tenants write into a cluster");
    assert_eq!(config.controller.settings.only_namespaces, ["a", "b"]);
    let Source::Cluster(cluster) = config.controller.source else { panic!("no cluster") };
    assert_eq!(cluster.namespaces, controller::Namespaces::Named(vec!["a".into(), "b".into()]));
    assert_eq!((cluster.node.as_deref(), &*cluster.report.lease.name), (Some("n"), "sluicegate-c"));
    let Some(controller::Publish::Addresses(addresses)) = cluster.report.status else { panic!("no status") };
    assert_eq!(addresses.len(), 2);
}

#[test]
fn a_class_that_no_flag_names_is_the_default_one() {
    let settings = config("sluicegate run --manifests x").expect("a config").controller.settings;
    assert_eq!((&*settings.class, settings.class_is_given), ("sluicegate", false));
}

#[test]
fn no_status_is_written_where_none_is_asked_for() {
    for line in ["sluicegate run", "sluicegate run --publish-address 192.0.2.1 --no-status"] {
        let config = config(line).expect("a config");
        let Source::Cluster(cluster) = config.controller.source else { panic!("no cluster") };
        assert!(cluster.report.status.is_none(), "{line}");
    }
}

#[test]
fn a_lame_duck_waits_only_where_load_balancers_can_notice() {
    let leave =
        |flags: &str| config(&format!("sluicegate run --manifests x {flags}")).expect("a config").leave;
    assert_eq!(leave("--http 127.0.0.1:0").lame_duck_time, Duration::ZERO);
    assert_eq!(leave("--health 127.0.0.1:0").lame_duck_time, Duration::from_secs(30));
    assert_eq!(leave("--health 127.0.0.1:0 --lame-duck-time 7s").lame_duck_time, Duration::from_secs(7));
    assert!(!leave("--after-handover exit").stay && leave("--after-handover stay").stay);
}

#[test]
fn our_own_pod_is_held_against_what_was_said() {
    let line = "sluicegate run --pod-name p --pod-namespace n --health 127.0.0.1:0 --handover /h/s";
    let Source::Cluster(cluster) = config(line).expect("a config").controller.source else { panic!() };
    let pod = cluster.pod.expect("a pod");
    assert_eq!((&*pod.namespace, &*pod.name, pod.handover.as_deref()), ("n", "p", Some("/h/s")));
    assert_eq!(pod.stop_time, Duration::from_secs(2 * 30 + 75 + 300));
}

#[cfg(feature = "aws")]
#[test]
fn load_balancers_that_can_be_asked_lengthen_the_way_out() {
    let line = "sluicegate run --pod-name p --pod-namespace n --frontend-tag-value shop --frontend-drain-max";
    let Source::Cluster(cluster) = config(&format!("{line} 90s")).expect("a config").controller.source else {
        panic!()
    };
    assert_eq!(cluster.pod.expect("a pod").stop_time, Duration::from_secs(90 + 75 + 300));
    let leave = config(&format!("{line} 20s")).expect("a config").leave;
    assert_eq!(
        (leave.lame_duck_time, leave.lame_duck_max()),
        (Duration::from_secs(30), Duration::from_secs(60))
    );
}

#[cfg(feature = "aws")]
#[test]
fn what_is_said_of_load_balancers_without_any_is_no_config() {
    for flag in ["--frontend-instance-id i-1", "--frontend-port-override 80", "--frontend-ready-wait 1m"] {
        let error = config(&format!("sluicegate run --manifests x {flag}")).expect_err(flag);
        assert!(error.0.contains("--frontend-tag-value"), "{flag}: {error}");
    }
    let named = config("sluicegate run --manifests x --frontend-names a,b").expect("a config").frontend;
    let selector = named.expect("load balancers").selector;
    assert_eq!((selector.names.len(), selector.tags.len()), (2, 0));
    let tagged =
        config("sluicegate run --manifests x --class c --frontend-tag-value shop").expect("a config");
    let tags = tagged.frontend.expect("load balancers").selector.tags;
    let tags: Vec<_> = tags.iter().map(|tag| (&*tag.key, &*tag.value)).collect();
    let ours = [("sky.uk/KubernetesClusterFrontend", "shop"), ("sky.uk/KubernetesClusterIngressClass", "c")];
    assert_eq!(tags, ours);
}

#[test]
fn a_taint_is_known_by_its_key_or_by_the_beginning_of_it() {
    let taints = config("sluicegate run --manifests x").expect("a config").leave.taints;
    let means = |taint: &str| taints.iter().any(|known| known.matches(taint));
    assert!(means("ToBeDeletedByClusterAutoscaler:NoSchedule"));
    assert!(means("aws-node-termination-handler/spot-itn:NoSchedule"));
    assert!(!means("node.kubernetes.io/unschedulable:NoSchedule"));
    assert!(!means("ToBeDeletedByClusterAutoscalerSoon:NoSchedule"));
    for bad in ["", "*", "key:NoSchedule", "key=value"] {
        assert!(Taint::from_str(bad).is_err(), "{bad}");
    }
}

#[test]
fn half_of_the_file_descriptors_go_to_clients_unless_said_otherwise() {
    let limits = |line| config(line).expect("a config").proxy.downstream.connections_max;
    assert_eq!(limits("sluicegate run --manifests x"), 1024 / 2 - 64);
    assert_eq!(limits("sluicegate run --manifests x --connections-max 7"), 7);
}

#[test]
fn the_limits_of_http2_and_of_tunnels_are_those_that_were_said() {
    let line = "sluicegate run --manifests x --http2-streams-max 3 --http2-window 1MiB --http2-stream-window 4KiB \
                --http2-send-buffer 5KiB --tunnel-idle-timeout 6s --keepalive-interval 14s --upstream-http2-connections-max 7 \
                --upstream-http2-streams-max 8 --upstream-http2-stream-window 9KiB --upstream-http2-send-buffer 10KiB \
                --upstream-http2-ping-interval 11s --upstream-http2-ping-timeout 12s --upstream-keepalive-interval 13s \
                --http2-goodbye-wait 15s";
    let proxy::Config { downstream, upstream, .. } = config(line).expect("a config").proxy;
    let (ours, theirs) = (downstream.http2, upstream.http2);
    assert_eq!((ours.streams_max, ours.window_bytes), (3, 1 << 20));
    assert_eq!((ours.stream_window_bytes, ours.send_buffer_bytes), (4096, 5120));
    assert_eq!(ours.goodbye_wait, Duration::from_secs(15));
    assert_eq!(downstream.tunnel_idle_timeout, Duration::from_secs(6));
    assert_eq!(upstream.keepalive_interval, Duration::from_secs(13));
    assert_eq!(downstream.keepalive_interval, Duration::from_secs(14));
    assert_eq!((theirs.connections_max, theirs.streams_max), (7, 8));
    assert_eq!((theirs.stream_window_bytes, theirs.send_buffer_bytes), (9216, 10_240));
    assert_eq!(
        (theirs.ping_interval, theirs.ping_timeout),
        (Duration::from_secs(11), Duration::from_secs(12))
    );
}

#[test]
fn a_window_that_http2_cannot_say_is_refused() {
    for flag in ["--http2-window", "--upstream-http2-stream-window", "--upstream-http2-send-buffer"] {
        let with = |size| Cli::try_parse_from(["sluicegate", "run", "--manifests", "x", flag, size]);
        assert!(with("2047MiB").is_ok());
        assert!(with("2GiB").expect_err(flag).to_string().contains("2047MiB"), "{flag}");
    }
}

#[test]
fn ports_of_this_process_are_for_no_tcp_service_and_those_take_few_of_its_files() {
    let line = "sluicegate run --manifests x --http 0.0.0.0:80 --http [::]:80 --https 0.0.0.0:443 --admin 127.0.0.1:0 \
                --health 0.0.0.0:10254 --tcp-services-configmap edge/tcp";
    let config = config(line).expect("a config");
    let settings = &config.controller.settings;
    assert_eq!(
        settings.reserved_ports,
        [(80, "--http"), (80, "--http"), (443, "--https"), (10254, "--health")]
    );
    assert_eq!(settings.tcp_services, Some(controller::ObjectKey::new("edge", "tcp")));
    assert_eq!(settings.tcp_services_max, 1024 / 8 / 2, "each takes one at two addresses");
}
