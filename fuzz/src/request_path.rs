//! A request's path is refused or has one normal form: reading it again changes nothing, and no dot segment is left.

use model::RequestPath;

/// Checks it.
pub fn check(data: &[u8]) {
    let Ok(raw) = str::from_utf8(data) else { return };
    let Ok(path) = RequestPath::parse(raw) else { return };
    for form in [path.forward(), path.matching()] {
        assert!(form.starts_with('/'), "{raw:?} became {form:?}");
        let dots = form.split('/').any(|segment| matches!(undo_dots(segment).as_str(), "." | ".."));
        assert!(!dots, "{raw:?} became {form:?}, which has a dot segment");
        let again = RequestPath::parse(form).expect("a normal form is a path");
        assert_eq!(again.matching(), path.matching(), "{raw:?}");
    }
    let again = RequestPath::parse(path.forward()).expect("a normal form is a path");
    assert_eq!(again.forward(), path.forward(), "{raw:?}");
}

fn undo_dots(segment: &str) -> String {
    segment.to_ascii_lowercase().replace("%2e", ".")
}
