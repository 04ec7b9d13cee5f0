//! The one image that pods of tests run: the program in `pod/`, static and alone, as an archive that containerd imports.

use std::fs;
use std::path::Path;
use std::process::Command;

use control_plane::{Error, Failed, Recipe};

use crate::programs::run;

/// What pods of tests say as their image, with `imagePullPolicy: Never`; its command is `/pod`.
pub const POD_IMAGE: &str = "sluicegate.test/pod:1";

/// The file that is imported.
pub(crate) const ARCHIVE: &str = "pod.tar";

pub(crate) const RECIPE: Recipe =
    Recipe { name: "pod-image", sources: &[include_str!("../pod/main.rs"), POD_IMAGE], files: &[ARCHIVE] };

/// Three files make such an archive: a layer with the program, a config that knows the layer by its hash, and a manifest.
pub(crate) fn build_into(folder: &Path) -> Result<(), Failed> {
    let program = folder.join("pod");
    let source = Path::new(env!("CARGO_MANIFEST_DIR")).join("pod/main.rs");
    let mut rustc = Command::new("rustc");
    rustc.args(["--edition=2024", "-Copt-level=2", "-Cpanic=abort", "-Cstrip=symbols"]);
    // A container has no libc that could be loaded.
    rustc.arg("-Ctarget-feature=+crt-static").arg(source).arg("-o").arg(program);
    run(rustc)?;
    pack(folder, "layer.tar", &["pod"])?;
    let config = format!(
        r#"{{"architecture":"{}","os":"linux","config":{{"Entrypoint":["/pod"]}},"rootfs":{{"type":"layers","diff_ids":["sha256:{}"]}}}}"#,
        architecture(),
        sha256(&folder.join("layer.tar"))?
    );
    let manifest =
        format!(r#"[{{"Config":"config.json","RepoTags":["{POD_IMAGE}"],"Layers":["layer.tar"]}}]"#);
    for (name, text) in [("config.json", config), ("manifest.json", manifest)] {
        fs::write(folder.join(name), text).map_err(Error::io(format!("write {name}")))?;
    }
    pack(folder, ARCHIVE, &["config.json", "manifest.json", "layer.tar"])
}

fn pack(folder: &Path, archive: &str, files: &[&str]) -> Result<(), Failed> {
    let mut tar = Command::new("tar");
    tar.args(["--owner=0", "--group=0", "-cf", archive]).args(files).current_dir(folder);
    run(tar)
}

fn sha256(file: &Path) -> Result<String, Failed> {
    let output = Command::new("sha256sum").arg(file).output().map_err(Error::io("start `sha256sum`"))?;
    let text = String::from_utf8_lossy(&output.stdout);
    let hash = text.split(' ').next().filter(|hash| hash.len() == 64);
    Ok(hash.ok_or_else(|| Failed::Command(format!("sha256sum {}", file.display())))?.to_owned())
}

/// As images name it.
fn architecture() -> &'static str {
    match std::env::consts::ARCH {
        "x86_64" => "amd64",
        "aarch64" => "arm64",
        other => other,
    }
}
