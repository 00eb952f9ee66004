//! The one writer thread: it drains its queue into one transaction, so that many requests share one `fsync`.
//!
//! Reads top to bottom: take a batch, begin, run each job in a savepoint, append its audit entries at the chain's head,
//! commit, answer. **The commit point is the one line marked so.** Nothing is answered before it.
//!
//! Who learns what when something fails:
//!
//! | what fails | this job | others of the batch |
//! |---|---|---|
//! | the job's own rule or statement | undone, told why | go on |
//! | the job panics | undone, told "stopped" | go on |
//! | an error that ended the transaction (a full disk) | failed | all failed, with the same error |
//! | `BEGIN` or `COMMIT` | failed | all failed |

use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::mpsc::{Receiver, SendError, Sender, SyncSender, channel, sync_channel};
use std::sync::{Arc, Mutex, PoisonError};
use std::thread::JoinHandle;
use std::time::{Duration, Instant};

use rusqlite::Connection;

use super::{Error, Failed, ReadTx, Result, WriteTx, audit, notices};
use crate::audit::{Actor, Event, Head, Record, Source};
use crate::notices::due;
use crate::secret::random;
use crate::time::{Clock, Timestamp};

/// The most jobs that share one commit.
const BATCH: usize = 256;

/// A clock that is behind the newest entry by more than this has stepped back; less is ordinary drift and slewing.
const STEP: Duration = Duration::from_secs(1);

/// A batch that takes longer hangs: waiting for another process's lock ends after ten seconds.
const HUNG: Duration = Duration::from_secs(15);

/// What a requester hears: how its job came out, and whom to tell next.
type Answer<T, E> = (Result<T, E>, Relay);

/// How many others a requester tells. Waking a thread costs a third of what an entry does; so the writer wakes few,
/// goes on to the next batch, and those wake the rest. Tried: with 7 or 31 the rate of 64 requesters is lower.
const PASSED_ON: usize = 15;

/// Jobs of the same batch whose requesters the one who hears of its fate first tells.
struct Relay {
    fate: Result<()>,
    jobs: Vec<Box<dyn Job>>,
}

impl Relay {
    const NOBODY: Self = Self { fate: Ok(()), jobs: Vec::new() };

    fn pass_on(self) {
        for job in self.jobs {
            job.answer(self.fate.clone(), Self::NOBODY);
        }
    }
}

/// What to do in a transaction, and who waits for it.
trait Job: Send {
    /// Does it, once. `None` if its part must be undone, else the entries that tell of it.
    fn act(&mut self, tx: &WriteTx<'_>) -> Option<Vec<Record>>;

    /// What storage answered it, where that is why it failed.
    fn failure(&self) -> Option<&Error>;

    /// Tells the requester once the batch's fate is known, also of a job that was never begun.
    fn answer(self: Box<Self>, fate: Result<()>, relay: Relay);
}

struct Errand<F, T, E> {
    act: Option<F>,
    outcome: Option<Result<T, E>>,
    requester: SyncSender<Answer<T, E>>,
}

impl<F, T, E> Job for Errand<F, T, E>
where
    F: FnOnce(&WriteTx<'_>) -> Result<(T, Vec<Record>), E> + Send,
    T: Send,
    E: Failed,
{
    fn act(&mut self, tx: &WriteTx<'_>) -> Option<Vec<Record>> {
        let act = self.act.take()?;
        let (outcome, records) = match act(tx) {
            Ok((value, records)) => (Ok(value), Some(records)),
            Err(e) => (Err(e), None),
        };
        self.outcome = Some(outcome);
        records
    }

    fn failure(&self) -> Option<&Error> {
        self.outcome.as_ref()?.as_ref().err()?.storage()
    }

    fn answer(self: Box<Self>, fate: Result<()>, relay: Relay) {
        let outcome = match (self.outcome, fate) {
            // What the job itself refused stays refused, whatever became of the batch.
            (Some(Err(e)), _) => Err(e),
            (Some(Ok(value)), Ok(())) => Ok(value),
            (_, Err(e)) => Err(e.into()),
            (None, Ok(())) => Err(Error::Stopped.into()),
        };
        // One that did not wait for its answer passes nothing on.
        if let Err(SendError((_, relay))) = self.requester.send((outcome, relay)) {
            relay.pass_on();
        }
    }
}

enum Message {
    Job(Box<dyn Job>),
    #[cfg(feature = "testing")]
    WithConnection(Box<dyn FnOnce(&mut Connection) + Send>),
}

/// What the thread is at, for who asks whether it can still write.
struct Health {
    /// When the batch that it works on began.
    since: Option<Instant>,
    /// How the batch before came out.
    fate: Result<()>,
}

impl Health {
    fn judge(&self) -> Result<()> {
        if self.since.is_some_and(|since| since.elapsed() > HUNG) { Err(Error::Busy) } else { self.fate.clone() }
    }
}

/// The thread and its queue.
pub struct Writer {
    queue: Option<Sender<Message>>,
    thread: Option<JoinHandle<()>>,
    health: Arc<Mutex<Health>>,
    /// How many jobs were ever queued, for tests that want several in one batch.
    #[cfg(feature = "testing")]
    pub(super) sent: std::sync::atomic::AtomicUsize,
}

impl Writer {
    pub(super) fn start(conn: Connection, clock: Clock) -> Self {
        let (queue, jobs) = channel();
        let health = Arc::new(Mutex::new(Health { since: None, fate: Ok(()) }));
        let writing = Loop { conn, clock, salts: Salts::default(), stepped: false, health: Arc::clone(&health) };
        let thread = std::thread::Builder::new().name("writer".into()).stack_size(1024 * 1024);
        let spawned = thread.spawn(move || writing.run(&jobs));
        // Without the thread every change answers "stopped"; the process is out of threads and says so elsewhere.
        Self {
            queue: spawned.is_ok().then_some(queue),
            thread: spawned.ok(),
            health,
            #[cfg(feature = "testing")]
            sent: std::sync::atomic::AtomicUsize::new(0),
        }
    }

    /// Whether the thread is there, does not hang, and could write its last batch down. Costs a lock and no write.
    pub(super) fn check(&self) -> Result<()> {
        if self.thread.as_ref().is_none_or(JoinHandle::is_finished) {
            return Err(Error::Stopped);
        }
        self.health.lock().unwrap_or_else(PoisonError::into_inner).judge()
    }

    /// Runs `job` in the next batch and waits until it is durable.
    pub(super) fn run<T, E>(
        &self,
        job: impl FnOnce(&WriteTx<'_>) -> Result<(T, Vec<Record>), E> + Send + 'static,
    ) -> Result<T, E>
    where
        T: Send + 'static,
        E: Failed,
    {
        let (requester, wait) = sync_channel(1);
        self.send(Box::new(Errand { act: Some(job), outcome: None, requester }))?;
        let (outcome, relay) = wait.recv().unwrap_or_else(|_| (Err(Error::Stopped.into()), Relay::NOBODY));
        relay.pass_on();
        outcome
    }

    /// Runs `job` in some later batch and forgets it.
    pub(super) fn run_later(&self, job: impl FnOnce(&WriteTx<'_>) -> Result<((), Vec<Record>)> + Send + 'static) {
        let (requester, _) = sync_channel(1);
        // A queue that is gone means shutdown: what is sent here is no evidence and may be lost.
        let _ = self.send(Box::new(Errand { act: Some(job), outcome: None, requester }));
    }

    fn send(&self, job: Box<dyn Job>) -> Result<()> {
        self.queue.as_ref().ok_or(Error::Stopped)?.send(Message::Job(job)).map_err(|_| Error::Stopped)?;
        #[cfg(feature = "testing")]
        self.sent.fetch_add(1, std::sync::atomic::Ordering::SeqCst);
        Ok(())
    }

    #[cfg(feature = "testing")]
    pub(super) fn with_connection(&self, act: impl FnOnce(&mut Connection) + Send + 'static) {
        if let Some(queue) = &self.queue {
            let _ = queue.send(Message::WithConnection(Box::new(act)));
        }
    }
}

impl Drop for Writer {
    fn drop(&mut self) {
        // Closing the queue lets the thread finish what is in it.
        self.queue = None;
        if let Some(thread) = self.thread.take() {
            let _ = thread.join();
        }
    }
}

struct Loop {
    conn: Connection,
    clock: Clock,
    salts: Salts,
    stepped: bool,
    health: Arc<Mutex<Health>>,
}

impl Loop {
    fn run(mut self, jobs: &Receiver<Message>) {
        while let Ok(first) = jobs.recv() {
            let mut batch = Vec::new();
            let mut next = Some(first);
            while let Some(message) = next {
                match message {
                    Message::Job(job) => batch.push(job),
                    #[cfg(feature = "testing")]
                    Message::WithConnection(act) => act(&mut self.conn),
                }
                next = if batch.len() < BATCH { jobs.try_recv().ok() } else { None };
            }
            self.run_batch(batch);
        }
        // Closing the last connection of all processes folds the log into the file; a command beside a running server
        // leaves it to the server, which must not wait for it.
    }

    fn run_batch(&mut self, mut batch: Vec<Box<dyn Job>>) {
        if batch.is_empty() {
            return;
        }
        self.health.lock().unwrap_or_else(PoisonError::into_inner).since = Some(Instant::now());
        let fate = self.write(&mut batch);
        if fate.is_err() && !self.conn.is_autocommit() {
            let _ = self.conn.execute_batch("ROLLBACK");
        }
        *self.health.lock().unwrap_or_else(PoisonError::into_inner) = Health { since: None, fate: fate.clone() };
        let mut jobs = batch.into_iter();
        while let Some(first) = jobs.next() {
            let others = jobs.by_ref().take(PASSED_ON).collect();
            first.answer(fate.clone(), Relay { fate: fate.clone(), jobs: others });
        }
    }

    /// Runs a batch up to and including its commit.
    fn write(&mut self, batch: &mut [Box<dyn Job>]) -> Result<()> {
        self.execute("BEGIN IMMEDIATE")?;
        let mut head = audit::get_head(&ReadTx { conn: &self.conn })?;
        let now = self.clock.now();
        let (at, stepped) = self.moment(now, &mut head)?;
        for job in batch {
            self.run_one(job.as_mut(), now, at, &mut head)?;
        }
        self.execute("COMMIT")?; // the commit point
        self.stepped = stepped;
        Ok(())
    }

    /// The time of the batch's entries: the clock's, but never before the newest entry. Records a clock that went
    /// backwards, once; whether it is behind now counts only from the commit on. Everything else goes by the clock
    /// itself: by a time that stands still until the clock has caught up, no delay would end and no code from a phone
    /// would be right.
    fn moment(&mut self, clock: Timestamp, head: &mut Head) -> Result<(Timestamp, bool)> {
        let behind = head.at.since(clock);
        let at = clock.max(head.at);
        let stepped = behind > STEP;
        if stepped && !self.stepped {
            let seconds = u32::try_from(behind.as_secs()).unwrap_or(u32::MAX);
            let record =
                Record::new(Actor::System, &Source::default(), Event::ClockStepped { back_by_seconds: seconds });
            audit::append(&self.conn, head, at, self.salts.next(), record)?;
        }
        Ok((at, stepped))
    }

    fn run_one(&mut self, job: &mut dyn Job, now: Timestamp, at: Timestamp, head: &mut Head) -> Result<()> {
        self.execute("SAVEPOINT job")?;
        let tx = WriteTx { read: ReadTx { conn: &self.conn }, now };
        // A job that panicked has no outcome, and its requester is told that it was stopped.
        let records = catch_unwind(AssertUnwindSafe(|| job.act(&tx))).unwrap_or_default();
        let Some(records) = records else { return self.undo(job) };
        // A job may have passed over an error that ended the transaction: its entries would then stand alone.
        self.still_open(None)?;
        // Before the entries: inside a savepoint SQLite copies each page that they touch once more, for each job.
        self.execute("RELEASE job")?;
        for record in records {
            // Also of what an errand did not think of telling.
            for due in due(&record) {
                notices::insert(&self.conn, &due, now)?;
            }
            // An entry that can not be written fails the whole batch: a change without its entry must not stay.
            audit::append(&self.conn, head, at, self.salts.next(), record)?;
        }
        Ok(())
    }

    /// Runs a statement that every batch needs; it is compiled once.
    fn execute(&self, sql: &str) -> Result<()> {
        self.conn.prepare_cached(sql)?.execute([])?;
        Ok(())
    }

    /// Undoes one job's part, unless its error already ended the whole transaction.
    fn undo(&self, job: &dyn Job) -> Result<()> {
        self.still_open(job.failure())?;
        self.execute("ROLLBACK TO job")?;
        self.execute("RELEASE job")?;
        Ok(())
    }

    /// Whether the transaction goes on after a job that failed in this way, or did not say so.
    fn still_open(&self, failure: Option<&Error>) -> Result<()> {
        if self.conn.is_autocommit() {
            let unsaid =
                || Error::Other("another write of the batch ended the transaction; nothing was changed".into());
            return Err(failure.cloned().unwrap_or_else(unsaid));
        }
        Ok(())
    }
}

/// Salts for entries, from the system's generator: one system call for many entries instead of one for each.
struct Salts {
    bytes: [[u8; 16]; Self::AT_ONCE],
    left: usize,
}

impl Salts {
    const AT_ONCE: usize = 64;

    fn next(&mut self) -> [u8; 16] {
        if self.left == 0 {
            self.bytes = random::<{ 16 * Self::AT_ONCE }>().as_chunks().0.try_into().expect("16 bytes a salt");
            self.left = Self::AT_ONCE;
        }
        self.left -= 1;
        std::mem::take(&mut self.bytes[self.left])
    }
}

impl Default for Salts {
    fn default() -> Self {
        Self { bytes: [[0; 16]; Self::AT_ONCE], left: 0 }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_batch_that_hangs_and_one_that_could_not_be_written_are_told() {
        let long_ago = Instant::now().checked_sub(HUNG * 2);
        assert!(long_ago.is_some());
        assert!(matches!(Health { since: long_ago, fate: Ok(()) }.judge(), Err(Error::Busy)));
        assert!(Health { since: Some(Instant::now()), fate: Ok(()) }.judge().is_ok());
        assert!(matches!(Health { since: None, fate: Err(Error::Full) }.judge(), Err(Error::Full)));
    }
}
