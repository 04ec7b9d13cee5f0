//! The file that `htpasswd` writes, as nginx reads it: a name, a colon and a hash on each line, and whatever follows a second
//! colon does not count.

use model::{PasswordHash, Users};

/// Most users that are read: a Secret has room for more, in lines that no `htpasswd` writes.
pub const USERS_MAX: usize = 50_000;
/// Most lines of which is told what is wrong with them.
const TOLD_MAX: usize = 5;
/// Most characters of a name that are shown.
const SHOWN_MAX: usize = 40;

/// The users of a file, and what is wrong with the lines of others, which cannot log in.
pub fn users_of(text: &[u8]) -> (Users, Vec<String>) {
    let (mut entries, mut wrong, mut count) = (Vec::new(), Vec::new(), 0_usize);
    for line in text.split(|b| *b == b'\n') {
        let Some((name, hash)) = split(line) else { continue };
        if entries.len() == USERS_MAX {
            wrong.push(format!("more than {USERS_MAX} users stand; those beyond cannot log in"));
            break;
        }
        match std::str::from_utf8(hash).ok().map(PasswordHash::read) {
            Some(Ok(hash)) => entries.push((name.into(), hash)),
            other => {
                count += 1;
                if count <= TOLD_MAX {
                    let why = match other {
                        Some(Err(why)) => why.to_string(),
                        _ => "no text".into(),
                    };
                    wrong.push(format!("the user {} has {why}, and cannot log in", shown(name)));
                }
            }
        }
    }
    if count > TOLD_MAX {
        wrong.push(format!("{} more users cannot log in", count - TOLD_MAX));
    }
    (Users::new(entries), wrong)
}

/// Name and hash of a line that has both.
fn split(line: &[u8]) -> Option<(&[u8], &[u8])> {
    if matches!(line.first(), None | Some(b'#' | b'\r')) {
        return None;
    }
    let colon = line.iter().position(|b| *b == b':')?;
    let (name, rest) = (&line[..colon], &line[colon + 1..]);
    let end = rest.iter().position(|b| matches!(b, b':' | b'\r')).unwrap_or(rest.len());
    (!name.is_empty()).then(|| (name, &rest[..end]))
}

fn shown(name: &[u8]) -> String {
    format!("{:?}", String::from_utf8_lossy(name).chars().take(SHOWN_MAX).collect::<String>())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_file_is_read_as_nginx_reads_it() {
        let text = b"# c:{PLAIN}c\n\na:{PLAIN}a:comment\r\nb b:{PLAIN}\r\n:{PLAIN}x\nno colon\nd:plain\na:{PLAIN}later";
        let (users, wrong) = users_of(text);
        let hash = |name: &[u8]| users.find(name).map(|hash| hash.text.to_string());
        assert_eq!(hash(b"a").as_deref(), Some("{PLAIN}a"));
        assert_eq!(hash(b"b b").as_deref(), Some("{PLAIN}"));
        assert_eq!(users.count(), 2);
        assert_eq!(wrong.len(), 1, "{wrong:?}");
        assert!(wrong[0].contains("\"d\"") && !wrong[0].contains("plain"), "{}", wrong[0]);
    }

    #[test]
    fn of_many_wrong_lines_few_are_told() {
        let (users, wrong) = users_of("x:y\n".repeat(1000).as_bytes());
        assert_eq!((users.count(), wrong.len()), (0, TOLD_MAX + 1));
    }
}
