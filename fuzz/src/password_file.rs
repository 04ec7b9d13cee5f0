//! A user of a file of passwords has the hash that nginx finds: that of the first line with the name before its colon, up to
//! another colon or the end of the line; or none, if that is no hash. What is told of a file shows no hash.

use std::collections::BTreeSet;

use compile::users_of;

/// Checks it.
pub fn check(data: &[u8]) {
    let (users, told) = users_of(data);
    let names: BTreeSet<&[u8]> =
        data.split(|b| *b == b'\n').filter_map(|line| line.split(|b| *b == b':').next()).collect();
    let mut count = 0;
    for name in names {
        let found = users.find(name).map(|hash| hash.text.as_bytes());
        count += usize::from(found.is_some());
        if let Some(hash) = found {
            assert_eq!(Some(hash), find(data, name), "{:?}", name.escape_ascii().to_string());
        } else if let Some(hash) = find(data, name) {
            let is_hash = std::str::from_utf8(hash).is_ok_and(|hash| model::PasswordHash::read(hash).is_ok());
            assert!(
                !is_hash,
                "{:?} has {:?}",
                name.escape_ascii().to_string(),
                hash.escape_ascii().to_string()
            );
        }
    }
    assert_eq!(users.count(), count, "there is no user that has no line");
    assert!(told.len() < 10 && told.iter().all(|line| line.len() < 500 && !line.contains('\n')), "{told:?}");
}

/// What nginx reads for a user, byte by byte.
fn find<'d>(data: &'d [u8], user: &[u8]) -> Option<&'d [u8]> {
    let mut begin = 0;
    while begin < data.len() {
        let end = data[begin..].iter().position(|b| *b == b'\n').map_or(data.len(), |at| begin + at);
        let line = &data[begin..end];
        begin = end + 1;
        let is_skipped = line.is_empty() || line[0] == b'#' || line[0] == b'\r' || user.is_empty();
        if is_skipped || line.len() <= user.len() || line[..user.len()] != *user || line[user.len()] != b':' {
            continue;
        }
        let rest = &line[user.len() + 1..];
        return rest.split(|b| *b == b':' || *b == b'\r').next();
    }
    None
}
