//! Somebody writes history anew, with every hash fitting: without the key, with their own, or with the instance's.

use idp::audit::judge::{Finding, Trust};
use idp::host::keys::AuditSigningKey;

use super::forger::{Forger, stolen_key};
use super::{Exported, Trail, assert_said};

fn anchored(by: &Exported, trail: &Trail) -> Trust {
    Trust { anchors: vec![by.checkpoint()], ..trail.keyed() }
}

#[test]
fn what_a_forger_leaves_as_it_was_is_believed() {
    let trail = Trail::new();
    let exported = trail.notes();
    let again = Forger::of(&exported).write(&stolen_key(&trail));
    assert_eq!(again.export, exported.export);
    assert_eq!(again.found(&anchored(&exported, &trail)), Finding::Anchored(exported.checkpoint().point));
}

#[test]
fn a_forger_without_the_key_is_found_by_the_signature() {
    let trail = Trail::new();
    let exported = trail.notes();
    let mut forger = Forger::of(&exported);
    forger.reword(4, "note 1", "note 9");
    let forged = forger.write(&AuditSigningKey::generate());
    assert_said(&forged.found(&trail.keyed()), "INVALID", "which is not the key that was given");
    // Nothing from outside vouches for it either.
    assert_eq!(forged.found(&Trust::default()), Finding::Unanchored);
}

#[test]
fn a_forger_with_the_key_is_found_by_an_anchor() {
    let trail = Trail::new();
    let exported = trail.notes();
    let trust = anchored(&exported, &trail);
    let mut forger = Forger::of(&exported);
    forger.reword(4, "note 1", "note 9");
    let forged = forger.write(&stolen_key(&trail));
    assert_eq!(forged.found(&trail.keyed()), Finding::Unanchored, "without an anchor only the host is asked");
    assert_said(&forged.found(&trust), "DIVERGED", "entry 8 is another one");
}

#[test]
fn entries_of_one_kind_that_are_taken_out_of_both_files_are_found() {
    let trail = Trail::new();
    let exported = trail.notes();
    let mut forger = Forger::of(&exported);
    for seq in [7, 5, 4, 3] {
        forger.drop_entry(seq);
    }
    let forged = forger.write(&stolen_key(&trail));
    assert_eq!(forged.export, "");
    let cut = forged.found(&anchored(&exported, &trail));
    assert_said(&cut, "INCOMPLETE", "the trail ends at entry 4, and the anchor");
    // Until as many are there again.
    let later = trail.notes();
    let mut forger = Forger::of(&later);
    forger.drop_entry(5);
    let forged = forger.write(&stolen_key(&trail));
    assert_said(&forged.found(&anchored(&exported, &trail)), "DIVERGED", "entry 8 is another one");
    let mut forger = Forger::of(&later);
    forger.drop_entry(5);
    let forged = forger.write(&AuditSigningKey::generate());
    assert_said(&forged.found(&trail.keyed()), "INVALID", "not the key that was given");
}

#[test]
fn an_entry_that_is_called_something_else_in_both_files_is_found() {
    let trail = Trail::new();
    let exported = trail.notes();
    let relabel = |signed: &AuditSigningKey| {
        let mut forger = Forger::of(&exported);
        forger.rows[4].header.action = "user.updated".into();
        forger.write(signed)
    };
    assert_said(&relabel(&stolen_key(&trail)).found(&anchored(&exported, &trail)), "DIVERGED", "entry 8");
    assert_said(&relabel(&AuditSigningKey::generate()).found(&trail.keyed()), "INVALID", "not the key that was given");
    // In the files as they are, with the real checkpoint left under it.
    let forged = relabel(&AuditSigningKey::generate());
    let real = exported.proof.lines().last().unwrap();
    let sealed =
        forged.proof.lines().take_while(|line| !line.starts_with("{\"checkpoint")).collect::<Vec<_>>().join("\n");
    let forged = Exported { proof: format!("{sealed}\n{real}\n"), ..forged };
    assert_said(&forged.found(&trail.keyed()), "INVALID", "they do not lead to its checkpoint");
}

#[test]
fn a_trail_that_is_cut_at_any_entry_ends_before_the_anchor() {
    let trail = Trail::new();
    let exported = trail.notes();
    let trust = anchored(&exported, &trail);
    let last = exported.checkpoint().point.seq;
    for seq in 1..last - 1 {
        let mut forger = Forger::of(&exported);
        // The export's own entry has to stand behind what is left.
        let own = forger.rows.iter().find(|row| row.header.seq == last).unwrap().clone();
        forger.rows.truncate(usize::try_from(seq).unwrap());
        forger.rows.push(own);
        forger.rows.last_mut().unwrap().header.seq = seq + 1;
        forger.about.through = seq;
        forger.tell_range();
        let forged = forger.write(&stolen_key(&trail));
        assert_eq!(forged.found(&trail.keyed()), Finding::Unanchored, "{seq}");
        assert_said(&forged.found(&trust), "INCOMPLETE", &format!("the trail ends at entry {}", seq + 1));
    }
}

#[test]
fn two_auditors_who_were_shown_two_histories_find_out_with_each_others_checkpoint() {
    let trail = Trail::new();
    let exported = trail.notes();
    let mut forger = Forger::of(&exported);
    forger.reword(3, "note 0", "note 8");
    let shown = forger.write(&stolen_key(&trail));
    assert_eq!(shown.found(&anchored(&shown, &trail)), Finding::Anchored(shown.checkpoint().point));
    assert_said(&shown.found(&anchored(&exported, &trail)), "DIVERGED", "one of two histories is forged");
    assert_said(&exported.found(&anchored(&shown, &trail)), "DIVERGED", "one of two histories is forged");
}

#[test]
fn entries_of_two_instances_do_not_make_one_trail() {
    let (trail, other) = (Trail::new(), Trail::new());
    let (exported, foreign) = (trail.notes(), other.notes());
    let mixed = Exported { export: foreign.export.clone(), ..exported.clone() };
    assert_said(&mixed.found(&trail.keyed()), "INVALID", "line 1 of the export: entry 3 has a body");
    assert_said(&foreign.found(&trail.keyed()), "INVALID", "not the key that was given");
    assert_said(&foreign.found(&exported.anchored()), "COULD NOT TELL", "of another instance");

    let mut forger = Forger::of(&exported);
    let theirs = Forger::of(&foreign);
    forger.rows.splice(3..5, theirs.rows[3..5].iter().cloned());
    forger.bodies.extend(theirs.bodies.into_iter().filter(|(seq, _)| [4, 5].contains(seq)));
    let spliced = forger.write(&stolen_key(&trail));
    assert_said(&spliced.found(&trail.keyed()), "INVALID", "entry 4 begins another lineage without a restore");
}
