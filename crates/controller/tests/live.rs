//! What becomes live while the controller runs, and when.

#[path = "live/certificates.rs"]
mod certificates;
#[path = "live/dns_server.rs"]
mod dns_server;
#[path = "live/external_name.rs"]
mod external_name;
#[path = "live/folder.rs"]
mod folder;
#[path = "live/running.rs"]
mod running;
