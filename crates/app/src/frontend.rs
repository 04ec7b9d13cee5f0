//! `sluicegate frontend`: what AWS says of this node, for people and for programs; also what `/state` shows of it.

mod show;

use admin::{LoadBalancers, Registration};
use anyhow::Context;
use aws::frontend::{Health, Place, State, Status, status};

use crate::cli::{Format, FrontendCommand, StatusArgs};
use crate::run::on_control_runtime;
use crate::{FAILED, USAGE};

/// Exit codes: 0 in service at all that are ours, 1 not, or AWS cannot be asked, 2 the flags cannot be used.
pub(crate) fn run(command: &FrontendCommand) -> u8 {
    let FrontendCommand::Status(args) = command;
    let settings = match args.settings() {
        Ok(settings) => settings,
        Err(error) => {
            eprintln!("error: {error}");
            return USAGE;
        }
    };
    let asked = on_control_runtime(async { status(&settings).await.context("AWS cannot be asked") });
    match asked {
        Ok(found) => tell(args, &found),
        Err(error) => {
            eprintln!("error: {error:#}");
            FAILED
        }
    }
}

fn tell(args: &StatusArgs, found: &Status) -> u8 {
    match args.format {
        Format::Text => print!("{}", show::text(found)),
        Format::Json => println!("{:#}", show::json(found)),
    }
    let in_service = |(_, health): &(Place, Result<Health, _>)| matches!(health, Ok(Health::InService));
    if !found.places.is_empty() && found.places.iter().all(in_service) { 0 } else { FAILED }
}

/// What `/state` shows.
pub(crate) fn shown(state: &State) -> LoadBalancers {
    let found = state.places.iter().map(|one| Registration {
        since: Some(one.since_rfc3339()),
        error: one.fault.clone(),
        ..registration(&one.place, &one.health)
    });
    LoadBalancers { found: found.collect(), error: state.fault.clone(), notes: state.notes.clone() }
}

fn registration(place: &Place, health: &Health) -> Registration {
    Registration {
        kind: place.kind.as_str(),
        name: place.name.clone(),
        id: place.at.id().to_owned(),
        scheme: place.scheme.map(|scheme| scheme.as_str()),
        state: health.as_str(),
        reason: health.reason().to_owned(),
        since: None,
        drain_seconds: place.drain_time.map(|time| time.as_secs()),
        error: None,
    }
}
