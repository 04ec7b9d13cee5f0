//! Ports of TCP pass from process to process.

use std::net::SocketAddr;
use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread::{self, JoinHandle};

use rustix::process::Signal;
use serde_json::Value;

use super::{Caller, Echo, FLAGS, folder, free_port, gate, leads_to, services, write};
use crate::support::{FakeApi, Gate, Lie, eventually, pod_address, program, service, slice};

/// Clients that come to a port one after the other, each of which must be served.
struct Callers {
    stop: Arc<AtomicBool>,
    threads: Vec<JoinHandle<u32>>,
}

impl Callers {
    fn start(port: u16) -> Callers {
        let stop = Arc::new(AtomicBool::new(false));
        let call = |_| {
            let stop = Arc::clone(&stop);
            thread::spawn(move || {
                let mut count = 0;
                while !stop.load(Ordering::Relaxed) {
                    let mut caller = Caller::connect(port).expect("it is never refused");
                    assert_eq!(caller.line().expect("it is never cut"), "one");
                    caller.talks();
                    count += 1;
                }
                count
            })
        };
        Callers { threads: (0..4).map(call).collect(), stop }
    }

    /// Lets them go, all of whom were served.
    fn end(self) {
        self.stop.store(true, Ordering::Relaxed);
        let counts: Vec<u32> = self.threads.into_iter().map(|caller| caller.join().unwrap()).collect();
        assert!(counts.iter().all(|count| *count > 0), "{counts:?}");
    }
}

/// An API server that has these ports, which it does not tell of until it is honest.
fn api(endpoint: SocketAddr, ports: &[u16]) -> FakeApi {
    let api = FakeApi::start();
    let config_map = services(&ports.iter().map(|port| (*port, "shop/one:80")).collect());
    for (kind, text) in [
        ("services", service("one")),
        ("endpointslices", slice("one", endpoint, true)),
        ("configmaps", config_map),
    ] {
        api.put(kind, serde_saphyr::from_str::<Value>(&text).unwrap());
    }
    api.lie(|ask| (ask.kind == "configmaps").then_some(Lie::Close));
    api
}

/// A successor that has the sockets, and waits for the ConfigMap.
fn waiting_successor(api: &FakeApi, path: &Path) -> Gate {
    let mut command = program(&["run", "--no-events", "--kubeconfig"]);
    let gate = Gate::run(command.arg(api.kubeconfig()).arg("--handover").arg(path).args(FLAGS));
    eventually("the sockets", || gate.log().contains("took over from process").then_some(()));
    gate
}

fn has_handed_over(gate: &Gate) {
    eventually("the handover", || gate.log().contains("handed over to process").then_some(()));
}

#[test]
fn no_connection_is_refused_or_cut_while_processes_follow_one_another() {
    let one = Echo::start("one");
    let folder = folder(&[("one", one.address)]);
    let (port, late) = (free_port(), free_port());
    write(&folder, &[(port, "shop/one:80")]);
    let path = folder.beside("handover");
    let flags = ["--handover", path.to_str().unwrap(), "--guard-time", "0s"];
    let mut gates = vec![gate(&folder, &flags)];
    let mut lasting = leads_to(port, "one");
    let callers = Callers::start(port);
    for _ in 0..3 {
        gates.push(gate(&folder, &flags));
        let [.., before, _] = &*gates else { unreachable!("there are two") };
        has_handed_over(before);
        lasting.talks();
    }
    // A port that is opened after a handover is the serving process' alone, and the next one gets it.
    write(&folder, &[(port, "shop/one:80"), (late, "shop/one:80")]);
    leads_to(late, "one");
    gates.push(gate(&folder, &flags));
    leads_to(late, "one");
    callers.end();
    lasting.talks();
    drop(lasting);
    let last = gates.pop();
    for mut gate in gates {
        assert_eq!(gate.exit_code(), 0, "{}", gate.log());
    }
    leads_to(port, "one");
    drop(last);
}

#[test]
fn a_process_that_takes_back_opens_what_its_successor_had_opened() {
    let one = Echo::start("one");
    let folder = folder(&[("one", one.address)]);
    let (port, late) = (free_port(), free_port());
    write(&folder, &[(port, "shop/one:80")]);
    let path = folder.beside("handover");
    let flags = ["--handover", path.to_str().unwrap(), "--guard-time", "60s"];
    let first = gate(&folder, &flags);
    let second = gate(&folder, &flags);
    has_handed_over(&first);
    write(&folder, &[(late, "shop/one:80")]);
    leads_to(late, "one");
    eventually("the port is closed by both", || Caller::connect(port).is_none().then_some(()));
    second.signal(Signal::KILL);
    leads_to(late, "one");
    assert!(Caller::connect(port).is_none());
    write(&folder, &[(port, "shop/one:80")]);
    leads_to(port, "one");
}

#[test]
fn a_client_waits_in_the_port_of_a_successor_that_does_not_know_it_yet() {
    let one = Echo::at(pod_address(), "one");
    let folder = folder(&[("one", one.address)]);
    let port = free_port();
    write(&folder, &[(port, "shop/one:80")]);
    let path = folder.beside("handover");
    let first = gate(&folder, &["--handover", path.to_str().unwrap()]);
    let api = api(one.address, &[port]);
    let _second = waiting_successor(&api, &path);
    leads_to(port, "one").talks();
    first.signal(Signal::KILL);
    let mut waiting = Caller::connect(port).expect("the socket is open");
    api.be_honest();
    assert_eq!(waiting.line().unwrap(), "one");
}

#[test]
fn a_port_that_opens_while_a_successor_prepares_is_never_closed() {
    let one = Echo::at(pod_address(), "one");
    let folder = folder(&[("one", one.address)]);
    let (port, late) = (free_port(), free_port());
    write(&folder, &[(port, "shop/one:80")]);
    let path = folder.beside("handover");
    let mut first = gate(&folder, &["--handover", path.to_str().unwrap(), "--guard-time", "0s"]);
    let api = api(one.address, &[port, late]);
    let second = waiting_successor(&api, &path);
    write(&folder, &[(port, "shop/one:80"), (late, "shop/one:80")]);
    leads_to(late, "one");
    let callers = Callers::start(late);
    api.be_honest();
    has_handed_over(&first);
    callers.end();
    leads_to(port, "one").talks();
    assert_eq!(first.exit_code(), 0, "{}", first.log());
    drop(second);
}
