//! What the tests of the look see is everything there is: each page, and each sentence that a page can say, stands in a
//! sample. Whoever adds a page, or a state with words of its own, without a sample finds out here.

use std::fs;
use std::path::{Path, PathBuf};

use idp::pages::samples;

/// Sources of pages and samples.
fn sources() -> Vec<(String, String)> {
    let mut files = Vec::new();
    collect(&Path::new(env!("CARGO_MANIFEST_DIR")).join("src/pages"), &mut files);
    files.sort();
    let named = files.into_iter().map(|path| {
        let name = path.file_stem().unwrap().to_string_lossy().into_owned();
        (name, fs::read_to_string(&path).unwrap())
    });
    named.filter(|(name, _)| name != "every_page" && name != "assets").collect()
}

fn collect(folder: &Path, into: &mut Vec<PathBuf>) {
    for entry in fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() { collect(&path, into) } else { into.push(path) }
    }
}

/// What is compiled into the program: before the unit tests, and without comments.
fn code(source: &str) -> String {
    let code = source.split("#[cfg(test)]\nmod tests").next().unwrap_or_default();
    code.lines().filter(|line| !line.trim_start().starts_with("//")).collect::<Vec<_>>().join("\n")
}

/// The texts of the string literals, cut where a value is put in.
fn sentences(code: &str) -> Vec<String> {
    let (mut found, mut rest) = (Vec::new(), code);
    while let Some(start) = rest.find(['"', '\'']) {
        let literal = &rest[start..];
        // A character, which may be a quote; or a lifetime, which ends nothing.
        if let Some(inside) = literal.strip_prefix('\'') {
            let length = inside.chars().next().filter(|c| *c != '\\').map_or(2, char::len_utf8);
            rest = inside.get(length..).and_then(|after| after.strip_prefix('\'')).unwrap_or(inside);
            continue;
        }
        let mut text = String::new();
        let mut characters = literal[1..].char_indices();
        let end = loop {
            match characters.next().expect("a literal ends") {
                (at, '"') => break at,
                (_, '\\') => match characters.next() {
                    // The line goes on below, after its indentation.
                    Some((_, '\n')) => text.push('\u{1}'),
                    Some((_, 'n')) => text.push('\n'),
                    Some((_, other)) => text.push(other),
                    None => {}
                },
                (_, other) => text.push(other),
            }
        };
        rest = &literal[end + 2..];
        let lines = text.split('\u{1}').enumerate().map(|(i, l)| if i > 0 { l.trim_start() } else { l });
        let whole = lines.collect::<String>();
        let parts = whole.split('{').enumerate();
        found.extend(parts.map(|(i, p)| if i > 0 { p.split_once('}').map_or("", |p| p.1) } else { p }.to_owned()));
    }
    found
}

#[test]
fn every_page_has_a_sample() {
    let (samples, pages): (Vec<_>, Vec<_>) = sources().into_iter().partition(|(name, _)| name.starts_with("samples"));
    let samples: String = samples.into_iter().map(|(_, source)| source).collect();
    let mut seen = 0;
    for (file, source) in pages {
        for function in code(&source).split("\npub fn ").skip(1) {
            let (name, rest) = function.split_once('(').unwrap();
            if rest.trim_start().starts_with("frame: &Frame") {
                seen += 1;
                assert!(samples.contains(&format!("{file}::{name}(")), "no sample calls {file}::{name}");
            }
        }
    }
    assert!(seen > 40, "only {seen} pages: this test no longer finds them");
}

#[test]
fn every_sentence_that_a_page_can_say_stands_in_a_sample() {
    let escaped =
        |text: &str| text.replace('&', "&amp;").replace('<', "&lt;").replace('>', "&gt;").replace('"', "&quot;");
    let pages: String = samples::all().into_iter().map(|(_, page)| page).collect();
    let (mut seen, mut missing) = (0, Vec::new());
    for (file, source) in sources().into_iter().filter(|(name, _)| !name.starts_with("samples")) {
        for sentence in sentences(&code(&source)) {
            // A single word may be anything: a class, the name of a field.
            if sentence.split_whitespace().count() < 2 {
                continue;
            }
            seen += 1;
            // Commands are marked as such.
            let parts = sentence.split('`').map(str::trim);
            for part in parts.filter(|part| !pages.contains(&escaped(part))) {
                missing.push(format!("{file}: {part}"));
            }
        }
    }
    assert!(seen > 300, "only {seen} sentences: this test no longer finds them");
    assert!(missing.is_empty(), "in no sample:\n{}", missing.join("\n"));
}
