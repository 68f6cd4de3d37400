//! The end of a file that may still grow, line by line.

use std::fs::File;
use std::io::{self, Read, Seek, SeekFrom};
use std::path::{Path, PathBuf};

/// How much is read at once. A line that is longer comes in pieces.
const CHUNK: usize = 64 * 1024;

/// A file, read up to somewhere.
#[derive(Debug)]
pub(super) struct Tail {
    path: PathBuf,
    offset: u64,
    /// What was read of a line that isn't whole.
    rest: Vec<u8>,
}

impl Tail {
    /// Begins with the last lines of a file, or with its beginning.
    pub(super) fn open(path: PathBuf, lines: Option<usize>) -> io::Result<Self> {
        let offset = match lines {
            Some(lines) => last_lines(&path, lines)?,
            None => 0,
        };
        Ok(Self {
            path,
            offset,
            rest: Vec::new(),
        })
    }

    pub(super) fn path(&self) -> &Path {
        &self.path
    }

    /// Hands over the lines that were added, without their ends.
    pub(super) fn lines<E>(
        &mut self,
        take: &mut dyn FnMut(&[u8]) -> Result<(), E>,
    ) -> Result<io::Result<()>, E> {
        let mut file = match self.file() {
            Ok(file) => file,
            Err(error) => return Ok(Err(error)),
        };
        let mut chunk = vec![0; CHUNK];
        loop {
            let read = match file.read(&mut chunk) {
                Ok(0) => return Ok(Ok(())),
                Ok(read) => read,
                Err(error) if error.kind() == io::ErrorKind::Interrupted => continue,
                Err(error) => return Ok(Err(error)),
            };
            self.offset += read as u64;
            self.rest.extend_from_slice(&chunk[..read]);
            let mut from = 0;
            while let Some(end) = self.rest[from..].iter().position(|byte| *byte == b'\n') {
                take(&self.rest[from..from + end])?;
                from += end + 1;
            }
            self.rest.drain(..from);
            if self.rest.len() >= CHUNK {
                take(&std::mem::take(&mut self.rest))?;
            }
        }
    }

    /// Hands over a last line that has no end.
    pub(super) fn finish<E>(
        &mut self,
        take: &mut dyn FnMut(&[u8]) -> Result<(), E>,
    ) -> Result<(), E> {
        if self.rest.is_empty() {
            return Ok(());
        }
        take(&std::mem::take(&mut self.rest))
    }

    fn file(&self) -> io::Result<File> {
        let mut file = File::open(&self.path)?;
        file.seek(SeekFrom::Start(self.offset))?;
        Ok(file)
    }
}

/// Returns where the last so many lines of a file begin.
fn last_lines(path: &Path, lines: usize) -> io::Result<u64> {
    let mut file = File::open(path)?;
    let size = file.metadata()?.len();
    let mut end = size;
    let mut found = 0;
    let mut chunk = vec![0; CHUNK];
    while end > 0 {
        let start = end.saturating_sub(CHUNK as u64);
        let part = &mut chunk[..usize::try_from(end - start).unwrap_or(CHUNK)];
        file.seek(SeekFrom::Start(start))?;
        file.read_exact(part)?;
        for (at, byte) in part.iter().enumerate().rev() {
            let place = start + at as u64;
            // The end of the last line begins no other.
            if *byte != b'\n' || place + 1 == size {
                continue;
            }
            found += 1;
            if found == lines {
                return Ok(place + 1);
            }
        }
        end = start;
    }
    Ok(if lines == 0 { size } else { 0 })
}

#[cfg(test)]
mod tests {
    use std::convert::Infallible;
    use std::fs;

    use super::*;

    fn lines(tail: &mut Tail) -> Vec<String> {
        let mut found = Vec::new();
        let mut take = |line: &[u8]| {
            found.push(String::from_utf8_lossy(line).into_owned());
            Ok::<(), Infallible>(())
        };
        tail.lines(&mut take).unwrap().unwrap();
        found
    }

    #[test]
    fn a_file_that_grows_is_read_on_by_whole_lines() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("log");
        fs::write(&path, "one\ntw").unwrap();
        let mut tail = Tail::open(path.clone(), None).unwrap();
        assert_eq!(lines(&mut tail), ["one"]);
        fs::write(&path, "one\ntwo\n\nthree").unwrap();
        assert_eq!(lines(&mut tail), ["two", ""]);
        let mut last = Vec::new();
        let mut take = |line: &[u8]| {
            last.extend_from_slice(line);
            Ok::<(), Infallible>(())
        };
        tail.finish(&mut take).unwrap();
        assert_eq!(last, b"three");
    }

    #[test]
    fn the_last_lines_are_found_from_behind() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("log");
        let long = "x".repeat(CHUNK + 17);
        fs::write(&path, format!("a\n{long}\nb\nc\n")).unwrap();
        for (count, expected) in [
            (0, vec![]),
            (1, vec!["c"]),
            (2, vec!["b", "c"]),
            (
                9,
                vec!["a", &long[..CHUNK - 2], &long[CHUNK - 2..], "b", "c"],
            ),
        ] {
            let mut tail = Tail::open(path.clone(), Some(count)).unwrap();
            let found = lines(&mut tail);
            assert_eq!(found.concat(), expected.concat(), "{count}");
        }
        fs::write(&path, "").unwrap();
        let mut tail = Tail::open(path, Some(3)).unwrap();
        assert_eq!(lines(&mut tail), Vec::<String>::new());
    }
}
