//! What may be found at the handover path, and which processes may connect there.

use std::fs;
use std::io::{Read, Write};
use std::os::unix::net::{UnixListener, UnixStream};
use std::path::Path;

use super::{HOST, Shop, has_handed_over, logs};
use crate::support::{Folder, Visitors, eventually, output, program};

/// The first words of a process that speaks another version.
const OTHER_VERSION: &[u8] = b"sluicegt\xff\xff\0\0\0\x07\0\0\0\0\0\0\0\0\0";

/// Runs a process that ends by itself.
fn fails(folder: &Folder, path: &Path, says: &str) {
    let mut command = program(&["run", "--http", "127.0.0.1:0", "--admin", "127.0.0.1:0", "--manifests"]);
    let output = output(command.arg(folder.path()).arg("--handover").arg(path));
    let log = String::from_utf8(output.stderr).unwrap();
    assert_eq!(output.status.code(), Some(1), "{log}");
    assert!(log.contains(says) && log.contains("--handover"), "{log}");
}

#[test]
fn the_file_of_a_process_that_is_gone_is_replaced() {
    let shop = Shop::open();
    drop(UnixListener::bind(shop.path()).unwrap());
    let first = shop.process();
    let visitors = Visitors::start(&first, HOST);
    let _second = shop.process();
    has_handed_over(&first);
    visitors.end();
}

#[test]
fn a_path_that_is_removed_while_the_process_runs_is_there_again_for_its_successor() {
    let shop = Shop::open();
    let first = shop.process();
    let visitors = Visitors::start(&first, HOST);
    fs::remove_file(shop.path()).unwrap();
    eventually("the path", || shop.path().exists().then_some(()));
    let _second = shop.process();
    has_handed_over(&first);
    visitors.end();
}

#[test]
fn garbage_and_other_versions_get_nothing_and_change_nothing() {
    let shop = Shop::open();
    let first = shop.process();
    let visitors = Visitors::start(&first, HOST);
    for (said, why) in
        [(&b"GET / HTTP/1.1\r\n\r\n"[..], "no process of ours"), (OTHER_VERSION, "version 65535")]
    {
        let mut stream = UnixStream::connect(shop.path()).unwrap();
        stream.write_all(said).unwrap();
        logs(&first, why);
        let mut heard = Vec::new();
        // It may end in a reset, since not all that we said was read.
        let _ = stream.read_to_end(&mut heard);
        assert!(heard.starts_with(b"sluicegt"), "{heard:?}");
    }
    let _silent = UnixStream::connect(shop.path()).unwrap();
    visitors.go_on();
    let _second = shop.process();
    has_handed_over(&first);
    visitors.end();
}

#[test]
fn a_predecessor_of_another_version_is_named_and_nothing_is_taken_or_bound() {
    let folder = Folder::new(&[]);
    let path = folder.beside("handover");
    let listener = UnixListener::bind(&path).unwrap();
    let other = std::thread::spawn(move || {
        let mut stream = listener.accept().unwrap().0;
        stream.write_all(OTHER_VERSION).unwrap();
        let _ = stream.read_to_end(&mut Vec::new());
    });
    fails(&folder, &path, "process 7 hands over in version 65535");
    other.join().unwrap();
}

#[test]
fn a_path_that_cannot_be_used_is_named_with_what_to_do() {
    let folder = Folder::new(&[]);
    let file = folder.beside("file");
    fs::write(&file, "mine").unwrap();
    fails(&folder, &file, "is no socket and is left alone");
    fails(&folder, &folder.beside("nowhere/handover"), "make the folder");
    assert_eq!(fs::read_to_string(&file).unwrap(), "mine");
}
