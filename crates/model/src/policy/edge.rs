//! What holds for all routes that an operator treats alike: what endpoints are told of clients in place of the fields that are
//! told by default, and what is said in every answer.

use std::sync::Arc;

use ipnet::IpNet;

use crate::{HeaderEdit, Template};

/// What is told of clients, and to them.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Edge {
    /// Whether any client is believed its scheme, host and port (`X-Forwarded-Proto`, `-Host`, `-Port`).
    pub believes_clients: bool,
    /// Whether an address that a peer of these networks tells counts for the client's.
    pub real_ip: bool,
    /// The networks whose addresses are passed over in what is told, from the nearest on.
    pub real_ip_from: Vec<IpNet>,
    /// The field in which addresses are told, in lower case.
    pub for_field: Arc<str>,
    /// The field whose content endpoints get as `X-Original-Forwarded-Host`, in lower case.
    pub host_field: Arc<str>,
    /// Whether endpoints get the chain of addresses of a client that is believed, and not the client's alone.
    pub tells_chain: bool,
    /// Whether endpoints get the target as `X-Original-URI`.
    pub tells_target: bool,
    /// Whether a request without `X-Request-ID` gets one.
    pub makes_request_id: bool,
    /// Which names of fields reach endpoints.
    pub names: FieldNames,
    /// What is changed in requests' heads.
    pub request: Vec<HeaderEdit>,
    /// The fields of endpoints' answers that clients do not get, in lower case.
    pub hidden: Vec<Arc<str>>,
    /// What is changed in the heads of all answers, those that no endpoint gave too.
    pub response: Vec<HeaderEdit>,
}

impl Edge {
    /// What fields are set to, as far as that has variables.
    pub fn templates(&self) -> impl Iterator<Item = &Template> {
        self.request.iter().chain(&self.response).filter_map(|edit| edit.change.template())
    }

    /// Each field by its word, as it is shown to people.
    pub fn words(&self) -> [(&'static str, String); 13] {
        let networks = self.real_ip_from.iter().map(ToString::to_string);
        [
            ("believes-clients", self.believes_clients.to_string()),
            ("real-ip", self.real_ip.to_string()),
            ("real-ip-from", networks.collect::<Vec<_>>().join(", ")),
            ("for-field", self.for_field.to_string()),
            ("host-field", self.host_field.to_string()),
            ("tells-chain", self.tells_chain.to_string()),
            ("tells-target", self.tells_target.to_string()),
            ("makes-request-id", self.makes_request_id.to_string()),
            ("underscores", self.names.underscores.to_string()),
            ("other-names", self.names.others.to_string()),
            ("request", HeaderEdit::list(&self.request)),
            ("hidden", self.hidden.join(", ")),
            ("response", HeaderEdit::list(&self.response)),
        ]
    }

    /// In what it differs from another.
    pub fn beside(&self, other: &Edge) -> impl Iterator<Item = (&'static str, String)> {
        let both = self.words().into_iter().zip(other.words());
        both.filter(|(word, other)| word != other).map(|(word, _)| word)
    }
}

/// Names of fields that reach endpoints, beside those of letters, digits and hyphens.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct FieldNames {
    /// Those with an underscore.
    pub underscores: bool,
    /// Those with any other character that a name may have.
    pub others: bool,
}
