//! Keeps the index of Kubernetes objects, compiles it, publishes what comes of it, and reports what is wrong with it.
//!
//! ```text
//! manifests ─► index ─► compile::compile ─► publish ─► Published<RouteTable>, Published<Vec<Problem>>
//!   folder      ▲
//!               └── external_name: DNS answers
//! ```
//!
//! Owns: the folder of manifests and what is still half written in it, the index of the last known objects, the names
//! that must be resolved, when a change becomes live, and the log of problems.
//! Never: request types, or a decision about routes; that is [`compile`]'s.
//! Start at [`run`] in `control.rs`; [`read_once`] is the same without watching.

mod control;
mod external_name;
mod index;
mod manifests;
mod publish;
pub mod reasons;

pub use control::{Config, Error, run};
pub use manifests::ReadError;
pub use publish::Live;

use std::path::Path;

use compile::{Compiled, Settings};

/// One pass over a folder, without watching and without DNS: for `check` and `explain`. The problems are those of the
/// files and of the objects, sorted, each with its file.
///
/// # Errors
/// If the folder itself cannot be listed.
pub fn read_once(dir: &Path, settings: &Settings) -> Result<Compiled, ReadError> {
    let mut index = index::Index::default();
    let mut manifests = manifests::Manifests::read(dir.to_owned())?;
    manifests.feed(&mut index);
    let mut compiled = compile::compile(index.objects(), settings, 1);
    compiled.problems =
        publish::merge(manifests.problems(), &compiled.problems, &index).into_iter().collect();
    Ok(compiled)
}
