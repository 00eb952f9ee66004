//! The workers that hash passwords, so that any number of sign-ins takes a known amount of memory.
//!
//! Each worker keeps one mapping of Argon2 memory between jobs. Within a burst the next job overwrites what the last
//! one left; zeroing in between would cost a tenth of the speed. When the queue has run dry the memory is zeroed, and
//! after half a minute of quiet it goes back to the system.
//!
//! Architecture invariant: a caller waits for a place among a bounded number, or is told at once to come back later.

use std::collections::VecDeque;
use std::fmt;
use std::io;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::mpsc::{SyncSender, sync_channel};
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};
use std::thread::{self, JoinHandle};
use std::time::{Duration, Instant};

use argon2::{Algorithm, Argon2, Params, Version};

use super::memory::Blocks;
use crate::password::{Argon2Params, Salt};
use crate::secret::Secret;

/// All places are taken. Answered as 503 with `Retry-After`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Busy {
    /// When it is worth asking again: about the time that the work now waiting takes, in whole seconds, 1 to 60.
    pub retry_after: Duration,
}

impl fmt::Display for Busy {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let seconds = self.retry_after.as_secs();
        write!(f, "Too many people are signing in at this moment. Try again in {seconds} s.")
    }
}

impl std::error::Error for Busy {}

/// How long a worker without work waits before it cleans up.
#[derive(Debug, Clone, Copy)]
pub struct Rest {
    /// Until it zeroes its memory. Long enough that people who sign in one after another do not pay for it each time.
    pub wipe_after: Duration,
    /// Then, until it gives the memory back to the system.
    pub give_back_after: Duration,
}

impl Default for Rest {
    /// 50 ms and 30 s.
    fn default() -> Self {
        Self { wipe_after: Duration::from_millis(50), give_back_after: Duration::from_secs(30) }
    }
}

/// A fixed number of hashing threads behind a bounded queue. Dropping it ends the threads.
pub struct HashPool {
    shared: Arc<Shared>,
    workers: Vec<JoinHandle<()>>,
}

impl HashPool {
    /// Starts `workers` threads, at least one, before which up to `bound` jobs may wait, at least one.
    ///
    /// # Errors
    /// When the system gives no more threads.
    pub fn new(workers: usize, bound: usize) -> io::Result<Self> {
        Self::with_rest(workers, bound, Rest::default())
    }

    /// As [`HashPool::new`], with other times for cleaning up.
    ///
    /// # Errors
    /// When the system gives no more threads.
    pub fn with_rest(workers: usize, bound: usize, rest: Rest) -> io::Result<Self> {
        let shared = Arc::new(Shared::new(workers.max(1), bound.max(1), rest));
        let mut pool = Self { shared, workers: Vec::with_capacity(workers) };
        for n in 0..pool.shared.workers {
            let shared = Arc::clone(&pool.shared);
            // 256 KiB of stack are plenty: what Argon2 needs lies in the mapping.
            let thread = thread::Builder::new().name(format!("hash-{n}")).stack_size(256 * 1024);
            let work = move || {
                give_way();
                work(&shared);
            };
            pool.workers.push(thread.spawn(work)?);
        }
        Ok(pool)
    }

    /// Argon2id (RFC 9106, version 0x13) of `password` with 32 bytes of output. Blocks until a worker has done it.
    ///
    /// # Errors
    /// [`Busy`] at once when the queue is full, and when the system has no memory for the job.
    pub fn hash(&self, password: Secret, params: Argon2Params, salt: &Salt) -> Result<[u8; 32], Busy> {
        let mut outputs = self.hash_all(vec![password], params, salt)?;
        outputs.pop().ok_or_else(|| self.shared.busy(&self.shared.lock()))
    }

    /// As [`HashPool::hash`], of several values under one salt, as one job: a set of codes takes one place in the queue,
    /// and is not refused half way.
    ///
    /// # Errors
    /// [`Busy`], as [`HashPool::hash`].
    pub fn hash_all(&self, passwords: Vec<Secret>, params: Argon2Params, salt: &Salt) -> Result<Vec<[u8; 32]>, Busy> {
        let (answer, answered) = sync_channel(1);
        {
            let mut queue = self.shared.lock();
            if queue.jobs.len() >= self.shared.bound {
                return Err(self.shared.busy(&queue));
            }
            queue.jobs.push_back(Job { passwords, params, salt: *salt, answer });
        }
        self.shared.more.notify_one();
        // No answer comes from a worker that got no memory.
        answered.recv().map_err(|_| self.shared.busy(&self.shared.lock()))
    }

    /// Bytes of Argon2 memory mapped at this moment.
    pub fn live_bytes(&self) -> usize {
        self.shared.live.load(Ordering::SeqCst)
    }

    /// The most bytes of Argon2 memory that were mapped at any moment since the start.
    pub fn peak_bytes(&self) -> usize {
        self.shared.peak.load(Ordering::SeqCst)
    }
}

/// Lets this thread yield its core to whoever else wants it: on Linux niceness is a thread's own. A hash takes tens of
/// milliseconds, and who is signed in must not wait behind those of a flood of sign-ins.
fn give_way() {
    // Where it is refused, hashing goes on as before, and checks of sessions only wait for longer.
    let _ = rustix::process::nice(19);
}

impl fmt::Debug for HashPool {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("HashPool").field("workers", &self.workers.len()).field("bound", &self.shared.bound).finish()
    }
}

impl Drop for HashPool {
    fn drop(&mut self) {
        self.shared.stop();
        for worker in self.workers.drain(..) {
            // A worker that panicked has said so already; there is nothing left of it to clean up.
            let _ = worker.join();
        }
    }
}

struct Job {
    passwords: Vec<Secret>,
    params: Argon2Params,
    salt: Salt,
    answer: SyncSender<Vec<[u8; 32]>>,
}

struct Queue {
    jobs: VecDeque<Job>,
    stopping: bool,
    last_took: Duration,
}

struct Shared {
    queue: Mutex<Queue>,
    more: Condvar,
    workers: usize,
    bound: usize,
    rest: Rest,
    live: AtomicUsize,
    peak: AtomicUsize,
}

/// What a worker does next.
enum Step {
    Hash(Job),
    Wipe,
    GiveBack,
    Stop,
}

/// In which state a worker's memory is.
enum Held {
    Nothing,
    Clean(Blocks),
    Used(Blocks),
}

impl Shared {
    fn new(workers: usize, bound: usize, rest: Rest) -> Self {
        Self {
            queue: Mutex::new(Queue { jobs: VecDeque::new(), stopping: false, last_took: Duration::ZERO }),
            more: Condvar::new(),
            workers,
            bound,
            rest,
            live: AtomicUsize::new(0),
            peak: AtomicUsize::new(0),
        }
    }

    fn stop(&self) {
        self.lock().stopping = true;
        self.more.notify_all();
    }

    /// No code panics while it holds the lock, so that a poisoned one holds a sound queue.
    fn lock(&self) -> MutexGuard<'_, Queue> {
        self.queue.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn busy(&self, queue: &Queue) -> Busy {
        let rounds = queue.jobs.len().div_ceil(self.workers);
        let wait = queue.last_took.saturating_mul(u32::try_from(rounds).unwrap_or(u32::MAX));
        Busy { retry_after: Duration::from_secs(wait.as_secs().saturating_add(1).min(60)) }
    }

    /// Waits for a job, or until it is time to clean up what the worker holds.
    fn next(&self, held: &Held) -> Step {
        let idle = |queue: &mut Queue| queue.jobs.is_empty() && !queue.stopping;
        let queue = self.lock();
        let (patience, then) = match held {
            Held::Used(_) => (self.rest.wipe_after, Step::Wipe),
            Held::Clean(_) => (self.rest.give_back_after, Step::GiveBack),
            Held::Nothing => {
                let queue = self.more.wait_while(queue, idle).unwrap_or_else(PoisonError::into_inner);
                return Self::take(queue).unwrap_or(Step::Stop);
            }
        };
        let (queue, _) = self.more.wait_timeout_while(queue, patience, idle).unwrap_or_else(PoisonError::into_inner);
        if queue.stopping && queue.jobs.is_empty() { Step::Stop } else { Self::take(queue).unwrap_or(then) }
    }

    fn take(mut queue: MutexGuard<'_, Queue>) -> Option<Step> {
        queue.jobs.pop_front().map(Step::Hash)
    }

    /// Memory of at least `count` blocks, what is held already if it is enough. The old goes before the new comes, so
    /// that one worker never holds two.
    fn room(&self, held: Held, count: usize) -> io::Result<Blocks> {
        match held {
            Held::Clean(blocks) | Held::Used(blocks) if blocks.count() >= count => return Ok(blocks),
            other => self.give_back(other),
        }
        let blocks = Blocks::map(count)?;
        let live = self.live.fetch_add(blocks.bytes(), Ordering::SeqCst) + blocks.bytes();
        self.peak.fetch_max(live, Ordering::SeqCst);
        Ok(blocks)
    }

    fn give_back(&self, held: Held) {
        if let Held::Clean(blocks) | Held::Used(blocks) = held {
            let bytes = blocks.bytes();
            drop(blocks);
            self.live.fetch_sub(bytes, Ordering::SeqCst);
        }
    }
}

fn work(shared: &Shared) {
    let mut held = Held::Nothing;
    loop {
        held = match (shared.next(&held), held) {
            (Step::Hash(job), held) => match shared.room(held, job.params.blocks()) {
                Ok(mut blocks) => {
                    // A stopwatch and no clock: it only tells the next one who is refused when to come back.
                    let start = Instant::now();
                    let output = argon2id(&job, &mut blocks);
                    shared.lock().last_took = start.elapsed();
                    // The caller may be gone, if its thread panicked; the work is done all the same.
                    let _ = job.answer.send(output);
                    Held::Used(blocks)
                }
                Err(_) => Held::Nothing,
            },
            (Step::Wipe, Held::Used(mut blocks)) => {
                blocks.wipe();
                Held::Clean(blocks)
            }
            (Step::Wipe, held) => held,
            (Step::GiveBack, held) => {
                shared.give_back(held);
                Held::Nothing
            }
            (Step::Stop, held) => return shared.give_back(held),
        }
    }
}

fn argon2id(job: &Job, blocks: &mut Blocks) -> Vec<[u8; 32]> {
    let params = Params::new(job.params.memory_kib(), job.params.passes(), job.params.lanes(), Some(32));
    let params = params.expect("Argon2Params holds only what Argon2 takes");
    let argon2 = Argon2::new(Algorithm::Argon2id, Version::V0x13, params);
    let hash = |password: &Secret| {
        let mut output = [0; 32];
        argon2
            .hash_password_into_with_memory(password.reveal().as_bytes(), &job.salt, &mut output, blocks.as_mut_slice())
            .expect("a salt of 16 bytes and an output of 32 are what Argon2 takes");
        output
    };
    job.passwords.iter().map(hash).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    const MIB_19: usize = 19 * 1024 * 1024;
    const NO_REST: Rest = Rest { wipe_after: Duration::ZERO, give_back_after: Duration::ZERO };
    const LONG_REST: Rest = Rest { wipe_after: Duration::ZERO, give_back_after: Duration::from_secs(3600) };

    fn one_shot(password: &str, params: Argon2Params, salt: &Salt) -> [u8; 32] {
        let params = Params::new(params.memory_kib(), params.passes(), params.lanes(), Some(32)).unwrap();
        let mut output = [0; 32];
        Argon2::new(Algorithm::Argon2id, Version::V0x13, params)
            .hash_password_into(password.as_bytes(), salt, &mut output)
            .unwrap();
        output
    }

    fn until(what: impl Fn() -> bool) {
        for _ in 0..60_000 {
            if what() {
                return;
            }
            thread::sleep(Duration::from_millis(1));
        }
        panic!("it did not come about");
    }

    /// Both strings were made with the reference implementation.
    #[test]
    fn a_hash_is_the_one_that_the_standard_gives() {
        let pool = HashPool::with_rest(1, 4, NO_REST).unwrap();
        for stored in [
            "$argon2id$v=19$m=19456,t=2,p=1$AAECAwQFBgcICQoLDA0ODw$gYJZtjEAJqjg26xdLmknq8/bB7MiWPrE9hsYuA+SkIU",
            "$argon2id$v=19$m=67,t=3,p=3$AAECAwQFBgcICQoLDA0ODw$Xup2ffZCcVe4Qfl/sPXuYGCgfAjd0978CssL3MOvJG0",
        ] {
            let stored: crate::password::PasswordHash = stored.parse().unwrap();
            let typed = |text| pool.hash(Secret::new(text), stored.params(), stored.salt()).unwrap();
            assert!(stored.matches(&typed("correct horse battery staple")));
            assert!(!stored.matches(&typed("correct horse battery stable")));
        }
    }

    #[test]
    fn sixty_four_at_once_never_take_more_memory_than_the_workers_have_and_each_ends_right_or_busy() {
        let pool = HashPool::with_rest(2, 8, LONG_REST).unwrap();
        let password = |n: u8| format!("password {n}");
        let ends: Vec<_> = thread::scope(|scope| {
            let hash = |n| pool.hash(Secret::new(password(n)), Argon2Params::current(), &[n; 16]);
            let threads: Vec<_> = (0..64).map(|n| (n, scope.spawn(move || hash(n)))).collect();
            threads.into_iter().map(|(n, thread)| (n, thread.join().unwrap())).collect()
        });
        assert_eq!(ends.len(), 64);
        for (n, end) in ends {
            match end {
                Ok(output) => assert_eq!(output, one_shot(&password(n), Argon2Params::current(), &[n; 16])),
                Err(busy) => assert!(busy.retry_after >= Duration::from_secs(1)),
            }
        }
        assert!(pool.peak_bytes() <= 2 * MIB_19, "{}", pool.peak_bytes());
    }

    #[test]
    fn memory_is_kept_between_jobs_and_given_back_when_it_is_quiet() {
        let keeping = HashPool::with_rest(1, 1, LONG_REST).unwrap();
        assert_eq!(keeping.live_bytes(), 0, "nothing is taken before the first job");
        for _ in 0..3 {
            keeping.hash(Secret::new("x"), Argon2Params::current(), &[0; 16]).unwrap();
            assert_eq!(keeping.live_bytes(), MIB_19);
        }
        let quiet = HashPool::with_rest(1, 1, NO_REST).unwrap();
        quiet.hash(Secret::new("x"), Argon2Params::current(), &[0; 16]).unwrap();
        until(|| quiet.live_bytes() == 0);
        quiet.hash(Secret::new("x"), Argon2Params::current(), &[0; 16]).unwrap();
        assert_eq!(quiet.peak_bytes(), MIB_19);
    }

    #[test]
    fn a_larger_job_gets_larger_memory_in_place_of_the_smaller() {
        let pool = HashPool::with_rest(1, 1, LONG_REST).unwrap();
        for (kib, bytes) in [(64, 64 * 1024), (256, 256 * 1024), (64, 256 * 1024)] {
            let params = Argon2Params::new(kib, 1, 1).unwrap();
            let output = pool.hash(Secret::new("x"), params, &[7; 16]).unwrap();
            assert_eq!(output, one_shot("x", params, &[7; 16]));
            assert_eq!(pool.live_bytes(), bytes);
        }
        assert_eq!(pool.peak_bytes(), 256 * 1024);
    }

    #[test]
    fn a_full_queue_answers_at_once_and_who_waits_in_it_is_served() {
        // No worker yet, so that nothing leaves the queue behind the test's back.
        let pool = HashPool { shared: Arc::new(Shared::new(1, 1, NO_REST)), workers: Vec::new() };
        let cheap = Argon2Params::new(8, 1, 1).unwrap();
        thread::scope(|scope| {
            let first = scope.spawn(|| pool.hash(Secret::new("first"), cheap, &[0; 16]));
            until(|| !pool.shared.lock().jobs.is_empty());
            let busy = pool.hash(Secret::new("second"), cheap, &[0; 16]).unwrap_err();
            assert_eq!(busy.retry_after, Duration::from_secs(1));
            scope.spawn(|| work(&pool.shared));
            assert_eq!(first.join().unwrap().unwrap(), one_shot("first", cheap, &[0; 16]));
            pool.shared.stop();
        });
    }

    #[test]
    fn the_time_to_come_back_after_grows_with_the_work_that_waits() {
        let shared = Shared::new(2, 8, NO_REST);
        let (answer, _answered) = sync_channel(1);
        let mut queue = Queue { jobs: VecDeque::new(), stopping: false, last_took: Duration::from_secs(3) };
        let job = || Job {
            passwords: vec![Secret::new("x")],
            params: Argon2Params::current(),
            salt: [0; 16],
            answer: answer.clone(),
        };
        queue.jobs.extend([job(), job(), job(), job()]);
        assert_eq!(shared.busy(&queue).retry_after, Duration::from_secs(7));
        queue.last_took = Duration::from_secs(300);
        assert_eq!(shared.busy(&queue).retry_after, Duration::from_secs(60));
    }

    #[test]
    fn a_worker_without_work_wipes_first_and_gives_back_later() {
        let shared = Shared::new(1, 1, NO_REST);
        let blocks = || shared.room(Held::Nothing, 8).unwrap();
        assert!(matches!(shared.next(&Held::Used(blocks())), Step::Wipe));
        assert!(matches!(shared.next(&Held::Clean(blocks())), Step::GiveBack));
        let (answer, _answered) = sync_channel(1);
        let job = Job { passwords: vec![Secret::new("x")], params: Argon2Params::current(), salt: [0; 16], answer };
        shared.lock().jobs.push_back(job);
        assert!(matches!(shared.next(&Held::Used(blocks())), Step::Hash(_)), "a job goes before cleaning up");
        shared.stop();
        assert!(matches!(shared.next(&Held::Used(blocks())), Step::Stop));
    }

    #[test]
    fn dropping_the_pool_ends_its_threads_and_its_memory() {
        let pool = HashPool::with_rest(3, 4, LONG_REST).unwrap();
        pool.hash(Secret::new("x"), Argon2Params::current(), &[0; 16]).unwrap();
        let shared = Arc::clone(&pool.shared);
        drop(pool);
        assert_eq!(shared.live.load(Ordering::SeqCst), 0);
        assert_eq!(Arc::strong_count(&shared), 1, "no thread holds it any more");
    }
}
