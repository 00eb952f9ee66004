//! The forms in a case that give nothing: how somebody made sure, refusing, handing on, closing; opening one; and what
//! answers instead when the case has moved on.

use std::time::Duration;

use maud::{Markup, html};

use crate::ids::CaseNumber;
use crate::pages::evidence::{Known, evidence as evidence_fields};
use crate::pages::field::Field;
use crate::pages::form::{Choice, Form, checkbox, radios};
use crate::pages::frame::{Frame, Section};
use crate::pages::grants::{Signal, Subject, UNCHANGED, signals};
use crate::pages::parts::{Tone, cancel, card, heading, notice};
use crate::pages::words::{lasting, time_ago};
use crate::pages::{recovery, users};
use crate::recovery::{Case, Refusal};

/// Opening a case: `POST /admin/users/{id}/case` with `reason`, `ticket`, `urgent`.
#[derive(Debug, Clone)]
pub struct OpenCaseView<'a> {
    /// With a nonce; keeps everything.
    pub form: Form<'a>,
    /// Who needs help.
    pub person: Subject<'a>,
}

/// Somebody asks for help.
pub fn open_case(frame: &Frame, view: &OpenCaseView) -> Markup {
    let (form, person) = (&view.form, &view.person);
    let title = format!("Open a recovery case for {}", person.name);
    let urgent = Choice::new("on", "It is urgent")
        .hint("It stands first among the cases. How you make sure who it is stays the same.");
    let content = html! {
        (heading(Some(&person.trail(None)), &title, None))
        (form.summary(UNCHANGED))
        div class="aside" {
            form class="card" method="post" action=(person.href("/case")) novalidate {
                (form.hidden())
                (Field::new("reason", "What happened?")
                    .hint("As they tell it: “lost her phone on the train”. Everyone who reads the audit log sees it.")
                    .area().show(form))
                (Field::new("ticket", "Ticket (optional)").hint("Its number, if there is one.").show(form))
                (checkbox(form, "urgent", &urgent))
                (form.step_up())
                div class="actions" { button class="main" { "Open the case" } (cancel(&person.href(""))) }
            }
            div class="stack" { (card("what", "What will happen", &html! { ul {
                li { "Nothing is given yet. The case gets a number, and leads you through the steps." }
                li { "First you make sure who it is, then you ask for a backup code, and only then you reset anything." }
                li { "You can refuse at every step, or hand the case to an owner." }
            } })) }
        }
    };
    users::page(frame, &title, form.wrong(), &content)
}

/// Where a form of this case posts to.
fn href(case: CaseNumber, path: &str) -> String {
    format!("/admin/recovery/{case}{path}")
}

fn trail(person: &Subject, case: CaseNumber) -> Markup {
    html! {
        a href="/admin/recovery" { "Recovery" } " · "
        a href=(href(case, "")) { (case) } " · " a href=(person.href("")) { bdi { (person.name) } }
    }
}

fn page(frame: &Frame, title: &str, form: &Form, content: &Markup) -> Markup {
    frame.wide(Section::Recovery, title, form.wrong(), content)
}

/// How the case was when the form was made: what has moved on since is told before anything is done.
fn version(form: &Form) -> Markup {
    html! { input type="hidden" name="version" value=(form.value("version")); }
}

/// Recording how somebody made sure: `POST /admin/recovery/{case}/evidence` with `evidence`, `number`, `voucher`,
/// `evidence_note`, `ticket`.
#[derive(Debug, Clone)]
pub struct EvidenceView<'a> {
    /// With a nonce; keeps everything.
    pub form: Form<'a>,
    /// Who it should be.
    pub person: Subject<'a>,
    /// In which case.
    pub case: CaseNumber,
    /// What they can be known by.
    pub known: Known,
    /// How long evidence is fresh.
    pub fresh: Duration,
    /// What happened lately.
    pub signals: Vec<Signal>,
}

/// How did you make sure?
pub fn evidence(frame: &Frame, view: &EvidenceView) -> Markup {
    let (form, person, case) = (&view.form, &view.person, view.case);
    let title = format!("Make sure it is {}", person.name);
    let content = html! {
        (heading(Some(&trail(person, case)), &title, None))
        (form.summary(UNCHANGED))
        div class="aside" {
            form class="card" method="post" action=(href(case, "/evidence")) novalidate {
                (form.hidden())
                (evidence_fields(frame, form, person, &view.known))
                (Field::new("ticket", "Ticket (optional)").hint("Its number, if there is one.").show(form))
                (form.step_up())
                div class="actions" { button class="main" { "Record it" } (cancel(&href(case, ""))) }
            }
            div class="stack after" {
                (card("what", "What will happen", &html! { ul {
                    li { "It stands in the case with your name, and in the audit log. It can be added to, never changed." }
                    li { "It is fresh for " (lasting(view.fresh)) " from the moment at which you opened this page. While it "
                        "is, the forms that let " bdi { (person.name) } " in rest on it." }
                    li { "You could not make sure? " a href=(href(case, "/refuse")) { "Refuse" } " or "
                        a href=(href(case, "/escalate")) { "ask an owner" } "." }
                } }))
                (signals(&view.signals))
            }
        }
    };
    page(frame, &title, form, &content)
}

/// Refusing: `POST /admin/recovery/{case}/refuse` with `version`, `refusal`, `note`.
#[derive(Debug, Clone)]
pub struct RefuseView<'a> {
    /// With a nonce; keeps everything.
    pub form: Form<'a>,
    /// Whom.
    pub person: Subject<'a>,
    /// In which case.
    pub case: CaseNumber,
    /// How long everybody sees it.
    pub shown: Duration,
    /// How long only an owner opens a new case.
    pub owner_for: Duration,
}

/// Which rule, and what happened.
pub fn refuse(frame: &Frame, view: &RefuseView) -> Markup {
    let (form, person, case) = (&view.form, &view.person, view.case);
    let title = format!("Refuse to help {}", person.name);
    let hint = |refusal| match refusal {
        Refusal::NotVerified => "No video call, no number that is known, nobody who vouches.",
        Refusal::Pressure => "“My boss needs this now”, anger, flattery, a story that changes.",
        Refusal::UnusualActivity => "New devices, changed contact details, an earlier refusal.",
        Refusal::Judgement => "You can not say it better? Your note says what it was.",
    };
    let choices: Vec<_> = Refusal::ALL.iter().map(|r| Choice::new(r.as_str(), r.sentence()).hint(hint(*r))).collect();
    let content = html! {
        (heading(Some(&trail(person, case)), &title, None))
        (form.summary(UNCHANGED))
        div class="aside" {
            form class="card" method="post" action=(href(case, "/refuse")) novalidate {
                (form.hidden()) (version(form))
                (radios(form, "refusal", "Why do you refuse?", &choices))
                (Field::new("note", "Note").hint("What happened, for whoever is asked next. Every admin sees it.").area().show(form))
                (form.step_up())
                div class="actions" { button class="danger" { "Refuse to help" } (cancel(&href(case, ""))) }
            }
            div class="stack" { (card("what", "What will happen", &html! { ul {
                li { "The case is closed and nothing is given. What waits for approval is over." }
                li { "For " (lasting(view.shown)) " every admin who opens " bdi { (person.name) } " sees your note." }
                li { "For " (lasting(view.owner_for)) " only an owner opens a new case: who was refused by you can not try it "
                    "with a colleague." }
                li { "You do not need proof. If it was really them, an owner can help at any time." }
            } })) }
        }
    };
    page(frame, &title, form, &content)
}

/// A form of a case that has at most one field.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Short {
    /// `POST /admin/recovery/{case}/escalate` with `version`, `message`
    Escalate,
    /// `POST /admin/recovery/{case}/close` with `version`
    Close,
    /// `POST /admin/recovery/{case}/urgent` with `urgent`
    Urgency,
}

/// The form of a [`Short`].
#[derive(Debug, Clone)]
pub struct ShortView<'a> {
    /// With a nonce; keeps everything.
    pub form: Form<'a>,
    /// About whom.
    pub person: Subject<'a>,
    /// Which case.
    pub case: CaseNumber,
}

/// A short form.
pub fn short(frame: &Frame, errand: Short, view: &ShortView) -> Markup {
    let (form, person, case) = (&view.form, &view.person, view.case);
    let urgent = form.value("urgent") == "on";
    let (title, path, button) = match errand {
        Short::Escalate => (format!("Hand {case} to the owners"), "/escalate", "Hand it to the owners"),
        Short::Close => (format!("Close {case}: not needed any more"), "/close", "Close the case"),
        Short::Urgency if urgent => (format!("Mark {case} as urgent"), "/urgent", "Mark as urgent"),
        Short::Urgency => (format!("{case} is not urgent"), "/urgent", "It is not urgent any more"),
    };
    let what = match errand {
        Short::Escalate => html! {
            p { "The owners are told at once. From then on only an owner goes on with this case; you still see it." }
            p { "Do this whenever you are not sure, or somebody presses you: nobody has to decide alone." }
        },
        Short::Close => html! {
            p { "They found their phone, or called by mistake? Then the case ends here. Nothing was given, and nothing changes "
                "for " bdi { (person.name) } "." }
            p { "If something was not right, " a href=(href(case, "/refuse")) { "refuse instead" } ": then everybody knows." }
        },
        Short::Urgency => html! {
            p { "It says in which order cases are looked at. How somebody makes sure who it is stays the same." }
        },
    };
    let content = html! {
        (heading(Some(&trail(person, case)), &title, None))
        (form.summary(UNCHANGED))
        form class="card" method="post" action=(href(case, path)) novalidate {
            (form.hidden())
            div { (what) }
            @match errand {
                Short::Escalate => {
                    (version(form))
                    (Field::new("message", "Message to the owners").hint("What you know, and what you are not sure of.")
                        .area().show(form))
                }
                Short::Close => { (version(form)) }
                Short::Urgency => { @if urgent { input type="hidden" name="urgent" value="on"; } }
            }
            (form.step_up())
            div class="actions" { button class="main" { (button) } (cancel(&href(case, ""))) }
        }
    };
    page(frame, &title, form, &content)
}

/// What was asked for can not be done in the case as it stands now: answered with 409.
#[derive(Debug, Clone)]
pub struct MovedOnView<'a> {
    /// What was typed.
    pub form: Form<'a>,
    /// About whom.
    pub person: Subject<'a>,
    /// How the case stands.
    pub case: &'a Case,
}

/// How the case stands now. What was typed stands here to be copied: it is nowhere else.
pub fn moved_on(frame: &Frame, view: &MovedOnView) -> Markup {
    let (case, person) = (view.case, &view.person);
    let labels = [
        ("reason", "Reason"),
        ("note", "Note"),
        ("message", "Message"),
        ("evidence_note", "What you saw or heard"),
        ("voucher", "Who vouches"),
        ("ticket", "Ticket"),
    ];
    let typed: Vec<_> = labels.iter().map(|(name, label)| (*label, view.form.value(name))).collect();
    let title = "The case has moved on";
    let content = html! {
        (heading(Some(&trail(person, case.number)), title, None))
        (notice(Tone::Warn, &html! {
            p {
                strong { "It is now: " (case.state.sentence()) ", since " (time_ago(case.state_at, frame.now)) "." }
                @if let Some(by) = &case.closed_by { " By " bdi { (by) } "." }
                @if !case.note.is_empty() { " " q { bdi { (case.note) } } }
            }
            p { "Nothing has been changed. That it was tried stands in the audit log, as every try does." }
        }))
        @if typed.iter().any(|(_, text)| !text.is_empty()) {
            (card("typed", "What you typed", &html! {
                dl class="facts" {
                    @for (label, text) in typed.iter().filter(|(_, text)| !text.is_empty()) { dt { (label) } dd { (text) } }
                }
            }))
        }
        div class="actions" {
            a class="button main" href=(href(case.number, "")) { "Open the case" }
            a class="button" href=(person.href("")) { "Go to " bdi { (person.name) } }
        }
    };
    recovery::page(frame, title, &content)
}
