//! The users that may speak to the API server, and the kubeconfigs that say so.

use std::fs;
use std::io::{self, Read};
use std::path::Path;

use crate::Error;

/// The token of the one user that every authorizer lets do anything.
pub(crate) struct Credentials {
    token: String,
}

impl Credentials {
    /// A token of 128 random bits: other users of the machine can reach the port.
    pub(crate) fn random() -> Result<Self, Error> {
        let mut bytes = [0; 16];
        let read = fs::File::open("/dev/urandom").and_then(|mut random| random.read_exact(&mut bytes));
        read.map_err(Error::io("read /dev/urandom"))?;
        Ok(Self { token: format!("{:032x}", u128::from_ne_bytes(bytes)) })
    }

    pub(crate) fn token(&self) -> &str {
        &self.token
    }

    /// What `--token-auth-file` wants: token, name, id, groups.
    pub(crate) fn write_token_file(&self, path: &Path) -> Result<(), Error> {
        write(path, &format!("{},admin,admin,\"system:masters\"\n", self.token))
    }
}

/// A kubeconfig with one user; `user` is a line such as `token: …` or `tokenFile: …`.
pub(crate) fn kubeconfig(server: &str, ca: &Path, user: &str) -> String {
    let ca = ca.display();
    format!(
        "apiVersion: v1\nkind: Config\ncurrent-context: test\n\
         clusters:\n- name: test\n  cluster:\n    server: {server}\n    certificate-authority: {ca}\n\
         users:\n- name: test\n  user:\n    {user}\n\
         contexts:\n- name: test\n  context:\n    cluster: test\n    user: test\n"
    )
}

/// The certificate of the CA: the last one of the chain that the API server has made for itself.
pub(crate) fn ca(chain: &Path) -> Result<String, Error> {
    let text = read(chain)?;
    let start =
        text.rfind("-----BEGIN CERTIFICATE-----").ok_or_else(|| io::Error::other("it has no certificate"));
    Ok(text[start.map_err(Error::io(format!("use {}", chain.display())))?..].to_owned())
}

pub(crate) fn read(path: &Path) -> Result<String, Error> {
    fs::read_to_string(path).map_err(Error::io(format!("read {}", path.display())))
}

pub(crate) fn write(path: &Path, text: &str) -> Result<(), Error> {
    fs::write(path, text).map_err(Error::io(format!("write {}", path.display())))
}
