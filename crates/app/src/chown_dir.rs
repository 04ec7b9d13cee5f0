//! `sluicegate chown-dir`: creates a folder and makes a user its owner. Our image holds no other program that could.

use std::fs::{self, DirBuilder};
use std::io;
use std::os::unix::fs::{DirBuilderExt, MetadataExt, chown};
use std::path::Path;

use crate::FAILED;
use crate::cli::ChownDirArgs;

/// No other user may put a socket there.
const MODE: u32 = 0o700;

/// Exit codes: 0 the folder is the user's, 1 it cannot be.
pub(crate) fn run(args: &ChownDirArgs) -> u8 {
    match chown_dir(&args.folder, args.user) {
        Ok(()) => 0,
        Err(error) => {
            let folder = args.folder.display();
            eprintln!(
                "error: cannot make user {} the owner of {folder} ({error}); run this as root",
                args.user
            );
            FAILED
        }
    }
}

fn chown_dir(folder: &Path, user: u32) -> io::Result<()> {
    match DirBuilder::new().mode(MODE).create(folder) {
        Err(error) if error.kind() != io::ErrorKind::AlreadyExists => return Err(error),
        _ => {}
    }
    if fs::metadata(folder)?.uid() == user {
        return Ok(());
    }
    chown(folder, Some(user), None)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_folder_is_made_and_one_that_is_the_users_already_is_left_alone() {
        let base = tempfile::tempdir().unwrap();
        let (folder, user) = (base.path().join("new"), fs::metadata(base.path()).unwrap().uid());
        chown_dir(&folder, user).unwrap();
        fs::write(folder.join("file"), "kept").unwrap();
        chown_dir(&folder, user).unwrap();
        assert_eq!(fs::read_to_string(folder.join("file")).unwrap(), "kept");
        assert!(chown_dir(&base.path().join("a/b"), user).is_err());
    }
}
