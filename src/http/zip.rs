//! Several files as one download: a zip archive that is made while it is read.
//!
//! Architecture invariant: an archive that was cut short does not open, because its list of files stands at its end.
//!
//! Why not a crate: those that are well kept push an archive into a file, while an answer here is read piece by piece; and
//! of all that they can do, this needs entries as they are. What is written is what has been opened everywhere for years:
//! files uncompressed, their lengths behind them (a "data descriptor"), for their length is not known before they were read;
//! and fields for lengths beyond 4 GiB ("zip64") only where there is such a length. See PKWARE's APPNOTE.TXT, 4.3.

use std::io::{self, Read};

use crc32fast::Hasher;

use crate::time::Timestamp;

/// Bytes that are read at a time.
const CHUNK: usize = 32 * 1024;
/// What stands in a field of 32 bits whose number stands elsewhere.
const FAR: u64 = u32::MAX as u64;

/// The files of an archive, one after the other.
pub trait Files {
    /// Begins the next one and says its name, in ASCII; none if there is none left.
    ///
    /// # Errors
    /// Then the archive is cut short.
    fn next(&mut self) -> io::Result<Option<String>>;

    /// Reads on in the one that was begun last.
    ///
    /// # Errors
    /// Then the archive is cut short.
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize>;
}

/// One file that was begun, or is whole.
struct Member {
    name: String,
    at: u64,
    size: u64,
    crc: u32,
}

/// The archive, to be read.
pub struct Zip<F> {
    files: F,
    /// When the files were made, as the format has it.
    made: (u16, u16),
    /// From which number on the long fields are used; another one in tests.
    far: u64,
    open: Option<(Member, Hasher)>,
    whole: Vec<Member>,
    ended: bool,
    /// Bytes that were made, also those that were given out.
    length: u64,
    bytes: Vec<u8>,
    given: usize,
}

impl<F: Files> Zip<F> {
    /// An archive of these files, made at this moment.
    pub fn new(files: F, at: Timestamp) -> Self {
        let (open, whole, bytes) = (None, Vec::new(), Vec::new());
        Self { files, made: dos_time(at), far: FAR, open, whole, ended: false, length: 0, bytes, given: 0 }
    }

    /// Makes the next piece, in place of the one that was given out.
    fn turn(&mut self) -> io::Result<()> {
        self.bytes.clear();
        self.given = 0;
        match self.open.take() {
            Some((member, hasher)) => self.go_on(member, hasher)?,
            None => match self.files.next()? {
                Some(name) => self.begin(name),
                None => self.end(),
            },
        }
        self.length += self.bytes.len() as u64;
        Ok(())
    }

    fn begin(&mut self, name: String) {
        debug_assert!(name.is_ascii(), "{name:?} would need a flag that says how it is spelt");
        let member = Member { name, at: self.length, size: 0, crc: 0 };
        put(&mut self.bytes, &[(0x0403_4b50, 4)]);
        self.bytes.extend(common(self.made, &member, 0, 0, 20));
        self.bytes.extend(member.name.as_bytes());
        self.open = Some((member, Hasher::new()));
    }

    fn go_on(&mut self, mut member: Member, mut hasher: Hasher) -> io::Result<()> {
        self.bytes.resize(CHUNK, 0);
        let count = self.files.read(&mut self.bytes)?;
        self.bytes.truncate(count);
        if count > 0 {
            hasher.update(&self.bytes);
            member.size += count as u64;
            self.open = Some((member, hasher));
            return Ok(());
        }
        member.crc = hasher.finalize();
        let width = if member.size >= self.far { 8 } else { 4 };
        put(&mut self.bytes, &[(0x0807_4b50, 4), (member.crc.into(), 4), (member.size, width), (member.size, width)]);
        self.whole.push(member);
        Ok(())
    }

    /// The list of files, and where it stands.
    fn end(&mut self) {
        let begins = self.length;
        for member in &self.whole {
            let far = member.size >= self.far || member.at >= self.far;
            let (needs, extra) = if far { (45, 28) } else { (20, 0) };
            let short = |number: u64| if far { FAR } else { number };
            put(&mut self.bytes, &[(0x0201_4b50, 4), (needs, 2)]);
            self.bytes.extend(common(self.made, member, short(member.size), extra, needs));
            // No comment, first disk, no attributes.
            put(&mut self.bytes, &[(0, 2), (0, 2), (0, 2), (0, 4), (short(member.at), 4)]);
            self.bytes.extend(member.name.as_bytes());
            if far {
                put(&mut self.bytes, &[(1, 2), (24, 2), (member.size, 8), (member.size, 8), (member.at, 8)]);
            }
        }
        let (count, size) = (self.whole.len() as u64, self.bytes.len() as u64);
        let far = begins >= self.far || size >= self.far;
        if far {
            let at = begins + size;
            put(&mut self.bytes, &[(0x0606_4b50, 4), (44, 8), (45, 2), (45, 2), (0, 4), (0, 4)]);
            put(&mut self.bytes, &[(count, 8), (count, 8), (size, 8), (begins, 8)]);
            put(&mut self.bytes, &[(0x0706_4b50, 4), (0, 4), (at, 8), (1, 4)]);
        }
        let (size, begins) = if far { (FAR, FAR) } else { (size, begins) };
        put(
            &mut self.bytes,
            &[(0x0605_4b50, 4), (0, 2), (0, 2), (count, 2), (count, 2), (size, 4), (begins, 4), (0, 2)],
        );
        self.ended = true;
    }
}

impl<F: Files> Read for Zip<F> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        while self.given == self.bytes.len() {
            if self.ended {
                return Ok(0);
            }
            self.turn()?;
        }
        let rest = &self.bytes[self.given..];
        let count = rest.len().min(buffer.len());
        buffer[..count].copy_from_slice(&rest[..count]);
        self.given += count;
        Ok(count)
    }
}

/// What a file's head has in common with its line in the list: a descriptor follows, nothing is compressed.
fn common((date, time): (u16, u16), member: &Member, size: u64, extra: u64, needs: u64) -> Vec<u8> {
    let mut bytes = Vec::with_capacity(26);
    put(&mut bytes, &[(needs, 2), (8, 2), (0, 2), (time.into(), 2), (date.into(), 2)]);
    put(&mut bytes, &[(member.crc.into(), 4), (size, 4), (size, 4), (member.name.len() as u64, 2), (extra, 2)]);
    bytes
}

/// Numbers, each in so many bytes, the lowest first.
fn put(bytes: &mut Vec<u8>, numbers: &[(u64, usize)]) {
    for (number, width) in numbers {
        bytes.extend(&number.to_le_bytes()[..*width]);
    }
}

/// Date and time as the format has them, in steps of two seconds from 1980 on.
fn dos_time(at: Timestamp) -> (u16, u16) {
    let text = at.to_seconds_text();
    let number = |from: usize, to: usize| text.get(from..to).and_then(|t| t.parse::<u16>().ok()).unwrap_or(0);
    let year = number(0, 4).clamp(1980, 2107) - 1980;
    let date = year << 9 | number(5, 7) << 5 | number(8, 10);
    (date, number(11, 13) << 11 | number(14, 16) << 5 | (number(17, 19) / 2))
}

#[cfg(test)]
mod tests {
    use std::process::Command;

    use super::*;

    /// Files in memory; the last one breaks off where that is asked for.
    struct Given(Vec<(&'static str, Vec<u8>)>, usize, bool);

    impl Files for Given {
        fn next(&mut self) -> io::Result<Option<String>> {
            self.1 = 0;
            Ok(self.0.first().map(|(name, _)| (*name).to_owned()))
        }

        fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
            let rest = &self.0[0].1[self.1..];
            let count = rest.len().min(buffer.len()).min(1_000);
            buffer[..count].copy_from_slice(&rest[..count]);
            self.1 += count;
            if count == 0 {
                self.0.remove(0);
                if self.2 && self.0.is_empty() {
                    return Err(io::Error::other("cut"));
                }
            }
            Ok(count)
        }
    }

    fn archive(cut: bool, far: u64) -> (Vec<u8>, io::Result<usize>) {
        let long: Vec<u8> = (0..100_000_u32).flat_map(u32::to_le_bytes).collect();
        let files = Given(vec![("a.txt", b"first\n".to_vec()), ("empty", Vec::new()), ("long.bin", long)], 0, cut);
        let mut zip = Zip { far, ..Zip::new(files, "2026-11-24T09:12:37Z".parse().unwrap()) };
        let mut bytes = Vec::new();
        let read = zip.read_to_end(&mut bytes);
        (bytes, read)
    }

    /// What Python's reader says of an archive: whether it opens, and a line for each file, of which it also compares what
    /// stands before and behind it with the list at the end.
    fn opened(bytes: &[u8]) -> (bool, String) {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("it.zip");
        std::fs::write(&path, bytes).unwrap();
        let python = Command::new("/usr/bin/python3").args(["-c", SCRIPT]).arg(&path).output().unwrap();
        (python.status.success(), String::from_utf8(python.stdout).unwrap())
    }

    const SCRIPT: &str = r#"
import hashlib, struct, sys, zipfile
with zipfile.ZipFile(sys.argv[1]) as z:
    assert z.testzip() is None
    at = 0
    for i in z.infolist():
        assert i.header_offset == at and i.flag_bits == 8 and i.compress_type == 0
        z.fp.seek(at + 30 + len(i.filename) + i.file_size)
        sign, crc, low = struct.unpack("<4sII", z.fp.read(12))
        wide = struct.unpack("<I", z.fp.read(4)) != (low,)
        assert sign == b"PK\x07\x08" and crc == i.CRC and low == i.file_size
        at += 30 + len(i.filename) + i.file_size + (24 if wide else 16)
        print(i.filename, i.file_size, i.date_time, hashlib.sha256(z.read(i)).hexdigest()[:8])
"#;

    #[test]
    fn an_archive_is_opened_by_others_with_short_and_with_long_fields() {
        for far in [FAR, 100, 5] {
            let (bytes, read) = archive(false, far);
            assert_eq!(read.unwrap(), bytes.len());
            let (fine, said) = opened(&bytes);
            assert!(fine, "{far}");
            let at = "(2026, 11, 24, 9, 12, 36)";
            let begins =
                [format!("a.txt 6 {at} b640e840"), format!("empty 0 {at} e3b0c442"), format!("long.bin 400000 {at} ")];
            for (line, begin) in said.lines().zip(&begins) {
                assert!(line.starts_with(begin), "{far}: {line}");
            }
            assert_eq!(said.lines().count(), 3);
        }
    }

    #[test]
    fn an_archive_that_was_cut_short_does_not_open() {
        let (cut, read) = archive(true, FAR);
        assert!(read.is_err() && cut.len() > 400_000);
        assert!(!opened(&cut).0);
    }
}
