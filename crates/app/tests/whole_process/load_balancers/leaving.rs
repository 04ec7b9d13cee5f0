//! How a process leaves its load balancers: it waits for their word, and with a successor it does not leave them.

use std::collections::BTreeMap;
use std::net::SocketAddr;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::thread::{JoinHandle, spawn};
use std::time::{Duration, Instant};

use rustix::process::Signal;

use super::{Account, DRAIN, HOST, LAG, knows, says, serves};
use crate::support::{Client, eventually};

const ONE: &str = "i-0aaaaaaaaaaaaaaaa";
const OTHER: &str = "i-0bbbbbbbbbbbbbbbb";

/// Clients that stay as long as they may, and come again when they are told to leave. The first that gets no answer fails.
struct Guests {
    stop: Arc<AtomicBool>,
    answered: Arc<AtomicUsize>,
    threads: Vec<JoinHandle<()>>,
}

impl Guests {
    fn start(to: SocketAddr, count: usize) -> Guests {
        let (stop, answered) = (Arc::<AtomicBool>::default(), Arc::<AtomicUsize>::default());
        let threads = (0..count).map(|_| {
            let (stop, answered) = (Arc::clone(&stop), Arc::clone(&answered));
            spawn(move || {
                while !stop.load(Ordering::Relaxed) {
                    let mut client = Client::connect(to);
                    // Every other guest comes anew each time.
                    for _ in 0..10 {
                        let answer = client.get(HOST, "/");
                        assert_eq!(answer.status, 200, "{answer:?}");
                        answered.fetch_add(1, Ordering::Relaxed);
                        std::thread::sleep(Duration::from_millis(5));
                        if answer.closes() {
                            break;
                        }
                    }
                }
            })
        });
        Guests { threads: threads.collect(), stop, answered }
    }

    fn go_on(&self) {
        let before = self.answered.load(Ordering::Relaxed);
        eventually("more answers", || (self.answered.load(Ordering::Relaxed) > before + 50).then_some(()));
    }

    fn end(self) -> usize {
        self.stop.store(true, Ordering::Relaxed);
        for guest in self.threads {
            guest.join().expect("every request is answered 200, the first time");
        }
        self.answered.load(Ordering::Relaxed)
    }
}

#[test]
fn a_node_is_registered_at_each_kind_while_it_serves_and_gone_from_all_before_it_drains() {
    let account = Account::with_all_kinds();
    let mut gate = account.gate("", &[]);
    let places =
        [("old", "i-0123456789abcdef0"), ("nlb-http", "i-0123456789abcdef0"), ("alb-ip", "192.0.2.7")];
    for (place, target) in places {
        account.becomes(place, target, "healthy");
    }
    knows(&gate, "in service");
    let state = gate.json("/state");
    let first = &state["loadBalancers"]["found"][0];
    assert_eq!(
        (&first["kind"], &first["name"], &first["scheme"]),
        (&"alb".into(), &"alb/alb-ip".into(), &"internal".into())
    );
    assert_eq!(gate.metric(r#"sluicegate_load_balancer_state{kind="classic",name="old",scheme="internet-facing",state="in service"}"#), Some(1.0));

    let asked = Instant::now();
    gate.signal(Signal::TERM);
    for (place, target) in places {
        account.becomes(place, target, "draining");
    }
    serves(gate.http);
    assert_eq!(gate.json("/state")["letGo"], false);
    assert_eq!(gate.exit_code(), 0, "{}", gate.log());
    assert!(asked.elapsed() >= Duration::from_secs(DRAIN), "{:?}", asked.elapsed());
    for (place, target) in places {
        assert_eq!(account.elb.state(place, target), "unused", "{place}");
    }
    says(&gate, "classic old: has let go of this node");
    account.was_asked_well();
}

#[test]
fn no_client_of_a_load_balancer_notices_that_a_node_leaves_it() {
    let account = Account::open();
    account.add_network();
    let (mut leaving, staying) = (account.gate(ONE, &[]), account.gate(OTHER, &[]));
    account.becomes("nlb-http", ONE, "healthy");
    account.becomes("nlb-http", OTHER, "healthy");
    let addresses = BTreeMap::from([(ONE.to_owned(), leaving.http), (OTHER.to_owned(), staying.http)]);
    let front = account.elb.front("nlb-http", addresses);
    let guests = Guests::start(front.address, 4);
    guests.go_on();
    leaving.signal(Signal::TERM);
    account.becomes("nlb-http", ONE, "draining");
    let at_first = front.sent(ONE);
    guests.go_on();
    assert_eq!(leaving.exit_code(), 0, "{}", leaving.log());
    guests.go_on();
    let answered = guests.end();
    assert!(answered > 100, "{answered}");
    assert!(front.sent(ONE) > at_first, "the load balancer goes on for {LAG:?} with the one that leaves");
    assert_eq!((front.refused(), front.homeless()), (0, 0));
    account.was_asked_well();
}

#[test]
fn a_node_that_is_to_stay_after_all_is_registered_again() {
    let account = Account::open();
    account.add_network();
    let control = account.folder.beside("control");
    let control = control.to_str().unwrap();
    let gate = account.gate(ONE, &["--control", control]);
    account.becomes("nlb-http", ONE, "healthy");
    for _ in 0..2 {
        let drained = account.program(&["drain", "--control", control, "--wait", "15s"]).output().unwrap();
        assert!(drained.status.success(), "{drained:?}\n{}", gate.log());
        assert_eq!(account.elb.state("nlb-http", ONE), "unused");
        let undone = account.program(&["drain", "--control", control, "--undo"]).output().unwrap();
        assert!(undone.status.success(), "{undone:?}");
        account.becomes("nlb-http", ONE, "healthy");
        knows(&gate, "in service");
    }
    serves(gate.http);
    account.was_asked_well();
}

#[test]
fn a_process_that_is_replaced_on_its_node_deregisters_nothing() {
    let account = Account::open();
    account.add_network();
    let path = account.folder.beside("handover");
    let handover = ["--handover", path.to_str().unwrap(), "--guard-time", "0s"];
    let mut first = account.gate(ONE, &handover);
    account.becomes("nlb-http", ONE, "healthy");
    let mut second = account.gate(ONE, &handover);
    says(&first, "handed over to");
    first.signal(Signal::TERM);
    assert_eq!(first.exit_code(), 0, "{}", first.log());
    knows(&second, "in service");
    assert_eq!(account.elb.calls("DeregisterTargets"), 0);
    assert_eq!((account.elb.state("nlb-http", ONE), account.elb.calls("RegisterTargets")), ("healthy", 1));
    second.signal(Signal::TERM);
    account.becomes("nlb-http", ONE, "draining");
    assert_eq!(second.exit_code(), 0, "{}", second.log());
    account.was_asked_well();
}

#[test]
fn a_lame_duck_whose_successor_comes_after_all_is_registered_again_by_that() {
    let account = Account::open();
    account.add_network();
    let path = account.folder.beside("handover");
    let handover = ["--handover", path.to_str().unwrap(), "--guard-time", "0s"];
    let mut first = account.gate(ONE, &[&handover[..], &["--lame-duck-time", "1h"]].concat());
    account.becomes("nlb-http", ONE, "healthy");
    first.signal(Signal::TERM);
    account.becomes("nlb-http", ONE, "draining");
    let second = account.gate(ONE, &handover);
    assert_eq!(first.exit_code(), 0, "{}", first.log());
    account.becomes("nlb-http", ONE, "healthy");
    knows(&second, "in service");
    account.was_asked_well();
}
