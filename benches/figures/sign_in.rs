//! Passwords checked for people who sign in, against as many workers that do nothing but hash.

use std::net::{IpAddr, Ipv4Addr};
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::{Duration, Instant};

use argon2::{Algorithm, Argon2, Block, Params, Version};
use idp::actions::Visitor;
use idp::actions::sign_in::{Progress, with_password};
use idp::password::Argon2Params;
use idp::sessions::Stage;

use crate::Figures;
use crate::provider::{PASSWORD, Provider};

/// People who sign in at the same time.
const REQUESTERS: usize = 8;

const ROUND: Duration = Duration::from_secs(2);

pub fn figures(figures: &Figures) {
    let name = "sign-ins with a right password, 8 requesters, 1/s";
    if !figures.wants(name) {
        return;
    }
    let workers = std::thread::available_parallelism().map_or(1, usize::from);
    let provider = Provider::with_people(REQUESTERS, workers);
    figures.pair(name, 0.9, || sign_ins(&provider), || bare_hashes(workers), 7);
}

/// Each requester signs in as one person again and again: the right password, a pending session, its audit entry.
fn sign_ins(provider: &Provider) -> f64 {
    per_second(REQUESTERS, |n| {
        let visitor = Visitor {
            address: IpAddr::V4(Ipv4Addr::new(192, 0, 2, u8::try_from(n).expect("few requesters"))),
            user_agent: "Mozilla/5.0 (X11; Linux x86_64; rv:140.0) Gecko/20100101 Firefox/140.0".into(),
            request_id: "AAAAAAAAAAAAA".into(),
            device: None,
            session: None,
        };
        let email = provider.people[n].email.as_str();
        let progress = with_password(provider.means(), email, PASSWORD, "", &visitor).expect("a free worker");
        assert!(matches!(progress, Progress::Onwards { stage: Stage::Pending, .. }), "{progress:?}");
    })
}

/// Argon2id on memory that is kept, as the workers of the pool do it, and nothing else.
fn bare_hashes(workers: usize) -> f64 {
    let params = Argon2Params::current();
    let argon2_params =
        Params::new(params.memory_kib(), params.passes(), params.lanes(), Some(32)).expect("parameters");
    let argon2 = Argon2::new(Algorithm::Argon2id, Version::V0x13, argon2_params);
    let memories: Vec<_> = (0..workers).map(|_| std::sync::Mutex::new(vec![Block::new(); params.blocks()])).collect();
    per_second(workers, |n| {
        let (mut output, mut memory) = ([0; 32], memories[n].lock().expect("its one user"));
        argon2
            .hash_password_into_with_memory(PASSWORD.as_bytes(), &[7; 16], &mut output, memory.as_mut_slice())
            .expect("a hash");
        std::hint::black_box(output);
    })
}

/// How often `once` was done in a second by `threads`, each calling it with its number.
fn per_second(threads: usize, once: impl Fn(usize) + Sync) -> f64 {
    let (done, begun) = (AtomicUsize::new(0), Instant::now());
    std::thread::scope(|scope| {
        for n in 0..threads {
            let (done, once) = (&done, &once);
            scope.spawn(move || {
                while begun.elapsed() < ROUND {
                    once(n);
                    done.fetch_add(1, Ordering::Relaxed);
                }
            });
        }
    });
    done.into_inner() as f64 / begun.elapsed().as_secs_f64()
}
