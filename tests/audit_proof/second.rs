//! The second verifier, `verify_export.py`, which was written from the format's page: it has to come to the same verdicts.

use std::fs;
use std::path::Path;
use std::process::Command;

use idp::audit::judge::{Finding, Trust};
use idp::host::keys::AuditSigningKey;

use super::forger::{Forger, stolen_key};
use super::{Exported, Trail, said};

/// One case: how it is called, the files, and what the verifier brings along.
pub struct Case(pub String, pub Exported, pub Trust);

/// What both say; the second verifier's words are its own, the first one is not.
pub fn compare(folder: &Path, Case(name, exported, trust): &Case) {
    let write = |name: &str, text: &str| fs::write(folder.join(name), text).unwrap();
    write("export", &exported.export);
    write("proof", &exported.proof);
    let mut command = Command::new("/usr/bin/python3");
    command.current_dir(folder).arg(concat!(env!("CARGO_MANIFEST_DIR"), "/tests/verify_export.py"));
    command.args(["export", "--proof", "proof"]);
    for (n, key) in trust.keys.iter().enumerate() {
        write(&format!("key{n}"), &format!("{key}\n"));
        command.args(["--key", &format!("key{n}")]);
    }
    for (n, anchor) in trust.anchors.iter().enumerate() {
        write(&format!("anchor{n}"), &format!("Kept on Friday.\n\n{anchor}\n"));
        command.args(["--anchor", &format!("anchor{n}")]);
    }
    let output = command.output().expect("python3");
    let theirs = String::from_utf8_lossy(&output.stdout);
    let ours = exported.found(trust);
    let code = match &ours {
        Finding::Unclear(_) => 2,
        bad if bad.is_bad() => 1,
        _ => 0,
    };
    let same = theirs.starts_with(ours.word()) && output.status.code() == Some(code);
    assert!(same, "{name}: ours {}\ntheirs {theirs}{}", said(&ours), String::from_utf8_lossy(&output.stderr));
    if let Finding::Anchored(point) = &ours {
        assert!(theirs.starts_with(&format!("ANCHORED to entry {} at {}", point.seq, point.at)), "{name}: {theirs}");
    }
}

fn flipped(exported: &Exported, of: impl Fn(&mut Exported) -> &mut String, step: usize) -> Vec<Exported> {
    let length = of(&mut exported.clone()).len();
    let flip = |n: usize| {
        let mut edited = exported.clone();
        let text = of(&mut edited);
        let mut bytes = std::mem::take(text).into_bytes();
        bytes[n] ^= 1;
        *text = String::from_utf8(bytes).ok()?;
        Some(edited)
    };
    (0..length).step_by(step).filter_map(flip).collect()
}

fn lines(text: &str) -> Vec<&str> {
    text.split_inclusive('\n').collect()
}

/// Every line of both files dropped and repeated, each two neighbours swapped, each file cut behind every line.
fn line_edits(exported: &Exported) -> Vec<Exported> {
    let mut edits = Vec::new();
    let mut edit = |text: &str, put: &dyn Fn(String) -> Exported| {
        let all = lines(text);
        for n in 0..all.len() {
            let (mut dropped, mut repeated, mut swapped) = (all.clone(), all.clone(), all.clone());
            dropped.remove(n);
            repeated.insert(n, all[n]);
            swapped.swap(n, (n + 1) % all.len());
            edits.extend([dropped, repeated, swapped, all[..n].to_vec()].map(|lines| put(lines.concat())));
        }
    };
    edit(&exported.export, &|export| Exported { export, ..exported.clone() });
    edit(&exported.proof, &|proof| Exported { proof, ..exported.clone() });
    edits
}

fn forgeries(trail: &Trail, exported: &Exported) -> Vec<Exported> {
    let edits: [fn(&mut Forger); 4] = [
        |_| (),
        |forger| forger.reword(4, "note 1", "note 9"),
        |forger| forger.drop_entry(5),
        |forger| forger.rows[4].header.action = "user.updated".into(),
    ];
    let forge = |edit: &fn(&mut Forger)| {
        let mut forger = Forger::of(exported);
        edit(&mut forger);
        [forger.write(&stolen_key(trail)), forger.write(&AuditSigningKey::generate())]
    };
    edits.iter().flat_map(forge).collect()
}

#[test]
fn the_second_verifier_agrees_in_every_case() {
    let (trail, other) = (Trail::new(), Trail::new());
    let (earlier, foreign) = (trail.notes(), other.notes());
    let exported = trail.notes();
    let csv = trail.export(&["--action", "user.note_added", "--format", "csv"]);
    let with = |anchors: &[&Exported], keyed: bool| Trust {
        keys: if keyed { vec![trail.key.clone()] } else { Vec::new() },
        anchors: anchors.iter().map(|by| by.checkpoint()).collect(),
    };
    let mut cases = Vec::new();
    for (file, exported) in [("jsonl", &exported), ("csv", &csv)] {
        for trust in [with(&[], false), with(&[], true), with(&[&earlier], false), with(&[exported, &earlier], true)] {
            cases.push(Case(format!("{file} as it was"), exported.clone(), trust));
        }
        cases.push(Case(format!("{file}, anchor of another"), exported.clone(), with(&[&foreign], true)));
        for edited in line_edits(exported) {
            cases.push(Case(format!("{file}, lines"), edited, with(&[&earlier], true)));
        }
        for edited in
            flipped(exported, |e| &mut e.export, 97).into_iter().chain(flipped(exported, |e| &mut e.proof, 61))
        {
            cases.push(Case(format!("{file}, a byte"), edited, with(&[], true)));
        }
    }
    for forged in forgeries(&trail, &exported) {
        for trust in [with(&[], false), with(&[], true), with(&[&earlier], true), with(&[&exported], false)] {
            cases.push(Case("forged".into(), forged.clone(), trust));
        }
    }
    let mixed = Exported { export: foreign.export.clone(), ..exported.clone() };
    cases.push(Case("of two instances".into(), mixed, with(&[], true)));
    cases.push(Case("of another instance".into(), foreign.clone(), with(&[], true)));
    let narrowed = exported.proof.replacen("action=user.note_added", "action=user.created", 1);
    cases.push(Case("another filter".into(), Exported { proof: narrowed, ..exported.clone() }, with(&[], true)));
    cases.push(Case(
        "an earlier proof".into(),
        Exported { proof: earlier.proof.clone(), ..exported.clone() },
        with(&[], true),
    ));
    fs::write(trail.folder.beside("mail.txt"), earlier.checkpoint().to_string()).unwrap();
    let later = trail.export(&["--from-anchor", "mail.txt"]);
    for trust in [with(&[], true), with(&[&earlier], true), with(&[&exported], false)] {
        cases.push(Case("from an anchor".into(), later.clone(), trust));
    }

    let old = stolen_key(&trail);
    trail.folder.idp(&["backup", "backup.db"]).done();
    let new = trail.folder.idp(&["audit", "key", "rotate"]).done().parse().unwrap();
    let rotated = trail.notes();
    let by_the_old = Forger::of(&rotated).write(&old);
    for trust in [
        with(&[], true),
        with(&[&rotated], true),
        with(&[&earlier], true),
        Trust { keys: vec![new], anchors: Vec::new() },
    ] {
        cases.push(Case("after the key was replaced".into(), rotated.clone(), trust.clone()));
        cases.push(Case("signed by the key that was replaced".into(), by_the_old.clone(), trust));
    }
    trail.folder.idp(&["restore", "backup.db"]).done();
    let restored = trail.notes();
    for trust in [with(&[], false), with(&[&earlier], false), with(&[&rotated], false), with(&[&restored], false)] {
        cases.push(Case("after a restore".into(), restored.clone(), trust));
    }

    let folder = tempfile::tempdir().unwrap();
    let kinds: std::collections::BTreeSet<_> = cases.iter().map(|Case(_, e, trust)| e.found(trust).word()).collect();
    assert_eq!(kinds.len(), 7, "every verdict is among them: {kinds:?}");
    cases.iter().for_each(|case| compare(folder.path(), case));
}
