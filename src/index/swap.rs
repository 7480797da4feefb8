//! Puts an index that was built beside another one in its place.

use std::fs::File;
use std::io;
use std::path::{Path, PathBuf};

use rustix::fs::{CWD, RenameFlags, renameat_with};

use super::IndexError;

/// Where an index is built that is to take the place of another.
pub fn beside(dir: &Path) -> PathBuf {
    dir.with_extension("new")
}

/// Puts the index that was built beside a folder in its place, and removes the one that was there. Whenever it is cut
/// short, the folder has one of the two, whole.
///
/// # Errors
/// When the folders cannot be renamed or removed.
pub fn replace(dir: &Path) -> Result<(), IndexError> {
    let new = beside(dir);
    swap(dir, &new).map_err(|e| IndexError::Io(Box::new(e)))
}

fn swap(dir: &Path, new: &Path) -> io::Result<()> {
    let old = if !dir.exists() {
        std::fs::rename(new, dir)?;
        None
    } else if renameat_with(CWD, new, CWD, dir, RenameFlags::EXCHANGE).is_ok() {
        Some(new.to_owned())
    } else {
        // A file system that cannot exchange two folders at once: there is none for a moment.
        let old = dir.with_extension("old");
        remove(&old)?;
        std::fs::rename(dir, &old)?;
        std::fs::rename(new, dir)?;
        Some(old)
    };
    if let Some(home) = dir.parent().filter(|p| !p.as_os_str().is_empty()) {
        File::open(home)?.sync_all()?;
    }
    old.map_or(Ok(()), |old| remove(&old))
}

/// Removes a folder that may not be there.
pub(super) fn remove(dir: &Path) -> io::Result<()> {
    match std::fs::remove_dir_all(dir) {
        Err(e) if e.kind() == io::ErrorKind::NotFound => Ok(()),
        done => done,
    }
}

/// Removes what an attempt that was cut short left beside a folder.
///
/// # Errors
/// When it cannot be removed.
pub fn clear(dir: &Path) -> Result<(), IndexError> {
    let left = [beside(dir), dir.with_extension("old")];
    left.iter().try_for_each(|left| remove(left)).map_err(|e| IndexError::Io(Box::new(e)))
}

/// Bytes of the files of a folder.
pub fn size(dir: &Path) -> u64 {
    let files = std::fs::read_dir(dir).into_iter().flatten().flatten();
    files.filter_map(|f| f.metadata().ok()).map(|m| m.len()).sum()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn one_of_the_two_is_always_there() {
        let home = tempfile::tempdir().expect("a folder");
        let dir = home.path().join("index");
        let build = |text: &str| {
            std::fs::create_dir(beside(&dir)).expect("made");
            std::fs::write(beside(&dir).join("a"), text).expect("written");
        };
        let is = || std::fs::read_to_string(dir.join("a")).expect("read");
        for text in ["first", "second"] {
            build(text);
            replace(&dir).expect("replaced");
            assert_eq!((is().as_str(), beside(&dir).exists(), size(&dir)), (text, false, text.len() as u64));
        }
        build("cut short");
        clear(&dir).expect("cleared");
        assert_eq!((is().as_str(), beside(&dir).exists()), ("second", false));
    }
}
