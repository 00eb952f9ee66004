//! Exports and proofs of a trail of which old bodies were erased: what was recorded is believed, and nothing else.

use std::fs;
use std::io::Read;
use std::path::PathBuf;

use idp::actions::export::begin;
use idp::actions::prove::{ProvedExport, Proving};
use idp::actions::retention::erase;
use idp::audit::export::Format;
use idp::audit::filter::Filter;
use idp::audit::judge::{Finding, Trust, judge};
use idp::audit::note::VerifierKey;
use idp::audit::{Action, Actor, chain};
use idp::host::keys::{AuditSigningKey, load_audit};

use super::forger::{Forger, body};
use super::second::{Case, compare};
use super::{Exported, assert_said};
use crate::cli_world::idp_on;
use crate::retention::{Firm, STORY};
use crate::world::host;

/// A firm whose old entries are erased, and what an auditor knows of it.
struct Audited {
    firm: Firm,
    key: VerifierKey,
    through: i64,
}

impl Audited {
    fn new() -> Self {
        Self::of(Firm::aged(), true)
    }

    fn of(mut firm: Firm, erases: bool) -> Self {
        if erases {
            firm.world.sweep();
            firm.goes_on(2);
            // Something that is young and of a kind that can be erased.
            firm.ada();
        }
        let key = idp_on(&firm.world.data(), &["audit", "key", "export-public"]).done().parse().unwrap();
        let through = firm.world.count("SELECT pruned_through FROM instance");
        assert_eq!(through > 5, erases);
        Self { firm, key, through }
    }

    fn beside(&self, name: &str) -> PathBuf {
        self.firm.world.data().with_file_name(name)
    }

    fn export(&self, args: &[&str]) -> Exported {
        let files = ["export", "proof"].map(|name| self.beside(name));
        files.iter().for_each(|file| drop(fs::remove_file(file)));
        let [export, proof] = files.each_ref().map(|file| file.to_str().unwrap());
        idp_on(&self.firm.world.data(), &[&["audit", "export", "-o", export, "--proof", proof], args].concat()).done();
        let [export, proof] = files.map(|file| fs::read_to_string(file).unwrap());
        Exported { export, proof }
    }

    fn keyed(&self) -> Trust {
        Trust { keys: vec![self.key.clone()], anchors: Vec::new() }
    }

    /// The instance's own key, for who has taken the host.
    fn stolen(&self) -> AuditSigningKey {
        load_audit(&self.firm.world.data()).unwrap()
    }

    /// Both verifiers say this of it, the first one in these words.
    #[track_caller]
    fn is_said(&self, exported: &Exported, trust: &Trust, begins: &str, holds: &str) {
        assert_said(&exported.found(trust), begins, holds);
        let folder = tempfile::tempdir().unwrap();
        compare(folder.path(), &Case(holds.to_owned(), exported.clone(), trust.clone()));
    }

    #[track_caller]
    fn is_genuine(&self, exported: &Exported) {
        self.is_said(exported, &self.keyed(), "UNANCHORED", "");
        self.is_said(exported, &exported.anchored(), "ANCHORED", "");
    }
}

/// The forger's row about the erasure.
fn pruned(forger: &Forger) -> usize {
    forger.rows.iter().position(|row| row.header.action == Action::AuditPruned.as_str()).unwrap()
}

#[test]
fn an_export_across_an_erasure_is_genuine_and_complete_and_says_what_was_erased() {
    let audited = Audited::new();
    for args in [
        &[][..],
        &["--action", "user.note_added"],
        &["--format", "csv"],
        &["--action", "user.note_added", "--format", "csv"],
        &["--actor", "system", "--format", "csv"],
    ] {
        let exported = audited.export(args);
        audited.is_genuine(&exported);
        assert!(!exported.export.contains(STORY) && !exported.proof.contains(STORY));
    }
    let notes = audited.export(&["--action", "user.note_added"]);
    assert_eq!((notes.judged(&audited.keyed()).entries, notes.judged(&audited.keyed()).erased), (1, 1));
    let [export, proof] = ["export", "proof"].map(|name| audited.beside(name).display().to_string());
    let said = idp_on(&audited.firm.world.data(), &["audit", "verify", &export, "--proof", &proof]).done();
    assert!(said.contains("erased: what 1 of them said; the trail records it"), "{said}");
    assert!(notes.export.contains(",\"erased\":true,\"body_digest\":\"") && !notes.export.contains("salt"));
    let notes = audited.export(&["--action", "user.note_added", "--format", "csv"]);
    let row: Vec<_> = notes.export.lines().nth(1).unwrap().split(',').collect();
    assert_eq!((row[17], row[19], row[11], row[6]), ("erased", "", "", ""));
    let everything = audited.export(&[]);
    let lines = |what: &str| everything.export.lines().filter(|line| line.contains(what)).count();
    assert_eq!(lines("\"erased\":true"), audited.firm.erased().len());
    assert!(lines("\"salt\":") > 30, "what is younger or kept is whole");
}

#[test]
fn an_export_from_before_the_erasure_is_still_proved_by_its_own_proof() {
    let audited = Audited::of(Firm::aged(), false);
    let before = [&[][..], &["--format", "csv"]].map(|args| audited.export(args));
    audited.firm.world.sweep();
    for exported in &before {
        assert!(exported.export.contains(STORY));
        audited.is_genuine(exported);
    }
    // An anchor from before is as good for what is exported afterwards.
    let after = audited.export(&["--action", "user.note_added"]);
    audited.is_said(&after, &before[0].anchored(), "ANCHORED", "");
    // And an old line is held against its digest also where a newer proof says that it was erased.
    let mut forger = Forger::of(&after);
    let old = before[0].export.lines().find(|line| line.contains(STORY)).and_then(body).unwrap();
    forger.bodies.insert(old.0, old.1.clone());
    audited.is_genuine(&forger.write(&audited.stolen()));
    let other = old.1.1.replace("quarry", "library");
    forger.bodies.insert(old.0, (old.1.0, other));
    let forged = forger.write(&audited.stolen());
    audited.is_said(&forged, &audited.keyed(), "INVALID", "has a body that is not the one it was written with");
}

#[test]
fn what_came_after_an_anchor_is_proved_from_there_across_an_erasure() {
    let audited = Audited::of(Firm::aged(), false);
    let entries = audited.firm.world.entries();
    let signed = entries.iter().find(|e| e.header.action == Action::AuditCheckpointSigned.as_str()).unwrap();
    let early = crate::world::body(signed).fact("checkpoint");
    fs::write(audited.beside("early.txt"), &early).unwrap();
    let late = audited.export(&[]).checkpoint().to_string();
    fs::write(audited.beside("late.txt"), &late).unwrap();
    audited.firm.world.sweep();
    for anchor in ["early.txt", "late.txt"] {
        let path = audited.beside(anchor);
        let exported = audited.export(&["--from-anchor", path.to_str().unwrap()]);
        audited.is_genuine(&exported);
        assert!(!exported.export.contains("erased\":true"), "what came after {anchor} is young");
    }
    // One that was made when what is old now was new: some of what came after it is erased by now.
    let entry = &entries[3];
    let point = idp::audit::checkpoint::Point {
        origin: late.lines().next().unwrap().trim_start_matches("idp.audit/").to_owned(),
        lineage: entry.header.lineage.clone(),
        seq: entry.header.seq,
        hash: entry.hash,
        at: entry.header.at,
    };
    let signer = audited.key.clone();
    let stolen = audited.stolen();
    let anchor = idp::audit::checkpoint::Checkpoint::sign(point, &signer, |text| stolen.sign(text));
    fs::write(audited.beside("first.txt"), anchor.to_string()).unwrap();
    let path = audited.beside("first.txt");
    for format in ["jsonl", "csv"] {
        let exported = audited.export(&["--from-anchor", path.to_str().unwrap(), "--format", format]);
        audited.is_genuine(&exported);
        assert!(exported.export.contains("erased"), "{format}");
        audited.is_said(&exported, &Trust { keys: Vec::new(), anchors: vec![anchor.clone()] }, "ANCHORED", "");
    }
}

#[test]
fn an_entry_that_is_exported_without_its_body_is_named_unless_that_was_recorded() {
    let audited = Audited::new();
    let exported = audited.export(&[]);
    let young = audited.firm.young();
    let mut forger = Forger::of(&exported);
    forger.bodies.remove(&young);
    let forged = forger.write(&audited.stolen());
    let says = format!("entry {young} is exported without its body, and the trail does not record that it was erased");
    for trust in [audited.keyed(), Trust::default()] {
        audited.is_said(&forged, &trust, "INVALID", &says);
    }
    // By hand, with a real proof.
    let lines: Vec<String> = exported.export.lines().map(str::to_owned).collect();
    let line = &lines[usize::try_from(young - 1).unwrap()];
    let (head, tail) = (line.find(",\"detail\":").unwrap(), line.find(",\"body_digest\":").unwrap());
    let erased = format!("{},\"erased\":true{}", &line[..head], &line[tail..]);
    let export = exported.export.replace(line, &erased);
    let edited = Exported { export, ..exported.clone() };
    audited.is_said(&edited, &audited.keyed(), "INVALID", &says);
    // What is of a kind that is kept has its body, however old it is.
    let mut forger = Forger::of(&exported);
    forger.bodies.remove(&1);
    let says = "entry 1 is of a kind whose body is never erased";
    audited.is_said(&forger.write(&audited.stolen()), &audited.keyed(), "INVALID", says);
    // As CSV, made again from a row without a body.
    let csv = audited.export(&["--format", "csv"]);
    let row = csv.proof.lines().find(|line| line.starts_with(&format!("[{young},"))).unwrap();
    let cells: Vec<serde_json::Value> = serde_json::from_str(row).unwrap();
    let bare = serde_json::to_string(&cells[..8]).unwrap();
    let edited = Exported { proof: csv.proof.replace(row, &bare), ..csv.clone() };
    audited.is_said(&edited, &audited.keyed(), "INVALID", &format!("entry {young}"));
}

#[test]
fn a_proof_whose_record_of_the_erasure_is_gone_or_says_something_else_is_not_believed() {
    let audited = Audited::new();
    let exported = audited.export(&["--action", "user.note_added"]);
    let anchored = Trust { anchors: vec![exported.checkpoint()], ..audited.keyed() };
    let (young, newest) = (audited.firm.young(), *audited.firm.erased().last().unwrap());
    let forge = |edit: &dyn Fn(&mut Forger)| {
        let mut forger = Forger::of(&exported);
        edit(&mut forger);
        forger.write(&audited.stolen())
    };
    let says = |forger: &mut Forger, body: String| {
        let at = pruned(forger);
        forger.rows[at].body_digest = chain::body_digest(&[7; 16], &body);
        forger.rows[at].body = Some(([7; 16], body));
    };
    let detail =
        |first: i64, through: i64| format!(r#"{{"detail":{{"days":400,"first":{first},"through":{through}}}}}"#);

    let bare = forge(&|f| {
        let at = pruned(f);
        f.rows[at].body = None;
    });
    let record = Forger::of(&exported).rows[pruned(&Forger::of(&exported))].header.seq;
    audited.is_said(
        &bare,
        &audited.keyed(),
        "INVALID",
        &format!("entry {record} records that bodies were erased and does not say"),
    );
    let edited = forge(&|f| {
        let at = pruned(f);
        let (salt, body) = f.rows[at].body.clone().unwrap();
        f.rows[at].body = Some((salt, body.replace(&format!(":{}}}", audited.through), &format!(":{young}}}"))));
    });
    let not_written = format!("entry {record} has a body that is not the one it was written with");
    audited.is_said(&edited, &audited.keyed(), "INVALID", &not_written);
    for (body, what) in [
        (detail(1, young), "not old enough"),
        (detail(1, record), "not old enough"),
        (detail(2, audited.through), "not from where the record before ended"),
        (detail(1, 0), "not from where the record before ended"),
        (detail(1, audited.through).replace("400", "true"), "does not say which"),
        ("{}".into(), "does not say which"),
    ] {
        let forged = forge(&|f| says(f, body.clone()));
        audited.is_said(
            &forged,
            &audited.keyed(),
            "INVALID",
            &format!("entry {record} records that bodies were erased"),
        );
        audited.is_said(&forged, &audited.keyed(), "INVALID", what);
    }
    // Less than was erased: what lies beyond is without a record. Every hash is right; an anchor tells it apart anyway.
    let note = exported.export.lines().next().unwrap().split("\"seq\":").nth(1).unwrap();
    let note: i64 = note.split(',').next().unwrap().parse().unwrap();
    assert!(note <= newest);
    let less = forge(&|f| says(f, detail(1, note - 1)));
    let without = format!("entry {note} is exported without its body, and the trail does not record");
    audited.is_said(&less, &audited.keyed(), "INVALID", &without);
    audited.is_said(&less, &anchored, "DIVERGED", "is another one than that");
    let dropped = forge(&|f| f.drop_entry(record));
    audited.is_said(&dropped, &audited.keyed(), "INVALID", &without);
    let renamed = forge(&|f| {
        let at = pruned(f);
        (f.rows[at].header.action, f.rows[at].body) = ("user.updated".into(), None);
    });
    audited.is_said(&renamed, &audited.keyed(), "INVALID", &without);
}

#[test]
fn what_is_erased_while_it_is_exported_is_proved_as_it_was_read_and_as_csv_not_at_all() {
    let audited = Audited::of(Firm::aged(), false);
    let store = &audited.firm.world.app.means.store;
    let export = |format| {
        let through = begin(store, &host(), &Filter::default(), format).unwrap();
        let proving = Proving::prepare(store, None).unwrap();
        let mut export = proving.export(std::sync::Arc::clone(store), (Filter::default(), format, through));
        let mut text = String::new();
        export.read_to_string(&mut text).unwrap();
        (export, text)
    };
    let [(lines, export), (rows, table)] = [Format::JsonLines, Format::Csv].map(export);
    assert!(erase(store).unwrap().is_some());
    let proof = |export: ProvedExport| {
        let checkpoint = export.sign(Actor::Host, &host()).unwrap();
        let mut proof = String::new();
        export.proof(checkpoint).read_to_string(&mut proof).map(|_| proof)
    };
    let exported = Exported { export, proof: proof(lines).unwrap() };
    assert!(exported.export.contains(STORY) && table.contains(STORY));
    audited.is_genuine(&exported);
    let refused = proof(rows).unwrap_err();
    assert!(refused.to_string().contains("erased while they were exported"), "{refused}");
}

#[test]
fn what_is_erased_between_the_checkpoint_and_the_export_is_not_handed_out_with_a_proof_that_can_not_tell_of_it() {
    let audited = Audited::of(Firm::aged(), false);
    let store = &audited.firm.world.app.means.store;
    let through = begin(store, &host(), &Filter::default(), Format::JsonLines).unwrap();
    let proving = Proving::prepare(store, None).unwrap();
    let mut export = proving.export(std::sync::Arc::clone(store), (Filter::default(), Format::JsonLines, through));
    // As the console does, which has to know that it can sign before it sends the first byte.
    let checkpoint = export.sign(Actor::Host, &host()).unwrap();
    assert!(erase(store).unwrap().is_some());
    let mut text = String::new();
    export.read_to_string(&mut text).unwrap();
    assert!(text.contains("\"erased\":true"));
    let refused = export.proof(checkpoint).read_to_string(&mut String::new()).unwrap_err();
    assert!(refused.to_string().contains("erased while they were exported"), "{refused}");
}

#[test]
fn every_byte_of_what_records_an_erasure_or_says_that_a_body_was_erased_counts() {
    let audited = Audited::new();
    for args in [&["--action", "user.note_added"][..], &["--action", "user.note_added", "--format", "csv"]] {
        let exported = audited.export(args);
        let trust = audited.keyed();
        let row = exported.proof.lines().find(|line| line.contains("audit.pruned")).unwrap();
        let at = exported.proof.find(row).unwrap();
        let flipped = |text: &str, n: usize| {
            let mut bytes = text.as_bytes().to_vec();
            bytes[n] ^= 1;
            bytes
        };
        for n in at..at + row.len() {
            let proof = flipped(&exported.proof, n);
            let finding = judge(exported.export.as_bytes(), &proof[..], &trust).unwrap().finding;
            assert!(matches!(finding, Finding::Invalid(_)), "byte {n} of the proof: {finding:?}");
        }
        for n in 0..exported.export.len() {
            let export = flipped(&exported.export, n);
            let finding = judge(&export[..], exported.proof.as_bytes(), &trust).unwrap().finding;
            assert!(finding.is_bad(), "byte {n} of the export: {finding:?}");
        }
    }
}
