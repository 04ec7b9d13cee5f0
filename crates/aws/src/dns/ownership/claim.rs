//! What a TXT record says: `"heritage=external-dns,external-dns/owner=ID,external-dns/resource=KIND/NAMESPACE/NAME"`.

/// What each claim has.
const HERITAGE: &str = "external-dns";

/// Longest character string in a TXT record, in bytes (RFC 1035 §3.3.14). external-dns writes one alone.
const STRING_BYTES_MAX: usize = 255;

/// Seconds for which resolvers may keep a TXT. external-dns deletes its TXT records with this time, and Route 53 takes a
/// deletion only if it names the time that the record has.
pub(in crate::dns) const TXT_TTL: i64 = 300;

/// Whose a record is, and for which object.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Claim {
    /// The owner's identifier (`--txt-owner-id` of external-dns).
    pub owner: String,
    /// The object, as `ingress/shop/web`.
    pub resource: Option<String>,
}

impl Claim {
    /// Reads a value, in its quotes or without. None comes of one that is no claim, or that is encrypted.
    pub fn read(value: &str) -> Option<Claim> {
        let (mut is_claim, mut owner, mut resource) = (false, String::new(), None);
        for (key, value) in
            value.trim().trim_matches('"').split(',').filter_map(|token| token.split_once('='))
        {
            match key {
                "heritage" if value != HERITAGE => return None,
                "heritage" => is_claim = true,
                "external-dns/owner" => value.clone_into(&mut owner),
                "external-dns/resource" => resource = Some(value.to_owned()),
                _ => {}
            }
        }
        is_claim.then_some(Claim { owner, resource })
    }

    /// As external-dns writes it, in quotes. A resource for which there is no room is left out: it is for people.
    pub fn write(&self) -> String {
        let owned = format!("heritage={HERITAGE},external-dns/owner={}", self.owner);
        let told = self.resource.as_ref().map(|resource| format!("{owned},external-dns/resource={resource}"));
        let text = told.filter(|told| told.len() <= STRING_BYTES_MAX).unwrap_or(owned);
        format!("\"{text}\"")
    }
}

/// Whether a value may be a claim that was encrypted (`--txt-encrypt-enabled`): base64 of a nonce of 12 bytes, of a tag of
/// 16 and of something compressed.
pub(in crate::dns) fn may_be_encrypted(value: &str) -> bool {
    let text = value.trim().trim_matches('"');
    let is_base64 = |byte: u8| byte.is_ascii_alphanumeric() || matches!(byte, b'+' | b'/' | b'=');
    text.len() >= 64 && text.len().is_multiple_of(4) && text.bytes().all(is_base64)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_claim_of_external_dns_is_read_and_written_as_it_is() {
        let written =
            "\"heritage=external-dns,external-dns/owner=prod,external-dns/resource=ingress/shop/web\"";
        let claim = Claim::read(written).unwrap();
        assert_eq!(claim, Claim { owner: "prod".into(), resource: Some("ingress/shop/web".into()) });
        assert_eq!(claim.write(), written);
        assert_eq!(Claim::read(written.trim_matches('"')), Some(claim), "without quotes, as some write it");
    }

    #[test]
    fn other_texts_are_no_claims() {
        for text in
            ["\"v=spf1 -all\"", "\"heritage=mate,external-dns/owner=prod\"", "external-dns/owner=prod", ""]
        {
            assert_eq!(Claim::read(text), None, "{text}");
        }
        assert!(may_be_encrypted(&"Ab+/".repeat(16)) && !may_be_encrypted("\"v=spf1 -all\""));
    }

    #[test]
    fn a_resource_for_which_there_is_no_room_is_left_out() {
        let claim = Claim { owner: "prod".into(), resource: Some("x".repeat(250)) };
        assert_eq!(claim.write(), "\"heritage=external-dns,external-dns/owner=prod\"");
    }
}
