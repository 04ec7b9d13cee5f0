//! What both dialects have words for, as far as it has been read.

use std::net::IpAddr;
use std::sync::Arc;

use model::{HostName, Policy, Protocol, Transport};

use crate::problems::Fault;
use crate::reasons;

/// What the annotations read so far come to. They are read in the order of their names, ingress-nginx' before ours, so
/// that ours go first by overwriting what was there.
pub(super) struct Wanted {
    namespace: String,
    pub(super) policy: Policy,
    pub(super) transport: Transport,
    pub(super) denied: bool,
    pub(super) canary: bool,
    /// The annotation by which endpoints are to be verified.
    verify: Option<String>,
    /// Whether something that bears on that could not be read.
    is_spoilt: bool,
}

impl Wanted {
    pub(super) fn new(namespace: &str, policy: Policy) -> Wanted {
        Wanted {
            namespace: namespace.to_owned(),
            policy,
            transport: Transport::default(),
            denied: false,
            canary: false,
            verify: None,
            is_spoilt: false,
        }
    }

    /// Ends the reading. If endpoints are to be verified and that cannot be done, says so and by which annotation it was
    /// asked for; whoever asks for that would not want to hear from others.
    pub(super) fn settle(&mut self) -> Option<(String, Fault)> {
        let by = self.verify.take()?;
        self.transport.tls.verify = true;
        let (why, remedy) = if self.is_spoilt {
            ("as long as their name is not known", "mend the annotation with the name")
        } else if self.transport.tls.secret.is_none() {
            (
                "without a Secret that has the authorities as ca.crt",
                "name one with sluicegate.io/backend-tls-secret",
            )
        } else {
            return None;
        };
        self.denied = true;
        let message = format!("endpoints cannot be verified {why}, so the whole Ingress is answered 503");
        Some((by, Fault::error(reasons::DENIED, message, remedy)))
    }

    /// What is spoken with endpoints, without regard to case, as ingress-nginx reads it.
    pub(super) fn read_protocol(&mut self, name: &str, value: &str) -> Result<(), Fault> {
        let known = Protocol::ALL.into_iter().find(|known| known.as_str().eq_ignore_ascii_case(value.trim()));
        let Some(protocol) = known else {
            let message = format!("{name} cannot be {value:?}; what the Service says applies, else http");
            return Err(Fault::error(
                reasons::INVALID_ANNOTATION,
                message,
                "write http, https, grpc or grpcs",
            ));
        };
        self.transport.protocol = Some(protocol);
        Ok(())
    }

    /// The Secret for handshakes with endpoints; `NAMESPACE/NAME` or, in our own dialect, the name alone.
    pub(super) fn read_secret(&mut self, name: &str, value: &str) -> Result<(), Fault> {
        let (namespace, secret) = value.split_once('/').unwrap_or((&self.namespace, value));
        let is_name = !secret.is_empty() && !secret.contains('/');
        if is_name && namespace == self.namespace {
            self.transport.tls.secret = Some(secret.into());
            return Ok(());
        }
        let message = if is_name {
            format!(
                "{name} names Secret {value}, which is in another namespace; the whole Ingress is answered 503"
            )
        } else {
            format!("{name} cannot be {value:?}; the whole Ingress is answered 503")
        };
        self.denied = true;
        Err(Fault::error(reasons::DENIED, message, "name a Secret in the Ingress' own namespace"))
    }

    /// `on`, or `off`.
    pub(super) fn read_verify(&mut self, name: &str, value: &str) -> Result<(), Fault> {
        self.verify = match value {
            "on" => Some(name.to_owned()),
            "off" => None,
            _ => {
                self.denied = true;
                let message = format!("{name} cannot be {value:?}; the whole Ingress is answered 503");
                return Err(Fault::error(reasons::DENIED, message, "write on or off"));
            }
        };
        Ok(())
    }

    /// The name that endpoints' certificates are for.
    pub(super) fn read_server_name(&mut self, name: &str, value: &str) -> Result<(), Fault> {
        let address = value.parse::<IpAddr>().ok().map(|address| address.to_string());
        let host = || HostName::parse(value).ok().map(|host| host.as_str().to_owned());
        let Some(parsed) = address.or_else(host) else {
            self.is_spoilt = true;
            let message = format!("{name} cannot be {value:?}, which is no DNS name; it has no effect");
            return Err(Fault::error(
                reasons::INVALID_ANNOTATION,
                message,
                "write the DNS name in the certificate",
            ));
        };
        self.transport.tls.name = Some(Arc::from(parsed));
        Ok(())
    }
}
