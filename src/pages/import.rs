//! Adding many people from a list: what would happen, each bad line with what to do, and the links, shown once.

use maud::{Markup, html};

use super::Frame;
use super::field::Field;
use super::form::Form;
use super::parts::{card, heading, table, tools};
use super::users::{by_mail, page};
use super::words::{clock, count, lasting, people};
use crate::import::Line;
use crate::policy;
use crate::secret::Secret;
use crate::time::Timestamp;
use crate::users::NewPerson;

/// What a button of the form asks for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Step {
    /// Say what would happen.
    Check,
    /// Add everyone.
    Import,
    /// Add those whose line is good.
    ImportGood,
}

impl Step {
    const ALL: [Self; 3] = [Self::Check, Self::Import, Self::ImportGood];

    /// The word in the form.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Check => "check",
            Self::Import => "import",
            Self::ImportGood => "import_good",
        }
    }
}

impl std::str::FromStr for Step {
    type Err = ();

    fn from_str(text: &str) -> Result<Self, ()> {
        Self::ALL.into_iter().find(|step| step.as_str() == text).ok_or(())
    }
}

/// The list and what would come of it: `POST /admin/users/import` with `file` or `text`, and `step`.
#[derive(Debug, Clone)]
pub struct ImportView<'a> {
    /// Keeps `text`; with a nonce once there is something to import.
    pub form: Form<'a>,
    /// The lines, looked at; none before that.
    pub lines: &'a [Line],
    /// Whether mail can be sent.
    pub mails: bool,
}

/// The form, and above it the result of the last look.
pub fn import(frame: &Frame, view: &ImportView) -> Markup {
    let form = &view.form;
    let looked = !view.lines.is_empty();
    let content = html! {
        (heading(Some(&trail()), "Import people", None))
        (form.summary("Nobody has been added yet."))
        @if looked { (result(form, view.lines, view.mails)) }
        (list_form(form, looked))
    };
    page(frame, "Import people · People", form.wrong(), &content)
}

fn trail() -> Markup {
    html! { a href="/admin/users" { "People" } }
}

/// What would happen, and the button that makes it happen to exactly this list.
fn result(form: &Form, lines: &[Line], mails: bool) -> Markup {
    let bad: Vec<&Line> = lines.iter().filter(|line| !line.is_good()).collect();
    let good: Vec<&NewPerson> = lines.iter().filter_map(|line| line.person.as_ref().ok()).collect();
    let number = good.len() as u64;
    html! {
        @if !bad.is_empty() { (card("bad", &format!("{} to mend", count(bad.len() as u64, "line")), &bad_table(&bad))) }
        @if !good.is_empty() {
            (card("good", &format!("{} would be added", people(number)), &html! {
                (good_table(&good))
                form method="post" action="/admin/users/import" enctype="multipart/form-data" novalidate {
                    (form.hidden())
                    input type="hidden" name="text" value=(form.value("text"));
                    @if mails { (by_mail(form)) }
                    (form.step_up())
                    div class="actions" {
                        @if bad.is_empty() {
                            (button(Step::Import, true, &format!("Add {} and make links", people(number))))
                        } @else {
                            (button(Step::ImportGood, false, &format!(
                                "Leave out {} and add {}",
                                count(bad.len() as u64, "line"),
                                people(number),
                            )))
                        }
                        (super::parts::cancel("/admin/users"))
                    }
                }
            }))
        }
    }
}

fn button(step: Step, main: bool, label: &str) -> Markup {
    html! { button class=[main.then_some("main")] name="step" value=(step.as_str()) { (label) } }
}

fn bad_table(lines: &[&Line]) -> Markup {
    let row = |line: &&Line| {
        let faults = line.person.as_ref().err().into_iter().flatten();
        vec![
            html! { span class="whole" { "Line " (line.number) } },
            html! { bdi class="code" { (line.text) } },
            html! { @for (n, fault) in faults.enumerate() { @if n > 0 { br; } (fault) } },
        ]
    };
    table("Lines to mend", &["Line", "It says", "What to do"], &lines.iter().map(row).collect::<Vec<_>>())
}

fn good_table(good: &[&NewPerson]) -> Markup {
    let row = |p: &&NewPerson| vec![html! { strong { bdi { (p.name) } } br; small { (p.email) } }, html! { (p.role) }];
    table("People who would be added", &["Person", "Role"], &good.iter().map(row).collect::<Vec<_>>())
}

fn list_form(form: &Form, looked: bool) -> Markup {
    let limit = format!(
        "A CSV file in UTF-8, of at most {} people and 60 KB. It takes the place of the text below. For longer ones there \
         is `idp user import` on the host.",
        policy::IMPORT_PEOPLE
    );
    let hint = "The first line names the columns: `email,name,role`. Commas, semicolons and tabs are understood; without a \
                role someone is a member.";
    let content = html! {
        form method="post" action="/admin/users/import" enctype="multipart/form-data" novalidate {
            input type="hidden" name="csrf" value=(form.csrf);
            (Field::new("file", "File").hint(&limit).file().show(form))
            (Field::new("text", "Or the list itself").hint(hint).list().show(form))
            div class="actions" {
                (button(Step::Check, !looked, if looked { "Look at it again" } else { "See what would happen" }))
                @if !looked { (super::parts::cancel("/admin/users")) span class="hint" { "Nobody is added yet." } }
            }
        }
    };
    card("list", if looked { "Change the list" } else { "The list" }, &content)
}

/// The links of those who were added, shown once as the POST's own answer.
#[derive(Debug, Clone)]
pub struct ImportedView<'a> {
    /// Who was added.
    pub joined: Vec<JoinedLine>,
    /// Lines that were left out.
    pub left_out: &'a [Line],
    /// When the links stop working.
    pub expires_at: Timestamp,
    /// Whether they are mailed too.
    pub mailed: bool,
}

/// Someone who was added.
#[derive(Debug, Clone)]
pub struct JoinedLine {
    /// Their name.
    pub name: String,
    /// What they will sign in with.
    pub email: String,
    /// Their link, with the public URL in front.
    pub link: Secret,
}

/// Each person's link, to be handed over.
pub fn imported(frame: &Frame, view: &ImportedView) -> Markup {
    let number = people(view.joined.len() as u64);
    let title = if view.joined.len() == 1 {
        format!("{number} was added: hand over the link")
    } else {
        format!("{number} were added: hand each their own link")
    };
    let paper = format!("Invitation links · {}", frame.organisation);
    let left_out: Vec<&Line> = view.left_out.iter().collect();
    let content = html! {
        (heading(Some(&trail()), &title, None))
        section class="card" {
            p { "Shown only here, only once. Each link works once, until " (clock(view.expires_at, frame.now))
                " (" (lasting(view.expires_at.since(frame.now))) "). Whoever opens it becomes that person, so hand it over on "
                "a channel you trust, to each their own." }
            @if view.mailed { p { "Each is mailed to the address beside it, too." } }
            p class="paper" { strong { (paper) } }
            ul class="links" id="links" {
                @for joined in &view.joined {
                    li { strong { bdi { (joined.name) } } " " small { "<" (joined.email) ">" } " "
                        code { (joined.link.reveal()) } }
                }
            }
            (tools("links", "links", &paper, "invitations.txt"))
            p class="muted" { "One got lost? Make a new one: the person → Actions → Invite again." }
            div class="actions" { a class="button main" href="/admin/users?state=invited" { "See who is invited" } }
        }
        @if !left_out.is_empty() {
            (card("bad", &format!("{} left out", count(left_out.len() as u64, "line")), &bad_table(&left_out)))
        }
    };
    page(frame, &title, false, &content)
}
