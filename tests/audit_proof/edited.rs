//! Somebody edits the files and has no key.

use std::io::{self, Read};

use idp::audit::judge::{Finding, judge};

use super::{Exported, Trail, assert_said, said};

#[test]
fn an_export_as_it_was_written_is_genuine_and_complete() {
    let trail = Trail::new();
    for args in
        [&["--action", "user.note_added"][..], &[], &["--format", "csv"], &["--actor", "host", "--format", "csv"]]
    {
        let exported = trail.export(args);
        let verdict = exported.judged(&trail.keyed());
        assert_eq!((verdict.finding, verdict.signed), (Finding::Unanchored, Some(true)), "{args:?}");
        let point = exported.checkpoint().point;
        assert_eq!(exported.found(&exported.anchored()), Finding::Anchored(point), "{args:?}");
    }
}

#[test]
fn every_single_byte_that_is_flipped_is_found() {
    let trail = Trail::new();
    for args in [&["--action", "user.note_added"][..], &["--action", "user.note_added", "--format", "csv"]] {
        let exported = trail.export(args);
        let trust = trail.keyed();
        let (export, proof) = (exported.export.as_bytes(), exported.proof.as_bytes());
        // The second flip makes small letters great ones.
        let flips = if args.contains(&"csv") { &[1][..] } else { &[1, 0x20] };
        for (n, flip) in (0..export.len() + proof.len()).flat_map(|n| flips.iter().map(move |flip| (n, flip))) {
            let (mut export, mut proof) = (export.to_vec(), proof.to_vec());
            match n.checked_sub(export.len()) {
                None => export[n] ^= flip,
                Some(n) => proof[n] ^= flip,
            }
            let finding = judge(&export[..], &proof[..], &trust).unwrap().finding;
            let good = matches!(finding, Finding::Unanchored | Finding::Anchored(_));
            assert!(!good, "byte {n} ^ {flip}: {}", said(&finding));
        }
    }
}

/// A file's lines after an edit.
fn edit<'t>(text: &'t str, edit: impl FnOnce(&mut Vec<&'t str>)) -> String {
    let mut lines: Vec<_> = text.split_inclusive('\n').collect();
    edit(&mut lines);
    lines.concat()
}

fn without(lines: &mut Vec<&str>, n: usize) {
    lines.remove(n);
}

#[test]
fn an_entry_that_is_dropped_repeated_swapped_or_put_in_is_named() {
    let trail = Trail::new();
    let exported = trail.notes();
    let trust = trail.keyed();
    let lines = exported.export.lines().count();
    assert_eq!(lines, 4);
    let of_export = |export: String| Exported { export, ..exported.clone() }.found(&trust);
    // The notes are entries 3, 4, 5 and 7.
    for (n, seq) in [3, 4, 5, 7].into_iter().enumerate() {
        let dropped = of_export(edit(&exported.export, |lines| without(lines, n)));
        assert_said(&dropped, "INCOMPLETE", &format!("lacks entry {seq},"));
        let repeated = of_export(edit(&exported.export, |lines| lines.insert(n, lines[n])));
        assert_said(&repeated, "INVALID", &format!("entry {seq} stands twice"));
    }
    let swapped = of_export(edit(&exported.export, |lines| lines.swap(1, 2)));
    assert_said(&swapped, "INVALID", "line 3 of the export: entry 4 is out of order");
    let all = trail.export(&[]);
    let other = all.export.split_inclusive('\n').nth(1).unwrap();
    let put_in = of_export(edit(&exported.export, |lines| lines.insert(0, other)));
    assert_said(&put_in, "INVALID", "line 1 of the export: entry 2 does not match the filter");

    let of_proof = |proof: String| Exported { proof, ..exported.clone() }.found(&trust);
    let rows = exported.proof.lines().filter(|line| line.starts_with('[')).count() - 1;
    for n in 0..rows {
        let (line, seq) = (n + 2, n + 1);
        let dropped = of_proof(edit(&exported.proof, |lines| without(lines, line)));
        match seq == rows {
            false => assert_said(&dropped, "INVALID", &format!("entry {seq} is missing in the proof")),
            true => assert_said(&dropped, "INCOMPLETE", &format!("the proof ends at entry {}", seq - 1)),
        }
        let repeated = of_proof(edit(&exported.proof, |lines| lines.insert(line, lines[line])));
        assert_said(&repeated, "INVALID", &format!("entry {} is missing in the proof, or stands elsewhere", seq + 1));
    }
    let swapped = of_proof(edit(&exported.proof, |lines| lines.swap(3, 4)));
    assert_said(&swapped, "INVALID", "entry 2 is missing in the proof, or stands elsewhere");

    let both = Exported {
        export: edit(&exported.export, |lines| without(lines, 1)),
        proof: edit(&exported.proof, |lines| without(lines, 5)),
    };
    assert_said(&both.found(&trust), "INVALID", "entry 4 is missing in the proof");
}

#[test]
fn files_that_are_cut_anywhere_are_incomplete_and_it_is_said_where() {
    let trail = Trail::new();
    let exported = trail.notes();
    let trust = trail.keyed();
    for (lines, missing) in [(0, "3, 4, 5, 7"), (1, "4, 5, 7"), (2, "5, 7"), (3, "7")] {
        let cut = Exported { export: edit(&exported.export, |all| all.truncate(lines)), ..exported.clone() };
        assert_said(&cut.found(&trust), "INCOMPLETE", &format!(" {missing}, which the filter asks for"));
    }
    for rows in 0..8 {
        let cut = Exported { proof: edit(&exported.proof, |all| all.truncate(rows + 2)), ..exported.clone() };
        assert_said(&cut.found(&trust), "INCOMPLETE", &format!("the proof breaks off after entry {rows}"));
    }
    let half = Exported { proof: exported.proof[..exported.proof.len() - 30].to_owned(), ..exported.clone() };
    assert_said(&half.found(&trust), "INVALID", "of the proof breaks off");
}

#[test]
fn another_filter_in_the_proof_is_not_believed() {
    let trail = Trail::new();
    let exported = trail.notes();
    for other in ["everything", "action=user.created", "action=user.note_added outcome=denied"] {
        let proof = exported.proof.replacen("action=user.note_added", other, 1);
        let edited = Exported { proof: proof.clone(), ..exported.clone() };
        assert!(edited.found(&trail.keyed()).is_bad(), "{other}");
        // Also not where the export is the one that the other filter would give.
        let edited = Exported { proof, ..trail.export(&["--action", "user.created"]) };
        assert!(edited.found(&trail.keyed()).is_bad(), "{other}");
    }
}

#[test]
fn ten_gigabytes_of_anything_are_refused_at_once_and_take_no_memory() {
    let trail = Trail::new();
    let exported = trail.notes();
    let endless = || io::BufReader::new(io::repeat(b'x').take(10_000_000_000));
    let of_proof = judge(exported.export.as_bytes(), endless(), &trail.keyed()).unwrap().finding;
    assert_said(&of_proof, "COULD NOT TELL", "the proof does not begin as one");
    let of_export = judge(endless(), exported.proof.as_bytes(), &trail.keyed()).unwrap().finding;
    assert_said(&of_export, "INVALID", "line 1 of the export is too long");
    let begun = exported.proof.split_inclusive('\n').take(4).collect::<String>();
    let then = io::BufReader::new(begun.as_bytes().chain(endless()));
    let of_proof = judge(exported.export.as_bytes(), then, &trail.keyed()).unwrap().finding;
    assert_said(&of_proof, "INVALID", "line 5 of the proof is too long");
}
