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
//! | an error that ended the transaction (a full disk) | failed | all failed |
//! | `BEGIN` or `COMMIT` | failed | all failed |

use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::mpsc::{Receiver, SendError, Sender, SyncSender, channel, sync_channel};
use std::thread::JoinHandle;
use std::time::Duration;

use rusqlite::Connection;

use super::{Error, ReadTx, Result, WriteTx, audit};
use crate::audit::{Actor, Event, Head, Record, Source};
use crate::time::{Clock, Timestamp};

/// The most jobs that share one commit.
const BATCH: usize = 256;

/// A clock that is behind the newest entry by more than this has stepped back; less is ordinary drift and slewing.
const STEP: Duration = Duration::from_secs(1);

/// Told to a job's requester once the batch's fate is known, with what to pass on.
type Reply = Box<dyn FnOnce(Result<()>, Relay) + Send>;

/// What a requester hears: how its job came out, and whom to tell next.
type Answer<T, E> = (Result<T, E>, Relay);

/// How many others a requester tells. Waking a thread costs a third of what an entry does; so the writer wakes few,
/// goes on to the next batch, and those wake the rest.
const PASSED_ON: usize = 7;

/// Replies of the same batch that the one who hears of its fate first passes on.
struct Relay {
    fate: Result<()>,
    replies: Vec<Reply>,
}

impl Relay {
    const NOBODY: Self = Self { fate: Ok(()), replies: Vec::new() };

    fn pass_on(self) {
        for reply in self.replies {
            reply(self.fate.clone(), Self::NOBODY);
        }
    }
}

/// What a job did: `None` if its part must be undone, else the entries that tell of it.
struct Ran {
    records: Option<Vec<Record>>,
    reply: Reply,
}

/// What to do, and how to say no when it could not even be begun.
struct Job {
    act: Box<dyn FnOnce(&WriteTx<'_>) -> Ran + Send>,
    refuse: Box<dyn FnOnce(Error) + Send>,
}

enum Message {
    Job(Job),
    #[cfg(feature = "faults")]
    WithConnection(Box<dyn FnOnce(&mut Connection) + Send>),
}

/// The thread and its queue.
pub struct Writer {
    queue: Option<Sender<Message>>,
    thread: Option<JoinHandle<()>>,
}

impl Writer {
    pub(super) fn start(conn: Connection, clock: Clock) -> Self {
        let (queue, jobs) = channel();
        let spawned = std::thread::Builder::new()
            .name("writer".into())
            .stack_size(1024 * 1024)
            .spawn(move || Loop { conn, clock, stepped: false }.run(&jobs));
        // Without the thread every change answers "stopped"; the process is out of threads and says so elsewhere.
        Self { queue: spawned.is_ok().then_some(queue), thread: spawned.ok() }
    }

    /// Runs `job` in the next batch and waits until it is durable.
    pub(super) fn run<T, E>(
        &self,
        job: impl FnOnce(&WriteTx<'_>) -> Result<(T, Vec<Record>), E> + Send + 'static,
    ) -> Result<T, E>
    where
        T: Send + 'static,
        E: From<Error> + Send + 'static,
    {
        let (answer, wait) = sync_channel(1);
        self.send(job_of(job, answer))?;
        let (outcome, relay) = wait.recv().unwrap_or_else(|_| (Err(Error::Stopped.into()), Relay::NOBODY));
        relay.pass_on();
        outcome
    }

    /// Runs `job` in some later batch and forgets it.
    pub(super) fn run_later(&self, job: impl FnOnce(&WriteTx<'_>) -> Result<((), Vec<Record>)> + Send + 'static) {
        let (answer, _) = sync_channel(1);
        // A queue that is gone means shutdown: what is sent here is no evidence and may be lost.
        let _ = self.send(job_of(job, answer));
    }

    fn send(&self, job: Job) -> Result<()> {
        self.queue.as_ref().ok_or(Error::Stopped)?.send(Message::Job(job)).map_err(|_| Error::Stopped)
    }

    #[cfg(feature = "faults")]
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

fn job_of<T, E>(
    job: impl FnOnce(&WriteTx<'_>) -> Result<(T, Vec<Record>), E> + Send + 'static,
    answer: SyncSender<Answer<T, E>>,
) -> Job
where
    T: Send + 'static,
    E: From<Error> + Send + 'static,
{
    let refused = answer.clone();
    Job {
        act: Box::new(move |tx| ran(job(tx), answer)),
        refuse: Box::new(move |e| tell(&refused, Err(e.into()), Relay::NOBODY)),
    }
}

fn ran<T, E>(done: Result<(T, Vec<Record>), E>, answer: SyncSender<Answer<T, E>>) -> Ran
where
    T: Send + 'static,
    E: From<Error> + Send + 'static,
{
    match done {
        Ok((value, records)) => Ran {
            records: Some(records),
            reply: Box::new(move |fate, relay| tell(&answer, fate.map(|()| value).map_err(E::from), relay)),
        },
        Err(e) => Ran { records: None, reply: Box::new(move |_, relay| tell(&answer, Err(e), relay)) },
    }
}

/// Tells a requester. One that did not wait for it undoes nothing, and passes nothing on.
fn tell<T, E>(answer: &SyncSender<Answer<T, E>>, outcome: Result<T, E>, relay: Relay) {
    if let Err(SendError((_, relay))) = answer.send((outcome, relay)) {
        relay.pass_on();
    }
}

struct Loop {
    conn: Connection,
    clock: Clock,
    stepped: bool,
}

impl Loop {
    fn run(mut self, jobs: &Receiver<Message>) {
        while let Ok(first) = jobs.recv() {
            let mut batch = Vec::new();
            let mut next = Some(first);
            while let Some(message) = next {
                match message {
                    Message::Job(job) => batch.push(job),
                    #[cfg(feature = "faults")]
                    Message::WithConnection(act) => act(&mut self.conn),
                }
                next = if batch.len() < BATCH { jobs.try_recv().ok() } else { None };
            }
            self.run_batch(batch);
        }
        // Closing the last connection of all processes folds the log into the file; a command beside a running server
        // leaves it to the server, which must not wait for it.
    }

    fn run_batch(&mut self, batch: Vec<Job>) {
        if batch.is_empty() {
            return;
        }
        let mut replies: Vec<Reply> = Vec::with_capacity(batch.len());
        let mut jobs = batch.into_iter();
        let fate = self.write(&mut jobs, &mut replies);
        if fate.is_err() && !self.conn.is_autocommit() {
            let _ = self.conn.execute_batch("ROLLBACK");
        }
        let mut replies = replies.into_iter();
        while let Some(first) = replies.next() {
            let others = replies.by_ref().take(PASSED_ON).collect();
            first(fate.clone(), Relay { fate: fate.clone(), replies: others });
        }
        if let Err(e) = fate {
            for job in jobs {
                (job.refuse)(e.clone());
            }
        }
    }

    /// Runs a batch up to and including its commit. Jobs that it did not come to stay in `jobs`.
    fn write(&mut self, jobs: &mut impl Iterator<Item = Job>, replies: &mut Vec<Reply>) -> Result<()> {
        self.execute("BEGIN IMMEDIATE")?;
        let mut head = audit::get_head(&ReadTx { conn: &self.conn })?;
        let now = self.clock.now();
        let (at, stepped) = self.moment(now, &mut head)?;
        for job in jobs {
            self.run_one(job, now, at, &mut head, replies)?;
        }
        self.execute("COMMIT")?; // the commit point
        self.stepped = stepped;
        Ok(())
    }

    /// The time of the batch's entries: the clock's, but never before the newest entry. Records a clock that went
    /// backwards, once; whether it is behind now counts only from the commit on. Everything else goes by the clock
    /// itself: by a time that stands still until the clock has caught up, no delay would end and no code from a phone
    /// would be right.
    fn moment(&self, clock: Timestamp, head: &mut Head) -> Result<(Timestamp, bool)> {
        let behind = head.at.since(clock);
        let at = clock.max(head.at);
        let stepped = behind > STEP;
        if stepped && !self.stepped {
            let seconds = u32::try_from(behind.as_secs()).unwrap_or(u32::MAX);
            let record =
                Record::new(Actor::System, &Source::default(), Event::ClockStepped { back_by_seconds: seconds });
            *head = audit::append(&self.conn, head, at, record)?;
        }
        Ok((at, stepped))
    }

    fn run_one(
        &self,
        job: Job,
        now: Timestamp,
        at: Timestamp,
        head: &mut Head,
        replies: &mut Vec<Reply>,
    ) -> Result<()> {
        if let Err(e) = self.execute("SAVEPOINT job") {
            (job.refuse)(e.clone());
            return Err(e);
        }
        let tx = WriteTx { read: ReadTx { conn: &self.conn }, now };
        let Ok(ran) = catch_unwind(AssertUnwindSafe(|| (job.act)(&tx))) else {
            // Its requester sees the dropped channel.
            return self.undo();
        };
        replies.push(ran.reply);
        let Some(records) = ran.records else { return self.undo() };
        // A job may have passed over an error that ended the transaction: its entries would then stand alone.
        self.still_open()?;
        // Before the entries: inside a savepoint SQLite copies each page that they touch once more, for each job.
        self.execute("RELEASE job")?;
        for record in records {
            // An entry that can not be written fails the whole batch: a change without its entry must not stay.
            *head = audit::append(&self.conn, head, at, record)?;
        }
        Ok(())
    }

    /// Runs a statement that every batch needs; it is compiled once.
    fn execute(&self, sql: &str) -> Result<()> {
        self.conn.prepare_cached(sql)?.execute([])?;
        Ok(())
    }

    /// Undoes one job's part, unless its error already ended the whole transaction.
    fn undo(&self) -> Result<()> {
        self.still_open()?;
        self.execute("ROLLBACK TO job")?;
        self.execute("RELEASE job")?;
        Ok(())
    }

    fn still_open(&self) -> Result<()> {
        if self.conn.is_autocommit() {
            return Err(Error::Other("another write of the batch ended the transaction; nothing was changed".into()));
        }
        Ok(())
    }
}
