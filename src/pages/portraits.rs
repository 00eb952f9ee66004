//! What a person looks like, for comparing: the form by which an owner puts it on record, and how it is shown beside the
//! choices of how somebody made sure who it is.

use maud::{Markup, html};

use super::Frame;
use super::field::Field;
use super::form::{Choice, Form, checkbox};
use super::grants::{Subject, UNCHANGED};
use super::parts::{Badge, Tone, cancel, card, heading};
use super::users::page;
use super::words::{ago, time_ago};
use crate::portraits::Portrait;

/// `POST /admin/users/{id}/portrait` with `file`, `id_note`, `remove`.
#[derive(Debug, Clone)]
pub struct PortraitView<'a> {
    /// With a nonce; keeps `id_note` and `remove`.
    pub form: Form<'a>,
    /// Whose.
    pub person: Subject<'a>,
    /// What is there now.
    pub on_record: Option<Portrait>,
    /// Whether a file had been chosen: a page can not give it back.
    pub choose_again: bool,
}

/// Another photo, or another note about an ID.
pub fn portrait(frame: &Frame, view: &PortraitView) -> Markup {
    let (form, person) = (&view.form, &view.person);
    let title = format!("Photo and ID of {}", person.name);
    let has_picture = view.on_record.as_ref().is_some_and(|p| p.has_picture);
    let lead = if form.wrong() && view.choose_again {
        "Nothing has been changed yet. The note is still here; the photo has to be chosen again."
    } else {
        UNCHANGED
    };
    let photo = Field::new("file", if has_picture { "Another photo" } else { "Photo" })
        .hint("PNG or JPEG, at most 6 MB. It is made smaller; where and when it was taken is left out.")
        .picture();
    let note = Field::new("id_note", "Note about an ID (optional)")
        .hint("What was seen, when, and by whom: “Passport, seen on 3 March by HR”. Not its number.");
    let content = html! {
        (heading(Some(&person.trail(None)), &title, None))
        (form.summary(lead))
        form class="card" method="post" action=(person.href("/portrait")) enctype="multipart/form-data" novalidate {
            (form.hidden())
            p { "Admins see this while they make sure on a video call that it is " bdi { (person.name) }
                ". Take it from where you know it to be them: what stands here decides who is let in." }
            @if let Some(portrait) = &view.on_record { (on_record(frame, person, portrait)) }
            (photo.show(form))
            @if has_picture {
                (checkbox(form, "remove", &Choice::new("on", "Remove the photo that is there")
                    .hint("It is deleted. The audit log says that there was one, and not what it showed.")))
            }
            (note.show(form))
            @if view.choose_again && form.step_up.is_some() {
                p class="hint" { "Please choose the photo again as well: a page can not keep it." }
            }
            (form.step_up())
            div class="actions" { button class="main" { "Save" } (cancel(&person.href(""))) }
        }
    };
    page(frame, &title, form.wrong(), &content)
}

/// The picture, the note, and since when and by whom they are there.
fn on_record(frame: &Frame, person: &Subject, portrait: &Portrait) -> Markup {
    html! {
        div class="portrait" {
            @if portrait.has_picture {
                img src=(person.href("/portrait.jpg")) alt={ "Photo of " (person.name) };
            }
            div {
                @if !portrait.has_picture { p { "No photo on record." } }
                @if !portrait.id_note.is_empty() { p { "ID: " bdi { (portrait.id_note.as_str()) } } }
                p class="hint" { "Added " (time_ago(portrait.added_at, frame.now)) " by " bdi { (portrait.added_by) } }
            }
        }
    }
}

/// The card on the first tab of a person; `may_change` where the viewer may.
pub(super) fn overview_card(frame: &Frame, person: &Subject, portrait: Option<&Portrait>, may_change: bool) -> Markup {
    card(
        "portrait",
        "Photo and ID",
        &html! {
            @if let Some(portrait) = portrait { (on_record(frame, person, portrait)) }
            @else { p class="muted" { "No photo on record." } }
            @if may_change {
                div class="actions" {
                    a class="button" href=(person.href("/portrait")) {
                        @if portrait.is_some() { "Change photo or ID" } @else { "Add a photo or a note about an ID" }
                    }
                }
            }
        },
    )
}

/// What a face was, or is to be, compared with; and whether it is so new that somebody should ask who added it.
pub(super) fn compared_with(frame: &Frame, person: &Subject, portrait: &Portrait) -> Markup {
    html! {
        (on_record(frame, person, portrait))
        @if portrait.is_new(frame.now) {
            p { (Badge::new(Tone::Warn, "new").show()) " " strong {
                "Added " (ago(portrait.added_at, frame.now)) ": make sure who added it."
            } }
        }
    }
}

/// What a face on a video call is compared with, beside that choice.
pub(super) fn beside_the_call(frame: &Frame, person: &Subject, portrait: Option<&Portrait>) -> Markup {
    html! {
        @if let Some(portrait) = portrait {
            (compared_with(frame, person, portrait))
            @if !portrait.has_picture {
                p class="hint" { "Compare with the ID that they hold up, and note what you saw." }
            }
        } @else {
            p class="hint" {
                "There is no photo on record: compare with an ID that they hold up, and note what you saw."
            }
        }
    }
}
