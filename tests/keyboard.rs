//! Every sampled page with nothing but the Tab key, on a window as small as a phone's: everything that can be used is
//! reached, in the order in which it stands, and one sees where one is.

use std::collections::BTreeSet;
use std::fmt::Write as _;

use serde_json::{Value, json};

use crate::look::Site;
use crate::webdriver::{Browser, ENTER, TAB};

/// Numbers everything that Tab should stop at, in the order of the page, and writes down where it does stop. Of radio
/// buttons with one name Tab stops at one, and the arrows lead to the others.
const WATCH: &str = "
    const all = [...document.querySelectorAll('a[href], button, input, select, textarea, summary, [tabindex=\"0\"]')];
    const seen = all.filter(e => e.type !== 'hidden' && !e.disabled && e.checkVisibility());
    const chosen = e => document.querySelector(`[type=radio][name=${e.name}]:checked`);
    const stops = seen.filter(e => e.type !== 'radio' || e === (chosen(e) || seen.find(f => f.name === e.name)));
    window.passed = [];
    document.addEventListener('focusin', () => {
        const it = document.activeElement, style = getComputedStyle(it), box = it.getBoundingClientRect();
        // A summary of mistakes, which a script gave the focus when the page came.
        if (it.tabIndex < 0) return;
        passed.push({
            stop: stops.indexOf(it),
            name: it.outerHTML.slice(0, 90),
            ring: style.outlineStyle !== 'none' && parseFloat(style.outlineWidth) >= 2,
            shown: box.bottom > 0 && box.top < innerHeight && box.right > 0 && box.left < innerWidth,
            top: it.closest('main') ? box.top + scrollY : null,
        });
    });
    return stops.length";

#[test]
fn tab_leads_through_every_page_in_order_and_shows_where_one_is() {
    let site = Site::start();
    let browser = Browser::start(390, 844);
    let mut objections = String::new();
    for name in &site.names {
        let stops = browser.open(&site.at(name)).execute(WATCH).as_u64().unwrap();
        // Twice round, because a page may begin with the focus in its middle.
        browser.keys(&TAB.repeat(usize::try_from(stops).unwrap() * 2 + 2));
        let passed = browser.execute("return passed");
        for objection in objections_to(passed.as_array().unwrap(), stops) {
            let _ = writeln!(objections, "{name}: {objection}");
        }
    }
    assert!(objections.is_empty(), "{objections}");
}

fn objections_to(passed: &[Value], stops: u64) -> BTreeSet<String> {
    let mut found = BTreeSet::new();
    let reached: BTreeSet<_> = passed.iter().filter_map(|p| p["stop"].as_u64()).collect();
    if reached.len() as u64 != stops {
        found.insert(format!("{} of {stops} are reached", reached.len()));
    }
    for one in passed {
        // Once is enough: coming back from the browser's own buttons, the first stop may be drawn a moment later.
        let ever = |what: &str| passed.iter().any(|p| p["stop"] == one["stop"] && p[what] == json!(true));
        for what in ["ring", "shown"].into_iter().filter(|what| !ever(what)) {
            found.insert(format!("no {what} at {}", one["name"]));
        }
        if one["stop"] == json!(-1) {
            found.insert(format!("an unexpected stop at {}", one["name"]));
        }
    }
    for pair in passed.windows(2) {
        let [from, to] = [0, 1].map(|i| pair[i]["stop"].as_i64().unwrap_or(-1));
        let top = |i: usize| pair[i]["top"].as_f64();
        let up = matches!((top(0), top(1)), (Some(before), Some(after)) if after < before - 40.0);
        if to > from && (to != from + 1 || up) {
            found.insert(format!("a leap from {} to {}", pair[0]["name"], pair[1]["name"]));
        }
    }
    found
}

#[test]
fn who_presses_keys_skips_the_navigation_with_two_of_them() {
    let site = Site::start();
    let browser = Browser::start(1280, 900);
    for (name, next) in [("users", "Import a list"), ("case", "Recovery"), ("sign-in", "E-mail address")] {
        browser.open(&site.at(name)).tab_to("Skip to content");
        let shown = "return document.activeElement.getBoundingClientRect().left >= 0";
        assert_eq!(browser.execute(shown), true, "{name}");
        browser.keys(ENTER);
        assert_eq!(browser.execute("return document.activeElement.id"), "main", "{name}");
        browser.keys(TAB);
        assert_eq!(browser.focus_name(), next, "{name}");
    }
}
