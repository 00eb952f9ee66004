//! The working memory of one hashing worker: an anonymous mapping of its own.
//!
//! A mapping and not a `Vec`, because what goes back to the allocator need not go back to the system: with the heap,
//! resident memory stayed at 119 MB after a burst. Architecture invariant: this file and
//! [`super::outq`], which asks the system one question, are the only ones with `unsafe` in them.

#![allow(unsafe_code)]

use std::io;
use std::ptr::NonNull;

use argon2::Block;

/// Argon2 blocks of 1 KiB each, zero at first, unmapped when dropped. Left out of core dumps on Linux.
#[derive(Debug)]
pub struct Blocks {
    start: NonNull<Block>,
    count: usize,
}

// SAFETY: the mapping belongs to this value alone and is reached only through it, so it may move between threads as a
// `Vec<Block>` may.
unsafe impl Send for Blocks {}

impl Blocks {
    /// Maps `count` blocks, all zero. No page is resident before it is written to.
    ///
    /// # Errors
    /// When `count` is zero or the system has no memory to give.
    pub fn map(count: usize) -> io::Result<Self> {
        let bytes = count.checked_mul(Block::SIZE).filter(|b| *b > 0).ok_or(io::ErrorKind::InvalidInput)?;
        // SAFETY: a new private anonymous mapping at an address of the system's choice touches no memory in use.
        let start = unsafe {
            libc::mmap(
                std::ptr::null_mut(),
                bytes,
                libc::PROT_READ | libc::PROT_WRITE,
                libc::MAP_PRIVATE | libc::MAP_ANONYMOUS,
                -1,
                0,
            )
        };
        if start == libc::MAP_FAILED {
            return Err(io::Error::last_os_error());
        }
        #[cfg(target_os = "linux")]
        // SAFETY: the range is exactly the mapping just made. The advice changes no contents; if an old kernel does not
        // know it, nothing is lost but the courtesy.
        let _ = unsafe { libc::madvise(start, bytes, libc::MADV_DONTDUMP) };
        let start = NonNull::new(start.cast()).ok_or(io::ErrorKind::OutOfMemory)?;
        Ok(Self { start, count })
    }

    /// The blocks, to work in.
    pub fn as_mut_slice(&mut self) -> &mut [Block] {
        // SAFETY: `start` points to a live mapping of `count` blocks, readable and writable until `drop`. It is aligned:
        // a mapping starts at a page, and a page is a multiple of the 64 bytes that `Block` asks for. Any bytes are
        // valid blocks (they are arrays of `u64`), and the first ones are zero. The slice borrows `self` mutably, so
        // there is no other.
        unsafe { std::slice::from_raw_parts_mut(self.start.as_ptr(), self.count) }
    }

    /// How many blocks there are.
    pub fn count(&self) -> usize {
        self.count
    }

    /// How many bytes they take.
    pub fn bytes(&self) -> usize {
        self.count * Block::SIZE
    }

    /// Overwrites all of them with zeros.
    pub fn wipe(&mut self) {
        // Plain stores, which vectorise, and not volatile ones: the memory lies outside what the compiler knows the
        // owner of, so that it can not take them for dead.
        self.as_mut_slice().fill(Block::new());
    }
}

impl Drop for Blocks {
    fn drop(&mut self) {
        // No wipe: the system clears a page before anyone gets to see it again.
        // SAFETY: the range is exactly the mapping made in `map`, which nothing borrows any more.
        let _ = unsafe { libc::munmap(self.start.as_ptr().cast(), self.bytes()) };
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn blocks_start_zero_hold_what_is_written_and_are_wiped() {
        let mut blocks = Blocks::map(100).unwrap();
        assert_eq!((blocks.count(), blocks.bytes()), (100, 102_400));
        let zero = |b: &mut Blocks| b.as_mut_slice().iter().all(|b| b.as_ref().iter().all(|w| *w == 0));
        assert!(zero(&mut blocks));
        blocks.as_mut_slice()[99].as_mut()[127] = 7;
        assert_eq!(blocks.as_mut_slice()[99].as_ref()[127], 7);
        blocks.wipe();
        assert!(zero(&mut blocks));
    }

    #[test]
    fn what_can_not_be_mapped_is_an_error() {
        assert!(Blocks::map(0).is_err());
        assert!(Blocks::map(usize::MAX / 1024).is_err());
        assert!(Blocks::map(usize::MAX).is_err());
    }
}
