//! A small pool of read connections: one is checked out per request, with one read transaction around it.

use std::path::{Path, PathBuf};
use std::sync::{Condvar, Mutex, PoisonError};

use super::{Error, ReadTx, Result, schema};
use rusqlite::Connection;

/// The most read connections. More requests than this wait; a lookup takes microseconds.
const MOST: usize = 4;

struct Pool {
    idle: Vec<Connection>,
    open: usize,
}

/// The pool.
pub struct Readers {
    path: PathBuf,
    pool: Mutex<Pool>,
    returned: Condvar,
}

impl Readers {
    pub(super) fn new(path: &Path) -> Self {
        Self {
            path: path.to_owned(),
            pool: Mutex::new(Pool { idle: Vec::with_capacity(MOST), open: 0 }),
            returned: Condvar::new(),
        }
    }

    pub(super) fn read<T, E: From<Error>>(&self, look: impl FnOnce(&ReadTx<'_>) -> Result<T, E>) -> Result<T, E> {
        let lent = Lent { readers: self, conn: Some(self.take()?) };
        let conn = lent.conn.as_ref().ok_or(Error::Stopped)?;
        execute(conn, "BEGIN")?;
        let seen = look(&ReadTx { conn });
        // Ends the snapshot whatever was seen; a panic in `look` drops the connection instead.
        execute(conn, "ROLLBACK")?;
        drop(lent);
        seen
    }

    fn take(&self) -> Result<Connection> {
        let mut pool = self.pool.lock().unwrap_or_else(PoisonError::into_inner);
        loop {
            if let Some(conn) = pool.idle.pop() {
                return Ok(conn);
            }
            if pool.open < MOST {
                pool.open += 1;
                drop(pool);
                return schema::open_reader(&self.path).inspect_err(|_| self.closed());
            }
            pool = self.returned.wait(pool).unwrap_or_else(PoisonError::into_inner);
        }
    }

    fn closed(&self) {
        self.pool.lock().unwrap_or_else(PoisonError::into_inner).open -= 1;
        self.returned.notify_one();
    }
}

fn execute(conn: &Connection, sql: &str) -> Result<()> {
    conn.prepare_cached(sql)?.execute([])?;
    Ok(())
}

/// A connection on loan. One that is still inside a transaction when it comes back is closed, not lent again.
struct Lent<'a> {
    readers: &'a Readers,
    conn: Option<Connection>,
}

impl Drop for Lent<'_> {
    fn drop(&mut self) {
        match self.conn.take() {
            Some(conn) if conn.is_autocommit() => {
                self.readers.pool.lock().unwrap_or_else(PoisonError::into_inner).idle.push(conn);
                self.readers.returned.notify_one();
            }
            _ => self.readers.closed(),
        }
    }
}
