//! A request's host is refused or has one normal form: reading it again changes nothing.

use model::RequestHost;

/// Checks it.
pub fn check(data: &[u8]) {
    let Ok(raw) = str::from_utf8(data) else { return };
    let Ok(host) = RequestHost::parse(raw) else { return };
    let name = host.name();
    assert!(
        !name.is_empty() && !name.bytes().any(|byte| byte.is_ascii_uppercase()),
        "{raw:?} became {name:?}"
    );
    let again = RequestHost::parse(name).expect("a normal form is a host");
    assert_eq!((again.name(), again.port()), (name, None), "{raw:?}");
}
