//! What owners have set for everybody: all of it on one page; one form for each setting; and taking back what waits.

use maud::{Markup, html};

use super::Frame;
use super::field::Field;
use super::form::{Choice, Form, radios};
use super::frame::Section;
use super::grants::UNCHANGED;
use super::parts::{Badge, Tone, cancel, card, facts, heading, notice};
use super::words::{clock, lasting, time_ago};
use crate::policy::{Group, Key, LOOSENING, Looser, Setting, Standing, Unit};

/// All settings: `GET /admin/policy`.
#[derive(Debug, Clone)]
pub struct PolicyView {
    /// How each setting stands, in the order of [`crate::policy::KEYS`].
    pub settings: Vec<Standing>,
    /// Whether who looks at it may change it.
    pub may_change: bool,
}

/// Every setting with its sentence, what holds, its default, and who changed it last.
pub fn policy(frame: &Frame, view: &PolicyView) -> Markup {
    let content = html! {
        (heading(None, "Policy", None))
        p { "What holds for everybody here. What makes it looser takes effect " (lasting(LOOSENING))
            " after it was asked for, and all owners are told at once; what makes it tighter takes effect at once. "
            @if view.may_change { a href="/admin/audit?action=policy.updated" { "Every change is in the audit log" } "." }
            @else { "Only an owner changes it." }
        }
        @for group in Group::ALL {
            (card(group.as_str(), group.label(), &html! {
                ul class="settings" {
                    @for standing in view.settings.iter().filter(|s| s.key.group() == group) {
                        (setting(frame, standing, view.may_change))
                    }
                }
            }))
        }
    };
    frame.wide(Section::Policy, "Policy", false, &content)
}

fn setting(frame: &Frame, standing: &Standing, may_change: bool) -> Markup {
    let key = standing.key;
    html! {
        li id=(key.as_str()) {
            h3 { (key.label()) }
            div class="value" {
                p { strong { (key.in_words(standing.value)) }
                    @if standing.value != key.default() { " " (Badge::new(Tone::Plain, "not the default").show()) } }
                @if may_change {
                    p { a href={ "/admin/policy/" (key.as_str()) } { "Change" span class="unseen" { ": " (key.label()) } } }
                }
            }
            p class="hint" { (key.sentence()) }
            p class="hint" { "Default: " (bounds(key)) " " (changed(frame, standing)) }
            @if let Some(waiting) = &standing.waiting {
                (notice(Tone::Warn, &html! {
                    p { (coming(frame, waiting)) " "
                        @if may_change {
                            a href={ "/admin/policy/" (key.as_str()) "/take-back" } {
                                "Take it back" span class="unseen" { ": " (key.label()) }
                            }
                        }
                    }
                }))
            }
        }
    }
}

/// `60 minutes. From 5 to 240.`
fn bounds(key: Key) -> String {
    let (default, (min, max)) = (key.in_words(key.default()), key.range());
    match key.unit() {
        Unit::YesNo | Unit::SecondPerson | Unit::HowOften => format!("{default}."),
        Unit::DaysOrEver => format!("{default}. From {min} to {max}. 0 is for ever."),
        _ => format!("{default}. From {min} to {max}."),
    }
}

fn changed(frame: &Frame, standing: &Standing) -> Markup {
    html! {
        @match &standing.set {
            Some(set) => { "Last changed " (time_ago(set.set_at, frame.now)) " by " bdi { (set.set_by) } "." }
            None => { "Never changed." }
        }
    }
}

/// What is to take effect, when, and who asked for it.
fn coming(frame: &Frame, waiting: &Setting) -> Markup {
    html! {
        strong { (waiting.key.in_words(waiting.value)) " from " (clock(waiting.effective_at, frame.now)) }
        ", as " bdi { (waiting.set_by) } " asked " (time_ago(waiting.set_at, frame.now)) "."
    }
}

fn trail() -> Markup {
    html! { a href="/admin/policy" { "Policy" } }
}

/// One setting: `POST /admin/policy/{key}` with `value` and `reason`.
#[derive(Debug, Clone)]
pub struct ChangeView<'a> {
    /// With a nonce; keeps everything; `value` is what holds at first.
    pub form: Form<'a>,
    /// How it stands.
    pub standing: Standing,
}

/// Another value, and what that means.
pub fn change(frame: &Frame, view: &ChangeView) -> Markup {
    let (form, standing) = (&view.form, &view.standing);
    let key = standing.key;
    let title = format!("Change: {}", key.label());
    let now = [
        ("Now", html! { (key.in_words(standing.value)) }),
        ("Default", html! { (key.in_words(key.default())) }),
        (
            "Last changed",
            html! { @match &standing.set {
                Some(set) => { (time_ago(set.set_at, frame.now)) " by " bdi { (set.set_by) } }
                None => { "never" }
            } },
        ),
    ];
    let content = html! {
        (heading(Some(&trail()), key.label(), None))
        (form.summary(UNCHANGED))
        @if let Some(waiting) = &standing.waiting {
            (notice(Tone::Warn, &html! {
                p { (coming(frame, waiting)) " What you save now takes the place of that." }
            }))
        }
        div class="aside" {
            form class="card" method="post" action={ "/admin/policy/" (key.as_str()) } novalidate {
                (form.hidden())
                (value(form, standing))
                (reason(form, "Everyone who reads the audit log sees it. Where it becomes looser, all owners are told it."))
                (form.step_up())
                div class="actions" { button class="main" { "Save" } (cancel("/admin/policy")) }
            }
            div class="stack" {
                (card("meaning", "What it means", &html! { p { (key.sentence()) } p { (key.caution()) } (facts(&now)) }))
                (card("what", "What will happen", &what_happens(key)))
            }
        }
    };
    frame.wide(Section::Policy, &title, form.wrong(), &content)
}

fn value(form: &Form, standing: &Standing) -> Markup {
    let key = standing.key;
    let (min, max) = key.range();
    match key.unit() {
        Unit::YesNo | Unit::SecondPerson | Unit::HowOften => {
            let options: Vec<String> = (min..=max).map(|number| number.to_string()).collect();
            let choices: Vec<_> =
                options.iter().zip(min..).map(|(value, number)| choice(standing, value, number)).collect();
            radios(form, "value", key.label(), &choices)
        }
        unit => {
            let counted = if unit == Unit::Number { "signs".to_owned() } else { format!("{}s", unit.noun()) };
            let ever = if unit == Unit::DaysOrEver { ", or 0 to keep them for ever" } else { "" };
            let hint = format!("A whole number from {min} to {max}{ever}.");
            Field::new("value", key.label()).hint(&hint).number(&counted).show(form)
        }
    }
}

/// One of the few values that a setting can have.
fn choice<'a>(standing: &Standing, value: &'a str, number: i64) -> Choice<'a> {
    let words = standing.key.in_words(number);
    let mut letters = words.chars();
    let first = letters.next().into_iter().flat_map(char::to_uppercase);
    let hint = if number == standing.value {
        "As it is now."
    } else if standing.key.is_looser(standing.value, number) {
        "This is looser."
    } else {
        "This is tighter."
    };
    Choice::new(value, first.chain(letters).collect::<String>()).hint(hint)
}

fn what_happens(key: Key) -> Markup {
    let day = lasting(LOOSENING);
    let (looser, tighter) = match (key.looser(), key.unit()) {
        (Looser::Neither, _) => ("", ""),
        (Looser::Less, Unit::YesNo) => ("“No” is looser", "“Yes” is tighter"),
        (Looser::Less, Unit::SecondPerson) => ("For fewer people is looser", "For more people is tighter"),
        (Looser::Less, Unit::HowOften) => ("Less often is looser", "More often is tighter"),
        (Looser::Less, Unit::DaysOrEver) => ("Shorter is looser", "Longer is tighter, and for ever is tightest"),
        (Looser::More, _) => ("More is looser", "Less is tighter"),
        (Looser::Less, _) => ("Less is looser", "More is tighter"),
    };
    html! {
        ul {
            @if looser.is_empty() {
                li { "It takes effect at once: neither way is looser." }
            } @else {
                li { (looser) ": it takes effect " (day) " after you save it, and all owners are told at once. Until "
                    "then any owner can take it back." }
                li { (tighter) ": it takes effect at once. The way back is a looser one, and takes " (day) "." }
            }
            @if matches!(key, Key::AuditKept | Key::LegalHold) { li { "What was erased before does not come back." } }
            @else if key == Key::AnchorMails { li { "Messages that were sent before stay as good as they were: keep them." } }
            @else { li { "What was given before keeps its time." } }
            li { "It stands in the audit log with your name and your reason, before and after." }
        }
    }
}

fn reason(form: &Form, hint: &str) -> Markup {
    Field::new("reason", "Reason").hint(hint).area().show(form)
}

/// What waits: `POST /admin/policy/{key}/take-back` with `reason`.
#[derive(Debug, Clone)]
pub struct TakeBackView<'a> {
    /// With a nonce; keeps `reason`.
    pub form: Form<'a>,
    /// How it stands; nothing waits where somebody else took it back meanwhile, or it took effect.
    pub standing: Standing,
}

/// Takes back what has not taken effect.
pub fn take_back(frame: &Frame, view: &TakeBackView) -> Markup {
    let (form, key) = (&view.form, view.standing.key);
    let title = format!("Take back: {}", key.label());
    let content = html! {
        (heading(Some(&trail()), &title, None))
        (form.summary(UNCHANGED))
        @if let Some(waiting) = &view.standing.waiting {
            form class="card" method="post" action={ "/admin/policy/" (key.as_str()) "/take-back" } novalidate {
                (form.hidden())
                div {
                    p { (coming(frame, waiting)) }
                    p { "Taken back, it stays as it is now: " strong { (key.in_words(view.standing.value)) } ". That stands "
                        "in the audit log with your name and your reason." }
                }
                (reason(form, "Everyone who reads the audit log sees it."))
                (form.step_up())
                div class="actions" { button class="main" { "Take it back" } (cancel("/admin/policy")) }
            }
        } @else {
            section class="card" {
                p { strong { "Nothing waits here." } " It was taken back already, or it has taken effect. Now it is: "
                    strong { (key.in_words(view.standing.value)) } "." }
                div class="actions" { a class="button main" href="/admin/policy" { "See the policy" } }
            }
        }
    };
    frame.wide(Section::Policy, &title, form.wrong(), &content)
}
