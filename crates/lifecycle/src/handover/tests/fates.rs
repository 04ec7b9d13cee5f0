//! What becomes of a successor, and which process takes its place.

mod process;

use std::net::TcpListener;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use tokio::task::JoinSet;

use crate::socket_path::Lock;

use super::super::watch::Fate;
use super::super::wire::{CONFIRMED, Greeting, Served, State, Word};
use super::super::{Owner, Received, connect};
use super::sides::{eventually, offers};
use process::{Process, folder, soon};

#[tokio::test]
async fn a_successor_that_dies_is_told_from_one_that_lives() {
    let (_folder, path) = folder();
    let mut first = Process::first(&path);
    let second = first.next().await;
    assert!(first.waits().await, "it lives");
    drop(second);
    first.takes_back().await;
    // The path is its own again, for the next.
    let _third = first.next().await;
}

#[tokio::test]
async fn a_successor_that_leaves_is_told_from_one_that_dies_and_so_is_one_that_already_left() {
    let (_folder, path) = folder();
    let mut first = Process::first(&path);
    let mut second = first.next().await;
    second.owner.leave();
    assert!(matches!(first.fate().await, Fate::Left));

    let mut third = second.next().await;
    let mut fourth = third.next().await;
    fourth.owner.leave();
    drop(third);
    // It finds the last one at the path, which says so at once.
    let (fate, waits) = tokio::join!(second.fate(), fourth.waits());
    assert!(waits && matches!(fate, Fate::Left));
}

#[tokio::test]
async fn the_one_before_a_successor_that_has_handed_on_takes_back_only_if_both_are_gone() {
    let (_folder, path) = folder();
    let mut first = Process::first(&path);
    let mut second = first.next().await;
    let third = second.next().await;
    drop(third);
    second.takes_back().await;
    assert!(first.waits().await, "the second serves again");
    let third = second.next().await;
    drop((second, third));
    first.takes_back().await;
}

#[tokio::test]
async fn one_that_has_let_go_leaves_the_watch_to_the_one_before() {
    let (_folder, path) = folder();
    let mut first = Process::first(&path);
    let mut second = first.next().await;
    let mut third = second.next().await;
    second.owner.let_go();
    let (waits, comes) = tokio::join!(first.waits(), third.waits());
    assert!(waits && comes);
    drop(third);
    first.takes_back().await;
}

#[tokio::test]
async fn of_all_that_watch_a_process_that_dies_one_takes_back() {
    let (_folder, path) = folder();
    let mut line = vec![Process::first(&path)];
    for _ in 0..6 {
        let next = line.last_mut().unwrap().next().await;
        line.push(next);
    }
    let mut last = line.pop().unwrap();
    // Every other one is gone, so that all that are left watch the last.
    let mut left: Vec<Process> = line.into_iter().step_by(2).collect();
    let watching = async {
        for process in &mut left {
            assert!(process.waits().await);
        }
    };
    tokio::select! {
        () = watching => {}
        _ = last.owner.handed_over() => panic!("no process wants to replace it"),
    }
    let lock = Lock::of(&path).unwrap().expect("no process has it");
    drop(last);
    // Each that takes back serves for a while, in which the others find it, and dies.
    let (serving, mut tasks, count) = (Arc::<AtomicUsize>::default(), JoinSet::new(), left.len());
    for mut process in left {
        let serving = Arc::clone(&serving);
        tasks.spawn(async move {
            process.takes_back().await;
            assert_eq!(serving.fetch_add(1, Ordering::SeqCst), 0, "another one serves");
            assert!(process.waits().await);
            serving.fetch_sub(1, Ordering::SeqCst);
        });
    }
    assert!(count > 2);
    // They have all looked by then which process has the path.
    tokio::time::sleep(std::time::Duration::from_millis(100)).await;
    assert_eq!(serving.load(Ordering::SeqCst), 0);
    drop(lock);
    while let Some(ended) = tasks.join_next().await {
        ended.unwrap();
    }
}

#[tokio::test]
async fn one_that_finds_another_in_the_place_of_its_predecessor_does_not_take_the_path() {
    let (_folder, path) = folder();
    let mut first = Process::first(&path);
    let mut second = first.next().await;
    let (received, _) = tokio::join!(connect(&path), second.waits());
    let received = received.unwrap().expect("the second");
    drop(second);
    // Only then its session is gone too.
    tokio::task::yield_now().await;
    first.takes_back().await;
    let follow = async |predecessor| Owner::follow(path.clone(), Vec::new(), predecessor).await.unwrap();
    assert!(follow(Some(&received)).await.is_none());
    assert!(follow(None).await.is_none());
    drop(first);
    assert!(follow(None).await.is_some());
}

/// As when one takes back, and another one that prepares claims the path in the same moment.
#[tokio::test]
async fn of_two_that_serve_the_one_that_does_not_have_the_path_hands_over() {
    let (_folder, path) = folder();
    let (mut first, mut second) = (Process::first(&path), Process::first(&path));
    let successor = tokio::select! {
        successor = soon(first.owner.handed_over()) => successor,
        _ = second.owner.handed_over() => panic!("it has the path"),
    };
    assert!(successor.says_farewell());
    first.successor = Some(successor);
    assert!(second.waits().await);
    drop(second);
    first.takes_back().await;
}

#[tokio::test]
async fn a_file_of_a_process_that_is_gone_is_replaced_by_the_one_that_serves() {
    let (_folder, path) = folder();
    let mut first = Process::first(&path);
    drop(Process::first(&path));
    let received = eventually(async || {
        assert!(first.waits().await);
        std::os::unix::net::UnixStream::connect(&path).ok()
    });
    received.await;
}

#[tokio::test]
async fn what_the_one_that_serves_lacks_is_given_up_by_all_that_watch_it_or_come_to_watch_it() {
    let (_folder, path) = folder();
    let listeners: Vec<_> = (0..3).map(|_| Arc::new(TcpListener::bind("127.0.0.1:0").unwrap())).collect();
    let given_up = |process: &Process| process.owner.given_up().len();
    let mut first = Process::with(&path, &listeners);
    let mut second = first.next_with(&listeners).await;
    assert_eq!(given_up(&first), 0);
    let mut third = second.next_with(&listeners[1..]).await;
    assert_eq!(given_up(&second), 1);
    assert!(matches!(first.fate().await, Fate::Lacks), "the second tells the first");
    let fourth = third.next_with(&listeners[2..]).await;
    assert_eq!(given_up(&third), 1);
    // It looks which process serves, and is told by that one.
    drop((second, third));
    let mut fourth = fourth;
    let (fate, waits) = tokio::join!(first.fate(), fourth.waits());
    assert!(waits && matches!(fate, Fate::Lacks));
    assert_eq!((given_up(&first), given_up(&fourth)), (2, 0));
    drop(fourth);
    first.takes_back().await;
}

#[tokio::test]
async fn a_word_that_comes_in_parts_is_heard_as_a_whole_and_unknown_ones_are_passed_over() {
    let listeners = [Arc::new(TcpListener::bind("127.0.0.1:0").unwrap())];
    let served = Served::of(&offers(&listeners)).expect("a number");
    let mut heard = Vec::new();
    for byte in [b"H?".as_slice(), &served.bytes()].concat() {
        heard.push(byte);
        if heard[0] == b'H' {
            assert_eq!(Word::next(&mut heard), Some(Word::HandedOn));
        } else if heard.len() < served.bytes().len() {
            assert_eq!(Word::next(&mut heard), None);
        }
    }
    heard.push(b'L');
    assert_eq!(Word::next(&mut heard), Some(Word::Serves(served)));
    assert_eq!(Word::next(&mut heard), Some(Word::Leaves));
    assert_eq!(Word::next(&mut heard), None);
}

/// One of an older version says nothing when it leaves, so nothing is taken back from it.
#[tokio::test]
async fn an_older_successor_that_ends_has_left_and_one_that_hands_on_is_not_missed() {
    let older = Greeting { says_farewell: false, says_sockets: false, ..Greeting::ours(State::GoOn) };
    assert_eq!(older.bytes()[10], 0);
    for hands_on in [false, true] {
        let (_folder, path) = folder();
        let mut first = Process::first(&path);
        let older = async {
            use tokio::io::{AsyncReadExt, AsyncWriteExt};
            let mut stream = tokio::net::UnixStream::connect(&path).await.unwrap();
            Greeting::read(&mut stream).await.unwrap();
            stream.write_all(&older.bytes()).await.unwrap();
            stream.write_all(&[CONFIRMED]).await.unwrap();
            assert_eq!(stream.read_u16().await.unwrap(), 0, "no sockets");
            assert_eq!(stream.read_u8().await.unwrap(), b'R');
            if hands_on {
                stream.write_all(b"H").await.unwrap();
            }
            drop(stream);
        };
        let ((), mut successor) = tokio::join!(older, first.owner.handed_over());
        assert!(!successor.says_farewell());
        let fate =
            tokio::time::timeout(std::time::Duration::from_millis(100), successor.fate(&mut first.owner))
                .await;
        match hands_on {
            true => assert!(fate.is_err()),
            false => assert!(matches!(fate, Ok(Fate::Left))),
        }
    }
}

/// It watches its successor all the same, to know when it need not stay any longer.
#[tokio::test]
async fn an_older_predecessor_would_not_serve_in_our_place_and_is_not_left_alone() {
    let (_folder, path) = folder();
    let newer = Greeting::ours(State::GoOn);
    let older = Greeting { says_farewell: false, says_sockets: false, ..newer };
    for (theirs, would) in [(older, false), (newer, true)] {
        let mut process = Process::first(&path);
        let (stream, other) = tokio::net::UnixStream::pair().unwrap();
        process.owner.replaces(Received { stream, theirs, sockets: Vec::new() });
        assert_eq!(process.owner.is_watched(), would);
        assert!(super::super::watch::is_there(&other));
    }
}
