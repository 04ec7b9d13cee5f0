//! The listening sockets: taken over from a predecessor where it has them, else new ones.

use std::io;
use std::net::{SocketAddr, TcpListener};
use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use anyhow::Context;
use lifecycle::handover::{self, GivenUp, Offer, Offers, Received};
use socket2::{Domain, Protocol, Socket, Type};
use tokio::time::{Instant, sleep};

use super::{low_ports, ports};
use crate::config::Config;

/// Connections that may wait to be accepted: a burst, and all that come before the first table is published. The
/// kernel's `net.core.somaxconn` may hold it lower.
const BACKLOG: i32 = 4096;
/// How long an address may be taken while no process answers at the handover path: a predecessor whose socket file was
/// removed has it back within a second.
const PREDECESSOR_WAIT: Duration = Duration::from_secs(5);
/// Between two looks for the predecessor.
const PREDECESSOR_PAUSE: Duration = Duration::from_millis(100);

const HTTP: &str = "http";
const HTTPS: &str = "https";
const ADMIN: &str = "admin";
const HEALTH: &str = "health";

/// All listening sockets of the process. The code that accepts on one owns it: only what is still open is handed over.
pub(super) struct Listeners {
    pub(super) http: Vec<BoundSocket>,
    pub(super) https: Vec<BoundSocket>,
    pub(super) admin: BoundSocket,
    pub(super) health: Option<BoundSocket>,
    /// Those of the predecessor's TCP services, of which it is not known yet whether they are ours.
    pub(super) inherited: Vec<(SocketAddr, TcpListener)>,
    /// What a successor may have.
    pub(super) offers: Offers,
    pub(super) predecessor: Option<Received>,
}

/// A listening socket, for clients or for the pages about the process.
pub(super) struct BoundSocket {
    pub(super) listener: Arc<TcpListener>,
    /// Whether it is to be closed, because a successor does not serve it.
    pub(super) given_up: GivenUp,
    /// Whether the predecessor answers there until it is released.
    pub(super) is_answered: bool,
}

/// Takes and binds all sockets.
///
/// # Errors
/// Names the address that cannot be had, and why; or what is wrong with the handover.
pub(super) async fn listeners(config: &Config) -> anyhow::Result<Listeners> {
    let Some(path) = &config.handover else { return Sockets::default().all(config) };
    let deadline = Instant::now() + PREDECESSOR_WAIT;
    loop {
        let received = handover::connect(path).await.context("cannot take over by --handover")?;
        let alone = received.is_none();
        match Sockets::of(received).all(config) {
            Err(error) if alone && is_taken(&error) && Instant::now() < deadline => {
                tracing::debug!("{error:#}, and no process answers at {}; trying again", path.display());
                sleep(PREDECESSOR_PAUSE).await;
            }
            listeners => return listeners.with_context(|| hint(path, alone)),
        }
    }
}

fn hint(path: &Path, alone: bool) -> String {
    let there = if alone { "no process hands over" } else { "the process that hands over does not have it" };
    format!("{there} at {}", path.display())
}

fn is_taken(error: &anyhow::Error) -> bool {
    error.downcast_ref::<io::Error>().is_some_and(|error| error.kind() == io::ErrorKind::AddrInUse)
}

/// Collects the listening sockets: those of the predecessor, and what is to be offered to a successor.
#[derive(Default)]
struct Sockets {
    received: Option<Received>,
    offers: Offers,
}

impl Sockets {
    fn of(received: Option<Received>) -> Sockets {
        Sockets { received, offers: Offers::default() }
    }

    fn all(mut self, config: &Config) -> anyhow::Result<Listeners> {
        let http = self.several(HTTP, &config.http)?;
        let https = self.several(HTTPS, &config.https)?;
        let admin = self.one(ADMIN, config.admin)?;
        let health = config.health.map(|address| self.one(HEALTH, address)).transpose()?;
        let mut inherited = Vec::new();
        if let Some(received) = &mut self.received {
            if config.controller.settings.tcp_services.is_some() {
                inherited = received.take_all(ports::ROLE);
            }
            let rest = received.close_rest();
            tracing::info!(not_configured_here = rest.join(","), "took over from process {}", received.pid());
        }
        let (offers, predecessor) = (self.offers, self.received);
        Ok(Listeners { http, https, admin, health, inherited, offers, predecessor })
    }

    fn several(&mut self, role: &'static str, addresses: &[SocketAddr]) -> anyhow::Result<Vec<BoundSocket>> {
        addresses.iter().map(|address| self.one(role, *address)).collect()
    }

    /// The socket for a configured address: the predecessor's, or a new one.
    fn one(&mut self, role: &'static str, configured: SocketAddr) -> anyhow::Result<BoundSocket> {
        let taken = self.received.as_mut().and_then(|received| received.take(role, configured));
        let is_answered = taken.is_some();
        let listener = Arc::new(match taken {
            Some(listener) => listener,
            None => bind(configured).with_context(|| {
                format!(
                    "cannot listen on {configured}; name another address with --{role}, or allow this one"
                )
            })?,
        });
        let socket = BoundSocket { listener, given_up: GivenUp::default(), is_answered };
        let (listener, given_up) = (Arc::downgrade(&socket.listener), socket.given_up.clone());
        self.offers.add(Offer { role, configured, listener, given_up });
        Ok(socket)
    }
}

/// A new socket, in whose queue clients wait from here on.
///
/// # Errors
/// The system's.
pub(super) fn bind(address: SocketAddr) -> io::Result<TcpListener> {
    let socket = Socket::new(Domain::for_address(address), Type::STREAM, Some(Protocol::TCP))?;
    // A restarted process must not wait until the kernel has forgotten the connections of the last one (TIME_WAIT).
    socket.set_reuse_address(true)?;
    if address.is_ipv6() {
        // Else `[::]:80` and `0.0.0.0:80` exclude each other.
        socket.set_only_v6(true)?;
    }
    socket.set_nonblocking(true)?;
    low_ports::allow();
    socket.bind(&address.into())?;
    socket.listen(BACKLOG)?;
    Ok(socket.into())
}

#[cfg(test)]
mod tests {
    use std::path::PathBuf;

    use controller::Source;
    use lifecycle::handover::{Owner, Successor};
    use tokio::task::JoinHandle;

    use super::*;
    use crate::config::{Leave, Protocols};

    fn config(http: &[SocketAddr], handover: Option<PathBuf>) -> Config {
        let source = Source::Folder(PathBuf::new());
        Config {
            http: http.to_vec(),
            https: Vec::new(),
            protocols: Protocols::default(),
            admin: "127.0.0.1:0".parse().unwrap(),
            health: None,
            control: None,
            handover,
            leave: Leave::default(),
            program: None,
            #[cfg(feature = "aws")]
            dns: None,
            #[cfg(feature = "aws")]
            frontend: None,
            memory_max: None,
            controller: controller::ControllerConfig::new(source, compile::Settings::default()),
            proxy: proxy::Config::default(),
        }
    }

    fn offers(listeners: &[&Arc<TcpListener>]) -> Vec<Offer> {
        let offer = |it: &&Arc<TcpListener>| Offer {
            role: HTTP,
            configured: it.local_addr().unwrap(),
            listener: Arc::downgrade(it),
            given_up: GivenUp::default(),
        };
        listeners.iter().map(offer).collect()
    }

    fn hand(mut owner: Owner) -> JoinHandle<Successor> {
        tokio::spawn(async move { owner.handed_over().await })
    }

    #[tokio::test]
    async fn a_taken_address_is_waited_for_until_its_owner_has_made_its_path_anew() {
        let folder = tempfile::tempdir().unwrap();
        let (path, owned) = (folder.path().join("handover"), bind("127.0.0.1:0".parse().unwrap()).unwrap());
        let owned = Arc::new(owned);
        let address = owned.local_addr().unwrap();
        let config = config(&[address], Some(path.clone()));
        let taking = tokio::spawn(async move { listeners(&config).await });
        // By then it has found the address taken, or has not tried yet: both must end well.
        sleep(2 * PREDECESSOR_PAUSE).await;
        assert!(!taking.is_finished());
        let handing = hand(Owner::claim(path, offers(&[&owned])).unwrap());
        let taken = taking.await.unwrap().unwrap();
        assert_eq!(taken.http[0].listener.local_addr().unwrap(), address);
        assert!(!taken.admin.is_answered, "the admin socket is its own");
        handing.abort();
    }

    #[tokio::test]
    async fn what_is_configured_anew_is_bound_and_what_no_longer_is_closed() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("handover");
        let any = "127.0.0.1:0".parse().unwrap();
        let (kept, given_up) = (Arc::new(bind(any).unwrap()), Arc::new(bind(any).unwrap()));
        let (kept_at, given_up_at) = (kept.local_addr().unwrap(), given_up.local_addr().unwrap());
        let handing = hand(Owner::claim(path.clone(), offers(&[&kept, &given_up])).unwrap());
        let taken = listeners(&config(&[any, kept_at], Some(path))).await.unwrap();
        let addresses: Vec<_> = taken.http.iter().map(|it| it.listener.local_addr().unwrap()).collect();
        assert!(addresses[0] != kept_at && addresses[0] != given_up_at && addresses[1] == kept_at);
        drop((kept, given_up));
        assert!(std::net::TcpStream::connect(kept_at).is_ok(), "the successor has it");
        assert!(std::net::TcpStream::connect(given_up_at).is_err(), "it is closed");
        handing.abort();
    }

    #[tokio::test]
    async fn a_taken_address_without_a_handover_is_told_at_once() {
        let owned = bind("127.0.0.1:0".parse().unwrap()).unwrap();
        let error = listeners(&config(&[owned.local_addr().unwrap()], None)).await.map(drop).unwrap_err();
        assert!(format!("{error:#}").contains("--http"), "{error:#}");
    }
}
