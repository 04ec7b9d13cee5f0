//! The ports of TCP services: opened with the table that has them, closed with the first one that has them not, at the
//! addresses of `--http`.
//!
//! A successor gets those of its predecessor before it has read which ones it needs: until then they are kept, and the
//! predecessor accepts. What that one has opened meanwhile is asked for again.

use std::collections::{BTreeMap, BTreeSet};
use std::convert::Infallible;
use std::io;
use std::net::{IpAddr, SocketAddr, TcpListener};
use std::sync::{Arc, Weak};
use std::time::Duration;

use compile::ObjectKey;
use lifecycle::handover::{GivenUp, Offer, Offers};
use lifecycle::{Phase, Watch};
use model::{ObjectRef, Problem, Published, RouteTable, Severity};
use proxy::{Listen, Listener, Protocol};
use tokio::sync::Notify;
use tokio::time::sleep;

use super::listen::bind;
use super::succession::Succession;

/// What these sockets are called in a handover.
pub(super) const ROLE: &str = "tcp";
/// Between two attempts to open what could not be opened: another program may close it, or a predecessor.
const RETRY_EVERY: Duration = Duration::from_millis(500);
/// The reason of the problem that is told of such a port. It is one of this process alone: on another node the port may be
/// free. So no Event tells of it.
const REASON: &str = "port-unavailable";

/// The ports that are open, and those that should be.
pub(super) struct Ports {
    /// Those of the predecessor, until it is known which are needed.
    inherited: Vec<(SocketAddr, TcpListener)>,
    addresses: Vec<IpAddr>,
    config_map: Option<ObjectKey>,
    offers: Offers,
    open: BTreeMap<SocketAddr, Open>,
    faults: BTreeMap<SocketAddr, io::Error>,
    problems: Published<Vec<Problem>>,
}

/// A socket on which a worker accepts, which owns it.
struct Open {
    listener: Weak<TcpListener>,
    given_up: GivenUp,
}

impl Open {
    fn is_there(&self) -> bool {
        !self.given_up.is_set() && self.listener.strong_count() > 0
    }
}

impl Ports {
    /// None is open yet.
    pub(super) fn new(
        http: &[SocketAddr],
        config_map: Option<ObjectKey>,
        inherited: Vec<(SocketAddr, TcpListener)>,
        offers: Offers,
        problems: Published<Vec<Problem>>,
    ) -> Ports {
        let addresses: BTreeSet<IpAddr> = http.iter().map(SocketAddr::ip).collect();
        let (open, faults) = (BTreeMap::new(), BTreeMap::new());
        let addresses = addresses.into_iter().collect();
        Ports { inherited, addresses, config_map, offers, open, faults, problems }
    }

    /// Opens those of the first table, before anything is accepted. The rest of what was inherited is closed: clients would wait
    /// in it.
    ///
    /// # Errors
    /// If the predecessor cannot be asked again.
    pub(super) async fn open_first(
        &mut self,
        table: &RouteTable,
        succession: &mut Succession,
    ) -> anyhow::Result<Vec<Listener>> {
        let mut listeners = self.follow(table);
        let is_taken = |error: &io::Error| error.kind() == io::ErrorKind::AddrInUse;
        if self.faults.values().any(is_taken) && !succession.is_alone() {
            self.inherited = succession.take_again(ROLE).await?;
            listeners.extend(self.follow(table));
        }
        let unused: Vec<SocketAddr> = self.inherited.drain(..).map(|(address, _)| address).collect();
        tell("not taken over, since no TCP service has it:", &unused);
        Ok(listeners)
    }

    /// Follows what is published, as long as the process lives. One that drains opens none, since a successor does.
    pub(super) async fn run(
        mut self,
        routes: Published<RouteTable>,
        mut drain: Watch,
        listen: Listen,
    ) -> Infallible {
        let published = Arc::new(Notify::new());
        let told = Arc::clone(&published);
        routes.subscribe(move || told.notify_one());
        loop {
            let phase = drain.phase();
            match phase {
                Phase::Serving | Phase::LameDuck => self.serve(&routes.load(), &listen),
                Phase::Draining | Phase::HandedOver => self.close_gone(&routes.load()),
                Phase::LetGo | Phase::Stopping => return std::future::pending().await,
            }
            let tries_again = !self.faults.is_empty();
            tokio::select! {
                () = published.notified() => {}
                () = drain.other_than(phase) => {}
                () = sleep(RETRY_EVERY), if tries_again => {}
            }
        }
    }

    fn serve(&mut self, table: &RouteTable, listen: &Listen) {
        for listener in self.follow(table) {
            if let Err(error) = listen.on(listener) {
                tracing::error!(%error, "a port cannot be served");
            }
        }
    }

    /// Closes what the table has not, opens what it has, and tells what cannot be opened.
    fn follow(&mut self, table: &RouteTable) -> Vec<Listener> {
        self.close_gone(table);
        let mut listeners = Vec::new();
        let (mut faults, addresses) = (BTreeMap::new(), self.addresses.clone());
        for service in table.tcp_services() {
            for address in addresses.iter().map(|address| SocketAddr::new(*address, service.port)) {
                if self.open.contains_key(&address) {
                    continue;
                }
                match self.open(address) {
                    Ok(listener) => listeners.push(listener),
                    Err(error) => drop(faults.insert(address, error)),
                }
            }
        }
        let opened: Vec<SocketAddr> = listeners.iter().filter_map(|it| it.socket.local_addr().ok()).collect();
        tell("listening", &opened);
        let is_news = !faults.keys().eq(self.faults.keys());
        self.faults = faults;
        if is_news {
            self.problems.publish(self.problems());
        }
        listeners
    }

    /// Closes what the table has not. It may be closed already, because another process has served that has it not.
    fn close_gone(&mut self, table: &RouteTable) {
        let (addresses, offers) = (&self.addresses, &self.offers);
        let mut closed = Vec::new();
        self.open.retain(|address, open| {
            let is_wanted = table.tcp_service(address.port()).is_some() && addresses.contains(&address.ip());
            let stays = is_wanted && open.is_there();
            if !stays {
                open.given_up.give_up();
                offers.remove(ROLE, *address);
                closed.push(*address);
            }
            stays
        });
        tell("closed, and its connections go on:", &closed);
    }

    /// The predecessor's socket, or a new one.
    fn open(&mut self, address: SocketAddr) -> io::Result<Listener> {
        let inherited = self.inherited.iter().position(|(configured, _)| *configured == address);
        let socket = match inherited {
            Some(place) => self.inherited.swap_remove(place).1,
            None => bind(address)?,
        };
        let (socket, given_up) = (Arc::new(socket), GivenUp::default());
        let listener = Arc::downgrade(&socket);
        let open = Open { listener: Weak::clone(&listener), given_up: given_up.clone() };
        self.open.insert(address, open);
        self.offers.add(Offer { role: ROLE, configured: address, listener, given_up: given_up.clone() });
        let protocol = Arc::new(Protocol { tcp_service: Some(address.port()), ..Protocol::default() });
        Ok(Listener { socket, protocol, given_up })
    }

    /// What cannot be opened.
    fn problems(&self) -> Vec<Problem> {
        let Some(ObjectKey { namespace, name }) = &self.config_map else { return Vec::new() };
        let problem = |(address, error): (&SocketAddr, &io::Error)| {
            let problem = Problem {
                object: ObjectRef::new("ConfigMap", namespace, name),
                field: format!("data[{}]", address.port()),
                severity: Severity::Error,
                reason: REASON,
                message: format!("this process cannot listen on {address} ({error})"),
                remedy: "choose another port, or end what has it; it is tried again".into(),
            };
            tracing::warn!("{problem}");
            problem
        };
        self.faults.iter().map(problem).collect()
    }
}

/// In one line, however many there are.
fn tell(what: &str, addresses: &[SocketAddr]) {
    if !addresses.is_empty() {
        let shown: Vec<String> = addresses.iter().map(SocketAddr::to_string).collect();
        tracing::info!("{what} {ROLE}={}", shown.join(","));
    }
}
