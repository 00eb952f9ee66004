//! What another thread reads ahead: a bounded part of a file, so that two cores share a large one and memory does not grow.

use std::sync::mpsc::{Receiver, sync_channel};
use std::thread::Scope;

/// So many batches wait at the most.
const BATCHES: usize = 2;
/// A batch is handed over at so many items, or at so many bytes of them.
const ITEMS: usize = 256;
const BYTES: usize = 256 * 1024;

/// Items of another thread, in their order.
pub(super) struct Ahead<T> {
    batches: Receiver<Vec<T>>,
    batch: std::vec::IntoIter<T>,
}

impl<T: Send> Ahead<T> {
    /// Calls `next` in a thread of its own until it has nothing more, or nobody asks any more. With each item it says how
    /// many bytes that stands for.
    pub(super) fn begin<'s, 'e>(
        scope: &'s Scope<'s, 'e>,
        mut next: impl FnMut() -> Option<(T, usize)> + Send + 's,
    ) -> Self
    where
        T: 's,
    {
        let (give, batches) = sync_channel(BATCHES);
        scope.spawn(move || {
            let mut ended = false;
            while !ended {
                let (mut batch, mut bytes) = (Vec::new(), 0);
                while !ended && batch.len() < ITEMS && bytes < BYTES {
                    match next() {
                        Some((item, of)) => {
                            batch.push(item);
                            bytes += of;
                        }
                        None => ended = true,
                    }
                }
                if give.send(batch).is_err() {
                    return;
                }
            }
        });
        Self { batches, batch: Vec::new().into_iter() }
    }

    /// The next item. A thread that panicked has no more; its panic goes on where the scope ends.
    pub(super) fn next(&mut self) -> Option<T> {
        loop {
            if let Some(item) = self.batch.next() {
                return Some(item);
            }
            self.batch = self.batches.recv().ok()?.into_iter();
        }
    }
}
