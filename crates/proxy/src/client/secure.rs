//! The TLS session that a client speaks in, and the certificate that it has shown.

use std::cell::{OnceCell, RefCell};
use std::sync::Arc;
use std::time::{Duration, Instant, SystemTime};

use tls::{ClientCa, Names, Verdict, escaped_pem};
use tokio_rustls::rustls::pki_types::CertificateDer;

use crate::config::Tls;

/// How long it counts what a certificate has come to: on a connection that is kept open one may come to its end.
const VERDICT_TIME: Duration = Duration::from_secs(60);

/// What TLS tells of a client.
pub(crate) struct Secure {
    pub(crate) tls: Arc<Tls>,
    /// The server name that the client asked for, in lower case.
    pub(crate) name: Option<Box<str>>,
    /// What was demanded of it, if it was asked for a certificate.
    pub(crate) asked: Option<Box<Asked>>,
}

/// What a client was asked for.
pub(crate) struct Asked {
    /// The CA bundle that was live then.
    pub(crate) by: Option<Arc<ClientCa>>,
    /// What it has shown.
    pub(crate) shown: Option<Shown>,
}

/// A certificate that a client has shown, and of which it has the key.
pub(crate) struct Shown {
    /// The certificate and those that it came with.
    chain: Vec<CertificateDer<'static>>,
    names: OnceCell<Option<Names>>,
    escaped: OnceCell<String>,
    judged: RefCell<Option<Judged>>,
}

/// What it came to.
struct Judged {
    by: Arc<ClientCa>,
    depth: u8,
    at: Instant,
    verdict: Verdict,
}

impl Shown {
    /// This chain, if there is one.
    pub(crate) fn new(chain: &[CertificateDer<'_>]) -> Option<Shown> {
        let chain: Vec<_> = chain.iter().map(|certificate| certificate.clone().into_owned()).collect();
        (!chain.is_empty()).then(|| Shown {
            chain,
            names: OnceCell::new(),
            escaped: OnceCell::new(),
            judged: RefCell::default(),
        })
    }

    /// What it comes to by this bundle, which is found out again after a while.
    pub(crate) fn judge(&self, ca: &Arc<ClientCa>, depth: u8) -> Verdict {
        let mut judged = self.judged.borrow_mut();
        let holds = |judged: &&Judged| {
            Arc::ptr_eq(&judged.by, ca) && judged.depth == depth && judged.at.elapsed() < VERDICT_TIME
        };
        if let Some(judged) = judged.as_ref().filter(holds) {
            return judged.verdict.clone();
        }
        let verdict = ca.judge(&self.chain, depth, SystemTime::now());
        let at = Instant::now();
        *judged = Some(Judged { by: Arc::clone(ca), depth, at, verdict: verdict.clone() });
        verdict
    }

    /// Its subject and its issuer.
    pub(crate) fn names(&self) -> Option<&Names> {
        self.names.get_or_init(|| self.chain.first().and_then(Names::of)).as_ref()
    }

    /// The certificate itself, in one line.
    pub(crate) fn escaped(&self) -> &str {
        self.escaped.get_or_init(|| self.chain.first().map(escaped_pem).unwrap_or_default())
    }
}
