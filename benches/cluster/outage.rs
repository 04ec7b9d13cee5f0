//! The API server away for long, under load, while the pods behind a Service come and go.

use std::time::{Duration, Instant};

use anyhow::Result;
use control_plane::{ControlPlane, own_address};

use crate::api::Api;
use crate::gate::Gate;
use crate::probe::{Probe, upstream};

pub(crate) async fn run(plane: &ControlPlane, api: &Api, time: Duration) -> Result<()> {
    let (alive, next) = (upstream(own_address()?, 'a')?, upstream(own_address()?, 'b')?);
    // A pod that is gone, and no object says so: each request that meets it has to be tried at the other one.
    let gone = std::net::TcpListener::bind((own_address()?, 0))?.local_addr()?;
    api.create("outage", "outage.example", &[alive]).await?;
    api.add_slice("outage", "outage-2", &[gone]).await?;
    let gate = Gate::start(plane.kubeconfig())?;
    let probe = Probe::start(gate.http, "outage.example");
    probe.answers('a').await?;
    plane.apiserver().kill()?;
    println!("the API server is away for {time:?}, under load, and every other endpoint with it");
    tokio::time::sleep(time).await;
    plane.apiserver().start()?;
    api.change("outage", &[next]).await?;
    let accepted = Instant::now();
    let served = probe.answers('b').await?;
    println!(
        "  the first change after its return was served after {:.0?}",
        served.saturating_duration_since(accepted)
    );
    println!("  {} requests in all, none failed", probe.end()?);
    Ok(())
}
