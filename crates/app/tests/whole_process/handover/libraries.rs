//! Clients as people use them, through a handover. (`cargo xtask bench clients` runs more of them, for longer, and beside
//! nginx.) Their programs are those of `benches/clients`; what they need is installed by `cargo xtask setup`.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};

use rcgen::{BasicConstraints, CertificateParams, DnType, IsCa, Issuer, KeyPair, KeyUsagePurpose};
use serde_json::Value;
use test_support::manifests::secret;

use super::{Shop, has_handed_over};
use crate::support::{eventually, ingress};

/// Goodbyes are spread over ten seconds; one that waits for silence comes up to five later.
const SECONDS: &str = "30";

#[test]
fn clients_of_http2_that_ask_one_thing_after_the_other_lose_nothing_at_a_handover() {
    let shop = Shop::open();
    let authority = certify(&shop);
    let secure = ["--https", "127.0.0.1:0", "--default-certificate", "shop/web"];
    let mut first = shop.process_with(&secure);
    let address = eventually("the line with the address", || {
        let log = first.log();
        Some(log.split_once("listening https=")?.1.split_whitespace().next()?.to_owned())
    });
    let url = format!("https://localhost:{}/", address.rsplit(':').next().unwrap());
    let start = |(mut program, mode): (Command, &'static str)| {
        program.arg(&url).arg(&authority).args([mode, SECONDS]).stdin(Stdio::null()).stdout(Stdio::piped());
        (program.spawn().unwrap(), mode)
    };
    let programs =
        [(httpx(), "pause"), (httpx(), "busy")].into_iter().chain(node().map(|node| (node, "pause")));
    let clients: Vec<(Child, &str)> = programs.map(start).collect();
    let all = |connections: &Value| connections.as_u64() == Some(clients.len() as u64);
    eventually("all clients", || all(&first.json("/state")["connections"]).then_some(()));
    let second = shop.process_with(&secure);
    has_handed_over(&first);
    // They are told while they ask, and leave.
    assert_eq!(first.exit_code(), 0, "{}", first.log());
    for (client, mode) in clients {
        let said = client.wait_with_output().unwrap();
        let said = String::from_utf8_lossy(&said.stdout).into_owned();
        let tally: Value = serde_json::from_str(&said).unwrap_or_else(|why| panic!("{mode}: {why}: {said}"));
        assert!(tally["requests"].as_u64().is_some_and(|requests| requests > 10), "{mode}: {tally}");
        assert_eq!(tally["lost"], 0, "{mode}: {tally}\n{}", second.log());
    }
}

/// Serves `localhost` with a certificate; returns the file with its authority.
fn certify(shop: &Shop) -> PathBuf {
    let mut params = CertificateParams::new(Vec::new()).unwrap();
    params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
    params.key_usages = vec![KeyUsagePurpose::KeyCertSign];
    // OpenSSL takes a certificate whose issuer has its own name as signed by itself.
    params.distinguished_name.push(DnType::CommonName, "authority");
    let key = KeyPair::generate().unwrap();
    let authority = shop.folder.beside("ca.crt");
    fs::write(&authority, params.self_signed(&key).unwrap().pem()).unwrap();
    let (issuer, key) = (Issuer::new(params, key), KeyPair::generate().unwrap());
    let mut params = CertificateParams::new(["localhost".to_owned()]).unwrap();
    params.use_authority_key_identifier_extension = true;
    let chain = params.signed_by(&key, &issuer).unwrap().pem();
    let secret = secret("name: web, namespace: shop", &chain, &key.serialize_pem());
    shop.folder.write("secret.yaml", &secret);
    shop.folder.write("local.yaml", &ingress("local", "localhost", "/", "web"));
    authority
}

fn sources() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../../benches/clients/programs")
}

/// Python's, with what `cargo xtask setup` has installed.
fn httpx() -> Command {
    let absolute = |name| std::env::var_os(name).map(PathBuf::from).filter(|path| path.is_absolute());
    let cache = absolute("XDG_CACHE_HOME").or_else(|| Some(absolute("HOME")?.join(".cache")));
    let library = cache.expect("a folder for caches").join("sluicegate/clients/python");
    assert!(library.join("httpx").is_dir(), "httpx is not in {}: `cargo xtask setup`", library.display());
    let mut python = Command::new("python3");
    python.env("PYTHONPATH", library).arg(sources().join("python/main.py")).arg("httpx");
    python
}

/// Node's own, if it is here.
fn node() -> Option<Command> {
    if !Command::new("node")
        .arg("--version")
        .stdout(Stdio::null())
        .status()
        .is_ok_and(|status| status.success())
    {
        eprintln!("not run: node is not here");
        return None;
    }
    let mut node = Command::new("node");
    node.arg(sources().join("node/main.mjs")).arg("http2");
    Some(node)
}
