//! The Secret with the certificate that a gate presents.

/// Its manifest, with the name `bench`.
pub(crate) fn secret(certificate: &str, key: &str) -> String {
    let indented = |text: &str| text.lines().map(|line| format!("    {line}\n")).collect::<String>();
    format!(
        "apiVersion: v1
kind: Secret
metadata: {{ name: bench, namespace: default }}
type: kubernetes.io/tls
stringData:
  tls.crt: |
{}  tls.key: |
{}",
        indented(certificate),
        indented(key)
    )
}
