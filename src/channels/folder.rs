//! Mails as files, while there is no relay.

use std::fs::File;
use std::io::{self, Write};
use std::path::{Path, PathBuf};

/// Writes a mail as `NAME.eml`, whole or not at all. Doing so twice leaves one.
///
/// # Errors
/// When the folder cannot be made or written.
pub fn drop_mail(dir: &Path, name: &str, bytes: &[u8]) -> io::Result<PathBuf> {
    std::fs::create_dir_all(dir)?;
    let safe: String =
        name.chars().map(|c| if c.is_ascii_alphanumeric() || ".-_@".contains(c) { c } else { '_' }).collect();
    let path = dir.join(format!("{safe}.eml"));
    let half = dir.join(format!(".{safe}.half"));
    let mut file = File::create(&half)?;
    file.write_all(bytes)?;
    file.sync_all()?;
    std::fs::rename(&half, &path)?;
    File::open(dir)?.sync_all()?;
    Ok(path)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn one_file_a_mail_inside_the_folder() {
        let dir = tempfile::tempdir().expect("a folder");
        for _ in 0..2 {
            let path = drop_mail(dir.path(), "../../etc/x y", b"hello").expect("it is written");
            assert_eq!(path.parent(), Some(dir.path()));
        }
        assert_eq!(std::fs::read_dir(dir.path()).expect("files").count(), 1);
    }
}
