//! What the browser's words mean on the wire: WebDriver's commands, and the script that finds what a person means.

use std::time::{Duration, Instant};

use serde_json::{Value, json};

use super::{Browser, PATIENCE};

/// The pause between two looks at something that is waited for.
const POLL: Duration = Duration::from_millis(50);

/// WebDriver's name for the member that holds a reference to an element (W3C WebDriver, section 12.1).
const ELEMENT: &str = "element-6066-11e4-a52e-4f735466cecf";

impl Browser {
    pub(super) fn get(&self, path: &str) -> Result<Value, String> {
        self.driver.call("GET", &format!("/session/{}{path}", self.session), &Value::Null)
    }

    pub(super) fn post(&self, path: &str, body: &Value) -> Result<Value, String> {
        self.driver.call("POST", &format!("/session/{}{path}", self.session), body)
    }

    pub(super) fn run(&self, script: &str, arguments: &Value) -> Result<Value, String> {
        self.post("/execute/sync", &json!({ "script": script, "args": arguments }))
    }

    pub(super) fn devtools(&self, command: &str, parameters: Value) -> Result<Value, String> {
        self.post("/goog/cdp/execute", &json!({ "cmd": command, "params": parameters }))
    }

    /// A window cannot be made as narrow as a phone; the page area in it can.
    pub(super) fn set_viewport(&self, width: u32, height: u32) -> Result<Value, String> {
        let metrics = json!({ "width": width, "height": height, "deviceScaleFactor": 1, "mobile": false });
        self.devtools("Emulation.setDeviceMetricsOverride", metrics)
    }

    pub(super) fn visible_text(&self) -> Result<String, String> {
        let answer = self.run("return document.body ? document.body.innerText : ''", &json!([]))?;
        Ok(answer.as_str().unwrap_or_default().to_owned())
    }

    pub(super) fn shows(&self, text: &str) -> Result<bool, String> {
        Ok(squash(&self.visible_text()?).contains(&squash(text)))
    }

    #[track_caller]
    pub(super) fn words(&self, path: &str) -> String {
        let answer = self.must(self.get(path), "look at the page");
        answer.as_str().unwrap_or_default().to_owned()
    }

    #[track_caller]
    pub(super) fn click(&self, kind: &str, name: &str) -> &Self {
        let element = self.find(kind, name);
        if element.is_empty() {
            return self;
        }
        let before = self.downloads().len();
        self.must(self.run(include_str!("leaving.js"), &json!([])), "watch the page");
        let clicked = self.post(&format!("/element/{element}/click"), &json!({}));
        self.must(clicked, &format!("click the {kind} \"{name}\""));
        self.arrive(before, name);
        self
    }

    /// Waits for what a click leads to: the driver's own waiting ends now and then before a form has been sent. A page
    /// that gives a field the focus has arrived when it has done so, which is shortly after it is complete.
    #[track_caller]
    pub(super) fn arrive(&self, downloads_before: usize, name: &str) {
        let here = "if (document.leaving !== undefined) return !document.leaving; \
                    const waits = document.querySelector('[autofocus]') && document.activeElement === document.body; \
                    return document.readyState === 'complete' && !waits";
        self.until(&format!("\"{name}\" led to no page and no file"), || {
            let arrived = self.run(here, &json!([]))?.as_bool().unwrap_or(false);
            Ok(arrived || self.downloads().len() > downloads_before)
        });
    }

    /// Asks again and again until `happened`; an error is no answer, as the page may be changing just then.
    #[track_caller]
    pub(super) fn until(&self, failure: &str, happened: impl Fn() -> Result<bool, String>) {
        let end = Instant::now() + PATIENCE;
        while !happened().unwrap_or(false) {
            assert!(Instant::now() < end, "{failure} in {PATIENCE:?}\n{}", self.describe());
            std::thread::sleep(POLL);
        }
    }

    /// The driver's name for the one thing of this `kind` called `name`; empty where there is nothing left to do.
    #[track_caller]
    pub(super) fn find(&self, kind: &str, name: &str) -> String {
        let answer = self.must(self.run(include_str!("find.js"), &json!([kind, name])), "search the page");
        if answer["done"].as_bool() == Some(true) {
            return String::new();
        }
        match answer["found"].as_array().map(Vec::as_slice) {
            Some([one]) => one[ELEMENT].as_str().unwrap_or_default().to_owned(),
            Some([]) | None => {
                panic!("no {kind} is called \"{name}\"; there are: {}\n{}", answer["offered"], self.describe())
            }
            Some(several) => panic!(
                "{} times a {kind} called \"{name}\": a person could not tell which is meant; give each a name of its \
                 own (aria-label)\n{}",
                several.len(),
                self.describe()
            ),
        }
    }

    #[track_caller]
    pub(super) fn must<T>(&self, result: Result<T, String>, errand: &str) -> T {
        // No closure: the panic would carry this line and not the caller's.
        match result {
            Ok(value) => value,
            Err(why) => panic!("could not {errand}: {why}\n{}", self.describe()),
        }
    }

    /// The page in words, for the message of a failed test.
    pub(super) fn describe(&self) -> String {
        let unknown = |why| format!("(unknown: {why})");
        let url = self.get("/url").map_or_else(unknown, |url| url.to_string());
        let text = self.visible_text().unwrap_or_else(|why| format!("(unknown: {why})"));
        format!("--- at {url} the page says:\n{text}\n---")
    }
}

fn squash(text: &str) -> String {
    text.split_whitespace().collect::<Vec<_>>().join(" ")
}
