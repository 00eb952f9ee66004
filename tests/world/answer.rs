//! What the provider answered, as a person reads it.

use idp::http::Response;

/// An answer, read.
#[derive(Debug, Clone, Default)]
pub struct Answer {
    /// The status.
    pub status: u16,
    /// The headers, names in lower case, in order.
    pub headers: Vec<(String, String)>,
    /// The body.
    pub body: String,
}

impl Answer {
    pub(super) fn of(response: Response) -> Self {
        let names = [
            "location",
            "content-type",
            "cache-control",
            "content-security-policy",
            "retry-after",
            "allow",
            "x-content-type-options",
            "referrer-policy",
            "strict-transport-security",
            "x-frame-options",
            "content-disposition",
            "content-encoding",
            "vary",
            "cross-origin-opener-policy",
            "cross-origin-resource-policy",
            "permissions-policy",
        ];
        let mut headers: Vec<(String, String)> = Vec::new();
        for name in names {
            headers.extend(response.header(name).map(|v| (name.to_owned(), v.to_owned())));
        }
        headers.extend(response.header_values("set-cookie").map(|v| ("set-cookie".to_owned(), v.to_owned())));
        let status = response.status();
        let body = String::from_utf8_lossy(&response.into_body_bytes().unwrap()).into_owned();
        Self { status, headers, body }
    }

    /// The first header of this (lower-case) name.
    pub fn header(&self, name: &str) -> Option<&str> {
        self.headers.iter().find(|(n, _)| n == name).map(|(_, v)| v.as_str())
    }

    /// Where a redirect leads; empty if it is none.
    pub fn location(&self) -> &str {
        self.header("location").unwrap_or_default()
    }

    /// The page as a person reads it: without tags, spaces run together.
    pub fn text(&self) -> String {
        let mut text = String::new();
        let mut inside = false;
        for c in self.body.chars() {
            match c {
                '<' => inside = true,
                '>' => {
                    inside = false;
                    text.push(' ');
                }
                c if !inside => text.push(c),
                _ => {}
            }
        }
        let text = text.replace("&amp;", "&").replace("&quot;", "\"").replace("&lt;", "<").replace("&gt;", ">");
        text.split_whitespace().collect::<Vec<_>>().join(" ")
    }

    /// Whether the page says this.
    pub fn says(&self, what: &str) -> bool {
        self.text().contains(what)
    }

    /// The codes of a page that shows some.
    pub fn codes(&self) -> Vec<String> {
        let list = self.body.split("<ul class=\"codes\"").nth(1).and_then(|rest| rest.split("</ul>").next());
        let items = list.unwrap_or_default().split("<li>").skip(1);
        items.filter_map(|item| item.split("</li>").next()).map(str::to_owned).collect()
    }

    /// The one secret of a page that shows one (a pass, a password).
    pub fn secret(&self) -> String {
        let rest = self.body.split("class=\"secret\"").nth(1).expect("a secret is shown");
        rest.split('>').nth(1).and_then(|t| t.split('<').next()).unwrap_or_default().to_owned()
    }

    /// The value of the hidden field `name`, in the last form that has it.
    pub fn hidden(&self, name: &str) -> Option<String> {
        let mark = format!("name=\"{name}\" value=\"");
        let at = self.body.rfind(&mark)? + mark.len();
        Some(self.body[at..].chars().take_while(|c| *c != '"').collect())
    }
}
