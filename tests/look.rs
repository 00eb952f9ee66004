//! Every page in every sampled state, drawn by real Chromium: the rules of axe-core (WCAG 2.2 A and AA, and its best
//! practices) find nothing, in light and dark, with menus closed and open, and nothing is wider than the window, be that a
//! phone's or a desk's.
//!
//! `IDP_PICTURES=FOLDER` also writes a picture of each, in both widths and colours.

use std::fmt::Write as _;
use std::io::{BufRead, BufReader, Write};
use std::net::{Ipv4Addr, TcpListener, TcpStream};
use std::path::PathBuf;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread::JoinHandle;

use idp::pages::{assets, samples};

use crate::webdriver::Browser;

/// Where `.ci/run` puts it, in the version that it names.
const AXE: &str = "target/axe-core-4.14.1.min.js";

const DESK: (u32, u32) = (1280, 900);
const PHONE: (u32, u32) = (390, 844);

/// Loads the rules into the page, applies them, and returns a line for each that is broken.
const CHECK: &str = "
    return (async () => {
        if (!window.axe) {
            await new Promise((loaded, failed) => {
                const script = document.createElement('script');
                [script.src, script.onload, script.onerror] = ['/axe.js', loaded, failed];
                document.head.append(script);
            });
        }
        const tags = ['wcag2a', 'wcag2aa', 'wcag21a', 'wcag21aa', 'wcag22aa', 'best-practice'];
        // On a desk an open menu lies over links and leaves slivers of them; who wants one closes the menu first.
        const whole = innerWidth < 1000 || !document.querySelector('details.menu[open]');
        const found = await axe.run(document, { runOnly: tags, rules: { 'target-size': { enabled: whole } } });
        return found.violations.map(v => v.id + ': ' + v.nodes.map(n => n.html.slice(0, 160)).join(' | '));
    })()";

/// What is open when the page is used: menus and further explanations. No page comes with one that is open.
const OPEN: &str = "document.querySelectorAll('details').forEach(d => { d.open = true })";
const CLOSE: &str = "document.querySelectorAll('details').forEach(d => { d.open = false })";

const WIDER: &str = "return document.documentElement.scrollWidth - document.documentElement.clientWidth";

#[test]
fn nobody_is_kept_out_of_any_page_by_how_it_is_made() {
    let site = Site::start();
    let browser = Browser::start(DESK.0, DESK.1);
    let pictures = std::env::var_os("IDP_PICTURES").map(PathBuf::from);
    let mut objections = String::new();
    for name in &site.names {
        browser.open(&site.at(name));
        for (size, dark) in [(DESK, false), (DESK, true), (PHONE, true), (PHONE, false)] {
            browser.resize(size.0, size.1).dark(dark);
            let look = format!("{name}, {} wide, {}", size.0, if dark { "dark" } else { "light" });
            if let Some(folder) = &pictures {
                browser.screenshot(&folder.join(format!("{}.png", look.replace(", ", "-").replace(' ', "-"))));
            }
            // The rules take nearly all the time, so each look has one round of them: the first one as the page comes, the
            // others with everything open.
            let closed = (size, dark) == (DESK, false);
            if !closed {
                browser.execute(OPEN);
            }
            for rule in browser.execute(CHECK).as_array().expect("a list of rules") {
                let _ = writeln!(objections, "{look}: {rule}");
            }
            browser.execute(OPEN);
            let wider = browser.execute(WIDER);
            if wider != 0 {
                let _ = writeln!(objections, "{look}: {wider} px wider than the window");
            }
            browser.execute(CLOSE);
        }
    }
    assert!(objections.is_empty(), "{objections}");
}

/// A server of the samples and what they refer to.
pub struct Site {
    address: String,
    pub names: Vec<&'static str>,
    over: Arc<AtomicBool>,
    thread: Option<JoinHandle<()>>,
}

impl Site {
    pub fn start() -> Self {
        let axe = std::fs::read(PathBuf::from(env!("CARGO_MANIFEST_DIR")).join(AXE));
        let axe = axe.unwrap_or_else(|e| panic!("{AXE}: {e}: run .ci/run once, it fetches this file"));
        let pages = samples::all();
        let names = pages.iter().map(|(name, _)| *name).collect();
        let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).unwrap();
        let address = format!("127.0.0.1:{}", listener.local_addr().unwrap().port());
        let over = Arc::new(AtomicBool::new(false));
        let ends = Arc::clone(&over);
        let thread = std::thread::spawn(move || {
            for stream in listener.incoming() {
                if ends.load(Ordering::Acquire) {
                    return;
                }
                // A browser that hangs up early has lost nothing that matters here.
                let _ = answer(stream.unwrap(), &pages, &axe);
            }
        });
        Self { address, names, over, thread: Some(thread) }
    }

    pub fn at(&self, name: &str) -> String {
        format!("http://{}/{}", self.address, name.replace(' ', "%20"))
    }
}

impl Drop for Site {
    fn drop(&mut self) {
        self.over.store(true, Ordering::Release);
        // Wakes the thread from waiting for a visitor.
        let _ = TcpStream::connect(&self.address);
        if let Some(thread) = self.thread.take() {
            let _ = thread.join();
        }
    }
}

/// What the samples show where somebody's photo would be.
fn portrait() -> Vec<u8> {
    let mut jpeg = Vec::new();
    let picture = image::RgbImage::from_fn(180, 240, |x, y| {
        let face = (i64::from(x) - 90).pow(2) + (i64::from(y) - 100).pow(2) < 3_600;
        image::Rgb(if face { [214, 170, 140] } else { [70, 90, 110] })
    });
    image::codecs::jpeg::JpegEncoder::new(&mut jpeg).encode_image(&picture).unwrap();
    jpeg
}

fn answer(mut stream: TcpStream, pages: &[(&str, String)], axe: &[u8]) -> std::io::Result<()> {
    let mut lines = BufReader::new(stream.try_clone()?).lines();
    let request = lines.next().transpose()?.unwrap_or_default();
    // The rest of the head is read, so that closing does not cut the answer off.
    while lines.next().transpose()?.is_some_and(|line| !line.is_empty()) {}
    let path = request.split(' ').nth(1).unwrap_or_default().replace("%20", " ");
    let page = pages.iter().find(|(name, _)| path[1..] == **name);
    let asset = assets::find(&path);
    let portrait = path.ends_with("/portrait.jpg").then(portrait);
    let (status, kind, body): (_, _, &[u8]) = match (page, &asset) {
        (None, None) if portrait.is_some() => (200, "image/jpeg", portrait.as_ref().unwrap()),
        (Some((_, page)), _) => (200, "text/html; charset=utf-8", page.as_bytes()),
        (None, Some(asset)) => (200, asset.content_type, asset.bytes.as_ref()),
        (None, None) if path == "/axe.js" => (200, "text/javascript", axe),
        (None, None) => (404, "text/plain", b""),
    };
    let head = format!(
        "HTTP/1.1 {status} -\r\nContent-Type: {kind}\r\nContent-Length: {}\r\nConnection: close\r\n\r\n",
        body.len()
    );
    stream.write_all(head.as_bytes())?;
    stream.write_all(body)
}
