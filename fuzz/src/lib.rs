//! What must hold of each part that reads bytes of strangers, whatever the bytes.
//!
//! Owns: one property a module, as a function that panics where it does not hold. libFuzzer calls it from `targets/`;
//! the tests of this crate call it with the corpus and with a bounded number of mutations of it, on stable.
//! Never: what the parts under test would use to come to their own answer.
//! Start at [`TARGETS`].

pub mod access_log_line;
pub mod certificate_bundle;
pub mod chunked_body;
pub mod client_certificate;
pub mod header_fields;
pub mod http2_flood;
pub mod ingress_object;
pub mod password_file;
pub mod proxy_header;
mod readers;
pub mod request_head;
pub mod request_host;
pub mod request_path;
pub mod rewrite;
pub mod snippet;
pub mod upstream_answer;

#[cfg(test)]
mod bounded;

/// A property of some bytes: panics where it does not hold.
pub type Property = fn(&[u8]);

/// Every property by the name of its target and of its corpus' folder.
pub const TARGETS: &[(&str, Property)] = &[
    ("access_log_line", access_log_line::check),
    ("certificate_bundle", certificate_bundle::check),
    ("chunked_body", chunked_body::check),
    ("client_certificate", client_certificate::check),
    ("header_fields", header_fields::check),
    ("http2_flood", http2_flood::check),
    ("ingress_object", ingress_object::check),
    ("password_file", password_file::check),
    ("proxy_header", proxy_header::check),
    ("request_head", request_head::check),
    ("request_host", request_host::check),
    ("request_path", request_path::check),
    ("rewrite", rewrite::check),
    ("snippet", snippet::check),
    ("upstream_answer", upstream_answer::check),
];
