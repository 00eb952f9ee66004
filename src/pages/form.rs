//! Forms: hidden values, what was typed, what is wrong with it, and the question "is it still you?".
//!
//! Invariant: what a person typed is kept, except passwords and codes: no [`Field`] that holds one is ever written
//! back into a page, whatever [`Form::values`] holds.

use std::fmt;

use maud::{Markup, html};

use super::field::{Field, described_by};

/// What a form needs besides its fields.
#[derive(Clone, Default)]
pub struct Form<'a> {
    /// The value that binds the form to the session.
    pub csrf: &'a str,
    /// Makes a second click safe; on every form that must happen once.
    pub nonce: Option<&'a str>,
    /// What was typed before: field name and text.
    pub values: Vec<(String, String)>,
    /// What is wrong with it; empty when the form is shown for the first time.
    pub errors: Vec<FieldError>,
    /// Whether the form also asks for a code, because the last one is too long ago.
    pub step_up: Option<StepUp>,
}

impl fmt::Debug for Form<'_> {
    /// Without what was typed: a password may be among it.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Form").field("errors", &self.errors).field("step_up", &self.step_up).finish_non_exhaustive()
    }
}

/// One thing to mend.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct FieldError {
    /// The name of the field; empty when it concerns the form as a whole.
    pub field: &'static str,
    /// What to do, as a sentence.
    pub message: String,
}

/// The same form asks once more for a code.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct StepUp {
    /// Whether a backup code would do as well, because the person has some left.
    pub backup_codes: bool,
}

impl<'a> Form<'a> {
    /// An untouched form.
    pub fn new(csrf: &'a str) -> Self {
        Self { csrf, ..Self::default() }
    }

    /// What was typed into `name`; empty if nothing was.
    pub fn value(&self, name: &str) -> &str {
        self.values.iter().find(|(n, _)| n == name).map_or("", |(_, v)| v)
    }

    /// What is wrong with the field `name`.
    pub fn error(&self, name: &str) -> Option<&str> {
        self.errors.iter().find(|e| e.field == name).map(|e| e.message.as_str())
    }

    /// Whether something is to be mended.
    pub fn wrong(&self) -> bool {
        !self.errors.is_empty()
    }

    /// The hidden inputs that every POST carries.
    pub(super) fn hidden(&self) -> Markup {
        html! {
            input type="hidden" name="csrf" value=(self.csrf);
            @if let Some(nonce) = self.nonce { input type="hidden" name="nonce" value=(nonce); }
        }
    }

    /// At the top of the page: what to mend, each line leading to its field. Empty when there is nothing.
    pub(super) fn summary(&self, lead: &str) -> Markup {
        html! {
            @if self.wrong() {
                div class="notice bad" role="alert" tabindex="-1" data-summary {
                    p { strong { (lead) } }
                    ul {
                        @for error in &self.errors {
                            li {
                                @if error.field.is_empty() { (error.message) }
                                @else { a href={ "#" (error.field) } { (error.message) } }
                            }
                        }
                    }
                }
            } @else if self.step_up.is_some() {
                div class="notice warn" role="alert" tabindex="-1" data-summary {
                    p {
                        strong { "One more step: " }
                        a href="#step_up_code" { "confirm that it is you" }
                        ". Nothing has been changed yet, and what you typed is still here."
                    }
                }
            }
        }
    }

    /// The extra field group, when it is asked for.
    pub(super) fn step_up(&self) -> Markup {
        let hint = match self.step_up {
            None => return html! {},
            Some(StepUp { backup_codes: true }) => "From your authenticator app. A backup code works too.",
            Some(StepUp { backup_codes: false }) => "6 digits from your authenticator app.",
        };
        html! {
            fieldset class="set" {
                legend { "Confirm it is you" }
                (Field::new("step_up_code", "Your code").hint(hint).code().show(self))
            }
        }
    }
}

/// One of several values, or a tick.
#[derive(Debug, Clone)]
pub struct Choice<'a> {
    /// What is sent.
    pub value: &'a str,
    /// What it says.
    pub label: String,
    /// A sentence under it; empty for none.
    pub hint: String,
    /// Fields that belong to this choice, asked once it is chosen.
    pub more: Option<Markup>,
    /// What to look at before choosing it.
    pub beside: Option<Markup>,
}

impl<'a> Choice<'a> {
    /// A choice without a hint.
    pub fn new(value: &'a str, label: impl Into<String>) -> Self {
        Self { value, label: label.into(), hint: String::new(), more: None, beside: None }
    }

    /// With a sentence under it.
    pub fn hint(self, hint: impl Into<String>) -> Self {
        Self { hint: hint.into(), ..self }
    }

    /// With fields of its own.
    pub fn more(self, more: Markup) -> Self {
        Self { more: Some(more), ..self }
    }

    /// With something to look at before it is chosen.
    pub fn beside(self, beside: Markup) -> Self {
        Self { beside: Some(beside), ..self }
    }
}

/// Radio buttons under one question. The first one carries the field's name as its id, for the error summary.
pub(super) fn radios(form: &Form, name: &'static str, question: &str, choices: &[Choice]) -> Markup {
    let error = form.error(name);
    let described = error.map(|_| format!("{name}-error"));
    html! {
        fieldset class=[error.map(|_| "wrong")] aria-describedby=[described] {
            legend { (question) }
            @if let Some(error) = error { span class="error" id={ (name) "-error" } { (error) } }
            @for (i, choice) in choices.iter().enumerate() {
                @let id = if i == 0 { name.to_owned() } else { format!("{name}-{}", choice.value) };
                @let on = form.value(name) == choice.value;
                (tick(&Tick { kind: "radio", name, id: &id, on, required: false, error: None }, choice))
            }
        }
    }
}

/// One box to tick.
pub(super) fn checkbox(form: &Form, name: &'static str, choice: &Choice) -> Markup {
    one_box(form, name, choice, false)
}

/// One box that must be ticked before the browser sends the form.
pub(super) fn required_checkbox(form: &Form, name: &'static str, choice: &Choice) -> Markup {
    one_box(form, name, choice, true)
}

fn one_box(form: &Form, name: &str, choice: &Choice, required: bool) -> Markup {
    let error = form.error(name);
    let on = form.value(name) == choice.value;
    html! {
        div class=[error.map(|_| "wrong")] {
            (tick(&Tick { kind: "checkbox", name, id: name, on, required, error }, choice))
        }
    }
}

struct Tick<'a> {
    kind: &'a str,
    name: &'a str,
    id: &'a str,
    on: bool,
    required: bool,
    error: Option<&'a str>,
}

fn tick(tick: &Tick, choice: &Choice) -> Markup {
    let (id, hint) = (tick.id, !choice.hint.is_empty());
    let described = described_by(id, hint, tick.error.is_some());
    html! {
        div class="choice" {
            input type=(tick.kind) id=(id) name=(tick.name) value=(choice.value) checked[tick.on]
                required[tick.required] aria-describedby=[described] aria-invalid=[tick.error.map(|_| "true")];
            label for=(id) { (choice.label) }
            @if hint { span class="hint" id={ (id) "-hint" } { (choice.hint) } }
            @if let Some(error) = tick.error { span class="error" id={ (id) "-error" } { (error) } }
            @if let Some(beside) = &choice.beside { div class="beside" { (beside) } }
            @if let Some(more) = &choice.more { div class="more" { (more) } }
        }
    }
}

/// A list to choose from; the empty value stands first as `any`.
pub(super) fn select(form: &Form, name: &'static str, label: &str, any: &str, options: &[(&str, &str)]) -> Markup {
    let error = form.error(name);
    let chosen = form.value(name);
    html! {
        div class=(if error.is_some() { "field wrong" } else { "field" }) {
            label for=(name) { (label) }
            @if let Some(error) = error { span class="error" id={ (name) "-error" } { (error) } }
            select id=(name) name=(name) aria-describedby=[described_by(name, false, error.is_some())] {
                @if !any.is_empty() { option value="" selected[chosen.is_empty()] { (any) } }
                @for (value, text) in options {
                    option value=(value) selected[*value == chosen] { (text) }
                }
            }
        }
    }
}
