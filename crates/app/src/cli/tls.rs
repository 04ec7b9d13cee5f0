//! Which certificates and which ticket keys are the operator's own.

use clap::Args;
use controller::ObjectKey;

use super::names;

/// The settings of TLS that are not in Ingresses.
#[derive(Debug, Args)]
#[command(next_help_heading = "TLS")]
pub(crate) struct TlsArgs {
    /// The Secret (tls.crt, tls.key) with the certificate for names that no other certificate is for, and for clients that
    /// send no name (SNI). Without it such clients are refused
    #[arg(long, value_name = "NAMESPACE/NAME", env = "SLUICEGATE_DEFAULT_CERTIFICATE", value_parser = names::namespaced)]
    pub(crate) default_certificate: Option<ObjectKey>,

    /// The Secret with the keys of session tickets, so that a client may resume at any replica: entries of 32 to 80 random
    /// bytes, of which the last by name is for new tickets. Add one each day or so and remove the first, since a stolen
    /// key decrypts what was resumed with it. Without this flag each process has keys of its own
    #[arg(long, value_name = "NAMESPACE/NAME", env = "SLUICEGATE_TICKET_KEYS", value_parser = names::namespaced)]
    pub(crate) ticket_keys: Option<ObjectKey>,

    /// Let Ingresses have TLS passed through to their endpoints (ssl-passthrough): clients shake hands with these, and nothing
    /// else of what Ingresses ask counts for them but addresses
    #[arg(long, env = "SLUICEGATE_ENABLE_SSL_PASSTHROUGH")]
    pub(crate) enable_ssl_passthrough: bool,
}
