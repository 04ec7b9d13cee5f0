//! Whatever a path has captured, the target that an endpoint gets is one: nothing of it ends the path, the line or a field.

use model::{PathMatch, PathTemplate, Pattern, RequestPath, Rewrite};

/// Checks it. A byte 0 parts the pattern, the template as annotations may have it, a path and a query.
pub fn check(data: &[u8]) {
    let Ok(text) = str::from_utf8(data) else { return };
    let mut parts = text.split('\0');
    let mut part = || parts.next().unwrap_or_default();
    let (pattern, template, path, query) = (part(), part(), part(), part());
    let is_plain = |char: char| char.is_ascii_alphanumeric() || "-._~/:$".contains(char);
    if !template.chars().all(is_plain) || !query.bytes().all(|byte| byte.is_ascii_graphic()) {
        return;
    }
    let pattern = Pattern::of_location(pattern, pattern);
    let (Ok(pattern), Ok(template), Ok(path)) =
        (pattern, PathTemplate::parse(template), RequestPath::parse(path))
    else {
        return;
    };
    let matches = pattern.matches(path.decoded());
    let route = PathMatch::Pattern(pattern);
    assert_eq!(route.matches(&path), matches);
    let rewrite = Rewrite { path: template.clone(), prefix: Some(template) };
    let Some(rewritten) = rewrite.apply(&route, &path, Some(query)) else { return };
    let (target, prefix) = (rewritten.target, rewritten.prefix.unwrap_or_default());
    assert!(target.starts_with('/') && target.len() <= (16 << 10) + 2 + query.len(), "{target:?}");
    let own = target.strip_suffix(query).unwrap_or(&target);
    let own = own.strip_suffix('?').unwrap_or(own);
    for text in [own, &prefix] {
        let is_path = |byte: u8| byte.is_ascii_graphic() && !b"?#\"<>\\".contains(&byte);
        assert!(text.bytes().all(is_path), "{text:?}");
    }
}
