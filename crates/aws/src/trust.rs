//! Whom to trust as AWS: what this machine trusts or, where it trusts nobody, as in our image, which holds the program and
//! nothing else, the roots that Mozilla trusts (CCADB).

use std::sync::LazyLock;

use aws_config::provider_config::ProviderConfig;
use aws_sdk_elasticloadbalancing::config::SharedHttpClient;
use aws_smithy_http_client::Builder;
use aws_smithy_http_client::tls::rustls_provider::CryptoMode;
use aws_smithy_http_client::tls::{Provider, TlsContext, TrustStore};
use base64::Engine;
use base64::engine::general_purpose::STANDARD;

/// Whether this machine names any certificates (`SSL_CERT_FILE`, `SSL_CERT_DIR`, or where its distribution has them).
static MACHINE_HAS_ROOTS: LazyLock<bool> =
    LazyLock::new(|| !rustls_native_certs::load_native_certs().certs.is_empty());

/// For the metadata service and everything else that is asked without a region.
pub(crate) fn provider_config() -> ProviderConfig {
    if *MACHINE_HAS_ROOTS {
        return ProviderConfig::default();
    }
    ProviderConfig::default().with_http_client(with_roots(bundled()))
}

/// Our own client where the SDK's would trust nobody.
pub(crate) fn http_client() -> Option<SharedHttpClient> {
    (!*MACHINE_HAS_ROOTS).then(|| with_roots(bundled()))
}

fn with_roots(roots: TrustStore) -> SharedHttpClient {
    let context = TlsContext::builder().with_trust_store(roots).build();
    let context = context.expect("a context of certificates that are compiled in");
    Builder::new().tls_provider(Provider::Rustls(CryptoMode::AwsLc)).tls_context(context).build_https()
}

fn bundled() -> TrustStore {
    webpki_root_certs::TLS_SERVER_ROOT_CERTS.iter().fold(TrustStore::empty(), |store, der| {
        let text = STANDARD.encode(der);
        store
            .with_pem_certificate(format!("-----BEGIN CERTIFICATE-----\n{text}\n-----END CERTIFICATE-----\n"))
    })
}
