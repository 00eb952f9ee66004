//! The page on which somebody else decides about what was asked for in a case.
//!
//! Invariant: who decides sees what who asked has seen, the evidence with its age and the signs, as they were then and as
//! they are now; and that an approval does nothing by itself.

use std::time::Duration;

use maud::{Markup, html};

use super::requests::{RequestView, asked, how_it_stands};
use crate::grants::Grant;
use crate::pages::Frame;
use crate::pages::field::Field;
use crate::pages::form::Form;
use crate::pages::frame::Section;
use crate::pages::grants::{Signal, Weight};
use crate::pages::parts::{Badge, Tone, cancel, card, facts, heading, notice};
use crate::pages::portraits::compared_with;
use crate::pages::words::{count, day, lasting, time_ago};
use crate::portraits::Portrait;
use crate::recovery::{EvidenceKind, Recorded, RequestState};
use crate::users::Role;

/// Deciding: `GET` and `POST /admin/recovery/{case}/approve` or `…/deny`, with `request` and `note`.
#[derive(Debug, Clone)]
pub struct DecideView<'a> {
    /// With a nonce; keeps `note`. Absent where there is nothing to decide for the viewer.
    pub form: Option<Form<'a>>,
    /// Whether it is to be denied.
    pub deny: bool,
    /// What was asked for.
    pub request: RequestView<'a>,
    /// The role of the person.
    pub role: Role,
    /// How it was made sure who it is.
    pub evidence: Recorded,
    /// What a face on a video call was compared with.
    pub portrait: Option<Portrait>,
    /// Each kind of sign, as it is now and as it was when it was asked for.
    pub signs: Vec<(Signal, Signal)>,
    /// What would happen.
    pub what: WhatView,
    /// Which rule stands against the viewer's deciding.
    pub rule: Option<&'static str>,
    /// What was typed before it turned out that there is nothing to decide.
    pub typed: &'a str,
}

/// What would happen.
#[derive(Debug, Clone)]
pub struct WhatView {
    /// Factors that work now.
    pub factors: u32,
    /// Backup codes that are left.
    pub codes_left: u32,
    /// Sessions that are open.
    pub sessions: u32,
    /// Whether a pass is read out after a reset.
    pub pass: bool,
    /// How many codes are issued.
    pub codes: u32,
    /// How long what is given works.
    pub valid: Duration,
    /// How long an approval is good for.
    pub approval: Duration,
    /// Where a denial ends the case: how long it is shown, and how long only an owner opens the next one.
    pub denial: Option<(Duration, Duration)>,
}

/// What was asked for, on what it rests, what would happen; and the form.
pub fn decide(frame: &Frame, view: &DecideView) -> Markup {
    let request = &view.request;
    let verb = if view.deny { "Deny" } else { "Approve" };
    let title = format!("{verb} what {} asks for", request.asked_by);
    let href = format!("/admin/recovery/{}", request.case);
    let trail = html! {
        a href="/admin/recovery" { "Recovery" } " · " a href=(href) { (request.case) } " · "
        a href=(request.person.href("")) { bdi { (request.person.name) } }
    };
    let wrong = view.form.as_ref().is_some_and(Form::wrong);
    let lead = "Nothing has been decided yet.";
    let mut rows = asked(frame, request);
    let person = html! {
        bdi { (request.person.name) } ", " (view.role) " " small { bdi { (request.person.email) } }
    };
    rows.insert(1, ("For", person));
    let content = html! {
        (heading(Some(&trail), &title, None))
        @if let Some(form) = &view.form { (form.summary(lead)) }
        (card("asked", "What is asked for", &facts(&rows)))
        div class="aside" {
            // On a phone it comes last: who decides has seen the rest.
            div class="stack after" {
                @match &view.form {
                    Some(form) => (form_of(view, form, &href)),
                    None => (instead(frame, view, &href)),
                }
            }
            div class="stack" {
                (card("evidence", "How it was made sure who it is", &evidence(frame, view)))
                (signs(view))
                (card("what", "What will happen", &what_happens(view)))
            }
        }
    };
    frame.wide(Section::Recovery, &title, wrong, &content)
}

fn form_of(view: &DecideView, form: &Form, href: &str) -> Markup {
    let (path, other, other_path) =
        if view.deny { ("deny", "Approve instead", "approve") } else { ("approve", "Deny instead", "deny") };
    let note = if view.deny {
        Field::new("note", "Why not?").hint("Everyone who reads the audit log sees it, and who asked.").area()
    } else {
        Field::new("note", "Note (optional)").hint("Everyone who reads the audit log sees it.").area()
    };
    html! {
        form class="card" method="post" action={ (href) "/" (path) } novalidate {
            (form.hidden())
            input type="hidden" name="request" value=(view.request.id);
            (note.show(form))
            (form.step_up())
            div class="actions" {
                @if view.deny { button class="danger" { "Deny" } } @else { button class="main" { "Approve" } }
                a class="button" href={ (href) "/" (other_path) } { (other) }
                (cancel(href))
            }
        }
    }
}

/// What stands in place of the form.
fn instead(frame: &Frame, view: &DecideView, href: &str) -> Markup {
    let request = &view.request;
    let over = request.state != RequestState::Waiting || request.valid_until <= frame.now;
    html! {
        (notice(Tone::Warn, &html! {
            @match (over, request.state, view.rule) {
                (true, RequestState::Approved, _) => p { strong { "It is approved already." } " There is nothing to decide any more." },
                (true, RequestState::Denied, _) => p { strong { "It was denied already." } " There is nothing to decide any more." },
                (true, RequestState::Used, _) => p { strong { "It was carried out already." } " There is nothing to decide any more." },
                (true, ..) => p {
                    strong { "It is not asked for any more." } " It took too long, something has changed since, or something "
                    "else was asked for."
                },
                (false, _, Some(rule)) => p { (rule) },
                (false, ..) => (how_it_stands(frame, request)),
            }
            @if !view.typed.is_empty() { p { "Nothing was changed. You wrote: " q { (view.typed) } } }
        }))
        div class="actions" { a class="button main" href=(href) { "Go to case " (request.case) } }
    }
}

fn evidence(frame: &Frame, view: &DecideView) -> Markup {
    let (recorded, evidence) = (&view.evidence, &view.evidence.evidence);
    let by_face = evidence.kind() == EvidenceKind::VideoCall;
    let mut rows = vec![
        ("How", html! { strong { (evidence.kind().sentence()) } }),
        ("When", html! { (time_ago(evidence.recorded_at(), frame.now)) ", by " bdi { (recorded.by.name) } }),
    ];
    if let Some(called) = evidence.called() {
        let known = html! { bdi { (called.phone.as_str()) } ", known since " (day(called.known_since)) };
        rows.push(("Number", known));
    }
    if let Some(voucher) = evidence.voucher() {
        rows.push(("Who vouches", html! { bdi { (voucher) } }));
    }
    if let Some(ticket) = &recorded.ticket {
        rows.push(("Ticket", html! { (ticket) }));
    }
    if !evidence.note().is_empty() {
        rows.push(("Note", html! { (evidence.note()) }));
    }
    html! {
        (facts(&rows))
        @match &view.portrait {
            Some(portrait) if by_face => (compared_with(frame, &view.request.person, portrait)),
            None if by_face => p class="hint" { "There is no photo on record, so it was compared with an ID, if with anything." },
            _ => {},
        }
    }
}

fn signs(view: &DecideView) -> Markup {
    let value = |now: &Signal, then: &Signal| {
        let badge = match now.weight {
            Weight::Calm => None,
            Weight::Look => Some(Badge::new(Tone::Warn, "look at this")),
            Weight::Strong => Some(Badge::new(Tone::Bad, "unusual")),
        };
        html! {
            (now.text) @if let Some(badge) = badge { " " (badge.show()) }
            @if now.text != then.text { br; small { "When it was asked for: " (then.text) } }
        }
    };
    let rows: Vec<_> = view.signs.iter().map(|(now, then)| (now.label.as_str(), value(now, then))).collect();
    card("recent", "Recent activity", &facts(&rows))
}

fn what_happens(view: &DecideView) -> Markup {
    let (request, what) = (&view.request, &view.what);
    let (who, name) = (request.asked_by, request.person.name);
    html! {
        @if view.deny {
            ul {
                li { "Nothing is given to " bdi { (name) } ", and " bdi { (who) } " sees why." }
                @if let Some((shown, owners)) = what.denial {
                    li { "The case ends. Everyone who opens " bdi { (name) } " sees that for " (lasting(shown)) ", and for "
                        (lasting(owners)) " only an owner opens a new case." }
                }
            }
        } @else {
            ul {
                li { "By your approval nothing is done yet: " bdi { (who) } " can carry it out within " (lasting(what.approval))
                    ", once, for exactly this, if nothing changes until then." }
                (given(request, what))
                li { "It stands in the audit log with your name." }
            }
        }
    }
}

/// How a sentence about what stops working ends.
fn sessions(open: u32) -> Markup {
    html! { @if open == 0 { "; no session is open now" } @else { ", and " (count(open.into(), "session")) " will end" } }
}

/// What carrying it out gives.
fn given(request: &RequestView, what: &WhatView) -> Markup {
    let (who, name) = (html! { bdi { (request.asked_by) } }, html! { bdi { (request.person.name) } });
    match request.grant {
        Grant::ResetFactors => html! {
            li { (count(what.factors.into(), "factor")) " and " (count(what.codes_left.into(), "remaining backup code"))
                " will stop working" (sessions(what.sessions)) "." }
            @if what.codes_left > 0 { li { (who) " says that " (name) " does not have these codes." } }
            @if what.pass {
                li { (who) " will get a pass to read out. With it and the password, " (name) " can set up a new "
                    "authenticator app within " (lasting(what.valid)) "." }
            } @else {
                li { "With the password alone, " (name) " can set up a new authenticator app within " (lasting(what.valid)) "." }
            }
        },
        Grant::IssueBackupCodes => html! {
            li { (who) " will get " (count(what.codes.into(), "code")) " to read out. Each lets " (name)
                " sign in once with the password, within " (lasting(what.valid)) "." }
        },
        Grant::SetTemporaryPassword => html! {
            li { "The old password will stop working" (sessions(what.sessions)) "." }
            li { (who) " will get a password to read out, for " (lasting(what.valid)) ". The second factor is still asked for." }
        },
        Grant::InviteAgain => html! {
            li { (who) " will get a link to hand over. Whoever opens it within " (lasting(what.valid)) " becomes " (name) "." }
        },
        Grant::ChangeEmail => html! {
            li { (name) " will sign in with " bdi { (request.argument) } ", and no longer with " bdi { (request.person.email) }
                (sessions(what.sessions)) "." }
        },
        Grant::Readmit => html! {
            li { "The account was closed because of an attack. It will be in use again, with nothing of what it had." }
            li { (who) " will get a password" @if what.pass { " and a pass" } " to read out; " (name)
                " sets up a new factor within " (lasting(what.valid)) "." }
        },
        _ => html! {},
    }
}
