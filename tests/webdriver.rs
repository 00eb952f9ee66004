//! A browser for tests, driven in the words of a person: open a page, fill in the field called "E-mail", press the
//! button called "Sign in", see a sentence.
//!
//! Things are found the way a person or a screen reader finds them, by their visible label or accessible name, so a
//! test that passes also says that the page can be used without looking at its markup. Everything that goes wrong
//! panics at the caller's line with the page's address and text. Every wait has an end. Dropping a [`Browser`], also
//! while panicking, ends all its processes and removes its folder.

mod driver;
mod keyboard;
mod smoke;
mod wire;

use std::path::{Path, PathBuf};
use std::time::Duration;

use serde::Deserialize;
use serde_json::{Value, json};

use driver::{Driver, find_program};
pub use keyboard::{ENTER, SPACE, TAB};

/// How long a page may take to load, and a sentence to appear in [`Browser::wait_for`]. Long, because a machine whose
/// cores all hash passwords is slow; a test that passes never waits for it to run out.
const PATIENCE: Duration = Duration::from_secs(20);

/// Where the browser puts files, below its folder.
const DOWNLOADS: &str = "downloads";

/// A cookie as the browser keeps it.
#[derive(Debug, Clone, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Cookie {
    pub name: String,
    pub value: String,
    pub path: String,
    pub http_only: bool,
    pub secure: bool,
    /// `Lax`, `Strict` or `None`; absent where the server did not say.
    pub same_site: Option<String>,
}

/// A headless Chromium with an empty profile of its own and one tab.
pub struct Browser {
    driver: Driver,
    session: String,
}

impl Browser {
    /// Starts a browser whose page area is `width` by `height` CSS pixels.
    ///
    /// # Panics
    /// Where Chromium or its driver is not installed or does not start; the message says what to install.
    #[track_caller]
    pub fn start(width: u32, height: u32) -> Self {
        match Self::try_start(width, height) {
            Ok(browser) => browser,
            Err(why) => panic!("no browser: {why}"),
        }
    }

    fn try_start(width: u32, height: u32) -> Result<Self, String> {
        let chromium = find_program(&["chromium", "chromium-browser", "google-chrome"])?;
        let driver = Driver::start()?;
        let wishes = json!({ "capabilities": { "alwaysMatch": {
            "browserName": "chrome",
            "timeouts": { "implicit": 0, "pageLoad": millis(PATIENCE), "script": millis(PATIENCE) },
            "goog:loggingPrefs": { "browser": "ALL" },
            "goog:chromeOptions": {
                "binary": chromium,
                "args": arguments(driver.folder(), width, height),
                "prefs": {
                    // The offer to store a password would lie over the page.
                    "credentials_enable_service": false,
                    "profile.password_manager_enabled": false,
                    "download.default_directory": driver.folder().join(DOWNLOADS),
                },
            },
        }}});
        let answer = driver.call("POST", "/session", &wishes)?;
        let session = answer["sessionId"].as_str().ok_or("the driver named no session")?.to_owned();
        let browser = Self { driver, session };
        browser.set_viewport(width, height)?;
        Ok(browser)
    }

    /// The folder with everything this browser and its driver write.
    pub fn folder(&self) -> &Path {
        self.driver.folder()
    }

    /// Goes to `url` and waits until the page is loaded.
    #[track_caller]
    pub fn open(&self, url: &str) -> &Self {
        self.must(self.post("/url", &json!({ "url": url })), &format!("open {url}"));
        self
    }

    /// The address of the page.
    #[track_caller]
    pub fn url(&self) -> String {
        self.words("/url")
    }

    /// The page's title.
    #[track_caller]
    pub fn title(&self) -> String {
        self.words("/title")
    }

    /// The text that can be seen on the page.
    #[track_caller]
    pub fn text(&self) -> String {
        self.must(self.visible_text(), "read the page")
    }

    /// Replaces what stands in the field labelled `label` (or so named by `aria-label`, `placeholder` or `name`).
    #[track_caller]
    pub fn fill(&self, label: &str, text: &str) -> &Self {
        let element = self.find("field", label);
        self.must(self.post(&format!("/element/{element}/clear"), &json!({})), &format!("empty \"{label}\""));
        if !text.is_empty() {
            let typed = self.post(&format!("/element/{element}/value"), &json!({ "text": text }));
            self.must(typed, &format!("fill \"{label}\""));
        }
        self
    }

    /// Chooses a file for the field labelled `label`.
    #[track_caller]
    pub fn choose_file(&self, label: &str, file: &Path) -> &Self {
        let element = self.find("field", label);
        let chosen = self.post(&format!("/element/{element}/value"), &json!({ "text": file.to_str() }));
        self.must(chosen, &format!("choose a file for \"{label}\""));
        self
    }

    /// Presses the button (or opens the menu) that says `text`; waits for the page or file that it leads to, if any.
    #[track_caller]
    pub fn press(&self, text: &str) -> &Self {
        self.click("button", text)
    }

    /// Follows the link that says `text`; waits for the page or file.
    #[track_caller]
    pub fn follow(&self, text: &str) -> &Self {
        self.click("link", text)
    }

    /// Ticks the box labelled `label`; a ticked one stays so.
    #[track_caller]
    pub fn tick(&self, label: &str) -> &Self {
        self.click("unticked box", label)
    }

    /// Chooses the radio button labelled `label`, or the entry of that name in a drop-down list.
    #[track_caller]
    pub fn choose(&self, label: &str) -> &Self {
        self.click("choice", label)
    }

    /// Asserts that `text` can be seen now, however the lines break.
    #[track_caller]
    pub fn sees(&self, text: &str) -> &Self {
        let there = self.must(self.shows(text), "read the page");
        assert!(there, "the page does not say \"{text}\"\n{}", self.describe());
        self
    }

    /// Waits until `text` can be seen, for what a script does after the page has loaded.
    #[track_caller]
    pub fn wait_for(&self, text: &str) -> &Self {
        let failure = format!("the page did not come to say \"{text}\"");
        self.until(&failure, || self.shows(text));
        self
    }

    /// The cookies that the browser would send with the page it shows, HttpOnly ones too.
    #[track_caller]
    pub fn cookies(&self) -> Vec<Cookie> {
        let answer = self.must(self.get("/cookie"), "read the cookies");
        let cookies = serde_json::from_value(answer).map_err(|why| why.to_string());
        self.must(cookies, "understand the cookies")
    }

    /// Forgets the cookies of the page it shows.
    #[track_caller]
    pub fn clear_cookies(&self) -> &Self {
        let answer = self.driver.call("DELETE", &format!("/session/{}/cookie", self.session), &Value::Null);
        self.must(answer, "forget the cookies");
        self
    }

    /// Writes a PNG of the whole page to `path`, also of what one would have to scroll to.
    #[track_caller]
    pub fn screenshot(&self, path: &Path) -> &Self {
        let answer = self.devtools("Page.captureScreenshot", json!({ "captureBeyondViewport": true }));
        let picture = self.must(answer.and_then(|answer| file(&answer)), "take a picture");
        let written = std::fs::write(path, picture).map_err(|why| format!("{}: {why}", path.display()));
        self.must(written, "keep a picture");
        self
    }

    /// Shows pages as they would be printed, or as on a screen.
    #[track_caller]
    pub fn paper(&self, on: bool) -> &Self {
        let media = json!({ "media": if on { "print" } else { "screen" } });
        self.must(self.devtools("Emulation.setEmulatedMedia", media), "change to paper");
        self
    }

    /// The page as it would be printed on A4, as a PDF.
    #[track_caller]
    pub fn print(&self) -> Vec<u8> {
        let answer = self.devtools("Page.printToPDF", json!({ "paperWidth": 8.27, "paperHeight": 11.69 }));
        self.must(answer.and_then(|answer| file(&answer)), "print")
    }

    /// Runs `script` as the body of a function in the page; what it returns comes back as JSON.
    #[track_caller]
    pub fn execute(&self, script: &str) -> Value {
        self.must(self.run(script, &json!([])), "run a script")
    }

    /// What a page has copied.
    #[track_caller]
    pub fn clipboard(&self) -> String {
        let origin = self.execute("return location.origin");
        let may = json!({ "origin": origin, "permissions": ["clipboardReadWrite"] });
        self.must(self.devtools("Browser.grantPermissions", may), "allow to read the clipboard");
        let text = self.execute("return navigator.clipboard.readText()");
        text.as_str().unwrap_or_default().to_owned()
    }

    /// The files that pages have given the browser to keep, complete ones only.
    pub fn downloads(&self) -> Vec<PathBuf> {
        let entries = std::fs::read_dir(self.folder().join(DOWNLOADS)).into_iter().flatten().flatten();
        let unfinished = |name: &str| name.starts_with('.') || name.ends_with(".crdownload");
        entries.filter(|entry| !unfinished(&entry.file_name().to_string_lossy())).map(|entry| entry.path()).collect()
    }

    /// Waits for the first file that a page gives the browser to keep.
    #[track_caller]
    pub fn wait_for_download(&self) -> PathBuf {
        self.until("no file came", || Ok(!self.downloads().is_empty()));
        self.downloads().remove(0)
    }

    /// Makes the page area `width` by `height` CSS pixels.
    #[track_caller]
    pub fn resize(&self, width: u32, height: u32) -> &Self {
        self.must(self.set_viewport(width, height), "resize");
        self
    }

    /// Says to pages that the person prefers dark colours, or light ones, and no motion: a change is there at once.
    #[track_caller]
    pub fn dark(&self, on: bool) -> &Self {
        let value = if on { "dark" } else { "light" };
        let media = json!({ "features": [
            { "name": "prefers-color-scheme", "value": value },
            { "name": "prefers-reduced-motion", "value": "reduce" },
        ] });
        self.must(self.devtools("Emulation.setEmulatedMedia", media), "change the colours");
        self
    }

    /// What the browser has complained about since the last call: script errors, refusals by the content security
    /// policy, files that are missing.
    #[track_caller]
    pub fn complaints(&self) -> Vec<String> {
        let answer = self.must(self.post("/se/log", &json!({ "type": "browser" })), "read the browser's log");
        let entries = answer.as_array().cloned().unwrap_or_default();
        entries.iter().filter_map(|entry| entry["message"].as_str().map(str::to_owned)).collect()
    }
}

/// A file as Chromium's own protocol sends it.
fn file(answer: &Value) -> Result<Vec<u8>, String> {
    let text = answer["data"].as_str().ok_or("the browser sent no file")?;
    data_encoding::BASE64.decode(text.as_bytes()).map_err(|why| why.to_string())
}

fn arguments(folder: &Path, width: u32, height: u32) -> Vec<String> {
    let mut arguments: Vec<String> = [
        "--headless=new",
        // Chromium's sandbox refuses to run as root and in most containers; only our own pages are opened.
        "--no-sandbox",
        "--disable-gpu",
        "--disable-quic",
        "--no-first-run",
        "--no-default-browser-check",
        "--disable-background-networking",
        "--disable-component-update",
        "--disable-sync",
        "--disable-extensions",
        "--disable-dev-shm-usage",
        // As on a phone, where they lie over the page: pictures have the width that was asked for.
        "--hide-scrollbars",
        "--password-store=basic",
        "--no-proxy-server",
        // Nothing but this machine: whatever else a page or the browser asks for does not exist.
        "--host-resolver-rules=MAP * ~NOTFOUND, EXCLUDE localhost, EXCLUDE 127.0.0.1",
    ]
    .map(String::from)
    .into();
    arguments.push(format!("--user-data-dir={}", folder.join("profile").display()));
    arguments.push(format!("--window-size={width},{height}"));
    arguments
}

fn millis(duration: Duration) -> u64 {
    u64::try_from(duration.as_millis()).unwrap_or(u64::MAX)
}
