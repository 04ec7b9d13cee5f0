//! What a real API server makes of the manifests that the tests of `manifests::secret` read.

#[path = "../src/manifests/secret/cases.rs"]
mod cases;

use std::collections::BTreeMap;

use cases::{Becomes, cases, manifest};
use control_plane::{Binaries, ControlPlane};
use k8s_openapi::ByteString;
use k8s_openapi::api::core::v1::Secret;
use serde_json::Deserializer;

#[test]
fn the_api_server_takes_and_refuses_what_the_folder_takes_and_refuses() {
    let binaries = Binaries::find().unwrap_or_else(|why| panic!("{why}"));
    let plane = ControlPlane::start(&binaries).unwrap_or_else(|why| panic!("{why}"));
    let (cases, file) = (cases(), tempfile::NamedTempFile::new().expect("a file"));
    let manifests = cases.iter().enumerate().map(|(at, (rest, _))| manifest(&format!("s-{at}"), rest));
    std::fs::write(file.path(), manifests.collect::<Vec<_>>().join("---\n")).expect("written");

    let mut kubectl = plane.kubectl();
    kubectl.args(["create", "--dry-run=server", "--validate=ignore", "--output=json", "--filename"]);
    // It goes on behind a Secret that is refused, and exits with an error for it.
    let output = kubectl.arg(file.path()).output().expect("kubectl runs");
    let said = String::from_utf8_lossy(&output.stderr);
    let taken = Deserializer::from_slice(&output.stdout).into_iter::<Secret>().map(|secret| {
        let secret = secret.expect("a Secret");
        (secret.metadata.name.expect("a name"), secret.data.unwrap_or_default())
    });
    let mut taken: BTreeMap<String, BTreeMap<String, ByteString>> = taken.collect();
    assert!(!taken.is_empty(), "{said}");
    for (at, (rest, becomes)) in cases.into_iter().enumerate() {
        let shown = &rest[..rest.len().min(80)];
        match (taken.remove(&format!("s-{at}")), becomes) {
            (Some(had), Becomes::Data(data)) => {
                let data = data.into_iter().map(|(key, text)| (key, ByteString(text.into_bytes()))).collect();
                assert_eq!(had, data, "{shown}");
            }
            (None, Becomes::Refused(_)) => {}
            (Some(had), Becomes::Refused(field)) => panic!("{shown}: {had:?}, and not refused for {field}"),
            (None, Becomes::Data(_)) => panic!("{shown}: refused\n{said}"),
        }
    }
}
