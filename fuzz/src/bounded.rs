//! Each property on stable, in seconds: the corpus as it stands, then a fixed number of mutations of it, the same in every
//! run. It finds what lies near; libFuzzer, which sees which branches an input takes, finds the rest.

use std::fs;
use std::path::Path;

use fastrand::Rng;

use crate::TARGETS;

/// Mutations a target, and of those whose property costs about a millisecond. Some seconds each.
const MUTATIONS: usize = 100_000;
const COSTLY: [(&str, usize); 3] =
    [("certificate_bundle", 5_000), ("ingress_object", 10_000), ("snippet", 10_000)];
/// Changes of one input.
const CHANGES_MAX: usize = 4;
/// No mutation grows beyond it.
const BYTES_MAX: usize = 4 << 10;
/// What parsers take for the end of something, or for something else.
const TOKENS: [&[u8]; 30] = [
    b"\r\n",
    b"\n",
    b"\r",
    b"\r\n\r\n",
    b"0\r\n\r\n",
    b"\0",
    b" ",
    b"\t",
    b":",
    b";",
    b",",
    b"/",
    b"%2e",
    b"%2F",
    b"..",
    b"\x7f",
    b"\xff",
    b"0",
    b"+",
    b"content-length: 1\r\n",
    b"transfer-encoding: chunked\r\n",
    b"connection: ",
    b"_",
    b"\n---\n",
    b"'",
    b"\"",
    b"\\",
    b"{",
    b"}",
    b"#",
];

fn run(name: &str) {
    let (_, property) = *TARGETS.iter().find(|(target, _)| *target == name).expect("a target");
    let seeds = seeds(name);
    for (file, seed) in &seeds {
        checked(property, seed, file);
    }
    let mutations = COSTLY.iter().find(|(target, _)| *target == name).map_or(MUTATIONS, |(_, count)| *count);
    let mut rng = Rng::with_seed(name.bytes().fold(0, |sum: u64, byte| sum.rotate_left(8) ^ u64::from(byte)));
    for round in 0..mutations {
        let mut input = seeds[rng.usize(..seeds.len())].1.clone();
        for _ in 0..rng.usize(1..=CHANGES_MAX) {
            change(&mut input, &seeds[rng.usize(..seeds.len())].1, &mut rng);
        }
        checked(property, &input, &format!("mutation {round}"));
    }
}

/// The corpus in the order of its names: a folder has none of its own.
fn seeds(name: &str) -> Vec<(String, Vec<u8>)> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("corpus").join(name);
    let files = fs::read_dir(&folder).unwrap_or_else(|error| panic!("{}: {error}", folder.display()));
    let mut seeds: Vec<_> = files
        .map(|file| file.expect("a file of the corpus").path())
        .map(|path| (path.display().to_string(), fs::read(&path).expect("a file of the corpus")))
        .collect();
    seeds.sort();
    assert!(!seeds.is_empty(), "{} is empty", folder.display());
    seeds
}

/// Prints the input if the property does not hold: it is the next file of the corpus.
fn checked(property: crate::Property, input: &[u8], what: &str) {
    let held = std::panic::catch_unwind(|| property(input));
    assert!(held.is_ok(), "{what} of {} bytes: {}", input.len(), input.escape_ascii());
}

fn change(input: &mut Vec<u8>, other: &[u8], rng: &mut Rng) {
    let at = rng.usize(..=input.len());
    let end = (at + rng.usize(..16)).min(input.len());
    match rng.u8(..7) {
        0 if at < input.len() => input[at] ^= 1 << rng.u8(..8),
        1 if at < input.len() => input[at] = rng.u8(..),
        2 => drop(input.drain(at..end)),
        3 => drop(input.splice(at..at, TOKENS[rng.usize(..TOKENS.len())].iter().copied())),
        4 => drop(input.splice(at..end, TOKENS[rng.usize(..TOKENS.len())].iter().copied())),
        5 => {
            let again = input[at..end].to_vec();
            input.splice(at..at, again);
        }
        _ => {
            let from = rng.usize(..=other.len());
            input.truncate(at);
            input.extend_from_slice(&other[from..]);
        }
    }
    input.truncate(BYTES_MAX);
}

macro_rules! targets {
    ($($name:ident)*) => {
        $(#[test] fn $name() { run(stringify!($name)); })*

        #[test]
        fn every_target_is_run_here_and_by_libfuzzer() {
            let names: Vec<&str> = TARGETS.iter().map(|(name, _)| *name).collect();
            assert_eq!(names, [$(stringify!($name)),*]);
            let manifest = include_str!("../Cargo.toml");
            for name in names {
                assert!(manifest.contains(&format!("\"targets/{name}.rs\"")), "Cargo.toml lacks {name}");
            }
        }
    };
}

targets! {
    access_log_line certificate_bundle chunked_body client_certificate header_fields http2_flood ingress_object password_file proxy_header request_head request_host
    request_path rewrite snippet upstream_answer
}
