//! What must hold for every page: escaping, the content security policy, CSRF, labels, titles.

use super::enrol::BackupCodesView;
use super::frame::Section;
use super::samples::{all, typed, viewer};
use crate::secret::Secret;
use crate::users::Role;

/// Each start tag of a page, from `<` to `>`. Attribute values can not hold either: maud escapes both.
fn tags(page: &str) -> impl Iterator<Item = &str> {
    page.split('<').skip(1).filter_map(|rest| rest.split_once('>')).map(|(tag, _)| tag).filter(|t| !t.starts_with('/'))
}

/// The value of `name="…"` in a start tag.
fn attribute<'a>(tag: &'a str, name: &str) -> Option<&'a str> {
    let (_, rest) = tag.split_once(&format!(" {name}=\""))?;
    rest.split_once('"').map(|(value, _)| value)
}

#[test]
fn text_with_markup_is_shown_as_text_on_every_page() {
    for (name, page) in all() {
        assert!(!page.contains("<img src=x"), "{name} writes a name as markup");
        for picture in tags(&page).filter(|t| t.starts_with("img")) {
            let ours = attribute(picture, "src").is_some_and(|src| src.ends_with("/portrait.jpg"));
            assert!(ours && attribute(picture, "alt").is_some_and(|alt| !alt.is_empty()), "{name}: {picture}");
        }
    }
    let (_, people) = all().into_iter().find(|(name, _)| *name == "users").expect("it is among the samples");
    assert!(people.contains("&lt;img src=x onerror=alert(1)&gt;&quot; style=&quot;x"));
}

#[test]
fn no_page_needs_more_than_the_content_security_policy_allows() {
    for (name, page) in all() {
        for tag in tags(&page) {
            // What stands inside quotes is text; what is left are the names of element and attributes.
            let names: String = tag.split('"').step_by(2).collect();
            assert!(!names.contains(" style="), "{name}: style attribute in <{tag}>");
            assert!(!names.contains(" on"), "{name}: event attribute in <{tag}>");
            assert!(!tag.starts_with("style"), "{name}: inline style");
            assert!(!tag.starts_with("script") || tag.contains("src=\"/assets/"), "{name}: inline script in <{tag}>");
            assert!(!tag.contains("javascript:"), "{name}: script address in <{tag}>");
        }
    }
}

#[test]
fn every_form_that_changes_something_carries_the_csrf_value() {
    for (name, page) in all() {
        for form in page.split("<form").skip(1).filter_map(|rest| rest.split_once("</form>")).map(|(form, _)| form) {
            let csrf = form.contains("<input type=\"hidden\" name=\"csrf\" value=\"csrf-");
            assert_eq!(form.contains("method=\"post\""), csrf, "{name}: {form}");
        }
    }
}

#[test]
fn no_password_and_no_code_is_written_back() {
    for (name, page) in all() {
        assert!(!page.contains("hunter2") && !page.contains("123456"), "{name} writes a secret back");
    }
}

#[test]
fn nothing_prints_what_was_typed_or_shown_once() {
    let form = typed(&[("password", "hunter2")], &[]);
    let codes = vec![Secret::new("K7PM-2XQD")];
    let view = BackupCodesView { form, action: "/enrol/stored", codes, email: "mara@fernhill.example", files: None };
    let printed = format!("{view:?} {:?}", viewer(Role::Owner));
    assert!(!printed.contains("hunter2") && !printed.contains("K7PM") && !printed.contains("csrf-"), "{printed}");
}

#[test]
fn every_field_has_a_label_and_every_reference_a_target() {
    for (name, page) in all() {
        let ids: Vec<&str> = tags(&page).filter_map(|t| attribute(t, "id")).collect();
        let mut once = ids.clone();
        once.sort_unstable();
        once.dedup();
        assert_eq!(once.len(), ids.len(), "{name} uses an id twice: {ids:?}");
        for tag in tags(&page) {
            let field = ["input", "select", "textarea"].iter().any(|kind| tag.starts_with(kind));
            if field && attribute(tag, "type") != Some("hidden") {
                let id = attribute(tag, "id").unwrap_or_else(|| panic!("{name}: a field without an id: {tag}"));
                assert!(page.contains(&format!("<label for=\"{id}\">")), "{name}: no label for {id}");
            }
            for reference in ["aria-describedby", "aria-labelledby", "for", "data-copy", "data-save", "data-reveal"] {
                for id in attribute(tag, reference).into_iter().flat_map(str::split_whitespace) {
                    assert!(ids.contains(&id), "{name}: {reference} points to {id}, which is not there");
                }
            }
            if let Some(id) = attribute(tag, "href").and_then(|href| href.strip_prefix('#')) {
                assert!(ids.contains(&id), "{name}: a link leads to #{id}, which is not there");
            }
        }
    }
}

#[test]
fn every_page_says_where_one_is_and_has_headings_in_order() {
    for (name, page) in all() {
        assert!(page.contains("<html lang=\"en\">") && page.contains(" · Fernhill Joinery</title>"), "{name}");
        let wrong = page.contains("role=\"alert\"") && page.contains("notice bad");
        assert!(
            !wrong || page.contains("<title>Error: "),
            "{name} has something to mend, but its title does not say so"
        );
        let levels: Vec<&str> =
            tags(&page).filter(|t| t.starts_with("h1") || t.starts_with("h2")).map(|t| &t[..2]).collect();
        assert_eq!(levels.first(), Some(&"h1"), "{name}");
        assert_eq!(levels.iter().filter(|l| **l == "h1").count(), 1, "{name}");
    }
}

#[test]
fn an_auditor_sees_the_audit_log_only_and_a_member_no_console() {
    let page = |role| viewer(role).wide(Section::Audit, "x", false, &maud::html! {}).into_string();
    assert!(page(Role::Auditor).contains("/admin/audit") && !page(Role::Auditor).contains("/admin/users"));
    assert!(!page(Role::Member).contains("/admin/"));
    assert!(page(Role::Admin).contains("/admin/recovery"));
}
