//! What is put on paper: pages that one prints, printed by real Chromium.
//!
//! `IDP_PICTURES=FOLDER` also writes each as a PDF.

use std::path::PathBuf;

use crate::look::Site;
use crate::webdriver::Browser;

/// The width of A4 between Chromium's margins of 1 cm, in CSS pixels; higher than any of these pages.
const SHEET: (u32, u32) = (717, 1500);

/// Samples of pages that one prints, at most how many sheets each takes, and what has to stand there.
const PRINTED: [(&str, usize, &[&str]); 15] = [
    ("codes", 1, &["Backup codes · Fernhill Joinery · mara@x.example", "K7PM-2XQD-9RTH-0ABC", "K7PM-2XQD-9RTH-9ABC"]),
    ("codes-issued", 1, &["Mara Lindqvist", "K7PM-2XQD-9RTH", "M3TR-77WX-0AQZ", "9HJK-4D2P-6VNE", "2026-12-01"]),
    ("pass", 1, &["Mara Lindqvist", "K7PM-2XQD-9RTH", "R-2026-0042", "11:42"]),
    ("password-set", 1, &["Mara Lindqvist", "K7PM-2XQD-9RTH", "2026-11-25"]),
    ("user-link", 1, &["Mara Lindqvist", "https://id.fernhill.example/invitation/", "2026-11-27"]),
    ("imported", 1, &["Mara Lindqvist", "https://id.fernhill.example/invitation/", "mara@fernhill.example"]),
    (
        "audit",
        1,
        &[
            "Audit log",
            "Only entries with this filter: action mfa.factor_admin_reset",
            "printed by Tom Okafor · as of 2026",
            "mfa.factor_admin_reset",
            "by Tom Okafor",
            "denied",
            "#1204",
        ],
    ),
    ("entry", 1, &["Entry #1204", "Lost phone, verified on a video call", "c4c4c4c4", "9f9f9f9f"]),
    ("case", 2, &["R-2026-0042", "Identity verified", "waiting for enrolment", "#1204"]),
    (
        "story",
        2,
        &[
            "The story of R-2026-0045",
            "mara@fernhill.example",
            "known since 2026-02-03",
            "Jonas Berg, HR vouches",
            "1 change within 7 days",
            "Ada Brandt said no",
            "given up 2026-11-24",
            "#1200",
            "#1229",
        ],
    ),
    ("story-short", 1, &["The story of R-2026-0040", "They pressed, threatened or hurried", "#1200"]),
    ("user-activity", 1, &["Mara Lindqvist", "by Tom Okafor", "#1204"]),
    (
        "resets-whole",
        2,
        &[
            "Resets by admins",
            "The whole report: 3 resets.",
            "mara@fernhill.example",
            "Lost phone, verified on a video call",
            "Live video call, compared with the photo or ID on record",
            "an owner had to permit it",
            "Set up a new app, “Pixel 9”",
            "#1293",
            "Fernhill Joinery",
            "from 2026-07-01 00:00:00 UTC to before 2026-10-01 00:00:00 UTC",
            "Made",
            "#1304",
            "lineage 00112233445566ff",
        ],
    ),
    ("resets", 5, &["A part of the report only.", "by the host", "is no longer kept", "no case"]),
    ("system", 1, &["System", "48,211"]),
];

/// What can be pressed or typed into, and the way to other pages: of no use on paper.
const OF_NO_USE: &str = "
    return [...document.querySelectorAll('header, nav, button, .button, input, select, textarea, summary, .skip')]
        .filter(e => e.checkVisibility()).map(e => e.outerHTML.slice(0, 80))";

/// Times without a date, and those that count from a moment which a sheet of paper does not know.
const VAGUE: &str = "
    return [...document.querySelectorAll('time')].filter(e => e.checkVisibility())
        .map(e => [parseFloat(getComputedStyle(e).fontSize) ? e.innerText : getComputedStyle(e, '::before').content])
        .flat().filter(text => !/\\b20\\d\\d\\b/.test(text))";

/// Puts the exact times that stand on paper in place of those that a screen shows, which depend on the day of the visit.
const AS_PRINTED: &str = "
    for (const time of document.querySelectorAll('time')) {
        const printed = getComputedStyle(time, '::before').content;
        if (printed.startsWith('\"')) time.textContent = printed.slice(1, -1);
    }";

#[test]
fn what_one_prints_stands_on_paper_and_nothing_else_does() {
    let site = Site::start();
    let browser = Browser::start(SHEET.0, SHEET.1);
    for (name, sheets, texts) in PRINTED {
        // Printed from a screen that is dark, it is dark on white all the same.
        browser.open(&site.at(name)).dark(true).paper(true);
        let of_no_use = browser.execute(OF_NO_USE);
        assert_eq!(of_no_use, serde_json::json!([]), "{name}");
        let wider = "return document.documentElement.scrollWidth - document.documentElement.clientWidth";
        assert_eq!(browser.execute(wider), 0, "{name} is wider than the sheet");
        let colours = "return ['.card, body', 'h1'].map(s => getComputedStyle(document.querySelector(s)))\
                       .map((s, i) => i ? s.color : s.backgroundColor)";
        assert_eq!(browser.execute(colours), serde_json::json!(["rgb(255, 255, 255)", "rgb(0, 0, 0)"]), "{name}");
        let vague = browser.execute(VAGUE);
        assert_eq!(vague, serde_json::json!([]), "{name}");
        let pdf = browser.print();
        if let Some(folder) = std::env::var_os("IDP_PICTURES") {
            std::fs::write(PathBuf::from(folder).join(format!("{name}.pdf")), &pdf).unwrap();
        }
        browser.execute(AS_PRINTED);
        for text in texts {
            browser.sees(text);
        }
        let taken = pages(&pdf);
        assert!((1..=sheets).contains(&taken), "{name} takes {taken} sheets");
        browser.paper(false);
    }
}

/// The pages of a PDF as Chromium writes it, with its objects in plain text.
fn pages(pdf: &[u8]) -> usize {
    let text = String::from_utf8_lossy(pdf);
    text.matches("/Type /Page\n").count()
}
