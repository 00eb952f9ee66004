//! What was asked for in a case and has to be permitted, on the page of the case.

use maud::{Markup, html};

use crate::grants::Grant;
use crate::ids::{CaseNumber, RequestId};
use crate::pages::Frame;
use crate::pages::grants::Subject;
use crate::pages::parts::{Tone, card, facts, notice};
use crate::pages::words::{clock, time_ago, with_commands};
use crate::recovery::{Needs, RequestState};
use crate::time::Timestamp;

/// A request as a page shows it.
#[derive(Debug, Clone)]
pub struct RequestView<'a> {
    /// Which.
    pub id: RequestId,
    /// In which case.
    pub case: CaseNumber,
    /// About whom.
    pub person: Subject<'a>,
    /// What is asked for.
    pub grant: Grant,
    /// What else belongs to it: the new address.
    pub argument: &'a str,
    /// What has to permit it.
    pub needs: Needs,
    /// Who asked.
    pub asked_by: &'a str,
    /// When.
    pub asked_at: Timestamp,
    /// Why.
    pub reason: &'a str,
    /// The ticket; empty if there is none.
    pub ticket: &'a str,
    /// How far it has come.
    pub state: RequestState,
    /// Until when it can be decided, or carried out.
    pub valid_until: Timestamp,
    /// When time permits it.
    pub ripe_at: Option<Timestamp>,
    /// Who decided, and when.
    pub decided: Option<(&'a str, Timestamp)>,
    /// What they said about it.
    pub note: &'a str,
    /// Whether something has changed since, so that it is of no use any more.
    pub changed: bool,
    /// Who could decide now, by name.
    pub approvers: Vec<String>,
    /// What the viewer can do about it.
    pub may: May,
    /// Whether the viewer asked for it, and so can withdraw it.
    pub own: bool,
}

/// What the viewer can do about a request.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum May {
    /// Wait.
    Look,
    /// Approve or deny it.
    Decide,
    /// Carry it out, with the form at this address.
    CarryOut(String),
    /// Ask anew, with the form at this address.
    AskAgain(String),
}

impl RequestView<'_> {
    fn is_ripe(&self, now: Timestamp) -> bool {
        self.state == RequestState::Waiting && self.ripe_at.is_some_and(|at| at <= now)
    }

    /// "remove all factors and give a pass", with the address where there is one.
    fn what(&self) -> Markup {
        html! { (self.grant.sentence()) @if !self.argument.is_empty() { " to " bdi { (self.argument) } } }
    }

    fn command(&self) -> Markup {
        with_commands(&format!("`idp recovery approve {} --reason \"…\"`", self.case))
    }
}

/// On the page of its case, while it waits or can be carried out.
pub(in crate::pages) fn block(frame: &Frame, view: &RequestView) -> Markup {
    let approved = view.state == RequestState::Approved || view.is_ripe(frame.now);
    let title = if approved { "Approved, not carried out yet" } else { "Waiting for approval" };
    let (case, name) = (view.case, view.person.name);
    let content = html! {
        (facts(&asked(frame, view)))
        (notice(if approved && !view.changed { Tone::Good } else { Tone::Warn }, &how_it_stands(frame, view)))
        @if view.own || view.may != May::Look {
            div class="actions" {
                @match &view.may {
                    May::Look => {},
                    May::Decide => {
                        a class="button main" href={ "/admin/recovery/" (case) "/approve" } { "Approve" span class="unseen" { " for " (name) } }
                        a class="button" href={ "/admin/recovery/" (case) "/deny" } { "Deny" span class="unseen" { " for " (name) } }
                    },
                    May::CarryOut(href) => { a class="button main" href=(href) { "Carry it out" } },
                    May::AskAgain(href) => { a class="button" href=(href) { "Ask again" } },
                }
                @if view.own { a class="button" href={ "/admin/recovery/" (case) "/withdraw" } { "Withdraw it" } }
            }
        }
    };
    card("request", title, &content)
}

pub(super) fn asked(frame: &Frame, view: &RequestView) -> Vec<(&'static str, Markup)> {
    let mut rows = vec![
        ("Asked for", html! { strong { (view.what()) } }),
        ("By", html! { bdi { (view.asked_by) } ", " (time_ago(view.asked_at, frame.now)) }),
        ("Reason", html! { (view.reason) }),
    ];
    if !view.ticket.is_empty() {
        rows.push(("Ticket", html! { (view.ticket) }));
    }
    if let Some((who, at)) = view.decided {
        let decided = if view.state == RequestState::Denied { "Denied" } else { "Approved" };
        rows.push((decided, html! { "by " bdi { (who) } ", " (time_ago(at, frame.now)) }));
        if !view.note.is_empty() {
            rows.push(("Note", html! { (view.note) }));
        }
    }
    rows
}

pub(super) fn how_it_stands(frame: &Frame, view: &RequestView) -> Markup {
    let (now, who, name) = (frame.now, view.asked_by, view.person.name);
    if view.changed {
        return html! { p {
            "Something has changed since it was asked for, so it does not count any more. " bdi { (who) }
            " has to ask again."
        } };
    }
    if view.state == RequestState::Approved || view.is_ripe(now) {
        return html! { p {
            @if view.state != RequestState::Approved { "Its time has passed without an objection. " }
            bdi { (who) } " can carry it out once, until " (clock(view.valid_until, now))
            ", if nothing changes until then."
        } };
    }
    html! {
        p {
            @match (view.needs, view.ripe_at) {
                (Needs::Owner, _) => "An owner has to approve it.",
                (Needs::Admin, _) => "Another admin or an owner has to approve it.",
                (Needs::Time, None) => {},
                (Needs::Time, Some(at)) => {
                    "Nobody else could approve it when it was asked for, so time stands in: " bdi { (who) }
                    " can carry it out from " (clock(at, now)) " on (" (time_ago(at, now)) "). Until then " bdi { (name) }
                    " can object, with the link in the notice about it."
                },
            }
            @match (view.approvers.split_last(), view.needs) {
                (Some((last, [])), _) => { " " bdi { (last) } " can do that." },
                (Some((last, others)), _) => {
                    " " @for (i, other) in others.iter().enumerate() { @if i > 0 { ", " } bdi { (other) } }
                    " or " bdi { (last) } " can do that."
                },
                (None, Needs::Time) => {},
                (None, _) => {
                    " But nobody is here any more who could. " bdi { (who) } " can ask again: then time stands in."
                },
            }
        }
        p { "Is nobody at hand? Whoever runs the host can approve it there: " (view.command()) }
    }
}
