//! What stands around every page: the head, the bar, the navigation, the word about what was just done.

use std::fmt;

use maud::{DOCTYPE, Markup, html};

use super::assets;
use super::notices::{Unseen, banner};
use super::parts::Tone;
use super::words::{exact, time_ago};
use crate::recovery::Case;
use crate::time::Timestamp;
use crate::users::Role;

/// What every page is handed beside its own view.
#[derive(Debug, Clone)]
pub struct Frame<'a> {
    /// The organisation's name, as it stands in the bar and in every title.
    pub organisation: &'a str,
    /// Who looks at the page with a complete sign-in; `None` for strangers and for those half way in.
    pub signed_in: Option<Viewer<'a>>,
    /// Nobody but owners can sign in until an owner, as the viewer is, has confirmed who is here.
    pub people_wait: bool,
    /// A case of the person whom the page is about, in which help was refused lately, or not approved.
    pub refused: Option<&'a Case>,
    /// Everything is made up, and goes when the program ends.
    pub demo: bool,
    /// What the viewer was not shown yet about their account; owners, about other people's too.
    pub unseen: Option<&'a Unseen>,
    /// What was done just before, said once.
    pub flash: Option<Flash>,
    /// The moment at which the page is made.
    pub now: Timestamp,
}

/// The person at the screen.
#[derive(Clone)]
pub struct Viewer<'a> {
    /// Their name.
    pub name: &'a str,
    /// Decides which navigation they see. What they may *do* is decided elsewhere.
    pub role: Role,
    /// The value that binds the sign-out form to their session.
    pub csrf: &'a str,
}

impl fmt::Debug for Viewer<'_> {
    /// Without the CSRF value.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Viewer").field("name", &self.name).field("role", &self.role).finish_non_exhaustive()
    }
}

/// A part of the console, or the person's own pages.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Section {
    /// `/admin`
    Dashboard,
    /// `/admin/users`
    People,
    /// `/admin/recovery`
    Recovery,
    /// `/admin/audit`
    Audit,
    /// `/admin/policy`
    Policy,
    /// `/admin/system`
    System,
    /// `/profile`
    Profile,
}

/// One sentence on what was just done.
#[derive(Debug, Clone)]
pub struct Flash {
    /// How it went.
    pub kind: Tone,
    /// The sentence.
    pub text: String,
    /// Where to go on from it: the address, and what it is called.
    pub link: Option<(&'static str, &'static str)>,
}

impl Frame<'_> {
    /// A page with one thing to do: sign in, enrol. `wrong` puts "Error: " before the title.
    pub(super) fn narrow(&self, title: &str, wrong: bool, content: &Markup) -> Markup {
        let main = html! {
            main id="main" class="narrow" tabindex="-1" {
                @if self.signed_in.is_none() { p class="trail" { (self.organisation) } }
                (self.flash())
                (content)
            }
        };
        self.document(None, title, wrong, &main)
    }

    /// A page of the console or of the profile.
    pub(super) fn wide(&self, section: Section, title: &str, wrong: bool, content: &Markup) -> Markup {
        self.console(Some(section), title, wrong, content)
    }

    /// A page that belongs to no part: an error. Who is signed in keeps the navigation.
    pub(super) fn astray(&self, title: &str, content: &Markup) -> Markup {
        match self.signed_in {
            Some(_) => self.console(None, title, true, content),
            None => self.narrow(title, true, content),
        }
    }

    /// A page that belongs to no part and is as wide as those of the console.
    pub(super) fn open(&self, title: &str, content: &Markup) -> Markup {
        self.console(None, title, false, content)
    }

    fn console(&self, section: Option<Section>, title: &str, wrong: bool, content: &Markup) -> Markup {
        let navigation = self.navigation(section);
        let main = html! {
            div class=(if navigation.is_some() { "frame" } else { "frame single" }) {
                @if let Some(navigation) = navigation { (navigation) }
                main id="main" tabindex="-1" {
                    (self.people_wait()) (self.unseen()) (self.refused()) (self.flash()) (content)
                }
            }
        };
        self.document(section, title, wrong, &main)
    }

    fn document(&self, section: Option<Section>, title: &str, wrong: bool, body: &Markup) -> Markup {
        html! {
            (DOCTYPE)
            html lang="en" {
                head {
                    meta charset="utf-8";
                    meta name="viewport" content="width=device-width, initial-scale=1";
                    title { @if wrong { "Error: " } (title) " · " (self.organisation) }
                    link rel="icon" type="image/svg+xml" href=(assets::url("icon.svg"));
                    link rel="stylesheet" href=(assets::url("app.css"));
                    script src=(assets::url("app.js")) defer {}
                }
                body {
                    a class="skip" href="#main" { "Skip to content" }
                    (self.demo())
                    (self.bar(section))
                    (body)
                }
            }
        }
    }

    fn demo(&self) -> Markup {
        html! {
            @if self.demo {
                aside class="demo screen" aria-label="Demo" {
                    p {
                        strong { "This is a demo." } " Everybody in it is made up, and everything goes when it is stopped. "
                        a href="/demo" { "Who can sign in, with which code" }
                    }
                }
            }
        }
    }

    fn bar(&self, section: Option<Section>) -> Markup {
        html! {
            @if let Some(viewer) = &self.signed_in {
                p class="paper muted" {
                    (self.organisation) " · printed by " bdi { (viewer.name) } " · as of " (exact(self.now))
                }
                header class="bar" {
                    a class="brand" href="/" { (self.organisation) }
                    a class="who muted" href="/profile" aria-current=[(section == Some(Section::Profile)).then_some("page")] {
                        bdi { (viewer.name) } span class="wide" { " · " (viewer.role) }
                    }
                    form class="inline" method="post" action="/sign-out" {
                        input type="hidden" name="csrf" value=(viewer.csrf);
                        button class="link" { "Sign out" }
                    }
                }
            }
        }
    }

    /// The console's navigation: people and recovery for the help desk, the audit trail also for auditors.
    fn navigation(&self, here: Option<Section>) -> Option<Markup> {
        let role = self.signed_in.as_ref()?.role;
        let all = [
            (role.looks_after_people(), Section::Dashboard, "/admin", "Dashboard"),
            (role.looks_after_people(), Section::People, "/admin/users", "People"),
            (role.looks_after_people(), Section::Recovery, "/admin/recovery", "Recovery"),
            (role.reads_audit(), Section::Audit, "/admin/audit", "Audit"),
            (role.looks_after_people(), Section::Policy, "/admin/policy", "Policy"),
            (role.looks_after_people(), Section::System, "/admin/system", "System"),
        ];
        role.reads_audit().then(|| {
            html! {
                nav class="side" aria-label="Console" {
                    ul {
                        @for (_, section, href, label) in all.into_iter().filter(|(seen, ..)| *seen) {
                            li {
                                a href=(href) aria-current=[(Some(section) == here).then_some("page")] {
                                    (label)
                                }
                            }
                        }
                    }
                }
            }
        })
    }

    fn people_wait(&self) -> Markup {
        html! {
            @if self.people_wait {
                div class="notice warn" role="note" {
                    p {
                        strong { "Nobody but owners can sign in yet." }
                        " The database was restored, and what was decided since the backup is not known for certain. "
                        a href="/admin/users/confirm" { "Confirm who is here" }
                    }
                }
            }
        }
    }

    fn unseen(&self) -> Markup {
        html! {
            @if let (Some(unseen), Some(viewer)) = (self.unseen, &self.signed_in) {
                (banner(unseen, viewer.csrf, self.now))
            }
        }
    }

    /// Who asks again, and somebody else, must not find a door open that was closed for a reason.
    fn refused(&self) -> Markup {
        let Some(case) = self.refused else { return html! {} };
        let by = case.closed_by.as_deref().unwrap_or("the host");
        html! {
            div class="notice bad" role="note" {
                p {
                    strong {
                        @if case.refusal.is_some() { "Help was refused" } @else { "Help was not approved" }
                        " to " bdi { (case.user_name) }
                    }
                    @if let Some(at) = case.closed_at { " " (time_ago(at, self.now)) } " by " bdi { (by) }
                    @if let Some(refusal) = case.refusal { ": " (refusal.sentence()) } "."
                    " Note: " q { bdi { (case.note) } } " "
                    a class="whole" href={ "/admin/recovery/" (case.number) } { "Case " (case.number) }
                }
            }
        }
    }

    fn flash(&self) -> Markup {
        html! {
            @if let Some(flash) = &self.flash {
                div class={ "notice " (flash.kind.class()) } role="status" {
                    p { (flash.text) @if let Some((href, label)) = flash.link { " " a href=(href) { (label) } } }
                }
            }
        }
    }
}
