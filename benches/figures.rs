//! Figures, each beside its limit: the thing and the bare minimum of the same work run in turns, in one process, and
//! what counts is their ratio. Absolute figures drift with the machine.
//!
//! `cargo bench` runs all, `cargo bench -- edge audit` those whose name holds one of the words; with the word `quick`
//! what needs a large organisation is given a small one, to see that it runs. One file per subject in `figures/`; each
//! has a function that is handed the [`Figures`] to add its rows to.

#[path = "figures/append.rs"]
mod append;
#[path = "figures/backup.rs"]
mod backup;
#[path = "figures/binary.rs"]
mod binary;
#[path = "figures/board.rs"]
mod board;
#[path = "figures/edge.rs"]
mod edge;
#[path = "figures/flat.rs"]
mod flat;
#[path = "figures/flood.rs"]
mod flood;
#[path = "figures/history.rs"]
mod history;
#[path = "figures/load.rs"]
mod load;
#[path = "figures/pages.rs"]
mod pages;
#[path = "figures/proof.rs"]
mod proof;
#[path = "figures/provider.rs"]
mod provider;
#[path = "figures/sign_in.rs"]
mod sign_in;
#[path = "figures/trail.rs"]
mod trail;

use std::io::Write;
use std::time::Instant;

use history::{Histories, LARGE, QUICK};

/// Width of a row's name.
const NAME: usize = 60;

fn main() {
    let figures = Figures::from_arguments();
    print_surroundings();
    edge::figures(&figures);
    pages::figures(&figures);
    sign_in::figures(&figures);
    flood::figures(&figures);
    append::figures(&figures);
    let histories = Histories::new(if figures.quick { QUICK } else { LARGE });
    trail::figures(&figures, &histories);
    proof::figures(&figures, &histories);
    flat::figures(&figures, &histories);
    backup::figures(&figures, &histories);
    drop(histories);
    board::figures(&figures);
    binary::figures(&figures);
}

/// The table, and which of its rows are asked for.
pub struct Figures {
    words: Vec<String>,
    quick: bool,
}

impl Figures {
    fn from_arguments() -> Self {
        // Cargo adds `--bench`; no other option means anything here either.
        let words = std::env::args().skip(1).filter(|a| !a.starts_with('-'));
        let (quick, words): (Vec<_>, _) = words.partition(|word| word == "quick");
        Self { words, quick: !quick.is_empty() }
    }

    /// Whether the row called `name` is asked for: to be asked before setting up anything costly for it.
    pub fn wants(&self, name: &str) -> bool {
        self.words.is_empty() || self.words.iter().any(|w| name.contains(w.as_str()))
    }

    /// One row of rates, more being better: `ours` and `limit` take turns, `rounds` times each, and return what they
    /// measured. The goal is met when the ratio of the medians is at least `goal`.
    pub fn pair(&self, name: &str, goal: f64, ours: impl FnMut() -> f64, limit: impl FnMut() -> f64, rounds: usize) {
        self.row(name, Goal::AtLeast(goal), ours, limit, rounds);
    }

    /// One row of times or sizes, less being better; otherwise as [`Figures::pair`].
    pub fn pair_at_most(
        &self,
        name: &str,
        goal: f64,
        ours: impl FnMut() -> f64,
        limit: impl FnMut() -> f64,
        rounds: usize,
    ) {
        self.row(name, Goal::AtMost(goal), ours, limit, rounds);
    }

    /// One row that is measured once and held against a number that was promised, less being better.
    pub fn at_most(&self, name: &str, promised: f64, ours: impl FnMut() -> f64) {
        self.row(name, Goal::AtMost(1.0), ours, || promised, 1);
    }

    /// One row that has no goal: it explains the others.
    pub fn fact(&self, name: &str, figure: impl FnOnce() -> f64) {
        if self.wants(name) {
            println!("{name:<NAME$} {:>12.1}", figure());
        }
    }

    fn row(
        &self,
        name: &str,
        goal: Goal,
        mut ours: impl FnMut() -> f64,
        mut limit: impl FnMut() -> f64,
        rounds: usize,
    ) {
        if !self.wants(name) {
            return;
        }
        let (mut our_figures, mut limits) = (Vec::new(), Vec::new());
        for round in 0..rounds {
            // Who goes first changes, so that neither always finds the caches as the other left them.
            if round % 2 == 0 {
                our_figures.push(ours());
            }
            limits.push(limit());
            if round % 2 == 1 {
                our_figures.push(ours());
            }
        }
        let (ours, limit) = (median(our_figures), median(limits));
        let (sign, goal, met) = goal.judge(ours / limit);
        let verdict = if met { "ok" } else { "short" };
        println!("{name:<NAME$} {ours:>12.1} {limit:>12.1} {:>7.2} {sign}{goal:>5.2} {verdict}", ours / limit);
    }
}

#[derive(Clone, Copy)]
enum Goal {
    AtLeast(f64),
    AtMost(f64),
}

impl Goal {
    fn judge(self, ratio: f64) -> (&'static str, f64, bool) {
        match self {
            Self::AtLeast(goal) => (">=", goal, ratio >= goal),
            Self::AtMost(goal) => ("<=", goal, ratio <= goal),
        }
    }
}

/// The middle of `figures`.
///
/// # Panics
/// When there are none.
pub fn median(mut figures: Vec<f64>) -> f64 {
    figures.sort_by(f64::total_cmp);
    figures[figures.len() / 2]
}

/// What the figures depend on: cores, how busy they were before, and what a bare durable write costs here.
fn print_surroundings() {
    let cores = std::thread::available_parallelism().map_or(1, usize::from);
    let load = std::fs::read_to_string("/proc/loadavg").unwrap_or_default();
    let load = load.split(' ').take(3).collect::<Vec<_>>().join(" ");
    println!("cores {cores} · load {load} · fdatasync {:.0} µs (median)", fdatasync_micros());
    println!("{:<NAME$} {:>12} {:>12} {:>7} {:>7}", "figure", "ours", "limit", "ratio", "goal");
}

/// What making 4 KiB durable costs at this moment, in microseconds.
pub fn fdatasync_micros() -> f64 {
    let folder = tempfile::tempdir().expect("a temporary folder");
    let mut file = std::fs::File::create(folder.path().join("durable")).expect("a file in it");
    let mut once = || {
        file.write_all(&[1; 4096]).expect("4 KiB of disk");
        let begun = Instant::now();
        file.sync_data().expect("a disk that syncs");
        begun.elapsed().as_secs_f64() * 1e6
    };
    median((0..101).map(|_| once()).collect())
}
