//! Both sides in one process, over real unix sockets.

mod fates;
mod sides;

use std::fs;
use std::io::{ErrorKind, Read, Write};
use std::net::TcpStream;
use std::os::unix::fs::PermissionsExt;
use std::os::unix::net::{UnixListener, UnixStream};
use std::sync::Arc;

use crate::socket_path::Error as PathError;

use sides::{Old, accepts, eventually, flags, offers, take};

use super::wire::{Greeting, State, VERSION};
use super::{Confirmed, Error, Lost, MESSAGE_WAIT, Offers, Owner, Received, connect};

#[tokio::test]
async fn sockets_of_port_0_arrive_in_their_order_with_all_that_one_message_cannot_hold() {
    let old = Old::with(300);
    let mut received = old.successor().await;
    for listener in &old.listeners {
        let taken = take(&mut received).expect("one for each");
        assert_eq!(taken.local_addr().unwrap(), listener.local_addr().unwrap());
    }
    assert!(take(&mut received).is_none());
    assert_eq!(received.confirm(&Offers::default()).await, Confirmed::Released);
    assert_eq!(old.handed_over.await.unwrap().pid(), std::process::id());
}

#[tokio::test]
async fn both_accept_on_a_socket_that_was_passed_and_neither_changes_its_flags() {
    let old = Old::with(1);
    old.listeners[0].set_nonblocking(true).unwrap();
    let before = flags(&old.listeners[0]);
    let mut received = old.successor().await;
    let taken = take(&mut received).unwrap();
    assert_eq!(flags(&old.listeners[0]), before);
    assert_eq!(taken.accept().unwrap_err().kind(), ErrorKind::WouldBlock);
    assert_eq!(old.listeners[0].accept().unwrap_err().kind(), ErrorKind::WouldBlock);
    assert!(accepts(&old.listeners[0]) && accepts(&taken));
    received.confirm(&Offers::default()).await;
    assert!(accepts(&old.listeners[0]) && accepts(&taken));
    drop(taken);
    assert!(accepts(&old.listeners[0]), "a copy that is closed closes no other one");
}

#[tokio::test]
async fn another_role_or_address_is_no_match_and_is_closed() {
    let old = Old::with(1);
    let mut received = old.successor().await;
    let local = old.listeners[0].local_addr().unwrap();
    assert!(received.take("admin", "127.0.0.1:0".parse().unwrap()).is_none());
    assert!(received.take("http", local).is_none());
    assert_eq!(received.close_rest(), ["http 127.0.0.1:0"]);
    assert!(take(&mut received).is_none());
}

#[tokio::test]
async fn what_is_closed_by_then_is_neither_offered_nor_kept_open() {
    let mut old = Old::with(2);
    let address = old.listeners.remove(0).local_addr().unwrap();
    assert_eq!(TcpStream::connect(address).unwrap_err().kind(), ErrorKind::ConnectionRefused);
    let mut received = old.successor().await;
    let taken = take(&mut received).expect("the other one");
    assert_eq!(taken.local_addr().unwrap(), old.listeners[0].local_addr().unwrap());
    assert!(take(&mut received).is_none());
}

#[tokio::test]
async fn a_successor_that_dies_before_it_confirms_costs_nothing_and_the_next_one_is_served() {
    let old = Old::with(1);
    drop(old.successor().await);
    let mut received = old.successor().await;
    assert!(!old.handed_over.is_finished());
    assert_eq!(received.confirm(&Offers::default()).await, Confirmed::Released);
    old.handed_over.await.unwrap();
    assert!(accepts(&old.listeners[0]), "what the successor did not take is closed there, and only there");
}

#[tokio::test]
async fn a_successor_that_dies_with_the_path_in_its_hands_gives_it_back() {
    let old = Old::with(1);
    let received = old.successor().await;
    let claimed = Owner::claim(old.path(), Vec::new()).unwrap();
    drop((claimed, received));
    // Until the old process knows, the path belongs to no process.
    let mut received = eventually(async || connect(&old.path()).await.unwrap()).await;
    assert_eq!(received.confirm(&Offers::default()).await, Confirmed::Released);
}

#[tokio::test]
async fn after_the_confirmation_the_path_is_the_successors() {
    let old = Old::with(1);
    let mut received = old.successor().await;
    let listener = Arc::new(take(&mut received).unwrap());
    let mut owner = Owner::claim(old.path(), offers(&[Arc::clone(&listener)])).unwrap();
    assert_eq!(received.confirm(&Offers::default()).await, Confirmed::Released);
    old.handed_over.await.unwrap();
    let third = tokio::spawn(async move { owner.handed_over().await });
    let mut received = connect(&old.folder.path().join("handover")).await.unwrap().expect("the successor");
    assert!(take(&mut received).is_some());
    assert_eq!(received.confirm(&Offers::default()).await, Confirmed::Released);
    third.await.unwrap();
}

#[tokio::test]
async fn a_second_successor_waits_for_its_turn() {
    let old = Old::with(1);
    let first = old.successor().await;
    let path = old.path();
    let second = tokio::spawn(async move { connect(&path).await });
    let told = UnixStream::connect(old.path()).unwrap();
    told.set_nonblocking(true).unwrap();
    let mut told = tokio::net::UnixStream::from_std(told).unwrap();
    assert!(Greeting::read(&mut told).await.unwrap().state == State::Busy);
    assert!(!second.is_finished());
    drop(first);
    assert!(second.await.unwrap().unwrap().is_some());
}

#[tokio::test]
async fn a_process_that_sends_garbage_or_nothing_gets_nothing_and_keeps_no_other_out() {
    let old = Old::with(1);
    let mut garbage = UnixStream::connect(old.path()).unwrap();
    garbage.write_all(b"GET / HTTP/1.1\r\n\r\n").unwrap();
    let silent = UnixStream::connect(old.path()).unwrap();
    assert!(take(&mut old.successor().await).is_some());
    let mut said = Vec::new();
    let _ = garbage.read_to_end(&mut said);
    assert_eq!(said.len(), Greeting::ours(State::GoOn).bytes().len());
    drop(silent);
}

#[tokio::test]
async fn another_version_gets_no_sockets_and_both_sides_can_tell() {
    let old = Old::with(1);
    let mut newer = tokio::net::UnixStream::connect(old.path()).await.unwrap();
    assert_eq!(Greeting::read(&mut newer).await.unwrap().version, VERSION);
    let hello = Greeting { version: VERSION + 1, ..Greeting::ours(State::GoOn) };
    tokio::io::AsyncWriteExt::write_all(&mut newer, &hello.bytes()).await.unwrap();
    assert_eq!(Greeting::read(&mut newer).await.unwrap_err().kind(), ErrorKind::UnexpectedEof);
    assert!(!old.handed_over.is_finished());

    let error = refused_by(hello).await;
    assert!(matches!(error, Error::Version { theirs, .. } if theirs == VERSION + 1), "{error}");
}

/// What a successor says of a process that greets so and leaves.
async fn refused_by(greeting: Greeting) -> Error {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("handover");
    let other = UnixListener::bind(&path).unwrap();
    let answer = std::thread::spawn(move || other.accept().unwrap().0.write_all(&greeting.bytes()));
    let error = connect(&path).await.unwrap_err();
    answer.join().unwrap().unwrap();
    error
}

#[tokio::test]
async fn sockets_of_another_network_are_not_taken() {
    let ours = Greeting::ours(State::GoOn);
    assert_ne!(ours.network, 0);
    let error = refused_by(Greeting { network: ours.network + 1, ..ours }).await;
    assert!(matches!(error, Error::Network { .. }), "{error}");
}

#[tokio::test]
async fn no_process_is_there_without_a_file_and_with_one_whose_process_is_gone() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("handover");
    assert!(connect(&path).await.unwrap().is_none());
    drop(UnixListener::bind(&path).unwrap());
    assert!(connect(&path).await.unwrap().is_none());
}

#[tokio::test]
async fn a_file_of_another_kind_a_missing_folder_and_a_long_path_are_told_and_left_alone() {
    let folder = tempfile::tempdir().unwrap();
    let (file, long) = (folder.path().join("file"), folder.path().join("x".repeat(100)));
    fs::write(&file, "mine").unwrap();
    assert!(matches!(connect(&file).await.unwrap_err(), Error::Path(PathError::NotASocket(_))));
    assert!(matches!(
        Owner::claim(file.clone(), Vec::new()).unwrap_err(),
        Error::Path(PathError::NotASocket(_))
    ));
    assert_eq!(fs::read_to_string(&file).unwrap(), "mine");
    assert!(matches!(connect(&file.join("x")).await.unwrap_err(), Error::Path(PathError::NoFolder(_))));
    assert!(matches!(connect(&long).await.unwrap_err(), Error::Path(PathError::TooLong(_))));
}

#[tokio::test]
async fn a_removed_path_is_made_anew_with_the_same_mode_and_nothing_beside_it() {
    let old = Old::with(1);
    fs::remove_file(old.path()).unwrap();
    eventually(async || old.path().exists().then_some(())).await;
    assert_eq!(fs::metadata(old.path()).unwrap().permissions().mode() & 0o777, 0o600);
    assert_eq!(fs::read_dir(old.folder.path()).unwrap().count(), 1);
    assert!(take(&mut old.successor().await).is_some());
}

#[tokio::test]
async fn a_predecessor_that_ends_is_told_from_one_that_waits_no_longer() {
    let old = Old::with(1);
    let mut received = old.successor().await;
    old.handed_over.abort();
    assert_eq!(received.lost().await, Lost::Ended);
    assert_eq!(received.confirm(&Offers::default()).await, Confirmed::Ended);

    let old = Old::with(1);
    let mut received = old.successor().await;
    // With nothing to do, time now passes at once.
    tokio::time::pause();
    assert_eq!(received.lost().await, Lost::GivenUp);
    tokio::time::resume();
    assert!(!old.handed_over.is_finished());
    assert_ne!(received.confirm(&Offers::default()).await, Confirmed::Released);
}

#[tokio::test]
async fn a_predecessor_that_hangs_does_not_keep_its_successor_from_serving() {
    let (ours, mut theirs) = tokio::net::UnixStream::pair().unwrap();
    let older = Greeting { says_sockets: false, ..Greeting::ours(State::GoOn) };
    let mut received = Received { stream: ours, theirs: older, sockets: Vec::new() };
    tokio::time::pause();
    let asked = tokio::time::Instant::now();
    assert_eq!(received.confirm(&Offers::default()).await, Confirmed::Refused);
    assert!(asked.elapsed() >= MESSAGE_WAIT);
    assert_eq!(tokio::io::AsyncReadExt::read_u8(&mut theirs).await.unwrap(), super::wire::CONFIRMED);
}
