//! What is counted without a socket, in a process of its own under callgrind: the way to a route, and an edit of endpoints.

use std::collections::BTreeSet;
use std::hint::black_box;
use std::path::Path;

use anyhow::{Result, ensure};
use clap::ValueEnum;
use compile::{Compiled, Objects, Settings, compile};
use model::{Get, Published, RequestHost, RequestPath};

use crate::callgrind;
use crate::shops;

/// Ingresses of one rule.
const SHOPS: usize = 500;
const PATHS: [&str; 5] = ["/", "/api", "/api/v1/orders", "/static", "/admin"];
const ENDPOINTS: usize = 10;

/// What the process does.
#[derive(Clone, Copy, Debug, ValueEnum)]
pub(crate) enum Work {
    /// Parses host and path of a request, and finds its route.
    Find,
    /// Takes an endpoint out, or puts it in again, and publishes the table.
    Publish,
}

impl Work {
    /// Does it so often in a process of its own, which leaves the counts in `folder`.
    pub(crate) fn count(self, folder: &Path, times: u32) -> Result<()> {
        let mut command = callgrind::command(&std::env::current_exe()?, folder)?;
        let name = self.to_possible_value().expect("each has a name");
        let status = command.args(["table", name.get_name(), &times.to_string()]).status()?;
        ensure!(status.success(), "{self:?} under callgrind failed: {status}");
        Ok(())
    }

    /// Does it so often, here.
    pub(crate) fn run(self, times: u32) {
        let objects = shops::objects(SHOPS, &PATHS, ENDPOINTS);
        let compiled = compile(&objects, &Settings::default(), 1);
        match self {
            Work::Find => find(&compiled, times as usize),
            Work::Publish => publish(compiled, objects, times),
        }
    }
}

fn find(compiled: &Compiled, times: usize) {
    let requests: Vec<(String, String)> = (0..SHOPS * PATHS.len())
        .map(|at| {
            let path = PATHS[at % PATHS.len()].trim_end_matches('/');
            (format!("{}.example.com", shops::name(at / PATHS.len())), format!("{path}/item/7"))
        })
        .collect();
    for (host, path) in requests.iter().cycle().take(times) {
        let host = RequestHost::parse(black_box(host)).expect("a host");
        let path = RequestPath::parse(black_box(path)).expect("a path");
        black_box(compiled.table.find(&Get { host: Some(&host), path: &path }).expect("a route"));
    }
}

fn publish(mut compiled: Compiled, mut objects: Objects, times: u32) {
    let (at, settings) = (SHOPS / 2, Settings::default());
    let key = shops::key(&shops::name(at));
    let services = BTreeSet::from([key.clone()]);
    let published = Published::new(compiled.table.clone());
    let slices = [1, 0].map(|less| shops::slice(at, ENDPOINTS - less));
    for (generation, slice) in (2..).zip(slices.iter().cycle()).take(times as usize) {
        objects.endpoint_slices.insert(key.clone(), slice.clone());
        assert!(compiled.update_backends(&objects, &settings, &services, generation));
        published.publish(compiled.table.clone());
    }
}
