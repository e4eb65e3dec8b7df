//! Reads files that people name, never without end: a device has none, and a named pipe may never begin.

use std::fs::{File, Metadata};
use std::io::{Error, ErrorKind, Read as _, Result};
use std::path::Path;

/// Files of keys, tokens and secrets: a few hundred bytes; more is something else.
pub(crate) const SMALL: u64 = 64 * 1024;
/// Documents, and what was saved of a webhook.
pub(crate) const LARGE: u64 = 16 * 1024 * 1024;

/// Reads a file of at most so many bytes.
///
/// A pipe that the shell made, as of `<(pass show token)`, is read like a file: whoever writes there is there already.
pub(crate) fn read(file: &Path, most: u64) -> Result<Vec<u8>> {
    let wrong = |words: String| Err(Error::new(ErrorKind::InvalidInput, words));
    // Before it is opened: that alone waits for whoever writes to a named pipe.
    let meta = std::fs::metadata(file)?;
    if meta.is_dir() {
        return wrong("it is a folder".to_owned());
    }
    let readable = meta.is_file() || (is_pipe(&meta) && is_open_here(file));
    if !readable {
        return wrong("it is no regular file".to_owned());
    }
    let mut bytes = Vec::new();
    File::open(file)?.take(most.saturating_add(1)).read_to_end(&mut bytes)?;
    if u64::try_from(bytes.len()).is_ok_and(|len| len > most) {
        return wrong(format!("it has more than {most} bytes"));
    }
    Ok(bytes)
}

/// The same for text.
pub(crate) fn read_text(file: &Path, most: u64) -> Result<String> {
    // Without the error itself, which shows the bytes.
    String::from_utf8(read(file, most)?)
        .map_err(|_| Error::new(ErrorKind::InvalidData, "it is not text in UTF-8"))
}

/// Whether a path names what this process has open.
fn is_open_here(file: &Path) -> bool {
    ["/dev/fd", "/proc/self/fd", "/dev/stdin"].iter().any(|place| file.starts_with(place))
}

#[cfg(unix)]
fn is_pipe(meta: &Metadata) -> bool {
    std::os::unix::fs::FileTypeExt::is_fifo(&meta.file_type())
}

#[cfg(not(unix))]
fn is_pipe(_meta: &Metadata) -> bool {
    false
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn files_are_read_as_far_as_the_limit() {
        let folder = tempfile::tempdir().unwrap();
        let file = folder.path().join("file");
        std::fs::write(&file, "four").unwrap();
        assert_eq!(read(&file, 4).unwrap(), b"four");
        assert!(read(&file, 3).unwrap_err().to_string().contains("more than 3 bytes"));
        assert!(read(folder.path(), 4).unwrap_err().to_string().contains("folder"));
        std::fs::write(&file, b"\xff").unwrap();
        assert_eq!(read_text(&file, 4).unwrap_err().kind(), ErrorKind::InvalidData);
    }

    #[test]
    #[cfg(unix)]
    fn what_has_no_end_or_no_beginning_is_refused() {
        let folder = tempfile::tempdir().unwrap();
        let pipe = folder.path().join("pipe");
        assert!(std::process::Command::new("mkfifo").arg(&pipe).status().unwrap().success());
        for file in [Path::new("/dev/zero"), &pipe] {
            assert!(read(file, SMALL).unwrap_err().to_string().contains("no regular file"));
        }
    }
}
