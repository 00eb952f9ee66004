//! The forms for what lets somebody in, takes something away or stays on record: each a page of its own that posts to
//! its own address, says what will happen, and asks for a reason.

use std::time::Duration;

use maud::{Markup, html};

use super::Frame;
use super::evidence::{Known, evidence};
use super::field::Field;
use super::form::{Choice, Form, checkbox};
use super::parts::{Badge, Tone, cancel, card, facts, heading};
use super::permission::Permission;
use super::users::page;
use super::words::{count, lasting};
use crate::ids::{CaseNumber, UserId};

/// The person it is about.
#[derive(Debug, Clone, Copy)]
pub struct Subject<'a> {
    /// Who.
    pub id: UserId,
    /// Their name.
    pub name: &'a str,
    /// What they sign in with.
    pub email: &'a str,
}

impl Subject<'_> {
    pub(super) fn href(&self, path: &str) -> String {
        format!("/admin/users/{}{path}", self.id)
    }

    pub(super) fn trail(&self, case: Option<CaseNumber>) -> Markup {
        html! {
            a href=(self.href("")) { bdi { (self.name) } }
            @if let Some(case) = case { " · case " a href={ "/admin/recovery/" (case) } { (case) } }
        }
    }
}

/// Something that happened lately and should be seen before going on.
#[derive(Debug, Clone)]
pub struct Signal {
    /// "Wrong passwords".
    pub label: String,
    /// "6 since yesterday, from 2 addresses never seen".
    pub text: String,
    /// How much it weighs.
    pub weight: Weight,
}

/// How much a signal weighs.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Weight {
    /// Nothing unusual.
    Calm,
    /// Look at it; anyone can cause it.
    Look,
    /// Unusual by itself.
    Strong,
}

/// `POST /admin/users/{id}/mfa/reset` with `evidence`, `number`, `voucher`, `evidence_note`, `ticket`, `reason`,
/// `codes_unavailable`.
#[derive(Debug, Clone)]
pub struct ResetView<'a> {
    /// With a nonce; keeps everything.
    pub form: Form<'a>,
    /// Whose factors.
    pub person: Subject<'a>,
    /// The case, when it is open already.
    pub case: Option<CaseNumber>,
    /// Confirmed factors that will be removed.
    pub factors: u32,
    /// Apps that were switched off after too many wrong codes, and are removed too.
    pub switched_off: u32,
    /// Unused backup codes that will be void.
    pub codes_left: u32,
    /// Sessions that will end.
    pub sessions: u32,
    /// What they can be known by.
    pub known: Known,
    /// What happened lately.
    pub signals: Vec<Signal>,
    /// What has to permit it, or does.
    pub permission: Permission,
    /// How long the enrolment window stays open.
    pub window: Duration,
    /// Whether a pass is asked for first.
    pub asks_for_pass: bool,
}

/// The confirmation of a reset.
pub fn reset(frame: &Frame, view: &ResetView) -> Markup {
    let (form, person) = (&view.form, &view.person);
    let title = format!("Force MFA reset for {}", person.name);
    let act =
        Act { title: title.clone(), path: "/mfa/reset", back: "/mfa", button: "Remove all factors", danger: true };
    let codes = Choice::new(
        "on",
        format!(
            "{} does not have {}",
            person.name,
            if view.codes_left == 1 {
                "the remaining backup code".to_owned()
            } else {
                format!("the {} remaining backup codes", view.codes_left)
            }
        ),
    )
    .hint("Ask first: with one of them no reset is needed. E-mail, password, “use a backup code instead”.");
    let content = html! {
        (heading(Some(&person.trail(view.case)), &title, None))
        (form.summary(UNCHANGED))
        div class="aside" {
            form class="card" method="post" action=(person.href("/mfa/reset")) novalidate {
                (form.hidden())
                @if view.codes_left > 0 { (checkbox(form, "codes_unavailable", &codes)) }
                (evidence(frame, form, person, &view.known))
                (ticket_and_reason(form))
                (form.step_up())
                (view.permission.show(frame, person))
                (buttons(&act.with(&view.permission), person))
            }
            div class="stack" {
                (card("what", "What will happen", &what_happens(view)))
                (signals(&view.signals))
            }
        }
    };
    page(frame, &title, form.wrong(), &content)
}

pub(super) const UNCHANGED: &str = "Nothing has been changed yet.";

fn what_happens(view: &ResetView) -> Markup {
    let name = view.person.name;
    html! {
        ul {
            @match (view.factors, view.codes_left) {
                (0, 0) if view.switched_off > 0 => {},
                (0, codes) if view.switched_off > 0 => li {
                    strong { (count(codes.into(), "remaining backup code")) } " stop working."
                },
                (1, 0) => li { strong { "1 factor" } " stops working." },
                (0, 0) => li { "There is no factor and no backup code to remove. A pass from an earlier reset stops working." },
                (factors, 0) => li { strong { (count(factors.into(), "factor")) } " stop working." },
                (factors, codes) => li {
                    strong { (count(factors.into(), "factor")) } " and "
                    strong { (count(codes.into(), "remaining backup code")) } " stop working."
                },
            }
            @if view.switched_off > 0 {
                li {
                    strong { (count(view.switched_off.into(), "authenticator app")) ", switched off after too many wrong codes" }
                    ", will be gone. Each wrong code came from somebody who had the password: set a new one too."
                }
            }
            @match view.sessions {
                0 => li { "No session is open now." },
                1 => li { strong { "1 session" } " ends." },
                more => li { strong { (more) " sessions" } " end." },
            }
            @if view.asks_for_pass {
                li { "You get a pass to read to " bdi { (name) } ". With it and the password, " bdi { (name) }
                    " sets up a new factor within " (lasting(view.window)) "." }
            } @else {
                li { "With the password alone, " bdi { (name) } " sets up a new factor within " (lasting(view.window))
                    ". No pass is asked for: could somebody else know the password?" }
            }
            li { "It stands in the audit log with your name and your reason." }
        }
    }
}

/// What happened lately, as a card.
pub(super) fn signals(signals: &[Signal]) -> Markup {
    card(
        "recent",
        "Recent activity",
        &html! {
            @if signals.is_empty() { p { "Nothing unusual in the last days." } } @else { (signal_facts(signals)) }
        },
    )
}

pub(super) fn signal_facts(signals: &[Signal]) -> Markup {
    let value = |s: &Signal| {
        let badge = match s.weight {
            Weight::Calm => None,
            Weight::Look => Some(Badge::new(Tone::Warn, "look at this")),
            Weight::Strong => Some(Badge::new(Tone::Bad, "unusual")),
        };
        html! { (s.text) @if let Some(badge) = badge { " " (badge.show()) } }
    };
    facts(&signals.iter().map(|s| (s.label.as_str(), value(s))).collect::<Vec<_>>())
}

pub(super) fn ticket_and_reason(form: &Form) -> Markup {
    html! {
        (Field::new("ticket", "Ticket (optional)").hint("Its number, if there is one.").show(form))
        (Field::new("reason", "Reason").hint("Everyone who reads the audit log sees it. No passwords or codes, please.")
            .area().show(form))
    }
}

/// `POST /admin/users/{id}/mfa/backup-codes` with `evidence`, `number`, `voucher`, `evidence_note`, `ticket`, `reason`.
#[derive(Debug, Clone)]
pub struct IssueCodesView<'a> {
    /// With a nonce; keeps everything.
    pub form: Form<'a>,
    /// For whom.
    pub person: Subject<'a>,
    /// The case, when there is one.
    pub case: Option<CaseNumber>,
    /// How many codes there will be.
    pub codes: u32,
    /// How long they work.
    pub valid: Duration,
    /// What they can be known by.
    pub known: Known,
    /// What happened lately.
    pub signals: Vec<Signal>,
    /// What has to permit it, or does.
    pub permission: Permission,
}

/// A few codes that can be dictated, for somebody who has nothing to enrol with.
pub fn issue_codes(frame: &Frame, view: &IssueCodesView) -> Markup {
    let (person, name) = (&view.person, view.person.name);
    let what = html! {
        ul {
            li { "You get " (count(view.codes.into(), "code")) " to read to " bdi { (name) } ", shown once. They work for "
                (lasting(view.valid)) ", each once, with the password." }
            li { "Codes that an admin issued earlier stop working. Their own backup codes and factors stay." }
            li { "It stands in the audit log with your name and your reason." }
        }
    };
    let act = Act {
        title: format!("Generate backup codes for {name}"),
        path: "/mfa/backup-codes",
        back: "/mfa",
        button: "Generate codes",
        danger: false,
    };
    granting(
        frame,
        &act,
        &view.form,
        (person, view.case),
        &html! {},
        (&what, &view.known, &view.signals, &view.permission),
    )
}

/// `POST /admin/users/{id}/password` with `evidence`, `number`, `voucher`, `evidence_note`, `ticket`, `reason`.
#[derive(Debug, Clone)]
pub struct TemporaryPasswordView<'a> {
    /// With a nonce; keeps everything.
    pub form: Form<'a>,
    /// For whom.
    pub person: Subject<'a>,
    /// The case, when there is one.
    pub case: Option<CaseNumber>,
    /// How long it works.
    pub valid: Duration,
    /// What they can be known by.
    pub known: Known,
    /// What happened lately.
    pub signals: Vec<Signal>,
    /// What has to permit it, or does.
    pub permission: Permission,
}

/// A password that the system makes up.
pub fn temporary_password(frame: &Frame, view: &TemporaryPasswordView) -> Markup {
    let (person, name) = (&view.person, view.person.name);
    let what = html! {
        ul {
            li { "The old password stops working and every session ends." }
            li { "You get a password to read to " bdi { (name) } ", shown once. It works for " (lasting(view.valid))
                ", and has to be changed at the first sign-in." }
            li { "The second factor is still asked for." }
            li { "It stands in the audit log with your name and your reason." }
        }
    };
    let act = Act {
        title: format!("Set a temporary password for {name}"),
        path: "/password",
        back: "",
        button: "Set temporary password",
        danger: true,
    };
    granting(
        frame,
        &act,
        &view.form,
        (person, view.case),
        &html! {},
        (&what, &view.known, &view.signals, &view.permission),
    )
}

/// What such a page is called and where it posts and leads back to, under the person's address.
#[derive(Clone)]
pub(super) struct Act<'a> {
    pub title: String,
    pub path: &'a str,
    pub back: &'static str,
    pub button: &'static str,
    pub danger: bool,
}

impl Act<'_> {
    /// The same where something has to permit it first: its button says so.
    fn with(&self, permission: &Permission) -> Self {
        let danger = self.danger && permission.is_done_at_once();
        Self { button: permission.button(self.button), danger, ..self.clone() }
    }
}

/// A form with `fields`, evidence, ticket and reason, beside it what will happen and what happened lately.
pub(super) fn granting(
    frame: &Frame,
    act: &Act,
    form: &Form,
    (person, case): (&Subject, Option<CaseNumber>),
    fields: &Markup,
    (what, known, recent, permission): (&Markup, &Known, &[Signal], &Permission),
) -> Markup {
    let content = html! {
        (heading(Some(&person.trail(case)), &act.title, None))
        (form.summary(UNCHANGED))
        div class="aside" {
            form class="card" method="post" action=(person.href(act.path)) novalidate {
                (form.hidden())
                (fields)
                (evidence(frame, form, person, known))
                (ticket_and_reason(form))
                (form.step_up())
                (permission.show(frame, person))
                (buttons(&act.with(permission), person))
            }
            div class="stack" { (card("what", "What will happen", what)) (signals(recent)) }
        }
    };
    page(frame, &act.title, form.wrong(), &content)
}

pub(super) fn buttons(act: &Act, person: &Subject) -> Markup {
    html! {
        div class="actions" {
            button class=(if act.danger { "danger" } else { "main" }) { (act.button) }
            (cancel(&person.href(act.back)))
        }
    }
}
