//! The proof beside an export, and what was kept elsewhere, as files.

use std::io::Read;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use quoted_printable::ParseMode;

use super::audit_export::copy;
use super::operator;
use super::outcome::{Failure, remark};
use crate::actions::checkpoint::{Occasion, printed, sign};
use crate::actions::prove::{ProvedExport, Proving};
use crate::audit::Actor;
use crate::audit::checkpoint::{Checkpoint, MOST_BYTES};
use crate::audit::export::Format;
use crate::audit::filter::Filter;
use crate::audit::note::VerifierKey;
use crate::host::draft::{self, Draft};
use crate::host::files;
use crate::storage::Store;

const DOING: &str = "prove the export";

/// What is to be proved, and where the proof goes.
pub(super) struct Planned {
    path: PathBuf,
    proving: Proving,
}

impl Planned {
    /// Everything that can be wrong, before anything is exported.
    pub(super) fn prepare(store: &Store, path: &Path, anchor: Option<&Path>) -> Result<Self, Failure> {
        let anchors = anchor.map(read_anchors).transpose()?.unwrap_or_default();
        let anchor = anchors.iter().max_by_key(|anchor| anchor.point.seq);
        let proving = Proving::prepare(store, anchor).map_err(Failure::to(DOING))?;
        Ok(Self { path: path.to_owned(), proving })
    }

    /// Writes the export with `write`, and then its proof.
    pub(super) fn write(
        self,
        store: &Arc<Store>,
        asked: (Filter, Format, i64),
        write: impl FnOnce(&mut ProvedExport) -> Result<(), Failure>,
    ) -> Result<Checkpoint, Failure> {
        let mut export = self.proving.export(Arc::clone(store), asked);
        write(&mut export)?;
        let checkpoint = export.sign(Actor::Host, &operator::source()).map_err(Failure::to(DOING))?;
        let mut draft = Draft::beside(&self.path).map_err(Failure::to(DOING))?;
        copy(&mut export.proof(checkpoint.clone()), draft.file()).map_err(Failure::to(DOING))?;
        draft.place(&self.path, draft::Place::Free).map_err(Failure::to(DOING))?;
        Ok(checkpoint)
    }
}

/// Signs how far the trail has come after a command that also works without the key: then it says so, and that is all.
pub(super) fn sign_if_possible(store: &Store, occasion: Occasion) -> Option<Checkpoint> {
    let signed = sign(store, (Actor::Host, &operator::source()), occasion);
    signed.inspect_err(|e| remark(&format!("idp: no checkpoint of the trail was signed: {e}"))).ok()
}

/// Tells who exports how far the trail had come, for them to keep.
pub(super) fn remark_anchor(store: &Store, checkpoint: &Checkpoint) {
    let line = checkpoint.in_one_line();
    remark(&format!("idp: an anchor, to be kept where nobody on this host can change it: {line}"));
    note_printed(store, checkpoint, "idp audit export");
}

/// For the console, which says where the newest anchor went.
pub(super) fn note_printed(store: &Store, checkpoint: &Checkpoint, by: &str) {
    if let Err(e) = printed(store, checkpoint, by) {
        remark(&format!("idp: the console will not show this anchor: {e}"));
    }
}

/// Bytes that a file with anchors may have: years of daily mails.
const ANCHOR_FILE: usize = 16 * 1024 * 1024;

/// The checkpoints in a file that somebody kept: a mail, a print-out that was typed, the checkpoint alone.
pub(super) fn read_anchors(path: &Path) -> Result<Vec<Checkpoint>, Failure> {
    let text = read_small(path, "read the anchor", ANCHOR_FILE)?;
    let mut found = Checkpoint::find_all(&text);
    // A mail that was saved as it came: long lines are broken there, and some characters are spelt (RFC 2045 section 6.7).
    // Only where it says so: in a log, somebody's words would turn into lines of their own.
    let says = |line: &str| {
        let (name, value) = line.split_once(':').unwrap_or_default();
        name.eq_ignore_ascii_case("Content-Transfer-Encoding") && value.trim().eq_ignore_ascii_case("quoted-printable")
    };
    let before: usize = text.split_inclusive('\n').take_while(|line| !says(line)).map(str::len).sum();
    if before < text.len()
        && let Ok(decoded) = quoted_printable::decode(&text[before..], ParseMode::Robust)
    {
        found.extend(Checkpoint::find_all(&String::from_utf8_lossy(&decoded)));
    }
    if found.is_empty() {
        let why =
            format!("{} holds no checkpoint: seven lines, of which the first begins with idp.audit/", path.display());
        return Err(Failure::to("read the anchor")(why));
    }
    Ok(found)
}

/// The public key in a file.
pub(super) fn read_key(path: &Path) -> Result<VerifierKey, Failure> {
    let text = read_small(path, "read the key", MOST_BYTES)?;
    text.parse().map_err(|e| Failure::to("read the key")(format!("{}: {e}", path.display())))
}

fn read_small(path: &Path, doing: &'static str, most: usize) -> Result<String, Failure> {
    let file = std::fs::File::open(path).map_err(files::failed("read", path)).map_err(Failure::to(doing))?;
    let mut bytes = Vec::new();
    let limit = u64::try_from(most).unwrap_or(u64::MAX - 1);
    file.take(limit + 1).read_to_end(&mut bytes).map_err(files::failed("read", path)).map_err(Failure::to(doing))?;
    if bytes.len() > most {
        // What is behind the limit could be the one that tells a forgery.
        return Err(Failure::to(doing)(format!("{} is larger than {most} bytes", path.display())));
    }
    // A mail is not always UTF-8; a checkpoint in it is.
    Ok(String::from_utf8_lossy(&bytes).into_owned())
}
