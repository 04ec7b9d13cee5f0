//! What is read of PEM, what is found by name, and what a handshake and its resumption make of both.

#[path = "tls/authority.rs"]
mod authority;
#[path = "tls/clients.rs"]
mod clients;
#[path = "tls/endpoints.rs"]
mod endpoints;
#[path = "tls/find.rs"]
mod find;
#[path = "tls/handshake.rs"]
mod handshake;
#[path = "tls/parse.rs"]
mod parse;
#[path = "tls/peers.rs"]
mod peers;
#[path = "tls/resume.rs"]
mod resume;
