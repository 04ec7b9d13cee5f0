//! Several processes drain while another serves: if that one dies, one of them takes its place, and only one.

use std::fs;
use std::io::{Read, Write};
use std::os::unix::net::UnixStream;
use std::path::PathBuf;
use std::time::Duration;

use rustix::process::Signal;
use serde_json::Value;

use super::gives_back::serves_again;
use super::stay::STAY;
use super::{HOST, Shop, has_handed_over, logs};
use crate::support::{Gate, Survivors, eventually};

/// A process, and where it is asked although others answer on its addresses.
struct One {
    gate: Gate,
    control: PathBuf,
}

impl One {
    fn start(shop: &Shop, name: &str) -> One {
        // As in a pod, each has a folder of its own.
        let own = shop.folder.beside(name);
        fs::create_dir(&own).unwrap();
        let control = own.join("control");
        let gate = shop.process_with(&[&STAY[..], &["--control", control.to_str().unwrap()]].concat());
        One { gate, control }
    }

    fn phase(&self) -> String {
        let mut stream = UnixStream::connect(&self.control).unwrap();
        write!(stream, "GET /state HTTP/1.1\r\nHost: control\r\nConnection: close\r\n\r\n").unwrap();
        let mut page = String::new();
        stream.read_to_string(&mut page).unwrap();
        let state: Value = serde_json::from_str(page.split("\r\n\r\n").nth(1).unwrap()).unwrap();
        state["phase"].as_str().unwrap().to_owned()
    }

    fn is(&self, phase: &str) {
        eventually(phase, || (self.phase() == phase).then_some(()));
    }
}

/// As many as there are names, each of which has replaced the one before it.
fn line<const N: usize>(shop: &Shop, names: [&str; N]) -> Vec<One> {
    let mut line: Vec<One> = Vec::new();
    for name in names {
        let next = One::start(shop, name);
        if let Some(last) = line.last() {
            has_handed_over(&last.gate);
        }
        line.push(next);
    }
    line
}

/// Enough for a process to take back what it should not.
fn a_while() {
    std::thread::sleep(Duration::from_millis(300));
}

#[test]
fn the_last_that_has_handed_over_takes_back_and_then_the_one_before_it() {
    let shop = Shop::open();
    let mut line = line(&shop, ["a", "b", "c"]);
    let survivors = Survivors::start(&line[0].gate, HOST);
    drop(line.pop());
    line[1].is("serving");
    a_while();
    assert_eq!(line[0].phase(), "handed over");
    survivors.go_on();
    drop(line.pop());
    line[0].is("serving");
    survivors.go_on();
    let next = One::start(&shop, "d");
    line[0].is("handed over");
    assert_eq!(next.phase(), "serving");
    survivors.end();
}

#[test]
fn of_two_that_are_left_when_those_after_them_die_at_once_one_takes_back() {
    let shop = Shop::open();
    let mut line = line(&shop, ["a", "b", "c", "d"]);
    let (last, third) = (line.pop().unwrap(), line.pop().unwrap());
    last.gate.pause();
    third.gate.pause();
    drop((third, last));
    line[1].is("serving");
    a_while();
    assert_eq!(line[0].phase(), "handed over");
}

#[test]
fn a_process_that_has_lost_the_one_it_watched_watches_the_one_that_serves() {
    let shop = Shop::open();
    let mut line = line(&shop, ["a", "b", "c", "d"]);
    let survivors = Survivors::start(&line[0].gate, HOST);
    // One is killed, one ends in order: the first watches the last from then on.
    let mut third = line.remove(2);
    drop(line.remove(1));
    logs(&line[0].gate, "serves now, and is watched");
    third.gate.signal(Signal::TERM);
    assert_eq!(third.gate.exit_code(), 0, "{}", third.gate.log());
    assert_eq!((line[0].phase(), line[1].phase()), ("handed over".into(), "serving".into()));
    survivors.go_on();
    drop(line.pop());
    serves_again(&line[0].gate, 1);
    survivors.go_on();
    survivors.end();
}

/// All of them watch the last one, and learn of its death in the same moment.
#[test]
fn of_many_that_watch_the_same_process_one_takes_back() {
    let shop = Shop::open();
    let mut line = line(&shop, ["a", "b", "c", "d", "e", "f"]);
    let survivors = Survivors::start(&line[0].gate, HOST);
    for place in [3, 1] {
        drop(line.remove(place));
    }
    for one in &line[..2] {
        logs(&one.gate, "serves now, and is watched");
    }
    drop(line.pop());
    let serving = || line.iter().filter(|one| one.phase() == "serving").count();
    eventually("one that serves", || (serving() == 1).then_some(()));
    a_while();
    assert_eq!(serving(), 1);
    survivors.go_on();
    survivors.end();
}

#[test]
fn a_farewell_reaches_all_that_would_take_back() {
    let shop = Shop::open();
    let mut line = line(&shop, ["a", "b", "c"]);
    let mut last = line.pop().unwrap();
    last.gate.signal(Signal::TERM);
    assert_eq!(last.gate.exit_code(), 0, "{}", last.gate.log());
    for one in &mut line {
        assert_eq!(one.gate.exit_code(), 0, "{}", one.gate.log());
        assert!(!one.gate.log().contains("takes the listeners back"), "{}", one.gate.log());
    }
    assert!(std::net::TcpStream::connect(last.gate.http).is_err());
}
