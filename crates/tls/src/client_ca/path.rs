//! From a client's certificate to a root (RFC 5280 §6). What decides is `webpki`; beside it stand the two kinds of certificates
//! that clients really have and it takes for none: those of version 1, as `openssl x509 -req` makes them, and those which
//! have issued themselves and stand in the bundle.

use std::borrow::Cow;
use std::time::{SystemTime, UNIX_EPOCH};

use rustls::crypto::aws_lc_rs::default_provider;
use rustls::pki_types::{CertificateDer, SubjectPublicKeyInfoDer, TrustAnchor, UnixTime};
use webpki::{
    EndEntityCert, Error, ExpirationPolicy, KeyUsage, RawPublicKeyEntity, RevocationCheckDepth,
    RevocationOptions, RevocationOptionsBuilder, UnknownStatusPolicy, VerifiedPath,
};
use x509_parser::certificate::X509Certificate;
use x509_parser::prelude::FromDer;

use super::{ClientCa, Root, Verdict};
use crate::certificate::time;

/// Most certificates that a client may send. Each may have to be compared with each.
const CHAIN_LENGTH_MAX: usize = 10;
/// Most bytes of a client's certificate. It may become a header field; smart cards with photographs stay below.
const CERTIFICATE_BYTES_MAX: usize = 16 * 1024;

pub(super) fn judge(
    ca: &ClientCa,
    chain: &[CertificateDer<'_>],
    depth_max: usize,
    now: SystemTime,
) -> Verdict {
    let Some((leaf, sent)) = chain.split_first() else { return Verdict::Bad("there is none".into()) };
    if sent.len() >= CHAIN_LENGTH_MAX || leaf.len() > CERTIFICATE_BYTES_MAX {
        return Verdict::Bad("it is too large, or too many others come with it".into());
    }
    let Ok(([], parsed)) = X509Certificate::from_der(leaf) else {
        return Verdict::Bad("it cannot be read".into());
    };
    if let Some(root) = ca.roots.iter().find(|root| root.der == *leaf) {
        return judge_root(ca, root, &parsed, now);
    }
    match EndEntityCert::try_from(leaf) {
        Ok(certificate) => judge_path(ca, &certificate, (leaf, sent), depth_max, now),
        Err(Error::UnsupportedCertVersion) => judge_first_version(ca, &parsed, sent, now),
        Err(error) => Verdict::Bad(error.to_string()),
    }
}

/// One that the bundle has, and that has issued itself.
fn judge_root(ca: &ClientCa, root: &Root, parsed: &X509Certificate<'_>, now: SystemTime) -> Verdict {
    let for_clients = match parsed.extended_key_usage() {
        Ok(usage) => usage.is_none_or(|usage| usage.value.client_auth),
        Err(_) => false,
    };
    if !for_clients {
        Verdict::Bad("it is not for clients".into())
    } else if !root.is_good_at(now) {
        Verdict::Bad("it is not valid at this time".into())
    } else {
        unless_revoked(ca)
    }
}

/// What a list would say of these is not known.
fn unless_revoked(ca: &ClientCa) -> Verdict {
    if ca.revoked.is_empty() { Verdict::Good } else { Verdict::Bad("it may have been revoked".into()) }
}

fn judge_path(
    ca: &ClientCa,
    certificate: &EndEntityCert<'_>,
    (leaf, sent): (&CertificateDer<'_>, &[CertificateDer<'_>]),
    depth_max: usize,
    now: SystemTime,
) -> Verdict {
    let roots = roots_at(ca, now);
    let between: Vec<_> = sent.iter().chain(&ca.others).cloned().collect();
    let short_enough = |path: &VerifiedPath<'_>| match path.intermediate_certificates().count() {
        count if count > depth_max => Err(Error::MaximumPathDepthExceeded),
        _ => Ok(()),
    };
    let lists: Vec<_> = ca.revoked.iter().collect();
    let found = certificate.verify_for_usage(
        default_provider().signature_verification_algorithms.all,
        &roots,
        &between,
        unix(now),
        KeyUsage::client_auth(),
        revocation(&lists),
        Some(&short_enough),
    );
    match found {
        Ok(_) => Verdict::Good,
        // A root whose time is over would have issued it, for all that is known.
        Err(Error::UnknownIssuer) if roots.len() < ca.roots.len() => {
            Verdict::Bad(Error::UnknownIssuer.to_string())
        }
        // OpenSSL looks no farther than that.
        Err(Error::MaximumPathDepthExceeded) => Verdict::Unknown(NOT_LOCAL),
        Err(Error::UnknownIssuer) => Verdict::Unknown(unknown(leaf, sent, &ca.others)),
        Err(error) => Verdict::Bad(error.to_string()),
    }
}

fn revocation<'a>(lists: &'a [&'a webpki::CertRevocationList<'a>]) -> Option<RevocationOptions<'a>> {
    let options = RevocationOptionsBuilder::new(lists).ok()?;
    let options = options.with_depth(RevocationCheckDepth::Chain);
    let options = options.with_status_policy(UnknownStatusPolicy::Deny);
    Some(options.with_expiration_policy(ExpirationPolicy::Enforce).build())
}

/// One of version 1, which has no extensions: a root has to have issued it.
fn judge_first_version(
    ca: &ClientCa,
    parsed: &X509Certificate<'_>,
    sent: &[CertificateDer<'_>],
    now: SystemTime,
) -> Verdict {
    let (from, to) = (time(parsed.validity().not_before), time(parsed.validity().not_after));
    if !(from..=to).contains(&now) {
        return Verdict::Bad("it is not valid at this time".into());
    }
    let named = ca.roots.iter().filter(|root| root.has_name(parsed.issuer().as_raw()));
    match named.clone().find(|root| root.has_signed(parsed)) {
        Some(root) if root.is_good_at(now) => unless_revoked(ca),
        Some(_) => Verdict::Bad("the CA that issued it is not valid at this time".into()),
        None if named.count() > 0 => Verdict::Bad("the CA that it names has not issued it".into()),
        None if parsed.subject().as_raw() == parsed.issuer().as_raw() => Verdict::Unknown(SELF_SIGNED),
        None => Verdict::Unknown(unknown_of(parsed, sent, &ca.others)),
    }
}

impl Root {
    fn is_good_at(&self, now: SystemTime) -> bool {
        (self.not_before..=self.not_after).contains(&now)
    }

    fn has_name(&self, name: &[u8]) -> bool {
        subject(&self.der).is_some_and(|subject| subject == name)
    }

    /// Whether its key has signed the certificate, by any algorithm that is good enough.
    fn has_signed(&self, certificate: &X509Certificate<'_>) -> bool {
        let Ok((_, issuer)) = X509Certificate::from_der(&self.der) else { return false };
        if issuer.key_usage().is_ok_and(|usage| usage.is_some_and(|usage| !usage.value.key_cert_sign()))
            || issuer.basic_constraints().is_ok_and(|found| found.is_some_and(|found| !found.value.ca))
        {
            return false;
        }
        let key = SubjectPublicKeyInfoDer::from(issuer.public_key().raw);
        let Ok(key) = RawPublicKeyEntity::try_from(&key) else { return false };
        let (signed, signature) =
            (certificate.tbs_certificate.as_ref(), certificate.signature_value.as_ref());
        let algorithms = default_provider().signature_verification_algorithms.all;
        algorithms.iter().any(|algorithm| key.verify_signature(*algorithm, signed, signature).is_ok())
    }
}

/// The roots that are good now. One whose time is over has no say.
fn roots_at(ca: &ClientCa, now: SystemTime) -> Vec<TrustAnchor<'_>> {
    ca.roots.iter().filter(|root| root.is_good_at(now)).map(|root| borrowed(&root.anchor)).collect()
}

fn borrowed<'a>(anchor: &'a TrustAnchor<'_>) -> TrustAnchor<'a> {
    TrustAnchor {
        subject: anchor.subject.as_ref().into(),
        subject_public_key_info: anchor.subject_public_key_info.as_ref().into(),
        name_constraints: anchor.name_constraints.as_ref().map(|constraints| constraints.as_ref().into()),
    }
}

const SELF_SIGNED: &str = "self-signed certificate";
const NOT_LOCAL: &str = "unable to get local issuer certificate";

/// How OpenSSL calls it that no path leads to a root.
fn unknown(
    leaf: &CertificateDer<'_>,
    sent: &[CertificateDer<'_>],
    others: &[CertificateDer<'_>],
) -> &'static str {
    match X509Certificate::from_der(leaf) {
        Ok((_, parsed)) => unknown_of(&parsed, sent, others),
        Err(_) => SELF_SIGNED,
    }
}

fn unknown_of(
    leaf: &X509Certificate<'_>,
    sent: &[CertificateDer<'_>],
    others: &[CertificateDer<'_>],
) -> &'static str {
    if leaf.subject().as_raw() == leaf.issuer().as_raw() {
        return SELF_SIGNED;
    }
    let (mut wanted, mut found) = (Cow::Borrowed(leaf.issuer().as_raw()), false);
    for _ in 0..=sent.len() {
        let of_name = |der: &&CertificateDer<'_>| subject(der).as_deref() == Some(&*wanted);
        let Some(issuer) = sent.iter().chain(others).find(of_name) else { break };
        let Ok((_, issuer)) = X509Certificate::from_der(issuer) else { break };
        if issuer.subject().as_raw() == issuer.issuer().as_raw() {
            return "self-signed certificate in certificate chain";
        }
        (wanted, found) = (Cow::Owned(issuer.issuer().as_raw().to_vec()), true);
    }
    if found { NOT_LOCAL } else { "unable to verify the first certificate" }
}

fn subject(der: &CertificateDer<'_>) -> Option<Vec<u8>> {
    let (_, parsed) = X509Certificate::from_der(der).ok()?;
    Some(parsed.subject().as_raw().to_vec())
}

fn unix(time: SystemTime) -> UnixTime {
    UnixTime::since_unix_epoch(time.duration_since(UNIX_EPOCH).unwrap_or_default())
}
