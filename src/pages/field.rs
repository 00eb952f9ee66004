//! One labelled input: its kind decides keyboard, autocomplete and whether its text may ever be written back.

use maud::{Markup, html};

use super::Form;
use super::words::with_commands;

/// One labelled input.
#[derive(Debug, Clone, Copy)]
pub struct Field<'a> {
    name: &'static str,
    label: &'a str,
    hint: Option<&'a str>,
    kind: Kind,
    focus: bool,
    fixed: Option<&'a str>,
    unit: &'a str,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Kind {
    Text,
    Area,
    Letter,
    List,
    File,
    Picture,
    Search,
    Email,
    Address,
    Person,
    CurrentPassword,
    NewPassword,
    Otp,
    Code,
    Spoken,
    Number,
}

impl Kind {
    /// `type`, `autocomplete`, `inputmode`, `class` of the input.
    const fn attributes(self) -> (&'static str, &'static str, Option<&'static str>, Option<&'static str>) {
        match self {
            Self::Text | Self::Area | Self::Letter => ("text", "off", None, None),
            Self::List => ("text", "off", None, Some("code")),
            Self::File | Self::Picture => ("file", "off", None, None),
            Self::Search => ("search", "off", None, None),
            Self::Email => ("email", "username", Some("email"), None),
            Self::Address => ("email", "off", Some("email"), None),
            Self::Person => ("text", "name", None, None),
            Self::CurrentPassword => ("password", "current-password", None, None),
            Self::NewPassword => ("password", "new-password", None, None),
            Self::Otp => ("text", "one-time-code", Some("numeric"), Some("otp")),
            Self::Code => ("text", "one-time-code", None, Some("spoken")),
            Self::Spoken => ("text", "off", None, Some("spoken")),
            Self::Number => ("text", "off", Some("numeric"), Some("number")),
        }
    }

    const fn rows(self) -> u8 {
        match self {
            Self::Letter => 18,
            Self::List => 12,
            _ => 3,
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
        self.secret() || matches!(self, Self::Email | Self::Address | Self::List)
    }
}

impl<'a> Field<'a> {
    /// A line of text.
    pub const fn new(name: &'static str, label: &'a str) -> Self {
        Self { name, label, hint: None, kind: Kind::Text, focus: false, fixed: None, unit: "" }
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

    /// A whole letter.
    pub const fn letter(self) -> Self {
        self.kind(Kind::Letter)
    }

    /// Many lines of which each is read by itself.
    pub const fn list(self) -> Self {
        self.kind(Kind::List)
    }

    /// A file with such lines.
    pub const fn file(self) -> Self {
        self.kind(Kind::File)
    }

    /// A photo. A phone whose camera writes another kind makes one of these when it is asked for them.
    pub const fn picture(self) -> Self {
        self.kind(Kind::Picture)
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

    /// A number, with in what it is counted behind it.
    pub const fn number(self, unit: &'a str) -> Self {
        Self { unit, ..self.kind(Kind::Number) }
    }

    /// The field with its label, hint, error and what was typed.
    pub(super) fn show(self, form: &Form) -> Markup {
        let name = self.name;
        let error = form.error(name);
        html! {
            div class=(if error.is_some() { "field wrong" } else { "field" }) {
                label for=(name) { (self.label) }
                @if let Some(hint) = self.hint { span class="hint" id={ (name) "-hint" } { (with_commands(hint)) } }
                @if let Some(error) = error { span class="error" id={ (name) "-error" } { (error) } }
                @let input = self.input(form, described_by(name, self.hint.is_some(), error.is_some()).as_deref());
                @if self.unit.is_empty() { (input) } @else { span class="counted" { (input) " " (self.unit) } }
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
        // After a mistake elsewhere the error summary comes first.
        let focus = self.focus && (!form.wrong() || invalid.is_some());
        html! {
            @if matches!(self.kind, Kind::Area | Kind::Letter | Kind::List) {
                // A browser drops the first line break in here.
                @let typed = if typed.starts_with('\n') { format!("\n{typed}") } else { typed.to_owned() };
                textarea id=(self.name) name=(self.name) class=[class] rows=(self.kind.rows())
                    autocapitalize=[spelled.then_some("none")] spellcheck=[spelled.then_some("false")]
                    aria-describedby=[described] aria-invalid=[invalid] autofocus[focus] { (typed) }
            } @else if matches!(self.kind, Kind::File | Kind::Picture) {
                @let list = ".csv,.txt,text/csv,text/plain";
                @let accept = if self.kind == Kind::Picture { "image/png,image/jpeg" } else { list };
                input id=(self.name) name=(self.name) type=(kind) accept=(accept)
                    aria-describedby=[described] aria-invalid=[invalid];
            } @else {
                input id=(self.name) name=(self.name) type=(kind) autocomplete=(autocomplete) inputmode=[inputmode]
                    class=[class] value=[(!typed.is_empty()).then_some(typed)] readonly[self.fixed.is_some()]
                    autocapitalize=[spelled.then_some("none")] spellcheck=[spelled.then_some("false")]
                    aria-describedby=[described] aria-invalid=[invalid] autofocus[focus];
            }
        }
    }
}

/// The ids of hint and error, for `aria-describedby`.
pub(super) fn described_by(name: &str, hint: bool, error: bool) -> Option<String> {
    let parts = [(hint, "hint"), (error, "error")];
    let ids: Vec<String> = parts.iter().filter(|(there, _)| *there).map(|(_, part)| format!("{name}-{part}")).collect();
    (!ids.is_empty()).then(|| ids.join(" "))
}
