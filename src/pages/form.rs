//! Forms: hidden values, what was typed, what is wrong with it, and the question "is it still you?".
//!
//! Invariant: what a person typed is kept, except passwords and codes: no [`Field`] that holds one is ever written
//! back into a page, whatever [`Form::values`] holds.

use maud::{Markup, html};

/// What a form needs besides its fields.
#[derive(Debug, Clone, Default)]
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

/// One labelled input.
#[derive(Debug, Clone, Copy)]
pub struct Field<'a> {
    name: &'static str,
    label: &'a str,
    hint: Option<&'a str>,
    kind: Kind,
    focus: bool,
    fixed: Option<&'a str>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Kind {
    Text,
    Area,
    Search,
    Email,
    Address,
    Person,
    CurrentPassword,
    NewPassword,
    Otp,
    Code,
    Spoken,
}

impl Kind {
    /// `type`, `autocomplete`, `inputmode`, `class` of the input.
    const fn attributes(self) -> (&'static str, &'static str, Option<&'static str>, Option<&'static str>) {
        match self {
            Self::Text | Self::Area => ("text", "off", None, None),
            Self::Search => ("search", "off", None, None),
            Self::Email => ("email", "username", Some("email"), None),
            Self::Address => ("email", "off", Some("email"), None),
            Self::Person => ("text", "name", None, None),
            Self::CurrentPassword => ("password", "current-password", None, None),
            Self::NewPassword => ("password", "new-password", None, None),
            Self::Otp => ("text", "one-time-code", Some("numeric"), Some("otp")),
            Self::Code => ("text", "one-time-code", None, Some("spoken")),
            Self::Spoken => ("text", "off", None, Some("spoken")),
        }
    }

    const fn secret(self) -> bool {
        matches!(self, Self::CurrentPassword | Self::NewPassword | Self::Otp | Self::Code | Self::Spoken)
    }

    const fn password(self) -> bool {
        matches!(self, Self::CurrentPassword | Self::NewPassword)
    }

    /// Text that is spelled, not written: no capitals, corrections or red lines of the browser's own.
    const fn spelled(self) -> bool {
        self.secret() || matches!(self, Self::Email | Self::Address)
    }
}

impl<'a> Field<'a> {
    /// A line of text.
    pub const fn new(name: &'static str, label: &'a str) -> Self {
        Self { name, label, hint: None, kind: Kind::Text, focus: false, fixed: None }
    }

    const fn kind(self, kind: Kind) -> Self {
        Self { kind, ..self }
    }

    /// With a sentence between label and input.
    pub const fn hint(self, hint: &'a str) -> Self {
        Self { hint: Some(hint), ..self }
    }

    /// Focused when the page opens.
    pub const fn focus(self) -> Self {
        Self { focus: true, ..self }
    }

    /// Shows `text`, which can not be changed here; password managers read it.
    pub const fn fixed(self, text: &'a str) -> Self {
        Self { fixed: Some(text), ..self }
    }

    /// Several lines.
    pub const fn area(self) -> Self {
        self.kind(Kind::Area)
    }

    /// A search text.
    pub const fn search(self) -> Self {
        self.kind(Kind::Search)
    }

    /// The e-mail address that one signs in with.
    pub const fn email(self) -> Self {
        self.kind(Kind::Email)
    }

    /// Somebody else's e-mail address: the browser does not offer one's own.
    pub const fn address(self) -> Self {
        self.kind(Kind::Address)
    }

    /// The person's own name.
    pub const fn person(self) -> Self {
        self.kind(Kind::Person)
    }

    /// The password that is set.
    pub const fn current_password(self) -> Self {
        self.kind(Kind::CurrentPassword)
    }

    /// A password to be set.
    pub const fn new_password(self) -> Self {
        self.kind(Kind::NewPassword)
    }

    /// Six digits.
    pub const fn otp(self) -> Self {
        self.kind(Kind::Otp)
    }

    /// Six digits or a backup code.
    pub const fn code(self) -> Self {
        self.kind(Kind::Code)
    }

    /// A pass or code that was read aloud or written down.
    pub const fn spoken(self) -> Self {
        self.kind(Kind::Spoken)
    }

    /// The field with its label, hint, error and what was typed.
    pub(super) fn show(self, form: &Form) -> Markup {
        let name = self.name;
        let error = form.error(name);
        html! {
            div class=(if error.is_some() { "field wrong" } else { "field" }) {
                label for=(name) { (self.label) }
                @if let Some(hint) = self.hint { span class="hint" id={ (name) "-hint" } { (hint) } }
                @if let Some(error) = error { span class="error" id={ (name) "-error" } { (error) } }
                (self.input(form, described_by(name, self.hint.is_some(), error.is_some()).as_deref()))
                @if self.kind.password() {
                    button class="small" type="button" hidden data-reveal=(name) aria-pressed="false" {
                        "Show password"
                    }
                }
            }
        }
    }

    fn input(self, form: &Form, described: Option<&str>) -> Markup {
        let (kind, autocomplete, inputmode, class) = self.kind.attributes();
        let invalid = form.error(self.name).map(|_| "true");
        let typed = if self.kind.secret() { "" } else { self.fixed.unwrap_or_else(|| form.value(self.name)) };
        let spelled = self.kind.spelled();
        html! {
            @if self.kind == Kind::Area {
                textarea id=(self.name) name=(self.name) rows="3" aria-describedby=[described] aria-invalid=[invalid]
                    autofocus[self.focus] { (typed) }
            } @else {
                input id=(self.name) name=(self.name) type=(kind) autocomplete=(autocomplete) inputmode=[inputmode]
                    class=[class] value=[(!typed.is_empty()).then_some(typed)] readonly[self.fixed.is_some()]
                    autocapitalize=[spelled.then_some("none")] spellcheck=[spelled.then_some("false")]
                    aria-describedby=[described] aria-invalid=[invalid] autofocus[self.focus];
            }
        }
    }
}

fn described_by(name: &str, hint: bool, error: bool) -> Option<String> {
    let parts = [(hint, "hint"), (error, "error")];
    let ids: Vec<String> = parts.iter().filter(|(there, _)| *there).map(|(_, part)| format!("{name}-{part}")).collect();
    (!ids.is_empty()).then(|| ids.join(" "))
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
    /// Fields that belong to this choice.
    pub more: Option<Markup>,
}

impl<'a> Choice<'a> {
    /// A choice without a hint.
    pub fn new(value: &'a str, label: impl Into<String>) -> Self {
        Self { value, label: label.into(), hint: String::new(), more: None }
    }

    /// With a sentence under it.
    pub fn hint(self, hint: impl Into<String>) -> Self {
        Self { hint: hint.into(), ..self }
    }

    /// With fields of its own.
    pub fn more(self, more: Markup) -> Self {
        Self { more: Some(more), ..self }
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
                (tick("radio", name, &id, choice, form.value(name) == choice.value, None))
            }
        }
    }
}

/// One box to tick.
pub(super) fn checkbox(form: &Form, name: &'static str, choice: &Choice) -> Markup {
    let error = form.error(name);
    html! {
        div class=[error.map(|_| "wrong")] {
            (tick("checkbox", name, name, choice, form.value(name) == choice.value, error))
        }
    }
}

fn tick(kind: &str, name: &str, id: &str, choice: &Choice, on: bool, error: Option<&str>) -> Markup {
    let hint = !choice.hint.is_empty();
    html! {
        div class="choice" {
            input type=(kind) id=(id) name=(name) value=(choice.value) checked[on]
                aria-describedby=[described_by(id, hint, error.is_some())] aria-invalid=[error.map(|_| "true")];
            label for=(id) { (choice.label) }
            @if hint { span class="hint" id={ (id) "-hint" } { (choice.hint) } }
            @if let Some(error) = error { span class="error" id={ (id) "-error" } { (error) } }
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
