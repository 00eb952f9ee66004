//! The browser used with nothing but a keyboard, and with scripts switched off.

use serde_json::{Value, json};

use super::Browser;

/// WebDriver's code for the Enter key (W3C WebDriver, section 17.4.2).
pub const ENTER: &str = "\u{e007}";

/// The space bar, which ticks and chooses.
pub const SPACE: &str = " ";

/// WebDriver's code for the Tab key.
pub const TAB: &str = "\u{e004}";

/// More steps with Tab than any page has things to stop at.
const STEPS: usize = 80;

impl Browser {
    /// Presses keys one after the other, wherever the focus is; waits for the page that they lead to, if any.
    #[track_caller]
    pub fn keys(&self, text: &str) -> &Self {
        let before = self.downloads().len();
        self.must(self.run(include_str!("leaving.js"), &json!([])), "watch the page");
        let strokes: Vec<Value> = text.chars().flat_map(|key| ["keyDown", "keyUp"].map(|t| stroke(t, key))).collect();
        let keyboard = json!({ "actions": [{ "type": "key", "id": "keyboard", "actions": strokes }] });
        self.must(self.post("/actions", &keyboard), "press keys");
        self.arrive(before, "the keyboard");
        self
    }

    /// Steps with Tab until the focus is on what is called `name`: a field by its label, a button or link by its words.
    #[track_caller]
    pub fn tab_to(&self, name: &str) -> &Self {
        let mut passed = Vec::new();
        while passed.len() < STEPS {
            if self.focus_name() == name {
                return self;
            }
            self.keys(TAB);
            passed.push(self.focus_name());
        }
        panic!("Tab leads to no \"{name}\", but to {passed:?}\n{}", self.describe());
    }

    /// Lets pages run scripts, or not, from the next page on.
    #[track_caller]
    pub fn scripts(&self, on: bool) -> &Self {
        let sent = self.devtools("Emulation.setScriptExecutionDisabled", json!({ "value": !on }));
        self.must(sent, "switch scripts");
        self
    }

    /// What has the focus, by its label or its words.
    #[track_caller]
    pub fn focus_name(&self) -> String {
        let script = "const it = document.activeElement, label = (it.labels || [])[0]; \
                      return (it.ariaLabel || (label || it).innerText || '').replace(/\\s+/g, ' ').trim()";
        self.execute(script).as_str().unwrap_or_default().to_owned()
    }
}

fn stroke(kind: &str, key: char) -> Value {
    json!({ "type": kind, "value": key.to_string() })
}
