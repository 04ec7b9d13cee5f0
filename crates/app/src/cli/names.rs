//! Names of Kubernetes objects on the command line: a bad one is refused here, with what to write instead, and not hours
//! later by an API server.

use controller::{LeaseName, ObjectKey};

/// The longest name of most objects (RFC 1123 subdomain), and of a namespace (RFC 1123 label).
const OBJECT_BYTES_MAX: usize = 253;
const NAMESPACE_BYTES_MAX: usize = 63;

/// The name of an object that belongs to no namespace, or whose namespace is known.
pub(crate) fn object(raw: &str) -> Result<String, String> {
    let fits = raw.len() <= OBJECT_BYTES_MAX && raw.split('.').all(is_label);
    fits.then(|| raw.to_owned())
        .ok_or_else(|| format!("{raw:?} is not a valid name; {FORM}, and dots between such parts"))
}

/// The name of a namespace.
pub(crate) fn namespace(raw: &str) -> Result<String, String> {
    let fits = raw.len() <= NAMESPACE_BYTES_MAX && is_label(raw);
    fits.then(|| raw.to_owned()).ok_or_else(|| format!("{raw:?} is not a valid namespace; {FORM}"))
}

/// `NAMESPACE/NAME`.
pub(crate) fn namespaced(raw: &str) -> Result<ObjectKey, String> {
    let (first, rest) = raw.split_once('/').ok_or("write it as NAMESPACE/NAME")?;
    Ok(ObjectKey::new(namespace(first)?, object(rest)?))
}

/// `NAME` or `NAMESPACE/NAME`.
pub(crate) fn lease(raw: &str) -> Result<LeaseName, String> {
    if raw.contains('/') {
        let ObjectKey { namespace, name } = namespaced(raw)?;
        return Ok(LeaseName { namespace: Some(namespace), name });
    }
    Ok(LeaseName { namespace: None, name: object(raw)? })
}

const FORM: &str = "write lower-case letters, digits and dashes, with no dash at either end";

fn is_label(raw: &str) -> bool {
    let inner = |byte: u8| byte.is_ascii_lowercase() || byte.is_ascii_digit() || byte == b'-';
    !raw.is_empty() && raw.bytes().all(inner) && !raw.starts_with('-') && !raw.ends_with('-')
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_that_no_object_can_have_are_refused() {
        for raw in ["", "Shop", "shop_1", "-shop", "shop-", "a..b", "a/b", &"x".repeat(254)] {
            assert!(object(raw).is_err(), "{raw}");
            assert!(namespace(raw).is_err(), "{raw}");
        }
        assert!(object("sluicegate-public.example").is_ok() && namespace("a.b").is_err());
    }

    #[test]
    fn a_lease_may_name_its_namespace_and_a_service_must() {
        let named =
            |namespace: Option<&str>| LeaseName { namespace: namespace.map(str::to_owned), name: "l".into() };
        assert_eq!((lease("l"), lease("n/l")), (Ok(named(None)), Ok(named(Some("n")))));
        for raw in ["", "/l", "n/", "a/b/c"] {
            assert!(lease(raw).is_err(), "{raw}");
        }
        assert_eq!(namespaced("n/s"), Ok(ObjectKey::new("n", "s")));
        assert!(namespaced("s").is_err() && namespaced("a/b/c").is_err());
    }
}
