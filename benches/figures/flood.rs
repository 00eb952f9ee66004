//! How soon those who are signed in are answered while very many sign in, against when nobody does.

use std::net::SocketAddr;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::time::{Duration, Instant};

use crate::Figures;
use crate::edge::serve;
use crate::load::{Connection, SignInForm, get, p99_micros};
use crate::provider::{PASSWORD, Provider};

/// Clients that sign in again and again, half of them with a right password.
const FLOOD: usize = 64;

const ROUND: Duration = Duration::from_secs(2);
const ROUNDS: usize = 3;

pub fn figures(figures: &Figures) {
    let check = "flood: a session check while 64 sign in, p99 µs";
    if !figures.wants(check) {
        return;
    }
    let workers = std::thread::available_parallelism().map_or(1, usize::from);
    let provider = Provider::with_people(FLOOD, workers);
    let app = Arc::clone(&provider.app);
    let (addr, stopper) = serve(Arc::new(move |request| app.handle(request)));
    let request = get("/", Some(&provider.full_session(&provider.people[0])));
    let done = AtomicUsize::new(0);
    figures.pair_at_most(
        check,
        3.0,
        || flooded_by(addr, &done, || checks(addr, &request)),
        || checks(addr, &request),
        ROUNDS,
    );
    let rate = done.into_inner() as f64 / (ROUNDS as f64 * (ROUND + WARM).as_secs_f64());
    figures.fact("flood: answered sign-ins, 1/s", || rate);
    stopper.stop();
}

/// Until a flood has filled the queue.
const WARM: Duration = Duration::from_millis(300);

/// Those who are signed in, and how long each waits between two requests.
const CONNECTIONS: usize = 4;
const PAUSE: Duration = Duration::from_millis(2);

/// The 99th percentile of checks on a few connections, each with a pause after it.
fn checks(addr: SocketAddr, request: &str) -> f64 {
    let check = || {
        let (mut connection, begun, mut times) = (Connection::open(addr), Instant::now(), Vec::new());
        while begun.elapsed() < ROUND {
            let sent = Instant::now();
            let status = connection.ask(request);
            times.push(sent.elapsed());
            assert_eq!(status, 303);
            std::thread::sleep(PAUSE);
        }
        times
    };
    let times: Vec<_> = std::thread::scope(|scope| {
        let threads: Vec<_> = (0..CONNECTIONS).map(|_| scope.spawn(check)).collect();
        threads.into_iter().flat_map(|t| t.join().expect("a client")).collect()
    });
    p99_micros(times)
}

/// What `measure` says while the flood goes on.
fn flooded_by(addr: SocketAddr, done: &AtomicUsize, measure: impl FnOnce() -> f64) -> f64 {
    let (stop, form) = (AtomicBool::new(false), SignInForm::get(addr));
    std::thread::scope(|scope| {
        for n in 0..FLOOD {
            let (stop, form) = (&stop, &form);
            scope.spawn(move || {
                let mut connection = Connection::open(addr);
                while !stop.load(Ordering::Relaxed) {
                    sign_in(&mut connection, form, n, done.fetch_add(1, Ordering::Relaxed));
                }
            });
        }
        std::thread::sleep(WARM);
        let measured = measure();
        stop.store(true, Ordering::Relaxed);
        measured
    })
}

/// Client `n` tries for the `count`th time of all. Guesses are spread over addresses and names, so that each is hashed:
/// what is refused before costs next to nothing.
fn sign_in(connection: &mut Connection, form: &SignInForm, n: usize, count: usize) {
    let right = n.is_multiple_of(2);
    let (email, password) = match right {
        true => (format!("person{n}@fernhill.example"), PASSWORD),
        false => (format!("guess{count}@fernhill.example"), "correct horse battery"),
    };
    let [.., a, b, c] = count.to_be_bytes();
    let from = format!("X-Forwarded-For: 10.{a}.{b}.{c}\r\n");
    let status = connection.ask(&form.filled(&email, password, &from));
    assert_eq!(status, if right { 303 } else { 401 });
}
