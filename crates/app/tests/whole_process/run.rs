//! `sluicegate run`: starting, serving, editing.

use std::net::TcpListener;
use std::time::{Duration, Instant};

use crate::support::{Folder, Gate, Upstream, eventually, ingress, output, program, service, slice};

fn shop(upstream: &Upstream) -> Folder {
    Folder::new(&[
        ("web.yaml", ingress("web", "shop.example.com", "/web", "web")),
        ("services.yaml", format!("{}---\n{}", service("web"), service("empty"))),
        ("slice.yaml", slice("web", upstream.address, true)),
        ("missing.yaml", ingress("missing", "shop.example.com", "/missing", "missing")),
        ("empty.yaml", ingress("empty", "shop.example.com", "/empty", "empty")),
    ])
}

#[test]
fn a_known_path_is_served_an_unknown_one_is_404_and_a_backend_without_endpoints_503() {
    let upstream = Upstream::start("one");
    let folder = shop(&upstream);
    let gate = Gate::start(&folder, &[]);
    let mut client = gate.client();
    for (host, path, status) in [
        ("shop.example.com", "/web/page", 200),
        ("shop.example.com", "/webs", 404),
        ("other.example.com", "/web", 404),
        ("shop.example.com", "/missing", 503),
        ("shop.example.com", "/empty", 503),
    ] {
        assert_eq!(client.get(host, path).status, status, "{host}{path}");
    }
}

#[test]
fn a_request_that_comes_before_the_first_route_table_waits_for_it() {
    let upstream = Upstream::start("one");
    let folder = shop(&upstream);
    // Enough that reading takes longer than connecting.
    let many = (0..1000).map(|n| ingress(&format!("n{n}"), &format!("n{n}.example.com"), "/", "web"));
    folder.write("many.yaml", &many.collect::<Vec<_>>().join("---"));
    let gate = Gate::bound(&folder, &[]);
    assert_eq!(gate.client().get("shop.example.com", "/web").status, 200);
}

#[test]
fn an_edit_is_live_within_100_ms_on_a_connection_that_stays_open() {
    let upstream = Upstream::start("one");
    let folder = shop(&upstream);
    let gate = Gate::start(&folder, &[]);
    let mut client = gate.client();
    let mut took = Vec::new();
    for round in 0..5 {
        let path = format!("/new{round}");
        assert_eq!(client.get("shop.example.com", &path).status, 404);
        let edited = Instant::now();
        folder.write("new.yaml", &ingress("new", "shop.example.com", &path, "web"));
        eventually("the edit", || (client.get("shop.example.com", &path).status == 200).then_some(()));
        took.push(edited.elapsed());
    }
    // The quickest one: what a busy machine adds says nothing about us.
    assert!(took.iter().any(|took| *took < Duration::from_millis(100)), "{took:?}");
}

#[test]
fn endpoints_change_under_a_connection_that_stays_open() {
    let (one, two) = (Upstream::start("one"), Upstream::start("two"));
    let folder = shop(&one);
    let gate = Gate::start(&folder, &[]);
    let mut client = gate.client();
    assert_eq!(client.get("shop.example.com", "/web").body, "one");
    folder.write("slice.yaml", &slice("web", two.address, true));
    eventually("the other endpoint", || (client.get("shop.example.com", "/web").body == "two").then_some(()));
    folder.write("slice.yaml", &slice("web", two.address, false));
    eventually("no endpoint", || (client.get("shop.example.com", "/web").status == 503).then_some(()));
    folder.remove("web.yaml");
    eventually("no route", || (client.get("shop.example.com", "/web").status == 404).then_some(()));
}

#[test]
fn a_broken_file_is_a_problem_and_everything_else_is_served() {
    let upstream = Upstream::start("one");
    let folder = shop(&upstream);
    let gate = Gate::start(&folder, &[]);
    let before = gate.json("/routes");
    folder.write("broken.yaml", "kind: [");
    let problems = eventually("the problem", || {
        let problems = gate.json("/problems");
        let all = problems["problems"].as_array().unwrap().clone();
        all.into_iter()
            .find(|problem| problem["file"].as_str().is_some_and(|file| file.ends_with("broken.yaml")))
    });
    assert_eq!(problems["severity"], "error");
    assert_eq!(gate.client().get("shop.example.com", "/web").body, "one");
    assert_eq!(gate.json("/routes")["routes"], before["routes"]);
}

#[test]
fn what_is_live_and_what_is_counted_can_be_asked_for() {
    let upstream = Upstream::start("one");
    let folder = shop(&upstream);
    let gate = Gate::start(&folder, &[]);
    assert_eq!(gate.client().get("shop.example.com", "/web").status, 200);
    assert_eq!(gate.page("/live").0, 200);
    let routes = gate.json("/routes");
    assert_eq!(routes["generation"], gate.json("/endpoints")["generation"]);
    assert_eq!(routes["routes"].as_array().unwrap().len(), 3, "{routes}");
    let metrics = gate.page("/metrics").1;
    for line in [
        "sluicegate_routes 3",
        "sluicegate_endpoints{usable=\"true\"} 1",
        "sluicegate_responses_total{class=\"2xx\"} 1",
    ] {
        assert!(metrics.lines().any(|shown| shown == line), "{line} is not in\n{metrics}");
    }
}

#[test]
fn several_addresses_are_served_and_logged() {
    let upstream = Upstream::start("one");
    let folder = shop(&upstream);
    let mut command =
        program(&["run", "--http", "127.0.0.1:0,127.0.0.1:0", "--admin", "127.0.0.1:0", "--manifests"]);
    let output = output(command.arg(folder.beside("nothing")));
    let log = String::from_utf8(output.stderr).unwrap();
    let line = log.split("listening http=127.0.0.1:").nth(1).expect("the line");
    assert!(line.lines().next().unwrap().contains(",127.0.0.1:"), "{log}");
}

#[test]
fn a_configuration_that_cannot_be_used_ends_with_2_and_says_what_to_use() {
    let folder = Folder::new(&[]);
    let (here, nothing) = (folder.path(), folder.beside("nothing"));
    let free = ["run", "--http", "127.0.0.1:0", "--admin", "127.0.0.1:0"];
    for (args, remedy) in [
        (vec![], "--manifests"),
        (vec!["--kubeconfig", "x"], "--kubeconfig"),
        (vec!["--manifests", here.to_str().unwrap(), "--htpp", "127.0.0.1:0"], "--http"),
        (vec!["--manifests", here.to_str().unwrap(), "--idle-timeout", "75"], "75s"),
        (vec!["--manifests", nothing.to_str().unwrap()], "nothing"),
    ] {
        let output = output(program(&free).args(&args));
        let stderr = String::from_utf8(output.stderr).unwrap();
        assert_eq!(output.status.code(), Some(2), "{args:?}: {stderr}");
        assert!(stderr.contains(remedy), "{args:?}: {stderr}");
    }
}

#[test]
fn an_address_that_is_taken_ends_with_1_and_is_named() {
    let folder = Folder::new(&[]);
    let taken = TcpListener::bind("127.0.0.1:0").unwrap();
    let address = taken.local_addr().unwrap().to_string();
    let mut command = program(&["run", "--admin", "127.0.0.1:0", "--http", &address, "--manifests"]);
    let output = output(command.arg(folder.path()));
    assert_eq!(output.status.code(), Some(1));
    assert!(String::from_utf8_lossy(&output.stderr).contains(&address), "{output:?}");
}

#[test]
fn a_flag_can_be_set_from_the_environment() {
    let folder = Folder::new(&[]);
    let mut command = program(&["run"]);
    command.env("SLUICEGATE_HTTP", "127.0.0.1:0,nonsense").env("SLUICEGATE_MANIFESTS", folder.path());
    let output = output(&mut command);
    assert_eq!(output.status.code(), Some(2));
    assert!(String::from_utf8_lossy(&output.stderr).contains("nonsense"), "{output:?}");
}
