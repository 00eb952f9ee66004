//! The browser against a page as small as can be, so that a failure elsewhere is the product's and not the browser's.

use std::io::{BufRead, BufReader, Read, Write};
use std::net::{Ipv4Addr, SocketAddr, TcpListener, TcpStream};
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::path::PathBuf;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread::JoinHandle;
use std::time::Duration;

use super::Browser;
use super::driver::{find_program_in, processes_of};

const FORM: &str = r##"<!doctype html><html lang="en"><title>A form</title>
<style>@media (prefers-color-scheme: dark) { body { background: rgb(1, 2, 3) } } .drawn { opacity: 0 }</style>
<h1>Lend a book</h1>
<form method="post" action="/lent">
<p><label for="who">Your name</label> <input id="who" name="person" value="old">
<p><label>Book <input name="book"></label>
<p><label>Copies <select name="copies"><option>one</option><option>two</option></select></label>
<p><input type="radio" name="cover" value="hard" id="hard"><label for="hard">Hard cover</label>
<p><input type="checkbox" class="drawn" name="rules" value="read" id="rules"><label for="rules">I know the rules</label>
<p><button>Lend</button> <button type="button" aria-label="Remove the first">Remove</button>
<button type="button" aria-label="Remove the second">Remove</button>
</form>
<details><summary>More</summary><p>Open on Mondays</details>
<p><a href="/late">Late page</a> <a href="/late">Late page</a> <a href="/card">Card</a>
<a href="#who">Up</a></html>"##;

const LATE: &str = r"<!doctype html><title>Late</title><p id=p>Not yet
<script>setTimeout(() => { p.textContent = 'Here   I am'; console.error('a complaint') }, 100)</script>";

/// A server of three pages that ends with the test.
struct Page {
    address: SocketAddr,
    ended: Arc<AtomicBool>,
    thread: Option<JoinHandle<()>>,
}

impl Page {
    fn open() -> Self {
        let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).expect("a free port");
        let address = listener.local_addr().expect("its address");
        let ended = Arc::new(AtomicBool::new(false));
        let told = Arc::clone(&ended);
        let thread = std::thread::spawn(move || {
            let mut answering = Vec::new();
            for stream in listener.incoming() {
                if told.load(Ordering::SeqCst) {
                    break;
                }
                // A browser opens connections in advance and says nothing on them: one thread each.
                answering.push(std::thread::spawn(move || answer(stream?)));
            }
            for one in answering {
                // What became of a connection shows in what the browser sees.
                let _ = one.join();
            }
        });
        Self { address, ended, thread: Some(thread) }
    }

    fn url(&self) -> String {
        format!("http://{}/", self.address)
    }
}

impl Drop for Page {
    fn drop(&mut self) {
        self.ended.store(true, Ordering::SeqCst);
        // Wakes the thread that accepts.
        drop(TcpStream::connect(self.address));
        if let Some(thread) = self.thread.take() {
            let _ = thread.join();
        }
    }
}

fn answer(stream: TcpStream) -> std::io::Result<()> {
    stream.set_read_timeout(Some(Duration::from_secs(2)))?;
    let mut reader = BufReader::new(&stream);
    let (mut first, mut length) = (String::new(), 0);
    reader.read_line(&mut first)?;
    let mut line = String::new();
    while reader.read_line(&mut line)? > 2 {
        if let Some(value) = line.to_ascii_lowercase().strip_prefix("content-length:") {
            length = value.trim().parse().map_err(std::io::Error::other)?;
        }
        line.clear();
    }
    let mut body = Vec::new();
    reader.take(length).read_to_end(&mut body)?;
    let (kind, page) = match first.split(' ').nth(1).unwrap_or_default() {
        "/lent" => ("text/html; charset=utf-8", lent(&body)),
        "/late" => ("text/html; charset=utf-8", LATE.to_owned()),
        "/card" => ("text/plain\r\nContent-Disposition: attachment; filename=\"card.txt\"", "card 7".to_owned()),
        _ => ("text/html; charset=utf-8", FORM.to_owned()),
    };
    let head = "HTTP/1.1 200 OK\r\nConnection: close\r\n\
                Set-Cookie: seen=yes; Path=/; HttpOnly; SameSite=Lax\r\n";
    (&stream)
        .write_all(format!("{head}Content-Type: {kind}\r\nContent-Length: {}\r\n\r\n{page}", page.len()).as_bytes())
}

fn lent(body: &[u8]) -> String {
    let said: Vec<String> = form_urlencoded::parse(body).map(|(name, value)| format!("{name}={value}")).collect();
    format!("<!doctype html><title>Lent</title><p>{}", said.join(", "))
}

#[test]
fn a_form_is_filled_by_its_labels_and_sent_by_its_button() {
    let page = Page::open();
    let browser = Browser::start(1000, 700);
    browser.open(&page.url()).sees("Lend a book");
    assert_eq!(browser.title(), "A form");
    assert!(!browser.text().contains("Open on Mondays"), "what is folded away is not seen");
    browser.fill("Your name", "Ana Łuk").fill("book", "Über 7 & 8").choose("two").choose("Hard cover");
    browser.tick("I know the rules").tick("I know the rules").press("Lend");
    browser.sees("person=Ana Łuk, book=Über 7 & 8, copies=two, cover=hard, rules=read");
    assert_eq!(browser.url(), format!("{}lent", page.url()));
}

#[test]
fn what_a_script_shows_later_is_waited_for_and_its_complaints_are_heard() {
    let page = Page::open();
    let browser = Browser::start(1000, 700);
    browser.open(&page.url()).follow("Late page").wait_for("Here I am");
    let complaints = browser.complaints();
    assert!(complaints.iter().any(|line| line.contains("a complaint")), "{complaints:?}");
    browser.open(&page.url()).press("More").sees("Open on Mondays");
}

#[test]
fn a_file_that_a_page_offers_is_kept_and_the_page_stays() {
    let page = Page::open();
    let browser = Browser::start(1000, 700);
    browser.open(&page.url()).follow("Up").follow("Card").sees("Lend a book");
    let [file] = &browser.downloads()[..] else { panic!("one file") };
    assert_eq!(std::fs::read_to_string(file).expect("the file"), "card 7");
    assert!(file.ends_with("card.txt"));
}

#[test]
fn cookies_are_seen_and_forgotten() {
    let page = Page::open();
    let browser = Browser::start(1000, 700);
    let cookies = browser.open(&page.url()).cookies();
    let [cookie] = cookies.as_slice() else { panic!("one cookie, not {cookies:?}") };
    assert_eq!((cookie.name.as_str(), cookie.value.as_str(), cookie.path.as_str()), ("seen", "yes", "/"));
    assert_eq!((cookie.http_only, cookie.secure, cookie.same_site.as_deref()), (true, false, Some("Lax")));
    assert!(browser.clear_cookies().cookies().is_empty());
}

#[test]
fn a_page_is_shown_at_the_size_of_a_phone_and_in_the_dark() {
    let page = Page::open();
    let browser = Browser::start(360, 640);
    let size = "return [innerWidth, innerHeight]";
    let ground = "return getComputedStyle(document.body).backgroundColor";
    assert_eq!(browser.open(&page.url()).execute(size), serde_json::json!([360, 640]));
    assert_eq!(browser.resize(1280, 900).open(&page.url()).execute(size), serde_json::json!([1280, 900]));
    assert_eq!(browser.dark(true).execute(ground), "rgb(1, 2, 3)");
    assert_eq!(browser.dark(false).execute(ground), "rgba(0, 0, 0, 0)");
    let picture = browser.folder().join("page.png");
    browser.screenshot(&picture);
    assert!(std::fs::read(&picture).expect("a picture").starts_with(b"\x89PNG"));
}

#[test]
fn a_browser_that_is_dropped_leaves_no_process_and_no_folder() {
    let browser = Browser::start(1000, 700);
    let folder = browser.folder().to_owned();
    assert!(processes_of(&folder).len() > 1, "the driver and the browser are found by their folder");
    drop(browser);
    assert!(processes_of(&folder).is_empty());
    assert!(!folder.exists());
}

#[test]
fn a_failed_step_says_what_stood_on_the_page_and_leaves_nothing_behind() {
    for (step, message) in [
        ("sees", "does not say \"Nonsense\""),
        ("press", "[\"Lend\",\"Remove the first\",\"Remove the second\",\"More\"]"),
        ("ambiguous", "2 times a button called \"Remove\""),
    ] {
        let page = Page::open();
        let browser = Browser::start(1000, 700);
        let folder: PathBuf = browser.folder().to_owned();
        let failure = catch_unwind(AssertUnwindSafe(move || match step {
            "sees" => drop(browser.open(&page.url()).sees("Nonsense").title()),
            "press" => drop(browser.open(&page.url()).press("Nonsense").title()),
            _ => drop(browser.open(&page.url()).press("Remove").title()),
        }))
        .expect_err("the step fails");
        let said = failure.downcast_ref::<String>().expect("a message");
        assert!(said.contains(message) && said.contains("Lend a book"), "{said}");
        assert!(processes_of(&folder).is_empty() && !folder.exists());
    }
}

#[test]
fn a_missing_browser_is_named_with_what_to_install() {
    let why = find_program_in("/nowhere".as_ref(), &["chromedriver"]).expect_err("nothing there");
    assert_eq!(why, "chromedriver is not installed: install chromium and chromium-driver; .ci/run does it");
}
