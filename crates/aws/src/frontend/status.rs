//! What AWS says now, asked once and from anywhere: nothing is changed.

use super::discover::discover;
use super::fault::Fault;
use super::identity::Needs;
use super::{Calls, Health, Identity, Place, Selector, Settings};
use crate::sdk;
use crate::target::Frontends;

/// What was found.
#[derive(Clone, Debug)]
pub struct Status {
    /// The region that was asked.
    pub region: String,
    /// What is known of this instance.
    pub identity: Identity,
    /// Each place, and what AWS says of this instance there.
    pub places: Vec<(Place, Result<Health, Fault>)>,
    /// Where DNS leads.
    pub frontends: Frontends,
    /// What is not as it should be.
    pub notes: Vec<String>,
}

/// Asks AWS which load balancers are ours and how this instance is registered there.
///
/// # Errors
/// If AWS cannot be asked. That this instance does not know itself is a note.
pub async fn status(settings: &Settings) -> Result<Status, Fault> {
    let calls = Calls::new(&sdk::load(&settings.sdk).await)?;
    let found = discover(&calls, &settings.selector).await?;
    let mut notes = found.notes;
    let needs = Needs::of(found.places.iter());
    let identity = match Identity::find(&settings.identity, needs).await {
        Ok(identity) => identity,
        Err(fault) => {
            notes.push(fault.to_string());
            Identity {
                instance_id: settings.identity.instance_id.clone(),
                address: settings.identity.address,
            }
        }
    };
    let mut places = Vec::new();
    for place in found.places {
        let health = match place.registers(&identity) {
            Some(id) => calls.look(&place, &super::calls::Registered { id, port: settings.port }).await,
            None => Ok(Health::Unknown("what this instance is is not known".into())),
        };
        places.push((place, health));
    }
    Ok(Status { region: calls.region.clone(), identity, places, frontends: found.frontends, notes })
}

/// Asks AWS only to which load balancers DNS leads.
///
/// # Errors
/// If AWS cannot be asked.
pub async fn frontends(sdk: &sdk::Settings, selector: &Selector) -> Result<Frontends, Fault> {
    let calls = Calls::new(&sdk::load(sdk).await)?;
    Ok(discover(&calls, selector).await?.frontends)
}
