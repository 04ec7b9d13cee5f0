//! A certificate as `openssl x509 -req` makes it, of version 1, with its CA's; both are good until 2126.

pub(super) const CA: &str = include_str!("../../../crates/tls/testdata/client-ca.pem");
pub(super) const CERTIFICATE: &str = include_str!("../../../crates/tls/testdata/client-version-1.pem");
pub(super) const KEY: &str = include_str!("../../../crates/tls/testdata/client-version-1.key");
