//! What a process does that has no memory or no file descriptors left: it says so, and is well again afterwards.

use std::fs;
use std::io::Write;
use std::net::TcpStream;
use std::process::Command;

use crate::support::{Folder, Gate, Upstream, eventually, ingress, program, service, slice};

const HOST: &str = "shop.example.com";

fn shop(upstream: &Upstream) -> Folder {
    Folder::new(&[
        ("ingress.yaml", ingress("shop", HOST, "/", "web")),
        ("service.yaml", service("web")),
        ("slice.yaml", slice("web", upstream.address, true)),
    ])
}

/// Whether a new client is answered 503.
fn turns_away(gate: &Gate, word: &str) -> Option<()> {
    let answer = gate.client().get(HOST, "/");
    (answer.status == 503 && answer.body.contains(word)).then_some(())
}

fn memory(gate: &Gate) -> u64 {
    let status = fs::read_to_string(format!("/proc/{}/status", gate.json("/state")["pid"])).unwrap();
    let line = status.lines().find_map(|line| line.strip_prefix("RssAnon:")).unwrap();
    line.trim().trim_end_matches(" kB").parse::<u64>().unwrap() << 10
}

#[test]
fn with_its_memory_nearly_used_up_a_process_turns_newcomers_away_until_it_has_some_again() {
    let upstream = Upstream::start("one");
    let folder = shop(&upstream);
    let before = memory(&Gate::start(&folder, &[]));
    let max = format!("{}B", before * 2 + (32 << 20));
    let gate = Gate::start(&folder, &["--memory-max", &max, "--head-timeout", "60s"]);
    assert_eq!(gate.client().get(HOST, "/").status, 200);
    // Each holds nearly as much as a request head may have.
    let mut greedy = Vec::new();
    eventually("memory is short", || {
        let mut stream = TcpStream::connect(gate.http).unwrap();
        let _ = stream.write_all(format!("GET / HTTP/1.1\r\nX: {}", "x".repeat(60 << 10)).as_bytes());
        greedy.push(stream);
        turns_away(&gate, "(memory)")
    });
    eventually("the log says so", || gate.log().contains("memory is short").then_some(()));
    drop(greedy);
    gate.answers(HOST, 200, "one");
}

#[test]
fn without_file_descriptors_left_a_process_answers_those_it_has_and_recovers() {
    let upstream = Upstream::start("one");
    let folder = shop(&upstream);
    let own = program(&["run", "--connections-max", "1000", "--manifests"]);
    let mut command = Command::new("sh");
    command.args(["-c", "ulimit -n 128 && exec \"$0\" \"$@\""]).arg(own.get_program()).args(own.get_args());
    let gate = Gate::run(command.arg(folder.path())).ready();
    let mut client = gate.client();
    assert_eq!(client.get(HOST, "/").status, 200);
    let idle: Vec<TcpStream> = (0..200).map(|_| TcpStream::connect(gate.http).unwrap()).collect();
    eventually("it has none left", || gate.log().contains("no connection can be accepted now").then_some(()));
    // Each of these needs a descriptor for the endpoint: an answer there is, of one kind or the other.
    for _ in 0..20 {
        let answer = client.get(HOST, "/");
        assert!(answer.status == 200 || answer.body.contains("(files)"), "{} {}", answer.status, answer.body);
    }
    drop(idle);
    gate.answers(HOST, 200, "one");
    assert_eq!(client.get(HOST, "/").status, 200);
}
