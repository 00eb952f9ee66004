//! How somebody made sure who it is, as forms ask for it.
//!
//! Invariant: evidence that does not count has no control here. It is named, with the reason why it does not.

use maud::{Markup, html};

use super::Frame;
use super::contacts::Numbers;
use super::field::Field;
use super::form::{Choice, Form, radios};
use super::grants::Subject;
use super::parts::more;
use super::portraits::beside_the_call;
use super::words::ago;
use crate::portraits::Portrait;
use crate::recovery::EvidenceKind;
use crate::time::Timestamp;

/// What is on record of a person, by which whoever looks after people can make sure that it is them.
#[derive(Debug, Clone)]
pub struct Known {
    /// What they look like, and which ID was seen.
    pub portrait: Option<Portrait>,
    /// What stands in their open case and can be used again.
    pub on_record: Option<OnRecord>,
    /// Where they could be called.
    pub numbers: Numbers,
}

/// How somebody made sure lately, as it stands in the case.
#[derive(Debug, Clone)]
pub struct OnRecord {
    /// When.
    pub at: Timestamp,
    /// Who.
    pub by: String,
    /// How.
    pub kind: EvidenceKind,
    /// Whether the viewer asked for exactly this on it, and it is permitted: then it holds, however old it is.
    pub permitted: bool,
}

impl OnRecord {
    /// The value of the choice.
    pub const VALUE: &'static str = "on_record";

    fn choice(&self, frame: &Frame) -> Choice<'static> {
        let label = format!("As recorded {} by {}: {}", ago(self.at, frame.now), self.by, self.kind.sentence());
        let hint = if self.permitted {
            "You asked on this, and it was permitted."
        } else {
            "It stands in the case, and is fresh."
        };
        Choice::new(Self::VALUE, label).hint(hint)
    }
}

/// How the admin made sure, and what does not count.
pub(super) fn evidence(frame: &Frame, form: &Form, person: &Subject, known: &Known) -> Markup {
    let voucher = Field::new("voucher", "Who vouches?").hint("The manager's or HR person's name.").show(form);
    let mut choices = vec![
        Choice::new("video_call", "Live video call")
            .hint("Compared with the photo or ID on record.")
            .beside(beside_the_call(frame, person, known.portrait.as_ref())),
        Choice::new("manager_ticket", "Ticket by their manager or HR")
            .hint("You know that it really comes from them. Give its number below.")
            .more(voucher),
        Choice::new("in_person", "In person, with an ID"),
    ];
    if let Some(call) = known.numbers.choice(form) {
        choices.insert(1, call);
    }
    if let Some(on_record) = &known.on_record {
        choices.insert(0, on_record.choice(frame));
    }
    let note =
        Field::new("evidence_note", "What did you see or hear? (optional)").hint("For whoever asks in six months.");
    html! {
        (radios(form, "evidence", &format!("How did you make sure it is {}?", person.name), &choices))
        (known.numbers.not_offered(frame))
        (more("What does not count, and why", &html! { ul class="hint" {
            li { "Knowing an e-mail address, a birthday or the like: others can know it too." }
            li { "A code sent to their mailbox: whoever has the mailbox has the code." }
            li { "A chat message: the account that writes may be the one that was taken." }
            li { "A call that came in: the number shown can be forged." }
        } }))
        (note.show(form))
    }
}
