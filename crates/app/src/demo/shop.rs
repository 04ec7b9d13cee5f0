//! The shop of `deploy/examples/shop`, and what is changed in it: its manifests as files, and what they mean, worked out
//! independently of the code that the demo shows.

use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::{fs, io};

use super::upstreams::NAMES;

/// The manifests that never change.
const FIXED: [(&str, &str); 3] = [
    ("ingress-class.yaml", include_str!("../../../../deploy/examples/shop/ingress-class.yaml")),
    ("ingress.yaml", include_str!("../../../../deploy/examples/shop/ingress.yaml")),
    ("services.yaml", include_str!("../../../../deploy/examples/shop/services.yaml")),
];
/// The Ingresses that are added, removed and led to another Service.
const SALE: &str = include_str!("../../../../deploy/examples/shop/sale.yaml");
const CHECKOUT: &str = include_str!("../../../../deploy/examples/shop/checkout.yaml");

/// What the clients ask for: host and path. The place of each is its number everywhere in the demo.
pub(super) const URLS: [(&str, &str); 7] = [
    ("shop.example.com", "/"),
    ("shop.example.com", "/cart"),
    ("shop.example.com", "/cart/items?page=2"),
    ("shop.example.com", "/checkout"),
    ("sale.example.com", "/today"),
    ("de.example.com", "/"),
    ("somewhere.else", "/carts"),
];

/// A Service of the shop.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Service {
    Web,
    Cart,
}

impl Service {
    const ALL: [Service; 2] = [Service::Web, Service::Cart];

    fn as_str(self) -> &'static str {
        match self {
            Service::Web => "web",
            Service::Cart => "cart",
        }
    }
}

/// What an EndpointSlice says of an upstream.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Condition {
    Absent,
    NotReady,
    Terminating,
    Ready,
}

impl Condition {
    const ALL: [Condition; 4] =
        [Condition::Absent, Condition::NotReady, Condition::Terminating, Condition::Ready];

    fn as_str(self) -> &'static str {
        match self {
            Condition::Absent => "gone",
            Condition::NotReady => "not ready",
            Condition::Terminating => "terminating",
            Condition::Ready => "ready",
        }
    }
}

/// A set of upstreams, one bit for each.
pub(super) type UpstreamSet = u8;

/// What the manifests say.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct ShopState {
    /// By Service and upstream.
    endpoints: [[Condition; NAMES.len()]; Service::ALL.len()],
    /// Where `sale.example.com` leads, while it is there.
    sale: Option<Service>,
    /// Where `/checkout` leads, while it is there.
    checkout: Option<Service>,
}

impl ShopState {
    /// Which upstreams may answer a request for this one of [`URLS`].
    pub(super) fn allowed(&self, url: usize) -> UpstreamSet {
        let service = match URLS[url] {
            (_, "/checkout") => self.checkout.unwrap_or(Service::Web),
            ("sale.example.com", _) => self.sale.unwrap_or(Service::Web),
            ("shop.example.com", path) if path.starts_with("/cart") => Service::Cart,
            _ => Service::Web,
        };
        self.usable(service)
    }

    /// The ready endpoints; if there are none, those that terminate (KEP-1669).
    fn usable(&self, service: Service) -> UpstreamSet {
        let endpoints = &self.endpoints[service as usize];
        let set = |wanted| {
            (0..).zip(endpoints).filter(|(_, is)| **is == wanted).fold(0, |set, (at, _)| set | 1 << at)
        };
        match set(Condition::Ready) {
            0 => set(Condition::Terminating),
            ready => ready,
        }
    }

    /// One change at random, and what it is in words. Each Service always keeps a usable endpoint.
    fn changed(&self) -> (ShopState, Change) {
        loop {
            let mut next = self.clone();
            let change = match fastrand::u8(..10) {
                0 => Change::Sale(any_target(&mut next.sale)),
                1 => Change::Checkout(any_target(&mut next.checkout)),
                _ => {
                    let service = Service::ALL[fastrand::usize(..Service::ALL.len())];
                    let (at, to) = (fastrand::usize(..NAMES.len()), Condition::ALL[fastrand::usize(..4)]);
                    next.endpoints[service as usize][at] = to;
                    Change::Endpoint(service, at, to)
                }
            };
            if next != *self && Service::ALL.iter().all(|service| next.usable(*service) != 0) {
                return (next, change);
            }
        }
    }
}

fn any_target(target: &mut Option<Service>) -> Option<Service> {
    let all = [None, Some(Service::Web), Some(Service::Cart)];
    *target = all[fastrand::usize(..all.len())];
    *target
}

/// One edit.
#[derive(Clone, Copy, Debug)]
enum Change {
    Sale(Option<Service>),
    Checkout(Option<Service>),
    Endpoint(Service, usize, Condition),
}

impl Change {
    fn text(self) -> String {
        let target = |target: Option<Service>| target.map_or("nowhere of its own", Service::as_str);
        match self {
            Change::Sale(to) => format!("sale.example.com leads to {}", target(to)),
            Change::Checkout(to) => format!("/checkout leads to {}", target(to)),
            Change::Endpoint(service, at, to) => {
                format!("{} in {} is {}", NAMES[at], service.as_str(), to.as_str())
            }
        }
    }
}

/// The folder of manifests.
pub(super) struct Shop {
    manifests: PathBuf,
    /// Beside the manifests, where a file is written before it takes its place in one step.
    scratch: PathBuf,
    addresses: [SocketAddr; NAMES.len()],
    state: ShopState,
}

impl Shop {
    /// Writes all manifests into a folder below `root`.
    pub(super) fn open(root: &Path, addresses: [SocketAddr; NAMES.len()]) -> io::Result<Shop> {
        let (manifests, scratch) = (root.join("manifests"), root.join("scratch"));
        let state = ShopState {
            endpoints: [
                [Condition::Ready, Condition::Ready, Condition::Absent],
                [Condition::Absent, Condition::Absent, Condition::Ready],
            ],
            sale: Some(Service::Cart),
            checkout: Some(Service::Cart),
        };
        let shop = Shop { manifests, scratch, addresses, state };
        fs::create_dir(&shop.manifests)?;
        fs::create_dir(&shop.scratch)?;
        for (file, text) in FIXED {
            shop.replace(file, Some(text))?;
        }
        shop.apply(Change::Sale(shop.state.sale))?;
        shop.apply(Change::Checkout(shop.state.checkout))?;
        for service in Service::ALL {
            for (at, condition) in shop.state.endpoints[service as usize].into_iter().enumerate() {
                shop.apply(Change::Endpoint(service, at, condition))?;
            }
        }
        Ok(shop)
    }

    pub(super) fn manifests(&self) -> &Path {
        &self.manifests
    }

    /// The upstream at this address.
    pub(super) fn upstream(&self, address: SocketAddr) -> Option<usize> {
        self.addresses.iter().position(|known| *known == address)
    }

    /// What the manifests say now.
    pub(super) fn state(&self) -> &ShopState {
        &self.state
    }

    /// Changes something; `before` hears of the new state before any file changes. Returns the change in words.
    pub(super) fn change(&mut self, before: impl FnOnce(&ShopState)) -> io::Result<String> {
        let (next, change) = self.state.changed();
        before(&next);
        self.state = next;
        self.apply(change)?;
        Ok(change.text())
    }

    fn apply(&self, change: Change) -> io::Result<()> {
        let led = |text: &str, to: Service| text.replace("name: cart", &format!("name: {}", to.as_str()));
        match change {
            Change::Sale(to) => self.replace("sale.yaml", to.map(|to| led(SALE, to)).as_deref()),
            Change::Checkout(to) => self.replace("checkout.yaml", to.map(|to| led(CHECKOUT, to)).as_deref()),
            Change::Endpoint(service, at, to) => {
                let file = format!("endpoints-{}-{}.yaml", service.as_str(), NAMES[at]);
                self.replace(&file, slice(service, at, self.addresses[at], to).as_deref())
            }
        }
    }

    /// Puts a file in its place, or removes it, in one step, so that half a file is never read.
    fn replace(&self, file: &str, text: Option<&str>) -> io::Result<()> {
        let target = self.manifests.join(file);
        match text {
            Some(text) => {
                let new = self.scratch.join(file);
                fs::write(&new, text)?;
                fs::rename(new, target)
            }
            None => match fs::remove_file(target) {
                Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(()),
                removed => removed,
            },
        }
    }
}

fn slice(service: Service, at: usize, address: SocketAddr, condition: Condition) -> Option<String> {
    let (ready, serving, terminating) = match condition {
        Condition::Absent => return None,
        Condition::NotReady => (false, false, false),
        Condition::Terminating => (false, true, true),
        Condition::Ready => (true, true, false),
    };
    let (service, name, ip, port) = (service.as_str(), NAMES[at], address.ip(), address.port());
    Some(format!(
        r#"apiVersion: discovery.k8s.io/v1
kind: EndpointSlice
metadata:
  name: {service}-{name}
  namespace: shop
  labels:
    kubernetes.io/service-name: {service}
addressType: IPv4
ports:
  - name: http
    port: {port}
endpoints:
  - addresses: ["{ip}"]
    conditions: {{ ready: {ready}, serving: {serving}, terminating: {terminating} }}
"#
    ))
}

#[cfg(test)]
mod tests;
