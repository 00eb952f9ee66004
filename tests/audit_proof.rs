//! The proof of an export: what it shows, and everything that somebody might try who wants to show something else.

mod agreed;
mod cli;
mod edited;
mod erased;
mod forged;
mod forger;
mod fuzz;
mod second;

use std::fs;

use idp::audit::checkpoint::Checkpoint;
use idp::audit::judge::{Finding, Trust, Verdict, judge};
use idp::audit::note::VerifierKey;
use idp::audit::table::Seal;
use idp::users::Role;

use crate::cli_world::{Folder, add_note, add_person};

/// An instance with people and notes, of which exports are made.
pub struct Trail {
    pub folder: Folder,
    pub key: VerifierKey,
}

/// An export and its proof, as they were written.
#[derive(Clone)]
pub struct Exported {
    pub export: String,
    pub proof: String,
}

impl Trail {
    pub fn new() -> Self {
        let folder = Folder::new();
        let store = folder.store();
        let mara = add_person(&store, "mara@fernhill.example", "Mara", Role::Owner);
        for n in 0..3 {
            add_note(&store, &mara, &format!("note {n} \u{200b}\u{e9}\t\"quoted\""));
        }
        let jonas = add_person(&store, "jonas@fernhill.example", "Jonas", Role::Member);
        add_note(&store, &jonas, "note 3");
        drop(store);
        let key = folder.idp(&["audit", "key", "export-public"]).done().parse().unwrap();
        Self { folder, key }
    }

    /// Exports with these further arguments.
    pub fn export(&self, args: &[&str]) -> Exported {
        let [export, proof] = ["export", "proof"].map(|name| self.folder.beside(name));
        for file in [&export, &proof] {
            let _ = fs::remove_file(file);
        }
        let files = ["-o", "export", "--proof", "proof"];
        self.folder.idp(&[&["audit", "export"], args, &files].concat()).done();
        Exported { export: fs::read_to_string(export).unwrap(), proof: fs::read_to_string(proof).unwrap() }
    }

    pub fn notes(&self) -> Exported {
        self.export(&["--action", "user.note_added"])
    }

    /// What somebody knows who has the public key.
    pub fn keyed(&self) -> Trust {
        Trust { keys: vec![self.key.clone()], anchors: Vec::new() }
    }
}

impl Exported {
    /// The checkpoint at the end of the proof.
    pub fn checkpoint(&self) -> Checkpoint {
        Seal::parse(self.proof.lines().last().unwrap()).unwrap().checkpoint
    }

    pub fn anchored(&self) -> Trust {
        Trust { keys: Vec::new(), anchors: vec![self.checkpoint()] }
    }

    pub fn judged(&self, trust: &Trust) -> Verdict {
        judge(self.export.as_bytes(), self.proof.as_bytes(), trust).unwrap()
    }

    pub fn found(&self, trust: &Trust) -> Finding {
        self.judged(trust).finding
    }
}

/// What is said of something that is not as it was.
pub fn said(finding: &Finding) -> String {
    match finding {
        Finding::Invalid(what)
        | Finding::Diverged(what)
        | Finding::Restored(what)
        | Finding::Incomplete(what)
        | Finding::Unclear(what) => format!("{}: {what}", finding.word()),
        Finding::Unanchored | Finding::Anchored(_) => finding.word().to_owned(),
    }
}

#[track_caller]
pub fn assert_said(finding: &Finding, begins: &str, holds: &str) {
    let said = said(finding);
    assert!(said.starts_with(begins) && said.contains(holds), "{said}");
}
