//! A request's path is refused or has one normal form: reading that changes nothing, and whatever an endpoint takes for a
//! slash, no dot segment is left.

use std::borrow::Cow;

use model::RequestPath;

/// Checks it.
pub fn check(data: &[u8]) {
    let Ok(raw) = str::from_utf8(data) else { return };
    let Ok(path) = RequestPath::parse(raw) else { return };
    let form = path.matching();
    assert!(form.starts_with('/') && !form.contains("//"), "{raw:?} became {form:?}");
    for segment in form.split(['/', '\\']) {
        let name = segment.split(';').next();
        assert!(!matches!(name, Some("." | "..")), "{raw:?} became {form:?}, which has a dot segment");
    }
    let again = RequestPath::parse(form).expect("a normal form is a path");
    assert_eq!(again.matching(), form, "{raw:?}");
    // An escape more, and slashes more, are another spelling of the same.
    for other in [respell(raw), Cow::Owned(form.replace('/', "//")), Cow::Owned(form.replace('/', "/./"))] {
        let other =
            RequestPath::parse(&other).unwrap_or_else(|error| panic!("{other:?} of {raw:?}: {error}"));
        assert_eq!(other.matching(), form, "{raw:?}");
    }
}

/// Escapes every byte of a segment's text that is not escaped yet.
fn respell(raw: &str) -> Cow<'_, str> {
    let mut out = String::new();
    let mut escaped = 0;
    for byte in raw.bytes() {
        match byte {
            b'/' => out.push('/'),
            _ if escaped > 0 => out.push(char::from(byte)),
            b'%' => {
                escaped = 3;
                out.push('%');
            }
            _ => out.push_str(&format!("%{byte:02x}")),
        }
        escaped = i32::max(0, escaped - 1);
    }
    out.into()
}
