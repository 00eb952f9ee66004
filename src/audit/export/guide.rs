//! The page that lies beside an export in its archive: how somebody who was handed it finds out that it is genuine and
//! complete. Plain text, because it is read on any machine, in years.
//!
//! Architecture invariant: it never says that the export is genuine. What lies in the archive can not vouch for itself.

use crate::audit::checkpoint::{Checkpoint, origin_line};
use crate::time::Timestamp;

/// What the name of the page is in the archive.
pub const NAME: &str = "HOW-TO-VERIFY.txt";

/// An export as it was made.
#[derive(Debug, Clone)]
pub struct About<'a> {
    /// The organisation's name.
    pub organisation: &'a str,
    /// The file that holds the entries.
    pub export: &'a str,
    /// The file that holds the proof.
    pub proof: &'a str,
    /// Whether the entries are rows for a spreadsheet.
    pub csv: bool,
    /// The filter as it was typed: names and values; empty for everything.
    pub typed: &'a [(String, String)],
    /// The same as the proof says it.
    pub filter: &'a str,
    /// The newest entry that was looked at; the next one is the export's own.
    pub through: i64,
    /// How many entries were found.
    pub entries: u64,
    /// When.
    pub at: Timestamp,
    /// By whom.
    pub by: &'a str,
    /// What stands at the end of the proof.
    pub checkpoint: &'a Checkpoint,
}

/// The page, its lines ended as Windows wants them.
pub fn guide(about: &About) -> String {
    let parts = [what_is_here(about), what_was_exported(about), how_to_check(about), what_it_says(about), keep(about)];
    parts.concat().replace('\n', "\r\n")
}

fn what_is_here(about: &About) -> String {
    let About { organisation, export, proof, .. } = about;
    let form = match about.csv {
        true => "The entries themselves, as a table: one row for each, names of the columns on top.",
        false => "The entries themselves, as text: one line for each, oldest first.",
    };
    format!(
        "HOW TO CHECK THIS EXPORT\n\
         ========================\n\n\
         These files come from the audit trail of {organisation}: the list in which its sign-in\n\
         server writes down what happens. You can find out, on your own computer and without\n\
         asking anybody who runs that server, whether these entries are what was written down\n\
         then, and whether one that belongs here is missing.\n\n\n\
         WHAT IS HERE\n\n\
         {export}\n    {form}\n\
         {proof}\n    \
         The proof. It has a short line for every entry of the whole trail, also for those that\n    \
         are not exported: when it was, what kind of thing, and the numbers of who did it and\n    \
         whom it concerned, but not what it says. With it a program can compute whether\n    \
         anything was changed or left out.\n\
         {NAME}\n    This page.\n\n\
         Leave the first two files as they are: a file that was saved again by a spreadsheet or\n\
         an editor no longer fits its proof. Look at a copy.\n\n\n"
    )
}

fn what_was_exported(about: &About) -> String {
    let asked = match about.typed {
        [] => "every entry".to_owned(),
        typed => typed.iter().map(|(name, value)| format!("{name} {value}")).collect::<Vec<_>>().join(", "),
    };
    format!(
        "WHAT WAS EXPORTED\n\n\
         Asked for:   {asked}\n\
         In the proof it reads:\n             {}\n\
         Looked at:   entries 1 to {}\n\
         Found:       {}\n\
         Exported:    {} by {}\n\
         Instance:    {}\n\n\
         That this was exported stands in the trail too, as entry {}.\n\n\n",
        about.filter,
        about.through,
        entries(about.entries),
        about.at.to_seconds_text(),
        about.by,
        about.checkpoint.point.origin,
        about.through + 1
    )
}

fn entries(number: u64) -> String {
    if number == 1 { "1 entry".to_owned() } else { format!("{number} entries") }
}

fn how_to_check(about: &About) -> String {
    let About { export, proof, .. } = about;
    let (last, origin) = (about.checkpoint.point.seq, origin_line(&about.checkpoint.point.origin));
    format!(
        "HOW TO CHECK IT\n\n\
         1. Get the program `idp` from where its makers publish it, for a computer with Linux. It\n   \
         is one file, needs no installation, and does this without a network. On any other\n   \
         computer use the second program, at the end of this page.\n\n\
         2. Get the key file, here called idp-audit.pub. Whoever runs the server makes it with\n   \
         `idp audit key export-public > idp-audit.pub`. It is one line and no secret. Get it\n   \
         once, by another way than these files, best in person, and keep it: it shows that the\n   \
         server's own key made this proof, and nobody without that key.\n\n\
         3. Look for an anchor: something that the server said earlier and that was kept where\n   \
         the server can not change it. A mail with the subject \"Keep this: receipt for ...\n   \
         entries of the audit log\", a line in the log of another machine, something printed, the\n   \
         page {NAME} of an earlier export. It is one if in it stands\n\n       \
         {origin}\n\n   \
         and the number that follows is {last} or less; the nearer to {last}, the better.\n   \
         Save it as a text file, here called anchor.txt; of a mail, the file that came with it or\n   \
         the whole message. It shows that what was written down before it is still the same,\n   \
         whoever holds the key.\n\n\
         4. Unpack all three files into one folder, open a terminal there, and type this as one\n   \
         line:\n\n       \
         idp audit verify {export} --proof {proof} --key idp-audit.pub --anchor anchor.txt\n\n   \
         idp audit verify    check entries of the audit trail\n   \
         {export}    the entries that are to be checked\n   \
         --proof FILE        the proof that came with them\n   \
         --key FILE          the key file of step 2; may be left out, with its file\n   \
         --anchor FILE       the anchor of step 3; may be left out, with its file\n\n\n"
    )
}

fn what_it_says(about: &About) -> String {
    let About { export, proof, through, .. } = about;
    format!(
        "WHAT THE ANSWER MEANS\n\n\
         The first word of the answer says it; the rest says where and why.\n\n\
         ANCHORED        Up to the number of your anchor all is as it was, and none is missing.\n                \
         For what is later only the server's signature vouches, and that only if\n                \
         you gave the key.\n\
         UNANCHORED      The files fit each other, and your key if you gave it. Nothing from\n                \
         outside the server vouches for them: find an anchor if you can.\n\
         INVALID         Something was changed or put in, in the files or in the trail.\n\
         INCOMPLETE      Entries are missing, or your anchor is newer than this export: then\n                \
         have it exported anew.\n\
         DIVERGED        Your anchor contradicts these files. One of the two was forged.\n\
         RESTORED        Your anchor is of entries that were lost when the server was set back to\n                \
         a backup. The trail says so itself: ask who did it, and why.\n\
         COULD NOT TELL  A file is missing, unreadable, or of another server. Nothing was\n                \
         found out.\n\n\
         The second line repeats what was asked for and says: range: entries 1 to {through}. Compare\n\
         it with what you wanted to know. With INVALID, INCOMPLETE and DIVERGED keep all files,\n\
         and talk to somebody who does not run the server.\n\n\
         What no program can tell: whether an entry was true when it was written.\n\n\n\
         THE SECOND PROGRAM\n\n\
         You need not trust one program. verify_export.py is another one, which shares nothing with\n\
         the first. It runs wherever Python 3 with the package `cryptography` does. The first line is\n\
         needed once, and on Windows the word is py in place of python3:\n\n       \
         python3 -m pip install cryptography\n       \
         python3 verify_export.py {export} --proof {proof} --key idp-audit.pub --anchor anchor.txt\n\n\
         It was written from the page that describes the format, from which anybody can write a\n\
         third. The server's administration offers both under Audit. Better get them from where\n\
         the makers publish them: what a server hands out to check itself is only as good as it.\n\n\n\
"
    )
}

fn keep(about: &About) -> String {
    let Checkpoint { point, .. } = about.checkpoint;
    format!(
        "KEEP THIS PAGE\n\n\
         Below stands what the server said when it made this export: how many entries there were,\n\
         and a number computed from all of them, signed. It says nothing about the files beside\n\
         it, which come from the same hand. But kept where the server can not change it, this page\n\
         is an anchor for every later export: what was written down up to entry {} can not\n\
         be changed any more without contradicting it.\n\n\
         {}",
        point.seq, about.checkpoint
    )
}
