//! A list of people as spreadsheets write it (CSV): each line is a person to add, or what to mend in it.
//!
//! Invariant: a line of the list is a line of the text. A cell in quotation marks does not go on over the next line, so
//! that one forgotten mark spoils one line and its number is the one that an editor shows.

use std::collections::HashMap;

use crate::audit::clean;
use crate::audit::export::deceives;
use crate::policy;
use crate::users::{BadInput, Email, NewPerson, PersonName, Role};

/// What may stand between two cells: whatever spreadsheets write, depending on the country.
const SEPARATORS: [char; 3] = [',', ';', '\t'];
/// The most of a line that is shown.
const SHOWN: usize = 120;

/// One line below the first.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Line {
    /// Its number in the text, from 1.
    pub number: usize,
    /// What it says, for showing: shortened, without characters that hide or reorder others.
    pub text: String,
    /// Who is to be added; or what to do about the line, as sentences.
    pub person: Result<NewPerson, Vec<String>>,
}

impl Line {
    /// Whether nothing is to be mended in it.
    pub const fn is_good(&self) -> bool {
        self.person.is_ok()
    }
}

/// The text of a file.
///
/// # Errors
/// A file that is too long, or no UTF-8 text: how to save it instead.
pub fn decode(bytes: &[u8]) -> Result<&str, BadInput> {
    if bytes.len() > policy::IMPORT_BYTES {
        return Err(BadInput("This file is longer than 256 KiB. Make several of it."));
    }
    if bytes.starts_with(b"PK") {
        return Err(BadInput(
            "This is a spreadsheet, not a list as text. Save it as “CSV UTF-8” and choose that file.",
        ));
    }
    let unreadable = BadInput("This file is not UTF-8 text, so names would come out wrong. Save it as “CSV UTF-8”.");
    if bytes.contains(&0) {
        return Err(unreadable);
    }
    std::str::from_utf8(bytes).map_err(|_| unreadable)
}

/// Reads a list whose first line names the columns: `email,name,role`, of which the last may be missing.
///
/// # Errors
/// What is wrong with the list as a whole: its length, its first line.
pub fn read(text: &str) -> Result<Vec<Line>, String> {
    let text = text.strip_prefix('\u{feff}').unwrap_or(text).replace("\r\n", "\n").replace('\r', "\n");
    // Some spreadsheets write a line `sep=;` for each other above everything else.
    let is_hint = |line: &str| line.get(..4).is_some_and(|start| start.eq_ignore_ascii_case("sep="));
    let lines = (1..).zip(text.split('\n')).filter(|(n, line)| *n > 1 || !is_hint(line));
    let mut lines = lines.filter(|(_, line)| !is_blank(line));
    let first = lines.next().map_or("", |(_, line)| line);
    let columns = Columns::read(first)?;
    let mut lines: Vec<Line> = lines.map(|(number, line)| columns.line(number, line)).collect();
    match lines.len() {
        0 => return Err("Nobody stands below the first line. Write one person in each line.".to_owned()),
        n if n > policy::IMPORT_PEOPLE => {
            return Err(format!(
                "{n} people stand in it, and {} go at a time. Make several of it.",
                policy::IMPORT_PEOPLE
            ));
        }
        _ => {}
    }
    refuse_repetitions(&mut lines);
    Ok(lines)
}

/// Nothing but separators, as spreadsheets write empty rows.
fn is_blank(line: &str) -> bool {
    line.chars().all(|c| c.is_whitespace() || SEPARATORS.contains(&c))
}

/// A second line with the same address is the one to look at.
fn refuse_repetitions(lines: &mut [Line]) {
    let mut seen: HashMap<Email, usize> = HashMap::new();
    for line in lines {
        let Ok(person) = &line.person else { continue };
        if let Some(first) = seen.get(&person.email) {
            line.person = Err(vec![format!("The same address stands in line {first}. Keep one of the two.")]);
        } else {
            seen.insert(person.email.clone(), line.number);
        }
    }
}

/// Where the columns are.
struct Columns {
    separator: char,
    count: usize,
    email: usize,
    name: usize,
    role: Option<usize>,
}

impl Columns {
    fn read(first: &str) -> Result<Self, String> {
        let names = |separator| -> Option<Vec<String>> {
            let names: Vec<String> =
                cells(first, separator).ok()?.iter().map(|name| name.trim().to_lowercase()).collect();
            names.contains(&"email".to_owned()).then_some(names)
        };
        let found = SEPARATORS.into_iter().find_map(|separator| Some((separator, names(separator)?)));
        let Some((separator, names)) = found else {
            return Err(format!(
                "The first line has to name the columns: email,name,role. It says “{}”.",
                shown(first)
            ));
        };
        let known = |name: &&String| ["email", "name", "role"].contains(&name.as_str());
        if let Some(other) = names.iter().find(|name| !known(name)) {
            let other = shown(other);
            return Err(format!("There is no column “{other}” here. Keep email, name and, if you like, role."));
        }
        let place = |name: &str| names.iter().position(|n| n == name);
        if let Some(name) = names.iter().enumerate().find_map(|(i, n)| (place(n) != Some(i)).then_some(n)) {
            return Err(format!("The column {name} stands twice in the first line. Keep one of the two."));
        }
        match (place("email"), place("name")) {
            (Some(email), Some(name)) => Ok(Self { separator, count: names.len(), email, name, role: place("role") }),
            _ => Err("The column “name” is missing in the first line: email,name,role.".to_owned()),
        }
    }

    fn line(&self, number: usize, text: &str) -> Line {
        Line { number, text: shown(text), person: self.person(text) }
    }

    fn person(&self, text: &str) -> Result<NewPerson, Vec<String>> {
        let cells = cells(text, self.separator).map_err(|e| vec![e.to_string()])?;
        if cells.len() > self.count {
            let most = self.count;
            return Err(vec![format!(
                "There are {} columns and not {most}. Put a name with a “{}” in it between quotation marks.",
                cells.len(),
                if self.separator == '\t' { ',' } else { self.separator },
            )]);
        }
        if cells.iter().any(|cell| cell.chars().any(deceives)) {
            return Err(vec!["An invisible character or control character is in it. Type the line anew.".to_owned()]);
        }
        let cell = |column: usize| cells.get(column).map_or("", |cell| cell.trim());
        let email = cell(self.email).parse::<Email>();
        let name = cell(self.name).parse::<PersonName>();
        let role = match self.role.map_or("", cell) {
            "" => Ok(Role::Member),
            word => word.to_lowercase().parse::<Role>(),
        };
        match (email, name, role) {
            (Ok(email), Ok(name), Ok(role)) => Ok(NewPerson { email, name, role }),
            (email, name, role) => {
                let wrong = [email.err(), name.err(), role.err()];
                Err(wrong.into_iter().flatten().map(|e| e.to_string()).collect())
            }
        }
    }
}

fn shown(text: &str) -> String {
    let mut shown: String = clean(text).chars().take(SHOWN).collect();
    if shown.len() < text.trim().len() && text.chars().count() > SHOWN {
        shown.push('…');
    }
    shown
}

/// The cells of a line, without the empty ones at its end (RFC 4180, but for cells of several lines).
fn cells(line: &str, separator: char) -> Result<Vec<String>, BadInput> {
    let mut cells = Vec::new();
    let mut rest = Some(line);
    while let Some(text) = rest {
        let (cell, after) = match text.trim_start_matches(' ').strip_prefix('"') {
            Some(quoted) => quoted_cell(quoted, separator)?,
            None => match text.split_once(separator) {
                Some((cell, after)) => (cell.to_owned(), Some(after)),
                None => (text.to_owned(), None),
            },
        };
        cells.push(cell);
        rest = after;
    }
    while cells.last().is_some_and(|cell| cell.trim().is_empty()) {
        cells.pop();
    }
    Ok(cells)
}

/// A cell whose opening quotation mark is read already, and what stands behind it.
fn quoted_cell(text: &str, separator: char) -> Result<(String, Option<&str>), BadInput> {
    let wrong = BadInput(
        "A quotation mark is out of place. Put one before and one behind the whole name, on one line; inside it, write \
         each twice.",
    );
    let mut cell = String::new();
    let mut rest = text;
    loop {
        let (before, after) = rest.split_once('"').ok_or(wrong)?;
        cell.push_str(before);
        if let Some(more) = after.strip_prefix('"') {
            cell.push('"');
            rest = more;
            continue;
        }
        let after = after.trim_start_matches(' ');
        return match after.strip_prefix(separator) {
            Some(next) => Ok((cell, Some(next))),
            None if after.is_empty() => Ok((cell, None)),
            None => Err(wrong),
        };
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Every person as `email|name|role`, every other line as what to do about it.
    fn told(text: &str) -> Vec<String> {
        let line = |line: Line| match line.person {
            Ok(p) => format!("{}|{}|{}", p.email, p.name, p.role),
            Err(faults) => format!("{}: {}", line.number, faults.join(" ")),
        };
        read(text).unwrap().into_iter().map(line).collect()
    }

    #[test]
    fn a_list_is_understood_as_every_spreadsheet_writes_it() {
        let mara = ["mara@x.example|Mara Lindqvist|member", "sam@x.example|Sam, Jr. \"S\" Okafor|admin"];
        for text in [
            "email,name,role\nmara@x.example,Mara Lindqvist,\nsam@x.example,\"Sam, Jr. \"\"S\"\" Okafor\",admin",
            "\u{feff}email,name,role\r\nmara@x.example,Mara Lindqvist\r\n\r\nsam@x.example,\"Sam, Jr. \"\"S\"\" Okafor\",Admin\r\n",
            "sep=;\r\nEmail;Name;Role\r\n MARA@x.example ; Mara Lindqvist ;member\r\nsam@x.example;Sam, Jr. \"S\" Okafor;admin\r\n;;\r\n",
            "role\tname\temail\rmember\tMara Lindqvist\tmara@x.example\radmin\tSam, Jr. \"S\" Okafor\tsam@x.example\r",
        ] {
            assert_eq!(told(text), mara, "{text:?}");
        }
        assert_eq!(told("name,email\nMara Lindqvist,mara@x.example"), mara[..1], "the role may be left out");
    }

    #[test]
    fn each_bad_line_is_named_with_what_to_do() {
        let text = "email,name,role\nno address,Noor,member\nkim@x.example,,king\na@x.example,A,member,more\n\
                    b@x.example,\"B,member\nc@x.example,\"C\"d,member\ne@x.example,E\u{202e}e,member\n\
                    f@x.example,F,member\nF@X.example,Other F,member";
        let said = told(text);
        for (n, what) in [
            "2: Enter an e-mail address",
            "3: Enter a name. Choose a role",
            "4: There are 4 columns and not 3",
            "5: A quotation mark is out of place",
            "6: A quotation mark is out of place",
            "7: An invisible character",
            "f@x.example|F|member",
            "9: The same address stands in line 8",
        ]
        .into_iter()
        .enumerate()
        {
            assert!(said[n].starts_with(what), "{}", said[n]);
        }
        assert!(read(text).unwrap().iter().all(|line| !line.text.contains('\u{202e}')));
    }

    #[test]
    fn a_list_that_is_none_is_refused_as_a_whole() {
        let many = format!("email,name\n{}", "a@x.example,A\n".repeat(policy::IMPORT_PEOPLE + 1));
        for (text, what) in [
            ("", "name the columns"),
            ("mara@x.example,Mara\n", "name the columns"),
            ("email\nmara@x.example\n", "“name” is missing"),
            ("email,name,phone\n", "no column “phone”"),
            ("email,name,email\n", "email stands twice"),
            ("email,name,role\n\n,,\n", "Nobody stands"),
            (&many, "1001 people"),
        ] {
            let said = read(text).unwrap_err();
            assert!(said.contains(what), "{what}: {said}");
        }
    }

    #[test]
    fn a_file_that_is_no_text_says_how_to_save_it() {
        assert_eq!(decode("Žofie".as_bytes()), Ok("Žofie"));
        for bytes in [&b"\xff\xfee\0m\0"[..], b"Andr\xe9", b"a\0b"] {
            assert!(decode(bytes).unwrap_err().0.contains("UTF-8"));
        }
        assert!(decode(b"PK\x03\x04").unwrap_err().0.contains("spreadsheet"));
        assert!(decode(&vec![b'a'; policy::IMPORT_BYTES]).is_ok());
        assert!(decode(&vec![b'a'; policy::IMPORT_BYTES + 1]).unwrap_err().0.contains("256 KiB"));
    }

    proptest::proptest! {
        #[test]
        fn any_text_is_read_or_refused_and_no_line_is_lost(text in "([a-z@.,;\"\t \r\n]|email|name|role)*") {
            if let Ok(lines) = read(&format!("email,name,role\n{text}")) {
                let text = text.replace("\r\n", "\n").replace('\r', "\n");
                assert_eq!(lines.len(), text.split('\n').filter(|l| !is_blank(l)).count());
                for line in lines {
                    assert!(line.is_good() || line.person.is_err_and(|faults| !faults.is_empty()));
                }
            }
        }
    }
}
