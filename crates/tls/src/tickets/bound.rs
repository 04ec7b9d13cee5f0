//! Tickets that are bound to what was demanded of the client, beside its name.

use rustls::server::ProducesTickets;

use super::Tickets;
use crate::client_ca::DIGEST_BYTES;

/// What the sealed text begins with where a certificate was asked for; a session itself begins with 0 or 1.
const ASKED: u8 = 0xff;

/// Tickets of sessions in which this was demanded. Others open none: a client that was not asked once would never be, and
/// one that is asked elsewhere would be believed here.
#[derive(Debug)]
pub(crate) struct Bound {
    tickets: Tickets,
    /// The CA bundle of the certificate that was asked for; `None` where none was.
    demanded: Option<[u8; DIGEST_BYTES]>,
}

impl Bound {
    /// Of sessions in which a certificate of this bundle was asked for.
    pub(crate) fn to(demanded: [u8; DIGEST_BYTES], tickets: &Tickets) -> Bound {
        Bound { tickets: tickets.clone(), demanded: Some(demanded) }
    }

    /// Of sessions in which none was.
    pub(crate) fn to_nothing(tickets: &Tickets) -> Bound {
        Bound { tickets: tickets.clone(), demanded: None }
    }
}

impl ProducesTickets for Bound {
    fn enabled(&self) -> bool {
        self.tickets.enabled()
    }

    fn lifetime(&self) -> u32 {
        self.tickets.lifetime()
    }

    fn encrypt(&self, session: &[u8]) -> Option<Vec<u8>> {
        match &self.demanded {
            Some(demanded) => self.tickets.encrypt(&[&[ASKED], &demanded[..], session].concat()),
            None => self.tickets.encrypt(session),
        }
    }

    fn decrypt(&self, ticket: &[u8]) -> Option<Vec<u8>> {
        let mut opened = self.tickets.decrypt(ticket)?;
        match &self.demanded {
            Some(demanded) => {
                let session = opened.strip_prefix(&[ASKED])?.strip_prefix(demanded)?;
                Some(opened.split_off(opened.len() - session.len()))
            }
            None => (opened.first() != Some(&ASKED)).then_some(opened),
        }
    }
}
