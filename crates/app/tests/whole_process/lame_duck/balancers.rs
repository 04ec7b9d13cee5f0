//! A process that is told to leave without a successor, behind a balancer that learns of it late and moves no client.

use std::net::SocketAddr;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::thread::{JoinHandle, sleep, spawn};
use std::time::{Duration, Instant};

use rustix::process::Signal;

use super::{HOST, Shop, health};
use crate::support::{Balancer, Client, Gate, eventually};

const LAME_DUCK: [&str; 4] = ["--lame-duck-time", "2s", "--idle-timeout", "5s"];
const IDLE: Duration = Duration::from_secs(5);

/// Two processes of the same shop, each on its own addresses, as on two nodes.
struct Nodes {
    _shops: [Shop; 2],
    leaving: Gate,
    staying: Gate,
    balancer: Balancer,
}

impl Nodes {
    fn start() -> Nodes {
        let shops = [Shop::open(), Shop::open()];
        let (leaving, staying) = (shops[0].gate(&LAME_DUCK), shops[1].gate(&LAME_DUCK));
        let balancer = Balancer::start(&[(leaving.http, health(&leaving)), (staying.http, health(&staying))]);
        Nodes { _shops: shops, leaving, staying, balancer }
    }
}

/// Clients that count their answers; each answer but 200, and each end that was not announced, fails the test.
struct Crowd {
    stop: Arc<AtomicBool>,
    answered: Arc<AtomicUsize>,
    threads: Vec<JoinHandle<()>>,
}

impl Crowd {
    fn start(count: usize, mut client: impl FnMut() -> Box<dyn FnMut() + Send>) -> Crowd {
        let mut crowd = Crowd { stop: Arc::default(), answered: Arc::default(), threads: Vec::new() };
        for _ in 0..count {
            let (stop, answered) = (Arc::clone(&crowd.stop), Arc::clone(&crowd.answered));
            let mut visit = client();
            crowd.threads.push(spawn(move || {
                while !stop.load(Ordering::Relaxed) {
                    visit();
                    answered.fetch_add(1, Ordering::Relaxed);
                }
            }));
        }
        crowd
    }

    /// Lets them have some more answers.
    fn go_on(&self) {
        let before = self.answered.load(Ordering::Relaxed);
        eventually("more answers", || (self.answered.load(Ordering::Relaxed) > before + 50).then_some(()));
    }

    /// Ends it and returns how many answers there were.
    fn end(self) -> usize {
        self.stop.store(true, Ordering::Relaxed);
        for client in self.threads {
            client.join().expect("every visit is answered 200, the first time");
        }
        self.answered.load(Ordering::Relaxed)
    }
}

/// Comes anew every 10 ms.
fn newcomers(to: SocketAddr) -> Crowd {
    Crowd::start(1, || {
        Box::new(move || {
            assert_eq!(Client::connect(to).get(HOST, "/").status, 200);
            sleep(Duration::from_millis(10));
        })
    })
}

/// Keeps its connection until it is told to leave, and thinks between two requests.
fn regulars(to: SocketAddr, count: usize, think: Duration) -> Crowd {
    Crowd::start(count, || {
        let mut kept = Client::connect(to);
        Box::new(move || {
            let answer = kept.get(HOST, "/");
            assert_eq!(answer.status, 200, "{answer:?}");
            if answer.closes() {
                kept = Client::connect(to);
            }
            sleep(think);
        })
    })
}

/// Asks one process to leave, and checks that it refused none of the clients that the balancer still sent there.
fn leaves(nodes: &mut Nodes) {
    let Nodes { leaving, balancer, .. } = nodes;
    assert!(!balancer.has_let_go_of(0));
    leaving.signal(Signal::TERM);
    assert_eq!(leaving.exit_code(), 0, "{}", leaving.log());
    assert!(balancer.has_let_go_of(0) && !balancer.has_let_go_of(1));
    assert!(
        balancer.sent_late(0) > 0,
        "no client came that a process which closes at once would have refused"
    );
    assert_eq!(balancer.refused(), 0);
}

/// No client stays that would make the process go on accepting in any case.
#[test]
fn a_balancer_that_learns_late_of_a_node_that_goes_away_is_refused_nothing() {
    let mut nodes = Nodes::start();
    let newcomers = newcomers(nodes.balancer.address);
    newcomers.go_on();
    leaves(&mut nodes);
    newcomers.go_on();
    newcomers.end();
}

#[test]
fn clients_on_connections_they_keep_do_not_notice_that_a_node_goes_away() {
    let mut nodes = Nodes::start();
    let newcomers = newcomers(nodes.balancer.address);
    let regulars = regulars(nodes.balancer.address, 20, Duration::from_millis(50));
    regulars.go_on();
    leaves(&mut nodes);
    regulars.go_on();
    newcomers.end();
    regulars.end();
}

#[test]
fn a_balancer_that_never_moves_a_connection_is_rid_of_them_all_when_the_idle_time_is_over() {
    let Nodes { _shops, mut leaving, staying: _staying, balancer } = Nodes::start();
    // Slow enough that some speak for the first time long after the balancer has let go.
    let regulars = regulars(balancer.address, 30, Duration::from_millis(1500));
    let mut silent: Vec<Client> = (0..10).map(|_| Client::connect(balancer.address)).collect();
    silent.iter_mut().for_each(|client| assert_eq!(client.get(HOST, "/").status, 200));
    let spoke = Instant::now();
    eventually("all connections", || (leaving.json("/state")["connections"] == 20).then_some(()));
    let silent: Vec<_> = silent.into_iter().map(|client| spawn(|| client.wait_until_closed())).collect();
    leaving.signal(Signal::TERM);
    assert_eq!(leaving.exit_code(), 0, "{}", leaving.log());
    let took = spoke.elapsed();
    assert!(took >= IDLE - Duration::from_millis(100), "the silent ones have their idle time: {took:?}");
    assert!(took < 4 * IDLE, "{took:?}\n{}", leaving.log());
    assert_eq!(balancer.refused(), 0);
    assert!(regulars.end() > 100);
    silent.into_iter().for_each(|client| client.join().expect("a clean end, and nothing before it"));
}
