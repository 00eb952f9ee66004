//! What a form about a grant says beforehand: whether something has to permit it, or does already.

use std::time::Duration;

use maud::{Markup, html};

use super::Frame;
use super::grants::Subject;
use super::parts::{Tone, notice};
use super::words::{clock, count, lasting, time_ago};
use crate::grants::{Grant, Half, Why};
use crate::ids::CaseNumber;
use crate::recovery::Needs;
use crate::time::Timestamp;

/// How it stands with a grant that the viewer is about to ask for.
#[derive(Debug, Clone, Default)]
pub struct Permission {
    /// What has to permit it, or does.
    pub standing: Standing,
    /// What was asked for in the case, and is over once this form is sent.
    pub other: Option<Other>,
}

/// What has to permit a grant, or does.
#[derive(Debug, Clone, Default)]
pub enum Standing {
    /// Nothing has to.
    #[default]
    Free,
    /// Something has to.
    Asks {
        /// Who, or what.
        needs: Needs,
        /// Why.
        why: Why,
        /// What the viewer gave the person lately, and when.
        given: Option<(Half, Timestamp)>,
        /// How long it waits where nobody can approve.
        wait: Duration,
    },
    /// The viewer has asked for it.
    Waits {
        /// In this case.
        case: CaseNumber,
        /// When.
        asked_at: Timestamp,
        /// When time permits it, where that is what it waits for.
        ripe_at: Option<Timestamp>,
    },
    /// It is permitted.
    Permitted {
        /// By whom; by nobody where its time has passed.
        by: Option<String>,
        /// Until then.
        until: Timestamp,
    },
}

/// What somebody has asked for in the case.
#[derive(Debug, Clone)]
pub struct Other {
    /// Who.
    pub who: String,
    /// What.
    pub grant: Grant,
    /// When.
    pub asked_at: Timestamp,
}

impl Permission {
    /// What the form's button says.
    pub(super) const fn button(&self, usual: &'static str) -> &'static str {
        match self.standing {
            Standing::Free | Standing::Permitted { .. } => usual,
            Standing::Asks { .. } => "Ask for approval",
            Standing::Waits { .. } => "Ask again",
        }
    }

    /// Whether sending the form does it.
    pub(super) const fn is_done_at_once(&self) -> bool {
        matches!(self.standing, Standing::Free | Standing::Permitted { .. })
    }

    /// Above the button.
    pub(super) fn show(&self, frame: &Frame, person: &Subject) -> Markup {
        html! {
            @if let Some(other) = &self.other {
                (notice(Tone::Warn, &html! { p {
                    bdi { (other.who) } " asked to " (other.grant.sentence()) " " (time_ago(other.asked_at, frame.now))
                    ". Once you send this form, that is over."
                } }))
            }
            @match &self.standing {
                Standing::Free => {},
                Standing::Asks { needs, why, given, wait } => {
                    (notice(Tone::Warn, &html! { p { (asks(frame, person, (*needs, *why), *given, *wait)) } }))
                },
                Standing::Waits { case, asked_at, ripe_at } => (notice(Tone::Plain, &html! { p {
                    "You asked for this " (time_ago(*asked_at, frame.now)) ": it waits in case "
                    a href={ "/admin/recovery/" (case) } { (case) } ". "
                    @if let Some(at) = ripe_at {
                        "It can be carried out from " (clock(*at, frame.now)) " on; asking again begins that time anew."
                    } @else { "Asking again takes its place." }
                } })),
                Standing::Permitted { by, until } => (notice(Tone::Good, &html! { p {
                    @if let Some(by) = by { bdi { (by) } " has approved this. " }
                    @else { "Its time has passed without an objection. " }
                    "You can carry it out once, until " (clock(*until, frame.now)) "."
                } })),
            }
        }
    }
}

fn asks(
    frame: &Frame,
    person: &Subject,
    (needs, why): (Needs, Why),
    given: Option<(Half, Timestamp)>,
    wait: Duration,
) -> Markup {
    let name = person.name;
    let who = match needs {
        Needs::Owner => "an owner has to approve this.",
        Needs::Admin => "somebody else has to approve this, another admin or an owner.",
        Needs::Time => {
            return html! {
                "Nobody else can approve this: it can be carried out " (lasting(wait)) " after you ask, unless "
                bdi { (name) } " objects."
            };
        }
    };
    html! {
        @match (why, given) {
            (Why::Signs(signs), _) => (count(signs.into(), "unusual sign")),
            (Why::Peer, _) => { bdi { (name) } " has, or had within a week, a role like yours" },
            (Why::SameHands, Some((half, at))) => {
                "You gave " bdi { (name) } " " (what(half)) " " (time_ago(at, frame.now))
            },
            (Why::SameHands, None) => "This alone would let somebody in",
            (Why::Policy, _) => "Your organisation wants two people for this",
        }
        ": " (who)
    }
}

const fn what(half: Half) -> &'static str {
    match half {
        Half::Password => "a password",
        Half::Factor => "codes or a reset",
        Half::Address => "a sign-in address",
    }
}
