//! The export of the trail: the entries alone, or as one archive with their proof and a page that says how to verify it.
//!
//! Architecture invariant: nothing is exported that is not recorded first, and nothing of it is kept on this machine: the
//! answer is made while it is sent.

use std::io::{self, Cursor, Read};
use std::sync::Arc;

use super::Response;
use super::audit::{filter, show};
use super::error::Problem;
use super::guards::{Call, Signed};
use super::show::{Answer, wrong};
use super::zip::{Files, Zip};
use crate::actions::export::{ExportReader, begin_in_session};
use crate::actions::prove::{ProofReader, ProvedExport, Proving};
use crate::audit::checkpoint::Checkpoint;
use crate::audit::export::{Format, guide};
use crate::audit::filter::Filter;
use crate::audit::{Actor, Person, Source};
use crate::pages::audit::FILTERS;
use crate::time::Timestamp;

/// What stands beside the form where there can be no proof. The reason is for whoever runs the server, in its log.
const NO_PROOF: &str = "The server can not sign a proof, because the file with its signing key is missing, damaged or not \
                        readable. Ask whoever runs the server: `idp audit key show` there says what is wrong, and how to go \
                        on. Without the proof you can export now.";

/// The same, where the key is there and something else went wrong, after the export was recorded.
const NOT_SIGNED: &str = "The server could not sign the proof. Ask whoever runs the server to look into its log. Without the \
                          proof you can export now.";

/// `POST /admin/audit/export`: exactly what the filter finds, streamed; the export itself is recorded first.
pub fn export(call: &Call<'_>, signed: &Signed) -> Answer {
    let (filter, errors) = filter(call)?;
    if !errors.is_empty() {
        return show(call, signed, &filter, None, errors);
    }
    let format = match call.fields.get("format") {
        "" | "jsonl" => Format::JsonLines,
        "csv" => Format::Csv,
        _ => return Err(Problem::bad("Choose a format: jsonl or csv.".to_owned())),
    };
    match call.fields.get("proof") {
        "" => plain(call, signed, filter, format),
        "on" => proved(call, signed, filter, format),
        _ => Err(Problem::bad("The proof is either asked for or not.".to_owned())),
    }
}

fn plain(call: &Call<'_>, signed: &Signed, filter: Filter, format: Format) -> Answer {
    let store = Arc::clone(&call.app.means.store);
    let up_to = begin_in_session(&store, signed.session.id, &call.visitor.source(), &filter, format)?;
    let kind = match format {
        Format::JsonLines => "application/jsonl; charset=utf-8",
        Format::Csv => "text/csv; charset=utf-8",
    };
    let name = format!("{}.{}", stem(call.now, up_to), format.as_str());
    Ok(download(ExportReader::new(store, filter, format, up_to), kind, &name))
}

/// The checkpoint is signed before the first byte is sent: later there is no page any more that could say why it is not.
fn proved(call: &Call<'_>, signed: &Signed, filter: Filter, format: Format) -> Answer {
    let store = Arc::clone(&call.app.means.store);
    let proving = match Proving::prepare(&store, None) {
        Ok(proving) => proving,
        Err(error) => {
            tracing::error!(error = %error, "an export can not be proved");
            return show(call, signed, &filter, None, vec![wrong("proof", NO_PROOF)]);
        }
    };
    let up_to = begin_in_session(&store, signed.session.id, &call.visitor.source(), &filter, format)?;
    let (asked, typed) = (filter.to_sentence(), call.fields.kept(&FILTERS));
    let export = proving.export(store, (filter.clone(), format, up_to));
    let checkpoint = match export.sign(Actor::System, &Source::default()) {
        Ok(checkpoint) => checkpoint,
        Err(error) => {
            tracing::error!(error = %error, "an export was begun and can not be proved");
            return show(call, signed, &filter, None, vec![wrong("proof", NOT_SIGNED)]);
        }
    };
    // That it may be kept with what is downloaded is no reason to call it an anchor: nobody may ever get that far.
    let about = About {
        organisation: call.app.settings.organisation.clone(),
        stem: stem(call.now, up_to),
        format,
        typed: typed.into_iter().filter(|(_, value)| !value.trim().is_empty()).map(in_one_line).collect(),
        asked,
        through: up_to,
        at: call.now,
        by: Person::from(&signed.user).name,
        checkpoint,
    };
    let name = format!("{}.zip", about.stem);
    let archive = Zip::new(Download { about, entries: 0, part: Part::Before(Box::new(export)) }, call.now);
    Ok(download(archive, "application/zip", &name))
}

fn in_one_line((name, value): (String, String)) -> (String, String) {
    (name, value.split_whitespace().collect::<Vec<_>>().join(" "))
}

fn stem(at: Timestamp, up_to: i64) -> String {
    format!("audit-{}-{up_to}", &at.to_seconds_text()[..10])
}

fn download(body: impl Read + Send + 'static, kind: &str, name: &str) -> Response {
    Response::stream(200, body)
        .with_header("Content-Type", kind)
        .with_header("Content-Disposition", &format!("attachment; filename=\"{name}\""))
}

/// What the page in the archive says, but for the number of entries.
struct About {
    organisation: String,
    stem: String,
    format: Format,
    typed: Vec<(String, String)>,
    asked: String,
    through: i64,
    at: Timestamp,
    by: String,
    checkpoint: Checkpoint,
}

impl About {
    fn export(&self) -> String {
        format!("{}.{}", self.stem, self.format.as_str())
    }

    fn proof(&self) -> String {
        format!("{}.proof", self.stem)
    }

    fn guide(&self, entries: u64) -> String {
        guide::guide(&guide::About {
            organisation: &self.organisation,
            export: &self.export(),
            proof: &self.proof(),
            csv: self.format == Format::Csv,
            typed: &self.typed,
            filter: &self.asked,
            through: self.through,
            entries,
            at: self.at,
            by: &self.by,
            checkpoint: &self.checkpoint,
        })
    }
}

/// The files of the archive: each is made from the one before.
struct Download {
    about: About,
    entries: u64,
    part: Part,
}

enum Part {
    Before(Box<ProvedExport>),
    Export(Box<ProvedExport>),
    Proof(Box<ProofReader>),
    Guide(Cursor<String>),
    Over,
}

impl Files for Download {
    fn next(&mut self) -> io::Result<Option<String>> {
        let (part, name) = match std::mem::replace(&mut self.part, Part::Over) {
            Part::Before(export) => (Part::Export(export), self.about.export()),
            Part::Export(export) => {
                self.entries = export.entries();
                (Part::Proof(Box::new(export.proof(self.about.checkpoint.clone()))), self.about.proof())
            }
            Part::Proof(_) => (Part::Guide(Cursor::new(self.about.guide(self.entries))), guide::NAME.to_owned()),
            Part::Guide(_) | Part::Over => return Ok(None),
        };
        self.part = part;
        Ok(Some(name))
    }

    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        match &mut self.part {
            Part::Export(export) => export.read(buffer),
            Part::Proof(proof) => proof.read(buffer),
            Part::Guide(guide) => guide.read(buffer),
            Part::Before(_) | Part::Over => Ok(0),
        }
    }
}
