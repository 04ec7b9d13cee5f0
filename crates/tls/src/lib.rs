//! TLS towards clients and endpoints: certificates, handshakes and session tickets.
//!
//! ```text
//! PEM ─► Certificate ─► Entry ─► Certificates ─► Published ─┐
//!                                                           ├─► server_config ─► each handshake: find by name, then by
//! key bytes ─► TicketKey ─► Tickets ────────────────────────┘                    what the client can verify
//! ```
//!
//! Owns: what PEM is accepted and what is wrong with the rest, which certificate a name gets, and session tickets that
//! every replica can read.
//! Never: kube, sockets, requests. Which hosts a certificate is for is decided elsewhere; here it is only looked up.
//! Start at [`server_config`], then [`Certificates::find`]; towards endpoints at [`client_config`]; where clients have to show
//! a certificate at [`asking`], then [`ClientCa::judge`].

mod asking;
mod certificate;
mod certificates;
mod client;
mod client_ca;
mod client_certificate;
mod credentials;
mod error;
mod server;
mod tickets;

pub use asking::asking;
pub use certificate::{Certificate, Kind};
pub use certificates::{Certificates, Entry};
pub use client::client_config;
pub use client_ca::{AllClientCas, ClientCa, Verdict};
pub use client_certificate::{Names, escaped_pem};
pub use credentials::{AllCredentials, Credentials};
pub use error::{Error, Part};
pub use server::{HTTP_1_1, HTTP_2, server_config};
pub use tickets::{KEY_BYTES, KEYS_MAX, KeyError, TicketKey, Tickets};
