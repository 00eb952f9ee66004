//! Verifying an export with its proof, against reading every line of both files as JSON, each in a thread, and hashing as
//! many bytes as the verifier has to.

use std::fs::File;
use std::hint::black_box;
use std::io::{BufRead, BufReader};
use std::sync::Arc;
use std::time::Instant;

use aws_lc_rs::digest::{Context, SHA256, digest};
use idp::actions::export::begin;
use idp::actions::prove::Proving;
use idp::audit::checkpoint::Checkpoint;
use idp::audit::export::Format;
use idp::audit::filter::Filter;
use idp::audit::judge::{Finding, Trust, judge};
use idp::audit::{Action, Actor, Source};
use serde_json::Value;

use crate::Figures;
use crate::history::{Histories, History};

const ROUNDS: usize = 3;

pub fn figures(figures: &Figures, histories: &Histories) {
    let everything = "audit: verify an export of everything by its proof, entries/s";
    let one = "audit: verify an export of one action by its proof, entries/s";
    for (name, filter) in [
        (everything, Filter::default()),
        (one, Filter { action: Some(Action::MfaFactorAdminReset), ..Filter::default() }),
    ] {
        if figures.wants(name) {
            let exported = Exported::new(histories.large(), &filter);
            figures.pair(name, 0.8, || exported.judged(), || exported.read(), ROUNDS);
        }
    }
}

/// An export with its proof, as files.
struct Exported {
    folder: tempfile::TempDir,
    anchor: Checkpoint,
}

impl Exported {
    fn new(history: &History, filter: &Filter) -> Self {
        let (store, source) = (&history.provider.means().store, Source::default());
        let folder = tempfile::tempdir().expect("a temporary folder");
        let through = begin(store, &source, filter, Format::JsonLines).expect("an entry");
        let proving = Proving::prepare(store, None).expect("a key");
        let mut export = proving.export(Arc::clone(store), (filter.clone(), Format::JsonLines, through));
        let mut out = File::create(folder.path().join("export")).expect("a file");
        std::io::copy(&mut export, &mut out).expect("an export");
        let anchor = export.sign(Actor::Host, &source).expect("a checkpoint");
        let mut out = File::create(folder.path().join("proof")).expect("a file");
        std::io::copy(&mut export.proof(anchor.clone()), &mut out).expect("a proof");
        Self { folder, anchor }
    }

    fn file(&self, name: &str) -> BufReader<File> {
        BufReader::with_capacity(128 * 1024, File::open(self.folder.path().join(name)).expect("a file"))
    }

    fn judged(&self) -> f64 {
        let trust = Trust { keys: Vec::new(), anchors: vec![self.anchor.clone()] };
        let begun = Instant::now();
        let verdict = judge(self.file("export"), self.file("proof"), &trust).expect("two files");
        assert!(matches!(verdict.finding, Finding::Anchored(_)), "{:?}", verdict.finding);
        self.anchor.point.seq as f64 / begun.elapsed().as_secs_f64()
    }

    fn read(&self) -> f64 {
        let begun = Instant::now();
        std::thread::scope(|scope| {
            // A row's entry is hashed; of the export, each body and all of the file.
            scope.spawn(|| {
                self.read_lines("proof", |line, _| {
                    black_box(digest(&SHA256, line));
                })
            });
            scope.spawn(|| {
                self.read_lines("export", |line, all| {
                    all.update(line);
                    black_box(digest(&SHA256, &line[line.len() / 2..]));
                });
            });
        });
        self.anchor.point.seq as f64 / begun.elapsed().as_secs_f64()
    }

    fn read_lines(&self, name: &str, hash: impl Fn(&[u8], &mut Context)) {
        let (mut file, mut line, mut all) = (self.file(name), Vec::new(), Context::new(&SHA256));
        while file.read_until(b'\n', &mut line).expect("a line") > 0 {
            black_box(serde_json::from_slice::<Value>(&line).expect("JSON"));
            hash(&line, &mut all);
            line.clear();
        }
        black_box(all.finish());
    }
}
