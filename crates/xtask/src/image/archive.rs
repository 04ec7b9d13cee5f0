//! The archive: a layer with one file, what is to be run of it, and the list of both.

use anyhow::Result;
use serde_json::json;
use sha2::{Digest, Sha256};
use tar::{Builder, EntryType, Header};

/// A user without a name or rights, as in other images without a shell.
const USER: u32 = 65532;

/// `cap_net_bind_service=+p` as the kernel stores it (capability.h, revision 2): the revision, what is permitted, what is
/// inheritable, and the upper halves of both.
const MAY_BIND_LOW_PORTS: [u8; 20] = {
    const REVISION_2: [u8; 4] = 0x0200_0000_u32.to_le_bytes();
    const NET_BIND_SERVICE: [u8; 4] = (1_u32 << 10).to_le_bytes();
    let mut value = [0; 20];
    let mut at = 0;
    while at < 4 {
        value[at] = REVISION_2[at];
        value[4 + at] = NET_BIND_SERVICE[at];
        at += 1;
    }
    value
};

/// An image, ready to be written.
pub(super) struct Image {
    /// What it is called by its content.
    pub(super) id: String,
    pub(super) archive: Vec<u8>,
}

impl Image {
    /// An image that runs this program.
    pub(super) fn new(tag: &str, program: &[u8]) -> Result<Image> {
        let layer = layer(program)?;
        let config = serde_json::to_vec(&json!({
            "architecture": architecture(),
            "os": "linux",
            "config": {
                "User": USER.to_string(),
                "Entrypoint": ["/sluicegate"],
                "Cmd": ["run"],
                "WorkingDir": "/",
                "Labels": { "org.opencontainers.image.licenses": "Apache-2.0" },
            },
            "rootfs": { "type": "layers", "diff_ids": [format!("sha256:{}", digest(&layer))] },
            "history": [{ "created_by": "cargo xtask image" }],
        }))?;
        let (id, layer_name) = (digest(&config), format!("{}/layer.tar", digest(&layer)));
        let config_name = format!("{id}.json");
        let manifest = json!([{ "Config": config_name, "RepoTags": [tag], "Layers": [layer_name] }]);
        let mut archive = Builder::new(Vec::new());
        file(&mut archive, &config_name, 0o644, &config)?;
        file(&mut archive, &layer_name, 0o644, &layer)?;
        file(&mut archive, "manifest.json", 0o644, &serde_json::to_vec(&manifest)?)?;
        Ok(Image { id: format!("sha256:{id}"), archive: archive.into_inner()? })
    }
}

/// Folders to mount on, and the program with its capability.
fn layer(program: &[u8]) -> Result<Vec<u8>> {
    let mut layer = Builder::new(Vec::new());
    for folder in ["run/", "run/sluicegate/", "tmp/"] {
        let mut header = header(0, if folder == "tmp/" { 0o1777 } else { 0o755 });
        header.set_entry_type(EntryType::Directory);
        layer.append_data(&mut header, folder, &[][..])?;
    }
    layer.append_pax_extensions([("SCHILY.xattr.security.capability", &MAY_BIND_LOW_PORTS[..])])?;
    file(&mut layer, "sluicegate", 0o755, program)?;
    Ok(layer.into_inner()?)
}

fn file(archive: &mut Builder<Vec<u8>>, name: &str, mode: u32, bytes: &[u8]) -> Result<()> {
    Ok(archive.append_data(&mut header(bytes.len(), mode), name, bytes)?)
}

/// Everything is root's, and of no time.
fn header(length: usize, mode: u32) -> Header {
    let mut header = Header::new_ustar();
    header.set_size(length as u64);
    header.set_mode(mode);
    header.set_mtime(0);
    header.set_uid(0);
    header.set_gid(0);
    header
}

fn digest(bytes: &[u8]) -> String {
    Sha256::digest(bytes).iter().map(|byte| format!("{byte:02x}")).collect()
}

/// As container images call it.
fn architecture() -> &'static str {
    match std::env::consts::ARCH {
        "x86_64" => "amd64",
        "aarch64" => "arm64",
        other => other,
    }
}

#[cfg(test)]
mod tests {
    use std::io::Read;

    use super::*;

    #[test]
    fn the_same_program_gives_the_same_image_and_its_layer_has_the_capability() {
        let (image, again) = (Image::new("x:1", b"program").unwrap(), Image::new("x:1", b"program").unwrap());
        assert!(image.archive == again.archive && image.id == again.id);
        let mut archive = tar::Archive::new(&image.archive[..]);
        let mut layer = Vec::new();
        for entry in archive.entries().unwrap() {
            let mut entry = entry.unwrap();
            if entry.path().unwrap().ends_with("layer.tar") {
                entry.read_to_end(&mut layer).unwrap();
            }
        }
        let mut layer = tar::Archive::new(&layer[..]);
        let mut entries = layer.entries().unwrap().map(Result::unwrap);
        let mut program =
            entries.find(|entry| entry.path().unwrap().ends_with("sluicegate") && entry.size() > 0).unwrap();
        assert_eq!(program.header().mode().unwrap(), 0o755);
        let extensions = program.pax_extensions().unwrap().expect("extensions");
        let values: Vec<Vec<u8>> = extensions.map(|it| it.unwrap().value_bytes().to_vec()).collect();
        assert_eq!(values, [MAY_BIND_LOW_PORTS.to_vec()]);
    }
}
