use clap::{CommandFactory as _, Parser as _};

use super::*;
use crate::cli::{Cli, Subcommand};

fn translated(args: &[&str]) -> (Vec<String>, Vec<String>) {
    let out = translate(["sluicegate"].iter().chain(args).map(OsString::from));
    (out.args.into_iter().map(|arg| arg.into_string().expect("text")).collect(), out.told)
}

#[test]
fn a_deployments_arguments_can_be_pasted() {
    let pasted = [
        "/nginx-ingress-controller",
        "--publish-service=ingress-nginx/ingress-nginx-controller",
        "--election-id=ingress-nginx-leader",
        "--controller-class=k8s.io/ingress-nginx",
        "--ingress-class=nginx",
        "--configmap=ingress-nginx/ingress-nginx-controller",
        "--tcp-services-configmap=ingress-nginx/ingress-nginx-tcp",
        "--udp-services-configmap=ingress-nginx/ingress-nginx-udp",
        "--validating-webhook=:8443",
        "--validating-webhook-certificate=/usr/local/certificates/cert",
        "--validating-webhook-key=/usr/local/certificates/key",
        "--watch-ingress-without-class=true",
        "--watch-namespace=",
        "-v",
        "2",
        "--default-ssl-certificate",
        "shop/tls",
        "--healthz-host=192.0.2.1",
        "--shutdown-grace-period=240",
    ];
    let (args, told) = translated(&pasted);
    let expected = [
        "sluicegate",
        "run",
        "--publish-service=ingress-nginx/ingress-nginx-controller",
        "--lease=ingress-nginx-leader",
        "--controller-name=k8s.io/ingress-nginx",
        "--class=nginx",
        "--configmap=ingress-nginx/ingress-nginx-controller",
        "--tcp-services-configmap=ingress-nginx/ingress-nginx-tcp",
        "--watch-ingress-without-class",
        "--default-certificate=shop/tls",
        "--lame-duck-time=240s",
        "--profile=ingress-nginx",
        "--https=0.0.0.0:443",
        "--health=192.0.2.1:10254",
    ];
    assert_eq!(args, expected);
    for part in [
        "--ingress-class=nginx is read as --class=nginx",
        "ValidatingWebhookConfiguration",
        "SLUICEGATE_LOG",
        "UDP services",
    ] {
        assert!(told.iter().any(|line| line.contains(part)), "{part}: {told:?}");
    }
    let Subcommand::Run(run) = Cli::try_parse_from(args).expect("our flags").command else { panic!("run") };
    assert!(run.classes.watch_ingress_without_class);
}

#[test]
fn switches_are_read_as_go_reads_them() {
    for (given, ours) in [
        ("--update-status=false", Some("--no-status")),
        ("--update-status=true", None),
        ("-update-status=F", Some("--no-status")),
        ("--disable-svc-external-name", Some("--disable-svc-external-name")),
        ("--disable-svc-external-name=0", None),
        ("--http-port=8080", Some("--http=0.0.0.0:8080")),
        ("--idle-timeout=9s", Some("--idle-timeout=9s")),
        ("--no-such-flag", Some("--no-such-flag")),
    ] {
        let (args, _) = translated(&["run", given]);
        assert_eq!(args.get(2).map(String::as_str), ours, "{given}");
    }
}

#[test]
fn arguments_of_other_commands_stay_as_they_are() {
    let (args, told) = translated(&["check", "--v", "folder"]);
    assert_eq!(
        (args, told),
        (vec!["sluicegate".into(), "check".into(), "--v".into(), "folder".into()], vec![])
    );
}

#[test]
fn each_flag_that_another_becomes_is_one_of_ours() {
    let cli = Cli::command();
    let run = cli.find_subcommand("run").expect("run");
    let is_ours = |name: &str| run.get_arguments().any(|arg| arg.get_long() == Some(name));
    for (theirs, becomes) in ROWS {
        if let As::Value(ours) | As::Port(ours) | As::Seconds(ours) | As::Switch(ours) | As::Opposite(ours) =
            becomes
        {
            assert!(is_ours(ours), "--{theirs} becomes --{ours}");
        }
        let is_kept = matches!(becomes, As::Value(ours) | As::Switch(ours) if ours == theirs);
        assert!(is_kept || !is_ours(theirs), "--{theirs} is a flag of ours, too, and has to stay one");
    }
    assert!(ROWS.windows(2).all(|two| two[0].0 < two[1].0), "in alphabetical order, each once");
}
