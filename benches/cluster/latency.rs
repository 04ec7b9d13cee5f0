//! How soon a lone change of endpoints is served.

use std::time::{Duration, Instant};

use anyhow::Result;
use control_plane::{ControlPlane, own_address};

use crate::api::Api;
use crate::figures::percentiles;
use crate::gate::Gate;
use crate::probe::{Probe, upstream};

/// Between two changes: longer than a burst, so that each comes alone.
const PAUSE: Duration = Duration::from_millis(30);

pub(crate) async fn run(plane: &ControlPlane, api: &Api, changes: usize) -> Result<()> {
    let upstreams = [('a', upstream(own_address()?, 'a')?), ('b', upstream(own_address()?, 'b')?)];
    api.create("probe", "probe.example", &[upstreams[0].1]).await?;
    let gate = Gate::start(plane.kubeconfig())?;
    let probe = Probe::start(gate.http, "probe.example");
    probe.answers('a').await?;
    let (mut of_accepted, mut of_sent) = (Vec::new(), Vec::new());
    for change in 1..=changes {
        let (name, address) = upstreams[change % 2];
        let sent = Instant::now();
        api.change("probe", &[address]).await?;
        let accepted = Instant::now();
        // The watch may well be faster than the answer to the change.
        let served = probe.answers(name).await?;
        of_accepted.push(served.saturating_duration_since(accepted));
        of_sent.push(served.saturating_duration_since(sent));
        tokio::time::sleep(PAUSE).await;
    }
    let requests = probe.end()?;
    println!("lone endpoint changes, until the first request served by them:");
    println!("  from accepted: {}", percentiles(of_accepted));
    println!("  from sent:     {}", percentiles(of_sent));
    println!("  {requests} requests meanwhile, none failed");
    Ok(())
}
