//! What was told to whom in a case: the notices that it caused.

use maud::{Markup, html};

use crate::notices::{Kind, Notice};
use crate::pages::frame::Frame;
use crate::pages::words::clock;

/// The notices of a case, oldest first. What went to several owners at once stands in one line.
pub(super) fn told(frame: &Frame, notices: &[Notice]) -> Markup {
    let same = |a: &Notice, b: &Notice| a.kind == b.kind && a.at == b.at;
    html! {
        ul {
            @for notices in notices.chunk_by(same) {
                @if let Some(notice) = notices.first() {
                    li {
                        (sentence(notice.kind)) ", " (clock(notice.at, frame.now))
                        @if notices.len() > 1 { ", to each of " (notices.len()) }
                        @if let Some(at) = notice.objected_at {
                            strong { " · “This wasn't me”, " (clock(at, frame.now)) }
                        } @else if let Some(at) = notice.seen_at {
                            " · seen " (clock(at, frame.now))
                        }
                    }
                }
            }
        }
    }
}

/// What a notice is about, to whom it was not written.
pub(in crate::pages) const fn sentence(kind: Kind) -> &'static str {
    match kind {
        Kind::FactorsReset => "All factors were removed",
        Kind::FactorEnrolled => "A factor was set up",
        Kind::FactorRemoved => "A factor was removed",
        Kind::FactorSwitchedOff => "A factor was switched off",
        Kind::CodesMade => "Backup codes were made",
        Kind::CodesIssued => "Backup codes were issued",
        Kind::CodeUsed => "A backup code was used",
        Kind::PasswordChanged => "The password was changed",
        Kind::PasswordSet => "A temporary password was set",
        Kind::EmailChanged => "The sign-in address was changed",
        Kind::ContactChanged => "Contact details were changed",
        Kind::GrantAsked => "Something was asked for, and can be objected to",
        Kind::InvitedAgain => "A new invitation was made",
        Kind::HostActed => "To owners: a command on the host was used",
        Kind::Escalated => "To owners: the case was handed to them",
        Kind::ObjectionLifted => "The objection was lifted",
        Kind::ApprovalWaits => "To who can approve: something waits",
        Kind::Reassured => "To owners: the objection was lifted",
        Kind::Disavowed => "To owners: somebody objected",
        Kind::Incident => "To owners: it was an attack",
        Kind::PolicyLoosened => "To owners: policy was made looser",
    }
}
